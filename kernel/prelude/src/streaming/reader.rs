//! Reads streams.

use crate::readwriter::{Source, reader};

/// Reads what comes, on and on; see [`SparkSession::read_stream`](crate::SparkSession::read_stream).
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let events = spark
///     .read_stream()
///     .format("json")
///     .schema("user STRING, amount DOUBLE, ts TIMESTAMP")
///     .option("maxFilesPerTrigger", "1")
///     .load(Some("data/events"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct DataStreamReader {
    source: Source,
}

impl DataStreamReader {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The source's name, which its place in a checkpoint is found by.
    pub fn name(mut self, source_name: &str) -> Self {
        self.source.name = Some(source_name.to_string());
        self
    }
}

reader!(DataStreamReader, streaming = true);
