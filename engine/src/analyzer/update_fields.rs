//! `withField` and `dropFields`: structs with fields added, replaced or left out. A chain of them is one
//! struct that is built once.

use datafusion::logical_expr::{lit, when};
use datafusion::scalar::ScalarValue;

use arrow::datatypes::DataType;

use super::expression::Expressions;
use super::planned::same_name;
use super::struct_fields::{no_fields, structure};
use super::typed::Typed;
use crate::error::{Error, Result, from_datafusion};
use crate::tree::Expression;

/// One change: the path of names to the field, and its new value; none leaves it out.
type Change<'e> = (&'e str, Option<&'e Expression>);

/// A value, or a struct that is taken apart to be changed.
#[derive(Debug)]
enum Part {
    Whole(Typed),
    Fields {
        of: Typed,
        fields: Vec<(String, Part)>,
    },
}

impl Expressions<'_> {
    /// A struct with a field added, replaced or left out, and those changes that were made before.
    pub(super) fn update_fields(&self, updated: &Expression) -> Result<Typed> {
        let mut changes: Vec<Change<'_>> = Vec::new();
        let mut of = updated;
        while let Expression::UpdateFields {
            of: inner,
            name,
            value,
        } = of
        {
            changes.push((name.as_str(), value.as_deref()));
            of = inner;
        }
        let mut whole = Part::Whole(self.plan(of)?);
        for (name, value) in changes.into_iter().rev() {
            let value = value.map(|value| self.plan(value)).transpose()?;
            let path: Vec<&str> = name.split('.').collect();
            self.change(&mut whole, &path, value)?;
        }
        whole.built()
    }

    /// Changes the field at the end of `path`.
    fn change(&self, part: &mut Part, path: &[&str], value: Option<Typed>) -> Result<()> {
        let Some((name, rest)) = path.split_first() else {
            return Ok(());
        };
        let fields = self.taken_apart(part, name)?;
        if rest.is_empty() {
            let is_named = |(own, _): &(String, Part)| same_name(own, name);
            let Some(value) = value else {
                fields.retain(|field| !is_named(field));
                return match fields.is_empty() {
                    true => Err(Error::analysis("a struct keeps one field at least")
                        .with_condition("DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS")
                        .with_hint("leave out the struct itself: drop(\"column\")")),
                    false => Ok(()),
                };
            };
            if !fields.iter().any(is_named) {
                fields.push((name.to_string(), Part::Whole(value)));
                return Ok(());
            }
            let same = fields.iter_mut().filter(|(own, _)| same_name(own, name));
            for (_, part) in same {
                *part = Part::Whole(value.clone());
            }
            return Ok(());
        }
        let mut same = fields.iter_mut().filter(|(own, _)| same_name(own, name));
        let Some((_, part)) = same.next() else {
            let names: Vec<&str> = fields.iter().map(|(own, _)| own.as_str()).collect();
            return Err(Error::analysis(format!("field '{name}' does not exist"))
                .with_condition("FIELD_NOT_FOUND")
                .with_parameter("fieldName", format!("`{name}`"))
                .with_parameter("fields", format!("`{}`", names.join("`, `")))
                .with_hint(format!("the fields are {}", names.join(", "))));
        };
        self.change(part, rest, value)
    }

    /// The fields of a struct, which is no whole any more; `name` is what is looked for in it.
    fn taken_apart<'p>(
        &self,
        part: &'p mut Part,
        name: &str,
    ) -> Result<&'p mut Vec<(String, Part)>> {
        if let Part::Whole(of) = part {
            let DataType::Struct(names) = of.data_type() else {
                return Err(no_fields(of.data_type(), name));
            };
            let fields = names.iter().map(|field| {
                let own = self.field(of.clone(), field.name())?;
                Ok((field.name().clone(), Part::Whole(own)))
            });
            let fields = fields.collect::<Result<_>>()?;
            *part = Part::Fields {
                of: of.clone(),
                fields,
            };
        }
        match part {
            Part::Fields { fields, .. } => Ok(fields),
            Part::Whole(_) => Err(Error::internal("a struct was not taken apart")),
        }
    }
}

impl Part {
    /// The value; of a struct that is NULL, NULL.
    fn built(self) -> Result<Typed> {
        let (of, fields) = match self {
            Self::Whole(typed) => return Ok(typed),
            Self::Fields { of, fields } => (of, fields),
        };
        let fields = fields.into_iter();
        let fields = fields.map(|(name, part)| Ok((name, part.built()?)));
        let built = structure(fields.collect::<Result<_>>()?);
        if !of.field.is_nullable() {
            return Ok(built);
        }
        let data_type = built.data_type().clone();
        let nothing = lit(ScalarValue::try_from(&data_type).map_err(from_datafusion)?);
        let expr = when(of.expr.is_null(), nothing)
            .otherwise(built.expr)
            .map_err(from_datafusion)?;
        Ok(Typed::new(expr, data_type))
    }
}
