//! `histogram_numeric`: the bars of a histogram that is as fine as it may be; whenever there is a bar
//! too many, the two that are nearest become one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StructArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Float64Type};
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::super::numbers::lengths::{as_longs, of_lengths};
use super::super::scalar::{Inputs, Returns};
use super::super::takes::{Takes, list_of};
use super::aggregate::{AGGREGATE, Aggregate, Counts, Setup};
use super::kept::{failed, list, null};
use crate::error::{Error, Result};

/// `histogram_numeric`.
pub(super) const TABLE: &[Aggregate] = &[Aggregate {
    name: "histogram_numeric",
    forms: &[
        &[Takes::Number, Takes::Int],
        &[Takes::Interval, Takes::Int],
        &[Takes::Time, Takes::Int],
    ],
    returns: Returns::By(|inputs: &Inputs<'_>| {
        Ok(list_of(DataType::Struct(bar(inputs.data_type(0)?))))
    }),
    counts: Counts::All(&[0], histogram),
    doc: "The middles and heights of so many bars.",
    example: "SELECT histogram_numeric(x, 2) FROM VALUES (1), (2), (9) AS t(x)",
    ..AGGREGATE
}];

fn bar(data_type: &DataType) -> Fields {
    let x = Field::new("x", data_type.clone(), true);
    vec![x, Field::new("y", DataType::Float64, true)].into()
}

fn histogram(setup: &Setup, rows: &[ArrayRef]) -> Result<ScalarValue> {
    let most = setup.integer(1)?.filter(|most| *most >= 2).ok_or_else(|| {
        Error::analysis("a histogram has two bars or more")
            .with_condition("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
            .with_hint("ask for 20 to 40 bars")
    })?;
    let values = argument(setup.name, rows, 0)?;
    if values.is_empty() {
        return null(setup);
    }
    let data_type = setup.data_type(0)?;
    let is_number = data_type.is_numeric();
    let values = match is_number {
        true => cast(values, &DataType::Float64).map_err(failed)?,
        false => Arc::new(longs(values)?.unary::<_, Float64Type>(|value| value as f64)),
    };
    let bars = bars(values.as_primitive::<Float64Type>().values(), most as usize);
    let middles = bars.iter().map(|(x, _)| *x);
    let middles: ArrayRef = match is_number {
        true => {
            let middles: ArrayRef = Arc::new(Float64Array::from_iter_values(middles));
            cast(&middles, data_type).map_err(failed)?
        }
        false => of_longs(middles.map(|x| Some(x as i64)), data_type)?,
    };
    let heights = Float64Array::from_iter_values(bars.iter().map(|(_, y)| *y));
    let columns: Vec<ArrayRef> = vec![middles, Arc::new(heights)];
    let values = StructArray::try_new(bar(data_type), columns, None).map_err(failed)?;
    Ok(list(Arc::new(values)))
}

fn longs(values: &ArrayRef) -> Result<arrow::array::Int64Array> {
    match values.data_type() {
        DataType::Date32 => as_longs(&cast(values, &DataType::Int32).map_err(failed)?),
        _ => as_longs(values),
    }
}

fn of_longs(values: impl Iterator<Item = Option<i64>>, data_type: &DataType) -> Result<ArrayRef> {
    match data_type {
        DataType::Date32 => {
            let days = of_lengths(values, &DataType::Int32)?;
            cast(&days, data_type).map_err(failed)
        }
        _ => of_lengths(values, data_type),
    }
}

/// Middles and heights, from the least middle on.
fn bars(values: &[f64], most: usize) -> Vec<(f64, f64)> {
    let mut bars: Vec<(f64, f64)> = Vec::new();
    for value in values {
        let place = bars.partition_point(|(x, _)| x.total_cmp(value).is_lt());
        match bars.get_mut(place) {
            Some((x, y)) if x == value => *y += 1.0,
            _ => bars.insert(place, (*value, 1.0)),
        }
        if bars.len() > most {
            let distances = bars.array_windows().map(|[(x, _), (next, _)]| next - x);
            let nearest = distances
                .enumerate()
                .min_by(|(_, one), (_, other)| one.total_cmp(other))
                .map_or(0, |(place, _)| place);
            let (other_x, other_y) = bars.remove(nearest + 1);
            if let Some((x, y)) = bars.get_mut(nearest) {
                *x = (*x * *y + other_x * other_y) / (*y + other_y);
                *y += other_y;
            }
        }
    }
    bars
}
