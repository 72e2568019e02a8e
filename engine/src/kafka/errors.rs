//! What went wrong with Kafka, said so that one can do something about it.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::client::Problem;
use crate::error::{Error, ErrorKind, Hint, hint};
use crate::nearest::nearest;

const CHECK_LOGIN: &str =
    "check kafka.security.protocol, kafka.sasl.mechanism and kafka.sasl.jaas.config";
const CHECK_CERTIFICATE: &str = "check kafka.security.protocol, and that kafka.ssl.truststore.location is a PEM file with the certificate that the broker's is signed with";

/// The code of an error, where it has one.
pub(crate) fn code(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::Transaction(error) => Some(error.code()),
        error => error.rdkafka_error_code(),
    }
}

/// Kafka refused what was asked of it while doing `what`; `servers` are those that were asked.
pub(crate) fn from_kafka(what: &str, servers: &str, error: &KafkaError) -> Error {
    let said = match error {
        KafkaError::Transaction(error) => error.string(),
        error => code(error).map_or_else(|| error.to_string(), |code| code.to_string()),
    };
    let failed = Error::new(
        ErrorKind::Io,
        format!("{what} on Kafka at '{servers}': {said}"),
    );
    use RDKafkaErrorCode as Code;
    let failed = failed.with_source(error.clone());
    match code(error) {
        Some(Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed) => failed.with_hint(
            "the user of this connection may not do that: ask for the permission, or set other credentials with kafka.sasl.jaas.config",
        ),
        Some(Code::Authentication | Code::SaslAuthenticationFailed) => failed.with_hint(CHECK_LOGIN),
        _ => failed,
    }
}

/// Nothing at `servers` answers; `problem` is what the client said last.
pub(crate) fn cannot_reach(servers: &str, problem: Option<Problem>) -> Error {
    use RDKafkaErrorCode as Code;
    let hint = match problem.as_ref().and_then(|problem| problem.code) {
        Some(Code::Authentication | Code::SaslAuthenticationFailed) => CHECK_LOGIN.into(),
        Some(Code::SSL) => CHECK_CERTIFICATE.into(),
        // A connection that breaks in the handshake is now and then told of as one that broke.
        _ if is_handshake(problem.as_ref()) => CHECK_CERTIFICATE.into(),
        _ => check_address(),
    };
    let reason = problem.map(|problem| format!(" ({})", problem.reason));
    let message = format!(
        "no Kafka broker answers at '{servers}'{}",
        reason.unwrap_or_default()
    );
    Error::new(ErrorKind::Io, message).with_hint(hint)
}

/// Whether a connection broke while the two sides agreed on how to encrypt it.
fn is_handshake(problem: Option<&Problem>) -> bool {
    problem.is_some_and(|problem| problem.reason.contains("SSL_HANDSHAKE"))
}

fn check_address() -> Hint {
    [
        hint::say("check kafka.bootstrap.servers (HOST:PORT) and that the broker runs, or "),
        hint::start_broker(),
    ]
    .into()
}

/// A topic that is not there; `topics` are those that are.
pub(crate) fn unknown_topic(topic: &str, topics: &[String]) -> Error {
    let message = format!(
        "the topic '{topic}' does not exist: This server does not host this topic-partition."
    );
    let hint = match nearest(topic, topics.iter().map(String::as_str)) {
        Some(near) => vec![hint::say(format!("did you mean '{near}'?"))],
        None if topics.is_empty() => {
            vec![
                hint::say("there is no topic yet: "),
                hint::create_topic(topic),
            ]
        }
        None => {
            const SHOWN: usize = 10;
            let shown: Vec<&str> = topics.iter().take(SHOWN).map(String::as_str).collect();
            let more = if topics.len() > SHOWN { ", …" } else { "" };
            vec![
                hint::say(format!("topics are {}{more}; ", shown.join(", "))),
                hint::create_topic(topic),
            ]
        }
    };
    Error::new(ErrorKind::Io, message)
        .with_condition("UNKNOWN_TOPIC_OR_PARTITION")
        .with_hint(hint)
}

/// A name that no topic can have.
pub(crate) fn invalid_topic(topic: &str) -> Error {
    Error::new(ErrorKind::Io, format!("Invalid topics: [{topic}]")).with_hint(
        "the name of a topic has 1 to 249 letters, digits, dots, underscores and hyphens",
    )
}
