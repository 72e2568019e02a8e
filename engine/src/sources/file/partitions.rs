//! Columns whose values stand in the names of folders (`day=2024-05-01/h=7`), with types as Spark
//! finds them out.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, TimeUnit};

use super::listing::{Folders, Listing};
use crate::error::{Error, ErrorKind, Result, hint};
use crate::formats::csv::value_of_text;
use crate::storage::Location;

/// Digits that every value of a type can have.
const INT_DIGITS: u8 = 10;
const BIGINT_DIGITS: u8 = 20;
const MAX_PRECISION: usize = 38;

/// The columns of the folders of a table or stream.
#[derive(Debug, Clone, Default)]
pub(super) struct PartitionColumns {
    fields: Vec<FieldRef>,
}

impl PartitionColumns {
    /// Those of the files there are. If `given` names all of them, it decides their types.
    pub(super) fn discover(listing: &Listing, given: Option<&Schema>) -> Result<Self> {
        let folders = listing.folders_of_files()?;
        let names = |folders: &Folders| -> Vec<String> {
            folders.iter().map(|(name, _)| name.clone()).collect()
        };
        let all: BTreeSet<Vec<String>> = folders.iter().map(names).collect();
        let mut lists = all.into_iter().filter(|names| !names.is_empty());
        let Some(columns) = lists.next() else {
            return Ok(Self::default());
        };
        if let Some(other) = lists.next() {
            return Err(conflicting(listing, &columns, &other));
        }
        let is_partitioned = |folders: &&Folders| !folders.is_empty();
        let folders: Vec<&Folders> = folders.iter().filter(is_partitioned).collect();
        let named = |name: &String| {
            let fields = given?.fields().iter();
            let mut same = fields.filter(|field| field.name().eq_ignore_ascii_case(name));
            same.next().cloned()
        };
        let given: Option<Vec<FieldRef>> = columns.iter().map(named).collect();
        let fields = given.unwrap_or_else(|| {
            let field = |(index, name): (usize, &String)| {
                let values = folders
                    .iter()
                    .filter_map(|folders| folders.get(index)?.1.as_deref());
                Arc::new(Field::new(name, inferred(values), true))
            };
            columns.iter().enumerate().map(field).collect()
        });
        Ok(Self { fields })
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The columns of a schema that are in the files.
    pub(super) fn without(&self, schema: &Schema) -> Schema {
        let in_folders = |field: &&FieldRef| {
            let mut fields = self.fields.iter();
            fields.any(|own| own.name().eq_ignore_ascii_case(field.name()))
        };
        let fields = schema.fields().iter().filter(|field| !in_folders(field));
        Schema::new(fields.cloned().collect::<Vec<_>>())
    }

    /// The columns of files, and these behind them.
    pub(super) fn behind(&self, in_files: &Schema) -> Schema {
        let fields = in_files.fields().iter().chain(&self.fields);
        Schema::new(fields.cloned().collect::<Vec<_>>())
    }

    /// The values of a file, each an array of one; NULLs if its folders are not such.
    pub(super) fn values(
        &self,
        listing: &Listing,
        file: &Location,
    ) -> Result<Option<Vec<ArrayRef>>> {
        let folders = listing.folders(file);
        if folders.is_empty() {
            return Ok(None);
        }
        let value = |field: &FieldRef| {
            let mut same = folders
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case(field.name()));
            let text = same.next().and_then(|(_, value)| value.as_deref());
            let Some(text) = text else {
                return Ok(new_null_array(field.data_type(), 1));
            };
            value_of_text(field, text)?.ok_or_else(|| misfit(field, text, file))
        };
        self.fields
            .iter()
            .map(value)
            .collect::<Result<_>>()
            .map(Some)
    }

    /// The values of a file that is in no such folder.
    pub(super) fn nulls(&self) -> Vec<ArrayRef> {
        let null = |field: &FieldRef| new_null_array(field.data_type(), 1);
        self.fields.iter().map(null).collect()
    }
}

