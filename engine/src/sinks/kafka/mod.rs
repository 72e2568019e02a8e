//! Kafka topics as sinks: a row is a message. A batch may come twice after a crash, as in Spark; with
//! `exactlyOnce=true` it comes in a transaction that also holds the batch's number, so that a batch
//! that was in doubt is settled when the query starts again.

mod batch;
mod delivery;
mod records;
mod registry;
mod sink;
mod transactions;
mod writer;

pub(super) use registry::KAFKA;
