//! Casts: those that a query writes, and those that types make necessary.

use arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::{cast, lit, try_cast};
use datafusion::scalar::ScalarValue;

use super::expression::Expressions;
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::functions::{can_cast, check_time_type, spark_cast};
use crate::tree::Expression;
use crate::type_names::sql_type;

impl Expressions<'_> {
    /// `CAST(x AS type)`.
    pub(super) fn cast(&self, written: &Expression, to: &DataType, lenient: bool) -> Result<Typed> {
        let typed = self.plan(written)?;
        let from = typed.data_type().clone();
        if !can_cast(&from, to) {
            return Err(Error::analysis(format!(
                "a value of type {} cannot be cast to {}",
                sql_type(&from),
                sql_type(to)
            ))
            .with_condition("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"));
        }
        let is_of_time = matches!(to, DataType::Time64(_)) && &from != to;
        check_time_type(self.analyzer.session.config_options(), is_of_time)?;
        converted(typed, to, lenient)
    }

    /// The value as one of type `to`; what cannot be cast fails.
    pub(super) fn cast_to(&self, typed: Typed, to: &DataType) -> Result<Typed> {
        cast_to(typed, to)
    }
}

/// The value as one of type `to`; what cannot be cast fails.
pub(super) fn cast_to(typed: Typed, to: &DataType) -> Result<Typed> {
    converted(typed, to, false)
}

fn converted(typed: Typed, to: &DataType, lenient: bool) -> Result<Typed> {
    let from = typed.data_type().clone();
    if &from == to {
        return Ok(typed);
    }
    // What is no literal may still fail or have to be computed: raise_error('no').
    if from.is_null() && typed.value().is_some() {
        let value = ScalarValue::try_from(to).map_err(from_datafusion)?;
        return Ok(Typed::literal(value));
    }
    if let Some(value) = typed.value()
        && is_widening(&from, to)
        && let Ok(wider) = value.cast_to(to)
    {
        return Ok(Typed {
            expr: lit(wider),
            field: Field::new("", to.clone(), typed.field.is_nullable()).into(),
        });
    }
    let expr = match spark_cast(&from, to, lenient) {
        Some(function) => function.call(vec![typed.expr]),
        None if lenient => try_cast(typed.expr, to.clone()),
        None => cast(typed.expr, to.clone()),
    };
    let nullable = typed.field.is_nullable() || lenient || from.is_string();
    let field = Field::new("", to.clone(), nullable).into();
    Ok(Typed { expr, field })
}

/// Whether every value of a type is one of another.
fn is_widening(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (from, to) if from.is_integer() && to.is_integer() => {
            from.primitive_width() < to.primitive_width()
        }
        (DataType::Int8 | DataType::Int16 | DataType::Int32, DataType::Float64) => true,
        _ => false,
    }
}
