//! The state of queries as tables: `statestore` with the rows of one store, `state-metadata` with the
//! stores there are. Both read a checkpoint's files and nothing else, also of a query that runs.

mod checkpoint;
mod columns;
mod metadata;
mod options;
mod registry;
mod table;

pub use checkpoint::{CheckpointState, StateOfStore, StoreSelection};
pub(in crate::sources) use registry::{STATE_METADATA, STATE_STORE};
