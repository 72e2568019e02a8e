//! What functions take, and Spark's implicit casts to it (ANSI mode): text where a plain value is
//! wanted, plain values where text is wanted, numbers of one kind for another, dates for times.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use super::common_type::{common_type, tightest, without_text};
use super::decimal::decimal_of;
use super::scalar::{time_type, timestamp_type};
use crate::error::{Error, Result, quoted};
use crate::type_names::sql_type;

/// What one argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Anything, as it is.
    Any,
    /// BOOLEAN.
    Boolean,
    /// INT.
    Int,
    /// BIGINT.
    Long,
    /// DOUBLE.
    Double,
    /// A number as a decimal of this precision and scale.
    DecimalOf(u8, i8),
    /// A decimal; a whole number as the decimal that holds it.
    Decimal,
    /// A whole number of any width, as it is; text as BIGINT.
    Integral,
    /// The same, and no text.
    Whole,
    /// A number of any kind, as it is; text as DOUBLE.
    Number,
    /// STRING.
    Text,
    /// BINARY.
    Binary,
    /// STRING or BINARY, as it is; other values as STRING.
    Bytes,
    /// DATE.
    Date,
    /// TIMESTAMP; also from a date.
    Timestamp,
    /// TIMESTAMP_NTZ.
    TimestampNtz,
    /// A date or a timestamp of either kind, as it is; text as TIMESTAMP.
    Time,
    /// A timestamp of either kind, as it is; a date and text as TIMESTAMP.
    AnyTimestamp,
    /// TIME, a time of the day.
    TimeOfDay,
    /// An interval of any kind.
    Interval,
    /// An array of anything.
    Array,
    /// A map.
    Map,
    /// An array whose elements have the type that all `Arrays` and `Item` arguments have together.
    Arrays,
    /// A value of that type; texts and other values have none.
    Item,
    /// As `Arrays`, if one of the types holds the values of all of them.
    TightArrays,
    /// As `Item`, if one of the types holds the values of all of them.
    TightItem,
    /// INT, which other whole numbers are cast to, and nothing else.
    Small,
    /// All arguments that are `Alike` are cast to their common type.
    Alike,
    /// The same, where text stands beside text only.
    Same,
    /// Any number of arguments from here on, none too, each as told.
    Rest(&'static Takes),
}

/// The types to which the arguments of a call are cast; an error that names the function if it cannot
/// take them.
pub(super) fn coerced(
    function: &str,
    forms: &[&[Takes]],
    given: &[DataType],
) -> Result<Vec<DataType>> {
    let of_length = forms.iter().filter_map(|form| spread(form, given.len()));
    let of_length: Vec<Vec<Takes>> = of_length.collect();
    let Some(first) = of_length.first() else {
        return Err(wrong_count(function, forms, given.len()));
    };
    // A form that takes everything as it is goes before one that casts.
    let fits = of_length.iter().filter_map(|form| cast_to(form, given));
    let fits = fits.min_by_key(|types| {
        let pairs = types.iter().zip(given);
        pairs
            .filter(|(to, from)| to != from && !from.is_null())
            .count()
    });
    fits.ok_or_else(|| wrong_types(function, first, given))
}

/// A form for so many arguments, if it is one.
fn spread(form: &[Takes], count: usize) -> Option<Vec<Takes>> {
    match form.split_last() {
        Some((Takes::Rest(each), first)) if first.len() <= count => {
            let rest = std::iter::repeat_n(**each, count - first.len());
            Some(first.iter().copied().chain(rest).collect())
        }
        _ => (form.len() == count).then(|| form.to_vec()),
    }
}

fn cast_to(form: &[Takes], given: &[DataType]) -> Option<Vec<DataType>> {
    let alike = shared(form, given, |takes, data_type| match takes {
        Takes::Alike | Takes::Same => Some(data_type.clone()),
        _ => None,
    });
    let item = shared_item(form, given);
    let is_mixed = given.iter().any(DataType::is_string)
        && !given.iter().all(|from| from.is_string() || from.is_null());
    let pairs = form.iter().zip(given);
    let types = pairs.map(|(takes, from)| match takes {
        Takes::Same if is_mixed => None,
        Takes::Alike | Takes::Same => alike.clone(),
        Takes::Item | Takes::TightItem => item.clone(),
        Takes::Arrays | Takes::TightArrays => match from {
            DataType::List(_) => Some(list_of(item.clone()?)),
            _ => None,
        },
        other => one(*other, from),
    });
    types.collect()
}

