//! Functions of cells that the kernel calls.

use std::borrow::Cow;
use std::io::Read as _;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use crate::fake_kernel::{collected, exchange, failure, obedient, start};
use serde_json::{Value as Json, json};
use tidebook::columns::{Array, Kind};
use tidebook::prelude::*;
use tidebook::wire::{
    Call, Function, Group, GroupResult, QueryEvent, Reply, Request, Return, Role,
};

fn doubles(values: &[Option<f64>]) -> Array<'static> {
    let mut bits = vec![0; values.len().div_ceil(8)];
    for (row, _) in values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_some())
    {
        bits[row / 8] |= 1 << (row % 8);
    }
    Array {
        kind: Kind::Float64,
        rows: values.len(),
        validity: values.contains(&None).then_some(Cow::Owned(bits)),
        offsets: Cow::Borrowed(&[]),
        values: values
            .iter()
            .flat_map(|value| value.unwrap_or(-1.0).to_le_bytes())
            .collect(),
    }
}

fn texts(values: &[&str]) -> Array<'static> {
    let mut end = 0;
    let ends = values.iter().map(|value| {
        end += value.len() as i32;
        end
    });
    Array {
        kind: Kind::Utf8,
        rows: values.len(),
        validity: None,
        offsets: std::iter::once(0)
            .chain(ends)
            .flat_map(i32::to_le_bytes)
            .collect(),
        values: values.concat().into_bytes().into(),
    }
}

#[test]
fn a_row_with_null_is_null_without_a_call() {
    let Ok(kernel) = start(
        "functions::a_row_with_null_is_null_without_a_call",
        obedient,
    ) else {
        return;
    };
    let half = udf("half", |x: f64, unit: Option<&str>| {
        assert!(x >= 0.0, "called with what lies under a NULL");
        (x > 0.0).then(|| format!("{}{}", x / 2.0, unit.unwrap_or("?")))
    });
    assert_eq!(half.unwrap().call(["a", "b"]).to_string(), "half(a, b)");
    assert_eq!(
        kernel.function(),
        Function::Udf {
            name: "half".to_string(),
            arguments: vec!["DOUBLE".to_string(), "STRING".to_string()],
            returns: "STRING".to_string(),
            deterministic: true,
        }
    );
    let mut units = texts(&["m", "", "s"]);
    units.validity = Some(vec![0b101].into());
    let columns = [doubles(&[None, Some(3.0), Some(0.0)]), units];
    let values = kernel.call_udf(&columns, 3).unwrap();
    assert_eq!(values.kind, Kind::Utf8);
    let valid: Vec<bool> = (0..3).map(|row| values.is_valid(row)).collect();
    assert_eq!(valid, [false, true, false]);
    assert_eq!(values.bytes(1), b"1.5?");
}

#[test]
fn every_type_goes_in_and_comes_out() {
    let Ok(kernel) = start("functions::every_type_goes_in_and_comes_out", obedient) else {
        return;
    };
    let check = |kind, width: usize, values: Vec<u8>| {
        let offsets = match kind {
            Kind::Utf8 | Kind::Binary => [0_i32, 1, 1, 3]
                .into_iter()
                .flat_map(i32::to_le_bytes)
                .collect(),
            _ => Cow::Borrowed(&[][..]),
        };
        assert_eq!(values.len(), width);
        let mut column = Array {
            kind,
            rows: 3,
            validity: None,
            offsets,
            values: values.into(),
        };
        assert_eq!(
            kernel.call_udf(&[column.clone()], 3).unwrap(),
            column,
            "{kind:?}"
        );
        column.validity = Some(vec![0b011].into());
        let values = kernel.call_udf(&[column.clone()], 3).unwrap();
        assert_eq!(values.validity, column.validity, "{kind:?}");
    };
    let numbers = |width: usize| (0..3 * width as u8).collect::<Vec<u8>>();
    udf("f", |x: bool| x).unwrap();
    check(Kind::Bool, 1, vec![0b011]);
    udf("f", |x: i8| x).unwrap();
    check(Kind::Int8, 3, numbers(1));
    udf("f", |x: i16| x).unwrap();
    check(Kind::Int16, 6, numbers(2));
    udf("f", |x: i32| x).unwrap();
    check(Kind::Int32, 12, numbers(4));
    udf("f", |x: i64| x).unwrap();
    check(Kind::Int64, 24, numbers(8));
    udf("f", |x: f32| x).unwrap();
    check(Kind::Float32, 12, numbers(4));
    udf("f", |x: f64| x).unwrap();
    check(Kind::Float64, 24, numbers(8));
    udf("f", |x: Timestamp| x).unwrap();
    check(Kind::Timestamp, 24, numbers(8));
    udf("f", |x: String| x).unwrap();
    check(Kind::Utf8, 3, b"abc".to_vec());
    udf("f", |x: Vec<u8>| x).unwrap();
    check(Kind::Binary, 3, vec![255, 0, 1]);
}

