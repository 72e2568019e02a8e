//! `--sink`: a format of the engine's table, and for some of them where to write.

use std::str::FromStr;

use tidebook_engine::nearest;
use tidebook_engine::sinks::{SINK_FORMATS, SinkFormat, sink_format};

use super::values;
use crate::error::CellError;

/// Where a query writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// Spark's name of the format.
    pub format: String,
    /// The folder of a file sink.
    pub path: Option<String>,
}

impl FromStr for Sink {
    type Err = CellError;

    fn from_str(text: &str) -> Result<Self, CellError> {
        let (typed, target) = text.split_once(':').unwrap_or((text, ""));
        let format = sink_format(typed.trim()).map_err(|error| unknown(typed, error.into()))?;
        let name = format.name;
        match (format.needs_path, target) {
            (true, "") => Err(CellError::usage(format!(
                "sink '{name}' does not say where to write"
            ))
            .hint(format!("--sink {}", shown(format)))),
            (true, target) => Ok(Self::new(name, Some(values::path(target)))),
            (false, "") => Ok(Self::new(name, None)),
            (false, target) => Err(CellError::usage(format!(
                "sink '{name}' writes to no '{target}'"
            ))
            .hint(format!("--sink {name}"))),
        }
    }
}

impl Sink {
    fn new(format: &str, path: Option<String>) -> Self {
        Self {
            format: format.to_owned(),
            path,
        }
    }
}

/// All sinks as one types them: `memory`, `parquet:DIR`.
pub fn all() -> Vec<String> {
    SINK_FORMATS.iter().map(shown).collect()
}

fn shown(format: &SinkFormat) -> String {
    match format.needs_path {
        true => format!("{}:DIR", format.name),
        false => format.name.to_owned(),
    }
}

fn unknown(typed: &str, error: CellError) -> CellError {
    let names = SINK_FORMATS.iter().map(|format| format.name);
    match nearest(typed, names) {
        Some(near) => error.hint(format!("--sink {near}")),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinks() {
        let check = |text: &str, format: &str, path: Option<&str>| {
            let sink: Sink = text.parse().unwrap();
            let found = (sink.format.as_str(), sink.path.as_deref());
            assert_eq!(found, (format, path), "{text}");
        };
        check("memory", "memory", None);
        check("Console", "console", None);
        check("parquet:/data/out", "parquet", Some("/data/out"));
        check("json:file:///data/out", "json", Some("file:///data/out"));
    }

    #[test]
    fn mistakes_get_the_right_flag() {
        for (text, hint) in [
            ("memroy", "--sink memory"),
            ("parquet", "--sink parquet:DIR"),
            ("console:x", "--sink console"),
        ] {
            let error = text.parse::<Sink>().unwrap_err();
            assert_eq!(error.hint.as_deref(), Some(hint), "{text}");
        }
        let error = "kafka:orders".parse::<Sink>().unwrap_err();
        assert!(error.evalue.contains("no sink 'kafka'"), "{error}");
    }
}
