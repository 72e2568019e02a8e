//! Spark Connect's client: a notebook's queries run on a Spark cluster, or on whatever else speaks
//! Spark Connect.
//!
//! ```text
//!  Address (sc://…) ─► channel (HTTP/2, TLS, token) ─► client (retries, reattach, interrupt)
//!                                                        │ rows: Arrow → Rows
//!                    Cluster: SQL, views, queries ◄──────┤ error: class, condition, SQLSTATE
//!                    Query: what its watcher last saw ◄──┘
//! ```
//! An operation goes on at the server when the connection is lost, and its answer is taken up where it
//! was. A streaming query outlives its client: [`Cluster::queries`] finds it again in the same session.
//!
//! Dependencies point one way: {address, error, progress, rows} ← channel ← client ← query ← cluster
//! ← plans.

mod address;
mod channel;
mod client;
mod cluster;
mod error;
mod plans;
mod progress;
mod query;
mod rows;

pub use address::Address;
pub use cluster::{Cluster, Output};
pub use error::{Error, Kind, Result};
pub use query::Query;
