//! Arrays and maps.

use std::cell::Cell;

use super::functions;
use crate::column::{Column, Operand};
use crate::plan::expression::Expression;

functions! {
    /// One row per element of an array or map.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(explode("tags").alias("tag").to_string(), "explode(tags) AS tag");
    /// ```
    fn explode(column: column);
    /// One row per element; one with `NULL` if there is none.
    fn explode_outer(column: column);
    /// One row per element, with its index.
    fn posexplode(column: column);
    /// One row per element, with its index; one with `NULL` if there is none.
    fn posexplode_outer(column: column);
    /// One row per struct of an array.
    fn inline(column: column);
    /// How many elements.
    fn size(column: column);
    /// How many elements.
    fn cardinality(column: column);
    /// How many elements.
    fn array_size(column: column);
    /// The element at an index from 1, or of a key.
    fn element_at(column: column, key: value);
    /// The element at an index from 1, or of a key; `NULL` if there is none.
    fn try_element_at(column: column, key: value);
    /// The element at an index from 0.
    fn get(column: column, index: value);
    /// Whether the value is among the elements.
    fn array_contains(column: column, value: value);
    /// The index of the value from 1; 0 if it is not there.
    fn array_position(column: column, value: value);
    /// Without the value.
    fn array_remove(column: column, value: value);
    /// With the value at the end.
    fn array_append(column: column, value: value);
    /// With the value at the start.
    fn array_prepend(column: column, value: value);
    /// The value so many times.
    fn array_repeat(column: column, times: value);
    /// Elements as one text.
    fn array_join(column: column, delimiter: value);
    /// Every element once.
    fn array_distinct(column: column);
    /// The greatest element.
    fn array_max(column: column);
    /// The least element.
    fn array_min(column: column);
    /// Elements in order.
    fn array_sort(column: column);
    /// Elements in order, `NULL` first.
    fn sort_array(column: column);
    /// Elements of either.
    fn array_union(left: column, right: column);
    /// Elements of both.
    fn array_intersect(left: column, right: column);
    /// Elements of the first only.
    fn array_except(left: column, right: column);
    /// Whether they have an element in common.
    fn arrays_overlap(left: column, right: column);
    /// Without `NULL`.
    fn array_compact(column: column);
    /// Arrays of an array, one after the other.
    fn flatten(column: column);
    /// Elements in a random order.
    fn shuffle(column: column);
    /// So many elements from `start`, counted from 1.
    fn slice(column: column, start: value, length: value);
    /// Numbers or times from `start` to `stop`.
    fn sequence(start: column, stop: column);
    /// The keys of a map.
    fn map_keys(column: column);
    /// The values of a map.
    fn map_values(column: column);
    /// Keys and values of a map as structs.
    fn map_entries(column: column);
    /// A map from structs of key and value.
    fn map_from_entries(column: column);
    /// A map from an array of keys and one of values.
    fn map_from_arrays(keys: column, values: column);
    /// Whether a map has the key.
    fn map_contains_key(column: column, key: value);
    /// A map from text such as `a:1,b:2`.
    fn str_to_map(column: column);
}

super::variadic! {
    /// Columns as one array.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(array(["a", "b"]).to_string(), "array(a, b)");
    /// ```
    fn array;
    /// A map of keys and values in turn.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(create_map([lit("user"), col("user")]).to_string(), "map(user, user)");
    /// ```
    fn create_map = "map";
    /// The entries of all maps.
    fn map_concat;
    /// Structs of the elements of arrays at the same index.
    fn arrays_zip;
}

/// Every element of an array, changed by `f`.
///
/// ```
/// use tidebook::prelude::*;
///
/// let doubled = transform("values", |x| x[0].clone() * 2);
/// assert_eq!(doubled.to_string(), "transform(values, (x) -> (x * 2))");
/// ```
pub fn transform(column: impl Into<Column>, f: impl FnOnce(Vec<Column>) -> Column) -> Column {
    Column::call("transform", [column.into(), lambda(&["x"], f)])
}

/// The elements for which `f` holds.
pub fn filter(column: impl Into<Column>, f: impl FnOnce(Vec<Column>) -> Column) -> Column {
    Column::call("filter", [column.into(), lambda(&["x"], f)])
}

/// Whether `f` holds for any element.
pub fn exists(column: impl Into<Column>, f: impl FnOnce(Vec<Column>) -> Column) -> Column {
    Column::call("exists", [column.into(), lambda(&["x"], f)])
}

/// Whether `f` holds for all elements.
pub fn forall(column: impl Into<Column>, f: impl FnOnce(Vec<Column>) -> Column) -> Column {
    Column::call("forall", [column.into(), lambda(&["x"], f)])
}

/// One value of all elements: `f` makes the next of the one so far and an element.
pub fn aggregate(
    column: impl Into<Column>,
    init: impl Operand,
    f: impl FnOnce(Vec<Column>) -> Column,
) -> Column {
    let merge = lambda(&["acc", "x"], f);
    Column::call("aggregate", [column.into(), init.into_operand(), merge])
}

/// Elements of two arrays at the same index, made one by `f`.
pub fn zip_with(
    left: impl Into<Column>,
    right: impl Into<Column>,
    f: impl FnOnce(Vec<Column>) -> Column,
) -> Column {
    Column::call(
        "zip_with",
        [left.into(), right.into(), lambda(&["x", "y"], f)],
    )
}

/// The entries of a map for which `f` of key and value holds.
pub fn map_filter(column: impl Into<Column>, f: impl FnOnce(Vec<Column>) -> Column) -> Column {
    Column::call("map_filter", [column.into(), lambda(&["k", "v"], f)])
}

/// A map whose keys `f` made of key and value.
pub fn transform_keys(column: impl Into<Column>, f: impl FnOnce(Vec<Column>) -> Column) -> Column {
    Column::call("transform_keys", [column.into(), lambda(&["k", "v"], f)])
}

/// A map whose values `f` made of key and value.
pub fn transform_values(
    column: impl Into<Column>,
    f: impl FnOnce(Vec<Column>) -> Column,
) -> Column {
    Column::call("transform_values", [column.into(), lambda(&["k", "v"], f)])
}

thread_local! {
    /// How many lambdas are being built around the next one.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A lambda inside another one gets names of its own, so that it can use those of the outer one.
fn lambda(names: &[&str], f: impl FnOnce(Vec<Column>) -> Column) -> Column {
    let depth = DEPTH.get();
    let suffix = if depth == 0 {
        String::new()
    } else {
        format!("_{depth}")
    };
    let arguments: Vec<String> = names.iter().map(|name| format!("{name}{suffix}")).collect();
    let variables = arguments
        .iter()
        .map(|name| Column::new(Expression::Variable(name.clone())));
    let variables = variables.collect();
    DEPTH.set(depth + 1);
    let body = f(variables).into_expression();
    DEPTH.set(depth);
    Column::new(Expression::Lambda {
        body: Box::new(body),
        arguments,
    })
}
