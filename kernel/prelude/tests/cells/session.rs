//! What cells ask of the kernel, and what they make of its answers.

use std::panic;
use std::sync::{Arc, Barrier};
use std::thread;

use crate::fake_kernel::{collected, obedient, start};
use serde_json::json;
use tidebook::Interrupted;
use tidebook::prelude::*;
use tidebook::wire::{Failure, QueryRequest, QueryView, Reply, Request, Role};

#[test]
fn rows_become_types_of_the_user() {
    let answer = |request: &Request, _: &[u8]| match request {
        Request::Collect { .. } => {
            let field = |name: &str, data_type| json!({"name": name, "type": data_type});
            let window = json!({"type": "struct", "fields": [
                field("start", "timestamp"), field("end", "timestamp"),
            ]});
            let schema = json!({"type": "struct", "fields": [
                {"name": "window", "type": window}, field("n", "long"), field("mean", "double"),
                field("tag", "binary"),
            ]});
            Reply::Done(json!({"schema": schema, "rows": [
                [[0, 60_000_000], 3, 1.5, "AQI="],
                [null, 1, "NaN", null],
            ]}))
        }
        _ => obedient(request, &[]),
    };
    let Ok(_kernel) = start("session::rows_become_types_of_the_user", answer) else {
        return;
    };

    #[derive(Deserialize)]
    struct Window {
        end: Timestamp,
    }
    #[derive(Deserialize)]
    struct Count {
        window: Option<Window>,
        n: i64,
        mean: f64,
        tag: Option<Vec<u8>>,
    }
    let df = spark.table("counts").unwrap();
    let counts: Vec<Count> = df.collect_as().unwrap();
    let end = counts[0].window.as_ref().unwrap().end;
    assert_eq!(
        (end.micros(), counts[0].n, counts[0].mean),
        (60_000_000, 3, 1.5)
    );
    assert_eq!(counts[0].tag.as_deref(), Some(&[1, 2][..]));
    assert!(counts[1].window.is_none() && counts[1].mean.is_nan() && counts[1].tag.is_none());

    let rows = df.collect().unwrap();
    let shown = "[{1970-01-01 00:00:00, 1970-01-01 00:01:00},3,1.5,[01 02]]";
    assert_eq!(rows[0].to_string(), shown);
    let error = rows[0].get_as::<i64>("m").unwrap_err();
    assert_eq!(error.hint(), Some("its columns are window, n, mean, tag"));
}

#[test]
fn an_error_carries_condition_and_hint() {
    let failed = |_: &Request, _: &[u8]| {
        Reply::Failed(Failure {
            ename: "AnalysisException".to_string(),
            condition: Some("UNRESOLVED_COLUMN.WITH_SUGGESTION".to_string()),
            message: "column 'usr' is not there".to_string(),
            hint: Some("did you mean 'user'?".to_string()),
        })
    };
    let Ok(_kernel) = start("session::an_error_carries_condition_and_hint", failed) else {
        return;
    };
    let error = spark.sql("SELECT usr FROM events").unwrap_err();
    assert_eq!(error.ename(), "AnalysisException");
    assert_eq!(
        error.to_string(),
        "[UNRESOLVED_COLUMN.WITH_SUGGESTION] column 'usr' is not there\nhint: did you mean 'user'?"
    );
}

/// Two questions at a time need two connections: the kernel answers each only when both are there.
#[test]
fn threads_ask_at_the_same_time() {
    let both = Arc::new(Barrier::new(2));
    let answer = move |request: &Request, _: &[u8]| match request {
        Request::Collect { .. } => {
            both.wait();
            collected("count", "long", vec![json!(7)])
        }
        _ => obedient(request, &[]),
    };
    let Ok(kernel) = start("session::threads_ask_at_the_same_time", answer) else {
        return;
    };
    let ask = || spark.table("events").unwrap().count().unwrap();
    let other = thread::spawn(ask);
    assert_eq!((ask(), other.join().unwrap()), (7, 7));
    assert_eq!(kernel.requests().len(), 2);
}

/// Every cell is a copy of the crate with connections of its own, which no other cell can use.
#[test]
fn a_connection_that_nobody_uses_is_closed() {
    let Ok(kernel) = start("session::a_connection_that_nobody_uses_is_closed", obedient) else {
        return;
    };
    spark.streams().reset_terminated().unwrap();
    spark.streams().reset_terminated().unwrap();
    assert_eq!(kernel.closed.recv(), Ok(Role::Session));
    spark.streams().reset_terminated().unwrap();
    assert_eq!(kernel.requests().len(), 3);
}

#[test]
fn an_interrupt_ends_the_cell_without_a_word() {
    let name = "session::an_interrupt_ends_the_cell_without_a_word";
    match start(name, |_, _| Reply::Interrupted) {
        Ok(_kernel) => {
            let cell = || spark.streams().await_any_termination(None);
            let payload = panic::catch_unwind(cell).unwrap_err();
            assert!(payload.is::<Interrupted>());
        }
        Err(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(!errors.contains("panicked"), "{errors}");
        }
    }
}

#[test]
fn without_a_kernel_an_error_says_so() {
    if std::env::var_os(tidebook::wire::SOCKET).is_none() {
        let error = spark.sql("SELECT 1").unwrap_err();
        assert_eq!(error.hint(), Some("run this code in a cell of Tidebook"));
    }
}

