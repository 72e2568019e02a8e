//! The state of one group, as its function sees it.

use super::duration::StateDuration;
use crate::error::Error;

/// When a group without new rows is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupStateTimeout {
    /// Never.
    NoTimeout,
    /// Some time after a batch: [`GroupState::set_timeout_duration`].
    ProcessingTimeTimeout,
    /// When the watermark has passed a time: [`GroupState::set_timeout_timestamp`].
    EventTimeTimeout,
}

impl GroupStateTimeout {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NoTimeout => "NoTimeout",
            Self::ProcessingTimeTimeout => "ProcessingTimeTimeout",
            Self::EventTimeTimeout => "EventTimeTimeout",
        }
    }
}

/// What a function keeps for one group. What it holds when the function returns is kept; a group
/// without state is forgotten.
#[derive(Debug)]
pub struct GroupState<S> {
    value: Option<S>,
    has_timed_out: bool,
    timeout: GroupStateTimeout,
    batch_timestamp_ms: i64,
    watermark_ms: i64,
    timeout_ms: Option<i64>,
    error: Option<Error>,
}

/// What is left of a state when its function has returned.
pub(super) struct Left<S> {
    pub(super) value: Option<S>,
    pub(super) timeout_ms: Option<i64>,
}

/// The times of a batch, in ms since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) batch_timestamp_ms: i64,
    pub(super) watermark_ms: i64,
}

impl<S> GroupState<S> {
    pub(super) fn new(
        value: Option<S>,
        has_timed_out: bool,
        timeout: GroupStateTimeout,
        times: Times,
    ) -> Self {
        Self {
            value,
            has_timed_out,
            timeout,
            batch_timestamp_ms: times.batch_timestamp_ms,
            watermark_ms: times.watermark_ms,
            timeout_ms: None,
            error: None,
        }
    }

    /// Whether there is a state.
    pub fn exists(&self) -> bool {
        self.value.is_some()
    }

    /// The state, if there is one.
    pub fn get(&self) -> Option<&S> {
        self.value.as_ref()
    }

    /// The state, to change it, if there is one.
    pub fn get_mut(&mut self) -> Option<&mut S> {
        self.value.as_mut()
    }

    /// The state, to change it; a new one if there is none.
    pub fn get_or_default(&mut self) -> &mut S
    where
        S: Default,
    {
        self.value.get_or_insert_default()
    }

    /// Keeps this state from now on.
    pub fn update(&mut self, state: S) {
        self.value = Some(state);
    }

    /// Forgets the group, and gives what was kept for it.
    pub fn remove(&mut self) -> Option<S> {
        self.timeout_ms = None;
        self.value.take()
    }

    /// Whether the function is called because the group's time has come; then there are no rows.
    pub fn has_timed_out(&self) -> bool {
        self.has_timed_out
    }

    /// The time of the batch, in ms since 1970.
    pub fn current_processing_time_ms(&self) -> i64 {
        self.batch_timestamp_ms
    }

    /// The watermark, in ms since 1970.
    pub fn current_watermark_ms(&self) -> i64 {
        self.watermark_ms
    }

    /// With [`GroupStateTimeout::ProcessingTimeTimeout`]: calls the function without rows, so long
    /// after this batch, if none come before: milliseconds, a
    /// [`Duration`](std::time::Duration), or text such as `"10 minutes"`. The query fails if that
    /// is not a positive time, or the group has no such timeout.
    pub fn set_timeout_duration(&mut self, duration: impl StateDuration) {
        if self.timeout != GroupStateTimeout::ProcessingTimeTimeout {
            return self.refuse(
                "a timeout duration",
                GroupStateTimeout::ProcessingTimeTimeout,
            );
        }
        match duration.millis() {
            Ok(millis) => self.timeout_ms = Some(self.batch_timestamp_ms.saturating_add(millis)),
            Err(error) => self.error = Some(error),
        }
    }

    /// With [`GroupStateTimeout::EventTimeTimeout`]: calls the function without rows when the
    /// watermark has passed this time, in ms since 1970. The query fails if it has passed it
    /// already, or the group has no such timeout.
    pub fn set_timeout_timestamp(&mut self, timestamp_ms: i64) {
        if self.timeout != GroupStateTimeout::EventTimeTimeout {
            return self.refuse("a timeout timestamp", GroupStateTimeout::EventTimeTimeout);
        }
        if timestamp_ms <= self.watermark_ms {
            let error = Error::of(
                "IllegalArgumentException",
                format!(
                    "timeout timestamp {timestamp_ms} is not after the watermark {}",
                    self.watermark_ms
                ),
            );
            self.error = Some(error);
            return;
        }
        self.timeout_ms = Some(timestamp_ms);
    }

    fn refuse(&mut self, what: &str, needed: GroupStateTimeout) {
        let message = format!("{what} can only be set with {}", needed.name());
        let hint = format!("give GroupStateTimeout::{} to the function", needed.name());
        self.error = Some(Error::of("UnsupportedOperationException", message).with_hint(hint));
    }

    /// What is left, unless the function did what it may not do.
    pub(super) fn leave(self) -> Result<Left<S>, Error> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Left {
                value: self.value,
                timeout_ms: self.timeout_ms,
            }),
        }
    }
}
