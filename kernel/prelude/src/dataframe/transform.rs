//! Methods that make a data frame of a data frame. They ask the kernel nothing.

use super::{ColumnNames, DataFrame};
use crate::column::{Column, Columns as _, Condition, Operand};
use crate::group::GroupedData;
use crate::plan::JoinType;
use crate::plan::expression::Expression;
use crate::plan::relation::{Grouping, SetOp};

impl DataFrame {
    /// These columns: names or expressions, `"*"` for all.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let totals = spark.table("orders")?.select([col("user"), (col("price") * 1.2).alias("gross")]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn select<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> Self {
        self.with(self.relation.project(&columns.expressions()))
    }

    /// These columns, as SQL.
    pub fn select_expr<S: AsRef<str>>(&self, expressions: impl IntoIterator<Item = S>) -> Self {
        let expressions = expressions.into_iter();
        let expressions = expressions.map(|text| Expression::Sql(text.as_ref().to_string()));
        self.with(self.relation.project(&expressions.collect::<Vec<_>>()))
    }

    /// The rows for which the condition holds: a column, or SQL text.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let orders = spark.table("orders")?;
    /// let large = orders.filter(col("amount").gt(100));
    /// let same = orders.filter("amount > 100");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn filter(&self, condition: impl Condition) -> Self {
        self.with(
            self.relation
                .filter(condition.into_condition().expression()),
        )
    }

    /// The same as [`filter`](Self::filter).
    pub fn where_(&self, condition: impl Condition) -> Self {
        self.filter(condition)
    }

    /// With one column more, or one changed.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let seen = spark.table("events")?.with_column("seen", current_timestamp());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn with_column(&self, name: &str, value: impl Operand) -> Self {
        self.with_columns([(name, value)])
    }

    /// With several columns more, or changed.
    pub fn with_columns<N: AsRef<str>, V: Operand>(
        &self,
        columns: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let columns = columns.into_iter();
        let columns = columns.map(|(name, value)| value.into_operand().alias(name.as_ref()));
        self.with(self.relation.with_columns(&columns.expressions()))
    }

    /// With another name for a column.
    pub fn with_column_renamed(&self, existing: &str, new: &str) -> Self {
        self.with_columns_renamed([(existing, new)])
    }

    /// With other names for several columns.
    pub fn with_columns_renamed<A: Into<String>, B: Into<String>>(
        &self,
        renames: impl IntoIterator<Item = (A, B)>,
    ) -> Self {
        let renames = renames
            .into_iter()
            .map(|(old, new)| (old.into(), new.into()));
        self.with(self.relation.rename(&renames.collect::<Vec<_>>()))
    }

    /// Without these columns.
    pub fn drop<S: Into<String>>(&self, columns: impl IntoIterator<Item = S>) -> Self {
        let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
        self.with(self.relation.drop_columns(&columns))
    }

    /// With these names for all columns.
    pub fn to_df<S: Into<String>>(&self, names: impl IntoIterator<Item = S>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        self.with(self.relation.to_df(&names))
    }

    /// With a name, to tell its columns from others: `col("name.column")`.
    pub fn alias(&self, name: &str) -> Self {
        self.with(self.relation.alias(name))
    }

    /// At most so many rows.
    pub fn limit(&self, rows: i32) -> Self {
        self.with(self.relation.limit(rows))
    }

    /// Without the first rows.
    pub fn offset(&self, rows: i32) -> Self {
        self.with(self.relation.offset(rows))
    }

    /// The last rows.
    pub fn tail(&self, rows: i32) -> Self {
        self.with(self.relation.tail(rows))
    }

    /// A random share of the rows, from 0 to 1; the same with the same seed.
    pub fn sample(&self, fraction: f64, seed: Option<i64>) -> Self {
        self.with(self.relation.sample(false, fraction, seed))
    }

    /// Every row once.
    pub fn distinct(&self) -> Self {
        self.with(self.relation.deduplicate(None, false))
    }

    /// One row for the same values of these columns, or of all. Of a stream the first; it remembers
    /// every value, unless the watermark column is among them.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let events = spark.table("events")?.with_watermark("ts", "10 minutes");
    /// let once = events.drop_duplicates(["id", "ts"]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn drop_duplicates(&self, columns: impl ColumnNames) -> Self {
        self.with(
            self.relation
                .deduplicate(columns.into_names().as_deref(), false),
        )
    }

    /// One row for the same values of these columns, or of all, among rows that are no further
    /// apart than the watermark's delay.
    pub fn drop_duplicates_within_watermark(&self, columns: impl ColumnNames) -> Self {
        self.with(
            self.relation
                .deduplicate(columns.into_names().as_deref(), true),
        )
    }

    /// Says how late rows may come: the watermark follows the greatest time seen, `delay` behind;
    /// what is older than it may be dropped and forgotten.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let events = spark.table("events")?.with_watermark("ts", "10 minutes");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn with_watermark(&self, time_column: &str, delay: &str) -> Self {
        self.with(self.relation.with_watermark(time_column, delay))
    }

    /// Groups rows with the same values, to aggregate them.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let counts = spark
    ///     .table("events")?
    ///     .group_by([window("ts", "10 minutes"), col("user")])
    ///     .agg([count("*").alias("n"), avg("amount").alias("mean")]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn group_by<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> GroupedData {
        GroupedData::new(self.clone(), columns.expressions(), Grouping::By)
    }

    /// Groups by these columns, by all but the last, … and all together.
    pub fn rollup<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> GroupedData {
        GroupedData::new(self.clone(), columns.expressions(), Grouping::Rollup)
    }

    /// Groups by every subset of these columns.
    pub fn cube<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> GroupedData {
        GroupedData::new(self.clone(), columns.expressions(), Grouping::Cube)
    }

    /// Groups by each of these sets of columns.
    pub fn grouping_sets(&self, sets: Vec<Vec<Column>>) -> GroupedData {
        let sets: Vec<_> = sets.into_iter().map(|set| set.expressions()).collect();
        let mut columns: Vec<Expression> = Vec::new();
        for column in sets.iter().flatten() {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        GroupedData::new(self.clone(), columns, Grouping::Sets(sets))
    }

    /// Aggregates of all rows.
    pub fn agg<C: Into<Column>>(&self, aggregates: impl IntoIterator<Item = C>) -> Self {
        GroupedData::new(self.clone(), Vec::new(), Grouping::By).agg(aggregates)
    }

    /// Rows of both sides for which the condition holds.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let views = spark.table("views")?.with_watermark("seen", "1 hour").alias("v");
    /// let clicks = spark.table("clicks")?.with_watermark("clicked", "2 hours").alias("c");
    /// let joined = views.join(
    ///     &clicks,
    ///     Some(expr("v.ad = c.ad AND clicked BETWEEN seen AND seen + INTERVAL 1 HOUR")),
    ///     JoinType::LeftOuter,
    /// );
    /// # Ok::<(), Error>(())
    /// ```
    pub fn join(&self, right: &Self, on: impl Into<Option<Column>>, join_type: JoinType) -> Self {
        let on = on.into().map(Column::into_expression);
        let joined = self
            .relation
            .join(&right.relation, on.as_ref(), join_type, &[]);
        self.with_both(right, joined)
    }

    /// Rows of both sides with the same values in these columns, which appear once.
    pub fn join_using<S: Into<String>>(
        &self,
        right: &Self,
        columns: impl IntoIterator<Item = S>,
        join_type: JoinType,
    ) -> Self {
        let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
        let joined = self
            .relation
            .join(&right.relation, None, join_type, &columns);
        self.with_both(right, joined)
    }

    /// Every row with every row.
    pub fn cross_join(&self, right: &Self) -> Self {
        self.join(right, None, JoinType::Cross)
    }

    /// Rows of both, by the order of columns.
    pub fn union(&self, other: &Self) -> Self {
        self.set(other, SetOp::Union, true, None)
    }

    /// The same as [`union`](Self::union).
    pub fn union_all(&self, other: &Self) -> Self {
        self.union(other)
    }

    /// Rows of both, by the names of columns.
    pub fn union_by_name(&self, other: &Self) -> Self {
        self.union_by_name_opt(other, false)
    }

    /// Rows of both, by the names of columns; columns that one side lacks are `NULL`, if allowed.
    pub fn union_by_name_opt(&self, other: &Self, allow_missing_columns: bool) -> Self {
        self.set(other, SetOp::Union, true, Some(allow_missing_columns))
    }

    /// Rows of both sides, each once.
    pub fn intersect(&self, other: &Self) -> Self {
        self.set(other, SetOp::Intersect, false, None)
    }

    /// Rows of both sides, as often as in both.
    pub fn intersect_all(&self, other: &Self) -> Self {
        self.set(other, SetOp::Intersect, true, None)
    }

    /// Rows that the other does not have, each once.
    pub fn subtract(&self, other: &Self) -> Self {
        self.set(other, SetOp::Except, false, None)
    }

    /// Rows, less those of the other, one by one.
    pub fn except_all(&self, other: &Self) -> Self {
        self.set(other, SetOp::Except, true, None)
    }

    fn set(&self, other: &Self, operation: SetOp, all: bool, by_name: Option<bool>) -> Self {
        self.with_both(
            other,
            self.relation
                .set_op(&other.relation, operation, all, by_name),
        )
    }

    /// In the order of these columns: `["a"]`, `[col("a").desc()]`.
    pub fn sort<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> Self {
        self.with(self.relation.sort(&columns.sort_orders(), true))
    }

    /// The same as [`sort`](Self::sort).
    pub fn order_by<C: Into<Column>>(&self, columns: impl IntoIterator<Item = C>) -> Self {
        self.sort(columns)
    }

    /// In the order of these columns, each partition for itself.
    pub fn sort_within_partitions<C: Into<Column>>(
        &self,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        self.with(self.relation.sort(&columns.sort_orders(), false))
    }

    /// In so many partitions, rows spread evenly.
    pub fn repartition(&self, partitions: i32) -> Self {
        self.with(self.relation.repartition(partitions, true))
    }

    /// In at most so many partitions.
    pub fn coalesce(&self, partitions: i32) -> Self {
        self.with(self.relation.repartition(partitions, false))
    }

    /// With a hint to the planner.
    pub fn hint<C: Into<Column>>(
        &self,
        name: &str,
        parameters: impl IntoIterator<Item = C>,
    ) -> Self {
        self.with(self.relation.hint(name, &parameters.expressions()))
    }

    /// Says that it is small enough to be sent to every partition of a join.
    pub fn broadcast(&self) -> Self {
        self.hint("broadcast", [] as [Column; 0])
    }

    /// What `f` makes of it, to chain functions of your own.
    pub fn transform(&self, f: impl FnOnce(Self) -> Self) -> Self {
        f(self.clone())
    }
}
