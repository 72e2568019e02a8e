//! One leg of a query that Spark and this engine run in turn over one checkpoint.
//!
//! `continue_query FORMAT SCHEMA SQL SINK OUT CHECKPOINT [KEY=VALUE]…` reads a stream `events` of that
//! format, with these columns (empty: its own) and options, `path` among them, writes what the SQL
//! gives to files and ends when everything is processed. An error is printed, and is exit status 1.

use std::path::PathBuf;

use acceptance::action::SourceArgs;
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::relation;
use anyhow::{Context, Result, anyhow, bail};
use tidebook_engine::Error;

#[tokio::main]
async fn main() {
    if let Err(error) = run().await {
        eprintln!("{error:#}");
        std::process::exit(1);
    }
}

async fn run() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [format, schema, sql, sink, out, checkpoint, options @ ..] = &args[..] else {
        bail!("continue_query FORMAT SCHEMA SQL SINK OUT CHECKPOINT [KEY=VALUE]…");
    };
    let mut source = SourceArgs {
        name: "events".to_owned(),
        schema: schema.clone(),
        format: Some(format.clone()),
        ..SourceArgs::default()
    };
    for option in options {
        let (key, value) = option.split_once('=').context("KEY=VALUE")?;
        match key {
            "path" => source.path = Some(value.to_owned()),
            "watermark" => source.watermark = value.split_once(' ').map(owned),
            _ => drop(source.options.insert(key.to_owned(), value.to_owned())),
        }
    }
    let path = PathBuf::from(source.path.clone().unwrap_or_default());
    let driver = EngineDriver::new(false)?;
    driver
        .create_source(&source, &path, true)
        .await
        .map_err(told)?;
    let start = Start {
        relation: relation(std::slice::from_ref(sql))?,
        mode: "append".to_owned(),
        trigger: Some("available-now".to_owned()),
        sink: Some(sink.clone()),
        path: Some(out.clone()),
        options: [("checkpointLocation".to_owned(), checkpoint.clone())].into(),
        ..Start::default()
    };
    let query = driver.start(&start).await.map_err(told)?;
    query.await_termination(None).await.map_err(told)?;
    Ok(())
}

fn owned((column, delay): (&str, &str)) -> (String, String) {
    (column.to_owned(), delay.to_owned())
}

fn told(error: Error) -> anyhow::Error {
    anyhow!("{error}")
}
