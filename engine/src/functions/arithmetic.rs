//! Spark's arithmetic. Whole numbers and decimals that leave their range fail instead of wrapping
//! (ANSI mode, Spark's default), `/` gives a fraction for whole numbers too, division by zero
//! fails, and decimals grow by Spark's rules. The `try_` forms answer NULL instead of failing.

use arrow::array::{Array, ArrayRef, AsArray, Datum, new_null_array};
use arrow::compute::concat;
use arrow::compute::kernels::cmp::lt;
use arrow::compute::kernels::numeric;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow::error::ArrowError;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::ansi::is_ansi;
use super::decimal::{self, decimal_of};
use crate::error::{ANSI_SETTING, Error, ErrorKind, Result};

/// Every operator as a function, and the forms that give NULL.
pub(super) fn arithmetic_functions() -> Vec<ScalarUDF> {
    let operators = [
        Operation::Add,
        Operation::Subtract,
        Operation::Multiply,
        Operation::Divide,
        Operation::IntegralDivide,
        Operation::Remainder,
        Operation::PositiveRemainder,
    ];
    let lenient = [
        (Operation::Add, "try_add"),
        (Operation::Subtract, "try_subtract"),
        (Operation::Multiply, "try_multiply"),
        (Operation::Divide, "try_divide"),
        (Operation::Remainder, "try_mod"),
    ];
    let lenient = lenient.map(|(operation, name)| Arithmetic::new(operation, name, true));
    let functions = operators.into_iter().map(arithmetic);
    functions.chain(lenient.map(ScalarUDF::from)).collect()
}

/// `left operation right` for operands that [`Arithmetic`] takes.
pub(crate) fn arithmetic(operation: Operation) -> ScalarUDF {
    let name = match operation {
        Operation::Add => "spark_add",
        Operation::Subtract => "spark_subtract",
        Operation::Multiply => "spark_multiply",
        Operation::Divide => "spark_divide",
        Operation::IntegralDivide => "spark_div",
        Operation::Remainder => "mod",
        Operation::PositiveRemainder => "pmod",
    };
    ScalarUDF::from(Arithmetic::new(operation, name, false))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegralDivide,
    Remainder,
    PositiveRemainder,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    operation: Operation,
    name: &'static str,
    /// Whether what cannot be computed is NULL.
    lenient: bool,
    signature: Signature,
}

impl Arithmetic {
    fn new(operation: Operation, name: &'static str, lenient: bool) -> Self {
        Self {
            operation,
            name,
            lenient,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let [left, right] = types else {
            let message = format!("{} needs two arguments, not {}", self.name, types.len());
            return Err(Error::analysis(message)
                .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
                .into());
        };
        let times = super::numbers::times::operand_types(self.operation, left, right);
        if let Some(operands) = times {
            return Ok(operands.to_vec());
        }
        let Some(operands) = operand_types(self.operation, left, right) else {
            let message = format!("{} cannot take {left} and {right}", self.name);
            return Err(Error::analysis(message)
                .with_condition("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE")
                .into());
        };
        Ok(operands.to_vec())
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        Ok(match types {
            [left, right] if has_time(left) || has_time(right) => {
                super::numbers::times::result_type(left, right)
            }
            [_, _] if self.operation == Operation::IntegralDivide => DataType::Int64,
            [DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)] => {
                decimal::result_type(self.operation, (*p1, *s1), (*p2, *s2))
            }
            [left, _] => left.clone(),
            _ => DataType::Null,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return datafusion::common::internal_err!("{} needs two arguments", self.name);
        };
        let result_type = args.return_field.data_type();
        let wraps = !self.lenient && !is_ansi(&args.config_options);
        let own = Run {
            arithmetic: self,
            lenient: self.lenient || wraps,
            wraps,
        };
        if let (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) = (left, right) {
            let (left, right) = (left.to_array()?, right.to_array()?);
            let value = own.compute(&left, &right, result_type)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &value, 0,
            )?));
        }
        let rows = args.number_rows;
        let computed = own.compute_values(left, right, result_type);
        let computed = match computed {
            Err(_) if own.lenient => {
                let (left, right) = (left.to_array(rows)?, right.to_array(rows)?);
                own.compute_leniently(&left, &right, result_type)
            }
            other => other,
        };
        Ok(ColumnarValue::Array(computed?))
    }
}

/// One batch of it.
struct Run<'a> {
    arithmetic: &'a Arithmetic,
    /// Whether what cannot be computed is NULL.
    lenient: bool,
    /// Whether whole numbers that leave their range begin again at its other end.
    wraps: bool,
}

