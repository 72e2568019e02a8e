//! `--until`: how long the cell waits, and what ends the query.

use std::str::FromStr;
use std::time::Duration;

use tidebook_engine::nearest;

use super::{query_title, values};
use crate::backend::Query;
use crate::context::Context;
use crate::error::{CellError, Result};

/// When the query is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// When everything that is there at the start is processed.
    AvailableNow,
    /// When this many rows were read.
    Rows(u64),
    /// After this many batches.
    Batches(u64),
    /// After this time.
    For(Duration),
}

impl FromStr for Until {
    type Err = CellError;

    fn from_str(text: &str) -> Result<Self> {
        let (word, value) = text.split_once('=').unwrap_or((text, ""));
        let number = || {
            let number = value
                .trim()
                .replace('_', "")
                .parse()
                .ok()
                .filter(|n| *n > 0);
            number.ok_or_else(|| {
                CellError::usage(format!(
                    "'--until {word}' needs a number above 0, not '{value}'"
                ))
                .hint(format!("--until {word}=100"))
            })
        };
        match word.trim().to_lowercase().as_str() {
            "available-now" | "availablenow" if value.is_empty() => Ok(Self::AvailableNow),
            "rows" => Ok(Self::Rows(number()?)),
            "batches" => Ok(Self::Batches(number()?)),
            "for" => Ok(Self::For(values::duration(value)?)),
            word => {
                let known = ["available-now", "rows=100", "batches=10", "for=10s"];
                let error = CellError::usage(format!("'--until' cannot be '{text}'"));
                Err(match nearest(word, known) {
                    Some(near) => error.hint(format!("--until {near}")),
                    None => error.hint(format!("use one of {}", known.join(", "))),
                })
            }
        }
    }
}

impl Until {
    /// The option by which the query ends by itself, at the very batch.
    pub(super) fn option(self) -> Option<(String, String)> {
        let (name, count) = match self {
            Self::Rows(rows) => ("stopAfterRows", rows),
            Self::Batches(batches) => ("stopAfterBatches", batches),
            Self::AvailableNow | Self::For(_) => return None,
        };
        Some((name.to_owned(), count.to_string()))
    }

    /// Waits for the end, then stops the query. Fails if the query does.
    pub(super) async fn wait(self, context: &Context, query: &Query) -> Result<()> {
        let ended_by_itself = tokio::select! {
            ended = query.await_termination(None) => {
                if let Err(error) = ended {
                    context.failures.report(query)?;
                    return Err(error);
                }
                true
            }
            () = self.passed(query) => false,
        };
        query.stop().await?;
        context.failures.report(query)?;
        if ended_by_itself && let Some(missing) = self.missing(context, query) {
            let title = query_title(query);
            context
                .outputs
                .stderr(format!("{title} had ended before: {missing}\n"));
        }
        Ok(())
    }

    /// Waits until the time has passed, if it is one. All else ends the query itself here; on a cluster,
    /// which knows no such end, batches and rows are counted as they are seen.
    async fn passed(self, query: &Query) {
        match (self, query) {
            (Self::For(duration), _) => tokio::time::sleep(duration).await,
            (Self::Rows(rows), Query::There(there)) => {
                there.until(|query| query.tally().1 >= rows).await;
            }
            (Self::Batches(batches), Query::There(there)) => {
                there.until(|query| query.tally().0 >= batches).await;
            }
            (Self::AvailableNow | Self::Rows(_) | Self::Batches(_), _) => {
                std::future::pending().await
            }
        }
    }

    /// What a query that ended by itself did not reach.
    fn missing(self, context: &Context, query: &Query) -> Option<String> {
        let (batches_done, rows_done) = match query {
            Query::Here(query) => {
                let done = context.tally.of(query.run_id());
                (done.batches, done.rows)
            }
            Query::There(query) => query.tally(),
        };
        match self {
            Self::Rows(rows) if rows_done < rows => Some(format!("{rows_done} of {rows} rows")),
            Self::Batches(batches) if batches_done < batches => {
                Some(format!("{batches_done} of {batches} batches"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        for (text, expected) in [
            ("available-now", Until::AvailableNow),
            ("rows=100", Until::Rows(100)),
            ("rows=1_000", Until::Rows(1000)),
            ("batches=3", Until::Batches(3)),
            ("for=10s", Until::For(Duration::from_secs(10))),
            ("for=2 minutes", Until::For(Duration::from_secs(120))),
        ] {
            assert_eq!(text.parse::<Until>().unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn mistakes() {
        for (text, hint) in [
            ("rows", "--until rows=100"),
            ("rows=0", "--until rows=100"),
            ("batches=many", "--until batches=100"),
            ("availble-now", "--until available-now"),
            (
                "zzz",
                "use one of available-now, rows=100, batches=10, for=10s",
            ),
        ] {
            let error = text.parse::<Until>().unwrap_err();
            assert_eq!(error.hint.as_deref(), Some(hint), "{text}");
        }
        assert!("for=soon".parse::<Until>().is_err());
    }
}
