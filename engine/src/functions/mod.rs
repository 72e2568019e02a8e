//! Spark's functions: those of datafusion-spark, DataFusion's own, and what both lack.

mod aggregates;
mod ansi;
mod arguments;
mod arithmetic;
mod cast;
mod collections;
mod common_type;
mod comparison;
mod csv;
mod decimal;
mod generators;
mod higher_order;
mod intervals;
mod json;
mod numbers;
mod scalar;
mod takes;
mod text;
mod time;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};

pub(crate) use aggregates::{in_order, wrapping_sum};
pub(crate) use ansi::{is_ansi, set_ansi};
pub(crate) use arithmetic::{Operation, arithmetic, as_number};
pub(crate) use cast::{can_cast, spark_cast};
pub(crate) use collections::{array_item, element_at};
pub(crate) use common_type::common_type;
pub(crate) use comparison::{canonical, comparison_key_of, has_fractions, one_nan_of};
pub(crate) use decimal::narrowest;
pub(crate) use intervals::{interval_arithmetic, negated_interval};
pub(crate) use numbers::entropy;
pub(crate) use time::{check_time_type, is_of_time, set_time_type};

use crate::plan::{current_time_functions, row_id_functions, time_window_functions};

/// Those of one row that both lack, or have otherwise than Spark.
pub(crate) fn scalar_functions() -> Vec<ScalarUDF> {
    let own = [
        arithmetic::arithmetic_functions(),
        current_time_functions(),
        row_id_functions(),
        time_window_functions(),
    ];
    let own = own.into_iter().flatten();
    own.chain(tables().flat_map(|table| scalar::registered(table)))
        .chain(numbers::remembering_functions())
        .collect()
}

/// The tables of all themes.
fn tables() -> impl Iterator<Item = &'static &'static [scalar::Scalar]> {
    let themes = [
        collections::TABLES,
        csv::TABLES,
        generators::TABLES,
        json::TABLES,
        numbers::TABLES,
        text::TABLES,
        time::TABLES,
    ];
    themes.into_iter().flatten()
}

/// Whether a function is in one of the tables.
pub(crate) fn is_own(name: &str) -> bool {
    let mut rows = tables().flat_map(|table| table.iter());
    rows.any(|row| row.name == name || row.aliases.contains(&name))
}

/// Those that take functions of elements.
pub(crate) fn higher_order_functions() -> Vec<Arc<HigherOrderUDF>> {
    higher_order::higher_order()
}

/// Those of a window of rows.
pub(crate) fn window_functions() -> Vec<Arc<WindowUDF>> {
    aggregates::windows()
}

/// The same, of many rows.
pub(crate) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    aggregates::aggregates()
}

/// What a function of the tables gives, in one sentence, and a query that shows it.
pub(crate) fn described_functions(name: &str) -> Option<(&'static str, &'static str)> {
    let mut rows = tables().flat_map(|table| table.iter());
    let row = rows.find(|row| row.name == name || row.aliases.contains(&name));
    row.map(|row| (row.doc, row.example))
        .or_else(|| aggregates::described(name))
        .or_else(|| higher_order::described(name))
}
