//! Kafka's figures, on Apache Kafka's own broker: JSON read, parsed and counted in windows beside a
//! bare consumer of the same topic that only counts, and how long a record takes from one topic to
//! another. Prints; passes nothing.
//!
//! `kafka_bench [--spark PYTHON] [--messages N]`: with a Python that has PySpark, beside what Spark does
//! on the same topics.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use acceptance::engine_driver::EngineDriver;
use acceptance::frame::{of, relation, with_watermark};
use acceptance::kafka::{Kafka, Record};
use acceptance::real_broker::RealBroker;
use acceptance::spark::Spark;
use anyhow::{Context, Result, bail};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use serde_json::{Value, json};
use tempfile::TempDir;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{Read, Relation, read};

const MESSAGES: usize = 2_000_000;
const BYTES: usize = 200;
const PARTITIONS: i32 = 4;
const RUNS: usize = 3;
const KEYS: u64 = 10_000;
const PER_SECOND: usize = 5_000;
const SECONDS: usize = 20;
/// How long the sender of those waits for more before it sends.
const LINGER_MS: &str = "2";
/// How much of the beginning does not count.
const WARM_UP: usize = 5;

#[tokio::main]
async fn main() -> Result<()> {
    let (mut python, mut messages) = (None, MESSAGES);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words
            .next()
            .with_context(|| format!("{word} needs a word"))?;
        match word.as_str() {
            "--spark" => python = Some(value),
            "--messages" => messages = value.parse()?,
            _ => bail!("kafka_bench [--spark PYTHON] [--messages N]"),
        }
    }
    let broker = RealBroker::start()?;
    let kafka = Kafka::new(&broker.address())?;
    let spark = python.map(|python| Spark::start(&python, "kafka_bench.py", kafka.address()));
    let mut spark = spark.transpose()?;
    throughput(&kafka, messages, spark.as_mut()).await?;
    latency(&kafka, false).await?;
    latency(&kafka, true).await?;
    match &mut spark {
        Some(spark) => latency_of_spark(&kafka, spark),
        None => Ok(()),
    }
}

async fn throughput(kafka: &Kafka, messages: usize, mut spark: Option<&mut Spark>) -> Result<()> {
    kafka.create("events", PARTITIONS)?;
    produce_events(kafka, messages)?;
    println!(
        "Kafka in: {messages} messages of {BYTES} bytes, {PARTITIONS} partitions, {KEYS} keys x 10 s windows, best of {RUNS} in turn"
    );
    let (mut bare, mut parsed, mut read) = (f64::MAX, f64::MAX, f64::MAX);
    let mut theirs = f64::MAX;
    for _ in 0..RUNS {
        bare = bare.min(count_bare(kafka.address(), messages)?);
        let offsets = "SELECT offset FROM events WHERE offset < 0";
        read = read.min(engine(kafka, offsets, messages).await?);
        parsed = parsed.min(engine(kafka, WINDOWED, messages).await?);
        if let Some(spark) = spark.as_deref_mut() {
            let answer = spark.ask(&json!({"count": "events", "sql": WINDOWED}))?;
            let rows = answer.get("rows").and_then(Value::as_u64);
            let seconds = answer.get("seconds").and_then(Value::as_f64);
            anyhow::ensure!(rows == Some(messages as u64), "Spark has read {rows:?}");
            theirs = theirs.min(seconds.context("no time")?);
        }
    }
    let rate = |seconds: f64| messages as f64 / seconds;
    println!(
        "  bare consumer that counts {:>10.0} messages/s",
        rate(bare)
    );
    println!(
        "  query that reads offsets  {:>10.0} messages/s",
        rate(read)
    );
    println!(
        "  parsed and windowed       {:>10.0} messages/s",
        rate(parsed)
    );
    println!("  ratio parsed / bare       {:>10.2}", bare / parsed);
    if spark.is_some() {
        println!(
            "  Spark, parsed, windowed   {:>10.0} messages/s",
            rate(theirs)
        );
        println!("  ratio parsed / Spark      {:>10.1}", theirs / parsed);
    }
    Ok(())
}

const WINDOWED: &str = "SELECT window(data.t, '10 seconds') AS w, data.k AS k, count(*) AS n, max(data.v) AS top \
    FROM (SELECT from_json(CAST(value AS STRING), 't timestamp, k bigint, v bigint, pad string') AS data FROM events) \
    GROUP BY window(data.t, '10 seconds'), data.k";

