//! `max_by` and `min_by`: the value that stands beside the greatest or least of others.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, UInt32Array, make_comparator};
use arrow::compute::{SortOptions, sort_to_indices, take};
use arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Accumulator;
use datafusion::scalar::ScalarValue;

use super::super::arguments::arguments;
use super::super::scalar::Returns;
use super::super::takes::{Takes, list_of};
use super::aggregate::{AGGREGATE, Aggregate, Counts, Setup};
use super::kept::{Finish, accumulator, failed, list, null};
use crate::error::{Error, Result, from_datafusion};

/// Both aggregates. A third argument asks for several values.
pub(super) const TABLE: &[Aggregate] = &[
    Aggregate {
        counts: Counts::Own {
            state,
            accumulator: |setup| made(setup, Ordering::Greater),
        },
        doc: "The first argument where the second is greatest; with a third, the values of so many.",
        example: "SELECT max_by(x, y) FROM VALUES ('a', 1), ('b', 2) AS t(x, y)",
        ..by("max_by")
    },
    Aggregate {
        counts: Counts::Own {
            state,
            accumulator: |setup| made(setup, Ordering::Less),
        },
        doc: "The first argument where the second is least; with a third, the values of so many.",
        example: "SELECT min_by(x, y) FROM VALUES ('a', 1), ('b', 2) AS t(x, y)",
        ..by("min_by")
    },
];

const fn by(name: &'static str) -> Aggregate {
    Aggregate {
        name,
        forms: &[
            &[Takes::Any, Takes::Any],
            &[Takes::Any, Takes::Any, Takes::Int],
        ],
        returns: Returns::By(|inputs| {
            let value = inputs.data_type(0)?.clone();
            Ok(if inputs.types.len() > 2 {
                list_of(value)
            } else {
                value
            })
        }),
        ..AGGREGATE
    }
}

fn state(setup: &Setup) -> Vec<DataType> {
    match setup.types.as_slice() {
        [value, key, _, ..] => vec![list_of(key.clone()), list_of(value.clone())],
        value_and_key => value_and_key.to_vec(),
    }
}

fn made(setup: &Setup, wanted: Ordering) -> Result<Box<dyn Accumulator>> {
    if setup.types.len() > 2 {
        let finish: Finish = match wanted {
            Ordering::Greater => |setup, rows| several(setup, rows, true),
            _ => |setup, rows| several(setup, rows, false),
        };
        return Ok(accumulator(finish, &[1, 0], setup.clone()));
    }
    let nothing = |data_type| ScalarValue::try_from(data_type).map_err(from_datafusion);
    Ok(Box::new(Extreme {
        value: nothing(setup.data_type(0)?)?,
        key: nothing(setup.data_type(1)?)?,
        wanted,
    }))
}

fn several(setup: &Setup, rows: &[ArrayRef], descending: bool) -> Result<ScalarValue> {
    let count = setup
        .integer(2)?
        .filter(|count| *count > 0)
        .ok_or_else(|| {
            Error::analysis(format!("{} gives one value or more", setup.name))
                .with_condition("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
                .with_hint("give a number from 1 to 100000")
        })?;
    let [keys, values] = arguments(setup.name, rows)?;
    if keys.is_empty() {
        return null(setup);
    }
    let options = SortOptions {
        descending,
        nulls_first: false,
    };
    let order = sort_to_indices(keys, Some(options), Some(count as usize)).map_err(failed)?;
    let order: &UInt32Array = &order;
    Ok(list(take(values, order, None).map_err(failed)?))
}

#[derive(Debug)]
struct Extreme {
    value: ScalarValue,
    /// NULL until there is one.
    key: ScalarValue,
    wanted: Ordering,
}

impl Extreme {
    /// Of keys that are the same, the last has it.
    fn update(&mut self, values: &ArrayRef, keys: &ArrayRef) -> DataFusionResult<()> {
        if keys.logical_null_count() == keys.len() {
            return Ok(());
        }
        let compare = make_comparator(keys, keys, SortOptions::default())?;
        let is_valid = |row: &usize| keys.is_valid(*row);
        let best = (0..keys.len()).filter(is_valid).reduce(|best, row| {
            match compare(best, row) == self.wanted {
                true => best,
                false => row,
            }
        });
        let Some(row) = best else {
            return Ok(());
        };
        if !self.key.is_null() {
            let known = self.key.to_array()?;
            let compare = make_comparator(&known, keys, SortOptions::default())?;
            if compare(0, row) == self.wanted {
                return Ok(());
            }
        }
        self.value = ScalarValue::try_from_array(values, row)?.compacted();
        self.key = ScalarValue::try_from_array(keys, row)?.compacted();
        Ok(())
    }
}

impl Accumulator for Extreme {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DataFusionResult<()> {
        let [values, keys] = arguments("min_by or max_by", values)?;
        self.update(values, keys)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), self.key.clone()])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size() + self.key.size()
    }
}
