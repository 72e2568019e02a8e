//! Decimals by Spark's rules: how wide a result is, and results that do not fit fail.

use arrow::array::{ArrayRef, Datum, Scalar};
use arrow::compute::kernels::numeric;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::scalar::ScalarValue;

use super::arithmetic::{Operation, positive};

const MAX_PRECISION: i32 = 38;
/// Digits behind the point that a result keeps when it has to lose some.
const MIN_SCALE: i32 = 6;

const EXACT: CastOptions<'static> = CastOptions {
    safe: false,
    format_options: arrow::util::display::FormatOptions::new(),
};

/// The decimal that holds every value of a whole-number or decimal type.
pub(crate) fn decimal_of(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Decimal128(precision, scale) => DataType::Decimal128(*precision, *scale),
        DataType::Int8 => DataType::Decimal128(3, 0),
        DataType::Int16 => DataType::Decimal128(5, 0),
        DataType::Int32 => DataType::Decimal128(10, 0),
        DataType::Int64 => DataType::Decimal128(20, 0),
        _ => return None,
    })
}

/// A whole number as the narrowest decimal: beside a decimal, a literal is as wide as it is written.
pub(crate) fn narrowest(value: i64) -> ScalarValue {
    let digits = value.unsigned_abs().checked_ilog10().unwrap_or(0) as u8 + 1;
    ScalarValue::Decimal128(Some(i128::from(value)), digits, 0)
}

/// Precision and scale of a result.
pub(crate) fn result_type(operation: Operation, left: (u8, i8), right: (u8, i8)) -> DataType {
    let (p1, s1) = (i32::from(left.0), i32::from(left.1));
    let (p2, s2) = (i32::from(right.0), i32::from(right.1));
    let scale = s1.max(s2);
    let (precision, scale) = match operation {
        Operation::Add | Operation::Subtract => ((p1 - s1).max(p2 - s2) + scale + 1, scale),
        Operation::Multiply => (p1 + p2 + 1, s1 + s2),
        Operation::Divide => {
            let scale = MIN_SCALE.max(s1 + p2 + 1);
            (p1 - s1 + s2 + scale, scale)
        }
        Operation::Remainder | Operation::PositiveRemainder => {
            ((p1 - s1).min(p2 - s2) + scale, scale)
        }
        Operation::IntegralDivide => return DataType::Int64,
    };
    if precision <= MAX_PRECISION {
        return DataType::Decimal128(precision as u8, scale as i8);
    }
    let whole_digits = precision - scale;
    let scale = (MAX_PRECISION - whole_digits).max(scale.min(MIN_SCALE));
    DataType::Decimal128(MAX_PRECISION as u8, scale as i8)
}

/// The result of an operation on decimals, rounded half up.
pub(crate) fn compute(
    operation: Operation,
    left: &dyn Datum,
    right: &dyn Datum,
    result_type: &DataType,
) -> Result<ArrayRef, ArrowError> {
    let DataType::Decimal128(precision, scale) = *result_type else {
        return Err(ArrowError::ComputeError(format!(
            "{result_type} is not a decimal"
        )));
    };
    // Short results need no more room than arrow's own kernels give them.
    let is_narrow = precision < MAX_PRECISION as u8;
    let result = match operation {
        Operation::Add if is_narrow => numeric::add(left, right)?,
        Operation::Subtract if is_narrow => numeric::sub(left, right)?,
        Operation::Multiply if is_narrow => numeric::mul(left, right)?,
        Operation::Divide => {
            // A quotient has a few digits more than its dividend, which rounding needs.
            let left = wide(left, Some(scale.max(scale_of(left))))?;
            numeric::div(left.as_ref(), wide(right, None)?.as_ref())?
        }
        _ => {
            let (left, right) = (wide(left, None)?, wide(right, None)?);
            let (left, right) = (left.as_ref(), right.as_ref());
            match operation {
                Operation::Add => numeric::add(left, right)?,
                Operation::Subtract => numeric::sub(left, right)?,
                Operation::Multiply => numeric::mul(left, right)?,
                Operation::PositiveRemainder => {
                    let remainder = numeric::rem(left, right)?;
                    let lifted = numeric::rem(&numeric::add(&remainder, right)?, right)?;
                    let lifted = cast_with_options(&lifted, remainder.data_type(), &EXACT)?;
                    positive(&remainder, &lifted)?
                }
                _ => numeric::rem(left, right)?,
            }
        }
    };
    cast_with_options(&result, result_type, &EXACT)
}

/// The whole part of a quotient, as a BIGINT.
pub(crate) fn integral_divide(left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
    let scale = scale_of(left).max(scale_of(right));
    let (left, right) = (wide(left, Some(scale))?, wide(right, Some(scale))?);
    let remainder = numeric::rem(left.as_ref(), right.as_ref())?;
    // Without its remainder a dividend is divided exactly.
    let exact = cast(
        &numeric::sub(left.as_ref(), &remainder)?,
        &DataType::Decimal256(76, scale),
    )?;
    let quotient = numeric::div(&exact, right.as_ref())?;
    cast_with_options(&quotient, &DataType::Int64, &EXACT)
}

fn scale_of(value: &dyn Datum) -> i8 {
    match value.get().0.data_type() {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

/// The same value with room for every intermediate result.
fn wide(value: &dyn Datum, scale: Option<i8>) -> Result<Box<dyn Datum>, ArrowError> {
    let scale = scale.unwrap_or_else(|| scale_of(value));
    let (array, is_scalar) = value.get();
    let array = cast(array, &DataType::Decimal256(76, scale))?;
    Ok(if is_scalar {
        Box::new(Scalar::new(array))
    } else {
        Box::new(array)
    })
}