#[test]
fn a_panic_is_an_answer_with_its_place() {
    let name = "functions::a_panic_is_an_answer_with_its_place";
    match start(name, obedient) {
        Ok(kernel) => {
            udf("root", |x: f64| {
                if x < 0.0 {
                    panic!("{x} has no root")
                } else {
                    x.sqrt()
                }
            })
            .unwrap();
            let call = |x| {
                let columns = tidebook::columns::encode(&[doubles(&[Some(x)])]);
                kernel.call(&Call::Udf { rows: 1 }, &columns)
            };
            let (answer, _) = call(-4.0);
            let (ename, message) = failure(&answer);
            assert_eq!(ename, "RustPanic");
            let place = format!("-4 has no root\nat {}:", file!());
            assert!(message.starts_with(&place), "{message}");
            assert_eq!(call(4.0).0, Return::Done, "the function goes on");
        }
        Err(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(!errors.contains("has no root"), "{errors}");
        }
    }
}

#[test]
fn a_vectorized_function_sees_rows_with_values() {
    let Ok(kernel) = start(
        "functions::a_vectorized_function_sees_rows_with_values",
        obedient,
    ) else {
        return;
    };
    vectorized_udf("less_mean", |xs: &[f64]| -> Vec<f64> {
        let mean = xs.iter().sum::<f64>() / xs.len() as f64;
        xs.iter().map(|x| x - mean).collect()
    })
    .unwrap();
    let values = kernel
        .call_udf(&[doubles(&[Some(1.0), None, Some(3.0)])], 3)
        .unwrap();
    assert_eq!(
        values.values.chunks(8).next(),
        Some(&(-1.0_f64).to_le_bytes()[..])
    );
    assert!(values.is_valid(0) && !values.is_valid(1) && values.is_valid(2));

    vectorized_udf("first", |xs: &[Option<f64>]| xs[..1].to_vec()).unwrap();
    let answer = kernel
        .call_udf(&[doubles(&[Some(1.0), None, Some(3.0)])], 3)
        .unwrap_err();
    let message = "it returned a list of length 1 for 3 rows";
    assert_eq!(failure(&answer), ("RustError", message));
}

#[test]
fn columns_of_another_function_are_refused() {
    let Ok(kernel) = start(
        "functions::columns_of_another_function_are_refused",
        obedient,
    ) else {
        return;
    };
    udf("length", |text: &str| text.len() as i32).unwrap();
    for (columns, rows) in [
        (vec![doubles(&[Some(1.0)])], 1),
        (vec![texts(&["a"]), texts(&["a"])], 1),
        (vec![texts(&["a"])], 2),
    ] {
        let answer = kernel.call_udf(&columns, rows).unwrap_err();
        assert_eq!(failure(&answer).0, "InternalError");
    }
}

