//! Kafka as source and sink, against a broker: what real Spark 4.3 was seen to do. Each test is a
//! function of the broker's address, and runs against every broker there is.

mod brokers;
mod checkpoint;
mod data_loss;
mod deleted;
mod faults;
mod harness;
mod limits;
mod login;
mod options;
mod parsing;
mod rows;
mod sink;
mod starting;
mod table;
mod topics;
mod transactions;
