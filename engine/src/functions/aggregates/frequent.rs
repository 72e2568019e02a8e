//! The values that are there most often.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, StructArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Fields};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::super::scalar::{Inputs, Returns};
use super::super::takes::{Takes, list_of};
use super::aggregate::{AGGREGATE, Aggregate, Counts, Setup};
use super::kept::{failed, list, null, value_at};
use crate::error::Result;

/// `mode` and `approx_top_k`.
pub(super) const TABLE: &[Aggregate] = &[
    Aggregate {
        name: "approx_top_k",
        forms: &[
            &[Takes::Any],
            &[Takes::Any, Takes::Int],
            &[Takes::Any, Takes::Int, Takes::Int],
        ],
        returns: Returns::By(|inputs: &Inputs<'_>| {
            Ok(list_of(DataType::Struct(item_and_count(
                inputs.data_type(0)?,
            ))))
        }),
        counts: Counts::All(&[0], most_frequent),
        doc: "The most frequent values and how often each is there; here it is exact.",
        example: "SELECT approx_top_k(x, 1) FROM VALUES (1), (2), (2) AS t(x)",
        ..AGGREGATE
    },
    Aggregate {
        name: "mode",
        forms: &[&[Takes::Any], &[Takes::Any, Takes::Boolean]],
        returns: Returns::Like(0),
        counts: Counts::All(&[0], mode),
        is_ordered: true,
        doc: "The most frequent value; the least of several if the second argument asks for it.",
        example: "SELECT mode(x) FROM VALUES (1), (2), (2) AS t(x)",
        ..AGGREGATE
    },
];

fn item_and_count(item: &DataType) -> Fields {
    let item = Field::new("item", item.clone(), true);
    vec![item, Field::new("count", DataType::Int64, false)].into()
}

/// A value that is there: its order among others, where it is first, and how often.
struct Value {
    key: OwnedRow,
    row: u32,
    count: i64,
}

/// Every value once, in the order in which they came.
fn counted(values: &ArrayRef) -> Result<Vec<Value>> {
    let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())]);
    let converter = converter.map_err(failed)?;
    let keys = converter
        .convert_columns(std::slice::from_ref(values))
        .map_err(failed)?;
    let mut places: HashMap<OwnedRow, usize> = HashMap::new();
    let mut counted: Vec<Value> = Vec::new();
    for (row, key) in keys.iter().enumerate() {
        let place = *places.entry(key.owned()).or_insert(counted.len());
        match counted.get_mut(place) {
            Some(value) => value.count += 1,
            None => counted.push(Value {
                key: key.owned(),
                row: row as u32,
                count: 1,
            }),
        }
    }
    Ok(counted)
}

fn mode(setup: &Setup, rows: &[ArrayRef]) -> Result<ScalarValue> {
    let is_least = match setup.types.len() {
        1 => !setup.orders.is_empty(),
        _ => setup.constant(1, &DataType::Boolean)? == Some(ScalarValue::Boolean(Some(true))),
    };
    let is_greatest = setup
        .orders
        .first()
        .is_some_and(|(_, options)| options.descending);
    let values = argument(setup.name, rows, 0)?;
    let best = counted(values)?.into_iter().reduce(|best, next| {
        let is_better = match next.count.cmp(&best.count) {
            std::cmp::Ordering::Equal if is_greatest => next.key > best.key,
            std::cmp::Ordering::Equal => is_least && next.key < best.key,
            order => order.is_gt(),
        };
        if is_better { next } else { best }
    });
    match best {
        Some(best) => value_at(values, best.row as usize),
        None => null(setup),
    }
}

fn most_frequent(setup: &Setup, rows: &[ArrayRef]) -> Result<ScalarValue> {
    let count = match setup.types.len() {
        1 => 5,
        _ => setup.integer(1)?.unwrap_or(5).max(0),
    };
    let rows = argument(setup.name, rows, 0)?;
    let mut values = counted(rows)?;
    values.sort_by_key(|value| -value.count);
    values.truncate(count as usize);
    let places = UInt32Array::from_iter_values(values.iter().map(|value| value.row));
    let items = take(rows, &places, None).map_err(failed)?;
    let counts = Int64Array::from_iter_values(values.iter().map(|value| value.count));
    let columns: Vec<ArrayRef> = vec![items, Arc::new(counts)];
    let values = StructArray::try_new(item_and_count(setup.data_type(0)?), columns, None);
    Ok(list(Arc::new(values.map_err(failed)?)))
}
