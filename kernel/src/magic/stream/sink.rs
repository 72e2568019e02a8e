//! `--sink`: a format, and for some of them where to write.

use std::str::FromStr;

use super::values;
use crate::error::CellError;

/// Formats, and what stands behind their colon.
const FORMATS: [(&str, &str); 7] = [
    ("memory", ""),
    ("console", ""),
    ("noop", ""),
    ("parquet", "DIR"),
    ("json", "DIR"),
    ("csv", "DIR"),
    ("kafka", "TOPIC"),
];

/// Where a query writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// Spark's name of the format.
    pub format: String,
    /// The folder of a file sink.
    pub path: Option<String>,
    /// Options that follow from the text.
    pub options: Vec<(String, String)>,
}

impl FromStr for Sink {
    type Err = CellError;

    fn from_str(text: &str) -> Result<Self, CellError> {
        let (format, target) = text.split_once(':').unwrap_or((text, ""));
        let typed = format.trim().to_lowercase();
        let Some((format, wanted)) = FORMATS.into_iter().find(|(name, _)| *name == typed) else {
            return Err(unknown(format));
        };
        match (wanted, target) {
            ("", "") => Ok(Self::new(format, None, Vec::new())),
            ("", target) => Err(
                CellError::usage(format!("sink '{format}' takes no '{target}'"))
                    .hint(format!("--sink {format}")),
            ),
            (wanted, "") => Err(CellError::usage(format!(
                "sink '{format}' does not say where to write"
            ))
            .hint(format!("--sink {format}:{wanted}"))),
            ("TOPIC", topic) => {
                let options = vec![("topic".to_owned(), topic.to_owned())];
                Ok(Self::new(format, None, options))
            }
            (_, path) => Ok(Self::new(format, Some(values::path(path)), Vec::new())),
        }
    }
}

impl Sink {
    fn new(format: &str, path: Option<String>, options: Vec<(String, String)>) -> Self {
        Self {
            format: format.to_owned(),
            path,
            options,
        }
    }
}

fn unknown(format: &str) -> CellError {
    let names = FORMATS.map(|(name, _)| name);
    let error = CellError::usage(format!("there is no sink '{format}'"));
    match values::nearest(format, names) {
        Some(near) => error.hint(format!("--sink {near}")),
        None => error.hint(format!("use one of {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinks() {
        let check = |text: &str, format: &str, path: Option<&str>| {
            let sink: Sink = text.parse().unwrap();
            assert_eq!(
                (sink.format.as_str(), sink.path.as_deref()),
                (format, path),
                "{text}"
            );
        };
        check("memory", "memory", None);
        check("Console", "console", None);
        check("parquet:/data/out", "parquet", Some("/data/out"));
        check("json:file:///data/out", "json", Some("file:///data/out"));
        let kafka: Sink = "kafka:orders".parse().unwrap();
        assert_eq!(kafka.options, [("topic".to_owned(), "orders".to_owned())]);
    }

    #[test]
    fn mistakes_get_the_right_flag() {
        for (text, hint) in [
            ("memroy", "--sink memory"),
            ("parquet", "--sink parquet:DIR"),
            ("console:x", "--sink console"),
            (
                "zzz",
                "use one of memory, console, noop, parquet, json, csv, kafka",
            ),
        ] {
            let error = text.parse::<Sink>().unwrap_err();
            assert_eq!(error.hint.as_deref(), Some(hint), "{text}");
        }
    }
}
