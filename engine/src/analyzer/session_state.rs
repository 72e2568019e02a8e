//! What DataFusion needs to know to plan as Spark does.

use std::sync::Arc;

use datafusion::execution::config::SessionConfig;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion_spark::SessionStateBuilderSpark;

use super::costly_calls;
use super::lambda_columns::without_lambdas;

use crate::functions::{
    aggregate_functions, higher_order_functions, scalar_functions, window_functions,
};

/// A session that knows Spark's functions.
pub(crate) fn session_state(config: SessionConfig) -> SessionState {
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .with_spark_features();
    let scalars = builder.scalar_functions().get_or_insert_default();
    scalars.extend(scalar_functions().into_iter().map(Arc::new));
    let aggregates = builder.aggregate_functions().get_or_insert_default();
    aggregates.extend(aggregate_functions());
    let windows = builder.window_functions().get_or_insert_default();
    windows.extend(window_functions());
    let higher_order = builder.higher_order_functions().get_or_insert_default();
    higher_order.extend(higher_order_functions());
    let physical = costly_calls::physical(without_lambdas(PhysicalOptimizer::new().rules));
    builder
        .with_optimizer_rules(costly_calls::rules())
        .with_physical_optimizer_rules(physical)
        .build()
}
