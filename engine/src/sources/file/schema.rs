//! The schema of files that were given none.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use super::file_batch::FileBatch;
use super::lines::cannot_open;
use super::listing::{ListedFile, Listing};
use super::partitions::PartitionColumns;
use super::reader::{FileReader, ReadFormat};
use crate::error::{Error, ErrorKind, Result, hint};
use crate::formats::line_format::{FileSchema, LineFormat, LineSchemaInference};
use crate::formats::nullable;
use crate::formats::parquet::parquet_schema;
use crate::storage::Location;

/// The columns of the files there are.
pub(super) fn schema_of_files(reader: &FileReader, listings: &[Listing]) -> Result<SchemaRef> {
    let mut inference = match &reader.format {
        ReadFormat::Parquet { .. } => None,
        ReadFormat::Lines(format) => match format.schema() {
            FileSchema::Known(schema) => return Ok(schema),
            FileSchema::Inferred(inference) => Some((format, inference)),
        },
    };
    let files = all_files(listings)?;
    if files.is_empty() {
        let root = listings.first().map(|listing| listing.root().to_string());
        return Err(Error::analysis(format!(
            "there is no file in '{}' to tell the schema",
            root.unwrap_or_default()
        ))
        .with_condition("UNABLE_TO_INFER_SCHEMA")
        .with_hint("give the schema, or add a file first"));
    }
    match &mut inference {
        Some((format, inference)) => schema_of_records(reader, format, &files, inference.as_mut()),
        None => schema_of_parquet(reader, &files),
    }
}

/// The files there are that have something in them, with the listing that each is of: an empty
/// file has neither rows nor, if it is Parquet, a footer to read.
pub(super) fn all_files(listings: &[Listing]) -> Result<Vec<(&Listing, ListedFile)>> {
    let mut files = Vec::new();
    for listing in listings {
        let found = listing.files()?.into_iter().filter(|file| file.size > 0);
        files.extend(found.map(|file| (listing, file)));
    }
    Ok(files)
}

fn schema_of_records(
    reader: &FileReader,
    format: &LineFormat,
    files: &[(&Listing, ListedFile)],
    inference: &mut dyn LineSchemaInference,
) -> Result<SchemaRef> {
    let files = files
        .iter()
        .map(|(listing, file)| (*listing, file.url.as_str()));
    let schema = Arc::new(Schema::empty());
    let none = PartitionColumns::default();
    let batch = FileBatch::new(files, schema, &none, reader)?;
    batch.for_each_record(format, |record, is_first| {
        if is_first {
            inference.start_file();
        }
        inference.line(record)
    })?;
    Ok(inference.finish())
}

/// The files of one table are alike: the first that says something speaks for all, unless all are
/// to be asked.
fn schema_of_parquet(reader: &FileReader, files: &[(&Listing, ListedFile)]) -> Result<SchemaRef> {
    let ReadFormat::Parquet { merge_schema } = reader.format else {
        return Ok(Arc::new(Schema::empty()));
    };
    let mut found: Vec<Schema> = Vec::new();
    for (listing, file) in files {
        let location = listing.root().at(&file.url)?;
        let schema = match schema_of_file(&location) {
            Err(error) if reader.passed_over.corrupt && error.kind() == ErrorKind::Io => continue,
            schema => schema?,
        };
        if !schema.fields().is_empty() {
            found.push(nullable(&schema).as_ref().clone());
        }
        if !merge_schema && !found.is_empty() {
            break;
        }
    }
    let merged = Schema::try_merge(found).map_err(|error| {
        Error::analysis(format!(
            "the files have columns that cannot be merged: {error}"
        ))
        .with_condition("CANNOT_MERGE_SCHEMAS")
        .with_hint([
            hint::say("give the schema, or leave out "),
            hint::option("mergeSchema", "true"),
        ])
    })?;
    Ok(Arc::new(merged))
}

fn schema_of_file(location: &Location) -> Result<SchemaRef> {
    let input = location
        .open()
        .map_err(|error| cannot_open(location, error))?;
    parquet_schema(&input).map_err(|error| {
        let mut error = error.context(format!("file '{location}'"));
        if error.condition().is_some() {
            error = error.with_condition("FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER");
        }
        error
    })
}
