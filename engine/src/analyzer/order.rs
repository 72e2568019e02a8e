//! ORDER BY of what is no SELECT, and ordinals: numbers that stand for columns.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, SortExpr};
use datafusion::scalar::ScalarValue;

use super::Analyzer;
use super::compare::as_compared;
use super::expression::Clause;
use super::planned::Planned;
use super::query::Context;
use super::scope::Scope;
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::tree::{Expression, OrderBy};

/// The column that a literal number stands for, from 0; `None` if the expression is none.
pub(super) fn ordinal(
    expression: &Expression,
    columns: usize,
    clause: &str,
) -> Result<Option<usize>> {
    let Expression::Literal(literal) = expression else {
        return Ok(None);
    };
    let ScalarValue::Int32(Some(number)) = literal.value else {
        return Ok(None);
    };
    match usize::try_from(number) {
        Ok(number) if (1..=columns).contains(&number) => Ok(Some(number - 1)),
        _ => Err(Error::analysis(format!(
            "{clause} {number} is no column of the select list, which has {columns}"
        ))
        .with_condition(match clause {
            "GROUP BY" => "GROUP_BY_POS_OUT_OF_RANGE",
            _ => "ORDER_BY_POS_OUT_OF_RANGE",
        })),
    }
}

impl Analyzer<'_> {
    /// Sort keys over the columns of a relation.
    pub(super) fn sort_keys_of_outputs(
        &self,
        planned: &Planned,
        order_by: &OrderBy,
        scope: &Scope<'_>,
        context: &Context<'_>,
    ) -> Result<Vec<SortExpr>> {
        let shown = planned.shown().map(|column| Typed {
            expr: Expr::Column(column.column.clone()),
            field: Arc::clone(&column.field),
        });
        let shown: Vec<Typed> = shown.collect();
        let keys = match order_by {
            OrderBy::All {
                ascending,
                nulls_first,
            } => {
                let all = shown.into_iter().map(|typed| as_compared(typed).expr);
                return Ok(all
                    .map(|expr| expr.sort(*ascending, *nulls_first))
                    .collect());
            }
            OrderBy::Keys(keys) => keys,
        };
        let expressions = self.expressions(scope, Clause::OrderBy, context);
        let sorts = keys.iter().map(|key| {
            let typed = match ordinal(&key.expression, shown.len(), "ORDER BY")? {
                Some(index) => shown[index].clone(),
                None => expressions.plan(&key.expression)?,
            };
            let expr = as_compared(typed).expr;
            Ok(expr.sort(key.ascending, key.nulls_first))
        });
        sorts.collect()
    }
}
