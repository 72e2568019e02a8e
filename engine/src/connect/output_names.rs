//! The names of a query's columns as it writes them. SQL in DataFusion wants every name once;
//! Spark does not, so names are made different inside of a query and put back on its plan.

use std::collections::HashSet;

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{SelectItem, SetExpr, Statement};

use super::sql_columns::column_name;
use crate::error::{Result, from_datafusion};

/// Between a name and the number that makes it different from others; no name has it.
const MARK: char = '\u{1f}';

/// A name that no other item has; `taken` holds those of the others, in lower case.
pub(super) fn distinct_name(name: &str, taken: &mut HashSet<String>) -> String {
    if taken.insert(name.to_lowercase()) {
        return name.to_string();
    }
    let mut number = 2;
    loop {
        let distinct = format!("{name}{MARK}{number}");
        if taken.insert(distinct.to_lowercase()) {
            return distinct;
        }
        number += 1;
    }
}

/// The columns of a query from left to right.
#[derive(Debug, Default)]
pub(super) struct OutputNames {
    /// Names up to the first star.
    first: Vec<String>,
    /// Names from the last star on, and whether there is a star at all.
    last: Option<Vec<String>>,
}

impl OutputNames {
    /// Names by themselves.
    pub(super) fn new(names: Vec<String>) -> Self {
        Self {
            first: names,
            last: None,
        }
    }

    /// The names that a statement gives to its columns.
    pub(super) fn of(statement: &Statement) -> Self {
        let mut names = Self::default();
        let Statement::Query(query) = statement else {
            return names;
        };
        let mut body = query.body.as_ref();
        let select = loop {
            match body {
                SetExpr::Select(select) => break select,
                SetExpr::Query(query) => body = query.body.as_ref(),
                SetExpr::SetOperation { left, .. } => body = left.as_ref(),
                _ => {
                    names.last = Some(Vec::new());
                    return names;
                }
            }
        };
        for item in &select.projection {
            let name = match item {
                SelectItem::UnnamedExpr(expr) => column_name(expr),
                SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
                _ => {
                    names.last = Some(Vec::new());
                    continue;
                }
            };
            names.last.as_mut().unwrap_or(&mut names.first).push(name);
        }
        names
    }

    /// Gives the columns of `plan` these names.
    pub(super) fn rename(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let columns = plan.schema().columns();
        let names = self.for_columns(&columns);
        let is_same = columns
            .iter()
            .zip(&names)
            .all(|(column, name)| column.name() == name);
        if is_same {
            return Ok(plan);
        }
        let outputs = columns.into_iter().zip(&names).enumerate();
        let outputs: Vec<Expr> = outputs
            .map(|(index, (column, name))| {
                let is_repeated = names.iter().filter(|other| *other == name).count() > 1;
                if is_repeated {
                    // What has one name twice is told apart by a table's name.
                    Expr::Column(column).alias_qualified(Some(format!("column_{index}")), name)
                } else if column.name() == name {
                    Expr::Column(column)
                } else {
                    Expr::Column(column).alias(name)
                }
            })
            .collect();
        LogicalPlanBuilder::from(plan)
            .project(outputs)
            .and_then(LogicalPlanBuilder::build)
            .map_err(from_datafusion)
    }

    fn for_columns(&self, columns: &[Column]) -> Vec<String> {
        let last = self.last.as_deref().unwrap_or_default();
        let starred = columns.len().checked_sub(self.first.len() + last.len());
        let own = columns.iter().map(|column| {
            let name = column.name();
            name.split_once(MARK)
                .map_or(name, |(name, _)| name)
                .to_string()
        });
        match starred {
            Some(starred) if starred == 0 || self.last.is_some() => {
                let middle = own.skip(self.first.len()).take(starred);
                let names = self.first.iter().cloned().chain(middle);
                names.chain(last.iter().cloned()).collect()
            }
            _ => own.collect(),
        }
    }
}
