//! Records of JSON into Arrow columns, with Spark's parse modes.
//!
//! A line is a record, or an array of records; blank lines do not count. Tokens go straight into
//! the columns asked for, so what a query does not need is only skipped, and (as in Spark) not
//! looked at: a wrong value there makes no record corrupt.
//!
//! Why not arrow-json: its decoder turns `"5"` and `2.5` into the integers 5 and 2, takes commas
//! for space and a record over two lines for one, and after a mistake cannot tell which record it
//! was in. Reading every line twice to find such records costs more than reading it ourselves.
//!
//! Known differences from Spark: names and strings in single quotes are refused; after a literal
//! that is none (`tru`) the whole record counts as malformed, not just that field; a time without
//! a date is no timestamp.

mod column;
mod decimal;
mod decoder;
mod infer;
mod object;
mod options;
mod parser;
mod time;

pub use decoder::JsonDecoder;
pub use infer::SchemaInference;
pub use options::{JSON_OPTIONS, JSON_OPTIONS_ABSENT, JsonOptions, ParseMode};
pub use time::Zone;
