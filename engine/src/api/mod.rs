//! What users of the library hold: a session, its queries, its manager. Spark's names.

mod session;
mod streaming_query;
mod streaming_query_manager;

pub use session::{CommandOutput, Rows, Session, SqlOutput, ViewInfo};
pub use streaming_query::StreamingQuery;
pub use streaming_query_manager::StreamingQueryManager;
