//! Plays a script on the engine, step by step, as `tests/spark/play.py` plays it on Spark.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tempfile::TempDir;
use tidebook_engine::{Error, ErrorKind, StreamingQuery, StreamingQueryProgress};
use tokio::time::timeout;

use crate::action::{Action, QueryArgs};
use crate::cell::schema_lines;
use crate::engine_driver::{EngineDriver, Start};
use crate::feeder::Feeder;
use crate::figures::{batch_line, figures};
use crate::frame::relation;
use crate::outcome::{Failure, Outcome};
use crate::rows::ndjson;
use crate::script::{Script, Step};

/// Longer than any step can take; a query that does not get there hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens to a query between the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variation {
    /// Nothing.
    Plain,
    /// It is stopped and started before every step.
    Restarted,
    /// Its state is held on disk.
    OnDisk,
    /// It dies several times in every batch, before the commit log, and is started again.
    Killed,
}

/// Where a script went wrong.
#[derive(Debug)]
pub struct Wrong {
    /// Which step (from 0).
    pub step: usize,
    /// What it came to, or why it could not be played.
    pub got: Result<Outcome>,
    /// The last progress, as JSON.
    pub progress: Option<String>,
    /// Every batch and its rows so far.
    pub rows: Vec<String>,
}

/// Plays a script with states in so many parts; `Err` is the first step that went wrong.
pub async fn check(
    script: &Script,
    variation: Variation,
    state_partitions: usize,
) -> Result<(), Wrong> {
    let mut player = match Player::new(variation, state_partitions) {
        Ok(player) => player,
        Err(error) => return Err(wrong(0, Err(error))),
    };
    for (at, step) in script.steps.iter().enumerate() {
        let got = player.play(step).await;
        let fine = got
            .as_ref()
            .is_ok_and(|outcome| outcome.is_expected_by(step));
        if !fine {
            player.keep_progress();
            let progress = player.progress.values().last();
            let wrong = Wrong {
                progress: progress.map(StreamingQueryProgress::pretty_json),
                rows: player.lines(i64::MIN).unwrap_or_default(),
                ..wrong(at, got)
            };
            player.close().await;
            return Err(wrong);
        }
    }
    player.close().await;
    Ok(())
}

/// Plays a script plainly and gives what each step came to, right or wrong.
pub async fn outcomes(script: &Script) -> Result<Vec<Outcome>> {
    let mut player = Player::new(Variation::Plain, 1)?;
    let mut outcomes = Vec::new();
    for step in &script.steps {
        outcomes.push(player.play(step).await?);
    }
    player.close().await;
    Ok(outcomes)
}

fn wrong(step: usize, got: Result<Outcome>) -> Wrong {
    Wrong {
        step,
        got,
        progress: None,
        rows: Vec::new(),
    }
}

/// The state of one script while it is played.
struct Player {
    directory: TempDir,
    driver: EngineDriver,
    feeder: Feeder,
    variation: Variation,
    start: Option<Start>,
    query: Option<StreamingQuery>,
    queries: usize,
    progress: BTreeMap<i64, StreamingQueryProgress>,
    shown: i64,
}

/// A step's own failure; anything else is a fault of the script or the runner.
type StepResult<T> = Result<Result<T, Error>>;

impl Player {
    fn new(variation: Variation, state_partitions: usize) -> Result<Self> {
        let directory = TempDir::with_prefix("stream-")?;
        Ok(Self {
            driver: EngineDriver::divided(variation == Variation::Killed, state_partitions)?,
            feeder: Feeder::new(directory.path()),
            directory,
            variation,
            start: None,
            query: None,
            queries: 0,
            progress: BTreeMap::new(),
            shown: -1,
        })
    }

    async fn close(&mut self) {
        // What a query came to was checked by its steps; a failed one fails again here.
        let _ = self.stop().await;
    }

    fn path(&self) -> String {
        self.directory.path().display().to_string()
    }

