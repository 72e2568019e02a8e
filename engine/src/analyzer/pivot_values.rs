//! The values of a pivot that lists none: those that its columns have, which a query finds out.

use std::collections::HashMap;

use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::scalar::ScalarValue;

use super::analyze;
use super::output_names::output_name;
use super::sources::inputs;
use crate::error::{Error, Result, from_datafusion};
use crate::plan::is_streaming;
use crate::tree::{Expression, Literal, Pivot, PivotValue, Relation};

/// So many values become columns, no more: `spark.sql.pivotMaxValues`.
const MAX_VALUES: usize = 10_000;

/// Values by the pivot that lists none.
#[derive(Default)]
pub(super) struct PivotValues(HashMap<usize, Vec<PivotValue>>);

impl PivotValues {
    /// Asks for the values of every pivot in `relation` that lists none.
    pub(super) async fn load(session: &SessionState, relation: &Relation) -> Result<Self> {
        let mut values = Self::default();
        let mut open = vec![relation];
        while let Some(relation) = open.pop() {
            open.extend(inputs(relation));
            if let Relation::Pivot(pivot) = relation
                && pivot.values.is_empty()
            {
                values
                    .0
                    .insert(address(pivot), found(session, pivot).await?);
            }
        }
        Ok(values)
    }

    /// The values of a pivot, listed or found.
    pub(super) fn of<'p>(&'p self, pivot: &'p Pivot) -> &'p [PivotValue] {
        match self.0.get(&address(pivot)) {
            Some(found) => found,
            None => &pivot.values,
        }
    }
}

fn address(pivot: &Pivot) -> usize {
    std::ptr::from_ref(pivot).addr()
}

/// The values that the pivot's columns have, in order.
async fn found(session: &SessionState, pivot: &Pivot) -> Result<Vec<PivotValue>> {
    let columns = Relation::Project {
        input: Some(Box::new(pivot.input.clone())),
        expressions: pivot.columns.clone(),
    };
    let plan = Box::pin(analyze(session, &columns)).await?;
    if is_streaming(&plan) {
        return Err(Error::analysis(
            "a pivot of a stream must list its values: what else the stream brings is not known",
        )
        .with_condition("_LEGACY_ERROR_TEMP_3102")
        .with_hint("pivot(\"key\", [\"a\", \"b\"])"));
    }
    let keys: Vec<Expr> = plan
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    let sorted = keys.into_iter().map(|key| key.sort(true, true));
    let distinct = LogicalPlanBuilder::from(plan).distinct();
    let distinct = distinct.and_then(|plan| plan.sort(sorted));
    let distinct = distinct.and_then(|plan| plan.limit(0, Some(MAX_VALUES + 1)));
    let distinct = distinct
        .and_then(LogicalPlanBuilder::build)
        .map_err(from_datafusion)?;
    let rows = DataFrame::new(session.clone(), distinct).collect().await;
    let mut values = Vec::new();
    for batch in rows.map_err(from_datafusion)? {
        for row in 0..batch.num_rows() {
            let columns = batch.columns().iter();
            let columns = columns.map(|column| ScalarValue::try_from_array(column, row));
            let columns = columns.collect::<datafusion::error::Result<Vec<_>>>();
            let columns = columns.map_err(from_datafusion)?.into_iter().map(value);
            values.push(PivotValue {
                values: columns.collect(),
                name: None,
            });
        }
    }
    if values.len() > MAX_VALUES {
        let names: Vec<String> = pivot.columns.iter().map(output_name).collect();
        return Err(Error::analysis(format!(
            "the pivot column {} has more than {MAX_VALUES} distinct values, this could indicate an error",
            names.join(", ")
        ))
        .with_condition("_LEGACY_ERROR_TEMP_1324")
        .with_hint("list the values that are to be columns, or pivot by a column with fewer"));
    }
    Ok(values)
}

fn value(value: ScalarValue) -> Expression {
    let value = match value.is_null() {
        true => ScalarValue::Null,
        false => value,
    };
    Expression::Literal(Literal { value, shown: None })
}
