//! A streaming query at a server: what its watcher saw last, and what it can be told.
//!
//! The watcher asks the server again and again while the query runs, so that looking at a query never
//! waits. While the server is away it keeps what it saw, says so, and goes on asking.

use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tidebook_engine::connect::proto::execute_plan_response::ResponseType;
use tidebook_engine::connect::proto::plan::OpType;
use tidebook_engine::connect::proto::streaming_query_command::{Command as Asked, ExplainCommand};
use tidebook_engine::connect::proto::streaming_query_command_result::{
    ExceptionResult, ResultType as Answer, StatusResult,
};
use tidebook_engine::connect::proto::write_stream_operation_start::{
    SinkDestination, Trigger as ProtoTrigger,
};
use tidebook_engine::connect::proto::{
    Command, StreamingQueryCommand, StreamingQueryInstanceId, WriteStreamOperationStart,
    command::CommandType,
};
use tidebook_engine::{
    Error as EngineError, ErrorKind, OutputMode, StreamingQueryProgress, StreamingQueryStatus,
    Trigger, parse_duration,
};
use tokio::sync::watch;
use uuid::Uuid;

use crate::address::Address;
use crate::client::Client;
use crate::error::{Error, Kind, Result, condition_in, without_condition};
use crate::progress;

/// How often a running query is looked at.
const INTERVAL: Duration = Duration::from_millis(250);

/// The same while the server is away.
const INTERVAL_AWAY: Duration = Duration::from_secs(2);

/// How many progresses a server keeps; so many are kept here.
const KEPT: usize = 100;

/// How the conditions end by which a server says that it does not know a query.
const FORGOTTEN: &[&str] = &[
    "STREAMING_QUERY_NOT_FOUND",
    "STREAMING_QUERY_RUN_ID_MISMATCH",
];

/// What the server's message about a failure goes on with: plans and offsets of many lines.
const PLAN_HEADING: &str = "=== Streaming Query ===";

/// A streaming query. Cheap to clone.
#[derive(Clone)]
pub struct Query(Arc<Shared>);

struct Shared {
    client: Client,
    id: Uuid,
    run_id: Uuid,
    name: Option<String>,
    how: Option<How>,
    /// One look after the other: what an earlier one saw must not come after what a later one saw.
    looking: tokio::sync::Mutex<()>,
    seen: Mutex<Seen>,
    changes: watch::Sender<u64>,
}

/// How it was started: known of those that were started here.
struct How {
    output_mode: OutputMode,
    trigger: Trigger,
    format: String,
    writes_files: bool,
}

/// What the watcher has seen.
struct Seen {
    is_active: bool,
    /// Why what was seen may be old.
    away: Option<String>,
    status: StreamingQueryStatus,
    recent: Vec<StreamingQueryProgress>,
    exception: Option<EngineError>,
    batches: u64,
    rows: u64,
}

impl Query {
    /// A query that runs, with what there is to see of it; it is watched from now on.
    pub(crate) async fn of(
        client: &Client,
        id: &StreamingQueryInstanceId,
        name: Option<String>,
        start: Option<&WriteStreamOperationStart>,
    ) -> Result<Self> {
        let uuid = |text: &str| Uuid::parse_str(text).map_err(Error::no_answer);
        let query = Self(Arc::new(Shared {
            client: client.clone(),
            id: uuid(&id.id)?,
            run_id: uuid(&id.run_id)?,
            name: name.filter(|name| !name.is_empty()),
            how: start.map(How::of),
            looking: tokio::sync::Mutex::default(),
            seen: Mutex::new(Seen {
                is_active: true,
                away: None,
                status: StreamingQueryStatus {
                    message: String::new(),
                    is_data_available: false,
                    is_trigger_active: false,
                },
                recent: Vec::new(),
                exception: None,
                batches: 0,
                rows: 0,
            }),
            changes: watch::Sender::new(0),
        }));
        query.0.look().await?;
        tokio::spawn(watch(Arc::downgrade(&query.0)));
        Ok(query)
    }

    /// Where it runs.
    pub fn address(&self) -> &Address {
        self.0.client.address()
    }

    /// Its name.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Stays the same over restarts from one checkpoint.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// New with every start.
    pub fn run_id(&self) -> Uuid {
        self.0.run_id
    }

    /// Whether it runs, as far as is known.
    pub fn is_active(&self) -> bool {
        self.0.seen.lock().is_active
    }

    /// What it is doing.
    pub fn status(&self) -> StreamingQueryStatus {
        let seen = self.0.seen.lock();
        let mut status = seen.status.clone();
        if let Some(away) = seen.away.as_ref().filter(|_| seen.is_active) {
            status.message = format!("{away}; this is what was seen last");
        }
        status
    }

    /// Its newest progresses, the oldest first.
    pub fn recent_progress(&self) -> Vec<StreamingQueryProgress> {
        self.0.seen.lock().recent.clone()
    }

    /// Why it failed.
    pub fn exception(&self) -> Option<EngineError> {
        self.0.seen.lock().exception.clone()
    }

    /// Batches and rows of this run, as far as they were seen.
    pub fn tally(&self) -> (u64, u64) {
        let seen = self.0.seen.lock();
        (seen.batches, seen.rows)
    }

