//! Runs the queries that come in, one a line as JSON, over files of JSON, and answers each with its speed as a
//! stream and as a batch query. `tests/stateful_bench.py` asks, and holds Spark's answers beside ours.
//!
//! In: `{"sources": ["NAME(schema) watermark … path …"], "query": "from NAME | …", "mode": "append", "rows": N}`.
//! Out, in rows a second: `{"total": …, "steady": …, "batch": …}`; `steady` leaves out the first batch.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use acceptance::action::{Action, SourceArgs};
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::relation;
use acceptance::script::Step;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tidebook_engine::StreamingQueryProgress;

#[tokio::main]
async fn main() -> Result<()> {
    let mut output = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let rows = asked.get("rows").and_then(Value::as_f64);
        let rows = rows.context("rows")?;
        let (seconds, steady) = stream(&asked).await?;
        let batch = rows / batch(&asked).await?;
        let answer = json!({"total": rows / seconds, "steady": steady, "batch": batch});
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// Seconds from start to end, and rows a second of the batches after the first.
async fn stream(asked: &Value) -> Result<(f64, f64)> {
    let driver = EngineDriver::new(false)?;
    create(&driver, asked, true).await?;
    let checkpoint = tempfile::tempdir()?;
    let folder = checkpoint.path().display().to_string();
    let start = Start {
        relation: relation(&[text(&asked["query"])?])?,
        mode: text(&asked["mode"])?,
        trigger: Some("available-now".to_owned()),
        sink: Some("noop".to_owned()),
        options: [("checkpointLocation".to_owned(), folder)].into(),
        ..Start::default()
    };
    let started = Instant::now();
    let query = driver.start(&start).await?;
    query.await_termination(None).await?;
    let seconds = started.elapsed().as_secs_f64();
    Ok((seconds, steady(&query.recent_progress())))
}

/// Later batches pay neither for the start nor for what is compiled or planned only once.
fn steady(progress: &[StreamingQueryProgress]) -> f64 {
    let with_rows = progress.iter().filter(|batch| batch.num_input_rows > 0);
    let (mut rows, mut milliseconds) = (0.0, 0.0);
    for batch in with_rows.skip(1) {
        rows += batch.num_input_rows as f64;
        let took = batch.duration_ms.get("triggerExecution");
        milliseconds += took.copied().unwrap_or_default().max(1) as f64;
    }
    rows / milliseconds * 1e3
}

/// Seconds of the same query over the same files as one batch.
async fn batch(asked: &Value) -> Result<f64> {
    let driver = EngineDriver::new(false)?;
    create(&driver, asked, false).await?;
    let relation = relation(&[text(&asked["query"])?])?;
    let started = Instant::now();
    let rows = driver.session().collect(&relation).await?;
    let seconds = started.elapsed().as_secs_f64();
    if rows.num_rows() == 0 {
        bail!("the batch query gave no rows");
    }
    Ok(seconds)
}

async fn create(driver: &EngineDriver, asked: &Value, is_streaming: bool) -> Result<()> {
    for line in asked["sources"].as_array().context("sources")? {
        let mut source = source(&text(line)?)?;
        if !is_streaming {
            // How much a batch takes is nothing to a table.
            source.options.remove("maxFilesPerTrigger");
        }
        let path = source.path.clone().context("a source needs a path")?;
        let path = Path::new(&path);
        driver.create_source(&source, path, is_streaming).await?;
    }
    Ok(())
}

/// A source as scripts write it.
fn source(line: &str) -> Result<SourceArgs> {
    let step = Step {
        verb: "source".to_owned(),
        args: line.to_owned(),
        ..Step::default()
    };
    match Action::of(&step, "")? {
        Action::Source(source) => Ok(source),
        other => bail!("not a source: {other:?}"),
    }
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().context("a text")?.to_owned())
}
