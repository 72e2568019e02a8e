//! What one item of a select list may stand for: all columns, those of a relation or a struct, those whose
//! names match a pattern.

use datafusion::logical_expr::Expr;

use super::expression::Expressions;
use super::planned::{Visible, same_name};
use super::select::Item;
use super::typed::Typed;
use crate::error::{Error, Result, quoted};
use crate::tree::{Name, Star};

impl Expressions<'_> {
    /// The columns that a star stands for: name, column, value.
    pub(super) fn star(&self, star: &Star) -> Result<Vec<(String, Option<Visible>, Typed)>> {
        let all: Vec<(String, Option<Visible>, Typed)> = match star.of.as_slice() {
            [] => {
                let shown = self.scope.columns.iter().filter(|column| !column.hidden);
                let shown = shown
                    .filter(|column| star.plan_id.is_none_or(|id| column.plan_ids.contains(&id)));
                shown.map(column_of).collect()
            }
            of => self.star_of(of, star)?,
        };
        let mut kept = all;
        for left_out in &star.except {
            let Some(name) = left_out.last() else {
                continue;
            };
            let before = kept.len();
            kept.retain(|(own, ..)| !same_name(own, name));
            if kept.len() == before {
                let names = self.scope.names();
                return Err(crate::error::unresolved_column(name, &names));
            }
        }
        Ok(kept)
    }

    /// `t.*`, or `s.*` of a struct.
    fn star_of(&self, of: &[String], star: &Star) -> Result<Vec<(String, Option<Visible>, Typed)>> {
        let Some(relation) = of.last() else {
            return Ok(Vec::new());
        };
        let own = self
            .scope
            .columns
            .iter()
            .filter(|column| column.is_of(relation) && !column.is_metadata());
        let mut own: Vec<_> = own.map(column_of).collect();
        if !own.is_empty() {
            // The keys of USING stand with their relation too.
            own.sort_by_key(|(_, visible, _)| visible.as_ref().is_none_or(|column| !column.hidden));
            return Ok(own);
        }
        let name = Name {
            parts: of.to_vec(),
            plan_id: None,
            place: star.place,
        };
        let Some(typed) = self.find(&name)? else {
            let mut relations: Vec<&str> = Vec::new();
            for column in self.scope.columns {
                if let Some(qualifier) = &column.qualifier
                    && !relations.contains(&qualifier.as_str())
                {
                    relations.push(qualifier);
                }
            }
            let columns = self.scope.columns.iter();
            let columns: Vec<_> = columns.map(|column| format!("`{}`", column.name)).collect();
            let error = Error::analysis(format!("'{}.*' names no table or struct", of.join(".")))
                .with_condition("CANNOT_RESOLVE_STAR_EXPAND")
                .with_parameter("targetString", quoted(&of.join(".")))
                .with_parameter("columns", columns.join(", "))
                .with_place(star.place);
            return Err(match relations.is_empty() {
                true => error,
                false => error.with_hint(format!("the tables are {}", relations.join(", "))),
            });
        };
        let arrow::datatypes::DataType::Struct(fields) = typed.data_type().clone() else {
            return Err(Error::analysis(format!("'{}' has no fields", of.join(".")))
                .with_condition("CANNOT_RESOLVE_STAR_EXPAND")
                .with_place(star.place));
        };
        let fields = fields.iter().map(|field| {
            let value = self.field(typed.clone(), field.name())?;
            Ok((field.name().clone(), None, value))
        });
        fields.collect()
    }

    /// The columns whose names match a pattern.
    pub(super) fn matching(&self, pattern: &str) -> Result<Vec<Item>> {
        let anchored = format!("(?i)^(?:{pattern})$");
        let regex = regex::Regex::new(&anchored).map_err(|error| {
            Error::analysis(format!("'{pattern}' is no pattern: {error}"))
                .with_condition("INVALID_PARAMETER_VALUE.PATTERN")
        })?;
        let shown = self.scope.columns.iter().filter(|column| !column.hidden);
        let matching = shown.filter(|column| regex.is_match(&column.name));
        Ok(matching
            .map(|column| {
                let (name, _, typed) = column_of(column);
                Item {
                    name,
                    qualifier: column.qualifier.clone(),
                    plan_ids: column.plan_ids.clone(),
                    is_alias: false,
                    typed,
                    generator: None,
                }
            })
            .collect())
    }
}

fn column_of(column: &Visible) -> (String, Option<Visible>, Typed) {
    let typed = Typed {
        expr: Expr::Column(column.column.clone()),
        field: column.field.clone(),
    };
    (column.name.clone(), Some(column.clone()), typed)
}
