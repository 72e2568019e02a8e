//! What a stream reads, before any query reads it.

use std::path::Path;

use arrow::datatypes::SchemaRef;

use super::file::FileStreamSource;
use super::registry::define_source;
use super::{MemoryStream, Source};
use crate::error::{Error, Result};
use crate::options::OptionMap;

/// A description from which every query that reads the stream makes its own [`Source`].
#[derive(Debug)]
pub enum SourceSpec {
    /// Rows added by hand.
    Memory(MemoryStream),
    /// A format of the table of sources, with its options.
    Format {
        /// The format's name.
        format: String,
        /// Its options, `path` among them.
        options: OptionMap,
        /// The columns of the stream.
        schema: SchemaRef,
        /// e.g. `FileStreamSource[file:/data/in]`.
        description: String,
    },
}

impl SourceSpec {
    /// A stream of `format`; what is wrong with its definition is an error now.
    pub fn try_new(
        format: &str,
        schema: Option<SchemaRef>,
        paths: &[String],
        mut options: OptionMap,
    ) -> Result<Self> {
        match paths {
            [] => {}
            [path] => {
                options.insert("path".to_string(), path.clone());
            }
            _ => {
                return Err(Error::illegal_argument("a stream of files has one path")
                    .with_hint("use a pattern, e.g. /data/{a,b}/*.json"));
            }
        }
        let definition = define_source(format, &options, schema)?;
        Ok(Self::Format {
            format: format.to_string(),
            schema: definition.schema(),
            description: definition.description(),
            options,
        })
    }

    /// The columns of the stream.
    pub fn schema(&self) -> SchemaRef {
        match self {
            Self::Memory(stream) => stream.schema().clone(),
            Self::Format { schema, .. } => schema.clone(),
        }
    }

    /// What it reads, for plans and messages.
    pub fn description(&self) -> String {
        match self {
            Self::Memory(stream) => format!("MemoryStream[{}]", stream.name()),
            Self::Format { description, .. } => description.clone(),
        }
    }

    /// A source for one run of one query; `metadata_path` is its folder in the checkpoint.
    pub fn create(&self, metadata_path: &Path, durable: bool) -> Result<Box<dyn Source>> {
        match self {
            Self::Memory(stream) => Ok(Box::new(stream.source())),
            Self::Format {
                format,
                options,
                schema,
                ..
            } => {
                let definition = define_source(format, options, Some(schema.clone()))?;
                let source = FileStreamSource::new(definition, metadata_path.into(), durable)?;
                Ok(Box::new(source))
            }
        }
    }
}
