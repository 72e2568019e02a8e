//! "Not yet": what waits for the next trigger.

use tidebook_engine::Trigger;
use tidebook_engine::why::InputWhy;

use super::words::{span, time};
use super::{Asked, Reason};
use crate::display::number::count;
use crate::display::query_card::QueryState;

/// Rows or files that are there already, and are read when the next trigger is due.
pub(super) fn waiting(asked: &Asked) -> Option<Reason> {
    let due = asked.why.next_trigger.as_deref()?;
    let Trigger::ProcessingTime(interval) = asked.trigger else {
        return None;
    };
    let mut sources = asked.why.sources.iter();
    let waiting = sources.find_map(|source| match source.input.as_ref()? {
        InputWhy::Files(files) if files.waiting.num > 0 => Some(count(files.waiting.num, "file")),
        InputWhy::Memory {
            num_rows_waiting, ..
        } if *num_rows_waiting > 0 => Some(count(*num_rows_waiting, "row")),
        _ => None,
    })?;
    let reason = Reason::new(format!(
        "Not yet: {waiting} waiting for the next trigger, which is due at {}.",
        time(due)
    ));
    let reason = reason.figure(format!(
        "trigger: every {}",
        span(interval.as_millis() as i64)
    ));
    Some(match asked.manual_clock {
        true => reason.figure("the query lives by the manual clock: %clock advance moves it"),
        false => reason,
    })
}

/// When the query looks again.
pub(super) fn next(asked: &Asked) -> Option<Reason> {
    if asked.state == QueryState::Running {
        return Some(Reason::new("A batch is being worked on right now."));
    }
    if waiting(asked).is_some() {
        return None;
    }
    let due = asked.why.next_trigger.as_deref()?;
    let clock = if asked.manual_clock {
        " by the manual clock, which %clock advance moves"
    } else {
        ""
    };
    Some(Reason::new(format!(
        "The next trigger is due at {}{clock}.",
        time(due)
    )))
}
