//! Relations: what a data frame stands for, as the message `spark.connect.Relation`.

use std::sync::Arc;

use super::expression::{Expression, SortOrder, messages};
use crate::protobuf::Message;

/// The encoded message `spark.connect.Relation`. Cloning it is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relation {
    bytes: Arc<[u8]>,
}

/// Which rows of a join have no partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinType {
    /// None.
    Inner,
    /// Those of the left side too.
    LeftOuter,
    /// Those of the right side too.
    RightOuter,
    /// Those of both sides too.
    FullOuter,
    /// Rows of the left side that have a partner, without it.
    LeftSemi,
    /// Rows of the left side that have none.
    LeftAnti,
    /// Every row with every row.
    Cross,
}

/// How rows of two relations are put together.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SetOp {
    Intersect = 1,
    Union = 2,
    Except = 3,
}

/// How rows are grouped.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Grouping {
    By,
    Rollup,
    Cube,
    /// By the values of one more column, which become columns.
    Pivot(Expression, Vec<crate::row::Value>),
    Sets(Vec<Vec<Expression>>),
}

impl Relation {
    /// Of the field `field` of the message's `rel_type`.
    pub(crate) fn of(field: u32, kind: Message) -> Self {
        Self {
            bytes: Message::new().message(field, kind).into_bytes().into(),
        }
    }

    /// The encoded message.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message `spark.connect.Plan` whose root this is.
    pub(crate) fn to_plan(&self) -> Vec<u8> {
        Message::new().raw(1, &self.bytes).into_bytes()
    }

    /// A relation of one input, whose message begins with it.
    pub(crate) fn then(&self, field: u32, rest: impl FnOnce(Message) -> Message) -> Self {
        Self::of(field, rest(Message::new().raw(1, &self.bytes)))
    }

    /// A relation of two inputs.
    fn with(&self, other: &Self, field: u32, rest: impl FnOnce(Message) -> Message) -> Self {
        Self::of(
            field,
            rest(Message::new().raw(1, &self.bytes).raw(2, &other.bytes)),
        )
    }

    /// A table or view.
    pub(crate) fn table(name: &str, streaming: bool) -> Self {
        let table = Message::new().message(1, Message::new().string(1, name));
        Self::of(
            2,
            table.maybe(streaming.then_some(true), |read, yes| read.bool(3, yes)),
        )
    }

    /// Rows of a SQL query.
    pub(crate) fn sql(query: &str) -> Self {
        Self::of(10, Message::new().string(1, query))
    }

    /// The numbers from `start` up to `end`, in a column `id`.
    pub(crate) fn range(start: i64, end: i64, step: i64, partitions: Option<i32>) -> Self {
        let range = Message::new().int(1, start).int(2, end).int(3, step);
        Self::of(
            15,
            range.maybe(partitions, |range, partitions| range.int(4, partitions)),
        )
    }

    pub(crate) fn project(&self, columns: &[Expression]) -> Self {
        self.then(3, |project| project.messages(3, messages(columns)))
    }

    pub(crate) fn filter(&self, condition: &Expression) -> Self {
        self.then(4, |filter| filter.message(2, condition.to_message()))
    }

    pub(crate) fn join(
        &self,
        right: &Self,
        on: Option<&Expression>,
        join_type: JoinType,
        using: &[String],
    ) -> Self {
        self.with(right, 5, |join| {
            join.maybe(on, |join, on| join.message(3, on.to_message()))
                .int(4, join_type.number())
                .strings(5, using)
        })
    }

    pub(crate) fn set_op(
        &self,
        other: &Self,
        operation: SetOp,
        all: bool,
        by_name: Option<bool>,
    ) -> Self {
        self.with(other, 6, |set| {
            set.int(3, operation as i64)
                .bool(4, all)
                .maybe(by_name, |set, allow_missing| {
                    set.bool(5, true).bool(6, allow_missing)
                })
        })
    }

    pub(crate) fn sort(&self, order: &[SortOrder], global: bool) -> Self {
        let order = order.iter().map(SortOrder::to_message);
        self.then(7, |sort| sort.messages(2, order).bool(3, global))
    }