fn produce_events(kafka: &Kafka, messages: usize) -> Result<()> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", kafka.address())
        .set("linger.ms", "50")
        .create()?;
    let mut seed = 42_u64;
    for n in 0..messages {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let second = n / 100_000;
        let mut text = format!(
            "{{\"t\":\"2024-01-01T00:{:02}:{:02}Z\",\"k\":{},\"v\":{},\"pad\":\"",
            second / 60,
            second % 60,
            (seed >> 33) % KEYS,
            (seed >> 40) % 1000
        );
        let pad = BYTES.saturating_sub(text.len() + 2);
        text.extend(std::iter::repeat_n('x', pad));
        text.push_str("\"}");
        let partition = n as i32 % PARTITIONS;
        let mut record = BaseRecord::<(), str>::to("events")
            .payload(&text)
            .partition(partition);
        while let Err((_, unsent)) = producer.send(record) {
            producer.poll(Duration::from_millis(5));
            record = unsent;
        }
    }
    Ok(producer.flush(Duration::from_secs(120))?)
}

/// Seconds that a consumer takes to count all messages.
fn count_bare(address: &str, messages: usize) -> Result<f64> {
    let started = Instant::now();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", "bare")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset("events", partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let (mut count, mut ended) = (0, 0);
    while ended < PARTITIONS {
        match consumer.poll(Duration::from_secs(10)) {
            Some(Ok(_)) => count += 1,
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => return Err(error.into()),
            None => bail!("nothing comes"),
        }
    }
    anyhow::ensure!(count == messages, "{count} messages");
    Ok(started.elapsed().as_secs_f64())
}

fn topic(kafka: &Kafka, topic: &str) -> Relation {
    let options = [
        ("kafka.bootstrap.servers", kafka.address()),
        ("subscribe", topic),
        ("startingOffsets", "earliest"),
    ];
    of(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some("kafka".to_owned()),
            options: owned(&options),
            ..read::DataSource::default()
        })),
    }))
}

fn owned(options: &[(&str, &str)]) -> HashMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    options.iter().map(owned).collect()
}

/// Seconds from the start of a query over all messages to its end.
async fn engine(kafka: &Kafka, sql: &str, messages: usize) -> Result<f64> {
    let driver = EngineDriver::new(false)?;
    let stream = with_watermark(topic(kafka, "events"), "timestamp", "10 seconds");
    driver.create_view("events", stream).await?;
    let started = Instant::now();
    let query = driver
        .start(&acceptance::engine_driver::Start {
            relation: relation(&[sql.to_owned()])?,
            mode: "update".to_owned(),
            trigger: Some("available-now".to_owned()),
            sink: Some("noop".to_owned()),
            ..acceptance::engine_driver::Start::default()
        })
        .await?;
    query.await_termination(None).await?;
    let rows: i64 = query
        .recent_progress()
        .iter()
        .map(|one| one.num_input_rows)
        .sum();
    anyhow::ensure!(rows == messages as i64, "{rows} messages");
    Ok(started.elapsed().as_secs_f64())
}

/// From the moment a record is sent to the moment it is read from the topic a query has written it to.
async fn latency(kafka: &Kafka, exactly_once: bool) -> Result<()> {
    let (input, output) = match exactly_once {
        false => ("from", "to"),
        true => ("from-once", "to-once"),
    };
    for topic in [input, output] {
        kafka.create(topic, 1)?;
    }
    let folder = TempDir::with_prefix("kafka-bench-")?;
    let driver = EngineDriver::new(false)?;
    driver.create_view("records", topic(kafka, input)).await?;
    let checkpoint = folder.path().display().to_string();
    let options = [
        ("kafka.bootstrap.servers", kafka.address()),
        ("topic", output),
        ("exactlyOnce", if exactly_once { "true" } else { "false" }),
        ("checkpointLocation", &checkpoint),
    ];
    let query = driver
        .start(&acceptance::engine_driver::Start {
            relation: relation(&["SELECT value FROM records".to_owned()])?,
            mode: "append".to_owned(),
            sink: Some("kafka".to_owned()),
            options: owned(&options).into_iter().collect(),
            ..acceptance::engine_driver::Start::default()
        })
        .await?;
    kafka.send(input, &[now_message()])?;
    query.process_all_available().await?;
    let reader = Reader::start(kafka.address(), output);
    let (address, input) = (kafka.address().to_owned(), input.to_owned());
    tokio::task::spawn_blocking(move || send_times(&address, &input)).await??;
    query.process_all_available().await?;
    let times = reader.stop()?;
    let batches = query.last_progress();
    let batches = batches.map_or(0, |progress| progress.batch_id);
    query.stop().await?;
    let kind = if exactly_once {
        "in transactions"
    } else {
        "at least once"
    };
    report(kind, batches, times);
    Ok(())
}

