//! `sequence(start, stop[, step])`: numbers, dates or timestamps, `stop` included.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use chrono::{DateTime, Months};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::connect::types::TIME_ZONE;
use crate::error::{Error, ErrorKind, Result};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Spark's longest array.
const MAX_LENGTH: usize = 2_147_483_632;

/// The function.
pub(super) fn sequence() -> ScalarUDF {
    ScalarUDF::from(Sequence {
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sequence {
    signature: Signature,
}

/// From one element to the next: so many months and so many units, of numbers 1 and of times a
/// microsecond.
#[derive(Debug, Clone, Copy)]
struct Step {
    months: i64,
    units: i64,
}

impl ScalarUDFImpl for Sequence {
    fn name(&self) -> &str {
        "sequence"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let (start, stop) = match types {
            [start, stop] | [start, stop, _] => (start, stop),
            _ => {
                return Err(
                    Error::analysis("sequence needs a start, a stop and maybe a step")
                        .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
                        .into(),
                );
            }
        };
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()));
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        let is_time =
            |data_type: &DataType| matches!(data_type, DataType::Date32 | DataType::Timestamp(..));
        let (item, step) = match (start, stop) {
            (DataType::Date32, DataType::Date32) => (DataType::Date32, interval),
            (start, stop) if is_time(start) && is_time(stop) => (timestamp, interval),
            (start, stop) if start.is_integer() && stop.is_integer() => {
                let is_wide = [start, stop, types.last().unwrap_or(stop)]
                    .iter()
                    .any(|data_type| **data_type == DataType::Int64);
                let item = match is_wide {
                    true => DataType::Int64,
                    false => DataType::Int32,
                };
                (item.clone(), item)
            }
            _ => {
                let message = format!("sequence cannot go from {start} to {stop}");
                return Err(Error::analysis(message)
                    .with_condition("DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES")
                    .into());
            }
        };
        let mut coerced = vec![item.clone(), item];
        coerced.extend(types.get(2).map(|_| step));
        Ok(coerced)
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::new_list(types[0].clone(), true))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let item = arrays[0].data_type().clone();
        let (starts, stops) = (units(&arrays[0])?, units(&arrays[1])?);
        let (starts, stops) = (
            starts.as_primitive::<Int64Type>(),
            stops.as_primitive::<Int64Type>(),
        );
        let mut values: Vec<i64> = Vec::new();
        let mut lengths = Vec::with_capacity(starts.len());
        for row in 0..starts.len() {
            let before = values.len();
            if !arrays.iter().any(|array| array.is_null(row)) {
                let (start, stop) = (starts.value(row), stops.value(row));
                let step = match arrays.get(2) {
                    Some(steps) => step_of(steps, row)?,
                    None => default_step(&item, start <= stop),
                };
                extend(&mut values, start, stop, step)?;
            }
            lengths.push(values.len() - before);
        }
        let nulls = arrays.iter().map(|array| array.logical_nulls());
        let nulls = nulls.fold(None, |all, nulls| {
            NullBuffer::union(all.as_ref(), nulls.as_ref())
        });
        let lists = ListArray::try_new(
            Arc::new(Field::new_list_field(item.clone(), true)),
            OffsetBuffer::from_lengths(lengths),
            of_units(values, &item)?,
            nulls,
        )?;
        Ok(ColumnarValue::Array(Arc::new(lists)))
    }
}

/// Whole numbers as they are, dates and times in microseconds.
fn units(array: &ArrayRef) -> DataFusionResult<ArrayRef> {
    if array.data_type() == &DataType::Date32 {
        let times = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        return Ok(cast(&times, &DataType::Int64)?);
    }
    Ok(cast(array, &DataType::Int64)?)
}

fn of_units(values: Vec<i64>, item: &DataType) -> DataFusionResult<ArrayRef> {
    let values: ArrayRef = Arc::new(Int64Array::from(values));
    if item == &DataType::Date32 {
        let times = cast(&values, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
        return Ok(cast(&times, item)?);
    }
    Ok(cast(&values, item)?)
}

fn default_step(item: &DataType, is_up: bool) -> Step {
    let units = match item.is_integer() {
        true => 1,
        false => MICROS_PER_DAY,
    };
    Step {
        months: 0,
        units: if is_up { units } else { -units },
    }
}

fn step_of(steps: &ArrayRef, row: usize) -> DataFusionResult<Step> {
    if let Some(intervals) = steps.as_primitive_opt::<IntervalMonthDayNanoType>() {
        let interval = intervals.value(row);
        return Ok(Step {
            months: i64::from(interval.months),
            units: i64::from(interval.days) * MICROS_PER_DAY + interval.nanoseconds / 1_000,
        });
    }
    let units = cast(steps, &DataType::Int64)?;
    Ok(Step {
        months: 0,
        units: units.as_primitive::<Int64Type>().value(row),
    })
}

/// Appends the elements from `start` to `stop`.
fn extend(values: &mut Vec<i64>, start: i64, stop: i64, step: Step) -> Result<()> {
    let direction = match (step.months, step.units) {
        (0, units) => units,
        (months, _) => months,
    };
    let leads_there = match direction {
        0 => start == stop,
        up if up > 0 => start <= stop,
        _ => start >= stop,
    };
    if !leads_there {
        let message = format!("no sequence goes from {start} to {stop} by steps of {direction}");
        return Err(Error::new(ErrorKind::Runtime, message)
            .with_hint("a step leads from the start to the stop, or leave it out"));
    }
    let is_within = |value: i64| match direction > 0 {
        true => value <= stop,
        false => value >= stop,
    };
    let first = values.len();
    let mut next = Some(start);
    while let Some(value) = next.filter(|value| is_within(*value)) {
        values.push(value);
        let count = values.len() - first;
        if count > MAX_LENGTH {
            return Err(Error::new(ErrorKind::Runtime, "a sequence is too long")
                .with_condition("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER"));
        }
        next = match direction {
            0 => None,
            _ => element(start, step, count as i64),
        };
    }
    Ok(())
}

/// The element after `count` steps; none beyond the range of its type.
fn element(start: i64, step: Step, count: i64) -> Option<i64> {
    let units = step.units.checked_mul(count)?;
    if step.months == 0 {
        return start.checked_add(units);
    }
    let time = DateTime::from_timestamp_micros(start)?;
    let months = step.months.checked_mul(count)?;
    let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let time = match months >= 0 {
        true => time.checked_add_months(distance)?,
        false => time.checked_sub_months(distance)?,
    };
    time.timestamp_micros().checked_add(units)
}
