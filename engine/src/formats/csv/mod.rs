//! Lines of CSV into Arrow columns, as Spark reads them.
//!
//! A line is a record: a quote that is not closed ends with its line, unless `multiLine` says that
//! records go on. Fields belong to columns by
//! their position. A record with too many or too few fields is malformed, and so is one with a
//! field that does not have the type of its column; what fits of it is read all the same.
//!
//! Why not arrow-csv, with which DataFusion reads CSV: a line with too many fields, or one field
//! of another type, fails the whole batch, where Spark gives NULL and counts the record. And its
//! tokens (csv-core's) drop every backslash inside of quotes, where Spark drops only one that
//! stands before a quote: `"C:\new"` would be read as `C:new`.
//!
//! Known difference from Spark: a time without a date is no timestamp.

mod decoder;
mod fields;
mod infer;
mod options;
mod records;
mod values;
mod writer;

pub(crate) use decoder::CsvDecoder;
pub(super) use infer::CsvSchemaInference;
pub(crate) use options::{CSV_OPTIONS, CSV_OPTIONS_ABSENT, CsvOptions, CsvSyntax};
pub(crate) use records::end_of_record;
pub(crate) use values::value_of_text;
pub(crate) use writer::{CSV_FORM_OPTIONS, CsvForm};

use arrow::datatypes::SchemaRef;

use super::line_format::LineSchemaInference;

/// The schema of one line.
pub(crate) fn schema_of_line(line: &str, options: CsvOptions) -> SchemaRef {
    let mut inference = CsvSchemaInference::new(options);
    inference.line(line.as_bytes());
    inference.finish()
}
