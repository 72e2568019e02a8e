//! `VALUES (…), (…)`: rows as they are written, in columns `col1`, `col2`, …

use datafusion::logical_expr::{Expr, LogicalPlanBuilder};

use super::Analyzer;
use super::expression::Clause;
use super::planned::{Planned, node};
use super::query::Context;
use super::relation::one_row;
use super::scope::Scope;
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::functions::common_type;
use crate::tree::Expression;
use crate::type_names::sql_type;

/// Rows of an inline table, or its names and its rows, differ in their number of columns.
pub(super) const WRONG_NUMBER_IN_VALUES: &str = "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH";

impl Analyzer<'_> {
    /// Rows as they are written.
    pub(super) fn values(
        &self,
        rows: &[Vec<Expression>],
        context: &Context<'_>,
    ) -> Result<Planned> {
        let nothing = one_row()?;
        let scope = Scope::of(&nothing, None);
        let expressions = self.expressions(&scope, Clause::Values, context);
        let mut planned: Vec<Vec<Typed>> = Vec::with_capacity(rows.len());
        for row in rows {
            let row = row.iter().map(|value| expressions.plan(value));
            planned.push(row.collect::<Result<_>>()?);
        }
        let width = planned.first().map_or(0, Vec::len);
        if width == 0 || planned.iter().any(|row| row.len() != width) {
            return Err(
                Error::analysis("the rows of VALUES differ in their number of columns")
                    .with_condition(WRONG_NUMBER_IN_VALUES),
            );
        }
        let mut rows = vec![Vec::with_capacity(width); planned.len()];
        let mut planned: Vec<_> = planned.into_iter().map(Vec::into_iter).collect();
        for column in 0..width {
            let values = planned.iter_mut().filter_map(Iterator::next);
            let values: Vec<Typed> = values.collect();
            let Some(common) = common_type(values.iter().map(Typed::data_type)) else {
                let first = values.first().map(|value| sql_type(value.data_type()));
                let first = first.unwrap_or_default();
                return Err(Error::analysis(format!(
                    "the values of column {} are of different types, the first a {first}",
                    column + 1
                ))
                .with_condition("INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE"));
            };
            for (row, value) in rows.iter_mut().zip(values) {
                row.push(expressions.cast_to(value, &common)?.expr);
            }
        }
        let plan = node(LogicalPlanBuilder::values(rows))?;
        let columns = plan.schema().columns().into_iter().enumerate();
        let named: Vec<Expr> = columns
            .map(|(index, column)| Expr::Column(column).alias(format!("col{}", index + 1)))
            .collect();
        Ok(Planned::of(node(
            LogicalPlanBuilder::from(plan).project(named),
        )?))
    }
}
