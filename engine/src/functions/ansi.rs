//! `spark.sql.ansi.enabled`: without it, what cannot be computed is NULL instead of an error, and whole
//! numbers that leave their range begin again at its other end.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use datafusion::common::config::{ConfigExtension, ConfigOptions};
use datafusion::common::extensions_options;

use crate::error::{Error, Result, from_datafusion};

extensions_options! {
    /// How values are computed that a query cannot have.
    pub struct Ansi {
        /// Whether they fail.
        pub enabled: bool, default = true
    }
}

impl ConfigExtension for Ansi {
    const PREFIX: &'static str = "ansi";
}

/// Sets whether what cannot be computed fails.
pub(crate) fn set_ansi(options: &mut ConfigOptions, enabled: bool) {
    options.extensions.insert(Ansi { enabled });
}

/// Whether what cannot be computed fails.
pub(crate) fn is_ansi(options: &ConfigOptions) -> bool {
    let own = options.extensions.get::<Ansi>();
    own.is_none_or(|own| own.enabled)
}

/// What was computed of all rows; if that failed, of each row by itself, and NULL for those that fail.
pub(super) fn null_where_it_fails(
    all: Result<ArrayRef>,
    rows: usize,
    returns: &DataType,
    of_row: impl Fn(usize) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    match all {
        Err(error) if is_of_mode(&error) => {}
        all => return all,
    }
    let each = (0..rows).map(|row| match of_row(row) {
        Err(error) if is_of_mode(&error) => Ok(new_null_array(returns, 1)),
        computed => computed,
    });
    let each = each.collect::<Result<Vec<ArrayRef>>>()?;
    let each: Vec<&dyn Array> = each.iter().map(AsRef::as_ref).collect();
    concat(&each).map_err(|error| from_datafusion(error.into()))
}

/// What is an error in ANSI mode only; other failures are errors in both.
const OF_MODE: &[&str] = &[
    "ARITHMETIC_OVERFLOW",
    "CANNOT_PARSE_TIMESTAMP",
    "CAST_INVALID_INPUT",
    "CAST_OVERFLOW",
    "CONVERSION_INVALID_INPUT",
    "DATETIME_FIELD_OUT_OF_BOUNDS",
    "DIVIDE_BY_ZERO",
    "ILLEGAL_DAY_OF_WEEK",
    "INVALID_ARRAY_INDEX",
    "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
    "INVALID_FRACTION_OF_SECOND",
    "INVALID_URL",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "REMAINDER_BY_ZERO",
];

fn is_of_mode(error: &Error) -> bool {
    let condition = error.condition().unwrap_or_default();
    let class = condition.split('.').next().unwrap_or_default();
    OF_MODE.contains(&class)
}
