//! Kafka topics, as a stream and as a table. **Offsets are the checkpoint's, never a consumer
//! group's.**

mod batch;
mod boundary;
mod columns;
mod consumer_pool;
mod data_loss;
mod initial_offsets;
mod offset_reader;
mod offsets_json;
mod options;
mod partition_reader;
mod ranges;
mod rate_limit;
mod registry;
mod requests;
mod source;
mod table;
mod topics;

pub(super) use registry::KAFKA;
