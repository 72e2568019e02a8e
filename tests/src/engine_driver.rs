//! The engine as scripts use it. The only file that knows the engine's hooks for tests.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, anyhow};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::{SinkDestination, Trigger};
use tidebook_engine::connect::proto::{
    Command, CreateDataFrameViewCommand, Read, Relation, WriteStreamOperationStart, read,
};
use tidebook_engine::{
    CommandOutput, Error, ErrorKind, FaultPoint, Session, SqlOutput, StreamingQuery,
};

use crate::action::SourceArgs;
use crate::cell::row_lines;
use crate::frame::{of, with_watermark};

const CALLBACK: &str = "collect";
const KILLED: &str = "killed by the test";

/// A session whose `foreachBatch` sink collects rows. When told to, its queries die once at every
/// place of every batch where the engine can be stopped by a crash: after the offsets are logged,
/// after the sink took the batch, after the state is written; none of them has committed it yet.
pub struct EngineDriver {
    session: Session,
    sink: Arc<Mutex<CollectingSink>>,
    deaths: Arc<Mutex<Deaths>>,
}

/// How to start a query.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// What it computes.
    pub relation: Relation,
    /// Output mode, as written.
    pub mode: String,
    /// `once`, `available-now`, or none to run on.
    pub trigger: Option<String>,
    /// The sink's format; none collects.
    pub sink: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Where a file sink writes.
    pub path: Option<String>,
    /// Options, `checkpointLocation` among them.
    pub options: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct CollectingSink {
    batches: BTreeMap<i64, Vec<String>>,
    // A batch that came twice with different rows, or rows that have no text.
    broken: Option<String>,
}

#[derive(Debug, Default)]
struct Deaths {
    armed: bool,
    died: HashSet<(&'static str, i64)>,
}

impl EngineDriver {
    /// A new session. `kill` lets its queries die in each batch.
    pub fn new(kill: bool) -> Result<Self, Error> {
        Self::divided(kill, 0)
    }

    /// The same, with states in so many parts wherever they can be divided; 0 leaves that to the engine.
    pub fn divided(kill: bool, state_partitions: usize) -> Result<Self, Error> {
        let deaths = Arc::new(Mutex::new(Deaths {
            armed: kill,
            ..Deaths::default()
        }));
        let dying = Arc::clone(&deaths);
        let hook = move |point, batch_id| locked(&dying).pass(point, batch_id);
        let session = Session::builder()
            .state_partitions(state_partitions)
            .fault_hook(Arc::new(hook))
            .build()?;
        Ok(Self::collecting(session, deaths))
    }

    /// A session of one's own making, whose queries do not die.
    pub fn of(session: Session) -> Self {
        Self::collecting(session, Arc::default())
    }

    fn collecting(session: Session, deaths: Arc<Mutex<Deaths>>) -> Self {
        let sink = Arc::new(Mutex::new(CollectingSink::default()));
        let taking = Arc::clone(&sink);
        session.register_foreach_batch(
            CALLBACK,
            Arc::new(move |batch_id, _: SchemaRef, batches: Vec<RecordBatch>| {
                locked(&taking).take(batch_id, &batches);
                Ok(())
            }),
        );
        Self {
            session,
            sink,
            deaths,
        }
    }

    /// Whether queries die from now on; says whether they did before.
    pub fn set_deadly(&self, deadly: bool) -> bool {
        std::mem::replace(&mut locked(&self.deaths).armed, deadly)
    }

    /// The session itself.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Forgets what was collected, before another query starts.
    pub fn forget(&self) {
        locked(&self.sink).batches.clear();
        locked(&self.deaths).died.clear();
    }

    /// The rows of each batch so far, sorted within the batch. Fails if a batch came again with
    /// other rows than before.
    pub fn batches(&self) -> Result<BTreeMap<i64, Vec<String>>> {
        let sink = locked(&self.sink);
        match &sink.broken {
            Some(broken) => Err(anyhow!("{broken}")),
            None => Ok(sink.batches.clone()),
        }
    }

    /// Whether a query ended because the test killed it.
    pub fn was_killed(error: &Error) -> bool {
        error.message().contains(KILLED)
    }

    /// Sets a setting of the session.
    pub fn set(&self, key: &str, value: &str) -> Result<(), Error> {
        self.session.set_conf(key, value)
    }

