//! Memory over time: millions of rows through a windowed count, a line of figures. Prints; passes
//! nothing.
//!
//! `soak [ROWS]`, 50 million by default.

use std::time::Instant;

use acceptance::action::SourceArgs;
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::relation;
use anyhow::{Context, Result};
use tidebook_engine::StreamingQuery;

const ROWS: i64 = 50_000_000;
const ROWS_PER_BATCH: i64 = 100_000;
/// So many figures stand in the line.
const FIGURES: i64 = 20;
const SQL: &str = "SELECT window(timestamp, '10 seconds') AS w, value % 10000 AS k, count(*) AS n, max(value) AS top, avg(value) AS mean \
    FROM numbers GROUP BY window(timestamp, '10 seconds'), value % 10000";

#[tokio::main]
async fn main() -> Result<()> {
    let rows = match std::env::args().nth(1) {
        Some(rows) => rows.parse().context("soak [ROWS]")?,
        None => ROWS,
    };
    let folder = tempfile::tempdir()?;
    let driver = EngineDriver::new(false)?;
    let option = |name: &str, value: String| (name.to_owned(), value);
    let source = SourceArgs {
        name: "numbers".to_owned(),
        format: Some("rate-micro-batch".to_owned()),
        watermark: Some(("timestamp".to_owned(), "20 seconds".to_owned())),
        options: [
            option("rowsPerBatch", ROWS_PER_BATCH.to_string()),
            option("startTimestamp", "1704067200000".to_owned()),
        ]
        .into(),
        ..SourceArgs::default()
    };
    driver.create_source(&source, folder.path(), true).await?;
    let started = Instant::now();
    let query = driver
        .start(&Start {
            relation: relation(&[SQL.to_owned()])?,
            mode: "append".to_owned(),
            sink: Some("noop".to_owned()),
            options: [
                option("checkpointLocation", folder.path().display().to_string()),
                option("stopAfterRows", rows.to_string()),
            ]
            .into(),
            ..Start::default()
        })
        .await?;
    let memory = follow(&query, rows).await?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "soak: {} million rows, windowed counts of 10 000 keys x 10 s, {:.0} s, {:.0} rows/s",
        rows / 1_000_000,
        seconds,
        rows as f64 / seconds
    );
    let figures: Vec<String> = memory.iter().map(u64::to_string).collect();
    println!(
        "  memory (MiB) at every {} million rows: {}",
        rows as f64 / FIGURES as f64 / 1e6,
        figures.join(" ")
    );
    if let Some(progress) = query.last_progress() {
        let state = progress
            .state_operators
            .first()
            .map_or(0, |state| state.num_rows_total);
        println!("  rows of state at the end: {state}");
    }
    Ok(())
}

/// Resident mebibytes each time another part of the rows has gone through.
async fn follow(query: &StreamingQuery, rows: i64) -> Result<Vec<u64>> {
    let mut memory = Vec::new();
    let mut changes = query.watch();
    while query.is_active() {
        let done = query
            .last_progress()
            .map_or(0, |progress| (progress.batch_id + 1) * ROWS_PER_BATCH);
        if done > 0 && done * FIGURES / rows > memory.len() as i64 {
            memory.push(resident()?);
        }
        if changes.changed().await.is_err() {
            break;
        }
    }
    query.await_termination(None).await?;
    Ok(memory)
}

fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kilobytes.context("no memory in /proc")?.parse::<u64>()? / 1024)
}
