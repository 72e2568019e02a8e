//! `--trigger`: when a query runs its batches.

use std::time::Duration;

use tidebook_engine::connect::proto::write_stream_operation_start::Trigger;
use tidebook_engine::nearest;

use super::{Until, values};
use crate::error::{CellError, Result};

/// A trigger as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TriggerChoice {
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
    pub fn new(trigger: Option<&str>, until: Option<Until>) -> Result<Self> {
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
        let (word, interval) = lower.split_once('=').unwrap_or((&lower, ""));
        Ok(match (word, interval) {
            ("once", "") => Self::Once,
            ("available-now" | "availablenow", "") => Self::AvailableNow,
            ("continuous", interval) => Self::Continuous(or_default(interval, "1 second")),
            ("real-time", interval) => Self::RealTime(or_default(interval, "5 minutes")),
            _ => Self::Interval(values::duration(&lower).map_err(|_| unknown(text))?),
        })
    }

    /// The trigger as a plan carries it.
    pub fn into_proto(self) -> Option<Trigger> {
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

fn or_default(interval: &str, default: &str) -> String {
    match interval.trim() {
        "" => default.to_owned(),
        interval => interval.to_owned(),
    }
}

fn unknown(text: &str) -> CellError {
    let error = CellError::usage(format!("'{text}' is not a trigger"));
    match nearest(text, ["once", "available-now"]) {
        Some(near) => error.hint(format!("--trigger {near}")),
        None => error.hint("--trigger \"1 second\", --trigger once or --trigger available-now"),
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
        check(
            "continuous=2 seconds",
            TriggerChoice::Continuous("2 seconds".to_owned()),
        );
        check("real-time", TriggerChoice::RealTime("5 minutes".to_owned()));
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
        assert!(hint("1 fortnight").contains("\"1 second\""));
    }
}
