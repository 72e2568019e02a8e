//! Months between two times: whole ones, and Spark's count with a fraction.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, Datelike, NaiveDateTime, NaiveTime};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::connect::types::TIME_ZONE;

const SECONDS_PER_MONTH: f64 = 86_400.0 * 31.0;

/// `whole_months(start, end)` and `fractional_months(end, start)`.
pub(super) fn months_functions() -> Vec<ScalarUDF> {
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()));
    let function = |is_whole| {
        ScalarUDF::from(MonthsBetween {
            is_whole,
            signature: Signature::exact(vec![timestamp.clone(); 2], Volatility::Immutable),
        })
    };
    vec![function(true), function(false)]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MonthsBetween {
    is_whole: bool,
    signature: Signature,
}

impl ScalarUDFImpl for MonthsBetween {
    fn name(&self) -> &str {
        match self.is_whole {
            true => "whole_months",
            false => "fractional_months",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(match self.is_whole {
            true => DataType::Int64,
            false => DataType::Float64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let times = |array: &ArrayRef| -> Vec<Option<NaiveDateTime>> {
            let micros = array.as_primitive::<TimestampMicrosecondType>();
            let times = micros.iter().map(|micros| {
                let time = DateTime::from_timestamp_micros(micros?)?;
                Some(time.naive_utc())
            });
            times.collect()
        };
        let (first, second) = (times(&arrays[0]), times(&arrays[1]));
        let pairs = first.into_iter().zip(second);
        let result: ArrayRef = if self.is_whole {
            let months = pairs.map(|(start, end)| whole_months(start?, end?));
            Arc::new(months.collect::<Int64Array>())
        } else {
            let months = pairs.map(|(end, start)| Some(fractional_months(end?, start?)));
            Arc::new(months.collect::<Float64Array>())
        };
        Ok(ColumnarValue::Array(result))
    }
}

fn month_number(time: &NaiveDateTime) -> i64 {
    i64::from(time.year()) * 12 + i64::from(time.month0())
}

/// Full months from `start` to `end`, rounded towards zero.
fn whole_months(start: NaiveDateTime, end: NaiveDateTime) -> Option<i64> {
    let months = month_number(&end) - month_number(&start);
    let in_month = |time: &NaiveDateTime| (time.day(), time.time());
    let (first, last) = (in_month(&start), in_month(&end));
    Some(match months {
        months if months > 0 && last < first => months - 1,
        months if months < 0 && last > first => months + 1,
        months => months,
    })
}

/// Months with a fraction of 31 days, to eight digits; none of it between equal days of the month
/// and between last days of months.
fn fractional_months(end: NaiveDateTime, start: NaiveDateTime) -> f64 {
    let months = (month_number(&end) - month_number(&start)) as f64;
    if end.day() == start.day() || is_last_day(&end) && is_last_day(&start) {
        return months;
    }
    let seconds = |time: &NaiveDateTime| {
        let of_day = time
            .time()
            .signed_duration_since(NaiveTime::MIN)
            .num_seconds();
        (i64::from(time.day()) * 86_400 + of_day) as f64
    };
    let exact = months + (seconds(&end) - seconds(&start)) / SECONDS_PER_MONTH;
    (exact * 1e8).round() / 1e8
}

fn is_last_day(time: &NaiveDateTime) -> bool {
    let date = time.date();
    let next = date.succ_opt();
    next.is_none_or(|next| next.month() != date.month())
}
