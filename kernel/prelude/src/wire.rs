//! What the prelude and the kernel say to each other over the kernel's unix socket.
//!
//! A frame is two lengths (`u32`, little endian), a JSON header and a binary body. Every connection
//! begins with a [`Hello`], whose role says who speaks next:
//! - [`Role::Session`] and [`Role::Callback`]: the client sends a [`Request`], the kernel answers with a [`Reply`], over
//!   and over. One question at a time per connection; whoever asks from a second thread opens a
//!   second connection.
//! - [`Role::Function`]: the connection belongs to one registered function. The kernel sends a
//!   [`Call`], the client answers with a [`Return`].
//! - [`Role::Compiler`] and [`Role::Relay`]: what stands between the kernel and user code. What they
//!   say is no matter of this crate.
//!
//! Plans travel in the body as protobuf bytes of `spark.connect`, columns as in [`crate::columns`].

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The environment variable that names the kernel's socket.
pub const SOCKET: &str = "TIDEBOOK_SOCKET";

/// On stderr and stdout of user code, this character and the JSON of a [`Note`] up to the end of the
/// line are no text but a word to the kernel.
pub const NOTE: char = '\0';

/// A frame larger than this is refused (256 MiB): the other side has lost its place.
const MAX_BYTES: u32 = 256 * 1024 * 1024;

/// A word to the kernel between the text that user code prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "note")]
pub enum Note {
    /// A thread has panicked.
    Panic {
        /// The thread's name; none for the one that runs the cell.
        thread: Option<String>,
        /// The panic's message.
        message: String,
        /// `file:line:column`.
        location: String,
    },
    /// One call of `eprintln!`, so that the kernel can tell the text of an error that `?` has
    /// passed on from what was printed before it.
    Said {
        /// The text, with its newline.
        text: String,
    },
    /// Everything written before this has been read.
    Barrier {
        /// Which one.
        number: u64,
    },
}

impl Note {
    /// The line that carries the note. Written in one piece, it is not torn by other threads.
    pub fn line(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("{NOTE}{json}\n")
    }
}

/// The first frame of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Who speaks next, and about what.
    pub role: Role,
}

/// What a connection is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Requests of user code.
    Session,
    /// Requests of user code that the kernel has called, as for [`Role::Session`]: no cell waits for
    /// them, so the interrupt of one does not end them.
    Callback,
    /// Serves calls of the function with this id.
    Function {
        /// As given to [`Request::RegisterFunction`].
        id: String,
    },
    /// The process between the compiler and the user's code, which passes on what that prints.
    Relay,
    /// The program that compiles cells. Its version of what it and the kernel say to each other
    /// must be the kernel's.
    Compiler {
        /// That version.
        protocol: u32,
    },
}

