//! The table of sinks: their names, modes and options, and how to make one.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::options::{OptionMap, OptionSpec, Options};
use crate::output_mode::OutputMode;
use crate::sinks::console::{CONSOLE_OPTIONS, ConsoleSink, ConsoleWriter};
use crate::sinks::file::{BatchFiles, CSV_SINK_OPTIONS, FileFormat, FileSink};
use crate::sinks::{MemorySink, MemoryTable, NoopSink, Sink};

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
pub const SINK_FORMATS: [SinkFormat; 6] = [
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
const ABSENT: [&str; 6] = ["kafka", "orc", "text", "avro", "delta", "foreachBatch"];

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
pub struct SinkRequest<'a> {
    /// The sink's name, in any case.
    pub format: &'a str,
    /// As the user gave them; the directory of a file sink is the option `path`.
    pub options: &'a OptionMap,
    /// Columns of the rows that will come.
    pub schema: SchemaRef,
    /// What the query asks for.
    pub output_mode: OutputMode,
    /// Whether a batch must survive a power cut.
    pub durable: bool,
    /// Where the console sink prints.
    pub console: ConsoleWriter,
}

/// A sink, and what can be read of it.
#[derive(Debug, Clone)]
pub struct CreatedSink {
    /// The sink.
    pub sink: Arc<dyn Sink>,
    /// The rows of a memory sink.
    pub table: Option<Arc<MemoryTable>>,
}

/// The entry of the table for `name`.
pub fn sink_format(name: &str) -> Result<&'static SinkFormat> {
    let found = SINK_FORMATS
        .iter()
        .find(|format| format.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| unknown(name))
}

/// Makes a sink. Everything that can be wrong with the request is an error now.
pub fn create_sink(request: SinkRequest<'_>) -> Result<CreatedSink> {
    let format = sink_format(request.format)?;
    check_output_mode(format, request.output_mode)?;
    let options = checked_options(format, request.options)?;
    let sink: Arc<dyn Sink> = match format.name {
        "memory" => {
            let table = Arc::new(MemoryTable::new(request.schema));
            return Ok(CreatedSink {
                sink: Arc::new(MemorySink::new(table.clone())),
                table: Some(table),
            });
        }
        "console" => Arc::new(ConsoleSink::new(&options, request.console)?),
        "noop" => Arc::new(NoopSink),
        name => {
            let path = options.get("path");
            let path =
                path.ok_or_else(|| without_path(name).with_hint(format!("use --sink {name}:DIR")))?;
            let file_format = FileFormat::new(name, &options)?;
            Arc::new(FileSink::new(
                path,
                file_format,
                &request.schema,
                request.durable,
            )?)
        }
    };
    Ok(CreatedSink { sink, table: None })
}

/// The files a batch query writes. Everything that can be wrong with the request is an error now.
pub fn create_batch_files(
    format: &str,
    options: &OptionMap,
    schema: &SchemaRef,
) -> Result<BatchFiles> {
    let format = sink_format(format)?;
    if !format.needs_path {
        return Err(Error::analysis(format!(
            "a batch query cannot be written to '{}'",
            format.name
        ))
        .with_hint("write parquet, json or csv files, or collect the rows"));
    }
    let options = checked_options(format, options)?;
    let path = options.get("path");
    let path = path.ok_or_else(|| without_path(format.name))?;
    BatchFiles::new(path, FileFormat::new(format.name, &options)?, schema)
}

fn checked_options(format: &SinkFormat, given: &OptionMap) -> Result<Options> {
    let path_option = format.needs_path.then_some(&PATH_OPTION);
    let known = format.options.iter().chain(path_option);
    let what = format!("sink '{}'", format.name);
    Options::new(what, given, known, &ABSENT_OPTIONS)
}

fn without_path(format: &str) -> Error {
    Error::illegal_argument(format!("sink '{format}' needs a path"))
}

fn check_output_mode(format: &SinkFormat, mode: OutputMode) -> Result<()> {
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

    fn create(
        format: &str,
        output_mode: OutputMode,
        given: &[(&str, &str)],
    ) -> Result<CreatedSink> {
        let options = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        create_sink(SinkRequest {
            format,
            options: &options.collect(),
            schema: schema(),
            output_mode,
            durable: false,
            console: Arc::new(|_| {}),
        })
    }

    #[test]
    fn every_sink_can_be_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        for format in SINK_FORMATS {
            let options = if format.needs_path {
                vec![("PATH", path)]
            } else {
                vec![]
            };
            let name = format.name.to_uppercase();
            let created = create(&name, format.output_modes[0], &options).unwrap();
            assert_eq!(created.table.is_some(), format.name == "memory");
        }
    }

    #[test]
    fn mistakes_are_errors_at_once() {
        use OutputMode::{Append, Complete};
        let hint = |result: Result<CreatedSink>| result.unwrap_err().hint().unwrap().to_string();
        assert_eq!(
            hint(create("memmory", Append, &[])),
            "did you mean 'memory'?"
        );
        assert!(hint(create("kafka", Append, &[])).starts_with("sinks are memory,"));
        assert_eq!(hint(create("json", Append, &[])), "use --sink json:DIR");
        assert_eq!(
            hint(create("console", Append, &[("numRow", "1")])),
            "did you mean 'numRows'?"
        );
        let error = create("parquet", Complete, &[("path", "/x")]).unwrap_err();
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