#[test]
fn a_query_is_started_watched_and_stopped() {
    let answer = |request: &Request, _: &[u8]| match request {
        Request::StartStream | Request::FindQuery { .. } => {
            Reply::Done(json!({"id": "i", "runId": "r", "name": "counts"}))
        }
        Request::Query {
            about: QueryRequest::LastProgress,
            ..
        } => Reply::Done(json!({
            "id": "i", "runId": "r", "name": "counts", "timestamp": "2026-01-01T00:00:00.000Z",
            "batchId": 4, "numInputRows": 10, "inputRowsPerSecond": 2.5,
            "durationMs": {"triggerExecution": 3}, "stateOperators": [],
            "sources": [{"description": "s", "numInputRows": 10}],
            "sink": {"description": "MemorySink", "numOutputRows": 2},
        })),
        Request::Query {
            about: QueryRequest::AwaitTermination { .. },
            ..
        } => Reply::Done(json!({"ended": false})),
        Request::Query {
            about: QueryRequest::Status,
            ..
        } => Reply::Done(json!({
            "message": "Waiting for data to arrive", "isDataAvailable": false,
            "isTriggerActive": false,
        })),
        Request::Query {
            about: QueryRequest::IsActive,
            ..
        } => Reply::Done(json!({"isActive": true})),
        _ => obedient(request, &[]),
    };
    let Ok(kernel) = start("session::a_query_is_started_watched_and_stopped", answer) else {
        return;
    };
    let stream = spark.read_stream().format("rate").load(None);
    let query = stream
        .write_stream()
        .trigger(Trigger::AvailableNow)
        .start("")
        .unwrap();
    assert_eq!(
        (query.id(), query.run_id(), query.name()),
        ("i", "r", Some("counts"))
    );
    assert_eq!(query.await_termination(Some(0.5)).unwrap(), Some(false));
    assert!(query.await_termination(Some(0.0)).is_err());
    let progress = query.last_progress().unwrap().unwrap();
    assert_eq!(
        (progress.batch_id, progress.input_rows_per_second),
        (4, 2.5)
    );
    assert_eq!(progress.processed_rows_per_second, 0.0);
    assert!(
        progress
            .to_string()
            .starts_with("{\n  \"id\": \"i\",\n  \"runId\": \"r\"")
    );
    let status = query.status().unwrap();
    assert!(status.is_active && status.status_message.starts_with("Waiting"));

    let shown = |what| Request::DisplayQuery {
        run_id: "r".to_string(),
        what,
    };
    let about = |about| Request::Query {
        run_id: "r".to_string(),
        about,
    };
    query.evcxr_display();
    spark.streams().get("counts").unwrap().evcxr_display();
    query.last_progress().unwrap().evcxr_display();
    query.stop().unwrap();
    let requests = kernel.requests();
    let last = &requests[requests.len() - 6..];
    let find = Request::FindQuery {
        name: "counts".to_string(),
    };
    assert_eq!(last[0], shown(QueryView::Card));
    assert_eq!((&last[1], &last[2]), (&find, &shown(QueryView::Card)));
    assert_eq!(last[4], shown(QueryView::Progress));
    assert_eq!(last[5], about(QueryRequest::Stop));
    let timeout_ms = Some(500);
    assert!(requests.contains(&about(QueryRequest::AwaitTermination { timeout_ms })));
}

#[test]
fn values_and_displays_go_to_the_kernel() {
    let Ok(kernel) = start("session::values_and_displays_go_to_the_kernel", obedient) else {
        return;
    };
    ().evcxr_display();
    vec![1, 2].evcxr_display();
    let handle = display(html("<b>a</b>"));
    handle.update(markdown("*b*"));
    png([1, 2]).evcxr_display();
    clear_output(true);
    let shown: Vec<_> = kernel.requests();
    let Request::Display {
        data,
        display_id: None,
        update: false,
        ..
    } = &shown[0]
    else {
        panic!("{:?}", shown[0]);
    };
    assert_eq!(data["text/plain"], "[1, 2]");
    let Request::Display {
        data,
        display_id: Some(id),
        update: false,
        ..
    } = &shown[1]
    else {
        panic!("{:?}", shown[1]);
    };
    assert_eq!(data["text/html"], "<b>a</b>");
    let Request::Display {
        data,
        display_id: Some(same),
        update: true,
        ..
    } = &shown[2]
    else {
        panic!("{:?}", shown[2]);
    };
    assert_eq!((id, same), (&handle.id().to_string(), id));
    assert_eq!(data["text/markdown"], "*b*");
    let Request::Display { data, .. } = &shown[3] else {
        panic!("{:?}", shown[3]);
    };
    assert_eq!(data["image/png"], "AQI=");
    assert_eq!(shown[4], Request::ClearOutput { wait: true });
}

#[test]
fn a_progress_bar_ends_full() {
    let Ok(kernel) = start("session::a_progress_bar_ends_full", obedient) else {
        return;
    };
    let sum: i32 = progress(vec![1; 1000]).sum();
    assert_eq!(sum, 1000);
    let shown = kernel.requests();
    assert!(
        shown.len() < 100,
        "it does not change with every step: {}",
        shown.len()
    );
    let Some(Request::Display {
        data, update: true, ..
    }) = shown.last()
    else {
        panic!("{shown:?}");
    };
    let text = data["text/plain"].as_str().unwrap();
    assert!(
        text.ends_with("1000 / 1000") && !text.contains('░'),
        "{text}"
    );
}
