//! Fields of structs, elements of arrays and values of maps.

use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::functions::core::{get_field, named_struct};
use datafusion::logical_expr::{Expr, lit};
use datafusion::scalar::ScalarValue;

use super::expression::Expressions;
use super::planned::same_name;
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::functions::{array_item, element_at};
use crate::type_names::sql_type;

impl Expressions<'_> {
    /// `of.name`: a field of a struct, the fields of an array's structs, a value of a map.
    pub(super) fn field(&self, of: Typed, name: &str) -> Result<Typed> {
        match of.data_type() {
            DataType::Struct(fields) => {
                let field = struct_field(fields, name)?.clone();
                let expr = get_field().call(vec![of.expr, lit(field.name().as_str())]);
                // An event time stays one.
                let nullable = field.is_nullable() || of.field.is_nullable();
                let own = Field::new(field.name(), field.data_type().clone(), nullable);
                let field = own.with_metadata(field.metadata().clone()).into();
                Ok(Typed { expr, field })
            }
            DataType::List(item) => {
                let DataType::Struct(_) = item.data_type() else {
                    return Err(no_fields(of.data_type(), name));
                };
                self.of_each(of.clone(), |element| self.field(element, name))
            }
            DataType::Map(..) => {
                let key = Typed::literal(ScalarValue::from(name));
                self.item(of, key)
            }
            other => Err(no_fields(other, name)),
        }
    }

    /// `of[key]`.
    pub(super) fn item(&self, of: Typed, key: Typed) -> Result<Typed> {
        match of.data_type() {
            DataType::List(_) => {
                let key = self.cast_to(key, &DataType::Int64)?;
                self.invoke(&array_item().into(), vec![of, key])
            }
            DataType::Map(..) => self.invoke(&element_at().into(), vec![of, key]),
            DataType::Struct(_) => match key.value().and_then(ScalarValue::try_as_str).flatten() {
                Some(name) => {
                    let name = name.to_string();
                    self.field(of, &name)
                }
                None => Err(Error::analysis("a struct's field is named by a text")
                    .with_condition("INVALID_EXTRACT_FIELD_TYPE")),
            },
            other => Err(no_fields(other, "[…]")),
        }
    }
}

/// A struct of named values.
pub(super) fn structure(parts: Vec<(String, Typed)>) -> Typed {
    let fields = parts
        .iter()
        .map(|(name, typed)| Field::new(name, typed.data_type().clone(), true));
    let data_type = DataType::Struct(fields.collect::<Fields>());
    let arguments = parts
        .into_iter()
        .flat_map(|(name, typed)| [lit(name), typed.expr]);
    let expr: Expr = named_struct().call(arguments.collect());
    let field = Field::new("", data_type, false).into();
    Typed { expr, field }
}

/// A struct's field, whatever the case of its name; that of the very case first.
fn struct_field<'f>(fields: &'f Fields, name: &str) -> Result<&'f FieldRef> {
    if let Some(exact) = fields.iter().find(|field| field.name() == name) {
        return Ok(exact);
    }
    let mut found = fields.iter().filter(|field| same_name(field.name(), name));
    match (found.next(), found.next()) {
        (Some(field), None) => Ok(field),
        (Some(_), Some(_)) => Err(Error::analysis(format!(
            "the struct has more than one field '{name}'"
        ))
        .with_condition("AMBIGUOUS_REFERENCE_TO_FIELDS")),
        (None, _) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
            Err(Error::analysis(format!("field '{name}' does not exist"))
                .with_condition("FIELD_NOT_FOUND")
                .with_parameter("fieldName", format!("`{name}`"))
                .with_parameter("fields", format!("`{}`", names.join("`, `")))
                .with_hint(format!("the fields are {}", names.join(", "))))
        }
    }
}

pub(super) fn no_fields(data_type: &DataType, name: &str) -> Error {
    Error::analysis(format!(
        "cannot access field '{name}' of a value of type {}",
        sql_type(data_type)
    ))
    .with_condition("INVALID_EXTRACT_BASE_FIELD_TYPE")
    .with_hint("only structs and maps have fields")
}
