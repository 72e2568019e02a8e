//! The events that the targets read, and one target's folder.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use acceptance::engine_driver::EngineDriver;
use acceptance::feeder::Feeder;
use acceptance::seeded::Seeded;
use tempfile::TempDir;
use tidebook_engine::FaultPoint;

pub(crate) const FILES: u64 = 12;
/// They move no watermark, so that every run must end with the same output: a restart runs no batch
/// without data, and two files may come in one batch.
const LAST_FILES: u64 = 3;
const ROWS_PER_FILE: u64 = 40;

/// With state and without.
pub(crate) const QUERIES: [&str; 2] = ["windows", "rows"];

/// Events in files, and a folder for what is made of them.
pub(crate) struct World {
    folder: TempDir,
    input: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix("faults-").expect("a folder");
        let input = write_input(folder.path());
        Self { folder, input }
    }

    /// A target that has not run yet.
    pub(crate) fn target(&self, name: &str, sink: &str, query: &str) -> Target {
        Target {
            input: self.input.clone(),
            work: self.folder.path().join(name),
            sink: sink.to_owned(),
            query: query.to_owned(),
        }
    }

    /// The output of a run that nothing disturbs.
    pub(crate) async fn wanted(&self, sink: &str, query: &str) -> Vec<String> {
        let kind = sink.split(':').next().unwrap_or_default();
        let target = self.target(&format!("undisturbed-{kind}-{query}"), sink, query);
        target.run_to_end();
        let rows = target.rows().await.expect("its output");
        assert!(rows.len() > 20, "{sink} {query}: {} rows", rows.len());
        rows
    }
}

