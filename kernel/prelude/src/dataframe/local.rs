//! Data frames of rows that the cell has: a projection without input per row, put together.

use super::DataFrame;
use crate::column::{Column, Operand as _};
use crate::error::{Error, Result};
use crate::plan::expression::Expression;
use crate::plan::relation::{Relation, SetOp};
use crate::row::{Row, Value};
use crate::types::{DataType, StructField};

impl DataFrame {
    /// The data frame of these rows; their values are cast to the types of the schema.
    pub(crate) fn local(rows: &[Row], schema: &DataType) -> Result<Self> {
        let fields = schema.fields();
        if fields.is_empty() {
            return Err(
                Error::new("a data frame needs a schema with at least one column")
                    .with_hint("DataType::from_ddl(\"user STRING, amount DOUBLE\")?"),
            );
        }
        if let Some(row) = rows.iter().find(|row| row.len() != fields.len()) {
            let (values, columns) = (row.len(), fields.len());
            return Err(Error::new(format!(
                "row {row} has {values} values for {columns} columns"
            )));
        }
        let rows: Vec<Relation> = rows.iter().map(|row| one(row.values(), fields)).collect();
        let relation = union(&rows).unwrap_or_else(|| none(fields));
        Ok(Self::new(relation, false))
    }
}

/// A union of many is a balanced tree, so that it is not nested deeper than decoders allow.
fn union(rows: &[Relation]) -> Option<Relation> {
    match rows {
        [] => None,
        [one] => Some(one.clone()),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            Some(union(left)?.set_op(&union(right)?, SetOp::Union, true, None))
        }
    }
}

fn none(fields: &[StructField]) -> Relation {
    let nulls = vec![Value::Null; fields.len()];
    one(&nulls, fields).filter(false.into_operand().expression())
}

fn one(values: &[Value], fields: &[StructField]) -> Relation {
    let columns = values.iter().zip(fields).map(|(value, field)| {
        let value = literal(value).cast_str(&field.data_type.simple_string());
        value.alias(&field.name).into_expression()
    });
    Relation::of_nothing(&columns.collect::<Vec<_>>())
}

/// A nested value is built by the function of its type, which every engine has.
fn literal(value: &Value) -> Column {
    match value {
        Value::List(items) => Column::call("array", items.iter().map(literal)),
        Value::Map(map) => {
            let pairs = map
                .iter()
                .flat_map(|(key, value)| [key.into_operand(), literal(value)]);
            Column::call("map", pairs)
        }
        Value::Struct(fields) => {
            let pairs = fields
                .iter()
                .flat_map(|(name, value)| [name.into_operand(), literal(value)]);
            Column::call("named_struct", pairs)
        }
        Value::Decimal { value, .. } => value.into_operand(),
        plain => Column::new(Expression::Literal(plain.clone())),
    }
}