/// The same of a query of Spark's, with its default trigger.
fn latency_of_spark(kafka: &Kafka, spark: &mut Spark) -> Result<()> {
    for topic in ["from-spark", "to-spark"] {
        kafka.create(topic, 1)?;
    }
    kafka.send("from-spark", &[now_message()])?;
    spark.ask(&json!({"copy": "from-spark", "to": "to-spark"}))?;
    let reader = Reader::start(kafka.address(), "to-spark");
    send_times(kafka.address(), "from-spark")?;
    let answer = spark.ask(&json!({"stop": true}))?;
    let batches = answer.get("batches").and_then(Value::as_i64);
    let batches = batches.context("no batches")?;
    report("by Spark", batches, reader.stop()?);
    Ok(())
}

/// Reads times from a topic, on a thread of its own.
struct Reader {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<(u64, u64)>>>,
}

impl Reader {
    fn start(address: &str, topic: &str) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (address, topic, until) = (address.to_owned(), topic.to_owned(), Arc::clone(&done));
        let thread = std::thread::spawn(move || read_times(&address, &topic, &until));
        Self { done, thread }
    }

    /// What there was.
    fn stop(self) -> Result<Vec<(u64, u64)>> {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the reader panicked")?
    }
}

fn report(kind: &str, batches: i64, times: Vec<(u64, u64)>) {
    let first = times.first().map_or(0, |(sent, _)| *sent);
    let counted = times
        .iter()
        .filter(|(sent, _)| sent - first > WARM_UP as u64 * 1_000_000);
    let mut latencies: Vec<u64> = counted
        .map(|(sent, read)| read.saturating_sub(*sent))
        .collect();
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len().saturating_sub(1)) as f64 * share;
        latencies
            .get(index as usize)
            .map_or(0.0, |micros| *micros as f64 / 1e3)
    };
    println!(
        "Kafka to Kafka, {PER_SECOND} messages/s sent with a linger of {LINGER_MS} ms, {kind}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms ({} records, {batches} batches)",
        at(0.5),
        at(0.99),
        at(1.0),
        latencies.len()
    );
}

fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as u64)
}

fn now_message() -> Record {
    Record {
        value: Some(micros().to_string().into_bytes()),
        ..Record::default()
    }
}

/// Sends the time, so many times a second. Without some lingering, each would be a request of its own,
/// and the broker would be what is measured.
fn send_times(address: &str, topic: &str) -> Result<()> {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("linger.ms", LINGER_MS)
        .create()?;
    let started = Instant::now();
    let mut sent = 0;
    while sent < PER_SECOND * SECONDS {
        let due = (started.elapsed().as_secs_f64() * PER_SECOND as f64) as usize;
        while sent < due {
            let text = micros().to_string();
            let record = BaseRecord::<(), str>::to(topic).payload(&text);
            producer.send(record).map_err(|(error, _)| error)?;
            sent += 1;
        }
        producer.poll(Duration::from_micros(500));
    }
    Ok(producer.flush(Duration::from_secs(60))?)
}

/// Reads times, and when they were read.
fn read_times(address: &str, topic: &str, done: &AtomicBool) -> Result<Vec<(u64, u64)>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("group.id", format!("read-{topic}"))
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .create()?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning)?;
    consumer.assign(&list)?;
    let mut times = Vec::new();
    loop {
        match consumer.poll(Duration::from_millis(500)) {
            Some(message) => {
                let message = message?;
                let sent = message
                    .payload()
                    .and_then(|value| std::str::from_utf8(value).ok());
                let sent = sent.and_then(|text| text.parse().ok());
                times.push((sent.context("not a time")?, micros()));
            }
            None if done.load(Ordering::Relaxed) => return Ok(times),
            None => {}
        }
    }
}
