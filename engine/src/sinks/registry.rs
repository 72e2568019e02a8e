//! The table of sinks: their names, modes and options, and how to make one.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::options::{OptionMap, OptionSpec, Options, nearest};
use crate::output_mode::OutputMode;
use crate::sinks::console::{CONSOLE_OPTIONS, ConsoleSink, ConsoleWriter};
use crate::sinks::file::{CSV_SINK_OPTIONS, FileFormat, FileSink};
use crate::sinks::{ForeachBatch, ForeachBatchSink, MemorySink, MemoryTable, NoopSink, Sink};

/// A kind of sink.
#[derive(Debug, Clone, Copy)]
pub struct SinkFormat {
    /// What stands behind `--sink` or in `format(…)`.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// The modes it takes.
    pub output_modes: &'static [OutputMode],
    /// Its options.
    pub options: &'static [OptionSpec],
    /// Whether it writes to a path.
    pub needs_path: bool,
}

/// All sinks.
pub const SINK_FORMATS: [SinkFormat; 7] = [
    SinkFormat {
        name: "memory",
        doc: "keeps the rows as a table with the query's name",
        output_modes: &OutputMode::ALL,
        options: &[],
        needs_path: false,
    },
    SinkFormat {
        name: "console",
        doc: "prints the first rows of every batch",
        output_modes: &OutputMode::ALL,
        options: &CONSOLE_OPTIONS,
        needs_path: false,
    },
    SinkFormat {
        name: "noop",
        doc: "reads the rows and keeps none",
        output_modes: &OutputMode::ALL,
        options: &[],
        needs_path: false,
    },
    SinkFormat {
        name: "foreachBatch",
        doc: "hands every batch to a function",
        output_modes: &OutputMode::ALL,
        options: &[OptionSpec {
            name: "callback",
            doc: "name of the function",
        }],
        needs_path: false,
    },
    SinkFormat {
        name: "parquet",
        doc: "writes Parquet files to a directory, each row exactly once",
        output_modes: &[OutputMode::Append],
        options: &[],
        needs_path: true,
    },
    SinkFormat {
        name: "json",
        doc: "writes files of JSON lines to a directory, each row exactly once",
        output_modes: &[OutputMode::Append],
        options: &[],
        needs_path: true,
    },
    SinkFormat {
        name: "csv",
        doc: "writes CSV files to a directory, each row exactly once",
        output_modes: &[OutputMode::Append],
        options: &CSV_SINK_OPTIONS,
        needs_path: true,
    },
];

/// Sinks that Spark has and this version does not.
const ABSENT: [&str; 6] = ["kafka", "orc", "text", "avro", "delta", "foreach"];

/// Options of a file sink that are Spark's, but not in this version.
const ABSENT_OPTIONS: [&str; 5] = [
    "compression",
    "partitionBy",
    "timestampFormat",
    "dateFormat",
    "retention",
];

const PATH_OPTION: OptionSpec = OptionSpec {
    name: "path",
    doc: "the directory the files are written to",
};

/// What a sink is made from.
pub struct SinkTarget<'a> {
    /// The sink's name, in any case.
    pub format: &'a str,
    /// As the user gave them; the `path` of a file sink is among them.
    pub options: OptionMap,
    /// Columns of the rows that will come.
    pub schema: SchemaRef,
    /// Whether a batch must survive a power cut.
    pub durable: bool,
    /// Where the console sink prints.
    pub console: ConsoleWriter,
    /// The functions that `foreachBatch` knows by name.
    pub foreach_batch: &'a HashMap<String, ForeachBatch>,
}

/// The entry of the table for `name`.
pub fn sink_format(name: &str) -> Result<&'static SinkFormat> {
    let found = SINK_FORMATS
        .iter()
        .find(|format| format.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| unknown(name))
}

/// Refuses an output mode that the sink does not take.
pub fn check_output_mode(format: &str, mode: OutputMode) -> Result<()> {
    let format = sink_format(format)?;
    if format.output_modes.contains(&mode) {
        return Ok(());
    }
    let accepted: Vec<_> = format
        .output_modes
        .iter()
        .map(|mode| mode.as_str())
        .collect();
    Err(Error::analysis(format!(
        "sink '{}' does not take output mode '{mode}'",
        format.name
    ))
    .with_condition("STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE")
    .with_hint(format!(
        "use --mode {}, or another sink: memory, console and noop take every mode",
        accepted.join(" or --mode ")
    )))
}