fn write_input(folder: &Path) -> PathBuf {
    let mut feeder = Feeder::new(folder);
    let input = feeder.add_source("events", "", None).expect("a folder");
    let mut random = Seeded::new(11);
    let mut id = 0;
    for file in 0..FILES {
        let mut text = String::new();
        let (forward, spread) = match file < FILES - LAST_FILES {
            true => (20 * file, 8_000),
            false => (20 * (FILES - LAST_FILES), 4_000),
        };
        for _ in 0..ROWS_PER_FILE {
            let millis = 60_000 + 1_000 * forward + random.below(spread);
            let (minute, second) = (millis / 60_000, millis / 1_000 % 60);
            let (key, value, fraction) = (random.below(4), random.below(1_000), millis % 1_000);
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

/// One query, its output and its checkpoint.
#[derive(Clone)]
pub(crate) struct Target {
    input: PathBuf,
    pub work: PathBuf,
    sink: String,
    query: String,
}

/// How a run has ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Fine,
    /// What it said.
    Failed(String),
    Killed,
}

impl Target {
    pub(crate) fn out(&self) -> PathBuf {
        self.work.join("out")
    }

    /// Its words, program first.
    pub(crate) fn words(&self) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        vec![
            env!("CARGO_BIN_EXE_fault_target").to_owned(),
            path(&self.input),
            path(&self.work),
            self.sink.clone(),
            self.query.clone(),
        ]
    }

    pub(crate) fn command(&self) -> Command {
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }

    pub(crate) fn run(&self) -> Ended {
        ended(&mut self.command())
    }

    pub(crate) fn run_to_end(&self) {
        let ended = self.run();
        assert!(matches!(ended, Ended::Fine), "{ended:?}");
    }

    /// Runs until that batch has passed that point; false if there is no such batch any more.
    pub(crate) fn killed_at(&self, point: FaultPoint, batch: u64) -> bool {
        let fault = ["kill".to_owned(), format!("{point:?}"), batch.to_string()];
        match ended(self.command().args(fault)) {
            Ended::Killed => true,
            Ended::Fine => false,
            Ended::Failed(error) => panic!("{error}"),
        }
    }

    /// The same in another folder, with all its files.
    pub(crate) fn copy(&self, name: &str) -> Self {
        let work = self.work.with_file_name(name);
        let copied = Command::new("cp")
            .arg("-a")
            .arg(&self.work)
            .arg(&work)
            .status();
        assert!(copied.expect("cp").success());
        let copy = Self {
            work,
            ..self.clone()
        };
        copy.point_logs_from(self);
        copy
    }

    /// The log of a file sink has absolute paths.
    fn point_logs_from(&self, original: &Self) {
        let log = self.out().join("_spark_metadata");
        let Ok(entries) = fs::read_dir(log) else {
            return;
        };
        for entry in entries {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("a log");
            let from = original.work.display().to_string();
            let text = text.replace(&from, &self.work.display().to_string());
            fs::write(path, text).expect("a log that can be written");
        }
    }

    /// The rows of its output, sorted, as a reader sees them.
    pub(crate) async fn rows(&self) -> Result<Vec<String>, String> {
        let mut rows = match self.sink.as_str() {
            "foreachBatch" | "foreach" => self.rows_of_batches(),
            "console" => self.rows_on_console(),
            topic if topic.starts_with("kafka") => self.messages(topic)?,
            format => self.rows_of_files(format).await?,
        };
        rows.sort();
        if self.sink.starts_with("kafka:") {
            // Spark's promise for topics: at least once.
            rows.dedup();
        }
        Ok(rows)
    }

    /// What a reader of the topic gets, which is named as the folder.
    fn messages(&self, sink: &str) -> Result<Vec<String>, String> {
        let (_, address) = sink.split_once(':').expect("an address");
        let topic = self.work.file_name().expect("a name").to_string_lossy();
        let seen = acceptance::kafka::read_all(address, &topic, &[]);
        let seen = seen.map_err(|error| error.to_string())?;
        Ok(seen.iter().map(acceptance::kafka::Seen::text).collect())
    }

    fn rows_of_batches(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for entry in fs::read_dir(self.out()).expect("its output") {
            let path = entry.expect("an entry").path();
            if path.file_name().is_some_and(|name| name != ".batch") {
                let text = fs::read_to_string(path).expect("a batch");
                rows.extend(text.lines().map(str::to_owned));
            }
        }
        rows
    }

    /// A batch may be printed twice, but not with other rows.
    fn rows_on_console(&self) -> Vec<String> {
        let text = fs::read_to_string(self.out().join("console")).expect("its output");
        let mut batches: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for printed in text.split("Batch: ").skip(1) {
            let (batch, table) = printed.split_once('\n').expect("a table");
            let rows = table.lines().filter(|line| line.starts_with('|')).skip(1);
            let mut rows: Vec<_> = rows.map(str::to_owned).collect();
            rows.sort();
            let before = batches.insert(batch, rows.clone());
            assert!(
                before.is_none_or(|before| before == rows),
                "batch {batch} came with other rows"
            );
        }
        batches.into_values().flatten().collect()
    }

    async fn rows_of_files(&self, format: &str) -> Result<Vec<String>, String> {
        let driver = EngineDriver::new(false).map_err(|error| error.to_string())?;
        let view = format!(
            "CREATE OR REPLACE TEMPORARY VIEW written USING {format} OPTIONS (path '{}')",
            self.out().display()
        );
        let mut rows = Vec::new();
        for statement in [view.as_str(), "SELECT * FROM written"] {
            let ran = driver
                .sql(statement)
                .await
                .map_err(|error| error.to_string())?;
            rows = ran.map_err(|error| error.to_string())?;
        }
        Ok(rows)
    }
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.output().expect("a program that can be run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match (output.status.success(), output.status.signal()) {
        (true, _) => Ended::Fine,
        (false, Some(9)) => Ended::Killed,
        (false, _) => Ended::Failed(said),
    }
}

/// Whether an error says what to do.
pub(crate) fn says_what_to_do(error: &str) -> bool {
    error.contains("hint: ")
}