/// What user code asks of the kernel. The comment says what [`Reply::Done`] holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "ask")]
pub enum Request {
    /// One statement of SQL. `{"query": true}` for a query, which was only looked at;
    /// `{"done": sentence}` for anything else, which was executed.
    Sql {
        /// The statement.
        text: String,
    },
    /// Body: a `spark.connect.Plan`. `{"schema": <a struct type in Spark's JSON>, "isStreaming": bool}`.
    Schema,
    /// Body: a `spark.connect.Plan` of a batch query.
    /// `{"schema": <struct type>, "rows": [[value, …], …]}`.
    Collect {
        /// At most so many rows, all without it.
        limit: Option<u64>,
    },
    /// Body: a `spark.connect.Plan` of a batch query. `{"text": table}`, as Spark's `show()` prints it.
    Show {
        /// At most so many rows.
        rows: u64,
        /// Cells are cut to so many characters; 0 does not cut.
        truncate: u64,
        /// One line per cell instead of one per row.
        vertical: bool,
    },
    /// Body: a `spark.connect.Plan`. Shows the rows of a batch query, or the columns of a stream, as
    /// the value of the cell. `{}`.
    DisplayFrame,
    /// Body: a `spark.connect.Plan`. `{"text": plan}`.
    Explain,
    /// Body: a `spark.connect.Plan` whose command is `CreateDataframeView`, `WriteOperation` or
    /// any other that has no answer. `{}`.
    Execute,
    /// Body: a `spark.connect.Plan` whose command is `WriteStreamOperationStart`. [`QueryInfo`].
    StartStream,
    /// All queries that run now: `[QueryInfo, …]`.
    ActiveQueries,
    /// The query of a name or id, running or ended: [`QueryInfo`].
    FindQuery {
        /// A name, an id or a run id.
        name: String,
    },
    /// Something about one query.
    Query {
        /// Its run id.
        run_id: String,
        /// What.
        about: QueryRequest,
    },
    /// Waits until any query that ran at the call, or since the last reset, has ended.
    /// `{"ended": bool}`.
    AwaitAnyTermination {
        /// No longer than this.
        timeout_ms: Option<u64>,
    },
    /// Forgets the queries that have ended, for `AwaitAnyTermination`. `{}`.
    ResetTerminated,
    /// Reads a setting. `{"value": text or null}`.
    GetConf {
        /// Its key.
        key: String,
    },
    /// Changes a setting. `{}`.
    SetConf {
        /// Its key.
        key: String,
        /// Its value.
        value: String,
    },
    /// Makes a function of user code known to the engine; connections of [`Role::Function`] serve
    /// it. `{}`.
    RegisterFunction {
        /// Unique among all functions of all cells.
        id: String,
        /// What it is.
        function: Function,
    },
    /// Removes a listener. `{}`.
    RemoveFunction {
        /// As registered.
        id: String,
    },
    /// Shows something. `{}`.
    Display {
        /// MIME type → content, text or JSON; binary forms in base64.
        data: Map<String, Value>,
        /// MIME type → hints.
        metadata: Map<String, Value>,
        /// Under an id it can be updated.
        display_id: Option<String>,
        /// Replaces what the id shows, instead of showing it again.
        update: bool,
    },
    /// Shows a query's live card, a progress or a status as the value of the cell. `{}`.
    DisplayQuery {
        /// The query's run id.
        run_id: String,
        /// What of it.
        what: QueryView,
    },
    /// Removes what the cell has shown so far. `{}`.
    ClearOutput {
        /// Only when the next output comes.
        wait: bool,
    },
}

/// What is shown of a query.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QueryView {
    /// The card, which updates itself.
    Card,
    /// `lastProgress` as a panel.
    Progress,
    /// `status` as a panel.
    Status,
}

/// What is asked of one query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum QueryRequest {
    /// `{"isActive": bool}`.
    IsActive,
    /// Spark's status JSON.
    Status,
    /// Spark's progress JSON, or null.
    LastProgress,
    /// A list of Spark's progress JSON, oldest first.
    RecentProgress,
    /// `{"ended": bool}`; the query's failure if it failed.
    AwaitTermination {
        /// No longer than this.
        timeout_ms: Option<u64>,
    },
    /// `{}`; the query's failure if it failed.
    ProcessAllAvailable,
    /// `{}`.
    Stop,
    /// [`Failure`], or null.
    Exception,
    /// `{"text": plan}`.
    Explain,
    /// `{"text": why}`.
    Why,
}

/// A query as its handle knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryInfo {
    /// The same over restarts from one checkpoint.
    pub id: String,
    /// New with every start.
    pub run_id: String,
    /// If it was given one.
    pub name: Option<String>,
}

/// What a registered function is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Function {
    /// A scalar function of SQL. Called with [`Call::Udf`].
    Udf {
        /// The name in SQL; one of the same name is replaced.
        name: String,
        /// Spark's DDL names of the argument types, e.g. `DOUBLE`.
        arguments: Vec<String>,
        /// Spark's DDL name of the type of the value.
        returns: String,
        /// Whether equal arguments give equal values.
        deterministic: bool,
    },
    /// The sink `foreachBatch` with the option `callback` = the id. Called with
    /// [`Call::ForeachBatch`].
    ForeachBatch,
    /// The sink `foreach` with the option `callback` = the id. Called with [`Call::Foreach`].
    Foreach,
    /// A `StreamingQueryListener`. Called with [`Call::QueryEvent`].
    Listener,
    /// The function of `flatMapGroupsWithState`. Called with [`Call::Groups`].
    GroupsWithState {
        /// Columns of the value, as a DDL schema.
        output: String,
        /// When a group without new rows is called: `NoTimeout`, `ProcessingTimeTimeout` or
        /// `EventTimeTimeout`.
        timeout: String,
    },
    /// The processor of `transformWithState`. Called with [`Call::Processor`].
    StatefulProcessor {
        /// Columns of its rows, as a DDL schema.
        output: String,
        /// Its state, in the order in which groups have it.
        variables: Vec<StateVariable>,
        /// Variables of earlier runs whose state is not to be kept any longer.
        deleted: Vec<String>,
    },
}

