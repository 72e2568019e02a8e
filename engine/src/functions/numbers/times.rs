//! Arithmetic of dates, times and intervals: `try_add(DATE'2024-01-31', 1)`.

use arrow::array::{Array, ArrayRef, AsArray, Datum, make_array};
use arrow::compute::kernels::numeric;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;

use super::super::arithmetic::Operation;
use super::super::scalar::timestamp_type;
use super::lengths::{as_longs, of_lengths};
use crate::error::{Error, Result, from_datafusion};

/// What the operands are cast to, if one of them is a date, a time or an interval.
pub(in super::super) fn operand_types(
    operation: Operation,
    left: &DataType,
    right: &DataType,
) -> Option<[DataType; 2]> {
    use DataType::{Date32, Duration, Int32, Timestamp};
    let sums = matches!(operation, Operation::Add | Operation::Subtract);
    let is_time = |data_type: &DataType| matches!(data_type, Date32 | Timestamp(..));
    Some(match (left, right) {
        (Date32, days) if sums && days.is_integer() => [Date32, Int32],
        (days, Date32) if operation == Operation::Add && days.is_integer() => [Int32, Date32],
        // A date has no hours.
        (Date32, Duration(TimeUnit::Microsecond)) if sums => [timestamp_type(), right.clone()],
        (time, interval) if sums && is_time(time) && is_interval(interval) => {
            [left.clone(), right.clone()]
        }
        (interval, time)
            if operation == Operation::Add && is_interval(interval) && is_time(time) =>
        {
            [left.clone(), right.clone()]
        }
        (one, other) if sums && is_interval(one) && one == other => [one.clone(), one.clone()],
        (interval, number)
            if matches!(operation, Operation::Multiply | Operation::Divide)
                && is_interval(interval)
                && (number.is_numeric() || number.is_string()) =>
        {
            [interval.clone(), DataType::Float64]
        }
        (number, interval)
            if operation == Operation::Multiply && is_interval(interval) && number.is_numeric() =>
        {
            [DataType::Float64, interval.clone()]
        }
        _ => return None,
    })
}

fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Duration(_) | DataType::Interval(_))
}

/// The type of the result for such operands: the time if there is one, else the interval.
pub(in super::super) fn result_type(left: &DataType, right: &DataType) -> DataType {
    let is_time = matches!(right, DataType::Date32 | DataType::Timestamp(..));
    match is_time || !left.is_temporal() {
        true => right.clone(),
        false => left.clone(),
    }
}

/// The result for such operands.
pub(in super::super) fn compute(
    operation: Operation,
    left: &dyn Datum,
    right: &dyn Datum,
    result_type: &DataType,
) -> Result<ArrayRef> {
    let is_number = |value: &dyn Datum| value.get().0.data_type() == &DataType::Float64;
    if is_number(left) {
        return scaled(operation, right, left, result_type);
    }
    if is_number(right) {
        return scaled(operation, left, right, result_type);
    }
    let (left, right) = (days(left, right)?, days(right, left)?);
    let (left, right) = (left.as_ref(), right.as_ref());
    let sum = match operation {
        Operation::Subtract => numeric::sub(left, right),
        _ => numeric::add(left, right),
    };
    cast_with_options(&sum.map_err(failed)?, result_type, &EXACT).map_err(failed)
}

const EXACT: CastOptions<'static> = CastOptions {
    safe: false,
    format_options: FormatOptions::new(),
};

/// A date and the days beside it as numbers; everything else as it is.
fn days(value: &dyn Datum, beside: &dyn Datum) -> Result<Box<dyn Datum>> {
    let (array, is_one) = value.get();
    let is_days = |data_type: &DataType| data_type == &DataType::Int32;
    let array = match is_days(array.data_type()) || is_days(beside.get().0.data_type()) {
        true => cast_with_options(array, &DataType::Int32, &EXACT).map_err(failed)?,
        false => make_array(array.to_data()),
    };
    Ok(match is_one {
        true => Box::new(arrow::array::Scalar::new(array)),
        false => Box::new(array),
    })
}

/// An interval times a number, or through it, to the nearest unit.
fn scaled(
    operation: Operation,
    interval: &dyn Datum,
    number: &dyn Datum,
    result_type: &DataType,
) -> Result<ArrayRef> {
    let ((intervals, one_interval), (numbers, one_number)) = (interval.get(), number.get());
    let rows = if one_interval {
        numbers.len()
    } else {
        intervals.len()
    };
    let lengths = as_longs(&make_array(intervals.to_data()))?;
    let numbers = numbers.as_primitive::<Float64Type>();
    let lengths = (0..rows).map(|row| {
        let length_row = if one_interval { 0 } else { row };
        let number_row = if one_number { 0 } else { row };
        if lengths.is_null(length_row) || numbers.is_null(number_row) {
            return Ok(None);
        }
        let (length, number) = (lengths.value(length_row) as f64, numbers.value(number_row));
        let exact = match operation {
            Operation::Divide => length / number,
            _ => length * number,
        };
        let nearest = exact.round();
        let most = match result_type {
            DataType::Interval(_) => f64::from(i32::MAX),
            _ => i64::MAX as f64,
        };
        match nearest.abs() <= most {
            true => Ok(Some(nearest as i64)),
            false => Err(
                Error::runtime("an interval is out of the range of its type")
                    .with_condition("ARITHMETIC_OVERFLOW")
                    .with_hint("use try_multiply(a, b) or try_divide(a, b) to get NULL instead"),
            ),
        }
    });
    let lengths: Vec<Option<i64>> = lengths.collect::<Result<_>>()?;
    of_lengths(lengths.into_iter(), result_type)
}

fn failed(error: ArrowError) -> Error {
    let overflows = matches!(
        error,
        ArrowError::ArithmeticOverflow(_) | ArrowError::ComputeError(_)
    );
    match overflows {
        true => Error::runtime(error.to_string())
            .with_condition("ARITHMETIC_OVERFLOW")
            .with_hint("use try_add(a, b) or try_subtract(a, b) to get NULL instead"),
        false => from_datafusion(error.into()),
    }
}