    async fn play(&mut self, step: &Step) -> Result<Outcome> {
        let action = Action::of(step, &self.path())?;
        if self.variation == Variation::Restarted
            && looks_at_running_query(&action)
            && let Err(error) = self.restart().await?
        {
            return Ok(Outcome::Failed(failure(&error)));
        }
        match self.act(action).await? {
            Ok(outcome) => Ok(outcome),
            Err(error) => Ok(Outcome::Failed(failure(&error))),
        }
    }

    async fn act(&mut self, action: Action) -> StepResult<Outcome> {
        let done = |result: Result<(), Error>| Ok(result.map(|()| Outcome::Done));
        match action {
            Action::Set(key, value) => done(self.driver.set(&key, &value)),
            Action::Source(source) => {
                let path = source.path.as_deref();
                let path = self.feeder.add_source(&source.name, &source.schema, path)?;
                done(self.driver.create_source(&source, &path, true).await)
            }
            Action::Static(source, rows) => {
                let path = self
                    .directory
                    .path()
                    .join(format!("static-{}", source.name));
                std::fs::create_dir(&path)?;
                std::fs::write(path.join("0.json"), ndjson(&source.schema, &rows)?)?;
                done(self.driver.create_source(&source, &path, false).await)
            }
            Action::View(name, query) => {
                done(self.driver.create_view(&name, relation(&query)?).await)
            }
            Action::AddData(name, rows) => {
                let text = ndjson(self.feeder.schema(&name)?, &rows)?;
                self.feeder.add_file(&name, &text)?;
                Ok(Ok(Outcome::Done))
            }
            Action::AddText(name, text) => {
                self.feeder.add_file(&name, &text)?;
                Ok(Ok(Outcome::Done))
            }
            Action::Query(args) => done(self.query(args).await?),
            Action::StartBeside(args) => {
                let start = self.start_of(args)?;
                match self.driver.start(&start).await {
                    Ok(query) => done(query.stop().await),
                    Err(error) => Ok(Err(error)),
                }
            }
            Action::Restart => done(self.restart().await?),
            Action::Run | Action::CheckNewAnswer => {
                if let Err(error) = self.run().await? {
                    return Ok(Err(error));
                }
                let lines = self.lines(self.shown)?;
                self.shown = self.last_batch();
                Ok(Ok(Outcome::Lines(lines)))
            }
            Action::CheckAnswer { complete } => {
                if let Err(error) = self.run().await? {
                    return Ok(Err(error));
                }
                self.shown = self.last_batch();
                let batches = self.driver.batches()?;
                let skip = if complete {
                    batches.len().saturating_sub(1)
                } else {
                    0
                };
                let mut lines: Vec<_> = batches.into_values().skip(skip).flatten().collect();
                lines.sort();
                Ok(Ok(Outcome::Lines(lines)))
            }
            Action::Expect(batch, expected) => {
                self.keep_progress();
                let batch = batch.unwrap_or(self.last_batch());
                let progress = self.progress.get(&batch);
                let progress = progress.with_context(|| format!("no progress of batch {batch}"))?;
                let known = figures(progress, self.progress.len());
                let named = expected.into_iter().map(|(key, _)| {
                    let value = known.get(key.as_str()).cloned();
                    value
                        .map(|value| (key.clone(), value))
                        .with_context(|| format!("no figure '{key}'"))
                });
                Ok(Ok(Outcome::Figures(named.collect::<Result<_>>()?)))
            }
            Action::CheckSchema(query) => {
                let relation = if query.is_empty() {
                    self.start.clone().context("no query")?.relation
                } else {
                    relation(&query)?
                };
                match self.driver.schema(&relation).await {
                    Ok(schema) => Ok(Ok(Outcome::Lines(schema_lines(&schema)?))),
                    Err(error) => Ok(Err(error)),
                }
            }
            Action::Sql(text) => {
                let mut lines = match self.driver.sql(&text).await? {
                    Ok(lines) => lines,
                    Err(error) => return Ok(Err(error)),
                };
                if !text.to_lowercase().contains("order by") {
                    lines.sort();
                }
                Ok(Ok(Outcome::Lines(lines)))
            }
            Action::CheckModes(query) => {
                self.feeder.show()?;
                let deadly = self.driver.set_deadly(false);
                let mut modes = Vec::new();
                for mode in ["append", "update", "complete"] {
                    let result = self.try_mode(&query, mode).await?;
                    modes.push((mode.to_owned(), result.map_err(|error| failure(&error))));
                }
                self.driver.set_deadly(deadly);
                Ok(Ok(Outcome::Modes(modes)))
            }
        }
    }

