//! The rows of files in the table of sinks.

use crate::error::{Error, Result};
use crate::formats::{CSV_SINK_OPTIONS, FileFormat};
use crate::options::Options;
use crate::output_mode::OutputMode;
use crate::sinks::{BatchRequest, BatchSink, CreatedSink, SinkFormat, SinkRequest, Target};

use super::{BatchFiles, FileSink};

/// A row of files; they differ in little.
const FILES: SinkFormat = SinkFormat {
    name: "",
    doc: "",
    output_modes: &[OutputMode::Append],
    options: &[],
    absent_options: &[
        "compression",
        "partitionBy",
        "timestampFormat",
        "dateFormat",
        "retention",
    ],
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
    ..FILES
};

/// Files of JSON lines.
pub(in crate::sinks) const JSON: SinkFormat = SinkFormat {
    name: "json",
    doc: "writes files of JSON lines to a directory, each row exactly once",
    ..FILES
};

/// Files of separated values.
pub(in crate::sinks) const CSV: SinkFormat = SinkFormat {
    name: "csv",
    doc: "writes CSV files to a directory, each row exactly once",
    options: &[&CSV_SINK_OPTIONS],
    ..FILES
};

fn create(request: SinkRequest<'_>) -> Result<CreatedSink> {
    let format = request.format;
    let options = format.checked_options(request.options)?;
    let path = path(format, &options)
        .map_err(|error| error.with_hint(format!("use --sink {}:DIR", format.name)))?;
    let files = FileFormat::new(format.name, &options)?;
    Ok(FileSink::new(path, files, &request.schema, request.durable)?.into())
}

fn create_batch(request: BatchRequest<'_>) -> Result<Box<dyn BatchSink>> {
    let format = request.format;
    let options = format.checked_options(request.options)?;
    let path = path(format, &options)?;
    let files = FileFormat::new(format.name, &options)?;
    Ok(Box::new(BatchFiles::new(path, files, request.schema)?))
}

fn path<'a>(format: &SinkFormat, options: &'a Options) -> Result<&'a str> {
    let missing = || Error::illegal_argument(format!("sink '{}' needs a path", format.name));
    options.get("path").ok_or_else(missing)
}
