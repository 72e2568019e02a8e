//! Spark's functions: those of datafusion-spark, DataFusion's own, and what both lack.

mod arithmetic;
mod array_item;
mod avg;
mod cast;
mod central_moment;
mod date_format;
mod decimal;
mod element_at;
mod json;
mod json_path;
mod make_timestamp;
mod months;
mod nearest_rank;
mod regex;
mod sequence;
mod sum;

use std::sync::Arc;

use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub(super) use arithmetic::{Operation, arithmetic, as_number};
pub(super) use array_item::array_item;
pub(super) use cast::spark_cast;
pub(super) use decimal::narrowest;
pub(super) use element_at::element_at;

use super::literals::all_columns_function;
use crate::plan::{current_time_functions, row_id_functions, time_window_functions};

/// Those of one row that both lack, or have otherwise than Spark.
pub(super) fn scalar_functions() -> Vec<ScalarUDF> {
    let own = [
        arithmetic::arithmetic_functions(),
        date_format::date_format_functions(),
        element_at::element_functions(),
        json::json_functions(),
        make_timestamp::make_timestamp_functions(),
        months::months_functions(),
        regex::regex_functions(),
        vec![
            array_item(),
            all_columns_function(),
            nearest_rank::nearest_rank(),
            sequence::sequence(),
        ],
        current_time_functions(),
        row_id_functions(),
        time_window_functions(),
    ];
    own.into_iter().flatten().collect()
}

/// The same, of many rows.
pub(super) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    use central_moment::{CentralMoment, Shape};
    vec![
        // datafusion-spark's average knows no decimals.
        Arc::new(AggregateUDF::new_from_impl(avg::SparkAvg::new())),
        Arc::new(AggregateUDF::new_from_impl(sum::SparkSum::new())),
        Arc::new(AggregateUDF::new_from_impl(CentralMoment::new(
            Shape::Skewness,
        ))),
        Arc::new(AggregateUDF::new_from_impl(CentralMoment::new(
            Shape::Kurtosis,
        ))),
        count_udaf(),
    ]
}