fn misfit(field: &Field, text: &str, file: &Location) -> Error {
    Error::new(
        ErrorKind::Runtime,
        format!(
            "'{text}' in the path of '{file}' is no {} for column '{}'",
            crate::type_names::sql_type(field.data_type()),
            field.name()
        ),
    )
    .with_condition("CAST_INVALID_INPUT")
    .with_hint(format!("declare the column as '{} STRING'", field.name()))
}

fn conflicting(listing: &Listing, left: &[String], right: &[String]) -> Error {
    Error::analysis(format!(
        "the folders in '{}' have different columns: {} and {}",
        listing.root(),
        left.join(", "),
        right.join(", ")
    ))
    .with_condition("CONFLICTING_PARTITION_COLUMN_NAMES")
    .with_hint([
        hint::say("read them one by one, or without their columns: "),
        hint::option("recursiveFileLookup", "true"),
    ])
}

/// The type that all values have.
fn inferred<'a>(values: impl Iterator<Item = &'a str>) -> DataType {
    let mut known = None;
    for text in values {
        let kind = kind(text);
        known = Some(known.map_or(kind.clone(), |known| merged(known, kind)));
    }
    known.unwrap_or(DataType::Utf8)
}

fn kind(text: &str) -> DataType {
    let is = |data_type: DataType| {
        let field = Field::new("", data_type, true);
        matches!(value_of_text(&field, text), Ok(Some(_)))
    };
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let digits = text.trim_start_matches(['+', '-']);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if text.parse::<i32>().is_ok() {
        DataType::Int32
    } else if text.parse::<i64>().is_ok() {
        DataType::Int64
    } else if is_whole && digits.len() <= MAX_PRECISION {
        DataType::Decimal128(digits.len() as u8, 0)
    } else if is(DataType::Float64) {
        DataType::Float64
    } else if text.len() >= 8
        && text.contains('-')
        && !text.contains([' ', 'T'])
        && is(DataType::Date32)
    {
        DataType::Date32
    } else if text.contains('-') && is(timestamp.clone()) {
        timestamp
    } else {
        DataType::Utf8
    }
}

fn merged(left: DataType, right: DataType) -> DataType {
    use DataType::{Date32, Decimal128, Float64, Int32, Int64, Timestamp, Utf8};
    match (left, right) {
        (left, right) if left == right => left,
        (Int32, Int64) | (Int64, Int32) => Int64,
        (Int32, Float64) | (Float64, Int32) => Float64,
        (Int32, Decimal128(digits, _)) | (Decimal128(digits, _), Int32) => {
            Decimal128(digits.max(INT_DIGITS), 0)
        }
        (Int64, Decimal128(digits, _)) | (Decimal128(digits, _), Int64) => {
            Decimal128(digits.max(BIGINT_DIGITS), 0)
        }
        (Decimal128(left, _), Decimal128(right, _)) => Decimal128(left.max(right), 0),
        (Date32, time @ Timestamp(..)) | (time @ Timestamp(..), Date32) => time,
        _ => Utf8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_that_all_values_have() {
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        for (values, expected) in [
            (vec!["1", "02"], DataType::Int32),
            (vec!["1", "9999999999"], DataType::Int64),
            (vec!["1", "1.5"], DataType::Float64),
            (vec!["9999999999", "1.5"], DataType::Utf8),
            (
                vec!["1", "99999999999999999999"],
                DataType::Decimal128(20, 0),
            ),
            (vec!["2024-01-01", "2024-01-02"], DataType::Date32),
            (vec!["2024-01-01", "2024-01-02 10:00:00"], timestamp),
            (vec!["2024-01-01", "1"], DataType::Utf8),
            (vec!["2024-13-01"], DataType::Utf8),
            (vec!["a", "1"], DataType::Utf8),
            (vec![], DataType::Utf8),
        ] {
            assert_eq!(inferred(values.iter().copied()), expected, "{values:?}");
        }
    }
}
