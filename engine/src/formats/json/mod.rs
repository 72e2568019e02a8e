//! Records of JSON into Arrow columns, with Spark's parse modes.
//!
//! A line is a record, or an array of records; blank lines do not count. Tokens go straight into
//! the columns asked for, so what a query does not need is only skipped, and (as in Spark) not
//! looked at: a wrong value there makes no record corrupt.
//!
//! Why not arrow-json: its decoder turns `"5"` and `2.5` into the integers 5 and 2, takes commas
//! for space and a record over two lines for one, and after a mistake cannot tell which record it
//! was in. Reading every line twice to find such records costs more than reading it ourselves.
//! serde_json knows none of what Spark takes for JSON although it is none (`'a'`, `NaN`), and
//! loses how a number was written, which a STRING column shows. What std, arrow, chrono and base64
//! have is theirs: numbers, columns, the calendar; but not arrow's decimals, which cut off digits
//! where Spark rounds.
//!
//! Known difference from Spark: a time without a date is no timestamp.

pub(super) mod column;
mod decoder;
mod infer;
mod object;
mod options;
pub(crate) mod parser;
mod write;

pub(crate) use decoder::JsonDecoder;
pub(super) use infer::SchemaInference;
pub(crate) use options::{JSON_OPTIONS, JSON_OPTIONS_ABSENT, JsonOptions};
pub(crate) use parser::Leniency;
pub(crate) use write::{JsonForm, text, write};

pub(crate) use super::record_options::ParseMode;

use arrow::datatypes::SchemaRef;

use super::line_format::LineSchemaInference;

/// The schema of one line.
pub(crate) fn schema_of_line(line: &str, options: JsonOptions) -> SchemaRef {
    let mut inference = SchemaInference::new(options);
    inference.line(line.as_bytes());
    inference.finish()
}
