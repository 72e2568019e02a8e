//! What a stream reads, before any query reads it.

use std::path::Path;

use arrow::datatypes::SchemaRef;

use super::{MemoryStream, Source};
use crate::error::Result;

/// A description from which every query that reads the stream makes its own [`Source`].
#[derive(Debug)]
pub enum SourceSpec {
    /// Rows added by hand.
    Memory(MemoryStream),
}

impl SourceSpec {
    /// The columns of the stream.
    pub fn schema(&self) -> SchemaRef {
        match self {
            Self::Memory(stream) => stream.schema().clone(),
        }
    }

    /// What it reads, for plans and messages.
    pub fn description(&self) -> String {
        match self {
            Self::Memory(stream) => format!("MemoryStream[{}]", stream.name()),
        }
    }

    /// A source for one run of one query; `metadata_path` is its folder in the checkpoint.
    pub fn create(&self, metadata_path: &Path, durable: bool) -> Result<Box<dyn Source>> {
        let _ = (metadata_path, durable);
        match self {
            Self::Memory(stream) => Ok(Box::new(stream.source())),
        }
    }
}
