//! Random rows, split at random into files, with restarts at random: what the stream comes to is
//! what a batch query over the same files answers.
//!
//! `CASES=200 SEED=… cargo test --release --test acceptance batch_equals_stream`.

use std::collections::BTreeMap;

use acceptance::action::SourceArgs;
use acceptance::compare::same_lines;
use acceptance::engine_driver::{EngineDriver, Start};
use acceptance::feeder::Feeder;
use acceptance::frame::relation;
use acceptance::seeded::Seeded;
use tempfile::TempDir;

const SCHEMA: &str = "t timestamp, k string, b boolean, v int, d double";

/// A query on a stream and how its rows come to the batch answer.
struct Case {
    stream: &'static str,
    batch: &'static str,
    mode: &'static str,
    /// Of update rows, the last one of each key counts; the key is this many leading columns.
    keys: usize,
}

const CASES: &[Case] = &[
    Case {
        stream: "SELECT k, v FROM events WHERE v % 3 <> 0 OR b",
        batch: "SELECT k, v FROM batch WHERE v % 3 <> 0 OR b",
        mode: "append",
        keys: 0,
    },
    Case {
        stream: "SELECT count(*), count(v), sum(v), min(k), max(k), sum(d) FROM events",
        batch: "SELECT count(*), count(v), sum(v), min(k), max(k), sum(d) FROM batch",
        mode: "complete",
        keys: 0,
    },
    Case {
        stream: "SELECT k, b, count(*), sum(v), avg(v), min(d), max(d), avg(d) FROM events GROUP BY k, b",
        batch: "SELECT k, b, count(*), sum(v), avg(v), min(d), max(d), avg(d) FROM batch GROUP BY k, b",
        mode: "complete",
        keys: 0,
    },
    // Some variances lie exactly between two roundings and would fall to either side: hence the shift.
    Case {
        stream: "SELECT k, b, count(*), sum(v), avg(v), round(stddev(v) + 0.0000001234, 6), round(var_pop(d) + 0.0000001234, 6) FROM events GROUP BY k, b",
        batch: "SELECT k, b, count(*), sum(v), avg(v), round(stddev(v) + 0.0000001234, 6), round(var_pop(d) + 0.0000001234, 6) FROM batch GROUP BY k, b",
        mode: "update",
        keys: 2,
    },
    Case {
        stream: "SELECT window(t, '10 seconds'), k, count(*), sum(v), min(v), max(t) FROM events GROUP BY window(t, '10 seconds'), k",
        batch: "SELECT window(t, '10 seconds'), k, count(*), sum(v), min(v), max(t) FROM batch GROUP BY window(t, '10 seconds'), k",
        mode: "update",
        keys: 2,
    },
    Case {
        stream: "SELECT window(t, '30 seconds', '10 seconds'), count(*), sum(d) FROM events GROUP BY window(t, '30 seconds', '10 seconds')",
        batch: "SELECT window(t, '30 seconds', '10 seconds'), count(*), sum(d) FROM batch GROUP BY window(t, '30 seconds', '10 seconds')",
        mode: "complete",
        keys: 0,
    },
    // The watermark lets nothing be late; a last row far ahead closes all windows but its own.
    Case {
        stream: "SELECT window(t, '10 seconds'), k, count(*), sum(v) FROM patient GROUP BY window(t, '10 seconds'), k",
        batch: "SELECT window(t, '10 seconds'), k, count(*), sum(v) FROM batch WHERE t < TIMESTAMP '2024-01-02 00:00:00' GROUP BY window(t, '10 seconds'), k",
        mode: "append",
        keys: 0,
    },
    Case {
        stream: "from events | select k, b, v | dedup",
        batch: "SELECT DISTINCT k, b, v FROM batch",
        mode: "append",
        keys: 0,
    },
    Case {
        stream: "from patient | dedup k, t | select k, t",
        batch: "SELECT DISTINCT k, t FROM batch",
        mode: "append",
        keys: 0,
    },
    Case {
        stream: "SELECT k, count(*) FROM events GROUP BY k HAVING count(*) > 3",
        batch: "SELECT k, count(*) FROM batch GROUP BY k HAVING count(*) > 3",
        mode: "complete",
        keys: 0,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn the_streams_answer_is_the_batch_answer() {
    let rounds: u64 = std::env::var("CASES").map_or(12, |cases| cases.parse().expect("a number"));
    let seed = Seeded::seed_from_env();
    println!("SEED={seed} CASES={rounds}");
    let mut random = Seeded::new(seed);
    for round in 0..rounds {
        for case in CASES {
            check(case, &mut random, &format!("SEED={seed}, round {round}")).await;
        }
    }
}

async fn check(case: &Case, random: &mut Seeded, at: &str) {
    let folder = TempDir::with_prefix("property-").expect("a folder");
    let driver = EngineDriver::new(random.one_in(4)).expect("a session");
    let mut feeder = Feeder::new(folder.path());
    let path = feeder.add_source("events", SCHEMA, None).expect("a folder");
    let source = |name: &str, watermark: Option<(&str, &str)>| SourceArgs {
        name: name.to_owned(),
        schema: SCHEMA.to_owned(),
        watermark: watermark.map(|(column, delay)| (column.to_owned(), delay.to_owned())),
        ..SourceArgs::default()
    };
    for (name, watermark, streaming) in [
        ("events", None, true),
        ("patient", Some(("t", "1 hour")), true),
        ("batch", None, false),
    ] {
        let view = driver
            .create_source(&source(name, watermark), &path, streaming)
            .await;
        view.expect("a view");
    }
    let checkpoint = folder.path().join("checkpoint").display().to_string();
    let start = Start {
        relation: relation(&[case.stream.to_owned()]).expect("a query"),
        mode: case.mode.to_owned(),
        options: [("checkpointLocation".to_owned(), checkpoint)].into(),
        ..Start::default()
    };

    let files = 1 + random.below(8);
    let mut query = driver.start(&start).await.expect("a query that starts");
    for file in 0..=files {
        let text = if file < files {
            rows(random)
        } else {
            far_ahead()
        };
        feeder.add_file("events", &text).expect("a file");
        if random.one_in(3) && file < files {
            continue;
        }
        if random.one_in(3) {
            query.stop().await.expect("a query that stops");
            feeder.show().expect("files");
            query = driver
                .start(&start)
                .await
                .expect("a query that starts again");
        }
        feeder.show().expect("files");
        while let Err(error) = query.process_all_available().await {
            assert!(
                EngineDriver::was_killed(&error),
                "{at}: {}: {error}",
                case.stream
            );
            query = driver
                .start(&start)
                .await
                .expect("a query that starts again");
        }
    }
    query.stop().await.expect("a query that stops");

    let got = answer(case, driver.batches().expect("batches"));
    let mut wanted = driver
        .sql(case.batch)
        .await
        .expect("rows")
        .expect("a batch answer");
    wanted.sort();
    assert!(
        same_lines(&wanted, &got),
        "{at}: {} in {} mode\nbatch: {wanted:#?}\nstream: {got:#?}",
        case.stream,
        case.mode
    );
}

/// The rows of all batches as one answer.
fn answer(case: &Case, batches: BTreeMap<i64, Vec<String>>) -> Vec<String> {
    let mut rows: Vec<String> = match case.mode {
        "complete" => batches.into_values().next_back().unwrap_or_default(),
        "append" => batches.into_values().flatten().collect(),
        _ => {
            let mut last = BTreeMap::new();
            for row in batches.into_values().flatten() {
                let key: Vec<_> = row.split(' ').take(case.keys).map(str::to_owned).collect();
                last.insert(key, row);
            }
            last.into_values().collect()
        }
    };
    rows.sort();
    rows
}

fn rows(random: &mut Seeded) -> String {
    let mut text = String::new();
    // Now and then more than one core takes at once, and with many keys.
    let (rows, keys) = match random.one_in(12) {
        true => (6000 + random.below(2000), 500),
        false => (random.below(40), 5),
    };
    for _ in 0..rows {
        let seconds = random.below(120);
        let pairs = [
            (
                "t",
                format!("\"2024-01-01 12:{:02}:{:02}\"", seconds / 60, seconds % 60),
            ),
            ("k", format!("\"k{}\"", random.below(keys))),
            ("b", random.one_in(2).to_string()),
            ("v", (random.below(100) as i64 - 50).to_string()),
            // Quarters add up without rounding, in whatever order.
            ("d", format!("{:?}", random.below(100) as f64 / 4.0)),
        ];
        let present = pairs.into_iter().filter(|_| !random.one_in(12));
        let fields: Vec<_> = present
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        text.push_str(&format!("{{{}}}\n", fields.join(",")));
    }
    text
}

fn far_ahead() -> String {
    "{\"t\":\"2024-02-01 00:00:00\",\"k\":\"far\",\"b\":true,\"v\":1,\"d\":0.25}\n".to_owned()
}
