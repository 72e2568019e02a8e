//! Columns, literals and calls by name.

use crate::column::{Column, Operand};
use crate::plan::expression::Expression;
use crate::row::Value;

/// A column by name: `col("amount")`; a field of a struct by `col("window.start")`; all columns by
/// `col("*")`.
///
/// ```
/// use tidebook::prelude::*;
///
/// assert_eq!(col("amount").gt(10).to_string(), "(amount > 10)");
/// ```
pub fn col(name: &str) -> Column {
    name.into()
}

/// The same as [`col`].
pub fn column(name: &str) -> Column {
    col(name)
}

/// A literal: a number, text, `bool`, [`Timestamp`](crate::Timestamp), bytes, or `Option` of them.
///
/// ```
/// use tidebook::prelude::*;
///
/// assert_eq!(lit("paid").to_string(), "paid");
/// assert_eq!(lit(None::<i32>).to_string(), "NULL");
/// ```
pub fn lit(value: impl Operand) -> Column {
    value.into_operand()
}

/// A text.
pub fn lit_string(value: &str) -> Column {
    value.into_operand()
}

/// A `DOUBLE`.
pub fn lit_double(value: f64) -> Column {
    value.into_operand()
}

/// A `BOOLEAN`.
pub fn lit_boolean(value: bool) -> Column {
    value.into_operand()
}

/// An expression of SQL.
///
/// ```
/// use tidebook::prelude::*;
///
/// let rate = expr("amount / 100").alias("rate");
/// assert_eq!(rate.to_string(), "amount / 100 AS rate");
/// ```
pub fn expr(text: &str) -> Column {
    Column::new(Expression::Sql(text.to_string()))
}

/// A call of a function by name, for those that have no Rust function here.
///
/// ```
/// use tidebook::prelude::*;
///
/// assert_eq!(call_function("soundex", [col("name")]).to_string(), "soundex(name)");
/// ```
pub fn call_function<C: Into<Column>>(
    name: &str,
    arguments: impl IntoIterator<Item = C>,
) -> Column {
    let arguments = arguments
        .into_iter()
        .map(|argument| argument.into().into_expression());
    Column::new(Expression::Call {
        name: name.to_string(),
        arguments: arguments.collect(),
    })
}

/// A call of a registered function by name; see [`udf`](crate::udf::udf).
pub fn call_udf<C: Into<Column>>(name: &str, arguments: impl IntoIterator<Item = C>) -> Column {
    Column::call(name, arguments.into_iter().map(C::into))
}

/// `CASE WHEN condition THEN value`; go on with [`Column::when`] and [`Column::otherwise`].
///
/// ```
/// use tidebook::prelude::*;
///
/// let size = when(col("n").gt(100), "big").otherwise("small");
/// assert_eq!(size.to_string(), "CASE WHEN (n > 100) THEN big ELSE small END");
/// ```
pub fn when(condition: Column, value: impl Operand) -> Column {
    Value::Null.into_operand().when(condition, value)
}

/// See [`Column::asc`].
pub fn asc(column: impl Into<Column>) -> Column {
    column.into().asc()
}

/// See [`Column::asc_nulls_first`].
pub fn asc_nulls_first(column: impl Into<Column>) -> Column {
    column.into().asc_nulls_first()
}

/// See [`Column::asc_nulls_last`].
pub fn asc_nulls_last(column: impl Into<Column>) -> Column {
    column.into().asc_nulls_last()
}

/// See [`Column::desc`].
pub fn desc(column: impl Into<Column>) -> Column {
    column.into().desc()
}

/// See [`Column::desc_nulls_first`].
pub fn desc_nulls_first(column: impl Into<Column>) -> Column {
    column.into().desc_nulls_first()
}

/// See [`Column::desc_nulls_last`].
pub fn desc_nulls_last(column: impl Into<Column>) -> Column {
    column.into().desc_nulls_last()
}

/// Says that the data frame is small enough to be sent to every partition of a join.
pub fn broadcast(df: crate::DataFrame) -> crate::DataFrame {
    df.broadcast()
}
