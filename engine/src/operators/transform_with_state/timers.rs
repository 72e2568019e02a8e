//! The store of timers: a row is a key and the time at which the processor is called for it, which is
//! also when the row expires, so finding the timers that fire costs nothing for those that do not.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take_arrays;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use super::super::errors::arrow_error;
use super::super::key_groups::KeyGroups;
use super::super::store_layout::{Counted, StoreLayout};
use crate::error::{Error, Result};
use crate::state::{StateShard, TableShape};

/// The store's folder; no variable's has a name with this character.
const STORE: &str = "$timers";

/// The column behind those of the key.
const TIME_COLUMN: &str = "expiry_ms";

/// Where timers are, behind the columns `keys`.
pub(super) fn layout(keys: &[Field]) -> StoreLayout {
    let mut fields = keys.to_vec();
    fields.push(Field::new(TIME_COLUMN, DataType::Int64, false));
    let shape = TableShape::many_rows_per_key(keys.len());
    // Spark does not count timers among the rows of a state.
    StoreLayout::new(Arc::new(Schema::new(fields)), shape)
        .named(STORE)
        .counting(Counted::Nothing)
}

/// Timers that fire, by group.
pub(super) struct Expired {
    /// One column per key, one row per group, in the order of the keys.
    pub(super) keys: Vec<ArrayRef>,
    /// The times of each group, the earliest first.
    pub(super) times: Vec<Vec<i64>>,
}

/// Those at or before `through_ms`.
pub(super) fn expired(store: &StateShard, through_ms: i64) -> Result<Expired> {
    let rows = store.expired(through_ms, None)?;
    let (times, keys) = split(&rows)?;
    let grouped = KeyGroups::new(store.shared_encoder()?.encode(keys)?);
    let firsts = UInt32Array::from(grouped.first_rows());
    let of_group = |rows: &[u32]| {
        let mut times: Vec<i64> = rows.iter().map(|&row| times.value(row as usize)).collect();
        times.sort_unstable();
        times
    };
    Ok(Expired {
        times: grouped.iter().map(of_group).collect(),
        keys: take_arrays(keys, &firsts, None).map_err(arrow_error)?,
    })
}

/// The timers of each of `groups` groups with these keys, the earliest first.
pub(super) fn read(store: &StateShard, keys: &[ArrayRef], groups: usize) -> Result<Vec<Vec<i64>>> {
    let held = store.sharing(&store.shared_encoder()?.encode(keys)?)?;
    let (times, _) = split(&held.rows)?;
    let mut read: Vec<Vec<i64>> = vec![Vec::new(); groups];
    for (&number, time) in held.numbers.iter().zip(times.values()) {
        if let Some(times) = read.get_mut(number as usize) {
            times.push(*time);
        }
    }
    for times in &mut read {
        times.sort_unstable();
    }
    Ok(read)
}

/// Adds timers, each of a group, to the groups with these keys.
pub(super) fn register(
    store: &mut StateShard,
    keys: &[ArrayRef],
    timers: &[(u32, i64)],
) -> Result<()> {
    let rows = rows(store, keys, timers)?;
    let encoded = store.encode(rows.columns())?;
    let expiry: Vec<Option<i64>> = timers.iter().map(|(_, time)| Some(*time)).collect();
    store.upsert(rows, encoded, Some(&expiry))
}

/// Removes timers that are there; gives how many were.
pub(super) fn delete(
    store: &mut StateShard,
    keys: &[ArrayRef],
    timers: &[(u32, i64)],
) -> Result<usize> {
    let rows = rows(store, keys, timers)?;
    store.remove(&store.encode(rows.columns())?)
}

fn rows(store: &StateShard, keys: &[ArrayRef], timers: &[(u32, i64)]) -> Result<RecordBatch> {
    let (groups, times): (Vec<u32>, Vec<i64>) = timers.iter().copied().unzip();
    let mut columns = take_arrays(keys, &UInt32Array::from(groups), None).map_err(arrow_error)?;
    columns.push(Arc::new(Int64Array::from(times)));
    RecordBatch::try_new(Arc::clone(store.schema()), columns).map_err(arrow_error)
}

/// The times of rows of the store, and their keys.
fn split(rows: &RecordBatch) -> Result<(&Int64Array, &[ArrayRef])> {
    let split = rows.columns().split_last();
    let split =
        split.and_then(|(times, keys)| Some((times.as_primitive_opt::<Int64Type>()?, keys)));
    split.ok_or_else(|| Error::internal("the state's timers have no time"))
}
