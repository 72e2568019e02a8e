//! An expression and its type, known from the moment it is made.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ExprSchema;
use datafusion::logical_expr::{Expr, ExprSchemable, lit};
use datafusion::scalar::ScalarValue;

use crate::error::{Result, from_datafusion};

/// An expression with its type.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub expr: Expr,
    pub field: FieldRef,
}

impl Typed {
    /// An expression of a type that may be NULL.
    pub(super) fn new(expr: Expr, data_type: DataType) -> Self {
        let field = Arc::new(Field::new("", data_type, true));
        Self { expr, field }
    }

    /// An expression whose type DataFusion knows.
    pub(super) fn of(expr: Expr, schema: &dyn ExprSchema) -> Result<Self> {
        let (_, field) = expr.to_field(schema).map_err(from_datafusion)?;
        Ok(Self { expr, field })
    }

    /// A value as it is.
    pub(super) fn literal(value: ScalarValue) -> Self {
        let data_type = value.data_type();
        let is_null = value.is_null();
        let field = Arc::new(Field::new("", data_type, is_null));
        Self {
            expr: lit(value),
            field,
        }
    }

    /// Its type.
    pub(super) fn data_type(&self) -> &DataType {
        self.field.data_type()
    }

    /// Its value, if it is a literal.
    pub(super) fn value(&self) -> Option<&ScalarValue> {
        match &self.expr {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        }
    }
}