#[test]
fn a_function_ends_with_its_connection() {
    let Ok(kernel) = start("functions::a_function_ends_with_its_connection", obedient) else {
        return;
    };
    let (alive, ended) = channel::<()>();
    let alive = Mutex::new(alive);
    udf("f", move || alive.lock().is_ok()).unwrap();
    let connections = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..connections {
        let mut stream = kernel.connection();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(
            stream.read(&mut [0]).unwrap(),
            0,
            "the other side is closed as well"
        );
    }
    assert!(
        ended.recv().is_err(),
        "the closure and what it held are dropped"
    );
}

#[test]
fn batches_go_to_a_function() {
    let answer = |request: &Request, _: &[u8]| match request {
        Request::StartStream => Reply::Done(json!({"id": "i", "runId": "r", "name": null})),
        Request::Collect { .. } => collected("count", "long", vec![json!(2)]),
        _ => obedient(request, &[]),
    };
    let Ok(kernel) = start("functions::batches_go_to_a_function", answer) else {
        return;
    };
    let (send, batches) = channel();
    let stream = spark.read_stream().format("rate").load(None);
    let writer = stream
        .write_stream()
        .foreach_batch(move |batch, batch_id| -> Result<()> {
            if batch_id > 1 {
                return Err(Error::new("enough"));
            }
            send.send((batch.count()?, batch_id)).unwrap();
            Ok(())
        });
    writer.start("").unwrap();
    assert_eq!(kernel.function(), Function::ForeachBatch);
    let mut connection = kernel.connection();
    let mut call = |batch_id| {
        let view = "batch".to_string();
        exchange(&mut connection, &Call::ForeachBatch { batch_id, view }, &[]).0
    };
    assert_eq!(call(1), Return::Done);
    assert_eq!(batches.recv().unwrap(), (2, 1));
    assert_eq!(kernel.last_role(), Role::Callback);
    assert_eq!(failure(&call(2)), ("RustError", "enough"));
}

#[test]
fn rows_go_to_a_writer() {
    let answer = |request: &Request, _: &[u8]| match request {
        Request::StartStream => Reply::Done(json!({"id": "i", "runId": "r", "name": null})),
        Request::Collect { .. } => collected("n", "long", vec![json!(2), json!(3)]),
        _ => obedient(request, &[]),
    };
    let Ok(kernel) = start("functions::rows_go_to_a_writer", answer) else {
        return;
    };
    #[derive(Clone)]
    struct Log(std::sync::mpsc::Sender<String>);
    impl ForeachWriter for Log {
        fn open(&mut self, partition_id: i64, epoch_id: i64) -> bool {
            self.0
                .send(format!("open {partition_id} {epoch_id}"))
                .unwrap();
            epoch_id > 0
        }

        fn process(&mut self, row: Row) -> Result<()> {
            let value: i64 = row.get_as(0)?;
            self.0.send(value.to_string()).unwrap();
            if value == 3 {
                return Err(Error::new("three"));
            }
            Ok(())
        }

        fn close(&mut self, error: Option<&Error>) {
            self.0.send(format!("close {}", error.is_some())).unwrap();
        }
    }
    let (send, log) = channel();
    let stream = spark.read_stream().format("rate").load(None);
    let writer = stream.write_stream().foreach_writer(Log(send));
    writer.start("").unwrap();
    assert_eq!(kernel.function(), Function::Foreach);
    let mut connection = kernel.connection();
    let mut call = |epoch_id| {
        let call = Call::Foreach {
            partition_id: 0,
            epoch_id,
            view: "rows".to_string(),
        };
        exchange(&mut connection, &call, &[]).0
    };
    assert_eq!(call(0), Return::Done);
    assert_eq!(failure(&call(1)), ("RustError", "three"));
    let heard: Vec<String> = log.try_iter().collect();
    let expected = [
        "open 0 0",
        "close false",
        "open 0 1",
        "2",
        "3",
        "close true",
    ];
    assert_eq!(heard, expected);
}

