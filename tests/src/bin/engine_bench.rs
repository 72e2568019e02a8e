//! The engine's figures: windowed counts over JSON files beside DataFusion's own batch query over
//! the same files, and what a trigger of a small stateful batch costs. Prints; passes nothing.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use acceptance::action::SourceArgs;
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::relation;
use anyhow::Result;
use datafusion::functions::datetime::date_bin;
use datafusion::functions_aggregate::expr_fn::{avg, count, max};
use datafusion::prelude::{JsonReadOptions, SessionConfig, SessionContext, col, lit};
use datafusion::scalar::ScalarValue;
use tidebook_engine::Session;
use tidebook_engine::connect::proto::Relation;

const ROWS: usize = 2_000_000;
const FILES: usize = 16;
const KEYS: u64 = 10_000;
const RUNS: usize = 3;
const TRIGGERS: usize = 1_000;
const PLANS: usize = 10;
/// A file system in memory, on Linux.
const MEMORY: &str = "/dev/shm";
const SCHEMA: &str = "t timestamp, k bigint, v bigint";

#[tokio::main]
async fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let large = directory.path().join("large");
    let bytes = write_events(&large, FILES, ROWS / FILES)?;
    println!(
        "windowed counts: {ROWS} rows, {FILES} files, {} MB, {KEYS} keys x 10 s windows, best of {RUNS} in turn",
        bytes / 1_000_000
    );
    let (mut stream, mut batch) = (f64::MAX, f64::MAX);
    for _ in 0..RUNS {
        stream = stream.min(streaming(&large, FILES / 4, None).await?);
        batch = batch.min(datafusion_batch(&large).await?);
    }
    println!(
        "  streaming, 4 batches     {:>10.0} rows/s",
        ROWS as f64 / stream
    );
    println!(
        "  DataFusion batch query   {:>10.0} rows/s",
        ROWS as f64 / batch
    );
    println!("  ratio streaming / batch  {:>10.2}", batch / stream);

    let small = directory.path().join("small");
    write_events(&small, TRIGGERS, 10)?;
    println!("small batches: {TRIGGERS} triggers of 10 rows into a windowed count, without fsync");
    per_trigger("checkpoint on disk", &small, directory.path()).await?;
    // What is left is the engine's own: a busy file system can cost more than the work of a trigger.
    if let Ok(memory) = tempfile::tempdir_in(MEMORY) {
        per_trigger("checkpoint in memory", &small, memory.path()).await?;
    }
    planning().await
}

/// What analysing a query costs, without running it: once the length of a chain is doubled, to see that
/// it costs twice as much.
async fn planning() -> Result<()> {
    let driver = EngineDriver::new(false)?;
    let session = driver.session();
    let columns: Vec<String> = (0..20).map(|at| format!("id + {at} AS c{at}")).collect();
    let view = format!(
        "CREATE TEMPORARY VIEW wide AS SELECT {} FROM range(10)",
        columns.join(", ")
    );
    session.sql(&view).await?;
    let columns: Vec<String> = (0..20).map(|at| format!("c{at} * 2 AS d{at}")).collect();
    let select = format!(
        "SELECT {}, sum(c1) OVER (PARTITION BY c2 ORDER BY c3) AS total FROM wide WHERE c4 > 1",
        columns.join(", ")
    );
    println!("planning, best of {PLANS}");
    let select = relation(&[select])?;
    println!(
        "  20 columns and a window  {:>10.2} ms",
        planned(session, &select).await?
    );
    for length in [100, 200] {
        let mut chain = vec!["from wide".to_owned()];
        chain.extend((0..length).map(|at| format!("| with n{at} = c0 + {at}")));
        let chain = relation(&[chain.join(" ")])?;
        let ms = planned(session, &chain).await?;
        println!("  {length} chained withColumn   {ms:>10.2} ms");
    }
    Ok(())
}

