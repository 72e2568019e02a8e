//! `writeStream.start()`: everything that can be wrong with a query is found here.

#[cfg(test)]
mod status_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::logical_expr::LogicalPlan;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::conf::{BATCHES_TO_RETAIN, SETTINGS, STATE_STORE_PROVIDER, default};
use super::query_options::QueryOptions;
use super::session::Session;
use super::streaming_query::{QueryFacts, StreamingQuery};
use super::write::check_absent;
use crate::cancellation::Cancellation;
use crate::checkpointing::{CheckpointFileManager, CheckpointLock, OffsetSeqLog, StreamMetadata};
use crate::clock::{Clock, QueryClock};
use crate::connect::proto::streaming_foreach_function::Function;
use crate::connect::proto::write_stream_operation_start::{
    SinkDestination, Trigger as ProtoTrigger,
};
use crate::connect::proto::{StreamingForeachFunction, WriteStreamOperationStart};
use crate::error::{Error, Result, hint};
use crate::interval::parse_trigger;
use crate::output_mode::OutputMode;
use crate::plan::{
    IncrementalExecution, StreamingPlan, check_continuous, check_supported, is_streaming,
};
use crate::runtime::{
    MicroBatchExecution, QuerySetup, SOURCES, STATEFUL_OPERATORS, StreamExecution, StreamIdentity,
    WATERMARK_POLICY,
};
use crate::sinks::{ConsoleWriter, CreatedSink, SinkFormat, SinkRequest, create_sink, sink_format};
use crate::sources::SourceContext;
use crate::state::StateStoreKind;
use crate::storage::Location;
use crate::trigger::Trigger;

/// The sink formats whose rows go to a function of the session, and the option that names it.
const FOREACH_BATCH: &str = "foreachBatch";
const FOREACH: &str = "foreach";
const FUNCTION: &str = "callback";

/// Starts a query.
pub(super) async fn start(
    session: &Session,
    start: &WriteStreamOperationStart,
) -> Result<StreamingQuery> {
    let name = Some(start.query_name.trim()).filter(|name| !name.is_empty());
    let started = Start {
        session,
        start,
        name,
    };
    let query = started.run().await;
    query.map_err(|error| match name {
        Some(name) if error.kind() == crate::error::ErrorKind::Io => {
            error.context(format!("start query '{name}'"))
        }
        _ => error,
    })
}

struct Start<'a> {
    session: &'a Session,
    start: &'a WriteStreamOperationStart,
    name: Option<&'a str>,
}

/// Where the checkpoint is, and the folder that goes with the query if nobody named one.
struct Checkpoint {
    files: CheckpointFileManager,
    temporary: Option<Arc<TempDir>>,
    durable: bool,
}

