//! The rows of the tables, as a session registers them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDF, HigherOrderUDFImpl, LambdaParametersProgress, ValueOrLambda, Volatility,
};

use super::function::{Call, HigherOrder, Types};
use crate::error::{Error, Result};
use crate::functions::takes::coerced;

/// A row's function.
pub(super) fn udf(row: &'static HigherOrder) -> Arc<HigherOrderUDF> {
    Arc::new(HigherOrderUDF::new_from_impl(Registered {
        row,
        aliases: row.aliases.iter().map(ToString::to_string).collect(),
        signature: HigherOrderSignature::user_defined(Volatility::Immutable),
    }))
}

struct Registered {
    row: &'static HigherOrder,
    aliases: Vec<String>,
    signature: HigherOrderSignature,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row.name)
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.row, other.row)
    }
}

impl Eq for Registered {}

impl Hash for Registered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.row.name.hash(state);
    }
}

impl HigherOrderUDFImpl for Registered {
    fn name(&self) -> &str {
        self.row.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        Ok(coerced(self.row.name, self.row.values, types)?)
    }

    fn lambda_parameters(
        &self,
        _step: usize,
        fields: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> DataFusionResult<LambdaParametersProgress> {
        let (values, lambdas) = parted(fields);
        self.check_count(lambdas.len())?;
        let mut variables = (self.row.variables)(&Types {
            name: self.row.name,
            values: &types(&values),
            bodies: &[],
        })?;
        variables.truncate(lambdas.len());
        let field = |data_type| Arc::new(Field::new("", data_type, true));
        let fields = variables
            .into_iter()
            .map(|types| types.into_iter().map(field).collect());
        Ok(LambdaParametersProgress::Complete(fields.collect()))
    }

    fn return_field_from_args(
        &self,
        args: HigherOrderReturnFieldArgs<'_>,
    ) -> DataFusionResult<FieldRef> {
        let (values, lambdas) = parted(args.arg_fields);
        self.check_count(lambdas.len())?;
        let data_type = (self.row.returns)(&Types {
            name: self.row.name,
            values: &types(&values),
            bodies: &types(&lambdas),
        })?;
        Ok(Arc::new(Field::new(self.row.name, data_type, true)))
    }

    /// What stands behind NULL is not looked at.
    fn clear_null_values(&self) -> bool {
        false
    }

    fn invoke_with_args(&self, args: HigherOrderFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let (values, lambdas) = parted(&args.args);
        let values = values
            .into_iter()
            .map(|value| value.to_array(args.number_rows));
        let values = (self.row.call)(&Call {
            name: self.row.name,
            values: values.collect::<DataFusionResult<_>>()?,
            lambdas,
            rows: args.number_rows,
            returns: args.return_field.data_type(),
        })?;
        Ok(ColumnarValue::Array(values))
    }
}

impl Registered {
    fn check_count(&self, lambdas: usize) -> Result<()> {
        let (least, most) = self.row.lambdas;
        if (least..=most).contains(&lambdas) {
            return Ok(());
        }
        Err(
            Error::analysis(format!("{} got {lambdas} lambdas", self.row.name))
                .with_condition("WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
                .with_hint(self.row.example),
        )
    }
}

fn parted<V, L>(arguments: &[ValueOrLambda<V, L>]) -> (Vec<&V>, Vec<&L>) {
    let (mut values, mut lambdas) = (Vec::new(), Vec::new());
    for argument in arguments {
        match argument {
            ValueOrLambda::Value(value) => values.push(value),
            ValueOrLambda::Lambda(lambda) => lambdas.push(lambda),
        }
    }
    (values, lambdas)
}

fn types(fields: &[&FieldRef]) -> Vec<DataType> {
    fields
        .iter()
        .map(|field| field.data_type().clone())
        .collect()
}
