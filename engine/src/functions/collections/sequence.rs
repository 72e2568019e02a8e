//! `sequence(start, stop[, step])`: numbers, dates or timestamps, `stop` included.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Int64Type, IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, TimeUnit,
};
use chrono::{DateTime, Days, Duration, Months, TimeZone};

use super::entries::{common, widened};
use super::lists::{failed, too_long};
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};
use crate::type_names::sql_type;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Spark's longest array.
const MAX_LENGTH: usize = 2_147_483_632;

pub(super) static TABLE: &[Scalar] = &[Scalar {
    name: "sequence",
    forms: &[
        &[Takes::Integral, Takes::Integral],
        &[Takes::Integral, Takes::Integral, Takes::Integral],
        &[Takes::Alike, Takes::Alike],
        &[Takes::Alike, Takes::Alike, Takes::Interval],
    ],
    returns: Returns::By(|inputs| Ok(list_of(item(inputs)?))),
    call: sequence,
    doc: "The array from a start to a stop, both included, by a step, which is 1 or a day by default, or -1 to go down.",
    example: "SELECT sequence(DATE'2024-01-31', DATE'2024-03-31', INTERVAL 1 MONTH)",
    ..SCALAR
}];

/// From one element to the next: so many months, days, and units, which are microseconds of times.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    months: i64,
    days: i64,
    units: i64,
}

fn item(inputs: &Inputs<'_>) -> Result<DataType> {
    let types = &inputs.types;
    match inputs.data_type(0)? {
        _ if types.iter().all(DataType::is_integer) => common("sequence", types),
        time @ (DataType::Date32 | DataType::Timestamp(..)) => Ok(time.clone()),
        other => Err(Error::analysis(format!(
            "sequence gives whole numbers, dates or timestamps, not {}",
            sql_type(other)
        ))
        .with_condition("DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES")
        .with_hint(
            "sequence(1, 5), or sequence(DATE'2024-01-01', DATE'2024-03-01', INTERVAL 1 MONTH)",
        )),
    }
}

fn sequence(call: &Call<'_>) -> Result<ArrayRef> {
    let DataType::List(field) = call.returns else {
        return Err(Error::internal("sequence gives an array"));
    };
    let item = field.data_type();
    let [starts, stops] = call.first()?;
    let (starts, stops) = (units(starts, item)?, units(stops, item)?);
    let (starts, stops) = (
        starts.as_primitive::<Int64Type>(),
        stops.as_primitive::<Int64Type>(),
    );
    let zone = match item {
        DataType::Timestamp(_, Some(_)) => call.zone.parse().ok(),
        _ => None,
    };
    let steps = call.arguments.get(2).map(steps).transpose()?;
    let nulls = call.arguments.iter().map(|array| array.logical_nulls());
    let nulls = nulls.fold(None, |all, nulls| {
        NullBuffer::union(all.as_ref(), nulls.as_ref())
    });
    let (mut values, mut ends) = (Vec::new(), vec![0]);
    for row in 0..call.rows {
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let (start, stop) = (starts.value(row), stops.value(row));
            let step = match &steps {
                Some(steps) => step_of(steps, row)?,
                None => default_step(item, start <= stop),
            };
            extend(&mut values, start, stop, step, zone)?;
        }
        ends.push(i32::try_from(values.len()).map_err(|_| too_long())?);
    }
    let values = of_units(values, item)?;
    let lists = ListArray::try_new(
        Arc::clone(field),
        OffsetBuffer::new(ends.into()),
        values,
        nulls,
    );
    Ok(Arc::new(lists.map_err(failed)?))
}

/// Whole numbers as they are, dates and times in microseconds.
fn units(array: &ArrayRef, item: &DataType) -> Result<ArrayRef> {
    let array = widened(array, item)?;
    let array = match item {
        DataType::Date32 => widened(&array, &DataType::Timestamp(TimeUnit::Microsecond, None))?,
        _ => array,
    };
    widened(&array, &DataType::Int64)
}

