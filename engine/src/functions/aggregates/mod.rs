//! Aggregates, and functions over windows of rows.

mod aggregate;
mod avg;
mod bitmaps;
mod casting;
mod choice;
mod choice_groups;
mod collect;
mod count_min_sketch;
mod counter_diff;
mod counts;
mod delegate;
mod distinct;
mod extreme_by;
mod frequent;
mod histogram;
mod kept;
mod moments;
mod pairs;
mod percentiles;
mod sliding;
mod statistic;
mod sum;
mod total;
mod windows;

use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, WindowUDF};

pub(crate) use aggregate::in_order;
use aggregate::{Aggregate, registered};

/// The tables of all aggregates that count in their own way.
const TABLES: &[&[Aggregate]] = &[
    bitmaps::TABLE,
    choice::TABLE,
    collect::TABLE,
    count_min_sketch::TABLE,
    counts::TABLE,
    extreme_by::TABLE,
    frequent::TABLE,
    histogram::TABLE,
    moments::TABLE,
    pairs::TABLE,
    percentiles::TABLE,
    total::TABLE,
];

/// What an aggregate of the tables gives, and a query that shows it.
pub(super) fn described(name: &str) -> Option<(&'static str, &'static str)> {
    let mut rows = TABLES.iter().flat_map(|table| table.iter());
    let row = rows.find(|row| row.name == name)?;
    Some((row.doc, row.example))
}

/// Aggregates that both libraries lack, or have otherwise than Spark.
pub(super) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let own = [
        AggregateUDF::new_from_impl(avg::SparkAvg::new(false)),
        AggregateUDF::new_from_impl(avg::SparkAvg::new(true)),
        AggregateUDF::new_from_impl(counts::SparkCount::new()),
        AggregateUDF::new_from_impl(sum::SparkSum::new(false)),
    ];
    let own = own.into_iter().map(Arc::new).chain(delegate::delegates());
    own.chain(TABLES.iter().flat_map(|table| registered(table)))
        .collect()
}

/// `sum` of whole numbers where ANSI mode is off.
pub(crate) fn wrapping_sum() -> Arc<AggregateUDF> {
    static WRAPPING: LazyLock<Arc<AggregateUDF>> =
        LazyLock::new(|| Arc::new(AggregateUDF::new_from_impl(sum::SparkSum::new(true))));
    Arc::clone(&WRAPPING)
}

/// The same of functions over windows.
pub(super) fn windows() -> Vec<Arc<WindowUDF>> {
    let mut windows = windows::windows();
    windows.push(counter_diff::counter_diff());
    windows
}
