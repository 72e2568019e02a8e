//! Files: what is read of them as streams, and what is written.

mod sinks;
mod sources;
mod stores;
mod support;
