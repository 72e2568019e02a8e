//! Casts as Spark does them in ANSI mode, where arrow's would give another value or another error.
//! What lies between text and time, and between a date and a timestamp, is of the session's zone.

mod allowed;
mod decimals;
mod from_text;
mod nested;
mod numbers;
mod time_of_day;
mod times;
mod to_text;

use std::fmt::Display;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{ArrowPrimitiveType, DataType, TimeUnit};
use arrow::util::display::FormatOptions;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::ansi::is_ansi;
use super::arguments::argument;
use super::time::zone_named;
use crate::datetime::{TIME_ZONE, Zone};
use crate::error::{ANSI_SETTING, Error, Result, from_datafusion};
use crate::text::format_value;
use crate::type_names::sql_type;

pub(crate) use allowed::can_cast;

/// The function that casts from `from` to `to`, where arrow's cast would give something else.
pub(crate) fn spark_cast(from: &DataType, to: &DataType, lenient: bool) -> Option<ScalarUDF> {
    (!allowed::is_arrows(from, to)).then(|| {
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
        let zone = args.config_options.execution.time_zone.as_deref();
        let zone = zone_named(zone.unwrap_or(TIME_ZONE))?;
        let mode = Mode::new(self.lenient, is_ansi(&args.config_options));
        let cast = |values: &ArrayRef| cast_values(values, &self.to, zone, mode);
        Ok(match argument(self.name(), &args.args, 0)? {
            ColumnarValue::Array(values) => ColumnarValue::Array(cast(values)?),
            ColumnarValue::Scalar(value) => {
                let cast = cast(&value.to_array()?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&cast, 0)?)
            }
        })
    }
}

/// What becomes of a value that cannot be cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It is an error.
    Fails,
    /// It is NULL.
    IsNull,
    /// It is NULL, and of a number that is out of the range of whole numbers the lower bits remain.
    Wraps,
}

impl Mode {
    /// That of a cast which is `try_cast` if `lenient`.
    pub(super) fn new(lenient: bool, ansi: bool) -> Self {
        match (lenient, ansi) {
            (true, _) => Self::IsNull,
            (false, true) => Self::Fails,
            (false, false) => Self::Wraps,
        }
    }
}

/// All values as values of type `to`.
pub(super) fn cast_values(
    values: &ArrayRef,
    to: &DataType,
    zone: Zone,
    mode: Mode,
) -> Result<ArrayRef> {
    let lenient = mode != Mode::Fails;
    let cast = Cast {
        to,
        zone,
        lenient,
        mode,
    };
    match values.data_type() {
        from if from == to => Ok(Arc::clone(values)),
        DataType::Null => Ok(new_null_array(to, values.len())),
        from if allowed::is_arrows(from, to) => cast.arrow(values),
        _ => cast.own(values),
    }
}

/// What all casts of a batch have in common.
struct Cast<'a> {
    to: &'a DataType,
    zone: Zone,
    /// Whether what cannot be cast is NULL.
    lenient: bool,
    mode: Mode,
}

impl Cast<'_> {
    fn own(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let values = &usual(values)?;
        match (values.data_type(), self.to) {
            (_, to) if to.is_string() => {
                self.arrow(&(Arc::new(to_text::texts(values, self.zone)?) as ArrayRef))
            }
            (DataType::Utf8, _) => self.of_text(values.as_string()),
            (from, _) if from.is_nested() => self.of_nested(values),
            (DataType::Timestamp(..), DataType::Time64(_)) => self.time_of_day(values),
            (DataType::Time64(_), to) => {
                let seconds = self.seconds_of_day(values)?;
                cast_values(&seconds, to, self.zone, self.mode)
            }
            (_, DataType::Decimal128(precision, scale)) => {
                self.to_decimal(values, *precision, *scale)
            }
            (DataType::Decimal128(..), DataType::Boolean) => self.is_not_zero(values),
            (_, to) if to.is_numeric() => self.to_number(values),
            (_, DataType::Date32 | DataType::Timestamp(..)) => self.to_time(values),
            (_, DataType::Duration(_) | DataType::Interval(_)) => self.to_interval(values),
            _ => self.arrow(values),
        }
    }

    /// The same cast to another type.
    fn of_type<'a>(&self, to: &'a DataType) -> Cast<'a> {
        Cast {
            to,
            zone: self.zone,
            lenient: self.lenient,
            mode: self.mode,
        }
    }

    fn arrow(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let options = CastOptions {
            safe: self.lenient,
            format_options: FormatOptions::default(),
        };
        cast_with_options(values, self.to, &options).map_err(failed)
    }

    /// Values one by one; `None` is out of the range of the type.
    fn each<S: ArrowPrimitiveType, T: ArrowPrimitiveType>(
        &self,
        values: &ArrayRef,
        convert: impl Fn(S::Native) -> Option<T::Native>,
    ) -> Result<PrimitiveArray<T>> {
        let converted = values.as_primitive::<S>().unary_opt(convert);
        if self.lenient || converted.null_count() == values.null_count() {
            return Ok(converted);
        }
        let lost = |row: &usize| values.is_valid(*row) && converted.is_null(*row);
        match (0..values.len()).find(lost) {
            Some(row) => Err(self.overflow(format_value(values, row))),
            None => Ok(converted),
        }
    }

    fn overflow(&self, value: impl Display) -> Error {
        let to = sql_type(self.to);
        let error = Error::runtime(format!("{value} is out of the range of {to}"));
        match self.to {
            DataType::Decimal128(..) => {
                error.with_condition("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION")
            }
            _ => error.with_condition("CAST_OVERFLOW"),
        }
        .with_hint(format!("use try_cast(x AS {to}) to get NULL instead"))
    }

    fn invalid(&self, value: impl Display) -> Error {
        let to = sql_type(self.to);
        Error::runtime(format!("'{value}' is not a valid {to}"))
            .with_condition("CAST_INVALID_INPUT")
            .with_parameter("expression", format!("'{value}'"))
            .with_parameter("sourceType", "\"STRING\"")
            .with_parameter("targetType", format!("\"{to}\""))
            .with_parameter("ansiConfig", ANSI_SETTING)
            .with_hint(format!("use try_cast(x AS {to}) to get NULL instead"))
    }
}

/// Text and times in the form that they mostly have.
fn usual(values: &ArrayRef) -> Result<ArrayRef> {
    let usual = match values.data_type() {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Date64 => DataType::Date32,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Timestamp(unit, zone) if unit != &TimeUnit::Microsecond => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        _ => return Ok(Arc::clone(values)),
    };
    arrow::compute::cast(values, &usual).map_err(failed)
}

fn failed(error: arrow::error::ArrowError) -> Error {
    from_datafusion(error.into())
}
