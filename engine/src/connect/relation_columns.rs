//! Relations that add, leave out and rename columns.

use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::expressions::missing;
use super::proto::{Drop, ToDf, WithColumns, WithColumnsRenamed};
use super::relations::{RelationPlanner, build, project};
use crate::error::{Error, Result};

impl RelationPlanner<'_> {
    /// Puts new columns behind the others, or in the place of those with the same names.
    pub(super) async fn with_columns(&self, with: &WithColumns) -> Result<LogicalPlan> {
        let input = self.input(with.input.as_deref()).await?;
        let mut columns: Vec<Expr> = input
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        for alias in &with.aliases {
            let [name] = alias.name.as_slice() else {
                return Err(Error::analysis("a new column needs exactly one name"));
            };
            let value = alias
                .expr
                .as_deref()
                .ok_or_else(|| missing("a column's value"))?;
            let value = self.expressions(&input).plan(value)?.alias(name);
            let fields = input.schema().fields().iter();
            let same = fields
                .clone()
                .position(|field| field.name().eq_ignore_ascii_case(name));
            match same {
                Some(index) => columns[index] = value,
                None => columns.push(value),
            }
        }
        project(input, columns)
    }

    /// Leaves columns out; a name that no column has is none to leave out.
    pub(super) async fn drop_columns(&self, drop: &Drop) -> Result<LogicalPlan> {
        let input = self.input(drop.input.as_deref()).await?;
        let dropped = |column: &Column| {
            drop.column_names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(column.name()))
        };
        let kept = input
            .schema()
            .columns()
            .into_iter()
            .filter(|column| !dropped(column));
        let kept: Vec<Expr> = kept.map(Expr::Column).collect();
        build(LogicalPlanBuilder::from(input).project(kept))
    }

    /// Gives all columns new names.
    pub(super) async fn to_df(&self, to_df: &ToDf) -> Result<LogicalPlan> {
        let input = self.input(to_df.input.as_deref()).await?;
        let columns = input.schema().columns();
        if columns.len() != to_df.column_names.len() {
            return Err(Error::illegal_argument(format!(
                "toDF got {} names for {} columns",
                to_df.column_names.len(),
                columns.len()
            )));
        }
        let renamed = columns.into_iter().zip(&to_df.column_names);
        let renamed: Vec<Expr> = renamed
            .map(|(column, name)| Expr::Column(column).alias(name))
            .collect();
        build(LogicalPlanBuilder::from(input).project(renamed))
    }

    /// Gives some columns new names.
    pub(super) async fn with_columns_renamed(
        &self,
        renamed: &WithColumnsRenamed,
    ) -> Result<LogicalPlan> {
        let input = self.input(renamed.input.as_deref()).await?;
        let new_name = |old: &str| {
            let mut renames = renamed.renames.iter();
            let found = renames.find(|rename| rename.col_name.eq_ignore_ascii_case(old));
            found.map(|rename| rename.new_col_name.clone())
        };
        let columns = input.schema().columns().into_iter();
        let columns: Vec<Expr> = columns
            .map(|column| match new_name(column.name()) {
                Some(name) => Expr::Column(column).alias(name),
                None => Expr::Column(column),
            })
            .collect();
        build(LogicalPlanBuilder::from(input).project(columns))
    }
}