#[test]
fn listeners_hear_of_queries() {
    let Ok(kernel) = start("functions::listeners_hear_of_queries", obedient) else {
        return;
    };
    struct Log(std::sync::mpsc::Sender<String>);
    impl StreamingQueryListener for Log {
        fn on_query_progress(&self, event: &QueryProgressEvent) {
            let progress = &event.progress;
            let line = format!("{}: {} rows", progress.batch_id, progress.num_input_rows);
            self.0.send(line).unwrap();
        }

        fn on_query_terminated(&self, event: &QueryTerminatedEvent) {
            self.0
                .send(format!("ended: {:?}", event.exception))
                .unwrap();
        }

        fn on_event(&self, event: &StreamingQueryListenerEvent) {
            self.0.send(event.event_type.to_string()).unwrap();
        }
    }
    let (send, heard) = channel();
    let id = spark.streams().add_listener(Log(send)).unwrap();
    let mut connection = kernel.connection();
    for event in [
        QueryEvent::Progress {
            progress: json!({
                "id": "i", "runId": "r", "name": null, "timestamp": "", "batchId": 3,
                "numInputRows": 8,
            }),
        },
        QueryEvent::Terminated {
            id: "i".to_string(),
            run_id: "r".to_string(),
            exception: Some("no".to_string()),
        },
    ] {
        let answer = exchange(&mut connection, &Call::QueryEvent { event }, &[]);
        assert_eq!(answer.0, Return::Done);
    }
    let heard: Vec<String> = heard.try_iter().collect();
    assert_eq!(heard, ["3: 8 rows", "1", "ended: Some(\"no\")", "2"]);
    spark.streams().remove_listener(&id).unwrap();
    assert_eq!(
        kernel.requests().last(),
        Some(&Request::RemoveFunction { id })
    );
}

#[derive(Deserialize)]
struct Click {
    ts: Timestamp,
}

fn group(key: &str, rows: Vec<Json>, state: Option<Json>, has_timed_out: bool) -> Group {
    Group {
        key: vec![json!(key)],
        rows,
        state,
        has_timed_out,
    }
}

#[test]
fn groups_keep_a_state_and_time_out() {
    let Ok(kernel) = start("functions::groups_keep_a_state_and_time_out", obedient) else {
        return;
    };
    let clicks = spark.table("clicks").unwrap().group_by(["user"]);
    let visits = clicks.flat_map_groups_with_state(
        OutputMode::Append,
        GroupStateTimeout::EventTimeTimeout,
        "user STRING, clicks BIGINT",
        |user: String, rows: Vec<Click>, state: &mut GroupState<i64>| {
            if state.has_timed_out() {
                return vec![(user, state.remove().unwrap_or_default())];
            }
            *state.get_or_default() += rows.len() as i64;
            let last = rows.iter().map(|click| click.ts.millis()).max();
            state.set_timeout_timestamp(last.unwrap_or_default() + 1000);
            Vec::new()
        },
    );
    visits.unwrap();
    let call = Call::Groups {
        batch_timestamp_ms: 10,
        watermark_ms: 5000,
    };
    let groups = [
        group(
            "ann",
            vec![json!({"ts": "1970-01-01T00:00:05Z"}), json!({"ts": 0})],
            Some(json!(1)),
            false,
        ),
        group("bob", Vec::new(), Some(json!(4)), true),
    ];
    let (answer, body) = kernel.call(&call, &serde_json::to_vec(&groups).unwrap());
    assert_eq!(answer, Return::Done);
    let results: Vec<GroupResult> = serde_json::from_slice(&body).unwrap();
    let kept = GroupResult {
        rows: Vec::new(),
        state: Some(json!(3)),
        timeout_ms: Some(6000),
    };
    let ended = GroupResult {
        rows: vec![json!({"user": "bob", "clicks": 4})],
        state: None,
        timeout_ms: None,
    };
    assert_eq!(results, [kept, ended]);

    let late = [group("ann", vec![json!({"ts": 0})], None, false)];
    let (answer, _) = kernel.call(&call, &serde_json::to_vec(&late).unwrap());
    let message = "timeout timestamp 1000 is not after the watermark 5000";
    assert_eq!(failure(&answer), ("IllegalArgumentException", message));
}
