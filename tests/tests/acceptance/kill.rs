//! `kill -9` in the middle of checkpointed queries that write Parquet: after a restart the output,
//! read through `_spark_metadata`, is that of a run that nothing disturbed.
//!
//! `KILLS=20 cargo test --release --test acceptance kill -- --nocapture` kills twenty times;
//! `SEED=…` repeats a run's data and moments.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use acceptance::cell::row_lines;
use acceptance::feeder::Feeder;
use acceptance::seeded::Seeded;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use serde_json::Value;
use tempfile::TempDir;

const FILES: u64 = 100;
const LAST_FILES: u64 = 6;
const ROWS_PER_FILE: u64 = 150;
/// Every so manyth file is so large that it is read, and its state is changed, on all cores.
const LARGE_EVERY: u64 = 10;
const ROWS_PER_LARGE_FILE: u64 = 5_000;
const OUTPUTS: [&str; 2] = ["windows", "rows"];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_query_ends_with_the_output_of_an_undisturbed_one() {
    let kills: u64 = std::env::var("KILLS").map_or(3, |kills| kills.parse().expect("a number"));
    let seed = Seeded::seed_from_env();
    println!("SEED={seed} KILLS={kills}");
    let mut random = Seeded::new(seed);
    let folder = TempDir::with_prefix("kill-").expect("a folder");
    let input = write_input(folder.path(), &mut random);

    let undisturbed = folder.path().join("undisturbed");
    let lines = run_to_end(&input, &undisturbed);
    let mut wanted = Vec::new();
    for name in OUTPUTS {
        wanted.push(output(&undisturbed.join(name)).await);
    }
    assert!(
        wanted[0].len() > 100,
        "the windows query wrote {} rows",
        wanted[0].len()
    );
    assert!(
        wanted[1].len() > 1000,
        "the rows query wrote {} rows",
        wanted[1].len()
    );

    let mut done = 0;
    let mut round = 0;
    while done < kills {
        round += 1;
        let work = folder.path().join(format!("killed-{round}"));
        for _ in 0..=random.below(3) {
            let batches = random.below(lines as u64);
            let delay = Duration::from_micros(random.below(6000));
            if done < kills && killed_after(&input, &work, batches, delay) {
                done += 1;
                println!("kill {done}: after {batches} batches and {delay:?}");
            }
        }
        run_to_end(&input, &work);
        for (name, wanted) in OUTPUTS.iter().zip(&wanted) {
            let got = output(&work.join(name)).await;
            assert!(
                got == *wanted,
                "{name} differs after a kill (SEED={seed}): {} rows, not {}; {}",
                got.len(),
                wanted.len(),
                first_difference(&got, wanted)
            );
        }
    }
}

/// A kill between the source's log and the offset log puts two files into one batch, as in Spark, and
/// a restart runs no batch without data. So that all runs must have the same output none the less,
/// times run forward with some disorder but nothing is late, and the last files move no watermark.
fn write_input(folder: &Path, random: &mut Seeded) -> PathBuf {
    let mut feeder = Feeder::new(folder);
    let input = feeder.add_source("events", "", None).expect("a folder");
    let mut id = 0;
    for file in 0..FILES {
        let mut text = String::new();
        let rows = match file % LARGE_EVERY {
            5 => ROWS_PER_LARGE_FILE,
            _ => ROWS_PER_FILE,
        };
        for _ in 0..rows {
            let spread = match file < FILES - LAST_FILES {
                true => 8_000,
                false => 4_000,
            };
            let forward = 2_000 * file.min(FILES - LAST_FILES);
            let millis = (forward + random.below(spread)).saturating_sub(3_000);
            let (minute, second) = (millis / 60_000, millis / 1_000 % 60);
            let (key, value, fraction) = (random.below(10), random.below(1_000), millis % 1_000);
            text.push_str(&format!(
                "{{\"id\":{id},\"t\":\"2024-01-01 12:{minute:02}:{second:02}.{fraction:03}\",\"k\":\"k{key}\",\"v\":{value}}}\n",
            ));
            id += 1;
        }
        feeder.add_file("events", &text).expect("a file");
    }
    feeder.show().expect("files");
    input
}

/// Runs the target until it ends by itself; how many lines it printed.
fn run_to_end(input: &Path, work: &Path) -> usize {
    let (mut child, lines) = spawn(input, work);
    let printed = lines.iter().count();
    let status = child.wait().expect("a process that ends");
    assert!(status.success(), "the target failed: {status}");
    printed
}

/// Kills the target some time after a number of batches. False if it had ended before.
fn killed_after(input: &Path, work: &Path, batches: u64, delay: Duration) -> bool {
    let (mut child, lines) = spawn(input, work);
    for _ in 0..batches {
        if lines.recv().is_err() {
            break;
        }
    }
    // The moment is random anyway: further lines only bring it forward.
    let _ = lines.recv_timeout(delay);
    if let Some(status) = child.try_wait().expect("a process") {
        assert!(status.success(), "the target failed: {status}");
        return false;
    }
    child.kill().expect("a process that can be killed");
    !child.wait().expect("a process that ends").success()
}

fn spawn(input: &Path, work: &Path) -> (Child, Receiver<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kill_target"))
        .args([input, work])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the target");
    let stdout = child.stdout.take().expect("its output");
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    (child, lines)
}

/// The rows of the files that `_spark_metadata` names, sorted.
async fn output(folder: &Path) -> Vec<String> {
    let mut files = committed_files(&folder.join("_spark_metadata"));
    let distinct = files.len();
    files.sort();
    files.dedup();
    assert_eq!(
        files.len(),
        distinct,
        "a file stands in the metadata log twice"
    );
    let context = SessionContext::new();
    let frame = context
        .read_parquet(files, ParquetReadOptions::default())
        .await
        .expect("files that can be read");
    let mut rows = Vec::new();
    for batch in frame.collect().await.expect("rows") {
        rows.extend(row_lines(&batch).expect("rows with a text"));
    }
    rows.sort();
    rows
}

/// The newest compacted log and what came after it.
fn committed_files(log: &Path) -> Vec<String> {
    let mut batches: Vec<(u64, bool, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(log).expect("a metadata log") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (number, compact) = match name.strip_suffix(".compact") {
            Some(number) => (number.to_owned(), true),
            None => (name, false),
        };
        if let Ok(number) = number.parse() {
            batches.push((number, compact, path));
        }
    }
    batches.sort();
    let numbers: Vec<_> = batches.iter().map(|(number, ..)| *number).collect();
    let last = numbers.last().copied().unwrap_or_default();
    let newest_compact = batches
        .iter()
        .rposition(|(_, compact, _)| *compact)
        .unwrap_or(0);
    let from = batches[newest_compact].0;
    assert_eq!(
        batches.len() - newest_compact,
        (last - from + 1) as usize,
        "gaps in {numbers:?}"
    );
    let mut files = Vec::new();
    for (_, _, path) in &batches[newest_compact..] {
        let text = std::fs::read_to_string(path).expect("a log file");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("v1"), "{}", path.display());
        for line in lines.filter(|line| !line.is_empty()) {
            let entry: Value = serde_json::from_str(line).expect("a JSON line");
            let path = entry["path"].as_str().expect("a path");
            files.push(path.trim_start_matches("file://").to_owned());
        }
    }
    files
}

fn first_difference(got: &[String], wanted: &[String]) -> String {
    let extra = got.iter().find(|row| wanted.binary_search(row).is_err());
    let missing = wanted.iter().find(|row| got.binary_search(row).is_err());
    format!("not wanted: {extra:?}, missing: {missing:?}")
}
