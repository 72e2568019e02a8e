//! foreachBatch that waits, and the manager of a session's queries.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use tidebook_engine::connect::proto::streaming_foreach_function::Function;
use tidebook_engine::connect::proto::{
    ScalarScalaUdf, StreamingForeachFunction, WriteStreamOperationStart,
};
use tidebook_engine::{
    Error, ForeachBatch, Result, Session, StreamingQueryEvent, StreamingQueryListener,
};
use tokio::sync::Notify;

use super::support::{Feed, PATIENCE, Start, soon, sql, start};

/// Waits for ever in its second batch.
#[derive(Default)]
struct Waiting {
    batches: Mutex<Vec<(i64, usize)>>,
    waits: Notify,
    dropped: Arc<Notify>,
}

#[async_trait]
impl ForeachBatch for Waiting {
    async fn call(&self, id: i64, _: SchemaRef, batches: Vec<RecordBatch>) -> Result<()> {
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        self.batches.lock().unwrap().push((id, rows));
        if id < 1 {
            return Ok(());
        }
        struct Dropped(Arc<Notify>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.notify_one();
            }
        }
        let _dropped = Dropped(Arc::clone(&self.dropped));
        self.waits.notify_one();
        std::future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_drops_a_batch_function_that_waits() {
    let session = Session::new().unwrap();
    let feed = Feed::new(&session, "events");
    let waiting = Arc::new(Waiting::default());
    session.register_foreach_batch("f#1", Arc::clone(&waiting) as _);
    let command = || WriteStreamOperationStart {
        input: Some(sql("SELECT n FROM events")),
        foreach_batch: Some(StreamingForeachFunction {
            function: Some(Function::ScalaFunction(ScalarScalaUdf {
                payload: b"f#1".to_vec().into(),
                ..Default::default()
            })),
        }),
        ..Default::default()
    };
    let query = start(&session, command()).await.unwrap();
    feed.add(&[(1, "ann", 1), (2, "ann", 2)]);
    soon(query.process_all_available()).await.unwrap();
    feed.add(&[(3, "ann", 3)]);
    soon(waiting.waits.notified()).await;
    soon(query.stop()).await.unwrap();
    soon(waiting.dropped.notified()).await;
    assert!(query.exception().is_none());
    assert_eq!(*waiting.batches.lock().unwrap(), [(0, 2), (1, 1)]);

    session.remove_foreach_batch("f#1");
    let error = start(&session, command()).await.unwrap_err();
    assert_eq!(
        error.message(),
        "no foreachBatch function 'f#1' is registered"
    );
}

/// Notes which queries ended.
#[derive(Default)]
struct Ended(Mutex<Vec<String>>);

impl StreamingQueryListener for Ended {
    fn on_event(&self, event: &StreamingQueryEvent) {
        if let StreamingQueryEvent::Terminated { run_id, .. } = event {
            self.0.lock().unwrap().push(run_id.to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_found_by_name_and_by_either_id() {
    let session = Session::new().unwrap();
    let _feed = Feed::new(&session, "events");
    let listener = Arc::new(Ended::default());
    let listening: Arc<dyn StreamingQueryListener> = Arc::clone(&listener) as _;
    session.streams().add_listener(Arc::clone(&listening));
    let run = async || {
        let query = Start::new("q", sql("SELECT n FROM events"), "append");
        let (query, _) = query.run(&session).await.unwrap();
        query.stop().await.unwrap();
        query
    };
    let first = run().await;
    session.streams().remove_listener(&listening);
    let second = run().await;
    let streams = session.streams();
    let found = |text: &str| streams.find(text).unwrap().run_id();
    assert_eq!(found("Q"), second.run_id());
    assert_eq!(found(&first.run_id().to_string()), first.run_id());
    assert_eq!(found(&second.id().to_string()), second.run_id());
    assert_eq!(streams.all().len(), 1);
    assert_eq!(*listener.0.lock().unwrap(), [first.run_id().to_string()]);
    let error = streams.find("qq").unwrap_err();
    assert_eq!(error.hint(), Some("did you mean 'q'?"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn awaiting_any_termination_tells_of_the_first_end_and_of_any_failure() {
    let session = Session::new().unwrap();
    let feed = Feed::new(&session, "events");
    let streams = session.streams();
    let briefly = Some(Duration::from_millis(1));
    assert!(!streams.await_any_termination(briefly).await.unwrap());
    let query = async |name: &str| {
        let query = Start::new(name, sql("SELECT n FROM events"), "append");
        query.run(&session).await.unwrap().0
    };
    let (first, _second) = (query("first").await, query("second").await);
    assert!(!streams.await_any_termination(briefly).await.unwrap());
    let ended = streams.await_any_termination(None);
    let (ended, stopped) = soon(async { tokio::join!(ended, first.stop()) }).await;
    stopped.unwrap();
    assert!(ended.unwrap());
    assert!(streams.await_any_termination(None).await.unwrap());
    streams.reset_terminated();
    assert!(!streams.await_any_termination(briefly).await.unwrap());

    let fails = |_: i64, _: SchemaRef, _: Vec<RecordBatch>| Err(Error::runtime("no disk"));
    session.register_foreach_batch("fails", Arc::new(fails));
    let failing = WriteStreamOperationStart {
        input: Some(sql("SELECT n FROM events")),
        format: "foreachBatch".into(),
        options: [("callback".to_string(), "fails".to_string())].into(),
        query_name: "failing".into(),
        ..Default::default()
    };
    start(&session, failing).await.unwrap();
    feed.add(&[(1, "ann", 1)]);
    let error = soon(streams.await_any_termination(Some(PATIENCE)))
        .await
        .unwrap_err();
    assert_eq!(error.message(), "query 'failing' failed: no disk");
    soon(streams.stop_all()).await.unwrap();
    assert!(streams.await_any_termination(None).await.is_err());
    streams.reset_terminated();
    assert!(!streams.await_any_termination(briefly).await.unwrap());
}
