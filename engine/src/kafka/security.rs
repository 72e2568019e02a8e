//! TLS and SASL as Kafka's Java client is told of them, as librdkafka wants to be told.

use std::collections::BTreeMap;

use crate::error::{Error, Result, hint};

/// Replaces Java's settings of TLS and SASL among `settings`.
pub(super) fn translate(settings: &mut BTreeMap<String, String>) -> Result<()> {
    if let Some(jaas) = settings.remove("sasl.jaas.config") {
        log_in(settings, &jaas)?;
    }
    if let Some(algorithm) = settings.get_mut("ssl.endpoint.identification.algorithm")
        && algorithm.trim().is_empty()
    {
        *algorithm = "none".to_string();
    }
    rename(settings, "ssl.truststore.certificates", "ssl.ca.pem");
    rename(settings, "ssl.keystore.key", "ssl.key.pem");
    rename(
        settings,
        "ssl.keystore.certificate.chain",
        "ssl.certificate.pem",
    );
    trust_store(settings)?;
    key_store(settings)
}

fn rename(settings: &mut BTreeMap<String, String>, java: &str, name: &str) {
    if let Some(value) = settings.remove(java) {
        settings.insert(name.to_string(), value);
    }
}

/// `…PlainLoginModule required username="u" password="p";`
fn log_in(settings: &mut BTreeMap<String, String>, jaas: &str) -> Result<()> {
    let module = jaas.split_whitespace().next().unwrap_or_default();
    let class = module.rsplit('.').next().unwrap_or_default();
    if !["PlainLoginModule", "ScramLoginModule"].contains(&class) {
        return Err(Error::illegal_argument(format!(
            "kafka.sasl.jaas.config names the login module '{module}', which is not supported"
        ))
        .with_hint(
            "use PlainLoginModule or ScramLoginModule, or kafka.sasl.username and kafka.sasl.password",
        ));
    }
    for field in ["username", "password"] {
        let value = jaas_value(jaas, field).ok_or_else(|| {
            Error::illegal_argument(format!("kafka.sasl.jaas.config has no {field}")).with_hint(
                "write it like: org.apache.kafka.common.security.plain.PlainLoginModule required username=\"NAME\" password=\"…\";",
            )
        })?;
        settings.insert(format!("sasl.{field}"), value);
    }
    if class == "PlainLoginModule" && !settings.contains_key("sasl.mechanism") {
        settings.insert("sasl.mechanism".to_string(), "PLAIN".to_string());
    }
    Ok(())
}

/// The value of `field="…"`, quotes and backslashes inside taken off.
fn jaas_value(jaas: &str, field: &str) -> Option<String> {
    let mut rest = jaas;
    loop {
        let at = rest.find(field)?;
        let begins_a_word = rest[..at].ends_with(char::is_whitespace);
        rest = &rest[at + field.len()..];
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            continue;
        };
        if !begins_a_word {
            continue;
        }
        let value = value.trim_start();
        return match value.strip_prefix('"') {
            Some(quoted) => Some(unquoted(quoted)),
            None => {
                let ends = |c: char| c.is_whitespace() || c == ';';
                value.split(ends).next().map(str::to_string)
            }
        };
    }
}

fn unquoted(text: &str) -> String {
    let mut value = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => value.extend(chars.next()),
            c => value.push(c),
        }
    }
    value
}

/// The certificates that are believed.
fn trust_store(settings: &mut BTreeMap<String, String>) -> Result<()> {
    let kind = settings.remove("ssl.truststore.type");
    settings.remove("ssl.truststore.password");
    let Some(location) = settings.remove("ssl.truststore.location") else {
        return Ok(());
    };
    if !is_pem(kind.as_deref(), &location) {
        return Err(Error::illegal_argument(format!(
            "the trust store '{location}' is not a PEM file, and others cannot be read"
        ))
        .with_hint([
            hint::say(format!(
                "make one of it: keytool -exportcert -rfc -keystore {location} -alias NAME -file ca.pem, then "
            )),
            hint::option("kafka.ssl.ca.location", "ca.pem"),
        ]));
    }
    settings.insert("ssl.ca.location".to_string(), location);
    Ok(())
}

/// The client's own key and certificate.
fn key_store(settings: &mut BTreeMap<String, String>) -> Result<()> {
    let kind = settings.remove("ssl.keystore.type");
    let Some(location) = settings.get("ssl.keystore.location").cloned() else {
        return Ok(());
    };
    let is_pkcs12 = match &kind {
        Some(kind) => kind.eq_ignore_ascii_case("PKCS12"),
        None => [".p12", ".pfx"].iter().any(|end| location.ends_with(end)),
    };
    if is_pkcs12 {
        return Ok(());
    }
    if !is_pem(kind.as_deref(), &location) {
        return Err(Error::illegal_argument(format!(
            "the key store '{location}' is neither PEM nor PKCS12, and others cannot be read"
        ))
        .with_hint(format!(
            "make one of it: keytool -importkeystore -srckeystore {location} -destkeystore client.p12 -deststoretype PKCS12"
        )));
    }
    settings.remove("ssl.keystore.location");
    settings.insert("ssl.key.location".to_string(), location.clone());
    settings.insert("ssl.certificate.location".to_string(), location);
    Ok(())
}

fn is_pem(kind: Option<&str>, location: &str) -> bool {
    match kind {
        Some(kind) => kind.eq_ignore_ascii_case("PEM"),
        None => [".pem", ".crt", ".cer"]
            .iter()
            .any(|end| location.ends_with(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(given: &[(&str, &str)]) -> Result<BTreeMap<String, String>> {
        let given = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let mut settings = given.collect();
        translate(&mut settings).map(|()| settings)
    }

    #[test]
    fn a_login_in_javas_words() {
        let jaas = r#"org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="a\"b\\;c";"#;
        let settings = translated(&[("sasl.jaas.config", jaas)]).unwrap();
        assert_eq!(settings["sasl.username"], "ann");
        assert_eq!(settings["sasl.password"], r#"a"b\;c"#);
        let plain = "x.PlainLoginModule required password=pw username=bob;";
        let settings = translated(&[("sasl.jaas.config", plain)]).unwrap();
        assert_eq!(settings["sasl.username"], "bob");
        assert_eq!(settings["sasl.password"], "pw");
        assert_eq!(settings["sasl.mechanism"], "PLAIN");
        let kerberos = "com.sun.security.auth.module.Krb5LoginModule required;";
        let error = translated(&[("sasl.jaas.config", kerberos)]).unwrap_err();
        assert!(error.message().contains("Krb5LoginModule"), "{error}");
    }

    #[test]
    fn stores_that_can_be_read_are_passed_on() {
        let settings = translated(&[
            ("ssl.truststore.location", "/c/ca.pem"),
            ("ssl.truststore.password", "x"),
            ("ssl.keystore.location", "/c/client.p12"),
            ("ssl.keystore.password", "y"),
            ("ssl.endpoint.identification.algorithm", ""),
        ])
        .unwrap();
        let pairs: Vec<_> = settings
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("ssl.ca.location", "/c/ca.pem"),
                ("ssl.endpoint.identification.algorithm", "none"),
                ("ssl.keystore.location", "/c/client.p12"),
                ("ssl.keystore.password", "y"),
            ]
        );
        let error = translated(&[("ssl.truststore.location", "/c/trust.jks")]).unwrap_err();
        assert!(error.hint().unwrap().contains("kafka.ssl.ca.location"));
    }
}