/// The type that arrays and values beside them have together.
fn shared_item(form: &[Takes], given: &[DataType]) -> Option<DataType> {
    let parts = form
        .iter()
        .zip(given)
        .filter_map(|(takes, from)| match (takes, from) {
            (Takes::Arrays | Takes::TightArrays, DataType::List(item)) => Some(item.data_type()),
            (Takes::Item | Takes::TightItem, other) => Some(other),
            _ => None,
        });
    let tight = |takes: &Takes| matches!(takes, Takes::TightArrays | Takes::TightItem);
    if form.iter().any(tight) {
        tightest(parts)
    } else if form.contains(&Takes::Item) {
        without_text(parts)
    } else {
        common_type(parts)
    }
}

/// The common type of those arguments that have a say in it.
fn shared(
    form: &[Takes],
    given: &[DataType],
    part: impl Fn(Takes, &DataType) -> Option<DataType>,
) -> Option<DataType> {
    let pairs = form.iter().zip(given);
    let parts: Vec<DataType> = pairs
        .filter_map(|(takes, from)| part(*takes, from))
        .collect();
    common_type(&parts)
}

/// `ARRAY<item>`.
pub(super) fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// `MAP<key, value>`.
pub(super) fn map_of(key: DataType, value: DataType) -> DataType {
    let pair = vec![
        Field::new("key", key, false),
        Field::new("value", value, true),
    ];
    let entries = Field::new("entries", DataType::Struct(pair.into()), false);
    DataType::Map(Arc::new(entries), false)
}

/// What a value of type `from` is cast to.
fn one(takes: Takes, from: &DataType) -> Option<DataType> {
    let is_plain = !from.is_nested();
    let is_text = from.is_string();
    let is_number = from.is_numeric();
    let is_null = from.is_null();
    let is_time = matches!(from, DataType::Date32 | DataType::Timestamp(..));
    let is_interval = matches!(from, DataType::Duration(_) | DataType::Interval(_));
    let wanted = |fits: bool, to: DataType| fits.then_some(to);
    match takes {
        Takes::Any | Takes::Alike | Takes::Same | Takes::Item | Takes::TightItem => {
            Some(from.clone())
        }
        Takes::Arrays | Takes::TightArrays => {
            wanted(matches!(from, DataType::List(_)), from.clone())
        }
        Takes::Small => wanted(from.is_integer(), DataType::Int32),
        Takes::Boolean => wanted(
            is_null || is_text || from == &DataType::Boolean,
            DataType::Boolean,
        ),
        Takes::Int => wanted(is_null || is_text || is_number, DataType::Int32),
        Takes::Long => wanted(is_null || is_text || is_number, DataType::Int64),
        Takes::Double => wanted(is_null || is_text || is_number, DataType::Float64),
        Takes::Decimal => match from {
            DataType::Float32 => Some(DataType::Decimal128(14, 7)),
            DataType::Float64 => Some(DataType::Decimal128(30, 15)),
            _ if is_null || is_text => Some(DataType::Decimal128(38, 18)),
            from => decimal_of(from),
        },
        Takes::DecimalOf(precision, scale) => wanted(
            is_null || is_text || is_number,
            DataType::Decimal128(precision, scale),
        ),
        Takes::Integral if is_null => Some(DataType::Int32),
        Takes::Integral if is_text => Some(DataType::Int64),
        Takes::Integral => wanted(from.is_integer(), from.clone()),
        Takes::Whole if is_null => Some(DataType::Int32),
        Takes::Whole => wanted(from.is_integer(), from.clone()),
        Takes::Number if is_null || is_text => Some(DataType::Float64),
        Takes::Number => wanted(is_number, from.clone()),
        Takes::Text => wanted(is_plain, DataType::Utf8),
        Takes::Binary => match from {
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                Some(DataType::Binary)
            }
            _ => wanted(is_null || is_text, DataType::Binary),
        },
        Takes::Bytes => match from {
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                Some(DataType::Binary)
            }
            _ => wanted(is_plain, DataType::Utf8),
        },
        Takes::Date => wanted(is_null || is_text || is_time, DataType::Date32),
        Takes::Timestamp => wanted(is_null || is_text || is_time, timestamp_type()),
        Takes::TimestampNtz => wanted(
            is_null || is_text || is_time,
            DataType::Timestamp(TimeUnit::Microsecond, None),
        ),
        Takes::Time if is_null || is_text => Some(timestamp_type()),
        Takes::Time => wanted(is_time, from.clone()),
        Takes::AnyTimestamp if is_null || is_text || from == &DataType::Date32 => {
            Some(timestamp_type())
        }
        Takes::AnyTimestamp => wanted(is_time, from.clone()),
        Takes::TimeOfDay => wanted(is_null || is_text || from == &time_type(), time_type()),
        Takes::Interval if is_null => Some(DataType::Duration(TimeUnit::Microsecond)),
        Takes::Interval => wanted(is_interval, from.clone()),
        Takes::Array if is_null => Some(list_of(DataType::Null)),
        Takes::Array => wanted(matches!(from, DataType::List(_)), from.clone()),
        Takes::Map if is_null => Some(map_of(DataType::Null, DataType::Null)),
        Takes::Map => wanted(matches!(from, DataType::Map(..)), from.clone()),
        Takes::Rest(each) => one(*each, from),
    }
}

