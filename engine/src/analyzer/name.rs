//! Names: variables of lambdas, columns, fields of columns, lateral aliases, columns of the query
//! outside.

use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::Expr;

use super::expression::Expressions;
use super::input_file::{NO_METADATA, is_of_metadata};
use super::planned::{PLACE, Visible, same_name};
use super::scope::Scope;
use super::typed::Typed;
use crate::error::{Error, Result, quoted, unresolved_column};
use crate::sql::WITHOUT_PARENTHESES;
use crate::tree::Name;

impl Expressions<'_> {
    /// What a name means here.
    pub(super) fn name(&self, name: &Name) -> Result<Typed> {
        let found = self
            .find(name)
            .map_err(|error| error.with_place(name.place))?;
        if let Some(typed) = found {
            return Ok(typed);
        }
        if let [word] = name.parts.as_slice()
            && name.plan_id.is_none()
        {
            let word = word.to_lowercase();
            if WITHOUT_PARENTHESES.contains(&word.as_str()) || word == "user" {
                return self.registered(&word, Vec::new(), name.place);
            }
        }
        let shown = name.parts.join(".");
        if name.plan_id.is_some() {
            return Err(Error::analysis(format!(
                "the frame whose column '{shown}' is asked for is no part of this one, or has lost it"
            ))
            .with_condition("CANNOT_RESOLVE_DATAFRAME_COLUMN")
            .with_hint(format!("name the column without its frame: col(\"{shown}\")"))
            .with_place(name.place));
        }
        let error = unresolved_column(&shown, &self.scope.names()).with_place(name.place);
        Err(match is_of_metadata(name) {
            true => error.with_hint(NO_METADATA),
            false => error,
        })
    }

    /// `column.field`, if a name is that of a struct's field.
    pub(super) fn path_of(&self, name: &Name) -> Option<String> {
        if name.parts.len() < 2 || !self.variables.is_empty() {
            return None;
        }
        let (_, fields) = lookup(self.scope.columns, name).ok()??;
        let start = name.parts.len().checked_sub(fields.len() + 1)?;
        let path = name.parts.get(start..)?;
        (!fields.is_empty()).then(|| path.join("."))
    }

    /// The same, `None` if it means nothing.
    pub(super) fn find(&self, name: &Name) -> Result<Option<Typed>> {
        if name.plan_id.is_none()
            && let Some((first, fields)) = name.parts.split_first()
        {
            let mut variables = self.variables.iter().rev();
            if let Some(variable) = variables.find(|variable| same_name(&variable.name, first)) {
                return self.fields(variable.typed.clone(), fields).map(Some);
            }
            // Inside of an aggregate a name is that of a column, and so is one with its relation.
            let is_column = self.inside_aggregate || !fields.is_empty();
            if (is_column || !self.scope.keys.is_empty())
                && let Ok(Some(typed)) = self.column(self.scope, name, false)
                && (is_column || self.scope.keys.contains(&typed.expr))
            {
                return Ok(Some(typed));
            }
            let outputs = self.scope.outputs.iter();
            let outputs: Vec<&Typed> = outputs
                .filter(|(output, _)| same_name(output, first))
                .map(|(_, typed)| typed)
                .collect();
            if let Some(one) = outputs.first() {
                if outputs.iter().any(|other| other.expr != one.expr) {
                    return Err(ambiguous(first, &[]));
                }
                return self.fields((*one).clone(), fields).map(Some);
            }
        }
        if let Some(typed) = self.column(self.scope, name, false)? {
            return Ok(Some(typed));
        }
        if let Some((first, fields)) = name.parts.split_first() {
            let mut aliases = self.scope.aliases.iter().enumerate().rev();
            let is_first = |(_, (alias, _)): &(usize, &(String, Typed))| same_name(alias, first);
            if let Some((at, (_, typed))) = aliases.find(is_first) {
                let mut others = aliases.filter(is_first);
                if at >= self.scope.windows {
                    self.check_lateral(first)?;
                }
                if others.any(|(_, (_, other))| other.expr != typed.expr) {
                    return Err(Error::analysis(format!("'{first}' names two select items"))
                        .with_condition("AMBIGUOUS_LATERAL_COLUMN_ALIAS"));
                }
                check_alias(first, typed)?;
                return self.fields(typed.clone(), fields).map(Some);
            }
        }
        let mut outer = self.scope.outer;
        while let Some(scope) = outer {
            if let Some(typed) = self.column(scope, name, true)? {
                return Ok(Some(typed));
            }
            outer = scope.outer;
        }
        self.analyzer.metadata.look_for(name);
        Ok(None)
    }

    /// Whether an item of the select list can be named here by one that comes after it.
    fn check_lateral(&self, name: &str) -> Result<()> {
        let (condition, place) = match (self.inside_window, self.inside_aggregate) {
            (true, _) => ("LATERAL_COLUMN_ALIAS_IN_WINDOW", "a window expression"),
            (_, true) => ("LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC", "an aggregate"),
            _ => return Ok(()),
        };
        Err(Error::analysis(format!(
            "'{name}' is named in the select list that computes it, inside of {place}"
        ))
        .with_condition(format!("UNSUPPORTED_FEATURE.{condition}"))
        .with_hint(format!(
            "compute it in a subquery: SELECT … FROM (SELECT … AS {name} …)"
        )))
    }

    /// A column of `scope`, or a field of one.
    fn column(&self, scope: &Scope<'_>, name: &Name, is_outer: bool) -> Result<Option<Typed>> {
        let Some((column, fields)) = lookup(scope.columns, name)? else {
            return Ok(None);
        };
        let field = Arc::clone(&column.field);
        let expr = match is_outer {
            true => Expr::OuterReferenceColumn(Arc::clone(&field), column.column.clone()),
            false => Expr::Column(column.column.clone()),
        };
        self.fields(Typed { expr, field }, fields).map(Some)
    }

    /// `typed.a.b`
    fn fields(&self, typed: Typed, fields: &[String]) -> Result<Typed> {
        fields
            .iter()
            .try_fold(typed, |of, name| self.field(of, name))
    }
}