impl Run<'_> {
    fn compute_values(
        &self,
        left: &ColumnarValue,
        right: &ColumnarValue,
        result_type: &DataType,
    ) -> Result<ArrayRef> {
        let scalar = |value: &ScalarValue| {
            let scalar = value.to_scalar();
            scalar.map_err(crate::error::from_datafusion)
        };
        match (left, right) {
            (ColumnarValue::Array(left), ColumnarValue::Array(right)) => {
                self.compute_or_fail(left, right, result_type)
            }
            (ColumnarValue::Array(left), ColumnarValue::Scalar(right)) => {
                self.compute_or_fail(left, &scalar(right)?, result_type)
            }
            (ColumnarValue::Scalar(left), ColumnarValue::Array(right)) => {
                self.compute_or_fail(&scalar(left)?, right, result_type)
            }
            (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) => {
                self.compute_or_fail(&scalar(left)?, &scalar(right)?, result_type)
            }
        }
    }

    fn compute(
        &self,
        left: &ArrayRef,
        right: &ArrayRef,
        result_type: &DataType,
    ) -> Result<ArrayRef> {
        let computed = self.compute_or_fail(left, right, result_type);
        match computed {
            Err(_) if self.lenient => Ok(new_null_array(result_type, left.len())),
            other => other,
        }
    }

    /// Row by row, for a batch in which some row failed.
    fn compute_leniently(
        &self,
        left: &ArrayRef,
        right: &ArrayRef,
        result_type: &DataType,
    ) -> Result<ArrayRef> {
        let rows: Vec<ArrayRef> = (0..left.len())
            .map(|row| self.compute(&left.slice(row, 1), &right.slice(row, 1), result_type))
            .collect::<Result<_>>()?;
        let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
        concat(&rows).map_err(|error| self.arithmetic.error(&error))
    }

    fn compute_or_fail(
        &self,
        left: &dyn Datum,
        right: &dyn Datum,
        result_type: &DataType,
    ) -> Result<ArrayRef> {
        let operation = self.arithmetic.operation;
        let divides = !matches!(
            operation,
            Operation::Add | Operation::Subtract | Operation::Multiply
        );
        if divides && has_zero_divisor(left.get().0, right) {
            return Err(self.arithmetic.by_zero());
        }
        let result = match result_type {
            time if has_time(time) => {
                return super::numbers::times::compute(operation, left, right, result_type);
            }
            DataType::Decimal128(_, _) => decimal::compute(operation, left, right, result_type),
            DataType::Int64 if is_decimal(left.get().0.data_type()) => {
                decimal::integral_divide(left, right)
            }
            whole if self.wraps && whole.is_integer() => wrapped(operation, left, right),
            _ => compute_plain(operation, left, right),
        };
        result.map_err(|error| self.arithmetic.error(&error))
    }
}

impl Arithmetic {
    fn error(&self, error: &ArrowError) -> Error {
        let hint = format!(
            "use try_{}(a, b) to get NULL instead",
            match self.operation {
                Operation::Add => "add",
                Operation::Subtract => "subtract",
                Operation::Multiply => "multiply",
                Operation::Divide | Operation::IntegralDivide => "divide",
                Operation::Remainder | Operation::PositiveRemainder => "mod",
            }
        );
        match error {
            ArrowError::DivideByZero => self.by_zero(),
            ArrowError::ArithmeticOverflow(what) => {
                let what = what.trim_start_matches("Overflow happened on: ");
                let message = format!("{what} is out of the range of its type");
                Error::new(ErrorKind::Runtime, message)
                    .with_condition("ARITHMETIC_OVERFLOW")
                    .with_hint(hint)
            }
            other => Error::new(ErrorKind::Runtime, other.to_string())
                .with_condition("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION")
                .with_hint(hint),
        }
    }

    fn by_zero(&self) -> Error {
        match self.operation {
            Operation::Remainder | Operation::PositiveRemainder => {
                Error::new(ErrorKind::Runtime, "remainder by zero")
                    .with_condition("REMAINDER_BY_ZERO")
                    .with_parameter("config", ANSI_SETTING)
                    .with_hint("use try_mod(a, b) to get NULL instead, or nullif(b, 0)")
            }
            _ => Error::new(ErrorKind::Runtime, "division by zero")
                .with_condition("DIVIDE_BY_ZERO")
                .with_parameter("config", ANSI_SETTING)
                .with_hint("use try_divide(a, b) to get NULL instead, or nullif(b, 0)"),
        }
    }
}

