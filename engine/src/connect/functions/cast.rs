//! Casts whose result in Spark is not arrow's: times to text and to seconds, fractions and nested
//! values to text, and text with blanks around it to anything.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, PrimitiveArray, StringArray, StringBuilder,
};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use arrow::util::display::FormatOptions;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use crate::connect::intervals::day_time_text;
use crate::connect::types::TIME_ZONE;
use crate::datetime::{Zone, parse_date, parse_timestamp};
use crate::error::{Error, ErrorKind, Result, from_datafusion};
use crate::text::format_value;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The function that casts from `from` to `to`, where arrow's cast would give something else.
pub(in crate::connect) fn spark_cast(
    from: &DataType,
    to: &DataType,
    lenient: bool,
) -> Option<ScalarUDF> {
    let is_own = match (from, to) {
        (DataType::Timestamp(..), to) => to.is_string() || to.is_numeric(),
        (DataType::Duration(_), to) => to.is_string(),
        (from, DataType::Timestamp(_, Some(_))) if from.is_numeric() => true,
        (DataType::Float32 | DataType::Float64, DataType::Utf8) => true,
        (from, DataType::Utf8) if from.is_nested() => true,
        (DataType::Utf8, DataType::Date32 | DataType::Timestamp(_, Some(_))) => true,
        (DataType::Utf8, to) => to.is_numeric() || to == &DataType::Boolean,
        _ => false,
    };
    is_own.then(|| {
        ScalarUDF::from(SparkCast {
            to: to.clone(),
            lenient,
            signature: Signature::any(1, Volatility::Immutable),
        })
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SparkCast {
    to: DataType,
    /// Whether what cannot be cast is NULL.
    lenient: bool,
    signature: Signature,
}

impl ScalarUDFImpl for SparkCast {
    fn name(&self) -> &str {
        if self.lenient {
            "spark_try_cast"
        } else {
            "spark_cast_to"
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(self.to.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        Ok(match &args.args[0] {
            ColumnarValue::Array(values) => ColumnarValue::Array(self.cast(values)?),
            ColumnarValue::Scalar(value) => {
                let cast = self.cast(&value.to_array()?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&cast, 0)?)
            }
        })
    }
}

impl SparkCast {
    fn cast(&self, values: &ArrayRef) -> Result<ArrayRef> {
        match (values.data_type(), &self.to) {
            (DataType::Utf8, DataType::Timestamp(..)) => {
                let parse = |text: &str| parse_timestamp(text, Zone::UTC);
                let micros = self.parse::<TimestampMicrosecondType>(values.as_string(), parse)?;
                self.arrow(&(Arc::new(micros.with_timezone(TIME_ZONE)) as ArrayRef))
            }
            (DataType::Utf8, DataType::Date32) => {
                let days = self.parse::<Date32Type>(values.as_string(), parse_date)?;
                Ok(Arc::new(days))
            }
            (DataType::Utf8, _) => self.arrow(&trimmed(values.as_string())),
            (DataType::Duration(_), _) => self.arrow(&interval_texts(values)?),
            (DataType::Timestamp(..), to) if to.is_string() => {
                self.arrow(&text_of(&microseconds(values)?))
            }
            (DataType::Timestamp(..), _) => self.arrow(&self.seconds(&microseconds(values)?)?),
            (from, DataType::Timestamp(..)) if from.is_integer() => {
                let seconds = cast(values, &DataType::Int64).map_err(failed)?;
                let seconds = seconds.as_primitive::<Int64Type>();
                let micros: Int64Array =
                    seconds.unary_opt(|seconds| seconds.checked_mul(MICROS_PER_SECOND));
                if micros.null_count() > seconds.null_count() && !self.lenient {
                    return Err(overflow("a number of seconds", &self.to));
                }
                self.timestamps(Arc::new(micros))
            }
            (_, DataType::Timestamp(..)) => {
                let seconds = cast(values, &DataType::Float64).map_err(failed)?;
                let seconds = seconds.as_primitive::<Float64Type>();
                let micros: Int64Array = seconds.unary_opt(|seconds| {
                    let micros = (seconds * MICROS_PER_SECOND as f64).trunc();
                    (micros.abs() < i64::MAX as f64).then_some(micros as i64)
                });
                if micros.null_count() > seconds.null_count() && !self.lenient {
                    return Err(overflow("a number of seconds", &self.to));
                }
                self.timestamps(Arc::new(micros))
            }
            _ => Ok(text_of(values)),
        }
    }

    fn timestamps(&self, micros: ArrayRef) -> Result<ArrayRef> {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()));
        self.arrow(&cast(&micros, &utc).map_err(failed)?)
    }

    /// Seconds since 1970: whole ones, rounded down, for whole numbers.
    fn seconds(&self, times: &ArrayRef) -> Result<ArrayRef> {
        let times = times.as_primitive::<TimestampMicrosecondType>();
        Ok(if self.to.is_integer() {
            let seconds: Int64Array = times.unary(|micros| micros.div_euclid(MICROS_PER_SECOND));
            Arc::new(seconds)
        } else {
            let seconds: PrimitiveArray<Float64Type> =
                times.unary(|micros| micros as f64 / MICROS_PER_SECOND as f64);
            Arc::new(seconds)
        })
    }

    fn parse<T: arrow::datatypes::ArrowPrimitiveType>(
        &self,
        texts: &StringArray,
        parse: impl Fn(&str) -> Option<T::Native>,
    ) -> Result<PrimitiveArray<T>> {
        let values = texts.iter().map(|text| {
            let Some(text) = text else {
                return Ok(None);
            };
            match parse(text.trim()) {
                None if !self.lenient => Err(invalid(text, &self.to)),
                value => Ok(value),
            }
        });
        values.collect()
    }

    fn arrow(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let options = CastOptions {
            safe: self.lenient,
            format_options: FormatOptions::default(),
        };
        cast_with_options(values, &self.to, &options).map_err(failed)
    }
}

fn microseconds(times: &ArrayRef) -> Result<ArrayRef> {
    match times.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => Ok(Arc::clone(times)),
        DataType::Timestamp(_, zone) => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            cast(times, &micros).map_err(failed)
        }
        other => Err(Error::internal(format!("{other} is not a time"))),
    }
}

