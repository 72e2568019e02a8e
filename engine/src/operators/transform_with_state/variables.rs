//! The stores of a processor's variables: what they hold of some groups, and what becomes of that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_arrays;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::super::errors::arrow_error;
use super::super::store_layout::{Counted, StoreLayout};
use crate::error::{Error, Result};
use crate::state::{StateShard, TableShape};
use crate::user_functions::{StateChange, StateEntry, StateVariable, StateVariableKind};

/// The columns behind those of the key.
const ORDER_COLUMN: &str = "index";
const KEY_COLUMN: &str = "map_key";
const VALUE_COLUMN: &str = "value";

/// What a variable holds of one group: where each entry stands among those of its group, and the
/// entry.
pub(super) type Held = Vec<(i64, StateEntry)>;

/// What is done to the rows of one variable.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Group and order of rows that go.
    removed: BTreeSet<(u32, i64)>,
    /// Group, order and content of rows that come.
    written: BTreeMap<(u32, i64), StateEntry>,
}

/// Where a variable's rows are, behind the columns `keys`.
pub(super) fn layout(variable: &StateVariable, keys: &[Field]) -> StoreLayout {
    let mut fields = keys.to_vec();
    let shape = match variable.kind {
        StateVariableKind::Value => TableShape::one_row_per_key(keys.len()),
        StateVariableKind::List | StateVariableKind::Map => {
            fields.push(Field::new(ORDER_COLUMN, DataType::Int64, false));
            TableShape::many_rows_per_key(keys.len())
        }
    };
    if variable.kind == StateVariableKind::Map {
        fields.push(Field::new(KEY_COLUMN, DataType::Utf8, false));
    }
    fields.push(Field::new(VALUE_COLUMN, DataType::Utf8, false));
    let counted = match variable.kind {
        StateVariableKind::List => Counted::Keys,
        StateVariableKind::Value | StateVariableKind::Map => Counted::Rows,
    };
    // To Spark all variables are in one store, which is that of the timers here.
    StoreLayout::new(Arc::new(Schema::new(fields)), shape)
        .named(variable.name.clone())
        .counted_as(0)
        .counting(counted)
}

/// What the variable holds of each of `groups` groups with these keys.
pub(super) fn read(
    store: &StateShard,
    kind: StateVariableKind,
    keys: &[ArrayRef],
    groups: usize,
) -> Result<Vec<Held>> {
    let held = match kind {
        StateVariableKind::Value => store.held(&store.encode(keys)?)?,
        StateVariableKind::List | StateVariableKind::Map => {
            store.sharing(&store.shared_encoder()?.encode(keys)?)?
        }
    };
    let column = |name: &str| held.rows.column_by_name(name);
    let orders = column(ORDER_COLUMN).and_then(|orders| orders.as_primitive_opt::<Int64Type>());
    let map_keys = column(KEY_COLUMN).and_then(|keys| keys.as_string_opt::<i32>());
    let values = column(VALUE_COLUMN).and_then(|values| values.as_string_opt::<i32>());
    let values = values.ok_or_else(|| Error::internal("the state has no values"))?;
    let mut read: Vec<Held> = vec![Vec::new(); groups];
    for (row, &number) in held.numbers.iter().enumerate() {
        let entry = StateEntry {
            key: map_keys.map(|keys| keys.value(row).to_string()),
            value: values.value(row).to_string(),
        };
        if let Some(held) = read.get_mut(number as usize) {
            held.push((orders.map_or(0, |orders| orders.value(row)), entry));
        }
    }
    for held in &mut read {
        held.sort_by_key(|(order, _)| *order);
    }
    Ok(read)
}

impl Changes {
    /// Adds what a processor did to what is `held` of a group.
    pub(super) fn add(&mut self, group: u32, change: StateChange, held: &Held) -> Result<()> {
        let order_of = |entry: usize| {
            let held = held.get(entry).map(|(order, _)| *order);
            held.ok_or_else(|| Error::illegal_argument(format!("entry {entry} is not there")))
        };
        for entry in change.removed {
            self.removed.insert((group, order_of(entry)?));
        }
        let mut next = held.last().map_or(0, |(order, _)| order + 1);
        for written in change.written {
            let order = match written.replaces {
                Some(entry) => order_of(entry)?,
                None => next,
            };
            next = next.max(order + 1);
            self.written.insert((group, order), written.entry);
        }
        Ok(())
    }

    /// Does it to the store of a variable of the groups with these keys; what is written expires at
    /// `expiry_ms`. Gives how many rows were written and removed.
    pub(super) fn apply(
        self,
        store: &mut StateShard,
        kind: StateVariableKind,
        keys: &[ArrayRef],
        expiry_ms: Option<i64>,
    ) -> Result<(usize, usize)> {
        let mut removed = 0;
        if !self.removed.is_empty() {
            let gone = self.removed.iter().copied();
            let columns = key_columns(kind, keys, gone)?;
            removed = store.remove(&store.encode(&columns)?)?;
        }
        let written = self.written.len();
        if written > 0 {
            let mut columns = key_columns(kind, keys, self.written.keys().copied())?;
            let encoded = store.encode(&columns)?;
            if kind == StateVariableKind::Map {
                let map_keys = self.written.values().map(|entry| entry.key.as_deref());
                columns.push(Arc::new(map_keys.collect::<StringArray>()));
            }
            let values = self.written.values().map(|entry| &entry.value);
            columns.push(Arc::new(StringArray::from_iter_values(values)));
            let rows = RecordBatch::try_new(Arc::clone(store.schema()), columns);
            let expiry = expiry_ms.map(|expiry| vec![Some(expiry); written]);
            store.upsert(rows.map_err(arrow_error)?, encoded, expiry.as_deref())?;
        }
        Ok((written, removed))
    }
}

/// The columns by which rows of a variable are told apart, for rows of some groups.
fn key_columns(
    kind: StateVariableKind,
    keys: &[ArrayRef],
    places: impl Iterator<Item = (u32, i64)>,
) -> Result<Vec<ArrayRef>> {
    let (groups, orders): (Vec<u32>, Vec<i64>) = places.unzip();
    let mut columns = take_arrays(keys, &UInt32Array::from(groups), None).map_err(arrow_error)?;
    if kind != StateVariableKind::Value {
        columns.push(Arc::new(Int64Array::from(orders)));
    }
    Ok(columns)
}
