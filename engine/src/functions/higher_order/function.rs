//! A function that takes functions as one row of a table, and what one call of it has.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take_arrays;
use arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::LambdaArgument;

use crate::error::{Error, Result, from_datafusion};
use crate::functions::arguments::{argument, arguments};
use crate::functions::collections::entries::key_and_value;
use crate::functions::takes::Takes;
use crate::type_names::sql_type;

/// One function. Its values stand before its lambdas.
pub(super) struct HigherOrder {
    /// Spark's name, in lower case.
    pub name: &'static str,
    /// Its other names.
    pub aliases: &'static [&'static str],
    /// What its values may be.
    pub values: &'static [&'static [Takes]],
    /// How many lambdas it takes: at least and at most.
    pub lambdas: (usize, usize),
    /// The types of the variables that each lambda may have, of which it is not known what they give.
    pub variables: fn(&Types<'_>) -> Result<Vec<Vec<DataType>>>,
    /// What it gives.
    pub returns: fn(&Types<'_>) -> Result<DataType>,
    /// Computes all rows.
    pub call: fn(&Call<'_>) -> Result<ArrayRef>,
    /// What it gives, in one sentence: the documentation.
    pub doc: &'static str,
    /// A query that shows it.
    pub example: &'static str,
}

/// The types of a call's arguments.
pub(super) struct Types<'a> {
    pub name: &'static str,
    pub values: &'a [DataType],
    /// What the lambdas give.
    pub bodies: &'a [DataType],
}

impl Types<'_> {
    /// The type of one of the values.
    pub(super) fn value(&self, index: usize) -> Result<&DataType> {
        argument(self.name, self.values, index)
    }

    /// What one of the lambdas gives.
    pub(super) fn body(&self, index: usize) -> Result<&DataType> {
        argument(self.name, self.bodies, index)
    }

    /// The first value's type, if the first lambda gives a truth.
    pub(super) fn if_predicate(&self) -> Result<&DataType> {
        match self.body(0)? {
            DataType::Boolean | DataType::Null => self.value(0),
            other => Err(wrong_body(self.name, "BOOLEAN", other)),
        }
    }
}

/// A lambda gives something else than it must.
pub(super) fn wrong_body(function: &str, expected: &str, given: &DataType) -> Error {
    Error::analysis(format!(
        "the lambda of {function} must give {expected}, but it gives {}",
        sql_type(given)
    ))
    .with_condition("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE")
    .with_hint("cast it: x -> CAST(… AS type)")
}

/// The arguments of one batch.
pub(super) struct Call<'a> {
    pub name: &'static str,
    /// Arrays of `rows` values.
    pub values: Vec<ArrayRef>,
    pub lambdas: Vec<&'a LambdaArgument>,
    pub rows: usize,
    /// The type that the value must have.
    pub returns: &'a DataType,
}

impl Call<'_> {
    /// One of the values.
    pub(super) fn value(&self, index: usize) -> Result<&ArrayRef> {
        argument(self.name, &self.values, index)
    }

    /// The first ones.
    pub(super) fn first<const N: usize>(&self) -> Result<&[ArrayRef; N]> {
        arguments(self.name, &self.values)
    }

    /// What a lambda gives for its variables, which are equally long. `rows` says from which row each
    /// of their values is: the columns that the lambda names are those of that row.
    pub(super) fn evaluate(
        &self,
        lambda: usize,
        variables: &[ArrayRef],
        rows: &UInt32Array,
    ) -> Result<ArrayRef> {
        let given: Vec<_> = variables
            .iter()
            .map(|variable| move || -> DataFusionResult<ArrayRef> { Ok(ArrayRef::clone(variable)) })
            .collect();
        let given: Vec<&dyn Fn() -> DataFusionResult<ArrayRef>> =
            given.iter().map(|variable| variable as _).collect();
        let captured = |columns: &[ArrayRef]| Ok(take_arrays(columns, rows, None)?);
        let body = argument(self.name, &self.lambdas, lambda)?;
        let body = body.evaluate(&given, captured);
        let length = variables.first().map_or(0, |variable| variable.len());
        body.and_then(|values| values.into_array(length))
            .map_err(from_datafusion)
    }
}

/// The type of an array's elements.
pub(super) fn element(array: &DataType) -> DataType {
    match array {
        DataType::List(item) => item.data_type().clone(),
        _ => DataType::Null,
    }
}

/// The types of a map's keys and values.
pub(super) fn entry(map: &DataType) -> Result<[DataType; 2]> {
    let (key, value) = key_and_value(map)?;
    Ok([key.data_type().clone(), value.data_type().clone()])
}
