//! `monotonically_increasing_id()`, which streams cannot have: known by name, to be refused.

use arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;

/// Its name.
pub(super) const MONOTONICALLY_INCREASING_ID: &str = "monotonically_increasing_id";

/// The function as SQL finds it.
pub(crate) fn row_id_functions() -> Vec<ScalarUDF> {
    vec![ScalarUDF::from(MonotonicallyIncreasingId {
        signature: Signature::nullary(Volatility::Volatile),
    })]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MonotonicallyIncreasingId {
    signature: Signature,
}

impl ScalarUDFImpl for MonotonicallyIncreasingId {
    fn name(&self) -> &str {
        MONOTONICALLY_INCREASING_ID
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let message = format!("{} is not supported in this version", self.name());
        let hint = "use row_number() OVER (ORDER BY …)";
        Err(Error::analysis(message).with_hint(hint).into())
    }
}
