//! Intervals as whole numbers of their smallest unit, and back.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, IntervalUnit, IntervalYearMonthType};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result, from_datafusion};

/// Whole numbers, microseconds or months.
pub(in super::super) fn as_longs(values: &ArrayRef) -> Result<Int64Array> {
    if values.data_type() == &DataType::Interval(IntervalUnit::YearMonth) {
        return Ok(values
            .as_primitive::<IntervalYearMonthType>()
            .unary(i64::from));
    }
    let longs = cast(values, &DataType::Int64).map_err(|error| from_datafusion(error.into()))?;
    Ok(longs.as_primitive::<Int64Type>().clone())
}

/// A whole number as a value of this type; None if it is out of its range.
pub(in super::super) fn of_length(
    length: i128,
    data_type: &DataType,
) -> Result<Option<ScalarValue>> {
    let Ok(long) = i64::try_from(length) else {
        return Ok(None);
    };
    Ok(match data_type {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = i32::try_from(long).ok();
            months.map(|months| ScalarValue::IntervalYearMonth(Some(months)))
        }
        DataType::Int64 => Some(ScalarValue::Int64(Some(long))),
        DataType::Duration(_) => {
            let value = ScalarValue::Int64(Some(long)).cast_to(data_type);
            Some(value.map_err(from_datafusion)?)
        }
        other => return Err(Error::internal(format!("{other} is no interval"))),
    })
}

/// Intervals of this type; what is out of range is NULL.
pub(in super::super) fn of_lengths(
    lengths: impl Iterator<Item = Option<i64>>,
    data_type: &DataType,
) -> Result<ArrayRef> {
    let lengths: Int64Array = lengths.collect();
    if data_type == &DataType::Interval(IntervalUnit::YearMonth) {
        let months =
            lengths.unary_opt::<_, IntervalYearMonthType>(|months| i32::try_from(months).ok());
        return Ok(Arc::new(months));
    }
    cast(&lengths, data_type).map_err(|error| from_datafusion(error.into()))
}
