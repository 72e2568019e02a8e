//! Formats of records of text, mostly a line each, and what their readers have in common.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};

use super::csv::{CSV_OPTIONS, CSV_OPTIONS_ABSENT, CsvDecoder, CsvOptions, CsvSchemaInference};
use super::json::{JSON_OPTIONS, JSON_OPTIONS_ABSENT, JsonDecoder, JsonOptions, SchemaInference};
use super::record_end::{RECORD_FILE_OPTIONS, RecordFile, TEXT_OPTIONS};
use super::text::{TEXT_OPTIONS_ABSENT, TextDecoder, text_schema};
use crate::error::Result;
use crate::options::{OptionSpec, Options};

/// Fills batches from lines.
pub(crate) trait LineDecoder: Debug + Send {
    /// Rows read since the last flush.
    fn num_rows(&self) -> usize;

    /// How many records did not fit, so far.
    fn num_corrupt_records(&self) -> u64;

    /// The next lines are those of another file, or of another part of one; the first of a file
    /// may be special.
    fn start_part(&mut self, _is_first: bool) {}

    /// Reads one line. An error shows the line, but does not know where it stands.
    fn decode_line(&mut self, line: &[u8]) -> Result<()>;

    /// The rows read since the last flush, if any.
    fn flush(&mut self) -> Result<Option<RecordBatch>>;
}

/// Finds out the schema of files that were given none.
pub(crate) trait LineSchemaInference: Send {
    /// The next line is the first one of a file.
    fn start_file(&mut self) {}

    /// Looks at one line. Whether more lines may tell more.
    fn line(&mut self, line: &[u8]) -> bool;

    /// The schema of what was seen.
    fn finish(&mut self) -> SchemaRef;
}

/// Where the schema of files comes from that were given none.
pub(crate) enum FileSchema {
    /// All files of the format have this one.
    Known(SchemaRef),
    /// The files tell.
    Inferred(Box<dyn LineSchemaInference>),
}

/// How a file of text becomes rows.
#[derive(Debug, Clone)]
pub(crate) struct LineFormat {
    syntax: LineSyntax,
    /// How the file is cut into records.
    pub(crate) file: Arc<RecordFile>,
}

/// How a record becomes a row.
#[derive(Debug, Clone)]
enum LineSyntax {
    /// A JSON object per line.
    Json(JsonOptions),
    /// Values with separators between them.
    Csv(CsvOptions),
    /// A STRING per line.
    Text,
}

/// The options that a format has, and those that only Spark has.
pub(crate) struct LineFormatOptions {
    pub(crate) known: &'static [&'static [OptionSpec]],
    pub(crate) absent: &'static [&'static str],
}

impl LineFormat {
    /// The options of the format `name`, if it is one of text.
    pub(crate) fn options(name: &str) -> Option<LineFormatOptions> {
        let (known, absent): (&[&[OptionSpec]], &[&str]) = match name {
            "json" => (&[&JSON_OPTIONS, &RECORD_FILE_OPTIONS], &JSON_OPTIONS_ABSENT),
            "csv" => (&[&CSV_OPTIONS, &RECORD_FILE_OPTIONS], &CSV_OPTIONS_ABSENT),
            "text" => (&[&TEXT_OPTIONS], &TEXT_OPTIONS_ABSENT),
            _ => return None,
        };
        Some(LineFormatOptions { known, absent })
    }

    /// The format `name`, with checked options.
    pub(crate) fn new(name: &str, options: &Options) -> Result<Self> {
        let syntax = match name {
            "json" => LineSyntax::Json(JsonOptions::new(options)?),
            "csv" => LineSyntax::Csv(CsvOptions::new(options)?),
            _ => LineSyntax::Text,
        };
        let csv = match &syntax {
            LineSyntax::Csv(options) => Some(&options.syntax),
            _ => None,
        };
        Ok(Self {
            file: Arc::new(RecordFile::new(options, csv)?),
            syntax,
        })
    }

    /// The schema of files that were given none.
    pub(crate) fn schema(&self) -> FileSchema {
        match &self.syntax {
            LineSyntax::Json(options) => {
                FileSchema::Inferred(Box::new(SchemaInference::new(options.clone())))
            }
            LineSyntax::Csv(options) => {
                FileSchema::Inferred(Box::new(CsvSchemaInference::new(options.clone())))
            }
            LineSyntax::Text => FileSchema::Known(text_schema()),
        }
    }

    /// Refuses columns that cannot be read.
    pub(crate) fn check(&self, schema: &Schema) -> Result<()> {
        let all: Vec<usize> = (0..schema.fields().len()).collect();
        self.decoder(schema, &all, 0).map(drop)
    }

    /// A reader of the columns `projection` of `schema`; a batch will have about `rows` rows.
    pub(crate) fn decoder(
        &self,
        schema: &Schema,
        projection: &[usize],
        rows: usize,
    ) -> Result<Box<dyn LineDecoder>> {
        Ok(match &self.syntax {
            LineSyntax::Json(options) => {
                Box::new(JsonDecoder::new(options, schema, projection, rows)?)
            }
            LineSyntax::Csv(options) => {
                Box::new(CsvDecoder::new(options, schema, projection, rows)?)
            }
            LineSyntax::Text => Box::new(TextDecoder::new(schema, projection, rows)?),
        })
    }

    /// Name of the column that takes the text of a corrupt record.
    pub(crate) fn corrupt_record_column(&self) -> Option<&str> {
        match &self.syntax {
            LineSyntax::Json(options) => Some(&options.corrupt_record_column),
            LineSyntax::Csv(options) => Some(&options.corrupt_record_column),
            LineSyntax::Text => None,
        }
    }
}
