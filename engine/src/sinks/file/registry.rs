//! The rows of files in the table of sinks.

use std::sync::Arc;

use super::FileSink;
use super::batch::BatchFiles;
use super::layout::Layout;
use crate::error::{Error, Result, hint};
use crate::formats::{
    CSV_SINK_OPTIONS, CSV_VALUE_OPTIONS, FileFormat, JSON_SINK_OPTIONS, PARQUET_SINK_OPTIONS,
    TEXT_SINK_OPTIONS,
};
use crate::interval::parse_duration;
use crate::options::{OptionMap, OptionSpec, Options};
use crate::output_mode::OutputMode;
use crate::sinks::{BatchRequest, BatchSink, CreatedSink, SinkFormat, SinkRequest, Target};
use crate::storage::{Location, is_setting};

/// Options of all files.
const FILE_OPTIONS: [OptionSpec; 3] = [
    OptionSpec {
        name: "maxRecordsPerFile",
        doc: "how many rows a file has at most; no limit by default",
    },
    OptionSpec {
        name: "retention",
        doc: "of streams: how long files stay in the log of the output, e.g. 7 days; for ever by default. The files themselves stay",
    },
    OptionSpec {
        name: "partitionOverwriteMode",
        doc: "of batch queries that overwrite: dynamic replaces only the folders that get rows; static, the default, all",
    },
];

/// A row of files; they differ in little.
const FILES: SinkFormat = SinkFormat {
    name: "",
    doc: "",
    output_modes: &[OutputMode::Append],
    options: &[],
    absent_options: &["partitionBy"],
    target: Target::Directory,
    temporary_checkpoint: false,
    forgets: false,
    needs_function: false,
    stream: create,
    batch: Some(create_batch),
};

/// Parquet files.
pub(in crate::sinks) const PARQUET: SinkFormat = SinkFormat {
    name: "parquet",
    doc: "writes Parquet files to a directory, each row exactly once",
    options: &[&FILE_OPTIONS, &PARQUET_SINK_OPTIONS],
    ..FILES
};

/// Files of JSON lines.
pub(in crate::sinks) const JSON: SinkFormat = SinkFormat {
    name: "json",
    doc: "writes files of JSON lines to a directory, each row exactly once",
    options: &[&FILE_OPTIONS, &JSON_SINK_OPTIONS],
    ..FILES
};

/// Files of separated values.
pub(in crate::sinks) const CSV: SinkFormat = SinkFormat {
    name: "csv",
    doc: "writes CSV files to a directory, each row exactly once",
    options: &[&FILE_OPTIONS, &CSV_SINK_OPTIONS, CSV_VALUE_OPTIONS],
    ..FILES
};

/// Files of lines.
pub(in crate::sinks) const TEXT: SinkFormat = SinkFormat {
    name: "text",
    doc: "writes files of lines to a directory, one for each row of the one STRING column, exactly once",
    options: &[&FILE_OPTIONS, &TEXT_SINK_OPTIONS],
    ..FILES
};

fn create(request: SinkRequest<'_>) -> Result<CreatedSink> {
    let format = request.format;
    let options = checked(format, request.options)?;
    let path = path(format, &options)
        .map_err(|error| error.with_hint([hint::say("use "), hint::sink(format.name, "DIR")]))?;
    let directory = Location::parse(path, &request.stores, request.options)?;
    let files = FileFormat::new(format.name, &options, &request.defaults)?;
    let layout = Layout::new(
        files,
        &request.schema,
        request.partition_by,
        &options,
        request.durable,
    )?;
    let retention = match options.get("retention").map(parse_duration) {
        None => None,
        Some(Ok(retention)) => {
            let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
            Some((retention, Arc::clone(&request.clock)))
        }
        Some(Err(_)) => return Err(options.invalid("retention", "a duration, e.g. 7 days")),
    };
    let mut sink = FileSink::new(directory, layout, retention)?;
    sink.log = sink.log.retaining(request.batches_to_retain);
    Ok(sink.into())
}

fn create_batch(request: BatchRequest<'_>) -> Result<Box<dyn BatchSink>> {
    let format = request.format;
    let options = checked(format, request.options)?;
    let path = path(format, &options)?;
    let directory = Location::parse(path, &request.stores, request.options)?;
    let files = FileFormat::new(format.name, &options, &request.defaults)?;
    let layout = Layout::new(files, request.schema, request.partition_by, &options, false)?;
    let name = "partitionOverwriteMode";
    let mode = options
        .get(name)
        .or(request.defaults.get(name).map(String::as_str));
    let dynamic = match mode.map(str::to_ascii_lowercase).as_deref() {
        None | Some("static") => false,
        Some("dynamic") => true,
        Some(_) => return Err(options.invalid(name, "static or dynamic")),
    };
    Ok(Box::new(BatchFiles::new(directory, layout, dynamic)))
}

/// The options of the format; what opens a store is none of them.
fn checked(format: &SinkFormat, given: &OptionMap) -> Result<Options> {
    let mut given = given.clone();
    given.retain(|name, _| !is_setting(name));
    format.checked_options(&given)
}

fn path<'a>(format: &SinkFormat, options: &'a Options) -> Result<&'a str> {
    let missing = || Error::illegal_argument(format!("sink '{}' needs a path", format.name));
    options.get("path").ok_or_else(missing)
}