/// What the operands are cast to, if there is such a type.
fn operand_types(operation: Operation, left: &DataType, right: &DataType) -> Option<[DataType; 2]> {
    let left = as_number(left, right)?;
    let right = as_number(right, &left)?;
    let is_exact = !left.is_floating() && !right.is_floating();
    if is_exact && (is_decimal(&left) || is_decimal(&right)) {
        return Some([decimal_of(&left)?, decimal_of(&right)?]);
    }
    let wider = match operation {
        Operation::Divide => DataType::Float64,
        Operation::IntegralDivide => DataType::Int64,
        _ if left == right => left,
        _ if left.is_integer() && right.is_integer() => {
            if left.primitive_width() >= right.primitive_width() {
                left
            } else {
                right
            }
        }
        _ => DataType::Float64,
    };
    Some([wider.clone(), wider])
}

/// The number that a value stands for: text is read as the kind of number beside it.
pub(crate) fn as_number(data_type: &DataType, beside: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Null if beside.is_numeric() => Some(beside.clone()),
        DataType::Null => Some(DataType::Float64),
        text if text.is_string() && beside.is_integer() => Some(DataType::Int64),
        text if text.is_string() => Some(DataType::Float64),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
            Some(DataType::Int64)
        }
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(..) => Some(data_type.clone()),
        _ => None,
    }
}

fn has_time(data_type: &DataType) -> bool {
    data_type.is_temporal()
}

fn is_decimal(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal128(..))
}

/// Whether a row divides something by zero.
fn has_zero_divisor(dividends: &dyn Array, right: &dyn Datum) -> bool {
    let (divisors, is_scalar) = right.get();
    let divided = |row: usize| {
        if is_scalar {
            dividends.null_count() < dividends.len()
        } else {
            // A dividend that is one for all rows stands at index 0.
            dividends.is_valid(if dividends.len() == 1 { 0 } else { row })
        }
    };
    let mut rows = 0..divisors.len();
    rows.any(|row| divisors.is_valid(row) && is_zero(divisors, row) && divided(row))
}

fn is_zero(values: &dyn Array, row: usize) -> bool {
    match values.data_type() {
        DataType::Int8 => values.as_primitive::<Int8Type>().value(row) == 0,
        DataType::Int16 => values.as_primitive::<Int16Type>().value(row) == 0,
        DataType::Int32 => values.as_primitive::<Int32Type>().value(row) == 0,
        DataType::Int64 => values.as_primitive::<Int64Type>().value(row) == 0,
        DataType::Float32 => values.as_primitive::<Float32Type>().value(row) == 0.0,
        DataType::Float64 => values.as_primitive::<Float64Type>().value(row) == 0.0,
        DataType::Decimal128(..) => values.as_primitive::<Decimal128Type>().value(row) == 0,
        _ => false,
    }
}

/// Whole numbers that begin again where they leave their range.
fn wrapped(
    operation: Operation,
    left: &dyn Datum,
    right: &dyn Datum,
) -> std::result::Result<ArrayRef, ArrowError> {
    match operation {
        Operation::Add => numeric::add_wrapping(left, right),
        Operation::Subtract => numeric::sub_wrapping(left, right),
        Operation::Multiply => numeric::mul_wrapping(left, right),
        _ => compute_plain(operation, left, right),
    }
}

/// Whole numbers and fractions.
fn compute_plain(
    operation: Operation,
    left: &dyn Datum,
    right: &dyn Datum,
) -> std::result::Result<ArrayRef, ArrowError> {
    match operation {
        Operation::Add => numeric::add(left, right),
        Operation::Subtract => numeric::sub(left, right),
        Operation::Multiply => numeric::mul(left, right),
        Operation::Divide | Operation::IntegralDivide => numeric::div(left, right),
        Operation::Remainder => numeric::rem(left, right),
        Operation::PositiveRemainder => {
            let remainder = numeric::rem(left, right)?;
            // It matters for negative remainders only, which cannot leave the range.
            let lifted = numeric::rem(&numeric::add_wrapping(&remainder, right)?, right)?;
            positive(&remainder, &lifted)
        }
    }
}

/// `lifted` where `remainder` is negative.
pub(super) fn positive(
    remainder: &ArrayRef,
    lifted: &ArrayRef,
) -> std::result::Result<ArrayRef, ArrowError> {
    let zero = ScalarValue::new_zero(remainder.data_type())
        .and_then(|zero| zero.to_scalar())
        .map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
    zip(&lt(remainder, &zero)?, lifted, remainder)
}
