//! Rows of a state in Spark's columns: key, value, partition_id, and before them what a change feed says.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int64Array, NullArray, RecordBatch, StringArray,
    StructArray, new_null_array,
};
use arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimestampMicrosecondType,
};

use super::checkpoint::StateOfStore;
use super::options::Reading;
use crate::error::{Error, Result};
use crate::state::{StateChange, StateRows, WINDOW_DURATION_US};

/// The columns of one store, and where they stand in its rows.
#[derive(Debug)]
pub(super) struct StateColumns {
    key: Vec<(usize, FieldRef)>,
    value: Vec<(usize, FieldRef)>,
    /// What stands in place of values where there are none.
    instead: Instead,
    changes: bool,
    /// Key, value, partition_id.
    pub(super) schema: SchemaRef,
}

/// What a row without values shows as its value.
#[derive(Debug, Clone, Copy)]
enum Instead {
    /// Nothing but that it is there.
    Dummy,
    /// When its key is forgotten.
    Expiry,
}

impl StateColumns {
    /// The columns of `store`, for what is read of it.
    pub(super) fn new(store: &StateOfStore, reading: &Reading) -> Self {
        let fields = store.reader.schema().fields();
        let keys = store.reader.key_columns();
        // As a side of a join, a row is what came in: its number among those of the key is ours.
        let shown_keys = match store.is_side {
            true => usize::try_from(store.info.num_cols_prefix_key).unwrap_or(keys),
            false => keys,
        };
        let with_places = || {
            let fields = fields.iter().enumerate();
            fields.map(|(at, field)| {
                let of_join = at < keys && store.operator_name == "symmetricHashJoin";
                (at, shown_as(field, of_join))
            })
        };
        let key = with_places().take(shown_keys.min(keys));
        let key: Vec<_> = key.filter(|(_, field)| !stands_in(field)).collect();
        let value = with_places().skip(keys);
        let value = value.filter(|(_, field)| !store.is_side || field.name() != MATCHED);
        let value = with_short_names(value.collect());
        let instead = match store.operator_name.as_str() {
            "dedupeWithinWatermark" => Instead::Expiry,
            _ => Instead::Dummy,
        };
        let changes = matches!(reading, Reading::Changes(..));
        let mut columns = Vec::new();
        if changes {
            columns.push(Field::new("batch_id", DataType::Int64, false));
            columns.push(Field::new("change_type", DataType::Utf8, false));
        }
        columns.push(struct_field(
            "key",
            key.iter().map(|(_, field)| field.clone()),
        ));
        let shown = match (value.is_empty(), instead) {
            (false, _) => value.iter().map(|(_, field)| field.clone()).collect(),
            (true, Instead::Dummy) => vec![Arc::new(Field::new("__dummy__", DataType::Null, true))],
            (true, Instead::Expiry) => {
                vec![Arc::new(Field::new(
                    "expiresAtMicros",
                    DataType::Int64,
                    true,
                ))]
            }
        };
        columns.push(struct_field("value", shown.into_iter()));
        columns.push(Field::new("partition_id", DataType::Int32, false));
        Self {
            key,
            value,
            instead,
            changes,
            schema: Arc::new(Schema::new(columns)),
        }
    }

    /// Rows of the state.
    pub(super) fn state(&self, rows: &StateRows) -> Result<RecordBatch> {
        let columns = vec![self.keys(rows)?, self.values(rows)?, partition(rows)];
        self.batch(columns)
    }

    /// What a version changed.
    pub(super) fn change(&self, change: &StateChange) -> Result<RecordBatch> {
        let rows = &change.rows;
        let (kind, values) = match change.is_removal {
            true => {
                let nothing = new_null_array(self.schema.field(3).data_type(), rows.expiry.len());
                ("delete", nothing)
            }
            false => ("update", self.values(rows)?),
        };
        let count = rows.expiry.len();
        self.batch(vec![
            Arc::new(Int64Array::from(vec![change.version - 1; count])),
            Arc::new(StringArray::from(vec![kind; count])),
            self.keys(rows)?,
            values,
            partition(rows),
        ])
    }

    fn batch(&self, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(arrow_error)
    }

    fn keys(&self, rows: &StateRows) -> Result<ArrayRef> {
        let columns = self.key.iter().map(|(at, field)| {
            let column = rows.rows.column(*at);
            match rows
                .rows
                .schema_ref()
                .field(*at)
                .metadata()
                .get(WINDOW_DURATION_US)
            {
                Some(duration) => windows(column, field, duration),
                None => Ok(Arc::clone(column)),
            }
        });
        let columns = columns.collect::<Result<_>>()?;
        self.structs(self.first_struct(), columns, rows)
    }

