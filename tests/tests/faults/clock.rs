//! A clock that is set back: the numbers of a rate source go on without a gap or a repetition,
//! within a run and over a restart, and no trigger waits for the time that was.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use acceptance::action::SourceArgs;
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::relation;
use async_trait::async_trait;
use tempfile::TempDir;
use tidebook_engine::clock::Clock;
use tidebook_engine::{Session, StreamingQuery};
use tokio::time::timeout;

use crate::row;

const PATIENCE: Duration = Duration::from_secs(60);
const BEGIN: i64 = 1_700_000_000_000;
const HOUR: i64 = 3_600;

/// Shows what it is set to.
#[derive(Debug, Clone)]
struct SetClock(Arc<AtomicI64>);

impl SetClock {
    fn set(&self, seconds: i64) {
        self.0.store(BEGIN + seconds * 1000, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for SetClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    async fn wait_until(&self, time_ms: i64) {
        while self.now_ms() < time_ms {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back() {
    let folder = TempDir::with_prefix("clock-").expect("a folder");
    let clock = SetClock(Arc::new(AtomicI64::new(BEGIN)));
    let session = Session::builder().clock(Arc::new(clock.clone())).build();
    let driver = EngineDriver::of(session.expect("a session"));
    let source = SourceArgs {
        name: "numbers".to_owned(),
        format: Some("rate".to_owned()),
        options: [("rowsPerSecond".to_owned(), "3".to_owned())].into(),
        ..SourceArgs::default()
    };
    let created = driver.create_source(&source, folder.path(), true).await;
    created.expect("a stream");

    let mut injected = 0;
    let query = start(&driver, &folder).await;
    for (seconds, rows) in [(0, 0), (5, 15), (5 - HOUR, 15), (4, 15), (7, 21)] {
        injected += usize::from(seconds < 5 && rows > 0);
        clock.set(seconds);
        process(&query).await;
        check(&driver, rows);
    }
    query.stop().await.expect("a query that stops");
    clock.set(3);
    injected += 1;
    let query = start(&driver, &folder).await;
    for (seconds, rows) in [(3, 21), (7, 21), (9, 27)] {
        clock.set(seconds);
        process(&query).await;
        check(&driver, rows);
    }
    query.stop().await.expect("a query that stops");
    row(
        "clock set back, within a run and over a restart",
        injected,
        "every number once, in order",
    );
}

async fn start(driver: &EngineDriver, folder: &TempDir) -> StreamingQuery {
    let select = ["SELECT value FROM numbers".to_owned()];
    let checkpoint = folder.path().display().to_string();
    let start = Start {
        relation: relation(&select).expect("a query"),
        mode: "append".to_owned(),
        options: [("checkpointLocation".to_owned(), checkpoint)].into(),
        ..Start::default()
    };
    driver.start(&start).await.expect("a query that starts")
}

async fn process(query: &StreamingQuery) {
    let processed = timeout(PATIENCE, query.process_all_available()).await;
    processed.expect("it hangs").expect("a query that lives");
}

/// The numbers from 0 up to `rows` have come, each once.
fn check(driver: &EngineDriver, rows: i64) {
    let batches = driver.batches().expect("batches");
    let values = batches.into_values().flatten();
    let mut values: Vec<i64> = values.map(|line| line.parse().expect("a number")).collect();
    values.sort_unstable();
    assert_eq!(values, (0..rows).collect::<Vec<_>>());
}
