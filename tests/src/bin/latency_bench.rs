//! How long a line takes from a socket to `foreach`: with the real-time trigger, the continuous one, and
//! the default one. Prints; passes nothing.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use acceptance::frame::relation;
use anyhow::{Result, bail};
use arrow::array::{AsArray, RecordBatch};
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::Trigger;
use tidebook_engine::connect::proto::{
    Command, CreateDataFrameViewCommand, Read, Relation, WriteStreamOperationStart, read,
};
use tidebook_engine::{CommandOutput, Error, ForeachWriter, Session};

const PER_SECOND: usize = 200;
const LINES: usize = 4_000;
/// Not counted.
const WARM_UP: usize = 400;
/// What is asked of the lines, its output mode, and the query.
const QUERIES: [(&str, &str, &str); 2] = [
    (
        "filter",
        "append",
        "SELECT value FROM lines WHERE value > '0'",
    ),
    (
        "count by key",
        "update",
        "SELECT max(value) AS value FROM lines GROUP BY substr(value, -2)",
    ),
];

#[tokio::main]
async fn main() -> Result<()> {
    println!(
        "socket to foreach, {PER_SECOND} lines/s, {LINES} lines, the first {WARM_UP} not counted"
    );
    for (what, mode, query) in QUERIES {
        let real_time = Trigger::RealTimeBatchDuration("1 second".to_owned());
        measured(what, mode, query, "real-time", Some(real_time)).await?;
        if mode == "append" {
            let continuous = Trigger::ContinuousCheckpointInterval("1 second".to_owned());
            measured(what, mode, query, "continuous", Some(continuous)).await?;
        }
        measured(what, mode, query, "default trigger", None).await?;
    }
    Ok(())
}

async fn measured(
    what: &str,
    mode: &str,
    query: &str,
    name: &str,
    trigger: Option<Trigger>,
) -> Result<()> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let port = server.local_addr()?.port();
    let session = Session::new()?;
    let view = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
        input: Some(lines(port)),
        name: "lines".to_owned(),
        is_global: false,
        replace: true,
    });
    execute(&session, view).await?;
    let latencies: Arc<Mutex<Vec<u64>>> = Arc::default();
    let noted = Arc::clone(&latencies);
    let make = move || Box::new(Clock(Arc::clone(&noted))) as Box<dyn ForeachWriter>;
    session.register_foreach("clock", Arc::new(make));
    let folder = tempfile::TempDir::with_prefix("latency-bench-")?;
    let options = [
        ("callback", "clock".to_owned()),
        ("checkpointLocation", folder.path().display().to_string()),
    ];
    let start = WriteStreamOperationStart {
        input: Some(relation(&[query.to_owned()])?),
        format: "foreach".to_owned(),
        output_mode: mode.to_owned(),
        options: options.map(|(key, value)| (key.to_owned(), value)).into(),
        trigger,
        ..WriteStreamOperationStart::default()
    };
    let CommandOutput::Query(query) =
        execute(&session, CommandType::WriteStreamOperationStart(start)).await?
    else {
        bail!("a query is started");
    };
    // The server stays connected until all has been read.
    let sending = tokio::task::spawn_blocking(move || send_times(&server));
    let _connection = sending.await??;
    query.process_all_available().await?;
    query.stop().await?;
    let batches = query.last_progress().map_or(0, |last| last.batch_id + 1);
    let mut times = latencies
        .lock()
        .map_err(|_| anyhow::anyhow!("poisoned"))?
        .clone();
    let counted = times.len();
    times.drain(..WARM_UP.min(counted));
    times.sort_unstable();
    let at = |share: f64| {
        let index = times.len().saturating_sub(1) as f64 * share;
        times
            .get(index as usize)
            .map_or(0.0, |micros| *micros as f64 / 1e3)
    };
    println!(
        "  {what:<13} {name:<16} p50 {:>7.2} ms  p99 {:>7.2} ms  max {:>7.2} ms  ({counted} lines, {batches} batches)",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

async fn execute(session: &Session, command: CommandType) -> Result<CommandOutput> {
    let command = Command {
        command_type: Some(command),
    };
    Ok(session.execute(&command).await?)
}

fn lines(port: u16) -> Relation {
    let options = [("host", "127.0.0.1".to_owned()), ("port", port.to_string())];
    let options: HashMap<_, _> = options.map(|(key, value)| (key.to_owned(), value)).into();
    Relation {
        common: None,
        rel_type: Some(RelType::Read(Read {
            is_streaming: true,
            read_type: Some(read::ReadType::DataSource(read::DataSource {
                format: Some("socket".to_owned()),
                options,
                ..read::DataSource::default()
            })),
        })),
    }
}

fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}

/// Sends the time to the first who asks, so many times a second.
fn send_times(server: &TcpListener) -> Result<std::net::TcpStream> {
    let (mut connection, _) = server.accept()?;
    connection.set_nodelay(true)?;
    let started = Instant::now();
    for line in 0..LINES {
        let due = Duration::from_secs_f64(line as f64 / PER_SECOND as f64);
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        connection.write_all(format!("{}\n", micros()).as_bytes())?;
    }
    Ok(connection)
}

/// Notes how old each row is.
struct Clock(Arc<Mutex<Vec<u64>>>);

impl ForeachWriter for Clock {
    fn open(&mut self, _: i64, _: i64) -> tidebook_engine::Result<bool> {
        Ok(true)
    }

    fn process(&mut self, rows: &RecordBatch, row: usize) -> tidebook_engine::Result<()> {
        let sent = rows.columns().first().and_then(|column| {
            let texts = column.as_string_opt::<i32>()?;
            texts.value(row).parse::<u64>().ok()
        });
        let sent = sent.ok_or_else(|| Error::runtime("a row is not a time"))?;
        if let Ok(mut latencies) = self.0.lock() {
            latencies.push(micros().saturating_sub(sent));
        }
        Ok(())
    }

    fn close(&mut self, _: Option<&Error>) {}
}