/// What a state variable holds for each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StateVariableKind {
    /// One value.
    Value,
    /// Values in an order.
    List,
    /// Values by keys.
    Map,
}

/// A state variable that a processor declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateVariable {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: StateVariableKind,
    /// The type of its values, and keys, in words.
    pub value_type: String,
    /// How long what is written is there, in ms.
    pub ttl_ms: Option<i64>,
}

/// What the kernel asks of a function. The comment says what [`Return::Done`] holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "call")]
pub enum Call {
    /// Body: the argument columns. The value column, as long as the arguments.
    Udf {
        /// How many rows; also for a function without arguments.
        rows: u64,
    },
    /// A batch, readable as a view while the call lasts. Nothing.
    ForeachBatch {
        /// The batch's number.
        batch_id: i64,
        /// The name of the view that holds its rows.
        view: String,
    },
    /// The rows of a partition of a batch, readable as a view while the call lasts. Nothing.
    Foreach {
        /// The partition's number.
        partition_id: i64,
        /// The batch's number.
        epoch_id: i64,
        /// The name of the view that holds its rows.
        view: String,
    },
    /// An event of a query. Nothing.
    QueryEvent {
        /// The event.
        event: QueryEvent,
    },
    /// Groups of one batch. Body: the JSON of `[Group, …]`. The JSON of `[GroupResult, …]`, in the
    /// same order.
    Groups {
        /// The batch's `current_timestamp()`, in ms since 1970.
        batch_timestamp_ms: i64,
        /// The watermark, in ms since 1970.
        watermark_ms: i64,
    },
    /// Groups of one batch for a processor. Body: the JSON of `[ProcessorGroup, …]`. The JSON of
    /// `[ProcessorResult, …]`, in the same order.
    Processor {
        /// The batch's `current_timestamp()`, in ms since 1970.
        batch_timestamp_ms: i64,
        /// The watermark, in ms since 1970.
        watermark_ms: i64,
    },
}

/// One group of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The values of the grouping columns.
    pub key: Vec<Value>,
    /// The group's new rows as objects; none if it timed out.
    pub rows: Vec<Value>,
    /// The group's state, if it has any.
    pub state: Option<Value>,
    /// Whether it is called because its time has come.
    pub has_timed_out: bool,
}

/// What a function made of one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupResult {
    /// Output rows as objects.
    pub rows: Vec<Value>,
    /// The state from now on; none removes the group.
    pub state: Option<Value>,
    /// When the group is called although it has no new rows, in ms since 1970.
    pub timeout_ms: Option<i64>,
}

/// One group of a batch for a processor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessorGroup {
    /// The values of the grouping columns.
    pub key: Vec<Value>,
    /// Its rows of the initial state, which come first.
    pub initial: Vec<Value>,
    /// Its new rows as objects.
    pub rows: Vec<Value>,
    /// Its timers that fire, the earliest first.
    pub expired_timers: Vec<i64>,
    /// Its timers, those that fire among them.
    pub timers: Vec<i64>,
    /// What each variable holds for it.
    pub state: Vec<Vec<StateEntry>>,
}

/// A value that a state variable holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateEntry {
    /// Under which key, if the variable is a map: JSON.
    pub key: Option<String>,
    /// The value: JSON.
    pub value: String,
}

