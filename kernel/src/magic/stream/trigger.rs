//! `--trigger`: when a query runs its batches.

use std::time::Duration;

use tidebook_engine::connect::proto::write_stream_operation_start::Trigger;
use tidebook_engine::nearest;

use super::{Until, values};
use crate::error::{CellError, Result};

/// How long a batch lasts if nothing is said. In Spark's real-time mode, whose batches take long to
/// begin and to end, it is 5 minutes.
const BATCH_DURATION: &str = "1 second";

/// A trigger as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TriggerChoice {
    /// As soon as there is data.
    Default,
    /// At every interval.
    Interval(Duration),
    /// One batch.
    Once,
    /// Everything there is now.
    AvailableNow,
    /// Spark's continuous processing, with its checkpoint interval.
    Continuous(String),
    /// Spark's real-time mode, with its batch duration.
    RealTime(String),
}

impl TriggerChoice {
    /// What `--trigger` and `--until` ask for together.
    pub(super) fn new(trigger: Option<&str>, until: Option<Until>) -> Result<Self> {
        let chosen = trigger.map(Self::parse).transpose()?;
        if until != Some(Until::AvailableNow) {
            return Ok(chosen.unwrap_or(Self::Default));
        }
        match chosen {
            None | Some(Self::AvailableNow) => Ok(Self::AvailableNow),
            Some(_) => Err(CellError::usage(format!(
                "'--until available-now' sets the trigger, '--trigger {}' another one",
                trigger.unwrap_or_default()
            ))
            .hint("leave out --trigger, or wait with --until rows=N")),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let lower = text.trim().to_lowercase();
        let words = lower.split_once(|c: char| c == '=' || c.is_whitespace());
        let (word, interval) = words.unwrap_or((&lower, ""));
        Ok(match (word, interval.trim()) {
            ("once", "") => Self::Once,
            ("available-now" | "availablenow", "") => Self::AvailableNow,
            ("continuous", interval) => Self::Continuous(long_lived(interval)),
            ("real-time" | "realtime", interval) => Self::RealTime(long_lived(interval)),
            _ => Self::Interval(values::duration(&lower).map_err(|_| unknown(text))?),
        })
    }

    /// The trigger as a plan carries it.
    pub(super) fn into_proto(self) -> Option<Trigger> {
        Some(match self {
            Self::Default => return None,
            Self::Interval(interval) => {
                Trigger::ProcessingTimeInterval(format!("{} milliseconds", interval.as_millis()))
            }
            Self::Once => Trigger::Once(true),
            Self::AvailableNow => Trigger::AvailableNow(true),
            Self::Continuous(interval) => Trigger::ContinuousCheckpointInterval(interval),
            Self::RealTime(interval) => Trigger::RealTimeBatchDuration(interval),
        })
    }
}

/// How long a batch lasts whose rows leave as they come, as the engine reads it; what cannot be read is
/// for the engine to refuse.
fn long_lived(interval: &str) -> String {
    let interval = match interval {
        "" => BATCH_DURATION,
        interval => interval,
    };
    match values::duration(interval) {
        Ok(duration) => format!("{} milliseconds", duration.as_millis()),
        Err(_) => interval.to_owned(),
    }
}

fn unknown(text: &str) -> CellError {
    let error = CellError::usage(format!("'{text}' is not a trigger"));
    match nearest(text, ["once", "available-now", "real-time", "continuous"]) {
        Some(near) => error.hint(format!("--trigger {near}")),
        None => error.hint(
            "--trigger \"1 second\", --trigger once, available-now, real-time or \"continuous 1 second\"",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers() {
        let check = |text: &str, expected: TriggerChoice| {
            assert_eq!(
                TriggerChoice::new(Some(text), None).unwrap(),
                expected,
                "{text}"
            );
        };
        check("1 second", TriggerChoice::Interval(Duration::from_secs(1)));
        check("500ms", TriggerChoice::Interval(Duration::from_millis(500)));
        check("once", TriggerChoice::Once);
        check("Available-Now", TriggerChoice::AvailableNow);
        check("availableNow", TriggerChoice::AvailableNow);
        let seconds = |seconds: u64| format!("{} milliseconds", seconds * 1000);
        for text in [
            "continuous=2 seconds",
            "Continuous 2 seconds",
            "continuous 2s",
        ] {
            check(text, TriggerChoice::Continuous(seconds(2)));
        }
        check("continuous", TriggerChoice::Continuous(seconds(1)));
        check("real-time", TriggerChoice::RealTime(seconds(1)));
        check("real-time 5 minutes", TriggerChoice::RealTime(seconds(300)));
        check(
            "continuous soon",
            TriggerChoice::Continuous("soon".to_owned()),
        );
        assert_eq!(
            TriggerChoice::new(None, None).unwrap(),
            TriggerChoice::Default
        );
    }

    #[test]
    fn waiting_for_what_is_there_sets_the_trigger() {
        let until = Some(Until::AvailableNow);
        assert_eq!(
            TriggerChoice::new(None, until).unwrap(),
            TriggerChoice::AvailableNow
        );
        let error = TriggerChoice::new(Some("once"), until).unwrap_err();
        assert!(error.evalue.contains("--trigger once"), "{error}");
    }

    #[test]
    fn mistakes_get_the_nearest() {
        let hint = |text| {
            TriggerChoice::new(Some(text), None)
                .unwrap_err()
                .hint
                .unwrap()
        };
        assert_eq!(hint("availble-now"), "--trigger available-now");
        assert_eq!(hint("realy-time"), "--trigger real-time");
        assert!(hint("1 fortnight").contains("\"1 second\""));
    }
}
