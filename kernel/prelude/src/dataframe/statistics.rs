//! Missing values, summaries, and metrics observed on the way.

use super::{ColumnNames, DataFrame};
use crate::column::{Column, Columns as _};
use crate::plan::expression::messages;
use crate::plan::literal;
use crate::protobuf::Message;
use crate::row::Value;

impl DataFrame {
    /// With this whole number instead of `NULL`, in these columns or all of numbers.
    pub fn fillna(&self, value: i64, subset: impl ColumnNames) -> Self {
        self.fillna_value(Value::Long(value), subset)
    }

    /// With this number instead of `NULL`, in these columns or all of numbers.
    pub fn fillna_double(&self, value: f64, subset: impl ColumnNames) -> Self {
        self.fillna_value(Value::Double(value), subset)
    }

    /// With this text instead of `NULL`, in these columns or all of text.
    pub fn fillna_string(&self, value: &str, subset: impl ColumnNames) -> Self {
        self.fillna_value(Value::String(value.to_string()), subset)
    }

    /// With this truth value instead of `NULL`, in these columns or all of `BOOLEAN`.
    pub fn fillna_bool(&self, value: bool, subset: impl ColumnNames) -> Self {
        self.fillna_value(Value::Bool(value), subset)
    }

    /// With this value instead of `NULL`, in these columns or all of its type.
    pub fn fillna_value(&self, value: Value, subset: impl ColumnNames) -> Self {
        let columns = subset.into_names().unwrap_or_default();
        self.with(self.relation.then(90, |fill| {
            fill.strings(2, columns)
                .message(3, literal::message(&value))
        }))
    }

    /// With a value of its own for each of these columns instead of `NULL`.
    pub fn fillna_map<N: AsRef<str>>(&self, values: impl IntoIterator<Item = (N, Value)>) -> Self {
        let (names, values): (Vec<N>, Vec<Value>) = values.into_iter().unzip();
        let values = values.iter().map(literal::message);
        self.with(
            self.relation
                .then(90, |fill| fill.strings(2, &names).messages(3, values)),
        )
    }

    /// Without rows that have a `NULL` in these columns, or in all: `how` is `any` or `all` of them;
    /// `thresh` is how many must have a value, whatever `how` says.
    pub fn dropna(&self, how: Option<&str>, thresh: Option<i32>, subset: impl ColumnNames) -> Self {
        let columns = subset.into_names().unwrap_or_default();
        let least = thresh.or((how == Some("all")).then_some(1));
        self.with(self.relation.then(91, |drop| {
            drop.strings(2, columns)
                .maybe(least, |drop, least| drop.int(3, least))
        }))
    }

    /// Count, mean, standard deviation, least and greatest value of these columns, or of all.
    pub fn describe<S: AsRef<str>>(&self, columns: impl IntoIterator<Item = S>) -> Self {
        self.with(
            self.relation
                .then(102, |describe| describe.strings(2, columns)),
        )
    }

    /// As [`describe`](Self::describe), of all columns and with these statistics: `count`, `mean`,
    /// `50%`, …
    pub fn summary<S: AsRef<str>>(&self, statistics: impl IntoIterator<Item = S>) -> Self {
        self.with(
            self.relation
                .then(100, |summary| summary.strings(2, statistics)),
        )
    }

    /// Computes aggregates of the rows that pass by, under a name; progress reports them.
    pub fn observe<C: Into<Column>>(
        &self,
        name: &str,
        metrics: impl IntoIterator<Item = C>,
    ) -> Self {
        let metrics = metrics.expressions();
        self.with(self.relation.then(29, |observe: Message| {
            observe.string(2, name).messages(3, messages(&metrics))
        }))
    }
}
