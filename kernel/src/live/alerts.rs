//! Alerts on queries: each tells once when its condition becomes true, and again only after it was
//! false in between.

use std::sync::Arc;

use parking_lot::Mutex;
use tidebook_engine::{Rows, Session, StreamingQuery, StreamingQueryProgress};
use uuid::Uuid;

use super::condition::{self, Subject};
use crate::display::with_sums;
use crate::error::{CellError, Result};

/// How many matching rows a crossing shows.
const SHOWN_ROWS: usize = 3;

/// What an out-of-range index of an array is called: a progress may have no operators yet.
const NO_ELEMENT: &str = "[INVALID_ARRAY_INDEX";

/// All alerts of a session.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    all: Mutex<Vec<Arc<Alert>>>,
}

/// A condition that is watched.
#[derive(Debug)]
pub(crate) struct Alert {
    session: Session,
    query: StreamingQuery,
    /// As it was typed.
    pub condition: String,
    /// Whether a crossing turns a cell red.
    pub fails: bool,
    subject: Subject,
    watched: tokio::sync::Mutex<Watched>,
    said: Mutex<Said>,
}

/// How far the condition was computed.
#[derive(Debug, Default)]
struct Watched {
    last: Option<StreamingQueryProgress>,
    rows: usize,
}

/// What there is to tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    /// How often the condition was computed.
    pub computed: u64,
    /// Whether it is true now.
    pub is_true: bool,
    /// When it became true, oldest first.
    pub crossings: Vec<Crossing>,
    /// Why it could not be computed the last time.
    pub error: Option<String>,
    /// How many crossings have turned a cell red.
    reported: usize,
    /// Whether the error has.
    error_reported: bool,
}

/// A condition became true.
#[derive(Debug, Clone)]
pub(crate) struct Crossing {
    /// After which batch.
    pub batch_id: i64,
    /// When its trigger began.
    pub timestamp: String,
    /// What the condition saw: fields and their values, or rows.
    pub seen: Vec<String>,
}

impl Alerts {
    /// Watches a condition on a query from its first progress that is still known.
    pub(crate) async fn add(
        &self,
        session: &Session,
        query: &StreamingQuery,
        condition: &str,
        fails: bool,
    ) -> Result<Arc<Alert>> {
        let subject = Subject::of(session, query, condition).await?;
        let alert = Arc::new(Alert {
            session: session.clone(),
            query: query.clone(),
            condition: condition.to_owned(),
            fails,
            subject,
            watched: tokio::sync::Mutex::default(),
            said: Mutex::default(),
        });
        alert.settle().await;
        {
            let mut all = self.all.lock();
            let same = |other: &Arc<Alert>| {
                other.is_on(query.run_id()) && other.condition == alert.condition
            };
            all.retain(|other| !same(other));
            all.push(Arc::clone(&alert));
        }
        tokio::spawn(Arc::clone(&alert).follow());
        Ok(alert)
    }

    /// Forgets the alerts of a query; how many there were.
    pub(crate) fn clear(&self, query: &StreamingQuery) -> usize {
        let mut all = self.all.lock();
        let before = all.len();
        all.retain(|alert| !alert.is_on(query.run_id()));
        before - all.len()
    }

    /// The alerts on a run of a query.
    pub(crate) fn of(&self, run_id: Uuid) -> Vec<Arc<Alert>> {
        let all = self.all.lock();
        all.iter()
            .filter(|alert| alert.is_on(run_id))
            .cloned()
            .collect()
    }

    /// Fails with the first crossing of an alert that is to fail and that no cell has told of yet.
    pub(crate) async fn check(&self) -> Result<()> {
        let all = self.all.lock().clone();
        for alert in all.iter().filter(|alert| alert.fails) {
            alert.settle().await;
            alert.report()?;
        }
        Ok(())
    }
}

impl Alert {
    /// What there is to tell.
    pub(crate) fn said(&self) -> Said {
        self.said.lock().clone()
    }

    fn is_on(&self, run_id: Uuid) -> bool {
        self.query.run_id() == run_id
    }