    async fn try_mode(&mut self, query: &[String], mode: &str) -> StepResult<()> {
        let args = QueryArgs {
            body: query.to_vec(),
            mode: mode.to_owned(),
            trigger: Some("available-now".to_owned()),
            sink: Some("noop".to_owned()),
            ..QueryArgs::default()
        };
        let start = self.start_of(args)?;
        match self.driver.start(&start).await {
            Ok(query) => ended(&query).await,
            Err(error) => Ok(Err(error)),
        }
    }

    /// Starts the query of a step; one that runs to an end by itself starts with the next run.
    async fn query(&mut self, args: QueryArgs) -> StepResult<()> {
        // The query before has had its say: its failure was expected, or found, by its own steps.
        drop(self.stop().await?);
        self.driver.forget();
        self.progress.clear();
        self.shown = -1;
        let start = self.start_of(args)?;
        let runs_on = start.trigger.is_none();
        if !runs_on && let Err(error) = self.driver.schema(&start.relation).await {
            return Ok(Err(error));
        }
        self.feeder.show()?;
        self.start = Some(start);
        if !runs_on {
            return Ok(Ok(()));
        }
        match self.start_again().await? {
            // Spark looks at a checkpoint only once the query runs, and fails there: the next step
            // that lets it run starts it again and meets the same refusal.
            Err(error) if error.kind() == ErrorKind::StreamingQuery => Ok(Ok(())),
            other => Ok(other),
        }
    }

    fn start_of(&mut self, args: QueryArgs) -> Result<Start> {
        self.queries += 1;
        let own = format!("q{}", self.queries);
        let mut options = args.options;
        if self.variation == Variation::OnDisk {
            let disk = || "disk".to_owned();
            options.entry("stateStore".to_owned()).or_insert_with(disk);
        }
        let checkpoint = args.checkpoint.unwrap_or(own);
        if checkpoint != "none" {
            let path = self.directory.path().join(format!("ck-{checkpoint}"));
            options.insert("checkpointLocation".to_owned(), path.display().to_string());
        }
        Ok(Start {
            relation: relation(&args.body)?,
            mode: args.mode,
            trigger: args.trigger,
            sink: args.sink,
            name: args.name,
            path: args.path,
            options,
        })
    }

