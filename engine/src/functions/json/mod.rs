//! JSON inside of columns: `from_json`, read like a JSON file, `to_json`, written like one, and
//! functions that look into a text.

mod from;
mod last_wins;
mod object;
mod path;
mod pretty;
mod schema;
mod to;

pub(super) use from::{check_mode, schema_argument};
pub(super) use object::fields_of_object;
pub(super) use schema::ddl;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;

use super::collections::entries::key_and_value;
use super::scalar::{Call, Scalar};
use crate::error::{Error, Result};
use crate::formats::json::{JSON_OPTIONS, JSON_OPTIONS_ABSENT, JsonOptions};
use crate::options::{OptionMap, OptionSpec, Options};
use crate::text::format_value;

/// The tables of this theme.
pub(super) static TABLES: &[&[Scalar]] = &[
    from::TABLE,
    object::TABLE,
    path::TABLE,
    schema::TABLE,
    to::TABLE,
];

/// Refuses options that are no map of texts.
pub(in crate::functions) fn check_options(options: Option<&DataType>) -> Result<()> {
    let text = |data_type: &DataType| data_type == &DataType::Utf8;
    let fits = match options.map(key_and_value) {
        None => true,
        Some(Ok((key, value))) => text(key.data_type()) && text(value.data_type()),
        Some(Err(_)) => false,
    };
    match fits {
        true => Ok(()),
        false => Err(Error::analysis("options are a map of texts")
            .with_condition("INVALID_OPTIONS.NON_STRING_TYPE")
            .with_hint("map('timestampFormat', 'dd/MM/yyyy')")),
    }
}

/// The options that an argument, a map, gives to a function; they are those of the first row.
pub(in crate::functions) fn given_options<'a>(
    call: &Call<'_>,
    index: usize,
    known: impl IntoIterator<Item = &'a OptionSpec>,
    absent: &[&str],
) -> Result<Options> {
    let mut given = OptionMap::new();
    if let Some(argument) = call.arguments.get(index)
        && matches!(argument.data_type(), DataType::Map(..))
        && call.rows > 0
        && argument.is_valid(0)
    {
        let entries = argument.as_map().value(0);
        let text = |column, row| format_value(entries.column(column), row);
        given.extend((0..entries.len()).map(|row| (text(0, row), text(1, row))));
    }
    Options::new(format!("function '{}'", call.name), &given, known, absent)
}

/// Those of readers of JSON; times without a zone are of the session's.
fn json_options(call: &Call<'_>, index: usize) -> Result<JsonOptions> {
    let given = given_options(call, index, &JSON_OPTIONS, &JSON_OPTIONS_ABSENT)?;
    let mut options = JsonOptions::new(&given)?;
    if let (None, Ok(zone)) = (given.get("timeZone"), call.zone.parse()) {
        options.times.zone = zone;
    }
    Ok(options)
}