    /// Which rows a batch hands to the sink, if it was started here.
    pub fn output_mode(&self) -> Option<OutputMode> {
        self.0.how.as_ref().map(|how| how.output_mode)
    }

    /// When batches run, if it was started here.
    pub fn trigger(&self) -> Option<Trigger> {
        self.0.how.as_ref().map(|how| how.trigger)
    }

    /// The sink: as the server describes it, or the format that was asked for.
    pub fn sink(&self) -> Option<String> {
        let seen = self.0.seen.lock();
        let described = seen.recent.last();
        let described = described.map(|last| last.sink.description.clone());
        let asked = || self.0.how.as_ref().map(|how| how.format.clone());
        described.filter(|sink| !sink.is_empty()).or_else(asked)
    }

    /// The table of a memory sink.
    pub fn table(&self) -> Option<&str> {
        let is_memory = match &self.0.how {
            Some(how) => how.format.eq_ignore_ascii_case("memory"),
            None => self
                .sink()
                .is_some_and(|sink| sink.starts_with("MemorySink")),
        };
        self.name().filter(|_| is_memory)
    }

    /// Whether it writes files, in folders of the server's.
    pub fn writes_files(&self) -> bool {
        self.0.how.as_ref().is_some_and(|how| how.writes_files)
    }

    /// Changes whenever something new was seen.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Waits until it has ended; whether it did in time.
    ///
    /// # Errors
    /// If it failed.
    pub async fn await_termination(
        &self,
        timeout: Option<Duration>,
    ) -> std::result::Result<bool, EngineError> {
        let ended = self.until(|query| !query.is_active());
        let in_time = match timeout {
            Some(timeout) => tokio::time::timeout(timeout, ended).await.is_ok(),
            None => {
                ended.await;
                true
            }
        };
        match self.exception() {
            Some(exception) => Err(exception),
            None => Ok(in_time),
        }
    }

    /// Waits until something is true of it.
    pub async fn until(&self, is_true: impl Fn(&Self) -> bool) {
        let mut changes = self.watch();
        while !is_true(self) && changes.changed().await.is_ok() {}
    }

    /// Waits until all data that there is now was processed.
    ///
    /// # Errors
    /// If it fails meanwhile, or the server does.
    pub async fn process_all_available(&self) -> Result<()> {
        self.0.ask(Asked::ProcessAllAvailable(true)).await?;
        self.0.look().await
    }

    /// How the server runs it, as text.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn explain(&self) -> Result<String> {
        let asked = Asked::Explain(ExplainCommand { extended: false });
        match self.0.ask(asked).await? {
            Some(Answer::Explain(explained)) => Ok(explained.result),
            _ => Err(Error::no_answer("a query is not explained")),
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn stop(&self) -> Result<()> {
        self.0.ask(Asked::Stop(true)).await?;
        self.0.look().await
    }
}

/// Looks at a query until it has ended or nobody holds it any more.
async fn watch(query: Weak<Shared>) {
    let mut interval = INTERVAL;
    loop {
        tokio::time::sleep(interval).await;
        let Some(query) = query.upgrade() else {
            return;
        };
        if !query.seen.lock().is_active {
            return;
        }
        interval = match query.look().await {
            Ok(()) => INTERVAL,
            Err(error) => {
                query.is_away(error);
                INTERVAL_AWAY
            }
        };
    }
}

impl Shared {
    async fn ask(&self, command: Asked) -> Result<Option<Answer>> {
        let command = StreamingQueryCommand {
            query_id: Some(StreamingQueryInstanceId {
                id: self.id.to_string(),
                run_id: self.run_id.to_string(),
            }),
            command: Some(command),
        };
        let plan = OpType::Command(Command {
            command_type: Some(CommandType::StreamingQueryCommand(command)),
        });
        let answers = self.client.execute(plan).await?;
        Ok(answers.into_iter().find_map(|answer| match answer {
            ResponseType::StreamingQueryCommandResult(result) => result.result_type,
            _ => None,
        }))
    }

    /// Asks for all there is to see, in the order in which nothing can be missed.
    async fn look(&self) -> Result<()> {
        let _alone = self.looking.lock().await;
        let Some(Answer::Status(status)) = self.ask(Asked::Status(true)).await? else {
            return Err(Error::no_answer("a query has no status"));
        };
        let newest = self.progress(Asked::LastProgress(true)).await?;
        let known = self.seen.lock().recent.last().cloned();
        let recent = match newest.last() == known.as_ref() {
            true => Vec::new(),
            false => self.progress(Asked::RecentProgress(true)).await?,
        };
        let exception = match status.is_active {
            true => None,
            false => match self.ask(Asked::Exception(true)).await? {
                Some(Answer::Exception(exception)) => failure(exception),
                _ => None,
            },
        };
        let changed = self.seen.lock().take(status, recent, exception);
        if changed {
            self.changes.send_modify(|version| *version += 1);
        }
        Ok(())
    }

