//! What a stream reads, before any query reads it.

use std::path::Path;

use arrow::datatypes::SchemaRef;

use crate::error::Result;
use crate::options::OptionMap;
use crate::sources::file::FileStreamSource;
use crate::sources::{MemoryStream, Source};

/// A description from which every query that reads the stream makes its own [`Source`].
#[derive(Debug)]
pub enum SourceSpec {
    /// Rows added by hand.
    Memory(MemoryStream),
    /// Files of JSON.
    File {
        /// As the user gave them; `path` is among them.
        options: OptionMap,
        /// The columns.
        schema: SchemaRef,
        /// e.g. `FileStreamSource[file:/data/in]`.
        description: String,
    },
}

impl SourceSpec {
    /// The columns of the stream.
    pub fn schema(&self) -> SchemaRef {
        match self {
            Self::Memory(stream) => stream.schema().clone(),
            Self::File { schema, .. } => schema.clone(),
        }
    }

    /// What it reads, for plans and messages.
    pub fn description(&self) -> String {
        match self {
            Self::Memory(stream) => format!("MemoryStream[{}]", stream.name()),
            Self::File { description, .. } => description.clone(),
        }
    }

    /// A source for one run of one query; `metadata_path` is its folder in the checkpoint.
    pub fn create(&self, metadata_path: &Path, durable: bool) -> Result<Box<dyn Source>> {
        Ok(match self {
            Self::Memory(stream) => Box::new(stream.source()),
            Self::File {
                options, schema, ..
            } => {
                let metadata_path = metadata_path.to_path_buf();
                Box::new(FileStreamSource::new(
                    options,
                    schema.clone(),
                    metadata_path,
                    durable,
                )?)
            }
        })
    }
}