    /// Makes a view of files: a stream that takes one file a batch, or a table; without a schema, a
    /// stream of another format, which reads no files.
    pub async fn create_source(
        &self,
        source: &SourceArgs,
        path: &Path,
        is_streaming: bool,
    ) -> Result<(), Error> {
        let mut options: HashMap<_, _> = source.options.clone().into_iter().collect();
        // What has columns of its own reads no files.
        let schema = Some(&source.schema).filter(|schema| !schema.trim().is_empty());
        let path = schema.map(|_| path.display().to_string());
        if is_streaming && schema.is_some() {
            let limit = options.entry("maxFilesPerTrigger".to_owned());
            limit.or_insert_with(|| "1".to_owned());
        }
        let mut relation = of(RelType::Read(Read {
            is_streaming,
            read_type: Some(read::ReadType::DataSource(read::DataSource {
                format: Some(source.format.clone().unwrap_or_else(|| "json".to_owned())),
                schema: schema.cloned(),
                options,
                paths: path.into_iter().collect(),
                ..read::DataSource::default()
            })),
        }));
        if let Some((event_time, delay)) = &source.watermark {
            relation = with_watermark(relation, event_time, delay);
        }
        self.create_view(&source.name, relation).await
    }

    /// Makes a view of a relation.
    pub async fn create_view(&self, name: &str, relation: Relation) -> Result<(), Error> {
        let command = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
            input: Some(relation),
            name: name.to_owned(),
            is_global: false,
            replace: true,
        });
        self.session.execute(&command_of(command)).await.map(drop)
    }

    /// Starts a query.
    pub async fn start(&self, start: &Start) -> Result<StreamingQuery, Error> {
        let mut options: HashMap<_, _> = start.options.clone().into_iter().collect();
        let format = start.sink.clone().unwrap_or_else(|| {
            options.insert("callback".to_owned(), CALLBACK.to_owned());
            "foreachBatch".to_owned()
        });
        let trigger = match start.trigger.as_deref() {
            Some("once") => Some(Trigger::Once(true)),
            Some(_) => Some(Trigger::AvailableNow(true)),
            None => None,
        };
        let command = CommandType::WriteStreamOperationStart(WriteStreamOperationStart {
            input: Some(start.relation.clone()),
            format,
            options,
            output_mode: start.mode.clone(),
            query_name: start.name.clone().unwrap_or_default(),
            trigger,
            sink_destination: start.path.clone().map(SinkDestination::Path),
            ..WriteStreamOperationStart::default()
        });
        match self.session.execute(&command_of(command)).await? {
            CommandOutput::Query(query) => Ok(query),
            other => Err(Error::new(
                ErrorKind::Internal,
                format!("starting a query did something else: {other:?}"),
            )),
        }
    }

    /// Runs a batch statement; its rows as lines, in the order they came.
    pub async fn sql(&self, text: &str) -> Result<Result<Vec<String>, Error>> {
        let rows = match self.session.sql(text).await {
            Ok(SqlOutput::Rows(rows)) => rows,
            Ok(SqlOutput::Done(_)) => return Ok(Ok(Vec::new())),
            Err(error) => return Ok(Err(error)),
        };
        let mut lines = Vec::new();
        for batch in &rows.batches {
            lines.extend(row_lines(batch).context("rows of a batch query")?);
        }
        Ok(Ok(lines))
    }

    /// The columns a relation has.
    pub async fn schema(&self, relation: &Relation) -> Result<SchemaRef, Error> {
        self.session.schema(relation).await
    }
}

impl CollectingSink {
    fn take(&mut self, batch_id: i64, batches: &[RecordBatch]) {
        let mut lines = Vec::new();
        for batch in batches {
            match row_lines(batch) {
                Ok(rows) => lines.extend(rows),
                Err(error) => self.broken = Some(format!("batch {batch_id}: {error:#}")),
            }
        }
        lines.sort();
        match self.batches.get(&batch_id) {
            Some(before) if *before != lines => {
                self.broken = Some(format!(
                    "batch {batch_id} came again with other rows: {before:?}, then {lines:?}"
                ));
            }
            _ => {
                self.batches.insert(batch_id, lines);
            }
        }
    }
}

impl Deaths {
    fn pass(&mut self, point: FaultPoint, batch_id: i64) -> Result<(), Error> {
        let place = match point {
            FaultPoint::OffsetsLogged => "offsets",
            FaultPoint::SinkDone => "sink",
            FaultPoint::StateCommitted => "state",
            // Before, nothing has happened; after, the batch does not come again.
            FaultPoint::SourcesAsked | FaultPoint::CommitLogged | FaultPoint::SinkCommitted => {
                return Ok(());
            }
        };
        if self.armed && self.died.insert((place, batch_id)) {
            return Err(Error::new(ErrorKind::Internal, KILLED));
        }
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn command_of(command_type: CommandType) -> Command {
    Command {
        command_type: Some(command_type),
    }
}