fn text_of(values: &ArrayRef) -> ArrayRef {
    let mut texts = StringBuilder::new();
    for row in 0..values.len() {
        let text = values.is_valid(row).then(|| format_value(values, row));
        texts.append_option(text);
    }
    Arc::new(texts.finish())
}

fn interval_texts(intervals: &ArrayRef) -> Result<ArrayRef> {
    let unit = match intervals.data_type() {
        DataType::Duration(TimeUnit::Second) => TimeUnit::Second,
        _ => TimeUnit::Microsecond,
    };
    let lengths = cast(intervals, &DataType::Duration(unit)).map_err(failed)?;
    let lengths = cast(&lengths, &DataType::Int64).map_err(failed)?;
    let lengths = lengths.as_primitive::<Int64Type>();
    let texts = lengths
        .iter()
        .map(|length| Some(day_time_text(length?, unit)));
    Ok(Arc::new(texts.collect::<StringArray>()))
}

fn trimmed(texts: &StringArray) -> ArrayRef {
    let needs_it = |text: &str| text.len() != text.trim().len();
    if texts.iter().flatten().any(needs_it) {
        let trimmed = texts.iter().map(|text| text.map(str::trim));
        return Arc::new(trimmed.collect::<StringArray>());
    }
    Arc::new(texts.clone())
}

fn invalid(text: &str, to: &DataType) -> Error {
    let to = type_name(to);
    Error::new(ErrorKind::Runtime, format!("'{text}' is not a valid {to}"))
        .with_condition("CAST_INVALID_INPUT")
        .with_hint(format!("use try_cast(x AS {to}) to get NULL instead"))
}

fn overflow(what: &str, to: &DataType) -> Error {
    let to = type_name(to);
    Error::new(
        ErrorKind::Runtime,
        format!("{what} is out of the range of {to}"),
    )
    .with_condition("CAST_OVERFLOW")
    .with_hint(format!("use try_cast(x AS {to}) to get NULL instead"))
}

fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Date32 => "DATE",
        _ => "TIMESTAMP",
    }
}

fn failed(error: arrow::error::ArrowError) -> Error {
    from_datafusion(error.into())
}
