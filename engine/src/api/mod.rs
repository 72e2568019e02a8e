//! What users of the library hold: a session, its queries, its manager. Spark's names.
//!
//! What may wait gives a boxed future: the code behind it, DataFusion's included, is compiled here
//! once and not again in every program that waits for it.

mod cached_rows;
mod conf;
mod feed;
mod frames;
mod inline_functions;
mod manual_clock;
mod query_options;
mod session;
mod start;
mod state;
mod statements;
mod streaming_query;
mod streaming_query_manager;
mod user_code;
mod write;

pub use feed::Fed;
pub use frames::SqlKind;
pub use inline_functions::InlineFunctions;
pub use query_options::QUERY_OPTIONS;
pub use session::{CommandOutput, Console, Rows, Session, SessionBuilder, SqlOutput, ViewInfo};
pub use state::{StateRequest, StoreState};
pub use statements::fits;
pub use streaming_query::StreamingQuery;
pub use streaming_query_manager::StreamingQueryManager;