/// The refusal of a call with too few or too many arguments.
fn wrong_count(function: &str, forms: &[&[Takes]], given: usize) -> Error {
    let mut counts: Vec<String> = Vec::new();
    for form in forms {
        let count = match form.split_last() {
            Some((Takes::Rest(_), first)) => format!("{} or more", first.len()),
            _ => form.len().to_string(),
        };
        if !counts.contains(&count) {
            counts.push(count);
        }
    }
    Error::analysis(format!("{function} got {given} arguments"))
        .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
        .with_parameter("functionName", quoted(function))
        .with_parameter("expectedNum", counts.join(" or "))
        .with_parameter("actualNum", given.to_string())
        .with_parameter("docroot", "https://spark.apache.org/docs/latest")
        .with_hint(format!(
            "the number of arguments of {function} is {}",
            counts.join(" or ")
        ))
}

fn wrong_types(function: &str, form: &[Takes], given: &[DataType]) -> Error {
    let pairs = form.iter().zip(given).enumerate();
    let wrong = pairs
        .clone()
        .find(|(_, (takes, from))| one(**takes, from).is_none());
    let Some((index, (takes, from))) = wrong else {
        let types: Vec<String> = given.iter().map(sql_type).collect();
        return Error::analysis(format!(
            "the arguments of {function} must have one type, but they are {}",
            types.join(", ")
        ))
        .with_condition(match form {
            [Takes::TightArrays, Takes::TightArrays] => "DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES",
            [
                Takes::Arrays | Takes::TightArrays,
                ..,
                Takes::Item | Takes::TightItem,
            ] => "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES",
            _ => "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
        })
        .with_hint("cast them: CAST(x AS type)");
    };
    Error::analysis(format!(
        "argument {} of {function} must be {}, but it is {}",
        index + 1,
        described(*takes),
        sql_type(from)
    ))
    .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
    .with_hint("cast it: CAST(x AS type)")
}

fn described(takes: Takes) -> &'static str {
    match takes {
        Takes::Any | Takes::Alike | Takes::Same | Takes::Item | Takes::TightItem => "any value",
        Takes::Small => "INT",
        Takes::Boolean => "BOOLEAN",
        Takes::Int => "INT",
        Takes::Long => "BIGINT",
        Takes::Double => "DOUBLE",
        Takes::Decimal | Takes::DecimalOf(..) => "DECIMAL",
        Takes::Integral | Takes::Whole => "a whole number",
        Takes::Number => "a number",
        Takes::Text => "STRING",
        Takes::Binary => "BINARY",
        Takes::Bytes => "STRING or BINARY",
        Takes::Date => "DATE",
        Takes::Timestamp => "TIMESTAMP",
        Takes::TimestampNtz => "TIMESTAMP_NTZ",
        Takes::Time | Takes::AnyTimestamp => "DATE or TIMESTAMP",
        Takes::TimeOfDay => "TIME",
        Takes::Interval => "an interval",
        Takes::Array | Takes::Arrays | Takes::TightArrays => "an array",
        Takes::Map => "a map",
        Takes::Rest(each) => described(*each),
    }
}
