//! Reads batches.

use super::{Source, reader};

/// Reads files as they are now; see [`SparkSession::read`](crate::SparkSession::read).
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let users = spark.read().option("header", "true").csv("data/users.csv");
/// users.show(5)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct DataFrameReader {
    source: Source,
}

impl DataFrameReader {
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

reader!(DataFrameReader, streaming = false);
