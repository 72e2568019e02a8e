//! Rows of a Parquet file, or of those row groups of it that begin in a byte range.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::basic::Type as PhysicalType;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::RowGroupMetaData;
use datafusion::parquet::file::reader::ChunkReader;

use super::adapt::{adapt, check_readable, spark_schema};
use crate::error::{Error, ErrorKind, Result, hint};

/// The rows that are asked for of one file.
pub(crate) struct ParquetRows {
    reader: ParquetRecordBatchReader,
    /// Where each column of the schema stands in the reader's batches, if the file has it.
    columns: Vec<Option<usize>>,
    schema: SchemaRef,
}

impl ParquetRows {
    /// The columns of `schema` of the row groups of `input` that begin in `range`, at most
    /// `batch_rows` at once. Errors do not know the file's name.
    pub(crate) fn open(
        input: impl ChunkReader + 'static,
        range: &Range<u64>,
        schema: SchemaRef,
        batch_rows: usize,
    ) -> Result<Self> {
        let metadata = metadata(&input)?;
        let (roots, columns) = columns(metadata.schema(), &schema)?;
        for (field, column) in schema.fields().iter().zip(&columns) {
            if let Some(root) = column.and_then(|column| roots.get(column)) {
                let found = metadata.schema().field(*root);
                check_readable(found, field)?;
            }
        }
        let groups = metadata.metadata().row_groups().iter().enumerate();
        let in_range = |(_, group): &(usize, &RowGroupMetaData)| range.contains(&start(group));
        let groups = groups.filter(in_range).map(|(index, _)| index).collect();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.iter().copied());
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata)
            .with_batch_size(batch_rows)
            .with_row_groups(groups)
            .with_projection(mask)
            .build()
            .map_err(corrupt)?;
        // The reader gives columns in the order of the file.
        let mut in_file = roots;
        let wanted: Vec<usize> = in_file.clone();
        in_file.sort_unstable();
        in_file.dedup();
        let place = |column: usize| in_file.binary_search(wanted.get(column)?).ok();
        Ok(Self {
            reader,
            columns: columns
                .iter()
                .map(|column| column.and_then(place))
                .collect(),
            schema,
        })
    }

    /// The next rows, if there are more.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.reader.next() else {
            return Ok(None);
        };
        let batch = batch.map_err(|error| corrupt(ParquetError::from(error)))?;
        let rows = batch.num_rows();
        let fields = self.schema.fields().iter().zip(&self.columns);
        let columns = fields.map(|(field, column)| {
            let column = column.map(|column| batch.column(column));
            adapt(column, field.data_type(), rows)
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map(Some)
            .map_err(|error| Error::internal(format!("rows of Parquet: {error}")))
    }
}

/// The columns of a file, as Spark takes them.
pub(crate) fn parquet_schema(input: &impl ChunkReader) -> Result<SchemaRef> {
    Ok(Arc::new(spark_schema(metadata(input)?.schema())))
}

/// What the footer says. Types are those of Parquet, whatever the program that wrote the file had
/// in mind, and times are in microseconds.
fn metadata(input: &impl ChunkReader) -> Result<ArrowReaderMetadata> {
    let options = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let found = ArrowReaderMetadata::load(input, options()).map_err(corrupt)?;
    let legacy = int96_roots(&found);
    if legacy.is_empty() {
        return Ok(found);
    }
    let fields = found.schema().fields().iter().enumerate();
    let fields = fields.map(|(index, field)| match legacy.contains(&index) {
        true => Arc::new(in_micros(field)),
        false => Arc::clone(field),
    });
    let schema = Arc::new(Schema::new(fields.collect::<Fields>()));
    let metadata = Arc::clone(found.metadata());
    ArrowReaderMetadata::try_new(metadata, options().with_schema(schema)).map_err(corrupt)
}

/// Columns that have Spark's own timestamps, from before it followed the standard.
fn int96_roots(metadata: &ArrowReaderMetadata) -> HashSet<usize> {
    let schema = metadata.parquet_schema();
    let leaves = 0..schema.num_columns();
    let legacy = leaves.filter(|leaf| schema.column(*leaf).physical_type() == PhysicalType::INT96);
    legacy
        .map(|leaf| schema.get_column_root_idx(leaf))
        .collect()
}

fn in_micros(field: &Field) -> Field {
    let of = |field: &Arc<Field>| Arc::new(in_micros(field));
    let data_type = match field.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(of).collect()),
        DataType::List(element) => DataType::List(of(element)),
        DataType::Map(entries, sorted) => DataType::Map(of(entries), *sorted),
        other => other.clone(),
    };
    field.clone().with_data_type(data_type)
}

/// Which columns of the file are read, and for each column wanted, which of those it is.
fn columns(file: &Schema, wanted: &Schema) -> Result<(Vec<usize>, Vec<Option<usize>>)> {
    let mut roots = Vec::new();
    let mut columns = Vec::new();
    for field in wanted.fields() {
        let root = find(file, field.name())?;
        columns.push(root.map(|root| {
            roots.push(root);
            roots.len() - 1
        }));
    }
    Ok((roots, columns))
}

/// A column by its name, or else by its name in any case.
fn find(file: &Schema, name: &str) -> Result<Option<usize>> {
    if let Ok(index) = file.index_of(name) {
        return Ok(Some(index));
    }
    let lower = name.to_lowercase();
    let names = file.fields().iter().map(|field| field.name());
    let mut found = names
        .clone()
        .enumerate()
        .filter(|(_, name)| name.to_lowercase() == lower);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some((index, _)), None) => Ok(Some(index)),
        (Some((_, first)), Some((_, second))) => Err(Error::new(
            ErrorKind::Runtime,
            format!("the columns '{first}' and '{second}' differ only in case, so '{name}' may be either"),
        )
        .with_condition("_LEGACY_ERROR_TEMP_2093")
        .with_hint("write the name as it stands in the file")),
    }
}

/// Where a row group begins in its file.
fn start(group: &RowGroupMetaData) -> u64 {
    let first = group.columns().first();
    let offset = first.map(|column| {
        let data = column.data_page_offset();
        column
            .dictionary_page_offset()
            .map_or(data, |dictionary| data.min(dictionary))
    });
    u64::try_from(offset.unwrap_or_default()).unwrap_or_default()
}

/// The file is no Parquet, or broken.
fn corrupt(error: ParquetError) -> Error {
    let error = match error {
        // What the disk or the store has said.
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(io) => return Error::io("read Parquet", *io),
            Err(source) => ParquetError::External(source),
        },
        error => error,
    };
    Error::new(
        ErrorKind::Io,
        format!("it is no Parquet file, or a broken one: {error}"),
    )
    .with_condition("FAILED_READ_FILE.NO_HINT")
    .with_hint([
        hint::say("replace the file, or leave such files out: "),
        hint::option("ignoreCorruptFiles", "true"),
        hint::say(", "),
        hint::option("pathGlobFilter", "*.parquet"),
    ])
    .with_source(error)
}