/// Milliseconds until the schema of a relation is known.
async fn planned(session: &Session, relation: &Relation) -> Result<f64> {
    let mut best = f64::MAX;
    for _ in 0..PLANS {
        let started = Instant::now();
        session.schema(relation).await?;
        best = best.min(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(best)
}

async fn per_trigger(what: &str, input: &Path, folder: &Path) -> Result<()> {
    let checkpoint = folder.join("checkpoint");
    let seconds = streaming(input, 1, Some(&checkpoint)).await?;
    let milliseconds = seconds * 1e3 / TRIGGERS as f64;
    println!("  {what:<20}     {milliseconds:>10.2} ms per trigger");
    Ok(())
}

/// Events whose times move on through the files, as NDJSON; returns the bytes written.
fn write_events(directory: &Path, files: usize, rows: usize) -> Result<u64> {
    fs::create_dir_all(directory)?;
    let mut bytes = 0;
    let mut seed = 42_u64;
    for file in 0..files {
        let mut text = Vec::with_capacity(rows * 64);
        for row in 0..rows {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let second = (file * 60 + row * 60 / rows) % 86_400;
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            writeln!(
                text,
                "{{\"t\":\"2024-01-01T{hour:02}:{minute:02}:{second:02}Z\",\"k\":{},\"v\":{}}}",
                (seed >> 33) % KEYS,
                (seed >> 40) % 1000
            )?;
        }
        bytes += text.len() as u64;
        fs::write(directory.join(format!("{file:05}.json")), text)?;
    }
    Ok(bytes)
}

/// Seconds from the start of a query over all files to its end.
async fn streaming(input: &Path, files_per_batch: usize, checkpoint: Option<&Path>) -> Result<f64> {
    let driver = EngineDriver::new(false)?;
    let source = SourceArgs {
        name: "events".to_owned(),
        schema: SCHEMA.to_owned(),
        watermark: Some(("t".to_owned(), "10 seconds".to_owned())),
        options: [("maxFilesPerTrigger".to_owned(), files_per_batch.to_string())].into(),
        ..SourceArgs::default()
    };
    driver.create_source(&source, input, true).await?;
    let sql = "SELECT window(t, '10 seconds') AS w, k, count(*) AS n, max(v) AS top, avg(v) AS mean \
        FROM events GROUP BY window(t, '10 seconds'), k";
    let started = Instant::now();
    let query = driver
        .start(&Start {
            relation: relation(&[sql.to_owned()])?,
            mode: "update".to_owned(),
            trigger: Some("available-now".to_owned()),
            sink: Some("noop".to_owned()),
            options: checkpoint
                .map(|path| ("checkpointLocation".to_owned(), path.display().to_string()))
                .into_iter()
                .collect(),
            ..Start::default()
        })
        .await?;
    query.await_termination(None).await?;
    Ok(started.elapsed().as_secs_f64())
}

/// Seconds of the same aggregation as one batch query of DataFusion over the same files.
async fn datafusion_batch(input: &Path) -> Result<f64> {
    let context = SessionContext::new_with_config(SessionConfig::new());
    let schema = tidebook_engine::parse_ddl(SCHEMA)?;
    let options = JsonReadOptions::default()
        .schema(&schema)
        .file_extension(".json");
    let ten_seconds = lit(ScalarValue::new_interval_mdn(0, 0, 10_000_000_000));
    let started = Instant::now();
    let events = context.read_json(input.display().to_string(), options);
    let counts = events.await?.aggregate(
        vec![
            date_bin().call(vec![ten_seconds, col("t")]).alias("w"),
            col("k"),
        ],
        vec![
            count(lit(1)).alias("n"),
            max(col("v")).alias("top"),
            avg(col("v")).alias("mean"),
        ],
    )?;
    let rows = counts.collect().await?;
    let seconds = started.elapsed().as_secs_f64();
    anyhow::ensure!(
        rows.iter().any(|rows| rows.num_rows() > 0),
        "the batch query gave no rows"
    );
    Ok(seconds)
}
