//! Aggregates: one value of many rows.

use super::functions;
use crate::column::Column;
use crate::plan::expression::Expression;

functions! {
    /// How many rows have a value; all rows with `count("*")` or `count(lit(1))`.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// let n = count("*").alias("n");
    /// assert_eq!(n.to_string(), "count(*) AS n");
    /// ```
    fn count(column: column);
    /// The sum: `BIGINT` of whole numbers, else `DOUBLE` or `DECIMAL`.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(sum(col("amount") * 2).to_string(), "sum((amount * 2))");
    /// ```
    fn sum(column: column);
    /// The mean, as `DOUBLE`.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(avg("amount").to_string(), "avg(amount)");
    /// ```
    fn avg(column: column);
    /// The same as [`avg`].
    fn mean(column: column) = "avg";
    /// The least value.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(min("ts").to_string(), "min(ts)");
    /// ```
    fn min(column: column);
    /// The greatest value.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(max("ts").to_string(), "max(ts)");
    /// ```
    fn max(column: column);
    /// About how many different values there are; off by 5 % mostly. Its state stays small, so it is
    /// what streams count users with.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// let users = approx_count_distinct("user").alias("users");
    /// assert_eq!(users.to_string(), "approx_count_distinct(user) AS users");
    /// ```
    fn approx_count_distinct(column: column);
    /// About how many different values there are, off by `rsd` (0.01 is 1 %) mostly.
    fn approx_count_distinct_rsd(column: column, rsd: value) = "approx_count_distinct";
    /// The value at a percentage from 0 to 1, about.
    fn approx_percentile(column: column, percentage: value);
    /// The value at a percentage from 0 to 1, about.
    fn percentile_approx(column: column, percentage: value);
    /// The value at a percentage from 0 to 1.
    fn percentile(column: column, percentage: value);
    /// The value in the middle.
    fn median(column: column);
    /// The most frequent value.
    fn mode(column: column);
    /// The standard deviation of a sample.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(stddev("latency").to_string(), "stddev(latency)");
    /// ```
    fn stddev(column: column);
    /// The standard deviation of a sample.
    fn stddev_samp(column: column);
    /// The standard deviation of all there is.
    fn stddev_pop(column: column);
    /// The same as [`stddev`].
    fn std(column: column);
    /// The variance of a sample.
    fn variance(column: column);
    /// The variance of a sample.
    fn var_samp(column: column);
    /// The variance of all there is.
    fn var_pop(column: column);
    /// How lopsided the values are.
    fn skewness(column: column);
    /// How heavy the tails of the values are.
    fn kurtosis(column: column);
    /// The correlation of two columns, from -1 to 1.
    fn corr(left: column, right: column);
    /// The covariance of all there is.
    fn covar_pop(left: column, right: column);
    /// The covariance of a sample.
    fn covar_samp(left: column, right: column);
    /// All values as an array, with repetitions.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(collect_list("page").to_string(), "collect_list(page)");
    /// ```
    fn collect_list(column: column);
    /// All different values as an array.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(collect_set("page").to_string(), "collect_set(page)");
    /// ```
    fn collect_set(column: column);
    /// The same as [`collect_list`].
    fn array_agg(column: column);
    /// All texts in one.
    fn listagg(column: column);
    /// All texts in one.
    fn string_agg(column: column);
    /// The first value; of a stream, that of any row.
    fn first(column: column);
    /// The last value; of a stream, that of any row.
    fn last(column: column);
    /// The first value.
    fn first_value(column: column);
    /// The last value.
    fn last_value(column: column);
    /// Any value.
    fn any_value(column: column);
    /// The value of the row where `ordering` is greatest.
    fn max_by(column: column, ordering: column);
    /// The value of the row where `ordering` is least.
    fn min_by(column: column, ordering: column);
    /// How many rows the condition holds for.
    fn count_if(condition: column);
    /// Whether the condition holds for all rows.
    fn bool_and(condition: column);
    /// Whether the condition holds for any row.
    fn bool_or(condition: column);
    /// Whether the condition holds for all rows.
    fn every(condition: column);
    /// Whether the condition holds for any row.
    fn some(condition: column);
    /// The bits that all values have.
    fn bit_and(column: column);
    /// The bits that any value has.
    fn bit_or(column: column);
    /// The bits that an odd number of values have.
    fn bit_xor(column: column);
    /// The product of all values.
    fn product(column: column);
    /// The sum, `NULL` instead of an overflow.
    fn try_sum(column: column);
    /// The mean, `NULL` instead of an overflow.
    fn try_avg(column: column);
    /// Whether the column is not among the grouping columns of this row of a rollup or cube.
    fn grouping(column: column);
}

super::variadic! {
    /// Which columns are not among the grouping columns of this row, as bits.
    fn grouping_id;
}

/// How many different values there are.
///
/// ```
/// use tidebook::prelude::*;
///
/// assert_eq!(count_distinct("user").to_string(), "count(DISTINCT user)");
/// ```
pub fn count_distinct(column: impl Into<Column>) -> Column {
    distinct("count", column.into())
}

/// The sum of the different values.
pub fn sum_distinct(column: impl Into<Column>) -> Column {
    distinct("sum", column.into())
}

fn distinct(name: &str, column: Column) -> Column {
    Column::new(Expression::Function {
        name: name.to_string(),
        arguments: vec![column.into_expression()],
        distinct: true,
    })
}
