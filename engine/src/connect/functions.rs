//! The functions SQL finds: Spark's, then DataFusion's own, then time and windows.

use datafusion::error::Result as DataFusionResult;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionContext;
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;

use crate::error::Result;
use crate::error::from_datafusion;
use crate::plan::{
    arithmetic_functions, current_time_functions, row_id_functions, time_window_functions,
};

/// Adds Spark's functions, and those that know about streams, to a session.
pub fn register_functions(session: &SessionContext) -> Result<()> {
    register(session).map_err(from_datafusion)
}

fn register(session: &SessionContext) -> DataFusionResult<()> {
    let state = session.state_ref();
    let mut state = state.write();
    datafusion_spark::register_all(&mut *state)?;
    // Spark's variants of these have no states for groups of rows, or other names.
    let approx = approx_distinct_udaf();
    state.register_udaf(std::sync::Arc::new(
        approx
            .as_ref()
            .clone()
            .with_aliases(["approx_count_distinct"]),
    ))?;
    for plain in [avg_udaf(), count_udaf(), sum_udaf()] {
        state.register_udaf(plain)?;
    }
    let own = [
        arithmetic_functions(),
        current_time_functions(),
        row_id_functions(),
        time_window_functions(),
    ];
    for function in own.into_iter().flatten() {
        state.register_udf(std::sync::Arc::new(function))?;
    }
    Ok(())
}
