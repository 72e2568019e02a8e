//! `groupBy(…).agg(…)`: the keys, then the values.

use super::Analyzer;
use super::planned::Planned;
use super::query::Context;
use super::select::{Parts, is_time_window};
use crate::error::Result;
use crate::tree::{Aggregate, Expression, GroupBy, GroupKey, Grouping};

impl Analyzer<'_> {
    /// An aggregation of a frame.
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        context: &Context<'_>,
    ) -> Result<Planned> {
        let input = self.relation(&aggregate.input, context)?;
        let bare = |key: &Expression| match key {
            Expression::Alias { expression, .. } => expression.as_ref().clone(),
            other => other.clone(),
        };
        let keys = || aggregate.keys.iter().map(bare);
        let group_by = GroupBy::Keys(match &aggregate.grouping {
            Grouping::Plain => aggregate
                .keys
                .iter()
                .map(|key| GroupKey::Expression(named_window(key)))
                .collect(),
            Grouping::Rollup => vec![GroupKey::Rollup(keys().map(|key| vec![key]).collect())],
            Grouping::Cube => vec![GroupKey::Cube(keys().map(|key| vec![key]).collect())],
            Grouping::Sets(sets) => {
                let sets = sets.iter().map(|set| set.iter().map(bare).collect());
                vec![GroupKey::Sets(sets.collect())]
            }
        });
        let items: Vec<Expression> = aggregate
            .keys
            .iter()
            .chain(&aggregate.values)
            .cloned()
            .collect();
        let parts = Parts::grouped(&items, &group_by);
        self.selected(input, &parts, context)
    }
}

/// A key; a window of time keeps the name that the values call it by.
fn named_window(key: &Expression) -> Expression {
    match key {
        Expression::Alias { expression, .. } => match expression.as_ref() {
            Expression::Call(call) if is_time_window(call) => key.clone(),
            inner => inner.clone(),
        },
        other => other.clone(),
    }
}