    pub(crate) fn limit(&self, rows: i32) -> Self {
        self.then(8, |limit| limit.int(2, rows))
    }

    pub(crate) fn offset(&self, rows: i32) -> Self {
        self.then(13, |offset| offset.int(2, rows))
    }

    pub(crate) fn tail(&self, rows: i32) -> Self {
        self.then(22, |tail| tail.int(2, rows))
    }

    pub(crate) fn aggregate(
        &self,
        grouping: &Grouping,
        keys: &[Expression],
        aggregates: &[Expression],
    ) -> Self {
        self.then(9, |aggregate| {
            let aggregate = aggregate
                .int(2, grouping.number())
                .messages(3, messages(keys))
                .messages(4, messages(aggregates));
            match grouping {
                Grouping::By | Grouping::Rollup | Grouping::Cube => aggregate,
                Grouping::Pivot(column, values) => {
                    let values = values.iter().map(super::literal::message);
                    let pivot = Message::new().message(1, column.to_message());
                    aggregate.message(5, pivot.messages(2, values))
                }
                Grouping::Sets(sets) => aggregate.messages(
                    6,
                    sets.iter()
                        .map(|set| Message::new().messages(1, messages(set))),
                ),
            }
        })
    }

    pub(crate) fn deduplicate(&self, columns: Option<&[String]>, within_watermark: bool) -> Self {
        self.then(14, |deduplicate| {
            let keys = columns.unwrap_or_default();
            let deduplicate = deduplicate.strings(2, keys).bool(3, keys.is_empty());
            deduplicate.bool(4, within_watermark)
        })
    }

    pub(crate) fn sample(&self, replacement: bool, fraction: f64, seed: Option<i64>) -> Self {
        self.then(12, |sample| {
            sample
                .double(2, 0.0)
                .double(3, fraction)
                .bool(4, replacement)
                .maybe(seed, |sample, seed| sample.int(5, seed))
        })
    }

    pub(crate) fn alias(&self, name: &str) -> Self {
        self.then(16, |alias| alias.string(2, name))
    }

    pub(crate) fn repartition(&self, partitions: i32, shuffle: bool) -> Self {
        self.then(17, |repartition| {
            repartition.int(2, partitions).bool(3, shuffle)
        })
    }

    pub(crate) fn to_df(&self, names: &[String]) -> Self {
        self.then(18, |to_df| to_df.strings(2, names))
    }

    pub(crate) fn rename(&self, renames: &[(String, String)]) -> Self {
        let renames = renames
            .iter()
            .map(|(old, new)| Message::new().string(1, old).string(2, new));
        self.then(19, |rename| rename.messages(3, renames))
    }

    pub(crate) fn drop_columns(&self, columns: &[String]) -> Self {
        self.then(21, |drop| drop.strings(3, columns))
    }

    /// Every expression is an alias.
    pub(crate) fn with_columns(&self, columns: &[Expression]) -> Self {
        let aliases = columns.iter().map(Expression::alias_message);
        self.then(23, |with| with.messages(2, aliases))
    }

    pub(crate) fn hint(&self, name: &str, parameters: &[Expression]) -> Self {
        self.then(24, |hint| {
            hint.string(2, name).messages(3, messages(parameters))
        })
    }

    pub(crate) fn with_watermark(&self, event_time: &str, delay: &str) -> Self {
        self.then(33, |watermark| {
            watermark.string(2, event_time).string(3, delay)
        })
    }
}

impl JoinType {
    fn number(self) -> i32 {
        match self {
            Self::Inner => 1,
            Self::FullOuter => 2,
            Self::LeftOuter => 3,
            Self::RightOuter => 4,
            Self::LeftAnti => 5,
            Self::LeftSemi => 6,
            Self::Cross => 7,
        }
    }
}

impl Grouping {
    fn number(&self) -> i32 {
        match self {
            Self::By => 1,
            Self::Rollup => 2,
            Self::Cube => 3,
            Self::Pivot(..) => 4,
            Self::Sets(_) => 5,
        }
    }
}
