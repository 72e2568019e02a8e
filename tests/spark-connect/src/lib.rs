//! A cell of a notebook, compiled with the crate `apache-spark-connect`.

use spark_connect::functions::{
    approx_count_distinct, avg, count, current_timestamp, expr, from_json, max, session_window,
    r#struct, sum, to_json, when, window, window_with_slide_and_start,
};
use spark_connect::plan::JoinType;
use spark_connect::streaming::{
    QUERY_PROGRESS_EVENT, StreamingQueryListener, StreamingQueryListenerEvent,
};
use spark_connect::{
    Result, SparkSession, Trigger, Window, col, lit, lit_double, lit_string,
};

/// The lesson, on a cluster.
pub fn lesson(spark: &SparkSession) -> Result<i64> {
    Ok(include!("../../../kernel/prelude/examples/cells/lesson.rs"))
}
