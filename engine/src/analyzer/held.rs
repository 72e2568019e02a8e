//! Items of a select list that give another value each time they are computed, such as `rand() AS r`:
//! what names them takes the value that they have already.

use datafusion::common::Column;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::planned::node;
use super::typed::Typed;
use crate::error::Result;

/// The names of the columns that hold such values begin so.
const HELD: &str = "__held";

/// Values that are computed once, in the order of the select list.
#[derive(Debug, Default)]
pub(super) struct HeldValues {
    values: Vec<Held>,
    count: usize,
}

/// One of them that the plan has not got yet.
#[derive(Debug)]
pub(super) struct Held {
    column: Column,
    value: Expr,
}

impl Held {
    /// Whether one of some expressions needs it.
    pub(super) fn is_in(&self, expressions: &[Expr]) -> bool {
        let mut columns = expressions.iter().flat_map(Expr::column_refs);
        columns.any(|column| column == &self.column)
    }

    /// Whether it is computed of a window of rows.
    pub(super) fn has_window(&self) -> bool {
        let found = self
            .value
            .exists(|expr| Ok(matches!(expr, Expr::WindowFunction(_))));
        found.unwrap_or(false)
    }
}

impl HeldValues {
    /// The value, or the column that will hold it if it is another one each time.
    pub(super) fn held(&mut self, typed: Typed) -> Typed {
        if !typed.expr.is_volatile() {
            return typed;
        }
        let column = Column::new_unqualified(format!("{HELD}{}", self.count));
        self.count += 1;
        self.values.push(Held {
            column: column.clone(),
            value: typed.expr,
        });
        Typed {
            expr: Expr::Column(column),
            field: typed.field,
        }
    }

    /// What is still to be computed.
    pub(super) fn values(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.values.iter_mut().map(|held| &mut held.value)
    }

    /// The plan with those values beside its columns that are wanted now.
    pub(super) fn computed(
        &mut self,
        plan: LogicalPlan,
        is_wanted: impl Fn(&Held) -> bool,
    ) -> Result<LogicalPlan> {
        let (wanted, others) = std::mem::take(&mut self.values)
            .into_iter()
            .partition(is_wanted);
        let wanted: Vec<Held> = wanted;
        self.values = others;
        wanted.into_iter().try_fold(plan, |plan, held| {
            let columns = plan.schema().columns().into_iter().map(Expr::Column);
            let mut outputs: Vec<Expr> = columns.collect();
            outputs.push(held.value.alias(held.column.name));
            node(LogicalPlanBuilder::from(plan).project(outputs))
        })
    }

    /// Whether a column holds such a value.
    pub(super) fn is_held(column: &Column) -> bool {
        column.relation.is_none() && column.name.starts_with(HELD)
    }
}