/// What a processor did with one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessorResult {
    /// Rows for new rows, as objects.
    pub rows: Vec<Value>,
    /// Rows for each timer that fired.
    pub timer_rows: Vec<Vec<Value>>,
    /// What became of the variables.
    pub changes: Vec<StateChange>,
    /// Timers that are new, in ms since 1970.
    pub registered_timers: Vec<i64>,
    /// Timers that are gone.
    pub deleted_timers: Vec<i64>,
}

/// What became of one variable of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateChange {
    /// The variable's number.
    pub variable: usize,
    /// The numbers of the entries that are gone.
    pub removed: Vec<usize>,
    /// What was written.
    pub written: Vec<WrittenEntry>,
}

/// A value that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WrittenEntry {
    /// In the place of which entry, by number.
    pub replaces: Option<usize>,
    /// The entry.
    pub entry: StateEntry,
}

/// An event of a streaming query, as Spark's listener gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "event")]
pub enum QueryEvent {
    /// A query has started.
    Started {
        /// The query's id.
        id: String,
        /// The run's id.
        run_id: String,
        /// The query's name.
        name: Option<String>,
        /// ISO 8601, UTC.
        timestamp: String,
    },
    /// A batch has finished.
    Progress {
        /// Spark's progress JSON.
        progress: Value,
    },
    /// A trigger found nothing to do.
    Idle {
        /// The query's id.
        id: String,
        /// The run's id.
        run_id: String,
        /// ISO 8601, UTC.
        timestamp: String,
    },
    /// A query has ended.
    Terminated {
        /// The query's id.
        id: String,
        /// The run's id.
        run_id: String,
        /// Why, if it failed.
        exception: Option<String>,
    },
}

/// The kernel's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reply {
    /// It was done.
    Done(Value),
    /// It was not.
    Failed(Failure),
    /// The user interrupted the cell while it waited for this.
    Interrupted,
}

/// A function's answer; a value is in the body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Return {
    /// It returned.
    Done,
    /// It returned an error, or panicked.
    Failed(Failure),
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The exception's stable name, e.g. `AnalysisException`; `RustPanic` for a panic.
    pub ename: String,
    /// Spark's condition name, if it has one.
    pub condition: Option<String>,
    /// The sentence.
    pub message: String,
    /// One action the user can paste.
    pub hint: Option<String>,
}

/// Writes one frame.
pub fn send(to: &mut impl Write, header: &impl Serialize, body: &[u8]) -> io::Result<()> {
    let header = serde_json::to_vec(header)?;
    let mut frame = Vec::with_capacity(8 + header.len() + body.len());
    frame.extend(length(header.len())?);
    frame.extend(length(body.len())?);
    frame.extend(header);
    frame.extend(body);
    to.write_all(&frame)
}

/// Reads one frame; `None` at the end of the connection.
pub fn receive<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut lengths = [0; 8];
    match from.by_ref().take(8).read(&mut lengths) {
        Ok(0) => return Ok(None),
        Ok(read) => from.read_exact(lengths.split_at_mut(read).1)?,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            from.read_exact(&mut lengths)?
        }
        Err(error) => return Err(error),
    }
    let (header_len, body_len) = frame_lengths(lengths)?;
    let mut header = vec![0; header_len];
    from.read_exact(&mut header)?;
    let mut body = vec![0; body_len];
    from.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&header)?, body)))
}

/// The lengths of header and body from the first eight bytes of a frame.
pub fn frame_lengths(bytes: [u8; 8]) -> io::Result<(usize, usize)> {
    let [a, b, c, d, e, f, g, h] = bytes;
    let header = u32::from_le_bytes([a, b, c, d]);
    let body = u32::from_le_bytes([e, f, g, h]);
    if header > MAX_BYTES || body > MAX_BYTES {
        return Err(io::Error::other("a message is longer than 256 MiB"));
    }
    Ok((header as usize, body as usize))
}

fn length(bytes: usize) -> io::Result<[u8; 4]> {
    match u32::try_from(bytes) {
        Ok(length) if length <= MAX_BYTES => Ok(length.to_le_bytes()),
        _ => Err(io::Error::other("a message is longer than 256 MiB")),
    }
}
