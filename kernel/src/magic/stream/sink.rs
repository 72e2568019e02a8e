//! `--sink`: a format of the engine's table, and for some of them where to write.

use std::str::FromStr;

use tidebook_engine::nearest;
use tidebook_engine::options::OptionSpec;
use tidebook_engine::sinks::{SINK_FORMATS, SinkFormat, Target, sink_format};

use super::values;
use crate::error::CellError;

/// Where a query writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sink {
    /// Spark's name of the format.
    pub format: String,
    /// The folder of a file sink.
    pub path: Option<String>,
    /// The topic of a Kafka sink.
    pub topic: Option<String>,
}

impl FromStr for Sink {
    type Err = CellError;

    fn from_str(text: &str) -> Result<Self, CellError> {
        let (typed, target) = text.split_once(':').unwrap_or((text, ""));
        let format = sink_format(typed.trim()).map_err(|error| unknown(typed, error.into()))?;
        let name = format.name;
        match (format.target, target) {
            (Target::Directory, "") => Err(CellError::usage(format!(
                "sink '{name}' does not say where to write"
            ))
            .hint(format!("--sink {}", shown(format)))),
            (Target::Directory, target) => Ok(Self::new(name, Some(values::path(target)))),
            (Target::Topic, topic) => Ok(Self {
                topic: Some(topic.to_owned()).filter(|topic| !topic.is_empty()),
                ..Self::new(name, None)
            }),
            (Target::None, "") => Ok(Self::new(name, None)),
            (Target::None, target) => Err(CellError::usage(format!(
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
            topic: None,
        }
    }
}

/// All sinks as one types them: `memory`, `parquet:DIR`.
pub(crate) fn all() -> Vec<String> {
    formats().map(shown).collect()
}

/// The options of a sink that are given by `--option`.
pub(crate) fn all_options(format: &'static SinkFormat) -> Vec<&'static OptionSpec> {
    format.options.iter().copied().flatten().collect()
}

/// The sinks that need no function: those that a cell of SQL can name.
pub(crate) fn formats() -> impl Iterator<Item = &'static SinkFormat> {
    SINK_FORMATS.iter().filter(|format| !format.needs_function)
}

/// A sink as one types it.
pub(crate) fn shown(format: &SinkFormat) -> String {
    match format.target.placeholder() {
        Some(target) => format!("{}:{target}", format.name),
        None => format.name.to_owned(),
    }
}

fn unknown(typed: &str, error: CellError) -> CellError {
    let names = formats().map(|format| format.name);
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
        let error = "delta:orders".parse::<Sink>().unwrap_err();
        assert!(error.evalue.contains("no sink 'delta'"), "{error}");
    }
}
