//! transformWithState, and groups with timeouts, against what Spark did with the same rows: in one run, with
//! a restart before every step, killed between sink and commit, and with one, two and five partitions.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;
use serde_json::Value;
use tidebook_engine::clock::ManualClock;
use tidebook_engine::connect::proto::expression::{ExprType, UnresolvedAttribute};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{
    CommonInlineUserDefinedFunction, Expression, GroupMap, Relation, TransformWithStateInfo,
    WriteStreamOperationStart,
};
use tidebook_engine::{
    Error, FaultPoint, MemoryStream, Session, StateVariableKind, StatefulProcessorDefinition,
    StreamingQuery,
};

use super::groups_interpreter::GroupsInterpreter;
use super::interpreter::{Interpreter, variable};
use super::support::{
    PATIENCE, batch_lines, relation, select, soon, sql, start, table, with_watermark,
};

/// 2024-01-01 12:00:00, from which steps count.
const EPOCH_S: i64 = 1_704_110_400;

/// What Spark was given, and what it answered.
#[derive(Deserialize)]
struct Recording {
    kind: String,
    #[serde(default)]
    time_mode: String,
    #[serde(default)]
    timeout: String,
    #[serde(default = "append")]
    mode: String,
    watermark: Option<String>,
    #[serde(default)]
    initial: Vec<(String, String)>,
    steps: Vec<Vec<Value>>,
    /// By step: the number of each batch, and its rows.
    answers: Vec<Vec<(i64, Vec<Vec<String>>)>>,
    /// Of each batch: its number, the operator, rows in the state, written, removed, too late.
    figures: Vec<(i64, String, i64, i64, i64, i64)>,
    /// When each batch was, in ms after the first, if that matters.
    #[serde(default)]
    times: Vec<i64>,
}

fn append() -> String {
    "append".into()
}

fn golden(name: &str) -> PathBuf {
    let golden = "../tests/golden/spark-4.3.0/stateful-processor";
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(golden)
        .join(name)
}

fn recording(name: &str) -> Recording {
    let text = std::fs::read_to_string(golden(&format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// How a recording is played.
#[derive(Clone, Copy, PartialEq)]
enum Play {
    /// In one run, if the steps are not at times of their own.
    Plain,
    /// With a restart before every step.
    Restarted,
    /// The query dies once in every step, when the sink has the rows and the commit log has not.
    Killed,
}

/// Rows by batch: a batch that is run again takes the place of the first try.
type Sink = Arc<Mutex<BTreeMap<i64, Vec<String>>>>;

pub(super) struct World {
    session: Session,
    clock: ManualClock,
    events: MemoryStream,
    sink: Sink,
    /// Batches in which the query is still to die.
    deaths: Arc<Mutex<Vec<i64>>>,
    checkpoint: tempfile::TempDir,
}

impl World {
    pub(super) fn new(partitions: usize) -> Self {
        let clock = ManualClock::new(EPOCH_S * 1000);
        let deaths: Arc<Mutex<Vec<i64>>> = Arc::default();
        let dying = Arc::clone(&deaths);
        let session = Session::builder()
            .clock(Arc::new(clock.clone()))
            .partitions(partitions)
            .fault_hook(Arc::new(move |point, batch| {
                let mut dying = dying.lock().unwrap();
                let due = point == FaultPoint::SinkDone && dying.contains(&batch);
                if !due {
                    return Ok(());
                }
                dying.retain(|other| *other != batch);
                Err(Error::runtime("killed"))
            }))
            .build()
            .unwrap();
        let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let schema = Arc::new(Schema::new(vec![
            Field::new("ts", time, true),
            Field::new("user", DataType::Utf8, true),
            Field::new("todo", DataType::Utf8, true),
        ]));
        let events = session.memory_stream("events", schema).unwrap();
        let sink = Sink::default();
        let taking = Arc::clone(&sink);
        let take = move |batch: i64, _: SchemaRef, rows: Vec<RecordBatch>| {
            let rows = rows.iter().flat_map(batch_lines).collect();
            taking.lock().unwrap().insert(batch, rows);
            Ok(())
        };
        session.register_foreach_batch("take", Arc::new(take));
        Self {
            session,
            clock,
            events,
            sink,
            deaths,
            checkpoint: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn add(&self, rows: &[(i64, String, String)]) {
        let times = rows.iter().map(|row| (EPOCH_S + row.0) * 1_000_000);
        let times = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(times),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.1))),
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.2))),
        ];
        let rows = RecordBatch::try_new(Arc::clone(self.events.schema()), columns).unwrap();
        self.events.add_data(rows).unwrap();
    }

    async fn start(&self, input: Relation, mode: &str) -> Result<StreamingQuery, Error> {
        let checkpoint = self.checkpoint.path().to_str().unwrap().to_string();
        let options = [
            ("callback".to_string(), "take".to_string()),
            ("checkpointLocation".to_string(), checkpoint),
        ];
        let asked = WriteStreamOperationStart {
            input: Some(input),
            format: "foreachBatch".into(),
            options: options.into(),
            output_mode: mode.into(),
            query_name: "q".into(),
            ..Default::default()
        };
        start(&self.session, asked).await
    }

    /// The rows of all batches since the last call.
    pub(super) fn taken(&self) -> Vec<String> {
        let batches = std::mem::take(&mut *self.sink.lock().unwrap());
        batches.into_values().flatten().collect()
    }
}

