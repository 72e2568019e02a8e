//! The rows of some pieces of files, one piece after the other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;

use super::file_batch::{BatchFile, Piece};
use super::lines::{Lines, cannot_read, record_number};
use super::reader::{PassedOver, ReadFormat};
use crate::error::{Error, ErrorKind, Result};
use crate::formats::line_format::{LineDecoder, LineFormat};
use crate::formats::parquet::ParquetRows;
use crate::storage::InputFile;

const BATCH_ROWS: usize = 8192;

/// The columns that are asked for, some of files, some of their folders.
#[derive(Debug)]
pub(super) struct Output {
    schema: SchemaRef,
    columns: Vec<OutputColumn>,
    /// Which columns of the files are read.
    read: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
enum OutputColumn {
    /// Of those read.
    Read(usize),
    /// Of the folders.
    Folder(usize),
}

impl Output {
    /// The columns `projection` of `schema`, of which the first `in_files` are in the files.
    pub(super) fn new(schema: &Schema, in_files: usize, projection: &[usize]) -> Result<Self> {
        let mut read = Vec::new();
        let columns = projection
            .iter()
            .map(|index| match index.checked_sub(in_files) {
                Some(folder) => OutputColumn::Folder(folder),
                None => {
                    read.push(*index);
                    OutputColumn::Read(read.len() - 1)
                }
            });
        let columns = columns.collect();
        let fields = projection.iter().map(|index| {
            let field = schema.fields().get(*index).cloned();
            field.ok_or_else(|| Error::internal(format!("files have no column {index}")))
        });
        Ok(Self {
            schema: Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?)),
            columns,
            read,
        })
    }

    /// Schema of the batches.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows of a file, with the values of its folders.
    fn batch(&self, rows: RecordBatch, folders: &[ArrayRef]) -> Result<RecordBatch> {
        if self.read.len() == self.columns.len() {
            return Ok(rows);
        }
        let count = rows.num_rows();
        let columns = self.columns.iter().map(|column| match column {
            OutputColumn::Read(index) => Ok(Arc::clone(rows.column(*index))),
            OutputColumn::Folder(index) => match folders.get(*index) {
                Some(value) => repeated(value, count),
                None => {
                    let message = format!("a file has no value for folder column {index}");
                    Err(ArrowError::SchemaError(message))
                }
            },
        });
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        columns
            .collect::<Result<Vec<_>, ArrowError>>()
            .and_then(|columns| {
                RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            })
            .map_err(|error| Error::internal(format!("columns of folders: {error}")))
    }
}

/// An array of one value, so many times.
fn repeated(value: &ArrayRef, count: usize) -> Result<ArrayRef, ArrowError> {
    take(value, &UInt32Array::from_value(0, count), None)
}

/// The rows of one partition.
pub(super) struct Rows {
    pieces: std::iter::Peekable<std::vec::IntoIter<Piece>>,
    current: Option<Current>,
    /// Reads records of text.
    decoder: Option<(Box<dyn LineDecoder>, LineFormat)>,
    in_files: SchemaRef,
    output: Output,
    passed_over: PassedOver,
    /// The values of folders that the rows in the decoder have.
    folders: Option<Arc<Vec<ArrayRef>>>,
    /// How many corrupt records are in the shared count.
    reported: u64,
    num_corrupt_records: Arc<AtomicU64>,
}

/// The piece that is being read.
struct Current {
    file: Arc<BatchFile>,
    input: InputFile,
    content: Content,
}

enum Content {
    Lines(Lines),
    Parquet(Box<ParquetRows>),
}

impl Rows {
    pub(super) fn new(
        pieces: Vec<Piece>,
        format: &ReadFormat,
        in_files: &SchemaRef,
        output: Output,
        passed_over: PassedOver,
        num_corrupt_records: Arc<AtomicU64>,
    ) -> Result<Self> {
        let decoder = match format {
            ReadFormat::Lines(format) => {
                let decoder = format.decoder(in_files, &output.read, BATCH_ROWS)?;
                Some((decoder, format.clone()))
            }
            ReadFormat::Parquet { .. } => None,
        };
        let read = in_files.project(&output.read);
        let read = read.map_err(|error| Error::internal(format!("columns of files: {error}")))?;
        Ok(Self {
            pieces: pieces.into_iter().peekable(),
            current: None,
            decoder,
            in_files: Arc::new(read),
            output,
            passed_over,
            folders: None,
            reported: 0,
            num_corrupt_records,
        })
    }

