//! `round` and its kind. A decimal that is rounded has as many digits as it still needs.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array, Int32Array,
};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DecimalType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type,
};

use datafusion::scalar::ScalarValue;

use super::super::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use super::doubles::{map, of_one};
use super::rounded::{Mode, rounded_double, without_digits};
use crate::error::{Error, Result, from_datafusion};

const MAX_PRECISION: i32 = 38;

/// Functions that round.
pub(super) const TABLE: &[Scalar] = &[
    Scalar {
        call: |call| round(call, Mode::HalfEven),
        doc: "A number with so many digits behind the point; the middle goes to the even digit.",
        example: "SELECT bround(3.5, 0)",
        ..of_digits("bround")
    },
    Scalar {
        aliases: &["ceil"],
        call: |call| whole(call, Mode::Up),
        doc: "The least whole number, or number with so many digits, that is not less.",
        example: "SELECT ceiling(2.1)",
        ..to_whole("ceiling")
    },
    Scalar {
        call: |call| whole(call, Mode::Down),
        doc: "The greatest whole number, or number with so many digits, that is not more.",
        example: "SELECT floor(2.9)",
        ..to_whole("floor")
    },
    of_one(
        "rint",
        |call| map(call, f64::round_ties_even),
        "The nearest whole number as a DOUBLE; the middle goes to the even one.",
        "SELECT rint(3.5)",
    ),
    Scalar {
        call: |call| round(call, Mode::HalfUp),
        doc: "A number with so many digits behind the point; the middle goes away from zero.",
        example: "SELECT round(3.14159, 2)",
        ..of_digits("round")
    },
];

const fn of_digits(name: &'static str) -> Scalar {
    Scalar {
        name,
        forms: &[&[Takes::Number], &[Takes::Number, Takes::Any]],
        returns: Returns::By(rounded_type),
        ..SCALAR
    }
}

const fn to_whole(name: &'static str) -> Scalar {
    Scalar {
        name,
        forms: &[&[Takes::Number], &[Takes::Decimal, Takes::Any]],
        returns: Returns::By(whole_type),
        ..SCALAR
    }
}

/// A decimal may need a digit more before the point, and none behind the last that is kept.
fn rounded_type(inputs: &Inputs<'_>) -> Result<DataType> {
    let given = inputs.data_type(0)?;
    let DataType::Decimal128(precision, scale) = *given else {
        return Ok(given.clone());
    };
    let digits = match inputs.types.len() {
        1 => 0,
        _ => constant_digits(inputs)?,
    };
    let whole = i32::from(precision) - i32::from(scale) + 1;
    let (whole, scale) = match digits < 0 {
        true => (whole.max(digits.saturating_neg().saturating_add(1)), 0),
        false => (whole, digits.min(i32::from(scale))),
    };
    let precision = (whole.saturating_add(scale)).min(MAX_PRECISION);
    Ok(DataType::Decimal128(precision as u8, scale as i8))
}