/// How large an expression may become by naming others in it.
const MAX_ALIASED: usize = 10_000;

/// A select item is computed again where another one names it: that must not take for ever.
fn check_alias(name: &str, typed: &Typed) -> Result<()> {
    let mut nodes = 0;
    let visited = typed.expr.apply(|_| {
        nodes += 1;
        Ok(match nodes > MAX_ALIASED {
            true => TreeNodeRecursion::Stop,
            false => TreeNodeRecursion::Continue,
        })
    });
    visited.map_err(crate::error::from_datafusion)?;
    if nodes <= MAX_ALIASED {
        return Ok(());
    }
    Err(Error::analysis(format!(
        "'{name}' has become too large to be named in the select list that computes it"
    ))
    .with_condition("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS")
    .with_hint(format!(
        "compute it in a subquery: SELECT …, {name} FROM (SELECT … AS {name} …)"
    )))
}

/// The column that a name means, and the fields behind it. With its relation in front it goes before
/// one whose field it would be.
pub(super) fn lookup<'v, 'n>(
    columns: &'v [Visible],
    name: &'n Name,
) -> Result<Option<(&'v Visible, &'n [String])>> {
    let parts = name.parts.as_slice();
    if let [place] = parts
        && let Some(index) = place.strip_prefix(PLACE)
    {
        let mut shown = columns.iter().filter(|column| !column.hidden);
        let column = index.parse().ok().and_then(|index| shown.nth(index));
        return Ok(column.map(|column| (column, &[][..])));
    }
    // The frame itself goes before one that was made of it.
    let distance = |column: &Visible| {
        let id = name.plan_id?;
        let at = column.plan_ids.iter().rposition(|own| *own == id)?;
        Some(column.plan_ids.len() - at)
    };
    let is_named = |column: &&Visible| parts.iter().any(|part| column.is_named(part));
    let named = columns.iter().filter(is_named);
    let nearest = named.filter_map(distance).min();
    if name.plan_id.is_some() && nearest.is_none() {
        return Ok(None);
    }
    let in_frame = |column: &&Visible| nearest.is_none() || distance(column) == nearest;
    // `catalog.schema.table.column` and `schema.table.column` are `table.column`.
    for qualified in (1..parts.len().min(4)).rev() {
        let ([.., qualifier], [column, fields @ ..]) = parts.split_at(qualified) else {
            continue;
        };
        let found = columns
            .iter()
            .filter(|visible| visible.is_of(qualifier) && visible.is_named(column))
            .filter(in_frame);
        if let Some(column) = only(found, name)? {
            return Ok(Some((column, fields)));
        }
    }
    let Some((first, fields)) = parts.split_first() else {
        return Ok(None);
    };
    let found = columns
        .iter()
        .filter(|visible| visible.is_named(first))
        .filter(|visible| !visible.hidden || visible.is_metadata() || nearest.is_some())
        .filter(in_frame);
    Ok(only(found, name)?.map(|column| (column, fields)))
}

/// The only one of several columns; none if there are none.
fn only<'v>(found: impl Iterator<Item = &'v Visible>, name: &Name) -> Result<Option<&'v Visible>> {
    let found: Vec<&Visible> = found.collect();
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        [one, others @ ..] if others.iter().all(|other| other.column == one.column) => {
            Ok(Some(one))
        }
        many => {
            let mut first = many.iter().filter(|column| !column.again);
            match (first.next(), first.next()) {
                (Some(one), None) => Ok(Some(one)),
                _ => Err(ambiguous(&name.parts.join("."), many)),
            }
        }
    }
}

fn ambiguous(name: &str, candidates: &[&Visible]) -> Error {
    let qualified = candidates.iter().map(|column| match &column.qualifier {
        Some(qualifier) => format!("{qualifier}.{}", column.name),
        None => column.name.clone(),
    });
    let mut qualified: Vec<String> = qualified.collect();
    let references: Vec<String> = qualified.iter().map(|name| quoted(name)).collect();
    qualified.dedup();
    let column = name.rsplit('.').next().unwrap_or(name);
    let error = Error::analysis(format!("column '{column}' is in more than one table"))
        .with_condition("AMBIGUOUS_REFERENCE")
        .with_parameter("name", quoted(name))
        .with_parameter("referenceNames", format!("[{}]", references.join(", ")));
    match qualified.len() {
        0 | 1 => error.with_hint(format!("write the table's name in front: t.{column}")),
        _ => error.with_hint(format!(
            "write the table's name in front: {}",
            qualified.join(" or ")
        )),
    }
}