impl Start<'_> {
    async fn run(&self) -> Result<StreamingQuery> {
        self.run_into(create_sink).await
    }

    async fn run_into(
        &self,
        create: impl FnOnce(SinkRequest<'_>) -> Result<CreatedSink>,
    ) -> Result<StreamingQuery> {
        self.check_complete()?;
        let inner = &self.session.inner;
        let output_mode: OutputMode = match self.start.output_mode.trim() {
            "" => OutputMode::default(),
            text => text.parse()?,
        };
        let trigger = self.trigger()?;
        self.check_name()?;
        let plan = self.plan().await?;
        check_supported(&plan, output_mode)?;
        if let Trigger::Continuous(_) = trigger {
            check_continuous(&plan)?;
        }

        let (mut options, format) = self.options();
        let own = QueryOptions::take(&mut options)?;
        let format = sink_format(&format)?;
        let checkpoint = self.checkpoint(&own, format, output_mode, &options)?;
        let streaming = StreamingPlan { plan, output_mode };
        let cancellation = Cancellation::new();
        let execution = self
            .session
            .incremental_execution(streaming, &cancellation)
            .await?;

        let begun = StreamMetadata::read(&checkpoint.files)?;
        let active = inner.streams.active();
        let other = active
            .iter()
            .find(|query| begun.is_some_and(|begun| query.id() == begun.id));
        if let Some(other) = other {
            return Err(Error::illegal_argument(format!(
                "the checkpoint '{}' is in use by query '{}'",
                checkpoint.files.root().display(),
                other.label()
            ))
            .with_condition("CONCURRENT_QUERY")
            .with_hint([hint::stop(other.label()), hint::say(" first")]));
        }
        let lock = match checkpoint.temporary {
            Some(_) => None,
            None => Some(CheckpointLock::acquire(&checkpoint.files)?),
        };
        let id = StreamMetadata::read_or_create(&checkpoint.files, Uuid::new_v4())?.id;
        let manual_clock = own
            .manual_clock
            .then(|| QueryClock::new(inner.manual_clock.clone()));
        let clock = manual_clock
            .clone()
            .map(|clock| Arc::new(clock) as Arc<dyn Clock>);
        let clock = clock.unwrap_or_else(|| Arc::clone(&inner.clock));
        let batches_to_retain = self.batches_to_retain()?;
        let mut sources = Vec::new();
        for (index, spec) in execution.sources.definitions.iter().enumerate() {
            let metadata = checkpoint
                .files
                .root()
                .join("sources")
                .join(&index.to_string());
            sources.push(spec.create(SourceContext {
                metadata_path: metadata,
                durable: checkpoint.durable,
                batches_to_retain,
                clock: Arc::clone(&clock),
                cancellation: cancellation.clone(),
            })?);
        }
        let request = self.sink_request(format, &options, &execution, &checkpoint)?;
        let CreatedSink { sink, table } = create(SinkRequest {
            cancellation: cancellation.clone(),
            ..request
        })?;
        if trigger.follows().is_some() && !sink.takes_parts() {
            return Err(needs_whole_batches(trigger, format));
        }
        let facts = QueryFacts {
            output_mode,
            trigger,
            sink: sink.description(),
            table: self.name.filter(|_| table.is_some()).map(str::to_string),
            schema: execution.schema(),
            explain: execution.explain(),
            manual_clock,
            started_ms: clock.now_ms(),
            streams: execution.sources.definitions.clone(),
            clock: Arc::clone(&clock),
            checkpoint: checkpoint.files.root().clone(),
            has_state: !execution.operators.is_empty(),
            temporary: Mutex::new(
                checkpoint
                    .temporary
                    .clone()
                    .filter(|_| !execution.operators.is_empty()),
            ),
        };
        let conf = self.conf(&execution);
        let setting = |key: &str| {
            let value = conf.get(key);
            value.ok_or_else(|| Error::internal(format!("'{key}' has no value")))
        };
        let policy = setting(WATERMARK_POLICY)?.parse()?;
        let no_data_batches = setting("spark.sql.streaming.noDataMicroBatches.enabled")? == "true";
        let setup = QuerySetup {
            sources,
            sink,
            durable: checkpoint.durable,
            checkpoint: checkpoint.files,
            lock,
            batches_to_retain,
            temporary: checkpoint.temporary,
            state_store: own.state_store.unwrap_or_else(|| self.state_store()),
            trigger,
            end: own.end,
            watermark_policy: policy,
            no_data_batches,
            partitions: inner.partitions,
            clock,
            fault: inner.fault.clone(),
            conf,
            execution,
        };
        let identity = StreamIdentity {
            id,
            run_id: Uuid::new_v4(),
            name: self.name.map(str::to_string),
        };
        let events = inner.streams.event_sink();
        let run = Arc::new(StreamExecution::new(identity, events, cancellation));
        let streams = &setup.execution.sources.definitions;
        run.set_source_names(self.session.stream_names(streams));
        let batches = MicroBatchExecution::try_new(setup, Arc::clone(&run))?;
        if let (Some(table), Some(name)) = (table, self.name) {
            self.session.register(name, table, true)?;
        }
        let query = StreamingQuery::new(run, facts);
        inner.streams.add(query.clone());
        let (started, live) = oneshot::channel();
        batches.spawn(inner.runtime.clone(), started)?;
        // An error means that the run ended at once, which the handle tells.
        let _ = live.await;
        Ok(query)
    }

    /// Refuses what this version cannot do.
    fn check_complete(&self) -> Result<()> {
        let start = self.start;
        check_absent(&[(!start.clustering_column_names.is_empty(), "clusterBy")])?;
        match &start.sink_destination {
            Some(SinkDestination::TableName(table)) => Err(Error::analysis(format!(
                "a table cannot be written in this version, so neither can '{table}'"
            ))
            .with_hint(
                "write to files, or use the memory sink: it is a table under the query's name",
            )),
            _ => Ok(()),
        }
    }

    fn trigger(&self) -> Result<Trigger> {
        let interval =
            |text: &str| parse_trigger(text).map_err(|error| error.context("the trigger"));
        Ok(match &self.start.trigger {
            None => Trigger::default(),
            Some(ProtoTrigger::ProcessingTimeInterval(text)) => {
                Trigger::ProcessingTime(interval(text)?)
            }
            Some(ProtoTrigger::AvailableNow(_)) => Trigger::AvailableNow,
            Some(ProtoTrigger::Once(_)) => Trigger::Once,
            Some(ProtoTrigger::ContinuousCheckpointInterval(text)) => {
                Trigger::Continuous(interval(text)?)
            }
            Some(ProtoTrigger::RealTimeBatchDuration(text)) => match interval(text)? {
                Duration::ZERO => {
                    let message = "the trigger: requirement failed: the batch duration of real-time should be more than zero";
                    return Err(Error::illegal_argument(message).with_hint([
                        hint::say("any time will do: "),
                        hint::real_time(Some("100 milliseconds")),
                    ]));
                }
                duration => Trigger::RealTime(duration),
            },
        })
    }

    fn check_name(&self) -> Result<()> {
        let Some(name) = self.name else { return Ok(()) };
        let active = self.session.inner.streams.active();
        let same = |query: &&StreamingQuery| {
            query
                .name()
                .is_some_and(|other| other.eq_ignore_ascii_case(name))
        };
        match active.iter().find(same) {
            None => Ok(()),
            Some(_) => Err(Error::illegal_argument(format!(
                "a query named '{name}' is running already"
            ))
            .with_hint([
                hint::stop(name),
                hint::say(" first, or choose another name"),
            ])),
        }
    }

    async fn plan(&self) -> Result<LogicalPlan> {
        let input = self.start.input.as_ref();
        let input = input.ok_or_else(|| Error::illegal_argument("the query has no input"))?;
        let plan = self.session.plan(input).await?;
        if is_streaming(&plan) {
            return Ok(plan);
        }
        Err(
            Error::analysis("this query reads no stream, so it cannot run as a streaming query")
                .with_condition("WRITE_STREAM_NOT_ALLOWED")
                .with_hint([
                    hint::say("run it with "),
                    hint::run_batch(),
                    hint::say(", or define the stream with "),
                    hint::define_stream(None, None),
                ]),
        )
    }

    /// The sink's options and format; the destination is the option `path`.
    fn options(&self) -> (BTreeMap<String, String>, String) {
        let mut options: BTreeMap<String, String> =
            self.start.options.clone().into_iter().collect();
        if let Some(SinkDestination::Path(path)) = &self.start.sink_destination
            && !path.is_empty()
        {
            options.insert("path".into(), path.clone());
        }
        let functions = [
            (&self.start.foreach_batch, FOREACH_BATCH),
            (&self.start.foreach_writer, FOREACH),
        ];
        for (function, format) in functions {
            if let Some(function) = function {
                let name = function_name(function).map(|name| (FUNCTION.to_string(), name));
                options.extend(name);
                return (options, format.to_string());
            }
        }
        let format = match self.start.format.trim() {
            "" => "parquet".to_string(),
            format => format.to_string(),
        };
        (options, format)
    }

    fn checkpoint(
        &self,
        own: &QueryOptions,
        format: &SinkFormat,
        output_mode: OutputMode,
        options: &BTreeMap<String, String>,
    ) -> Result<Checkpoint> {
        let Some(location) = &own.checkpoint_location else {
            if !format.temporary_checkpoint {
                return Err(Error::analysis(format!(
                    "the {} sink needs a checkpoint directory (checkpointLocation)",
                    format.name
                ))
                .with_hint([hint::say("add "), hint::set_checkpoint()]));
            }
            let temporary = TempDir::with_prefix("tidebook-")
                .map_err(|error| Error::io("make a temporary checkpoint", error))?;
            return Ok(Checkpoint {
                files: CheckpointFileManager::new(temporary.path(), false),
                temporary: Some(Arc::new(temporary)),
                durable: false,
            });
        };
        let root = Location::parse(location, &self.session.inner.stores, options)?;
        writable(&root, own.durable)?;
        let files = CheckpointFileManager::new(root.clone(), own.durable);
        if format.forgets
            && output_mode != OutputMode::Complete
            && OffsetSeqLog::new(&files).latest()?.is_some()
        {
            return Err(Error::analysis(format!(
                "a {} sink cannot be resumed from the checkpoint '{}': its rows are gone",
                format.name,
                root.display()
            ))
            .with_hint([
                hint::say("start with a new "),
                hint::checkpoint(),
                hint::say(", leave it out, or write to files"),
            ]));
        }
        Ok(Checkpoint {
            files,
            temporary: None,
            durable: own.durable,
        })
    }

    fn sink_request<'a>(
        &'a self,
        format: &'static SinkFormat,
        options: &'a BTreeMap<String, String>,
        execution: &IncrementalExecution,
        checkpoint: &Checkpoint,
    ) -> Result<SinkRequest<'a>> {
        let inner = &self.session.inner;
        if format.forgets {
            self.check_table_name(format)?;
        }
        let function = match options.get(FUNCTION).filter(|_| format.needs_function) {
            None => None,
            Some(name) => {
                let found = inner.foreach_batch.read().get(name).cloned();
                let missing = || {
                    let message = format!("no {} function '{name}' is registered", format.name);
                    Error::illegal_argument(message)
                };
                Some(found.ok_or_else(missing)?)
            }
        };
        let console = inner.console.read().clone();
        let label = self.name.unwrap_or("").to_string();
        let console: ConsoleWriter = Arc::new(move |text| {
            if let Some(console) = &console {
                console(&label, text.to_string());
            }
        });
        Ok(SinkRequest {
            format,
            options,
            defaults: inner.format_defaults.get(),
            stores: Arc::clone(&inner.stores),
            clock: Arc::clone(&inner.clock),
            partition_by: &self.start.partitioning_column_names,
            schema: execution.schema(),
            output_mode: execution.output_mode,
            durable: checkpoint.durable,
            batches_to_retain: self.batches_to_retain()?,
            console,
            function,
            cancellation: Cancellation::new(),
            time_zone: self.session.time_zone(),
        })
    }

    /// What is kept is a table under the query's name, which must not hide a stream.
    fn check_table_name(&self, format: &SinkFormat) -> Result<()> {
        let name = self.name.ok_or_else(|| {
            Error::analysis(format!("the {} sink needs a query name", format.name))
                .with_hint("name the query")
        })?;
        match self.session.view(name) {
            Some(view) if view.is_streaming => Err(Error::analysis(format!(
                "'{name}' is the name of a stream, so it cannot be the name of a memory table"
            ))
            .with_hint("choose another name for the query")),
            _ => Ok(()),
        }
    }

    /// How many batches stay in the logs.
    /// Where the session's setting says that state is held: Spark's store on disk is RocksDB.
    fn state_store(&self) -> StateStoreKind {
        let provider = self.session.conf(STATE_STORE_PROVIDER);
        match provider.is_some_and(|provider| provider.ends_with("RocksDBStateStoreProvider")) {
            true => StateStoreKind::Disk,
            false => StateStoreKind::Memory,
        }
    }

    fn batches_to_retain(&self) -> Result<i64> {
        let set = self.session.inner.conf.read();
        let set = set.get(BATCHES_TO_RETAIN).map(String::as_str);
        let value = set
            .or_else(|| default(BATCHES_TO_RETAIN))
            .unwrap_or_default();
        let wrong = |_| Error::internal(format!("'{BATCHES_TO_RETAIN}' is '{value}'"));
        value.parse().map_err(wrong)
    }

    /// Settings, and what makes this query this query.
    fn conf(&self, execution: &IncrementalExecution) -> BTreeMap<String, String> {
        let mut conf: BTreeMap<String, String> = SETTINGS
            .iter()
            .map(|(key, default)| (key.to_string(), default.to_string()))
            .collect();
        let set = self.session.inner.conf.read();
        for (key, value) in &mut conf {
            if let Some(set) = set.get(key) {
                *value = set.to_lowercase();
            }
        }
        let sources = execution.sources.definitions.iter();
        let sources = sources.map(|source| source.identity());
        let sources = sources.collect::<Vec<_>>().join(", ");
        let operators = execution
            .operators
            .iter()
            .map(|operator| operator.state().name);
        let operators = operators.collect::<Vec<_>>().join(", ");
        conf.insert(SOURCES.to_string(), format!("[{sources}]"));
        conf.insert(STATEFUL_OPERATORS.to_string(), format!("[{operators}]"));
        conf
    }
}