fn key() -> Vec<Expression> {
    vec![Expression {
        common: None,
        expr_type: Some(ExprType::UnresolvedAttribute(UnresolvedAttribute {
            unparsed_identifier: "user".into(),
            ..Default::default()
        })),
    }]
}

fn output() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("user", DataType::Utf8, true),
        Field::new("said", DataType::Utf8, true),
    ]))
}

fn function(name: &str) -> Option<CommonInlineUserDefinedFunction> {
    Some(CommonInlineUserDefinedFunction {
        function_name: name.into(),
        ..Default::default()
    })
}

/// The relation of a processor over `events`.
fn processed(
    time_mode: &str,
    mode: &str,
    watermark: Option<&str>,
    initial: Option<Relation>,
) -> GroupMap {
    let events = match watermark {
        Some(delay) => with_watermark(table("events"), "ts", delay),
        None => table("events"),
    };
    GroupMap {
        input: Some(Box::new(events)),
        grouping_expressions: key(),
        func: function("p#1"),
        output_mode: Some(mode.into()),
        initial_grouping_expressions: initial.iter().flat_map(|_| key()).collect(),
        initial_input: initial.map(Box::new),
        transform_with_state_info: Some(TransformWithStateInfo {
            time_mode: time_mode.into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn as_relation(map: GroupMap) -> Relation {
    relation(RelType::GroupMap(Box::new(map)))
}

fn relation_of(recording: &Recording, session: &Session) -> Relation {
    let watermark = recording.watermark.as_deref();
    if recording.kind == "groups" {
        let groups = GroupsInterpreter {
            timeout: recording.timeout.clone(),
        };
        session.register_groups_function("p#1", output(), Arc::new(groups));
        return as_relation(GroupMap {
            transform_with_state_info: None,
            is_map_groups_with_state: Some(false),
            timeout_conf: Some(recording.timeout.clone()),
            ..processed("None", &recording.mode, watermark, None)
        });
    }
    let interpreter = Interpreter::new(&recording.time_mode);
    let definition = StatefulProcessorDefinition {
        output: output(),
        variables: interpreter.variables(),
        deleted: Vec::new(),
        processor: Arc::new(interpreter),
    };
    session.register_stateful_processor("p#1", definition);
    let rows = recording
        .initial
        .iter()
        .map(|(user, todo)| format!("('{user}', '{todo}')"));
    let rows: Vec<String> = rows.collect();
    let initial = (!rows.is_empty()).then(|| {
        sql(&format!(
            "SELECT * FROM VALUES {} AS t(user, todo)",
            rows.join(", ")
        ))
    });
    as_relation(processed(
        &recording.time_mode,
        &recording.mode,
        watermark,
        initial,
    ))
}

async fn check(name: &str, play: Play, partitions: usize) {
    let recording = recording(name);
    let world = World::new(partitions);
    let input = relation_of(&recording, &world.session);
    let timed = !recording.times.is_empty();
    let mut query: Option<StreamingQuery> = None;
    let mut figures = Vec::new();
    for (number, (step, expected)) in recording.steps.iter().zip(&recording.answers).enumerate() {
        if timed {
            world.clock.set(EPOCH_S * 1000 + recording.times[number]);
        }
        let rows = step.iter().filter(|row| row.is_array());
        let rows: Vec<_> = rows
            .map(|row| serde_json::from_value(row.clone()).unwrap())
            .collect();
        if (timed || play != Play::Plain)
            && let Some(query) = query.take()
        {
            soon(query.stop()).await.unwrap();
            figures.extend(totals(&query));
        }
        world.add(&rows);
        if play == Play::Killed {
            let batches = expected.iter().map(|(batch, _)| *batch);
            world.deaths.lock().unwrap().extend(batches);
            for _ in expected {
                let dying = world.start(input.clone(), &recording.mode).await.unwrap();
                let died = soon(dying.await_termination(Some(PATIENCE))).await;
                assert!(died.unwrap_err().message().contains("killed"));
                figures.extend(totals(&dying));
            }
        }
        let query = match &mut query {
            Some(query) => query,
            None => query.insert(world.start(input.clone(), &recording.mode).await.unwrap()),
        };
        soon(query.process_all_available()).await.unwrap();
        let said = expected
            .iter()
            .flat_map(|(_, rows)| rows.iter().map(|row| row.join(" ")));
        let mut said: Vec<String> = said.collect();
        let mut taken = world.taken();
        if recording.kind == "groups" {
            // Spark's groups time out in no order.
            said.sort();
            taken.sort();
        }
        assert_eq!(
            taken, said,
            "{name}, step {number}, {partitions} partitions"
        );
    }
    let query = query.unwrap();
    soon(query.stop()).await.unwrap();
    figures.extend(totals(&query));
    if play == Play::Plain {
        // A trigger that found nothing reports under the number of the batch to come.
        let ours: BTreeMap<_, _> = figures.into_iter().collect();
        let theirs = recording.figures.iter();
        for (batch, _, total, _, _, late) in theirs {
            assert_eq!(
                ours.get(batch),
                Some(&(*total, *late)),
                "{name}: figures of batch {batch}"
            );
        }
    }
}

/// Of each batch: rows in the state, rows too late.
fn totals(query: &StreamingQuery) -> Vec<(i64, (i64, i64))> {
    let progress = query.recent_progress();
    let operators = progress.iter().flat_map(|progress| {
        let operators = progress.state_operators.iter();
        operators.map(|operator| {
            let late = operator.num_rows_dropped_by_watermark;
            (progress.batch_id, (operator.num_rows_total, late))
        })
    });
    operators.collect()
}

async fn check_all(name: &str) {
    for play in [Play::Plain, Play::Restarted, Play::Killed] {
        for partitions in [1, 2, 5] {
            check(name, play, partitions).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_lists_and_maps_are_kept() {
    check_all("none").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_fire_in_event_time() {
    check_all("event-time").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_fire_and_values_expire_in_processing_time() {
    check_all("processing-time").await;
    check_all("processing-time-update").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_initial_state_comes_before_the_first_rows() {
    check_all("initial-state").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_time_out_as_in_spark() {
    check_all("groups-none").await;
    check_all("groups-event-time").await;
    check_all("groups-processing-time").await;
}

/// What a changed query says when it goes on from a checkpoint of the first.
pub(super) struct Run {
    pub(super) time_mode: &'static str,
    pub(super) mode: &'static str,
    pub(super) variables: Vec<(&'static str, StateVariableKind, &'static str, Option<i64>)>,
    pub(super) deleted: Vec<&'static str>,
}

pub(super) async fn run(world: &World, run: &Run) -> Result<(), Error> {
    let variables = run.variables.iter();
    let variables = variables.map(|(name, kind, holds, ttl)| variable(name, *kind, holds, *ttl));
    let interpreter = Interpreter::with(run.time_mode, variables.collect());
    let definition = StatefulProcessorDefinition {
        output: output(),
        variables: interpreter.variables(),
        deleted: run.deleted.iter().map(ToString::to_string).collect(),
        processor: Arc::new(interpreter),
    };
    world.session.register_stateful_processor("p#1", definition);
    let map = processed(run.time_mode, run.mode, Some("5 seconds"), None);
    let query = world.start(as_relation(map), run.mode).await?;
    soon(query.process_all_available()).await?;
    query.stop().await
}

fn conditions(name: &str) -> Vec<Option<String>> {
    let text = std::fs::read_to_string(golden("refusals.json")).unwrap();
    let all: BTreeMap<String, Vec<Value>> = serde_json::from_str(&text).unwrap();
    let said = all[name].iter();
    said.map(|said| {
        let conditions = said.as_array()?;
        conditions.last()?.as_str().map(str::to_string)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_spark_refuses_is_refused() {
    use StateVariableKind::{List, Map, Value};
    let one = |time_mode, mode, name, kind, holds, ttl| Run {
        time_mode,
        mode,
        variables: vec![(name, kind, holds, ttl)],
        deleted: Vec::new(),
    };
    let a = |time_mode, kind, ttl| one(time_mode, "append", "a", kind, "STRING", ttl);
    let twice = Run {
        time_mode: "None",
        mode: "append",
        variables: vec![("a", Value, "STRING", None), ("a", List, "STRING", None)],
        deleted: Vec::new(),
    };
    let duplicate = "STATEFUL_PROCESSOR_DUPLICATE_STATE_VARIABLE_DEFINED";
    let world = World::new(1);
    let error = run(&world, &twice).await.unwrap_err();
    assert_eq!(error.condition(), Some(duplicate), "{error}");
    let named = |name| one("None", "append", name, Value, "STRING", None);
    let cases: Vec<(&str, Vec<Run>)> = vec![
        ("a TTL without times", vec![a("None", Value, Some(1000))]),
        ("a TTL in event time", vec![a("EventTime", Map, Some(1000))]),
        (
            "a TTL of nothing",
            vec![a("ProcessingTime", Value, Some(0))],
        ),
        ("a negative TTL", vec![a("ProcessingTime", List, Some(-5))]),
        ("no name", vec![named("")]),
        ("a name with a dollar", vec![named("$a")]),
        ("a name with an underscore", vec![named("_a")]),
        ("the name default", vec![named("default")]),
        ("an unknown time mode", vec![a("Sometimes", Value, None)]),
        (
            "value becomes list",
            vec![a("None", Value, None), a("None", List, None)],
        ),
        (
            "value of another type",
            vec![
                named("a"),
                one("None", "append", "a", Value, "BIGINT", None),
            ],
        ),
        (
            "a new and a removed variable",
            vec![named("a"), named("b"), named("a")],
        ),
        (
            "a TTL comes",
            vec![
                a("ProcessingTime", Value, None),
                a("ProcessingTime", Value, Some(1000)),
            ],
        ),
        (
            "another time mode",
            vec![a("None", Value, None), a("ProcessingTime", Value, None)],
        ),
        (
            "another output mode",
            vec![
                named("a"),
                one("None", "update", "a", Value, "STRING", None),
            ],
        ),
    ];
    for (name, runs) in cases {
        let world = World::new(1);
        let theirs = conditions(name);
        assert_eq!(theirs.len(), runs.len(), "{name}");
        for (step, (declared, theirs)) in runs.iter().zip(theirs).enumerate() {
            world.add(&[(step as i64, "ann".into(), "nothing".into())]);
            let ours = run(&world, declared).await.err();
            let ours = ours.map(|error| error.condition().unwrap_or("none").to_string());
            assert_eq!(ours, theirs, "{name}, run {step}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_run_is_refused_at_the_start() {
    let world = World::new(1);
    let interpreter = Interpreter::new("None");
    let definition = StatefulProcessorDefinition {
        output: output(),
        variables: interpreter.variables(),
        deleted: Vec::new(),
        processor: Arc::new(interpreter),
    };
    world.session.register_stateful_processor("p#1", definition);
    let refused = async |map: GroupMap, mode: &str| {
        let error = world.start(as_relation(map), mode).await.err().unwrap();
        (error.condition().map(str::to_string), error.to_string())
    };
    let unsupported = Some("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION".to_string());
    let map = |mode| processed("None", mode, None, None);
    assert_eq!(refused(map("append"), "complete").await.0, unsupported);
    assert_eq!(refused(map("append"), "update").await.0, unsupported);
    let keyless = GroupMap {
        grouping_expressions: Vec::new(),
        ..map("append")
    };
    let (_, message) = refused(keyless, "append").await;
    assert!(message.contains("grouping column"), "{message}");
    let streaming = processed("None", "append", None, Some(table("events")));
    let (_, message) = refused(streaming, "append").await;
    assert!(message.contains("cannot be a stream"), "{message}");
    let unknown = GroupMap {
        func: function("q"),
        ..map("append")
    };
    let (_, message) = refused(unknown, "append").await;
    assert!(message.contains("no stateful processor 'q'"), "{message}");
    let batch = GroupMap {
        input: Some(Box::new(sql("SELECT 'a' AS user, '' AS todo"))),
        ..map("append")
    };
    let error = world
        .session
        .collect(&as_relation(batch))
        .await
        .unwrap_err();
    assert!(error.message().contains("needs a stream"), "{error}");
    assert_eq!(select(&world.session, "SELECT 1").await, ["1"]);
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}