    async fn follow(self: Arc<Self>) {
        let mut changes = self.query.watch();
        loop {
            let ended = !self.query.is_active();
            self.settle().await;
            // The store has let go of it.
            if ended || Arc::strong_count(&self) == 1 || changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Computes the condition for all that has happened since the last time.
    pub(crate) async fn settle(&self) {
        let mut watched = self.watched.lock().await;
        let recent = self.query.recent_progress();
        let known = watched.last.as_ref();
        let known = known.and_then(|last| recent.iter().rposition(|progress| progress == last));
        let news = recent.iter().skip(known.map_or(0, |known| known + 1));
        match &self.subject {
            Subject::Progress => {
                for progress in news {
                    let json = with_sums(progress);
                    let held = condition::holds(&self.session, &json, &self.condition).await;
                    let seen = condition::mentioned(&json, &self.condition).into_iter();
                    let seen = seen
                        .map(|(name, value)| format!("{name} = {value}"))
                        .collect();
                    self.note(progress, held, seen);
                }
            }
            Subject::Rows { table, complete } => {
                if let Some(newest) = news.last() {
                    self.look_at_rows(&mut watched, newest, table, *complete)
                        .await;
                }
            }
        }
        if let Some(newest) = recent.last() {
            watched.last = Some(newest.clone());
        }
    }

    async fn look_at_rows(
        &self,
        watched: &mut Watched,
        newest: &StreamingQueryProgress,
        table: &str,
        complete: bool,
    ) {
        let matched = async {
            let rows = condition::num_rows(&self.session, table).await?;
            let from = if complete { 0 } else { watched.rows.min(rows) };
            watched.rows = rows;
            if from == rows {
                return Ok(None);
            }
            let matching =
                condition::matching(&self.session, table, from..rows, &self.condition).await;
            matching.map(Some)
        };
        match matched.await {
            Ok(None) => {}
            Ok(Some(rows)) => self.note(newest, Ok(rows.num_rows() > 0), shown(&rows)),
            Err(error) => self.note(newest, Err(error), Vec::new()),
        }
    }

    fn note(&self, progress: &StreamingQueryProgress, held: Result<bool>, seen: Vec<String>) {
        let mut said = self.said.lock();
        said.computed += 1;
        let held = match held {
            Ok(held) => {
                said.error = None;
                held
            }
            Err(error) => {
                let nothing_there = error.evalue.starts_with(NO_ELEMENT);
                said.error = (!nothing_there).then_some(error.evalue);
                false
            }
        };
        if held && !said.is_true {
            said.crossings.push(Crossing {
                batch_id: progress.batch_id,
                timestamp: progress.timestamp.clone(),
                seen,
            });
        }
        said.is_true = held;
    }

    fn report(&self) -> Result<()> {
        let mut said = self.said.lock();
        let title = self.query.label();
        let condition = &self.condition;
        if let Some(crossing) = said.crossings.get(said.reported) {
            let seen = crossing.seen.join("; ");
            let error = CellError::new(
                "AlertRaised",
                format!(
                    "alert on query '{title}': {condition} is true after batch {}: {seen}",
                    crossing.batch_id
                ),
            );
            said.reported = said.crossings.len();
            return Err(error.hint(format!(
                "%progress {title} --recent 10 shows how it came about"
            )));
        }
        if let Some(why) = said.error.clone().filter(|_| !said.error_reported) {
            said.error_reported = true;
            let evalue = format!("alert on query '{title}': {condition} cannot be computed: {why}");
            return Err(CellError::new("AlertRaised", evalue));
        }
        Ok(())
    }
}

/// The first of the rows, each on a line: `hour = …, departures = 3`.
fn shown(rows: &Rows) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in &rows.batches {
        for row in 0..batch
            .num_rows()
            .min(SHOWN_ROWS - lines.len().min(SHOWN_ROWS))
        {
            let values = batch.schema_ref().fields().iter().zip(batch.columns());
            let values = values.map(|(field, column)| {
                let value = tidebook_engine::format_value(column, row);
                format!("{} = {value}", field.name())
            });
            lines.push(values.collect::<Vec<_>>().join(", "));
        }
    }
    let more = rows.num_rows().saturating_sub(lines.len());
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}