    async fn start_again(&mut self) -> StepResult<()> {
        let start = self.start.as_ref().context("no query")?;
        match self.driver.start(start).await {
            Ok(query) => {
                self.query = Some(query);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn restart(&mut self) -> StepResult<()> {
        let Some(query) = &self.query else {
            return Ok(Ok(()));
        };
        let runs_on = self
            .start
            .as_ref()
            .is_some_and(|start| start.trigger.is_none());
        if runs_on {
            // A batch without data runs only in the run that moved the watermark: the query stops
            // when it has nothing left to do. If it has failed, stopping it tells.
            let idle = timeout(PATIENCE, query.process_all_available()).await;
            drop(idle.map_err(|_| anyhow!("the query does not become idle"))?);
        }
        match self.stop().await? {
            Err(error) if !EngineDriver::was_killed(&error) => return Ok(Err(error)),
            _ => {}
        }
        if runs_on {
            self.start_again().await
        } else {
            Ok(Ok(()))
        }
    }

    /// Stops what runs; the error is why it had failed before.
    async fn stop(&mut self) -> StepResult<()> {
        self.keep_progress();
        let Some(query) = self.query.take() else {
            return Ok(Ok(()));
        };
        let stopped = timeout(PATIENCE, query.stop()).await;
        stopped
            .map_err(|_| anyhow!("the query does not stop"))?
            .ok();
        // A batch may have ended since the query was asked to stop.
        self.query = Some(query.clone());
        self.keep_progress();
        self.query = None;
        Ok(match query.exception() {
            Some(error) => Err(error),
            None => Ok(()),
        })
    }

    /// Processes everything there is. A query that was killed on the way is started again.
    async fn run(&mut self) -> StepResult<()> {
        const MORE_DEATHS_THAN_ANY_SCRIPT_HAS: usize = 200;
        for _ in 0..MORE_DEATHS_THAN_ANY_SCRIPT_HAS {
            let result = self.run_once().await?;
            self.keep_progress();
            match result {
                Err(error) if EngineDriver::was_killed(&error) => {
                    self.query = None;
                }
                other => return Ok(other),
            }
        }
        bail!("the query dies again and again")
    }

    async fn run_once(&mut self) -> StepResult<()> {
        let runs_on = self.start.as_ref().context("no query")?.trigger.is_none();
        if !runs_on {
            self.feeder.show()?;
            if let Err(error) = self.start_again().await? {
                return Ok(Err(error));
            }
            return ended(self.query.as_ref().context("no query")?).await;
        }
        // Several new files come in over a restart, so that none is seen before the others are there.
        if self.feeder.pending() > 1 || self.query.is_none() {
            match self.stop().await? {
                Err(error) if !EngineDriver::was_killed(&error) => return Ok(Err(error)),
                _ => {}
            }
            self.feeder.show()?;
            if let Err(error) = self.start_again().await? {
                return Ok(Err(error));
            }
        }
        self.feeder.show()?;
        let query = self.query.as_ref().context("no query")?;
        let processed = timeout(PATIENCE, query.process_all_available()).await;
        processed.map_err(|_| anyhow!("the query does not process what is there"))
    }

    fn keep_progress(&mut self) {
        let Some(query) = &self.query else {
            return;
        };
        for progress in query.recent_progress() {
            if progress.duration_ms.contains_key("addBatch") {
                self.progress.insert(progress.batch_id, progress);
            }
        }
    }

    fn last_batch(&self) -> i64 {
        self.progress.keys().copied().max().unwrap_or(self.shown)
    }

    /// The batches after `shown`: their figures and rows.
    fn lines(&self, shown: i64) -> Result<Vec<String>> {
        let batches = self.driver.batches()?;
        let mut lines = Vec::new();
        for (batch_id, progress) in &self.progress {
            if *batch_id > shown {
                lines.push(batch_line(progress));
                lines.extend(batches.get(batch_id).cloned().unwrap_or_default());
            }
        }
        Ok(lines)
    }
}

/// Waits for a query that ends by itself.
async fn ended(query: &StreamingQuery) -> StepResult<()> {
    match timeout(PATIENCE, query.await_termination(None)).await {
        Ok(Ok(_)) => Ok(Ok(())),
        Ok(Err(error)) => Ok(Err(error)),
        Err(_) => bail!("the query does not end"),
    }
}

fn looks_at_running_query(action: &Action) -> bool {
    matches!(
        action,
        Action::AddData(..)
            | Action::AddText(..)
            | Action::Run
            | Action::CheckNewAnswer
            | Action::CheckAnswer { .. }
    )
}

fn failure(error: &Error) -> Failure {
    Failure {
        conditions: error.condition().map(str::to_owned).into_iter().collect(),
        message: error.message().to_owned(),
    }
}