fn constant_digits(inputs: &Inputs<'_>) -> Result<i32> {
    let given = inputs.constants.get(1).copied().flatten().ok_or_else(|| {
        Error::analysis("the number of digits must be the same for all rows")
            .with_condition("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
            .with_hint("write it as a number: round(x, 2)")
    })?;
    match given.cast_to(&DataType::Int32).map_err(from_datafusion)? {
        ScalarValue::Int32(digits) => Ok(digits.unwrap_or(0)),
        other => Err(Error::internal(format!("{other} is no number of digits"))),
    }
}

fn whole_type(inputs: &Inputs<'_>) -> Result<DataType> {
    match *inputs.data_type(0)? {
        _ if inputs.types.len() > 1 => rounded_type(inputs),
        DataType::Decimal128(precision, 0) => Ok(DataType::Decimal128(precision, 0)),
        DataType::Decimal128(..) => rounded_type(inputs),
        _ => Ok(DataType::Int64),
    }
}

fn whole(call: &Call<'_>, mode: Mode) -> Result<ArrayRef> {
    let values = call.argument(0)?;
    match values.data_type() {
        DataType::Decimal128(..) => round(call, mode),
        DataType::Float32 | DataType::Float64 => {
            let values = cast(values, &DataType::Float64).map_err(failed)?;
            let values = values.as_primitive::<Float64Type>();
            let rounded = values.try_unary::<_, Int64Type, Error>(|value| {
                let whole = if mode == Mode::Up {
                    value.ceil()
                } else {
                    value.floor()
                };
                // The first number that is too large is one of these.
                match whole.abs() > i64::MAX as f64 || whole == i64::MAX as f64 {
                    true => Err(too_large(call, &value)),
                    false => Ok(whole as i64),
                }
            })?;
            Ok(Arc::new(rounded))
        }
        _ => cast(values, &DataType::Int64).map_err(failed),
    }
}

fn round(call: &Call<'_>, mode: Mode) -> Result<ArrayRef> {
    let digits = Digits::new(call)?;
    let values = call.argument(0)?;
    Ok(match values.data_type() {
        DataType::Float64 => {
            let values = call.primitive::<Float64Type>(0)?;
            let rows = (0..call.rows).map(|row| {
                let (value, digits) = (at(values, row)?, digits.at(row)?);
                Some(rounded_double(value, digits, mode))
            });
            Arc::new(rows.collect::<Float64Array>())
        }
        DataType::Float32 => {
            let values = call.primitive::<Float32Type>(0)?;
            let rows = (0..call.rows).map(|row| {
                let (value, digits) = (at(values, row)?, digits.at(row)?);
                Some(rounded_double(f64::from(value), digits, mode) as f32)
            });
            Arc::new(rows.collect::<Float32Array>())
        }
        DataType::Decimal128(_, scale) => round_decimals(call, i32::from(*scale), mode)?,
        DataType::Int8 => round_integers::<Int8Type>(call, mode)?,
        DataType::Int16 => round_integers::<Int16Type>(call, mode)?,
        DataType::Int32 => round_integers::<Int32Type>(call, mode)?,
        DataType::Int64 => round_integers::<Int64Type>(call, mode)?,
        other => return Err(Error::internal(format!("{} got {other}", call.name))),
    })
}

fn at<T: ArrowPrimitiveType>(
    values: &arrow::array::PrimitiveArray<T>,
    row: usize,
) -> Option<T::Native> {
    values.is_valid(row).then(|| values.value(row))
}

/// The numbers of digits.
struct Digits(Option<Int32Array>);

impl Digits {
    fn new(call: &Call<'_>) -> Result<Self> {
        let given = call
            .arguments
            .get(1)
            .map(|given| cast(given, &DataType::Int32));
        let given = given.transpose().map_err(failed)?;
        Ok(Self(
            given.map(|given| given.as_primitive::<Int32Type>().clone()),
        ))
    }

    fn at(&self, row: usize) -> Option<i32> {
        self.0.as_ref().map_or(Some(0), |given| at(given, row))
    }
}

fn round_decimals(call: &Call<'_>, scale: i32, mode: Mode) -> Result<ArrayRef> {
    let values = call.primitive::<Decimal128Type>(0)?;
    let digits = Digits::new(call)?;
    let DataType::Decimal128(precision, result_scale) = *call.returns else {
        return Err(Error::internal("a rounded decimal is a decimal"));
    };
    let rows = (0..call.rows).map(|row| {
        let (value, digits) = (at(values, row)?, digits.at(row)?);
        let dropped = scale.saturating_sub(digits);
        if dropped <= 0 {
            return Some(value);
        }
        let left = without_digits(value, dropped.unsigned_abs(), mode);
        let unit = 10_i128.checked_pow(digits.min(0).unsigned_abs());
        let value = match left {
            0 => 0,
            left => left.checked_mul(unit?)?,
        };
        let fits = Decimal128Type::validate_decimal_precision(value, precision, result_scale);
        fits.is_ok().then_some(value)
    });
    let rounded = rows.collect::<Decimal128Array>();
    Ok(Arc::new(rounded.with_data_type(call.returns.clone())))
}

fn round_integers<T>(call: &Call<'_>, mode: Mode) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64> + TryFrom<i128>,
{
    let values = call.primitive::<T>(0)?;
    let digits = Digits::new(call)?;
    let rows = (0..call.rows).map(|row| {
        let (Some(value), Some(digits)) = (at(values, row), digits.at(row)) else {
            return Ok(None);
        };
        if digits >= 0 {
            return Ok(Some(value));
        }
        let exact: i64 = value.into();
        let left = without_digits(i128::from(exact), digits.unsigned_abs(), mode);
        let unit = 10_i128.checked_pow(digits.unsigned_abs()).unwrap_or(0);
        let rounded = left
            .checked_mul(unit)
            .and_then(|value| T::Native::try_from(value).ok());
        rounded.map(Some).ok_or_else(|| too_large(call, &exact))
    });
    let rounded: arrow::array::PrimitiveArray<T> = rows.collect::<Result<_>>()?;
    Ok(Arc::new(rounded))
}

fn too_large(call: &Call<'_>, value: &dyn std::fmt::Display) -> Error {
    let message = format!("{} of {value} is out of the range of its type", call.name);
    Error::runtime(message)
        .with_condition("ARITHMETIC_OVERFLOW")
        .with_hint("round a wider type: CAST(x AS DECIMAL(38, 0))")
}

fn failed(error: arrow::error::ArrowError) -> Error {
    from_datafusion(error.into())
}