    fn values(&self, rows: &StateRows) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = match (self.value.is_empty(), self.instead) {
            (false, _) => {
                let columns = self.value.iter();
                columns
                    .map(|(at, _)| Arc::clone(rows.rows.column(*at)))
                    .collect()
            }
            (true, Instead::Dummy) => vec![Arc::new(NullArray::new(rows.expiry.len()))],
            (true, Instead::Expiry) => vec![Arc::new(rows.expiry.clone())],
        };
        self.structs(self.first_struct() + 1, columns, rows)
    }

    fn first_struct(&self) -> usize {
        if self.changes { 2 } else { 0 }
    }

    fn structs(&self, at: usize, columns: Vec<ArrayRef>, rows: &StateRows) -> Result<ArrayRef> {
        let DataType::Struct(fields) = self.schema.field(at).data_type() else {
            return Err(Error::internal("a key or a value is a struct"));
        };
        let count = rows.expiry.len();
        let made = StructArray::try_new_with_length(fields.clone(), columns, None, count);
        Ok(Arc::new(made.map_err(arrow_error)?))
    }
}

/// There is one partition: how a state is divided over cores is not in its files.
fn partition(rows: &StateRows) -> ArrayRef {
    Arc::new(Int32Array::from(vec![0; rows.expiry.len()]))
}

fn struct_field(name: &str, fields: impl Iterator<Item = FieldRef>) -> Field {
    Field::new(name, DataType::Struct(Fields::from_iter(fields)), true)
}

/// Whether a row of a join has had a match.
const MATCHED: &str = "matched";

/// A column under the name that Spark has for it; one of the starts of windows becomes one of windows.
fn shown_as(field: &Field, is_key_of_join: bool) -> FieldRef {
    let plain = Field::new(field.name(), field.data_type().clone(), true);
    let name = match field.name().as_str() {
        "__window_start" => "window",
        "__session_start" => "sessionStartTime",
        "__session_end" => "sessionEndTime",
        "__index" => "index",
        "__matched" => MATCHED,
        "__state" => "groupState",
        other => {
            let number = other.strip_prefix("key").filter(|_| is_key_of_join);
            let Some(number) = number else {
                let name = other.strip_prefix("__group_key_").unwrap_or(other);
                return Arc::new(plain.with_name(name));
            };
            return Arc::new(plain.with_name(format!("field{number}")));
        }
    };
    let plain = plain.with_name(name);
    Arc::new(match field.metadata().contains_key(WINDOW_DURATION_US) {
        true => {
            let bound = |name: &str| Field::new(name, field.data_type().clone(), true);
            plain.with_data_type(DataType::Struct(Fields::from(vec![
                bound("start"),
                bound("end"),
            ])))
        }
        false => plain,
    })
}

/// The windows that begin at `starts`.
fn windows(starts: &ArrayRef, field: &Field, duration_us: &str) -> Result<ArrayRef> {
    let (DataType::Struct(bounds), Some(times), Ok(duration_us)) = (
        field.data_type(),
        starts.as_primitive_opt::<TimestampMicrosecondType>(),
        duration_us.parse::<i64>(),
    ) else {
        return Ok(Arc::clone(starts));
    };
    let ends =
        times.unary::<_, TimestampMicrosecondType>(|start| start.saturating_add(duration_us));
    let ends = ends.with_data_type(starts.data_type().clone());
    let columns = vec![Arc::clone(starts), Arc::new(ends) as ArrayRef];
    let windows = StructArray::try_new(bounds.clone(), columns, starts.nulls().cloned());
    Ok(Arc::new(windows.map_err(arrow_error)?))
}

/// Whether a column only stands where a state without a key needs one.
fn stands_in(field: &Field) -> bool {
    field.name() == "__global"
}

/// What an aggregate keeps is called `sum(v)[count]`; `count` says enough where it is the only one.
fn with_short_names(columns: Vec<(usize, FieldRef)>) -> Vec<(usize, FieldRef)> {
    let short = |field: &FieldRef| {
        let name = field.name().strip_suffix(']')?.rsplit_once('[')?.1;
        Some(name.to_string())
    };
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (_, field) in &columns {
        let name = short(field).unwrap_or_else(|| field.name().clone());
        *counts.entry(name).or_default() += 1;
    }
    let named = columns.into_iter().map(|(at, field)| match short(&field) {
        Some(name) if counts.get(&name) == Some(&1) => {
            (at, Arc::new(field.as_ref().clone().with_name(name)))
        }
        _ => (at, field),
    });
    named.collect()
}

fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal(format!("state: {error}")).with_source(error)
}
