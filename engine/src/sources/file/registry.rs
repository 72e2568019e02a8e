//! The rows of files in the table of sources.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::source::FileStreamDefinition;
use super::table::files_table;
use super::{LISTING_OPTIONS, PARQUET_OPTIONS, PASSED_OVER_OPTIONS, STREAM_OPTIONS};
use crate::error::Result;
use crate::formats::json::JSON_OPTIONS;
use crate::formats::{CSV_OPTIONS, RECORD_FILE_OPTIONS, TEXT_OPTIONS};
use crate::sources::format::{Columns, SourceFormat, StreamRequest, TableRequest};
use crate::sources::{SourceDefinition, TableProviderRef};

/// A row of files; they differ in little.
const FILES: SourceFormat = SourceFormat {
    name: "",
    doc: "",
    options: &[],
    needs_path: true,
    columns: Columns::Given,
    stream: Some(define),
    table: Some(open),
};

/// Files of JSON lines.
pub(in crate::sources) const JSON: SourceFormat = SourceFormat {
    name: "json",
    doc: "files of JSON lines, read as they appear in a directory; .gz, .bz2, .zst and others too",
    options: &[
        &LISTING_OPTIONS,
        &PASSED_OVER_OPTIONS,
        &STREAM_OPTIONS,
        &JSON_OPTIONS,
        &RECORD_FILE_OPTIONS,
    ],
    ..FILES
};

/// Files of separated values.
pub(in crate::sources) const CSV: SourceFormat = SourceFormat {
    name: "csv",
    doc: "files of comma-separated values, read as they appear in a directory; .gz, .bz2, .zst and others too",
    options: &[
        &LISTING_OPTIONS,
        &PASSED_OVER_OPTIONS,
        &STREAM_OPTIONS,
        &CSV_OPTIONS,
        &RECORD_FILE_OPTIONS,
    ],
    ..FILES
};

/// Files of lines.
pub(in crate::sources) const TEXT: SourceFormat = SourceFormat {
    name: "text",
    doc: "files of text, a row per line, read as they appear in a directory; .gz, .bz2, .zst and others too",
    options: &[
        &LISTING_OPTIONS,
        &PASSED_OVER_OPTIONS,
        &STREAM_OPTIONS,
        &TEXT_OPTIONS,
    ],
    columns: Columns::Optional,
    ..FILES
};

/// Parquet files.
pub(in crate::sources) const PARQUET: SourceFormat = SourceFormat {
    name: "parquet",
    doc: "Parquet files, read as they appear in a directory",
    options: &[
        &LISTING_OPTIONS,
        &PASSED_OVER_OPTIONS,
        &STREAM_OPTIONS,
        &PARQUET_OPTIONS,
    ],
    columns: Columns::Optional,
    ..FILES
};

fn define(request: StreamRequest) -> Result<Arc<dyn SourceDefinition>> {
    Ok(Arc::new(FileStreamDefinition::new(request)?))
}

fn open(request: TableRequest<'_>) -> BoxFuture<'_, Result<TableProviderRef>> {
    files_table(request).boxed()
}
