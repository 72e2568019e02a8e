//! Grouped rows, on their way to aggregates.

use crate::column::{Column, Columns as _};
use crate::dataframe::DataFrame;
use crate::functions;
use crate::plan::expression::Expression;
use crate::plan::relation::Grouping;
use crate::row::Value;

/// Rows grouped by [`DataFrame::group_by`], `rollup` or `cube`.
#[derive(Debug, Clone)]
pub struct GroupedData {
    df: DataFrame,
    keys: Vec<Expression>,
    grouping: Grouping,
}

impl GroupedData {
    pub(crate) fn new(df: DataFrame, keys: Vec<Expression>, grouping: Grouping) -> Self {
        Self { df, keys, grouping }
    }

    pub(crate) fn df(&self) -> &DataFrame {
        &self.df
    }

    pub(crate) fn keys(&self) -> &[Expression] {
        &self.keys
    }

    /// One row per group: the grouping columns and these aggregates.
    pub fn agg<C: Into<Column>>(&self, aggregates: impl IntoIterator<Item = C>) -> DataFrame {
        let relation = self.df.relation();
        let aggregates = aggregates.expressions();
        self.df
            .with(relation.aggregate(&self.grouping, &self.keys, &aggregates))
    }

    /// How many rows each group has, in a column `count`.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let words = spark
    ///     .table("lines")?
    ///     .select([explode(split("value", " ")).alias("word")])
    ///     .group_by(["word"])
    ///     .count();
    /// # Ok::<(), Error>(())
    /// ```
    pub fn count(&self) -> DataFrame {
        self.agg([functions::count(functions::lit(1)).alias("count")])
    }

    /// The sums of these columns.
    pub fn sum<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> DataFrame {
        self.agg(columns.into_iter().map(functions::sum))
    }

    /// The means of these columns.
    pub fn avg<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> DataFrame {
        self.agg(columns.into_iter().map(functions::avg))
    }

    /// The means of these columns.
    pub fn mean<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> DataFrame {
        self.avg(columns)
    }

    /// The least values of these columns.
    pub fn min<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> DataFrame {
        self.agg(columns.into_iter().map(functions::min))
    }

    /// The greatest values of these columns.
    pub fn max<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> DataFrame {
        self.agg(columns.into_iter().map(functions::max))
    }

    /// Makes columns of the values of one column; without `values`, of all there are.
    pub fn pivot(&self, column: impl Into<Column>, values: Option<Vec<Value>>) -> Self {
        let column = column.into().into_expression();
        Self {
            grouping: Grouping::Pivot(column, values.unwrap_or_default()),
            ..self.clone()
        }
    }
}