/// Refuses options that the sink does not have.
pub fn check_options(format: &str, options: &OptionMap) -> Result<()> {
    checked(sink_format(format)?, options).map(drop)
}

/// Whether the sink is of no use without a checkpoint that outlives the query.
pub fn needs_checkpoint(format: &str) -> bool {
    sink_format(format).is_ok_and(|format| format.needs_path)
}

/// Makes a sink. Everything that can be wrong with the target is an error now.
pub fn create(target: SinkTarget<'_>) -> Result<Arc<dyn Sink>> {
    let format = sink_format(target.format)?;
    let options = checked(format, &target.options)?;
    Ok(match format.name {
        "memory" => Arc::new(MemorySink::new(Arc::new(MemoryTable::new(target.schema)))),
        "console" => Arc::new(ConsoleSink::new(&options, target.console)?),
        "noop" => Arc::new(NoopSink),
        "foreachBatch" => {
            let name = options.get("callback").unwrap_or_default();
            let function = target.foreach_batch.get(name).ok_or_else(|| {
                Error::illegal_argument(format!("there is no foreachBatch function '{name}'"))
            })?;
            Arc::new(ForeachBatchSink::new(Arc::clone(function)))
        }
        name => {
            let path = options.get("path").ok_or_else(|| {
                Error::illegal_argument(format!("sink '{name}' needs a path"))
                    .with_hint(format!("use --sink {name}:DIR"))
            })?;
            let file_format = FileFormat::new(name, &options)?;
            Arc::new(FileSink::new(
                path,
                file_format,
                &target.schema,
                target.durable,
            )?)
        }
    })
}

fn checked(format: &SinkFormat, options: &OptionMap) -> Result<Options> {
    let path_option = format.needs_path.then_some(&PATH_OPTION);
    let known = format.options.iter().chain(path_option);
    Options::new(
        format!("sink '{}'", format.name),
        options,
        known,
        &ABSENT_OPTIONS,
    )
}

fn unknown(name: &str) -> Error {
    let names = || SINK_FORMATS.iter().map(|format| format.name);
    let hint = format!("sinks are {}", names().collect::<Vec<_>>().join(", "));
    let condition = "DATA_SOURCE_NOT_FOUND";
    if ABSENT
        .iter()
        .any(|absent| absent.eq_ignore_ascii_case(name))
    {
        return Error::analysis(format!("this version has no sink '{name}'"))
            .with_condition(condition)
            .with_hint(hint);
    }
    let hint = match nearest(name, names()) {
        Some(name) => format!("did you mean '{name}'?"),
        None => hint,
    };
    Error::analysis(format!("there is no sink '{name}'"))
        .with_condition(condition)
        .with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sinks::testing::schema;

    fn make(format: &str, mode: OutputMode, given: &[(&str, &str)]) -> Result<Arc<dyn Sink>> {
        check_output_mode(format, mode)?;
        let options = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        create(SinkTarget {
            format,
            options: options.collect(),
            schema: schema(),
            durable: false,
            console: Arc::new(|_| {}),
            foreach_batch: &[("f".to_string(), Arc::new(|_, _, _| Ok(())) as ForeachBatch)].into(),
        })
    }

    #[test]
    fn every_sink_can_be_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        for format in SINK_FORMATS {
            let options = match format.name {
                "foreachBatch" => vec![("callback", "f")],
                _ if format.needs_path => vec![("PATH", path)],
                _ => vec![],
            };
            make(
                &format.name.to_uppercase(),
                format.output_modes[0],
                &options,
            )
            .unwrap();
            assert_eq!(needs_checkpoint(format.name), format.needs_path);
        }
    }

    #[test]
    fn mistakes_are_errors_at_once() {
        use OutputMode::{Append, Complete};
        let hint = |result: Result<Arc<dyn Sink>>| result.unwrap_err().hint().unwrap().to_string();
        assert_eq!(hint(make("memmory", Append, &[])), "did you mean 'memory'?");
        assert!(hint(make("kafka", Append, &[])).starts_with("sinks are memory,"));
        assert_eq!(hint(make("json", Append, &[])), "use --sink json:DIR");
        assert_eq!(
            hint(make("console", Append, &[("numRow", "1")])),
            "did you mean 'numRows'?"
        );
        let error = make("parquet", Complete, &[("path", "/x")]).unwrap_err();
        assert_eq!(
            error.condition(),
            Some("STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE")
        );
        assert!(
            error.hint().unwrap().starts_with("use --mode append, or"),
            "{error}"
        );
    }
}
