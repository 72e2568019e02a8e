//! Files: what is read of them as streams, and what is written.

mod choosing;
mod durable;
mod metadata;
mod progress;
mod retention;
mod sinks;
mod sources;
mod stores;
mod support;
