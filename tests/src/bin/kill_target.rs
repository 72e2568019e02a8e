//! The process that the kill test kills: two checkpointed queries that write Parquet, one with
//! state and one without, over the same NDJSON files.
//!
//! `kill_target INPUT WORK` reads `INPUT`, writes `WORK/windows` and `WORK/rows`, prints a line
//! per batch and ends when everything is processed.

use std::path::{Path, PathBuf};

use acceptance::action::SourceArgs;
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::relation;
use anyhow::{Context, Result};
use tidebook_engine::StreamingQuery;

const WINDOWS: &str = "SELECT window.start AS start, k, count(*) AS n, sum(v) AS total, max(id) AS last \
    FROM events GROUP BY window(t, '10 seconds'), k";
const ROWS: &str = "SELECT id, k, v * 2 AS twice FROM events WHERE v % 7 <> 0";

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).map(PathBuf::from);
    let input = args.next().context("kill_target INPUT WORK")?;
    let work = args.next().context("kill_target INPUT WORK")?;
    let driver = EngineDriver::new(false)?;
    let source = SourceArgs {
        name: "events".to_owned(),
        schema: "id bigint, t timestamp, k string, v bigint".to_owned(),
        watermark: Some(("t".to_owned(), "10 seconds".to_owned())),
        ..SourceArgs::default()
    };
    driver.create_source(&source, &input, true).await?;
    let windows = start(&driver, &work, "windows", WINDOWS).await?;
    let rows = start(&driver, &work, "rows", ROWS).await?;
    let (windows, rows) = tokio::join!(follow(windows), follow(rows));
    windows.and(rows)
}

async fn start(
    driver: &EngineDriver,
    work: &Path,
    name: &str,
    sql: &str,
) -> Result<StreamingQuery> {
    let checkpoint = work.join(format!("checkpoint-{name}"));
    let query = driver
        .start(&Start {
            relation: relation(&[sql.to_owned()])?,
            mode: "append".to_owned(),
            trigger: Some("available-now".to_owned()),
            sink: Some("parquet".to_owned()),
            name: Some(name.to_owned()),
            path: Some(work.join(name).display().to_string()),
            options: [(
                "checkpointLocation".to_owned(),
                checkpoint.display().to_string(),
            )]
            .into(),
        })
        .await?;
    Ok(query)
}

/// Prints a line for every batch until the query ends.
async fn follow(query: StreamingQuery) -> Result<()> {
    let mut changes = query.watch();
    let mut last = -1;
    while query.is_active() {
        if let Some(progress) = query.last_progress()
            && progress.batch_id > last
        {
            last = progress.batch_id;
            println!("{} {last}", query.name().unwrap_or_default());
        }
        if changes.changed().await.is_err() {
            break;
        }
    }
    query.await_termination(None).await?;
    Ok(())
}
