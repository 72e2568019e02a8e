//! What DataFusion needs to know to plan as Spark does.

use std::sync::Arc;

use datafusion::execution::config::SessionConfig;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion_spark::SessionStateBuilderSpark;

use super::casts::SparkCasts;
use super::functions::{aggregate_functions, scalar_functions};
use super::operators::{SparkOperators, SparkTypes};

/// A session that knows Spark's functions, operators, types and casts.
pub fn session_state(config: SessionConfig) -> SessionState {
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_default_features()
        .with_spark_features()
        .with_type_planner(Arc::new(SparkTypes))
        .with_analyzer_rule(Arc::new(SparkCasts));
    // The first planner that knows an operator plans it.
    let planners = builder.expr_planners().get_or_insert_default();
    planners.insert(0, Arc::new(SparkOperators));
    let scalars = builder.scalar_functions().get_or_insert_default();
    scalars.extend(scalar_functions().into_iter().map(Arc::new));
    let aggregates = builder.aggregate_functions().get_or_insert_default();
    aggregates.extend(aggregate_functions());
    builder.build()
}
