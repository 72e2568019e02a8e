//! What went wrong at a server or on the way to it: class, condition and SQLSTATE as Spark has them.

use std::collections::HashMap;
use std::fmt;

use tidebook_engine::connect::proto::FetchErrorDetailsResponse;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// `Result` of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The server cannot be reached; what runs there goes on.
    Lost,
    /// The server does not know this session any more: it was started anew, or forgot it.
    SessionGone,
    /// The server does not let this client in.
    Unauthenticated,
    /// What was asked for is wrong.
    Refused,
}

/// An error of a server, or of the way to it.
#[derive(Debug, Clone)]
pub struct Error {
    /// What can be done about it.
    pub kind: Kind,
    /// The exception's class as PySpark names it.
    pub ename: String,
    /// Spark's condition.
    pub condition: Option<String>,
    /// The sentence, without the condition.
    pub message: String,
    /// The SQLSTATE.
    pub sql_state: Option<String>,
}

/// The exceptions that PySpark has, without packages.
const EXCEPTIONS: &[&str] = &[
    "ParseException",
    "AnalysisException",
    "StreamingQueryException",
    "QueryExecutionException",
    "NumberFormatException",
    "IllegalArgumentException",
    "ArithmeticException",
    "UnsupportedOperationException",
    "ArrayIndexOutOfBoundsException",
    "DateTimeException",
    "SparkRuntimeException",
    "SparkUpgradeException",
    "SparkNoSuchElementException",
    "SparkException",
];

/// What PySpark calls an error of gRPC itself.
const GRPC_EXCEPTION: &str = "SparkConnectGrpcException";

/// Conditions that say that a session is not there any more.
const SESSION_GONE: &[&str] = &[
    "INVALID_HANDLE.SESSION_CHANGED",
    "INVALID_HANDLE.SESSION_CLOSED",
    "INVALID_HANDLE.SESSION_NOT_FOUND",
];

/// Conditions that say that an operation is not there.
const OPERATION_GONE: &[&str] = &["INVALID_HANDLE.OPERATION_NOT_FOUND"];

impl Error {
    /// Something that no server has to be asked about.
    pub(crate) fn refused(condition: &str, message: &str) -> Self {
        Self {
            kind: Kind::Refused,
            ename: "IllegalArgumentException".to_string(),
            condition: Some(condition.to_string()),
            message: message.to_string(),
            sql_state: None,
        }
    }

    /// An answer that is none of Spark Connect's.
    pub(crate) fn no_answer(what: impl fmt::Display) -> Self {
        Self {
            kind: Kind::Refused,
            ename: GRPC_EXCEPTION.to_string(),
            condition: None,
            message: format!("the server's answer cannot be read: {what}"),
            sql_state: None,
        }
    }

    /// What a status alone says.
    pub(crate) fn of_status(status: &Status, address: &impl fmt::Display) -> Self {
        let about = about(status);
        let condition = about.get("errorClass").cloned();
        let condition = condition.or_else(|| condition_in(status.message()));
        let is_gone = condition
            .as_deref()
            .is_some_and(|name| SESSION_GONE.contains(&name));
        let (kind, message) = match status.code() {
            _ if is_gone => (Kind::SessionGone, status.message().to_string()),
            Code::Unauthenticated | Code::PermissionDenied => (
                Kind::Unauthenticated,
                format!(
                    "{address} does not let this client in: {}",
                    status.message()
                ),
            ),
            _ if is_transient(status) => (
                Kind::Lost,
                format!("{address} cannot be reached: {}", cause(status)),
            ),
            _ => (Kind::Refused, status.message().to_string()),
        };
        let classes = about.get("classes");
        let classes: Vec<String> = classes
            .and_then(|classes| serde_json::from_str(classes).ok())
            .unwrap_or_default();
        let message = without_condition(&message, condition.as_deref());
        Self {
            kind,
            ename: exception(&classes),
            sql_state: about.get("sqlState").cloned(),
            condition,
            message,
        }
    }

