//! Files: Parquet in and Parquet out beside DataFusion's own copy of the same files, and a folder
//! of many small files, listed and tracked: a hundred thousand, or as many as `SMALL_FILES` says.
//! Prints; passes nothing.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, bail};
use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::{SinkDestination, Trigger};
use tidebook_engine::connect::proto::{Command, Read, Relation, WriteStreamOperationStart, read};
use tidebook_engine::{CommandOutput, Session};

const ROWS: usize = 8_000_000;
const FILES: usize = 8;
const RUNS: usize = 3;
const SCHEMA: &str = "id bigint, k bigint, v double, s string";

#[tokio::main]
async fn main() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let input = root.join("in");
    write_rows(&input).await?;
    println!("Parquet in, Parquet out: {ROWS} rows, {FILES} files, best of {RUNS} in turn");
    let (mut stream, mut copy) = (f64::MAX, f64::MAX);
    for run in 0..RUNS {
        let out = root.join(format!("stream-{run}"));
        let checkpoint = root.join(format!("checkpoint-{run}"));
        let source = source("parquet", SCHEMA, &input, &[]);
        stream = stream.min(seconds(source, "parquet", &out, &checkpoint).await?);
        fs::remove_dir_all(&out)?;
        let out = root.join(format!("copy-{run}"));
        copy = copy.min(datafusion_copy(&input, &out).await?);
        fs::remove_dir_all(&out)?;
    }
    println!(
        "  streaming, 1 batch       {:>10.0} rows/s",
        ROWS as f64 / stream
    );
    println!(
        "  DataFusion copy          {:>10.0} rows/s",
        ROWS as f64 / copy
    );
    println!("  ratio streaming / copy   {:>10.2}", copy / stream);

    let small_files: usize = match std::env::var("SMALL_FILES") {
        Ok(count) => count.parse()?,
        Err(_) => 100_000,
    };
    let small = root.join("small");
    fs::create_dir_all(&small)?;
    for file in 0..small_files {
        fs::write(
            small.join(format!("{file:07}.json")),
            format!("{{\"id\":{file}}}\n"),
        )?;
    }
    println!("small files: {small_files} of one row in one folder, 10000 a batch");
    let checkpoint = root.join("small-checkpoint");
    let options = [("maxFilesPerTrigger", "10000")];
    let source = || source("json", "id bigint", &small, &options);
    let before = resident_mb();
    let first = seconds(source(), "noop", &small, &checkpoint).await?;
    let memory = resident_mb() - before;
    fs::write(small.join("one-more.json"), "{\"id\":-1}\n")?;
    let again = seconds(source(), "noop", &small, &checkpoint).await?;
    println!("  all read                 {first:>10.2} s");
    println!("  one more, after a restart{again:>10.2} s");
    println!("  memory grown by          {memory:>10} MB");
    Ok(())
}

async fn write_rows(directory: &Path) -> Result<()> {
    let rows = ROWS / FILES;
    let context = SessionContext::new();
    for file in 0..FILES {
        let ids = (file * rows) as i64..((file + 1) * rows) as i64;
        let columns: [(&str, ArrayRef); 4] = [
            ("id", Arc::new(Int64Array::from_iter_values(ids.clone()))),
            (
                "k",
                Arc::new(Int64Array::from_iter_values(
                    ids.clone().map(|id| id * 7919 % 10_000),
                )),
            ),
            (
                "v",
                Arc::new(Float64Array::from_iter_values(
                    ids.clone().map(|id| id as f64 / 3.0),
                )),
            ),
            (
                "s",
                Arc::new(StringArray::from_iter_values(
                    ids.map(|id| format!("user {}", id % 1000)),
                )),
            ),
        ];
        let batch = RecordBatch::try_from_iter(columns)?;
        let path = directory.join(format!("{file}.parquet"));
        let frame = context.read_batch(batch)?;
        let options = DataFrameWriteOptions::new().with_single_file_output(true);
        frame
            .write_parquet(&path.display().to_string(), options, None)
            .await?;
    }
    Ok(())
}

async fn datafusion_copy(input: &Path, out: &Path) -> Result<f64> {
    let context = SessionContext::new_with_config(SessionConfig::new());
    let started = Instant::now();
    let path = input.display().to_string();
    let frame = context
        .read_parquet(path, ParquetReadOptions::default())
        .await?;
    let out = format!("{}/", out.display());
    frame
        .write_parquet(&out, DataFrameWriteOptions::new(), None)
        .await?;
    Ok(started.elapsed().as_secs_f64())
}

fn source(format: &str, schema: &str, path: &Path, options: &[(&str, &str)]) -> Relation {
    Relation {
        common: None,
        rel_type: Some(RelType::Read(Read {
            is_streaming: true,
            read_type: Some(read::ReadType::DataSource(read::DataSource {
                format: Some(format.to_owned()),
                schema: Some(schema.to_owned()),
                options: map(options),
                paths: vec![path.display().to_string()],
                ..Default::default()
            })),
        })),
    }
}

fn map(options: &[(&str, &str)]) -> HashMap<String, String> {
    let options = options.iter();
    options
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Seconds from the start of a query over all there is to its end.
async fn seconds(input: Relation, sink: &str, path: &Path, checkpoint: &Path) -> Result<f64> {
    let session = Session::new()?;
    let checkpoint = checkpoint.display().to_string();
    let start = WriteStreamOperationStart {
        input: Some(input),
        format: sink.to_owned(),
        options: map(&[("checkpointLocation", &checkpoint)]),
        output_mode: "append".to_owned(),
        trigger: Some(Trigger::AvailableNow(true)),
        sink_destination: (sink != "noop")
            .then(|| SinkDestination::Path(path.display().to_string())),
        ..Default::default()
    };
    let command = Command {
        command_type: Some(CommandType::WriteStreamOperationStart(start)),
    };
    let started = Instant::now();
    let CommandOutput::Query(query) = session.execute(&command).await? else {
        bail!("a started query is a query")
    };
    query.await_termination(None).await?;
    Ok(started.elapsed().as_secs_f64())
}

/// What the process holds, on Linux.
fn resident_mb() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<i64>().ok());
    kb.unwrap_or_default() / 1024
}