    /// The next rows of Parquet.
    fn parquet(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.current.is_none() && !self.open_next()? {
                return Ok(None);
            }
            let Some(Current { file, content, .. }) = &mut self.current else {
                continue;
            };
            let Content::Parquet(rows) = content else {
                return Err(Error::internal("a file is read as what it is not"));
            };
            let found = rows.next().map_err(|error| in_file(error, file));
            match self.or_pass_over(found)? {
                Some(Some(rows)) => {
                    let folders = self.folders.as_ref();
                    let folders = folders.map_or(&[][..], |folders| folders.as_slice());
                    return self.output.batch(rows, folders).map(Some);
                }
                Some(None) => self.close()?,
                None => {}
            }
        }
    }

    /// Reads records until a batch is full, or there are no more of files in the same folders.
    fn fill(&mut self) -> Result<()> {
        loop {
            let Some((decoder, format)) = &mut self.decoder else {
                return Err(Error::internal("a file is read as what it is not"));
            };
            let filled = decoder.num_rows();
            if filled >= BATCH_ROWS {
                return Ok(());
            }
            let Some(current) = &mut self.current else {
                let next = self.pieces.peek().map(|piece| &piece.file.partition);
                let same = match (next, &self.folders) {
                    (Some(next), Some(own)) => Arc::ptr_eq(next, own),
                    _ => true,
                };
                if filled > 0 && !same || !self.open_next()? {
                    return Ok(());
                }
                continue;
            };
            let Content::Lines(lines) = &mut current.content else {
                return Err(Error::internal("a file is read as what it is not"));
            };
            let offset = lines.offset();
            let failed = |error| cannot_read(&current.file.location, error);
            let more = match lines.next() {
                Ok(Some(line)) => match decoder.decode_line(line) {
                    Ok(()) => Ok(true),
                    Err(error) => Err(located(error, current, format, offset)),
                },
                Ok(None) => Ok(false),
                Err(error) => Err(failed(error)),
            };
            if self.or_pass_over(more)? == Some(false) {
                self.close()?;
            }
        }
    }

    /// Opens the next piece; `false` if there is none.
    fn open_next(&mut self) -> Result<bool> {
        while let Some(piece) = self.pieces.next() {
            let opened = self.open(&piece);
            let missing =
                |error: &Error| error.condition() == Some("FAILED_READ_FILE.FILE_NOT_EXIST");
            let opened = match opened {
                Err(error) if self.passed_over.missing && missing(&error) => continue,
                opened => self.or_pass_over(opened)?,
            };
            if let Some(opened) = opened {
                if let Some((decoder, _)) = &mut self.decoder {
                    decoder.start_part(piece.range.start == 0);
                }
                self.folders = Some(piece.values()?);
                self.current = Some(opened);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn open(&self, piece: &Piece) -> Result<Current> {
        let file = &piece.file;
        let input = file.open()?;
        let content = match &self.decoder {
            Some((_, format)) => {
                let range = piece.range.clone();
                let lines = Lines::open(&input, file.compression, &format.file, range);
                Content::Lines(lines.map_err(|error| cannot_read(&file.location, error))?)
            }
            None => {
                let schema = Arc::clone(&self.in_files);
                let rows = ParquetRows::open(input.clone(), &piece.range, schema, BATCH_ROWS);
                Content::Parquet(Box::new(rows.map_err(|error| in_file(error, file))?))
            }
        };
        Ok(Current {
            file: Arc::clone(file),
            input,
            content,
        })
    }

    /// A piece was read to its end.
    fn close(&mut self) -> Result<()> {
        match self.current.take() {
            Some(current) => current.file.check(&current.input),
            None => Ok(()),
        }
    }

    /// Nothing, and nothing more of the file, if it is broken and broken files are passed over.
    fn or_pass_over<T>(&mut self, found: Result<T>) -> Result<Option<T>> {
        match found {
            Err(error) if self.passed_over.corrupt && is_corrupt(&error) => {
                tracing::warn!(%error, "passed over the rest of a broken file");
                self.current = None;
                Ok(None)
            }
            found => found.map(Some),
        }
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.decoder.is_none() {
            return self.parquet().transpose();
        }
        let filled = self.fill();
        let (decoder, _) = self.decoder.as_mut()?;
        let batch = filled.and_then(|()| decoder.flush());
        let corrupt = decoder.num_corrupt_records();
        let new = corrupt - std::mem::replace(&mut self.reported, corrupt);
        self.num_corrupt_records.fetch_add(new, Ordering::Relaxed);
        let folders = self
            .folders
            .as_ref()
            .map_or(&[][..], |folders| folders.as_slice());
        let batch = batch.and_then(|rows| {
            rows.map(|rows| self.output.batch(rows, folders))
                .transpose()
        });
        batch.transpose()
    }
}

/// Whether a file cannot be read for what is in it.
fn is_corrupt(error: &Error) -> bool {
    let condition = error.condition().unwrap_or_default();
    error.kind() == ErrorKind::Io && condition == "FAILED_READ_FILE.NO_HINT"
}

fn in_file(error: Error, file: &BatchFile) -> Error {
    error.context(format!("file '{}'", file.location))
}

/// Says where the record stands that an error is about.
fn located(error: Error, current: &Current, format: &LineFormat, offset: u64) -> Error {
    let file = &current.file;
    let number: io::Result<u64> =
        record_number(&current.input, file.compression, &format.file, offset);
    match number {
        Ok(line) => error.context(format!("file '{}', line {line}", file.location)),
        Err(_) => in_file(error, file),
    }
}
