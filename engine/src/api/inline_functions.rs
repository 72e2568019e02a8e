//! Functions that come with a query, in another language.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::execution::FunctionRegistry;
use prost::Message as _;

use super::Session;
use crate::connect::proto::common_inline_user_defined_function::Function;
use crate::connect::proto::{CommonInlineUserDefinedFunction, PythonUdf};
use crate::connect::{Inline, type_of};
use crate::error::{Error, Result, from_datafusion};
use crate::plan::scalar_udf_of_any;
use crate::user_functions::{ScalarFunction, UserDefinedFunction};

/// Runs functions of other languages.
pub trait InlineFunctions: Send + Sync {
    /// The body of a function of Python, which returns values of the type `returns`.
    fn python(
        &self,
        name: &str,
        function: &PythonUdf,
        returns: &DataType,
    ) -> Result<Arc<dyn UserDefinedFunction>>;
}

impl Session {
    /// Sets what runs functions of other languages. Without it they are refused.
    pub fn set_inline_functions(&self, functions: Arc<dyn InlineFunctions>) {
        *self.inner.inline_functions.write() = Some(functions);
    }

    /// Makes a function known to SQL under its own name, in the place of one of the same name.
    pub fn register_inline_function(
        &self,
        function: &CommonInlineUserDefinedFunction,
    ) -> Result<()> {
        self.register_inline(&function.function_name, function)
    }

    fn register_inline(
        &self,
        name: &str,
        function: &CommonInlineUserDefinedFunction,
    ) -> Result<()> {
        let Some(Function::PythonUdf(python)) = &function.function else {
            return Err(Error::analysis(format!(
                "the function '{}' is in a language that is not supported",
                function.function_name
            ))
            .with_condition("UNSUPPORTED_FEATURE"));
        };
        let runs = self.inner.inline_functions.read().clone();
        let runs = runs.ok_or_else(|| {
            Error::analysis(format!(
                "functions of Python are not supported here, so neither is '{}'",
                function.function_name
            ))
            .with_condition("UNSUPPORTED_FEATURE.PYTHON_UDF")
        })?;
        let output = python.output_type.as_ref();
        let output = output
            .ok_or_else(|| Error::illegal_argument("the function does not say what it returns"))?;
        let returns = type_of(output)?;
        let body = runs.python(&function.function_name, python, &returns)?;
        let udf = scalar_udf_of_any(ScalarFunction {
            name: name.to_string(),
            arguments: Vec::new(),
            returns,
            deterministic: function.deterministic,
            function: body,
        });
        let state = self.inner.context.state_ref();
        let registered = state.write().register_udf(Arc::new(udf));
        registered.map(drop).map_err(from_datafusion)
    }
}

impl Inline for Session {
    /// The same function, sent again with every query, is registered once.
    fn name_of(&self, function: &CommonInlineUserDefinedFunction) -> Result<String> {
        let mut hasher = DefaultHasher::new();
        function.deterministic.hash(&mut hasher);
        if let Some(Function::PythonUdf(python)) = &function.function {
            python.encode_to_vec().hash(&mut hasher);
        }
        let name = format!("{}#{:016x}", function.function_name, hasher.finish());
        let state = self.inner.context.state_ref();
        let is_known = state.read().scalar_functions().contains_key(&name);
        if !is_known {
            self.register_inline(&name, function)?;
        }
        Ok(name)
    }
}