/// A sink does not show rows before their batch is complete, and the trigger is one for those that do.
fn needs_whole_batches(trigger: Trigger, format: &SinkFormat) -> Error {
    let (name, condition) = match trigger {
        Trigger::Continuous(_) => ("continuous", "_LEGACY_ERROR_TEMP_1195"),
        _ => ("real-time", "STREAMING_REAL_TIME_MODE.SINK_NOT_SUPPORTED"),
    };
    let message = format!(
        "'{}' is not supported with {name} trigger: it takes whole batches",
        format.name
    );
    Error::analysis(message).with_condition(condition).with_hint(
        [
            hint::say("use "),
            hint::processing_time("1 second"),
            hint::say(", or a sink that takes rows as they come: memory, console, foreach, noop, or kafka without transactions"),
        ],
    )
}

/// The name of a registered function, where a command has a place of its own for it.
fn function_name(given: &StreamingForeachFunction) -> Option<String> {
    let name = match given.function.as_ref()? {
        Function::PythonFunction(function) => &function.command,
        Function::ScalaFunction(function) => &function.payload,
    };
    Some(String::from_utf8_lossy(name).into_owned())
}

fn writable(root: &Location, durable: bool) -> Result<()> {
    let test = || -> std::io::Result<()> {
        root.create_dir_all(durable)?;
        match root.local() {
            Some(root) => tempfile::tempfile_in(root).map(drop),
            None => root.join("_writable").put(Vec::new(), false),
        }
    };
    test().map_err(|error| {
        Error::io(format!("the checkpoint '{root}' cannot be written"), error).with_hint([
            hint::say("choose a "),
            hint::checkpoint(),
            hint::say(" directory that you can write to"),
        ])
    })
}
