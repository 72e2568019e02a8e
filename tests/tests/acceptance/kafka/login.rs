//! A broker that asks who one is, and that is known by its certificate: Apache Kafka's own, told of in
//! the words of Kafka's Java client.

use std::collections::BTreeSet;

use acceptance::real_broker::RealBroker;

use super::harness::{EARLIEST, Engine, Start, sql};

const LOGIN: &str = r#"org.apache.kafka.common.security.plain.PlainLoginModule required username="reader" password="reader-secret";"#;

type Options<'a> = Vec<(&'a str, &'a str)>;

fn with<'a>(options: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Options<'a> {
    options.iter().chain(more).copied().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_and_certificates() {
    let broker = RealBroker::start_with_login().unwrap();
    let engine = Engine::new(&broker.address());
    engine.kafka.create("s_in", 1).unwrap();
    engine.kafka.create("s_out", 1).unwrap();
    engine.kafka.fill("s_in", &[(0, 3)], "v").unwrap();
    let certificate = broker.certificate().display().to_string();
    let (login, tls) = (
        broker.login_address().unwrap(),
        broker.tls_address().unwrap(),
    );
    let by_login = [
        ("kafka.bootstrap.servers", login.as_str()),
        ("kafka.security.protocol", "SASL_PLAINTEXT"),
        ("kafka.sasl.mechanism", "PLAIN"),
    ];
    let by_tls = [
        ("kafka.bootstrap.servers", tls.as_str()),
        ("kafka.security.protocol", "SASL_SSL"),
        ("kafka.sasl.mechanism", "PLAIN"),
        ("kafka.sasl.jaas.config", LOGIN),
    ];
    let believes = [
        ("kafka.ssl.truststore.type", "PEM"),
        ("kafka.ssl.truststore.location", certificate.as_str()),
    ];
    let reads = [("subscribe", "s_in"), EARLIEST];
    for (name, options) in [
        (
            "login",
            with(&by_login, &[("kafka.sasl.jaas.config", LOGIN)]),
        ),
        ("tls", with(&by_tls, &believes)),
    ] {
        engine.define("s", &with(&options, &reads)).await.unwrap();
        let writes = with(&options, &[("topic", "s_out")]);
        let start = Start {
            sink: "kafka",
            checkpoint: Some(name),
            options: &writes,
            ..Start::default()
        };
        let select = format!("SELECT concat('{name} ', CAST(value AS STRING)) AS value FROM s");
        let batches = engine.run(sql(&select), start).await.unwrap();
        assert_eq!(batches[0].rows, 3, "{name}");
        // And as a table.
        let table = engine.source(false, &with(&options, &reads[..1]));
        engine.view("t", table).await.unwrap();
        assert_eq!(
            engine.sql("SELECT * FROM t").await.unwrap().len(),
            3,
            "{name}"
        );
    }
    let written = engine.kafka.read("s_out").unwrap();
    let written: BTreeSet<String> = written.iter().map(|one| one.text()).collect();
    assert_eq!(written.len(), 6, "{written:?}");

    let wrong = LOGIN.replace("reader-secret", "guessed");
    for (options, hint) in [
        (
            with(&by_login, &[("kafka.sasl.jaas.config", wrong.as_str())]),
            "kafka.sasl.jaas.config",
        ),
        // Nobody has said that this certificate is to be believed.
        (with(&by_tls, &[]), "kafka.ssl.truststore.location"),
    ] {
        let error = engine.drain(&with(&options, &reads), None).await;
        let error = error.unwrap_err();
        assert!(error.message().contains("127.0.0.1:"), "{error}");
        assert!(error.hint().unwrap().contains(hint), "{error}");
    }
}
