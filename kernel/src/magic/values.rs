//! Values that several magics take: durations, key=value pairs, paths.

use std::path::PathBuf;
use std::time::Duration;

use tidebook_engine::options::OptionSpec;

use crate::error::{CellError, Result};

/// A duration: `30s`, `500ms`, `1m30s`, or as Spark writes it: `10 seconds`, `1 minute 30 seconds`.
pub(crate) fn duration(text: &str) -> Result<Duration> {
    tidebook_engine::parse_any_duration(text).map_err(|_| {
        CellError::usage(format!("'{text}' is not a duration"))
            .hint("write it like 500ms, 30s, \"10 seconds\" or \"2 minutes\"")
    })
}

/// `key=value` of an `--option`.
pub(crate) fn key_value(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(
            CellError::usage(format!("'{text}' is not an option: it has no '='"))
                .hint(format!("write --option {text}=VALUE")),
        ),
    }
}

/// The value of a flag among words as typed: `--format kafka` or `--format=kafka`.
pub(crate) fn given<'a>(words: &[&'a str], flag: &str) -> Option<&'a str> {
    let mut words = words.iter();
    let mut found = None;
    while let Some(word) = words.next() {
        let Some(rest) = word
            .strip_prefix("--")
            .and_then(|word| word.strip_prefix(flag))
        else {
            continue;
        };
        match rest.strip_prefix('=') {
            Some(value) => found = Some(value),
            None if rest.is_empty() => found = words.next().copied(),
            None => {}
        }
    }
    found.map(|value| value.trim_matches(['"', '\'']))
}

/// `key=` of each option, for completion.
pub(crate) fn option_keys<'a>(options: impl IntoIterator<Item = &'a OptionSpec>) -> Vec<String> {
    let keys = options
        .into_iter()
        .map(|option| format!("{}=", option.name));
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// A path as typed, with `~/` for the home folder.
pub(crate) fn path(text: &str) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (text.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below).to_string_lossy().into_owned(),
        _ => text.to_owned(),
    }
}

/// A query or a schema as typed, without the semicolons that SQL shells want.
pub(crate) fn statement(body: &str) -> &str {
    body.trim_end_matches(|c: char| c == ';' || c.is_whitespace())
        .trim_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("30s", 30_000),
            ("500ms", 500),
            ("10 seconds", 10_000),
            ("1 minute 30 seconds", 90_000),
            ("1m30s", 90_000),
            ("0.5 hours", 1_800_000),
            ("0 seconds", 0),
            ("250 milliseconds", 250),
        ] {
            assert_eq!(duration(text).unwrap().as_millis(), millis, "{text}");
        }
        for text in ["", "10", "s", "10 lightyears", "-1s", "1 second ago"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn options() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(key_value("a=b").unwrap(), pair("a", "b"));
        assert_eq!(key_value("sep==").unwrap(), pair("sep", "="));
        assert!(
            key_value("a")
                .unwrap_err()
                .hint
                .unwrap()
                .contains("--option a=VALUE")
        );
        assert!(key_value("=b").is_err());
    }

    #[test]
    fn a_flag_among_words() {
        let words = ["clicks", "--format", "kafka", "--option", "a=b"];
        assert_eq!(given(&words, "format"), Some("kafka"));
        assert_eq!(given(&["--format=csv", "x"], "format"), Some("csv"));
        assert_eq!(given(&["--formats", "csv"], "format"), None);
    }

    #[test]
    fn statements_lose_their_semicolon() {
        assert_eq!(statement("\n SELECT 1 ;\n;\n"), "SELECT 1");
        assert_eq!(statement("SELECT ';'"), "SELECT ';'");
    }
}
