//! Spark's division: `/` gives a fraction for whole numbers too, `div` a whole number, and both
//! fail on zero (ANSI mode, Spark's default).

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::kernels::numeric;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::{Error, ErrorKind};

/// `spark_divide` for `/`, `spark_div` for `div`.
pub fn arithmetic_functions() -> Vec<ScalarUDF> {
    [false, true]
        .into_iter()
        .map(|integral| {
            ScalarUDF::from(Division {
                integral,
                signature: Signature::user_defined(Volatility::Immutable),
            })
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Division {
    integral: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Division {
    fn name(&self) -> &str {
        if self.integral {
            "spark_div"
        } else {
            "spark_divide"
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let [left, right] = types else {
            return Err(Error::analysis("a division needs two operands").into());
        };
        let numeric = |data_type: &DataType| {
            data_type.is_numeric() || data_type.is_null() || data_type.is_string()
        };
        if !numeric(left) || !numeric(right) {
            let message = format!("{left} cannot be divided by {right}");
            return Err(Error::analysis(message)
                .with_condition("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE")
                .into());
        }
        if self.integral {
            return Ok(vec![DataType::Int64, DataType::Int64]);
        }
        Ok(match (decimal_of(left), decimal_of(right)) {
            (Some(left), Some(right)) if is_decimal(&types[0]) || is_decimal(&types[1]) => {
                vec![left, right]
            }
            _ => vec![DataType::Float64, DataType::Float64],
        })
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        Ok(match types {
            [DataType::Int64, _] if self.integral => DataType::Int64,
            [DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)] => {
                quotient_type(*p1, *s1, *p2, *s2)
            }
            _ => DataType::Float64,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (left, right) = (&arrays[0], &arrays[1]);
        let quotient: ArrayRef = match args.return_field.data_type() {
            DataType::Float64 => {
                let (left, right) = (
                    left.as_primitive::<Float64Type>(),
                    right.as_primitive::<Float64Type>(),
                );
                let zero = (0..right.len()).any(|row| {
                    left.is_valid(row) && right.is_valid(row) && right.value(row) == 0.0
                });
                if zero {
                    return Err(division_by_zero().into());
                }
                numeric::div(left, right)?
            }
            DataType::Int64 => numeric::div(left, right)?,
            decimal => {
                // The dividend gets the digits the quotient needs before arrow divides.
                let DataType::Decimal128(_, scale) = *decimal else {
                    return datafusion::common::internal_err!("{decimal} is not a quotient");
                };
                let DataType::Decimal128(_, right_scale) = *right.data_type() else {
                    return datafusion::common::internal_err!("a decimal divisor was expected");
                };
                let wide = DataType::Decimal256(76, scale + right_scale);
                let left = cast(left, &wide)?;
                let right = cast(right, &DataType::Decimal256(76, right_scale))?;
                let exact = CastOptions {
                    safe: false,
                    ..Default::default()
                };
                cast_with_options(&numeric::div(&left, &right)?, decimal, &exact)?
            }
        };
        Ok(ColumnarValue::Array(quotient))
    }
}

fn is_decimal(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal128(_, _))
}

/// The decimal that holds every value of a whole-number or decimal type.
fn decimal_of(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Decimal128(precision, scale) => DataType::Decimal128(*precision, *scale),
        DataType::Int8 => DataType::Decimal128(3, 0),
        DataType::Int16 => DataType::Decimal128(5, 0),
        DataType::Int32 => DataType::Decimal128(10, 0),
        DataType::Int64 => DataType::Decimal128(20, 0),
        _ => return None,
    })
}

/// Spark's rule for the type of a decimal quotient.
fn quotient_type(p1: u8, s1: i8, p2: u8, s2: i8) -> DataType {
    let (p1, s1, p2, s2) = (i32::from(p1), i32::from(s1), i32::from(p2), i32::from(s2));
    let scale = 6.max(s1 + p2 + 1);
    let precision = p1 - s1 + s2 + scale;
    if precision <= 38 {
        return DataType::Decimal128(precision as u8, scale as i8);
    }
    let whole_digits = precision - scale;
    let scale = (38 - whole_digits).max(scale.min(6));
    DataType::Decimal128(38, scale as i8)
}

fn division_by_zero() -> Error {
    Error::new(ErrorKind::Runtime, "division by zero")
        .with_condition("DIVIDE_BY_ZERO")
        .with_hint("use try_divide(a, b) to get NULL instead, or nullif(b, 0)")
}
