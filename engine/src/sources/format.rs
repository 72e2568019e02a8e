//! A kind of source: one row of the table of formats, which holds all that is particular to it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use futures::future::BoxFuture;

use super::SourceDefinition;
use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::error::Result;
use crate::options::{OptionMap, OptionSpec};
use crate::storage::{Location, Stores};

/// Defines a stream. Everything that is wrong with the request is an error now.
pub(super) type DefineStream = fn(StreamRequest) -> Result<Arc<dyn SourceDefinition>>;

/// Opens a table. Everything that is wrong with the request is an error now.
pub(super) type OpenTable =
    for<'a> fn(TableRequest<'a>) -> BoxFuture<'a, Result<Arc<dyn TableProvider>>>;

/// A kind of source.
#[derive(Debug, Clone, Copy)]
pub struct SourceFormat {
    /// What stands behind `--format` or in `format(…)`.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// The options of a stream, in groups.
    pub options: &'static [&'static [OptionSpec]],
    /// Whether it reads files below a path.
    pub needs_path: bool,
    /// Where its columns come from.
    pub columns: Columns,
    /// How to make a stream; `None` if it can only be read as a table.
    pub stream: Option<DefineStream>,
    /// How to make a table; `None` if it can only be read as a stream.
    pub table: Option<OpenTable>,
}

/// Where the columns of a format come from.
#[derive(Debug, Clone, Copy)]
pub enum Columns {
    /// Whoever defines a stream names them.
    Given,
    /// They may be named; otherwise the format says.
    Optional,
    /// The format has these and no others.
    Fixed,
}

/// What a stream is made from.
#[derive(Debug, Clone)]
pub struct StreamRequest {
    /// The format's name, as in the table.
    pub format: &'static str,
    /// The columns that were named, if any.
    pub schema: Option<SchemaRef>,
    /// As the user gave them; the path of files is the option `path`.
    pub options: OptionMap,
    /// What the session says where an option was not given.
    pub defaults: OptionMap,
    /// Where files are.
    pub stores: Arc<Stores>,
}

/// What a table is made from.
pub struct TableRequest<'a> {
    /// With which it is planned.
    pub session: &'a dyn Session,
    /// The format's name, as in the table.
    pub format: &'static str,
    /// The columns that were named, if any.
    pub schema: Option<SchemaRef>,
    /// The paths of files; the option `path` stands for one as well.
    pub paths: &'a [String],
    /// As the user gave them.
    pub options: &'a OptionMap,
    /// What the session says where an option was not given.
    pub defaults: OptionMap,
}

/// What a source is made with for one run of one query.
#[derive(Debug, Clone)]
pub struct SourceContext {
    /// Its folder in the checkpoint: `CHECKPOINT/sources/0`.
    pub metadata_path: Location,
    /// Whether what it writes there must survive a power cut.
    pub durable: bool,
    /// How many batches stay in the logs there.
    pub batches_to_retain: i64,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Tells it that the query is to end, wherever it waits.
    pub cancellation: Cancellation,
}
