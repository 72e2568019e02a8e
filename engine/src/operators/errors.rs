//! What fails below an operator, as an error of the engine.

use datafusion::error::DataFusionError;

use crate::error::{Error, from_datafusion};

/// Arrow errors inside an operator.
pub(super) fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal(error.to_string()).with_source(error)
}

/// DataFusion errors inside an operator; an engine error that went through DataFusion comes back.
pub(super) fn datafusion_error(error: DataFusionError) -> Error {
    from_datafusion(error)
}
