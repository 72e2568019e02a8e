//! The process that the fault tests kill, starve and damage: one checkpointed query over NDJSON
//! files, which ends when everything is processed.
//!
//! `fault_target INPUT WORK SINK QUERY [kill|wait POINT BATCH]` reads `INPUT` and keeps its output in
//! `WORK/out`, or in a topic named as `WORK` if `SINK` is `kafka:HOST:PORT`, or `kafka-once:HOST:PORT` for
//! transactions, and its checkpoint in `WORK/checkpoint`. `QUERY` is `windows`, with state, or `rows`,
//! without. With `kill` it ends itself with SIGKILL when that batch has passed that point; with
//! `wait` it says `waiting` there and goes no further. An error is printed, and is exit status 1.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acceptance::action::SourceArgs;
use acceptance::cell::row_lines;
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::frame::relation;
use anyhow::{Context, Result, bail};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tidebook_engine::{Error, FaultHook, FaultPoint, ForeachWriter, Session};

const WINDOWS: &str = "SELECT window.start AS start, k, count(*) AS n, sum(v) AS total, max(id) AS last \
    FROM events GROUP BY window(t, '10 seconds'), k";
const ROWS: &str = "SELECT id, k, v * 2 AS twice FROM events WHERE v % 7 <> 0";
const FUNCTION: &str = "write";

#[tokio::main]
async fn main() {
    if let Err(error) = run().await {
        eprintln!("{error:#}");
        std::process::exit(1);
    }
}

async fn run() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [input, work, sink, query, fault @ ..] = &args[..] else {
        bail!("fault_target INPUT WORK SINK QUERY [kill|wait POINT BATCH]");
    };
    let work = PathBuf::from(work);
    let out = work.join("out");
    let driver = EngineDriver::of(Session::builder().fault_hook(hook(fault)?).build()?);
    let source = SourceArgs {
        name: "events".to_owned(),
        schema: "id bigint, t timestamp, k string, v bigint".to_owned(),
        watermark: Some(("t".to_owned(), "10 seconds".to_owned())),
        ..SourceArgs::default()
    };
    driver
        .create_source(&source, Path::new(input), true)
        .await?;
    let mut start = Start {
        relation: relation(&[sql(query, sink)])?,
        mode: "append".to_owned(),
        trigger: Some("available-now".to_owned()),
        sink: Some(format_of(sink).to_owned()),
        ..Start::default()
    };
    let checkpoint = work.join("checkpoint").display().to_string();
    let mut option = |name: &str, value: String| start.options.insert(name.to_owned(), value);
    option("checkpointLocation", checkpoint);
    match sink.as_str() {
        "foreachBatch" => {
            option("callback", FUNCTION.to_owned());
            fs::create_dir_all(&out)?;
            driver
                .session()
                .register_foreach_batch(FUNCTION, Arc::new(batch_files(out)));
        }
        "foreach" => {
            option("callback", FUNCTION.to_owned());
            fs::create_dir_all(&out)?;
            let make = move || -> Box<dyn ForeachWriter> { Box::new(RowFile::new(&out)) };
            driver.session().register_foreach(FUNCTION, Arc::new(make));
        }
        topic if format_of(topic) == "kafka" => {
            let (kind, address) = topic.split_once(':').context("kafka:HOST:PORT")?;
            let name = work.file_name().unwrap_or_default().to_string_lossy();
            option("kafka.bootstrap.servers", address.to_owned());
            option("topic", name.into_owned());
            option("exactlyOnce", (kind == "kafka-once").to_string());
        }
        "console" => {
            option("numRows", "1000000".to_owned());
            option("truncate", "false".to_owned());
            fs::create_dir_all(&out)?;
            driver
                .session()
                .set_console(Arc::new(move |_, text| append(&out.join("console"), &text)));
        }
        _ => start.path = Some(out.display().to_string()),
    }
    let query = driver.start(&start).await.map_err(told)?;
    query.await_termination(None).await.map_err(told)?;
    Ok(())
}

fn format_of(sink: &str) -> &str {
    match sink.starts_with("kafka") {
        true => "kafka",
        false => sink,
    }
}

/// Files of text and messages have one column.
fn sql(query: &str, sink: &str) -> String {
    let sql = match query {
        "windows" => WINDOWS,
        _ => ROWS,
    };
    match format_of(sink) {
        "text" | "kafka" => format!("SELECT to_json(struct(*)) AS value FROM ({sql})"),
        _ => sql.to_owned(),
    }
}

fn told(error: Error) -> anyhow::Error {
    anyhow::anyhow!("{error}")
}

/// Writes each batch to a file of its own, in place of what was there of the same batch.
fn batch_files(
    out: PathBuf,
) -> impl Fn(i64, SchemaRef, Vec<RecordBatch>) -> Result<(), Error> + Send + Sync {
    move |batch_id, _, batches| {
        let mut lines = Vec::new();
        for batch in &batches {
            lines.extend(row_lines(batch).map_err(|error| Error::internal(error.to_string()))?);
        }
        batch_file(&out, batch_id, &lines).map_err(|error| Error::io("write a batch", error))
    }
}

fn batch_file(out: &Path, batch_id: i64, lines: &[String]) -> std::io::Result<()> {
    let temporary = out.join(".batch");
    fs::write(&temporary, lines.join("\n"))?;
    fs::rename(&temporary, out.join(format!("batch-{batch_id}")))
}

/// Writes the rows of a batch to a file of its own, which has its name when all of them are there.
struct RowFile {
    out: PathBuf,
    batch_id: i64,
    lines: Vec<String>,
}

impl RowFile {
    fn new(out: &Path) -> Self {
        Self {
            out: out.to_owned(),
            batch_id: 0,
            lines: Vec::new(),
        }
    }
}

impl ForeachWriter for RowFile {
    fn open(&mut self, _: i64, epoch_id: i64) -> Result<bool, Error> {
        self.batch_id = epoch_id;
        Ok(true)
    }

    fn process(&mut self, rows: &RecordBatch, row: usize) -> Result<(), Error> {
        let line = row_lines(&rows.slice(row, 1));
        let line = line.map_err(|error| Error::internal(error.to_string()))?;
        self.lines.extend(line);
        Ok(())
    }

    fn close(&mut self, error: Option<&Error>) {
        if error.is_none()
            && let Err(error) = batch_file(&self.out, self.batch_id, &self.lines)
        {
            eprintln!("{error}");
            std::process::abort();
        }
    }
}

fn append(path: &Path, text: &str) {
    let opened = OpenOptions::new().create(true).append(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = written {
        eprintln!("{}: {error}", path.display());
    }
}

fn hook(fault: &[String]) -> Result<FaultHook> {
    let [what, point, batch] = fault else {
        return Ok(Arc::new(|_, _| Ok(())));
    };
    let named = |known: &FaultPoint| format!("{known:?}") == *point;
    let point = FaultPoint::ALL
        .into_iter()
        .find(named)
        .context("no such point")?;
    let batch: i64 = batch.parse()?;
    let waits = what == "wait";
    Ok(Arc::new(move |passed, batch_id| {
        if passed != point || batch_id != batch {
            return Ok(());
        }
        if waits {
            println!("waiting");
        } else {
            let own = rustix::process::getpid();
            let killed = rustix::process::kill_process(own, rustix::process::Signal::KILL);
            eprintln!("it lives: {killed:?}");
        }
        loop {
            std::thread::park();
        }
    }))
}
