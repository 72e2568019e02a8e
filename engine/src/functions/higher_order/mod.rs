//! Functions that take functions of elements: `transform(array, x -> x + 1)`.

mod aggregate;
mod arrays;
mod function;
mod maps;
mod sort;
mod udf;

use std::sync::Arc;

use datafusion::logical_expr::HigherOrderUDF;

/// What one of them gives, and a query that shows it.
pub(super) fn described(name: &str) -> Option<(&'static str, &'static str)> {
    let tables = [aggregate::TABLE, arrays::TABLE, maps::TABLE, sort::TABLE];
    let mut rows = tables.into_iter().flatten();
    let row = rows.find(|row| row.name == name)?;
    Some((row.doc, row.example))
}

/// All of them, under Spark's names.
pub(super) fn higher_order() -> Vec<Arc<HigherOrderUDF>> {
    let tables = [aggregate::TABLE, arrays::TABLE, maps::TABLE, sort::TABLE];
    tables.into_iter().flatten().map(udf::udf).collect()
}
