//! A kind of sink: one row of the table of formats, which holds all that is particular to it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::{BatchSink, ConsoleWriter, ForeachBatch, MemoryTable, Sink};
use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::error::{Error, Result, hint};
use crate::options::{OptionMap, OptionSpec, Options};
use crate::output_mode::OutputMode;
use crate::storage::Stores;

/// Makes a sink. Everything that can be wrong with the request is an error now.
pub(super) type CreateSink = fn(SinkRequest<'_>) -> Result<CreatedSink>;

/// Makes what a batch query is written to. Everything that can be wrong with the request is an
/// error now.
pub(super) type CreateBatchSink = fn(BatchRequest<'_>) -> Result<Box<dyn BatchSink>>;

/// A kind of sink.
#[derive(Debug, Clone, Copy)]
pub struct SinkFormat {
    /// What stands behind `--sink` or in `format(…)`.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// The modes it takes.
    pub output_modes: &'static [OutputMode],
    /// Its options, in groups.
    pub options: &'static [&'static [OptionSpec]],
    /// Options that are Spark's, but not in this version.
    pub absent_options: &'static [&'static str],
    /// Where it writes to, if that has to be said.
    pub target: Target,
    /// Whether a query may be started without a checkpoint of its own.
    pub temporary_checkpoint: bool,
    /// Whether its rows go when the session ends, and a checkpoint does not bring them back.
    pub forgets: bool,
    /// Whether it hands its rows to a function of the session.
    pub needs_function: bool,
    /// How to make one for a stream.
    pub stream: CreateSink,
    /// How to make one for a batch query, if it takes those.
    pub batch: Option<CreateBatchSink>,
}

/// What stands behind the colon of `--sink FORMAT:…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Nothing.
    None,
    /// A directory, which must be named; the option `path`.
    Directory,
    /// A topic, which may be named; the option `topic`.
    Topic,
}

impl Target {
    /// The option that holds it.
    pub fn option(self) -> Option<&'static OptionSpec> {
        match self {
            Self::None => None,
            Self::Directory => Some(&OptionSpec {
                name: "path",
                doc: "the directory the files are written to",
            }),
            Self::Topic => Some(&OptionSpec {
                name: "topic",
                doc: "the topic that rows without a topic column go to",
            }),
        }
    }

    /// What stands for it in a description of a flag.
    pub fn placeholder(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Directory => Some("DIR"),
            Self::Topic => Some("TOPIC"),
        }
    }
}

/// What a sink is made from.
pub struct SinkRequest<'a> {
    /// Its row of the table.
    pub format: &'static SinkFormat,
    /// As the user gave them; where it writes to is among them.
    pub options: &'a OptionMap,
    /// What the session says where an option was not given.
    pub defaults: OptionMap,
    /// Where files are.
    pub stores: Arc<Stores>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Columns of the rows that will come.
    pub schema: SchemaRef,
    /// The columns by which the output is divided.
    pub partition_by: &'a [String],
    /// What the query asks for.
    pub output_mode: OutputMode,
    /// Whether a batch must survive a power cut.
    pub durable: bool,
    /// How many batches stay in a log of what was written.
    pub batches_to_retain: i64,
    /// Where the console sink prints.
    pub console: ConsoleWriter,
    /// The zone in which it prints times.
    pub time_zone: String,
    /// The function that takes the batches.
    pub function: Option<Arc<dyn ForeachBatch>>,
    /// Tells it that the query is to end, wherever it waits.
    pub cancellation: Cancellation,
}

/// What the sink of a batch query is made from.
pub struct BatchRequest<'a> {
    /// Its row of the table.
    pub format: &'static SinkFormat,
    /// As the user gave them; where it writes to is among them.
    pub options: &'a OptionMap,
    /// What the session says where an option was not given.
    pub defaults: OptionMap,
    /// Where files are.
    pub stores: Arc<Stores>,
    /// Columns of the rows that will come.
    pub schema: &'a SchemaRef,
    /// The columns by which the output is divided.
    pub partition_by: &'a [String],
}

/// A sink, and what can be read of it.
#[derive(Debug, Clone)]
pub struct CreatedSink {
    /// The sink.
    pub sink: Arc<dyn Sink>,
    /// The rows it keeps, if it keeps them.
    pub table: Option<Arc<MemoryTable>>,
}

impl<S: Sink + 'static> From<S> for CreatedSink {
    fn from(sink: S) -> Self {
        Self {
            sink: Arc::new(sink),
            table: None,
        }
    }
}

impl SinkFormat {
    /// The options of the request, if they all exist.
    pub fn checked_options(&self, given: &OptionMap) -> Result<Options> {
        let known = self.options.iter().copied().flatten();
        let known = known.chain(self.target.option());
        let what = format!("sink '{}'", self.name);
        Options::new(what, given, known, self.absent_options)
    }

    /// Refuses columns by which the output cannot be divided: only folders can.
    pub(super) fn check_partition_by(&self, columns: &[String]) -> Result<()> {
        if columns.is_empty() || self.target == Target::Directory {
            return Ok(());
        }
        Err(
            Error::analysis(format!("sink '{}' does not support partitionBy", self.name))
                .with_hint("leave it out, or write files: parquet, json, csv or text"),
        )
    }

    /// Refuses a mode that it does not take.
    pub(super) fn check_output_mode(&self, mode: OutputMode) -> Result<()> {
        if self.output_modes.contains(&mode) {
            return Ok(());
        }
        let mut hint = vec![hint::say("use ")];
        for (index, accepted) in self.output_modes.iter().enumerate() {
            hint.extend((index > 0).then(|| hint::say(" or ")));
            hint.push(hint::mode(accepted));
        }
        hint.push(hint::say(
            ", or another sink: memory, console and noop take every mode",
        ));
        Err(Error::analysis(format!(
            "sink '{}' does not take output mode '{mode}'",
            self.name
        ))
        .with_condition("STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE")
        .with_parameter("className", self.name)
        .with_parameter("outputMode", mode.as_str())
        .with_hint(hint))
    }
}
