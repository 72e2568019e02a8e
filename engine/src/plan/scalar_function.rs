//! A user's scalar function as DataFusion calls it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use crate::cancellation::cancellation_of;
use crate::error::{Error, Result};
use crate::type_names::sql_type;
use crate::user_functions::{ScalarFunction, call_user_code, shown_name};

/// The function as a session registers it.
pub(crate) fn scalar_udf(function: ScalarFunction) -> ScalarUDF {
    made(function, false)
}

/// The same for a function that takes any number of arguments of any types, as they are.
pub(crate) fn scalar_udf_of_any(function: ScalarFunction) -> ScalarUDF {
    made(function, true)
}

fn made(function: ScalarFunction, of_any: bool) -> ScalarUDF {
    let lower = function.name.to_lowercase();
    let volatility = match function.deterministic {
        true => Volatility::Immutable,
        false => Volatility::Volatile,
    };
    ScalarUDF::from(UserFunction {
        aliases: (lower != function.name)
            .then_some(lower)
            .into_iter()
            .collect(),
        signature: Signature::user_defined(volatility),
        of_any,
        function,
    })
}

/// Whether a function is one that a user wrote.
pub(crate) fn is_user_function(function: &ScalarUDF) -> bool {
    function.inner().is::<UserFunction>()
}

#[derive(Debug)]
struct UserFunction {
    function: ScalarFunction,
    /// Whether it takes whatever it is given.
    of_any: bool,
    /// SQL looks functions up in lower case.
    aliases: Vec<String>,
    signature: Signature,
}

impl UserFunction {
    fn address(&self) -> usize {
        Arc::as_ptr(&self.function.function).addr()
    }

    fn call(&self, args: &ScalarFunctionArgs, rows: usize) -> Result<ArrayRef> {
        let function = &self.function;
        if rows == 0 {
            return Ok(new_empty_array(&function.returns));
        }
        let arguments = args
            .args
            .iter()
            .map(|argument| argument.to_array(rows))
            .collect::<DataFusionResult<Vec<_>>>()
            .map_err(crate::error::from_datafusion)?;
        let cancellation = cancellation_of(&args.config_options);
        let value = call_user_code(shown_name(&function.name), &cancellation, || {
            function.function.call(&arguments, rows, &cancellation)
        })?;
        self.check(value, rows)
    }

    fn check(&self, value: ArrayRef, rows: usize) -> Result<ArrayRef> {
        let ScalarFunction { name, returns, .. } = &self.function;
        let name = shown_name(name);
        let wrong = if value.len() != rows {
            format!("returned {} values for {rows} rows", value.len())
        } else if value.data_type() != returns {
            let (given, returns) = (sql_type(value.data_type()), sql_type(returns));
            format!("returned values of type {given}, but it was declared to return {returns}")
        } else {
            return Ok(value);
        };
        Err(Error::runtime(format!("function '{name}' {wrong}"))
            .with_condition("FAILED_EXECUTE_UDF"))
    }
}

impl PartialEq for UserFunction {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name && self.address() == other.address()
    }
}

impl Eq for UserFunction {}

impl Hash for UserFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.address().hash(state);
    }
}

impl ScalarUDFImpl for UserFunction {
    fn name(&self) -> &str {
        &self.function.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What cannot be cast stays as it is: `return_type` then says what is wrong, where
    /// DataFusion passes the error on unchanged.
    fn coerce_types(&self, given: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        if self.of_any {
            return Ok(given.to_vec());
        }
        let declared = self.function.arguments.iter().map(Some);
        let declared = declared.chain(std::iter::repeat(None));
        let coerced = given.iter().zip(declared).map(|(given, declared)| {
            let target = declared.filter(|declared| can_be_cast(given, declared));
            target.unwrap_or(given).clone()
        });
        Ok(coerced.collect())
    }

    fn return_type(&self, given: &[DataType]) -> DataFusionResult<DataType> {
        let ScalarFunction {
            name, arguments, ..
        } = &self.function;
        if self.of_any {
            return Ok(self.function.returns.clone());
        }
        if given.len() != arguments.len() {
            let wanted = match arguments.len() {
                1 => "1 argument".to_string(),
                wanted => format!("{wanted} arguments"),
            };
            return Err(Error::analysis(format!(
                "function '{name}' takes {wanted}, {} given",
                match given.len() {
                    1 => "1 was".to_string(),
                    given => format!("{given} were"),
                }
            ))
            .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
            .into());
        }
        let mut pairs = given.iter().zip(arguments).enumerate();
        let wrong = pairs.find(|(_, (given, wanted))| given != wanted);
        if let Some((index, (given, wanted))) = wrong {
            let (given, wanted) = (sql_type(given), sql_type(wanted));
            return Err(Error::analysis(format!(
                "argument {} of function '{name}' must be {wanted}, but it is {given}",
                index + 1
            ))
            .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
            .into());
        }
        Ok(self.function.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let scalar = |argument: &ColumnarValue| matches!(argument, ColumnarValue::Scalar(_));
        if self.function.deterministic && args.number_rows > 0 && args.args.iter().all(scalar) {
            let value = self.call(&args, 1)?;
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &value, 0,
            )?));
        }
        let rows = args.number_rows;
        Ok(ColumnarValue::Array(self.call(&args, rows)?))
    }
}

/// Whether Spark casts implicitly, in ANSI mode: strings to any plain type, numbers to numbers,
/// plain types to strings, times to times; what is inside a nested type likewise.
fn can_be_cast(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, List, Map, Null, Struct, Timestamp, Utf8};
    match (from, to) {
        _ if from == to => true,
        (Null, _) => true,
        (List(from), List(to)) => can_be_cast(from.data_type(), to.data_type()),
        (Map(from, _), Map(to, _)) => can_be_cast(from.data_type(), to.data_type()),
        (Struct(from), Struct(to)) => {
            from.len() == to.len()
                && from
                    .iter()
                    .zip(to)
                    .all(|(from, to)| can_be_cast(from.data_type(), to.data_type()))
        }
        _ if from.is_nested() || to.is_nested() => false,
        (from, _) if from.is_string() => true,
        (_, Utf8) => true,
        (Date32 | Timestamp(_, _), Date32 | Timestamp(TimeUnit::Microsecond, _)) => true,
        _ => from.is_numeric() && to.is_numeric(),
    }
}