    async fn progress(&self, asked: Asked) -> Result<Vec<StreamingQueryProgress>> {
        let Some(Answer::RecentProgress(progress)) = self.ask(asked).await? else {
            return Ok(Vec::new());
        };
        let texts = progress.recent_progress_json.iter();
        Ok(texts.filter_map(|text| progress::read(text)).collect())
    }

    /// The server did not answer as it should.
    fn is_away(&self, error: Error) {
        let condition = error.condition.as_deref().unwrap_or_default();
        let is_forgotten = error.kind == Kind::SessionGone
            || FORGOTTEN.iter().any(|name| condition.ends_with(name));
        let mut seen = self.seen.lock();
        if !is_forgotten {
            // What went wrong is the answer; of the query nothing is known.
            seen.away = Some(match error.kind {
                Kind::Lost => format!("{} cannot be reached", self.client.address()),
                _ => format!("{} does not tell: {}", self.client.address(), error.message),
            });
        } else {
            // Whoever forgets a query has ended it.
            seen.is_active = false;
            let mut failure = EngineError::new(ErrorKind::StreamingQuery, error.message);
            if let Some(condition) = error.condition {
                failure = failure.with_condition(condition);
            }
            seen.exception = Some(failure);
        }
        drop(seen);
        self.changes.send_modify(|version| *version += 1);
    }
}

impl Seen {
    /// Whether it is anything new.
    fn take(
        &mut self,
        status: StatusResult,
        recent: Vec<StreamingQueryProgress>,
        exception: Option<EngineError>,
    ) -> bool {
        let is_active = status.is_active;
        let status = StreamingQueryStatus {
            message: status.status_message,
            is_data_available: status.is_data_available,
            is_trigger_active: status.is_trigger_active,
        };
        let known = self.recent.last();
        let known = known.and_then(|last| recent.iter().rposition(|progress| progress == last));
        let news = recent.into_iter().skip(known.map_or(0, |known| known + 1));
        let before = self.recent.len();
        for progress in news {
            // An idle trigger reports progress too, but adds no batch.
            self.batches += u64::from(progress.duration_ms.contains_key("addBatch"));
            self.rows += u64::try_from(progress.num_input_rows).unwrap_or(0);
            self.recent.push(progress);
        }
        let is_new = self.recent.len() > before
            || self.away.is_some()
            || self.status != status
            || self.is_active != is_active
            || self.exception.is_some() != exception.is_some();
        self.recent.drain(..self.recent.len().saturating_sub(KEPT));
        self.status = status;
        self.is_active = is_active;
        self.away = None;
        self.exception = exception;
        is_new
    }
}

/// The failure of a query, without the plans that Spark adds to its sentence.
fn failure(exception: ExceptionResult) -> Option<EngineError> {
    let message = exception.exception_message?;
    let message = message.split(PLAN_HEADING).next().unwrap_or(&message);
    // Spark's sentence begins with the exception's class.
    let message = match message.find('[') {
        Some(start) if condition_in(message.get(start..).unwrap_or_default()).is_some() => {
            message.get(start..).unwrap_or(message)
        }
        _ => message,
    };
    let condition = condition_in(message).or(exception.error_class);
    let sentence = without_condition(message, condition.as_deref());
    let error = EngineError::new(ErrorKind::StreamingQuery, sentence);
    Some(match condition {
        Some(condition) => error.with_condition(condition),
        None => error,
    })
}

impl How {
    fn of(start: &WriteStreamOperationStart) -> Self {
        Self {
            output_mode: start.output_mode.parse().unwrap_or_default(),
            trigger: trigger(start.trigger.as_ref()),
            format: start.format.clone(),
            writes_files: matches!(start.sink_destination, Some(SinkDestination::Path(_))),
        }
    }
}

fn trigger(trigger: Option<&ProtoTrigger>) -> Trigger {
    let interval = |text: &str| parse_duration(text).unwrap_or_default();
    match trigger {
        Some(ProtoTrigger::ProcessingTimeInterval(text)) => Trigger::ProcessingTime(interval(text)),
        Some(ProtoTrigger::AvailableNow(_)) => Trigger::AvailableNow,
        Some(ProtoTrigger::Once(_)) => Trigger::Once,
        Some(ProtoTrigger::ContinuousCheckpointInterval(text)) => {
            Trigger::Continuous(interval(text))
        }
        Some(ProtoTrigger::RealTimeBatchDuration(text)) => Trigger::RealTime(interval(text)),
        None => Trigger::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_sentence_with_its_condition() {
        let error = failure(ExceptionResult {
            exception_message: Some(
                "org.apache.spark.sql.streaming.StreamingQueryException: [STREAM_FAILED] Query \
                 [id = a, runId = b] terminated with exception: boom SQLSTATE: XXKST\n\
                 === Streaming Query ===\nIdentifier: a"
                    .to_string(),
            ),
            error_class: Some("STREAM_FAILED".to_string()),
            stack_trace: None,
        });
        let error = error.unwrap();
        assert_eq!(error.condition(), Some("STREAM_FAILED"));
        assert!(error.message().starts_with("Query [id = a"), "{error}");
        assert!(error.message().ends_with("XXKST"), "{error}");
        assert!(failure(ExceptionResult::default()).is_none());
    }
}