    /// The same with what the server has more to say.
    pub(crate) fn with_details(mut self, details: FetchErrorDetailsResponse) -> Self {
        let root = details
            .root_error_idx
            .and_then(|root| usize::try_from(root).ok());
        let mut errors = details.errors;
        let Some(error) = root.filter(|root| *root < errors.len()) else {
            return self;
        };
        let error = errors.swap_remove(error);
        if !error.error_type_hierarchy.is_empty() {
            self.ename = exception(&error.error_type_hierarchy);
        }
        if let Some(spark) = error.spark_throwable {
            self.condition = spark.error_class.or(self.condition);
            self.sql_state = spark.sql_state.or(self.sql_state);
        }
        if !error.message.is_empty() {
            self.message = without_condition(&error.message, self.condition.as_deref());
        }
        self
    }
}

/// Under which id the server can be asked about an error.
pub(crate) fn error_id(status: &Status) -> Option<String> {
    about(status).remove("errorId")
}

fn about(status: &Status) -> HashMap<String, String> {
    let info = status.get_details_error_info();
    info.map(|info| info.metadata).unwrap_or_default()
}

/// Whether to ask again may help: the server is away, or the connection broke.
pub(crate) fn is_transient(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        Code::Internal if status.message().contains("INVALID_CURSOR.DISCONNECTED") => true,
        // A status that has a source was made here, of what happened to the connection.
        _ => std::error::Error::source(status).is_some(),
    }
}

/// Whether the server does not know the operation.
pub(crate) fn is_unknown_operation(status: &Status) -> bool {
    let mentions = |name: &&str| status.message().contains(*name);
    OPERATION_GONE.iter().any(mentions)
}

/// The innermost reason: `Connection refused (os error 111)` and not `transport error`.
fn cause(status: &Status) -> String {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(status);
    let mut text = status.message().to_string();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}

/// The first class that PySpark has an exception for.
fn exception(classes: &[String]) -> String {
    let names = || classes.iter().map(|class| name_of(class));
    let known = names().find(|name| EXCEPTIONS.contains(name));
    known
        .or_else(|| names().next())
        .unwrap_or(GRPC_EXCEPTION)
        .to_string()
}

fn name_of(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or(class)
}

/// `[CONDITION] …` at the beginning of a message.
pub(crate) fn condition_in(message: &str) -> Option<String> {
    let (name, _) = message.trim_start().strip_prefix('[')?.split_once(']')?;
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_string())
}

/// A message without the condition that it begins with.
pub(crate) fn without_condition(message: &str, condition: Option<&str>) -> String {
    let rest = condition
        .and_then(|name| message.trim_start().strip_prefix(&format!("[{name}]")))
        .unwrap_or(message);
    rest.trim().to_string()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(condition) = &self.condition {
            write!(f, "[{condition}] ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exception_is_the_one_pyspark_raises() {
        let classes = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let analysis = classes(&[
            "org.apache.spark.sql.catalyst.ExtendedAnalysisException",
            "org.apache.spark.sql.AnalysisException",
        ]);
        assert_eq!(exception(&analysis), "AnalysisException");
        assert_eq!(
            exception(&classes(&["java.net.BindException"])),
            "BindException"
        );
        assert_eq!(exception(&[]), GRPC_EXCEPTION);
    }

    #[test]
    fn a_condition_is_said_once() {
        let message = "[UNRESOLVED_COLUMN.WITH_SUGGESTION] no `x`";
        let condition = condition_in(message);
        assert_eq!(
            condition.as_deref(),
            Some("UNRESOLVED_COLUMN.WITH_SUGGESTION")
        );
        assert_eq!(without_condition(message, condition.as_deref()), "no `x`");
        assert_eq!(condition_in("[a, b] is no array"), None);
    }

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        assert!(is_transient(&Status::unavailable("down")));
        assert!(!is_transient(&Status::internal("[X] no")));
        let error = Error::of_status(&Status::unavailable("down"), &"sc://h:1");
        assert_eq!(error.kind, Kind::Lost);
        let status = Status::internal("[INVALID_HANDLE.SESSION_CHANGED] anew");
        assert_eq!(
            Error::of_status(&status, &"sc://h:1").kind,
            Kind::SessionGone
        );
    }
}
