//! Percentiles: exact ones between values or at them, and the nearest that `approx_percentile` gives.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, UInt32Array};
use arrow::compute::{cast, sort_to_indices, take};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::super::numbers::lengths::{as_longs, of_lengths};
use super::super::scalar::{Inputs, Returns};
use super::super::takes::{Takes, list_of};
use super::aggregate::{AGGREGATE, Aggregate, Counts, Setup};
use super::kept::{failed, list, null, value_at};
use super::sum::are_intervals;
use crate::error::{Error, Result};

/// Aggregates that give percentiles; one for each percentage if there is an array of them.
pub(super) const TABLE: &[Aggregate] = &[
    Aggregate {
        name: "approx_percentile",
        aliases: &["percentile_approx"],
        forms: &[
            &[Takes::Any, Takes::Any],
            &[Takes::Any, Takes::Any, Takes::Any],
        ],
        returns: Returns::By(|inputs: &Inputs<'_>| Ok(of_each(inputs, nearest_type(inputs)?))),
        counts: Counts::All(&[0], nearest),
        doc: "The least value that so many of all are not greater than; here it is exact.",
        example: "SELECT approx_percentile(x, 0.5) FROM VALUES (1), (2), (9) AS t(x)",
        ..AGGREGATE
    },
    Aggregate {
        name: "median",
        forms: &[&[Takes::Number], &[Takes::Interval]],
        returns: Returns::By(|inputs: &Inputs<'_>| exact_type(inputs)),
        counts: Counts::All(&[0], |setup, rows| {
            between(
                setup,
                rows,
                &Percentages {
                    each: vec![0.5],
                    is_array: false,
                },
            )
        }),
        doc: "The middle of all values.",
        example: "SELECT median(x) FROM VALUES (1), (2), (9) AS t(x)",
        ..AGGREGATE
    },
    Aggregate {
        counts: Counts::All(&[0, 2], |setup, rows| match percentages(setup)? {
            Some(percentages) => between(setup, rows, &percentages),
            None => null(setup),
        }),
        doc: "The value at a percentage of all, between two if it must be; a third argument says how often each counts.",
        example: "SELECT percentile(x, 0.25) FROM VALUES (1), (2), (9) AS t(x)",
        ..exact("percentile")
    },
    Aggregate {
        is_ordered: true,
        counts: Counts::All(&[0], |setup, rows| match percentages(setup)? {
            Some(mut percentages) => {
                if is_descending(setup) {
                    percentages
                        .each
                        .iter_mut()
                        .for_each(|each| *each = 1.0 - *each);
                }
                between(setup, rows, &percentages)
            }
            None => null(setup),
        }),
        doc: "The value at a percentage of all, between two if it must be.",
        example: "SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY x) FROM VALUES (1), (2), (9) AS t(x)",
        ..exact("percentile_cont")
    },
    Aggregate {
        is_ordered: true,
        counts: Counts::All(&[0], at_value),
        doc: "The first value, in order, that a percentage of all comes up to.",
        example: "SELECT percentile_disc(0.25) WITHIN GROUP (ORDER BY x) FROM VALUES (1), (2), (9) AS t(x)",
        ..exact("percentile_disc")
    },
];

const fn exact(name: &'static str) -> Aggregate {
    Aggregate {
        name,
        forms: &[
            &[Takes::Number, Takes::Any],
            &[Takes::Interval, Takes::Any],
            &[Takes::Number, Takes::Any, Takes::Integral],
            &[Takes::Interval, Takes::Any, Takes::Integral],
        ],
        returns: Returns::By(|inputs: &Inputs<'_>| Ok(of_each(inputs, exact_type(inputs)?))),
        ..AGGREGATE
    }
}

fn exact_type(inputs: &Inputs<'_>) -> Result<DataType> {
    Ok(match inputs.data_type(0)? {
        intervals if are_intervals(intervals) => intervals.clone(),
        _ => DataType::Float64,
    })
}

/// Text is read as fractions.
fn nearest_type(inputs: &Inputs<'_>) -> Result<DataType> {
    Ok(match inputs.data_type(0)? {
        other if other.is_string() || other.is_null() => DataType::Float64,
        other => other.clone(),
    })
}

fn of_each(inputs: &Inputs<'_>, one: DataType) -> DataType {
    match inputs.types.get(1) {
        Some(DataType::List(_)) => list_of(one),
        _ => one,
    }
}

struct Percentages {
    each: Vec<f64>,
    is_array: bool,
}

/// None if they are NULL.
fn percentages(setup: &Setup) -> Result<Option<Percentages>> {
    let is_array = matches!(setup.types.get(1), Some(DataType::List(_)));
    let wanted = match is_array {
        true => list_of(DataType::Float64),
        false => DataType::Float64,
    };
    let each: Vec<f64> = match setup.constant(1, &wanted)? {
        None => return Ok(None),
        Some(ScalarValue::List(array)) => {
            let values = array.value(0);
            let values = values.as_primitive::<Float64Type>().iter();
            values.map(|value| value.unwrap_or(f64::NAN)).collect()
        }
        Some(ScalarValue::Float64(value)) => value.into_iter().collect(),
        Some(other) => return Err(Error::internal(format!("{other} is no percentage"))),
    };
    match each.iter().find(|each| !(0.0..=1.0).contains(*each)) {
        Some(wrong) => Err(Error::analysis(format!(
            "the percentage {wrong} is not between 0 and 1"
        ))
        .with_condition("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
        .with_hint("write 95 percent as 0.95")),
        None => Ok(Some(Percentages { each, is_array })),
    }
}

fn is_descending(setup: &Setup) -> bool {
    setup
        .orders
        .first()
        .is_some_and(|(_, options)| options.descending)
}

/// One value, or an array of them.
fn given(percentages: &Percentages, values: ArrayRef) -> Result<ScalarValue> {
    match percentages.is_array {
        true => Ok(list(values)),
        false => value_at(&values, 0),
    }
}

fn nearest(setup: &Setup, rows: &[ArrayRef]) -> Result<ScalarValue> {
    let Some(percentages) = percentages(setup)? else {
        return null(setup);
    };
    let values = argument(setup.name, rows, 0)?;
    if values.is_empty() {
        return null(setup);
    }
    let item = match &setup.returns {
        DataType::List(item) => item.data_type(),
        one => one,
    };
    let values = cast(values, item).map_err(failed)?;
    let order = sort_to_indices(&values, None, None).map_err(failed)?;
    let places = percentages.each.iter().map(|percentage| {
        let rank = (percentage * values.len() as f64).ceil() as usize;
        order.value(rank.max(1) - 1)
    });
    let places = UInt32Array::from_iter_values(places);
    given(&percentages, take(&values, &places, None).map_err(failed)?)
}

/// Values as numbers in order, and up to which place each of them reaches.
struct Places {
    values: Vec<f64>,
    ends: Vec<i64>,
}

impl Places {
    fn new(setup: &Setup, rows: &[ArrayRef]) -> Result<Self> {
        let values = argument(setup.name, rows, 0)?;
        let numbers = match are_intervals(setup.data_type(0)?) {
            true => as_longs(values)?.unary::<_, Float64Type>(|length| length as f64),
            false => {
                let numbers = cast(values, &DataType::Float64).map_err(failed)?;
                numbers.as_primitive::<Float64Type>().clone()
            }
        };
        let frequencies = rows.get(1).map(as_longs).transpose()?;
        let frequency = |row: usize| match &frequencies {
            None => 1,
            Some(frequencies) if frequencies.is_null(row) => 0,
            Some(frequencies) => frequencies.value(row),
        };
        let numbers: ArrayRef = Arc::new(numbers);
        let order = sort_to_indices(&numbers, None, None).map_err(failed)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        let mut places = Self {
            values: Vec::new(),
            ends: Vec::new(),
        };
        let mut end = 0;
        for row in order.values() {
            let row = *row as usize;
            let count = frequency(row);
            if count < 0 {
                return Err(Error::runtime(format!("the frequency {count} is negative"))
                    .with_condition("NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION")
                    .with_hint("leave such rows out: WHERE frequency > 0"));
            }
            if count > 0 {
                end += count;
                places.values.push(numbers.value(row));
                places.ends.push(end);
            }
        }
        Ok(places)
    }

    fn count(&self) -> i64 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn at(&self, place: i64) -> Result<f64> {
        let index = self.ends.partition_point(|end| *end <= place);
        let value = self.values.get(index).or(self.values.last());
        value
            .copied()
            .ok_or_else(|| Error::internal("no values have no percentiles"))
    }
}

/// Values as the aggregate gives them.
fn exactly(setup: &Setup, percentages: &Percentages, values: Vec<f64>) -> Result<ScalarValue> {
    let item = setup.data_type(0)?;
    let values: ArrayRef = match are_intervals(item) {
        true => of_lengths(values.iter().map(|value| Some(*value as i64)), item)?,
        false => Arc::new(Float64Array::from(values)),
    };
    given(percentages, values)
}

fn between(setup: &Setup, rows: &[ArrayRef], percentages: &Percentages) -> Result<ScalarValue> {
    let places = Places::new(setup, rows)?;
    if places.count() == 0 {
        return null(setup);
    }
    let values = percentages.each.iter().map(|percentage| {
        let place = (places.count() - 1) as f64 * percentage;
        let (below, above) = (place.floor(), place.ceil());
        let (low, high) = (places.at(below as i64)?, places.at(above as i64)?);
        Ok(match below == above || low == high {
            true => low,
            false => (above - place) * low + (place - below) * high,
        })
    });
    let values = values.collect::<Result<_>>()?;
    exactly(setup, percentages, values)
}

fn at_value(setup: &Setup, rows: &[ArrayRef]) -> Result<ScalarValue> {
    let Some(percentages) = percentages(setup)? else {
        return null(setup);
    };
    let places = Places::new(setup, rows)?;
    if places.count() == 0 {
        return null(setup);
    }
    let last = places.count() - 1;
    let values = percentages.each.iter().map(|percentage| {
        let place = ((percentage * places.count() as f64).ceil() as i64 - 1).clamp(0, last);
        places.at(if is_descending(setup) {
            last - place
        } else {
            place
        })
    });
    let values = values.collect::<Result<_>>()?;
    exactly(setup, &percentages, values)
}