fn of_units(values: Vec<i64>, item: &DataType) -> Result<ArrayRef> {
    let values: ArrayRef = Arc::new(Int64Array::from(values));
    match item {
        DataType::Date32 => {
            let times = widened(&values, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            cast(&times, item).map_err(failed)
        }
        _ => widened(&values, item),
    }
}

fn default_step(item: &DataType, upwards: bool) -> Step {
    let direction = if upwards { 1 } else { -1 };
    match item.is_integer() {
        true => Step {
            units: direction,
            ..Step::default()
        },
        false => Step {
            days: direction,
            ..Step::default()
        },
    }
}

/// The steps of all rows.
fn step_of(steps: &[Step], row: usize) -> Result<Step> {
    let step = steps.get(row).copied();
    step.ok_or_else(|| Error::internal(format!("row {row} has no step")))
}

fn steps(array: &ArrayRef) -> Result<Vec<Step>> {
    Ok(match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            let months = array
                .as_primitive::<IntervalYearMonthType>()
                .values()
                .iter();
            months
                .map(|months| Step {
                    months: i64::from(*months),
                    ..Step::default()
                })
                .collect()
        }
        DataType::Interval(_) => {
            let whole = cast(array, &DataType::Interval(IntervalUnit::MonthDayNano));
            let whole = whole.map_err(failed)?;
            let steps = whole
                .as_primitive::<IntervalMonthDayNanoType>()
                .values()
                .iter();
            let step = |step: &arrow::datatypes::IntervalMonthDayNano| Step {
                months: i64::from(step.months),
                days: i64::from(step.days),
                units: step.nanoseconds / 1_000,
            };
            steps.map(step).collect()
        }
        other => {
            let whole = match other {
                DataType::Duration(_) => {
                    widened(array, &DataType::Duration(TimeUnit::Microsecond))?
                }
                _ => Arc::clone(array),
            };
            let units = widened(&whole, &DataType::Int64)?;
            let units = units.as_primitive::<Int64Type>().values().iter();
            units
                .map(|units| Step {
                    units: *units,
                    ..Step::default()
                })
                .collect()
        }
    })
}

/// Appends the elements from `start` to `stop`.
fn extend(
    values: &mut Vec<i64>,
    start: i64,
    stop: i64,
    step: Step,
    zone: Option<Tz>,
) -> Result<()> {
    let direction = match step {
        Step {
            months: 0,
            days,
            units,
        } => days.saturating_mul(MICROS_PER_DAY).saturating_add(units),
        Step { months, .. } => months,
    };
    let leads_there = match direction {
        0 => start == stop,
        up if up > 0 => start <= stop,
        _ => start >= stop,
    };
    if !leads_there {
        let message = format!("no sequence goes from {start} to {stop} by steps of {direction}");
        return Err(Error::runtime(message)
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
            return Err(too_long());
        }
        next = match direction {
            0 => None,
            _ => element(start, step, count as i64, zone),
        };
    }
    Ok(())
}

/// The element after `count` steps; none beyond the range of its type. Months and days are those of
/// the calendar of the time zone.
fn element(start: i64, step: Step, count: i64, zone: Option<Tz>) -> Option<i64> {
    let units = step.units.checked_mul(count)?;
    if step.months == 0 && (step.days == 0 || zone.is_none()) {
        let days = step.days.checked_mul(count)?.checked_mul(MICROS_PER_DAY)?;
        return start.checked_add(days)?.checked_add(units);
    }
    let time = DateTime::from_timestamp_micros(start)?;
    let local = match zone {
        Some(zone) => time.with_timezone(&zone).naive_local(),
        None => time.naive_utc(),
    };
    let distance = |length: i64| length.checked_mul(count);
    let (months, days) = (distance(step.months)?, distance(step.days)?);
    let by = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let local = match months >= 0 {
        true => local.checked_add_months(by)?,
        false => local.checked_sub_months(by)?,
    };
    let local = match days >= 0 {
        true => local.checked_add_days(Days::new(days.unsigned_abs()))?,
        false => local.checked_sub_days(Days::new(days.unsigned_abs()))?,
    };
    let utc = match zone {
        None => local.and_utc().timestamp_micros(),
        Some(zone) => {
            // A time that a change of clocks leaves out is as much later.
            let found = zone.from_local_datetime(&local).earliest();
            let later = || {
                zone.from_local_datetime(&(local + Duration::hours(1)))
                    .earliest()
            };
            found.or_else(later)?.timestamp_micros()
        }
    };
    utc.checked_add(units)
}
