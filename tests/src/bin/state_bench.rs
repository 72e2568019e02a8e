//! What a large state costs: a batch that touches a few of its keys, the removal of some windows, going
//! on after a restart, and memory per key; in memory and on disk. Prints; passes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::{relation, table, with_watermark};
use anyhow::{Context, Result};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use tidebook_engine::{MemoryStream, StreamingQuery, parse_ddl};

const HELD: [i64; 2] = [10_000, 10_000_000];
const ROWS_AT_ONCE: i64 = 1_000_000;
const TOUCHED: i64 = 1_000;
const TOUCHES: i64 = 20;
const SECOND: i64 = 1_000_000;
/// 2024-01-01, in microseconds.
const BEGIN: i64 = 1_704_067_200 * SECOND;
const DELAY: i64 = 3_600 * SECOND;
const COUNTS: &str = "SELECT k, count(*) AS n FROM events GROUP BY k";
const WINDOWS: &str = "SELECT window(t, '1 second') AS w, k, count(*) AS n FROM late \
    GROUP BY window(t, '1 second'), k";

#[tokio::main]
async fn main() -> Result<()> {
    for store in ["memory", "disk"] {
        for held in HELD {
            println!("state in {store}, {held} keys");
            let directory = tempfile::tempdir()?;
            keys(store, held, directory.path()).await?;
            windows(store, held).await?;
        }
    }
    Ok(())
}

/// Touches keys, and starts the query again.
async fn keys(store: &str, held: i64, checkpoint: &Path) -> Result<()> {
    let driver = EngineDriver::new(false)?;
    let events = driver.session().memory_stream("events", schema()?)?;
    let checkpoint = checkpoint.display().to_string();
    let query = start(&driver, COUNTS, store, Some(&checkpoint)).await?;
    fill(&events, &query, held, BEGIN).await?;
    let mut best = f64::MAX;
    for touch in 0..TOUCHES {
        let keys: Vec<i64> = (0..TOUCHED).map(|at| (at * 7_919 + touch) % held).collect();
        let started = Instant::now();
        events.add_data(rows(&keys, |_| BEGIN)?)?;
        query.process_all_available().await?;
        best = best.min(started.elapsed().as_secs_f64() * 1e3);
    }
    println!("  a batch of {TOUCHED} keys     {best:>10.2} ms");
    let progress = query.last_progress().context("a query that has run")?;
    let state = progress
        .state_operators
        .first()
        .context("a query with state")?;
    let bytes = state.memory_used_bytes as f64 / state.num_rows_total.max(1) as f64;
    println!("  memory per key          {bytes:>10.1} bytes");
    query.stop().await?;
    let started = Instant::now();
    let query = start(&driver, COUNTS, store, Some(&checkpoint)).await?;
    let seconds = started.elapsed().as_secs_f64();
    println!("  going on after a restart{seconds:>10.2} s");
    query.stop().await?;
    Ok(())
}

/// Removes windows from a state that holds many others.
async fn windows(store: &str, held: i64) -> Result<()> {
    let driver = EngineDriver::new(false)?;
    let events = driver.session().memory_stream("plain", schema()?)?;
    let marked = with_watermark(table("plain"), "t", "1 hour");
    driver.create_view("late", marked).await?;
    let query = start(&driver, WINDOWS, store, None).await?;
    let old: Vec<i64> = (0..TOUCHED).collect();
    events.add_data(rows(&old, |at| BEGIN - (2_000 - at) * SECOND)?)?;
    fill(&events, &query, held, BEGIN).await?;
    events.add_data(rows(&[0], |_| BEGIN - 500 * SECOND + DELAY)?)?;
    query.process_all_available().await?;
    let removing = query.recent_progress().into_iter().find(|progress| {
        let mut operators = progress.state_operators.iter();
        operators.any(|operator| operator.num_rows_removed >= TOUCHED)
    });
    let removing = removing.context("a batch that removes windows")?;
    let took = removing
        .duration_ms
        .get("triggerExecution")
        .copied()
        .unwrap_or_default();
    println!("  removing {TOUCHED} windows    {took:>10} ms");
    query.stop().await?;
    Ok(())
}

async fn fill(events: &MemoryStream, query: &StreamingQuery, held: i64, time: i64) -> Result<()> {
    for from in (0..held).step_by(ROWS_AT_ONCE as usize) {
        let keys: Vec<i64> = (from..held.min(from + ROWS_AT_ONCE)).collect();
        events.add_data(rows(&keys, |_| time)?)?;
        query.process_all_available().await?;
    }
    Ok(())
}

async fn start(
    driver: &EngineDriver,
    sql: &str,
    store: &str,
    checkpoint: Option<&str>,
) -> Result<StreamingQuery> {
    let mut options = vec![("stateStore".to_owned(), store.to_owned())];
    options.extend(checkpoint.map(|path| ("checkpointLocation".to_owned(), path.to_owned())));
    let start = Start {
        relation: relation(&[sql.to_owned()])?,
        mode: "update".to_owned(),
        sink: Some("noop".to_owned()),
        options: options.into_iter().collect(),
        ..Start::default()
    };
    Ok(driver.start(&start).await?)
}

fn schema() -> Result<arrow::datatypes::SchemaRef> {
    Ok(parse_ddl("t timestamp, k bigint")?)
}

fn rows(keys: &[i64], time: impl Fn(i64) -> i64) -> Result<RecordBatch> {
    let times = TimestampMicrosecondArray::from_iter_values(keys.iter().map(|&key| time(key)));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times.with_timezone("UTC")),
        Arc::new(Int64Array::from(keys.to_vec())),
    ];
    Ok(RecordBatch::try_new(schema()?, columns)?)
}
