//! `width_bucket`: the bar of a histogram to which a value belongs.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::lengths::as_longs;
use crate::error::Result;

/// `width_bucket`.
pub(super) const TABLE: &[Scalar] = &[Scalar {
    name: "width_bucket",
    forms: &[
        &[Takes::Double, Takes::Double, Takes::Double, Takes::Long],
        &[
            Takes::Interval,
            Takes::Interval,
            Takes::Interval,
            Takes::Long,
        ],
    ],
    returns: Returns::Long,
    call: width_bucket,
    doc: "The number of the bar to which a value belongs, in a histogram of so many from one end to the other.",
    example: "SELECT width_bucket(35, 0, 100, 10)",
    ..SCALAR
}];

fn width_bucket(call: &Call<'_>) -> Result<ArrayRef> {
    let [value, low, high] = call.first()?;
    let (value, low, high) = (numbers(value)?, numbers(low)?, numbers(high)?);
    let bars = call.primitive::<Int64Type>(3)?;
    let rows = (0..call.rows).map(|row| {
        let number = |values: &ArrayRef| {
            values
                .is_valid(row)
                .then(|| values.as_primitive::<Float64Type>().value(row))
        };
        let bars = bars.is_valid(row).then(|| bars.value(row))?;
        bar(number(&value)?, number(&low)?, number(&high)?, bars)
    });
    Ok(Arc::new(rows.collect::<Int64Array>()))
}

fn numbers(values: &ArrayRef) -> Result<ArrayRef> {
    if !matches!(
        values.data_type(),
        DataType::Duration(_) | DataType::Interval(_)
    ) {
        return Ok(Arc::clone(values));
    }
    let numbers = as_longs(values)?.unary::<_, Float64Type>(|length| length as f64);
    Ok(Arc::new(numbers))
}

/// None if there is no such histogram.
fn bar(value: f64, low: f64, high: f64, bars: i64) -> Option<i64> {
    let is_histogram = bars > 0 && bars < i64::MAX && low != high;
    if !is_histogram || value.is_nan() || !low.is_finite() || !high.is_finite() {
        return None;
    }
    let (least, most) = (low.min(high), low.max(high));
    let bar = match value {
        value if value < least => 0,
        value if value >= most => bars + 1,
        value => (bars as f64 * (value - least) / (most - least)) as i64 + 1,
    };
    Some(if low > high { bars - bar + 1 } else { bar })
}
