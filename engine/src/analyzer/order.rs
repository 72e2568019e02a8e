//! ORDER BY, and ordinals: numbers that stand for columns.

use std::sync::Arc;

use datafusion::logical_expr::{Expr, SortExpr};
use datafusion::scalar::ScalarValue;

use super::Analyzer;
use super::compare::as_compared;
use super::expression::{Clause, Expressions};
use super::name::lookup;
use super::planned::Planned;
use super::query::Context;
use super::scope::Scope;
use super::select::{Item, Parts};
use super::typed::Typed;
use crate::error::{Error, Result};
use crate::tree::{Expression, OrderBy, SortKey};

/// The column that a literal number stands for, from 0; `None` if the expression is none.
pub(super) fn ordinal<'c, C>(
    expression: &Expression,
    columns: &'c [C],
    clause: &str,
) -> Result<Option<(i32, &'c C)>> {
    let Expression::Literal(literal) = expression else {
        return Ok(None);
    };
    let ScalarValue::Int32(Some(number)) = literal.value else {
        return Ok(None);
    };
    let index = usize::try_from(number).ok();
    let index = index.and_then(|number| number.checked_sub(1));
    match index.and_then(|index| columns.get(index)) {
        Some(column) => Ok(Some((number, column))),
        None => Err(Error::analysis(format!(
            "{clause} {number} is no column of the select list, which has {}",
            columns.len()
        ))
        .with_condition(match clause {
            "GROUP BY" => "GROUP_BY_POS_OUT_OF_RANGE",
            _ => "ORDER_BY_POS_OUT_OF_RANGE",
        })
        .with_parameter("index", number.to_string())
        .with_parameter("size", columns.len().to_string())),
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
            let typed = match ordinal(&key.expression, &shown, "ORDER BY")? {
                Some((_, typed)) => typed.clone(),
                None => expressions.plan(&key.expression)?,
            };
            let expr = as_compared(typed).expr;
            Ok(expr.sort(key.ascending, key.nulls_first))
        });
        sorts.collect()
    }
}

impl Analyzer<'_> {
    /// What a select list is sorted by.
    pub(super) fn sort_keys(
        &self,
        scope: &Scope<'_>,
        parts: &Parts<'_>,
        items: &[Item],
        context: &Context<'_>,
    ) -> Result<Vec<SortExpr>> {
        let keys = match parts.order_by {
            OrderBy::Keys(keys) => keys,
            OrderBy::All {
                ascending,
                nulls_first,
            } => {
                let all = items.iter().map(|item| item.typed.expr.clone());
                return Ok(all
                    .map(|expr| expr.sort(*ascending, *nulls_first))
                    .collect());
            }
        };
        let mut expressions = self.expressions(scope, Clause::OrderBy, context);
        expressions.windows = parts.windows;
        let sorts = keys.iter().map(|key| {
            let expr = match ordinal(&key.expression, items, "ORDER BY")? {
                Some((_, item)) => item.typed.expr.clone(),
                None => expressions.sort_key(key, items)?,
            };
            Ok(expr.sort(key.ascending, key.nulls_first))
        });
        sorts.collect()
    }
}

impl Expressions<'_> {
    /// A sort key: a name of the select list goes before one of a column.
    fn sort_key(&self, key: &SortKey, items: &[Item]) -> Result<Expr> {
        if let Expression::Name(name) = &key.expression
            && let [_, _] = name.parts.as_slice()
            && let Ok(Some((column, []))) = lookup(self.scope.columns, name)
        {
            let expr = Expr::Column(column.column.clone());
            let selected = items.iter().find(|item| item.typed.expr == expr);
            if let Some(item) = selected {
                return Ok(item.typed.expr.clone());
            }
        }
        Ok(self.plan(&key.expression)?.expr)
    }
}
