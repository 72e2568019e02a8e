//! `make_timestamp(year, month, day, hour, minute, second)`, and the form that gives NULL for parts
//! that are no time.

use arrow::array::{Array, AsArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Decimal128Type, Int32Type, TimeUnit};
use chrono::NaiveDate;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::connect::types::TIME_ZONE;
use crate::error::{Error, ErrorKind, Result};

const MICROS_PER_SECOND: i128 = 1_000_000;
/// How Spark takes the seconds.
const SECONDS: DataType = DataType::Decimal128(16, 6);

/// `make_timestamp` and `try_make_timestamp`.
pub(super) fn make_timestamp_functions() -> Vec<ScalarUDF> {
    let mut types = vec![DataType::Int32; 5];
    types.push(SECONDS);
    let function = |lenient| {
        ScalarUDF::from(MakeTimestamp {
            lenient,
            signature: Signature::exact(types.clone(), Volatility::Immutable),
        })
    };
    vec![function(false), function(true)]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MakeTimestamp {
    lenient: bool,
    signature: Signature,
}

impl ScalarUDFImpl for MakeTimestamp {
    fn name(&self) -> &str {
        match self.lenient {
            true => "try_make_timestamp",
            false => "make_timestamp",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Timestamp(
            TimeUnit::Microsecond,
            Some(TIME_ZONE.into()),
        ))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (seconds, parts) = match arrays.split_last() {
            Some((seconds, parts)) => (seconds.as_primitive::<Decimal128Type>(), parts),
            None => return datafusion::common::internal_err!("{} needs parts", self.name()),
        };
        let times = (0..seconds.len()).map(|row| {
            if arrays.iter().any(|part| part.is_null(row)) {
                return Ok(None);
            }
            let part = |index: usize| parts[index].as_primitive::<Int32Type>().value(row);
            let [year, month, day, hour, minute] = [0, 1, 2, 3, 4].map(part);
            match micros(year, [month, day, hour, minute], seconds.value(row)) {
                None if !self.lenient => Err(out_of_bounds()),
                time => Ok(time),
            }
        });
        let times: TimestampMicrosecondArray = times.collect::<Result<_>>()?;
        Ok(ColumnarValue::Array(std::sync::Arc::new(
            times.with_timezone(TIME_ZONE),
        )))
    }
}

/// Microseconds since 1970; second 60 is the first of the next minute.
fn micros(year: i32, parts: [i32; 4], second_micros: i128) -> Option<i64> {
    let [month, day, hour, minute] = parts.map(|part| u32::try_from(part).ok());
    let date = NaiveDate::from_ymd_opt(year, month?, day?)?;
    let minutes = date.and_hms_opt(hour?, minute?, 0)?.and_utc();
    let is_second = (0..=60 * MICROS_PER_SECOND).contains(&second_micros);
    let second_micros = i64::try_from(second_micros).ok().filter(|_| is_second)?;
    minutes.timestamp_micros().checked_add(second_micros)
}

fn out_of_bounds() -> Error {
    let message = "the parts of a timestamp are not those of any time";
    Error::new(ErrorKind::Runtime, message)
        .with_condition("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION")
        .with_hint("use try_make_timestamp(…) to get NULL instead")
}
