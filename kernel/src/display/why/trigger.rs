//! "Not yet": what waits for the next trigger.

use tidebook_engine::Trigger;
use tidebook_engine::why::InputWhy;

use super::words::{interval, ms_between, span, time, waits};
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
        InputWhy::Files(files) if files.waiting.num > 0 => Some((files.waiting.num, "file")),
        InputWhy::Memory {
            num_rows_waiting, ..
        } if *num_rows_waiting > 0 => Some((*num_rows_waiting, "row")),
        _ => None,
    });
    let (num, what) = waiting?;
    let reason = Reason::new(format!(
        "Not yet: {} {} for the next trigger, which is due at {}.",
        count(num, what),
        waits(num),
        time(due)
    ));
    let reason = reason.figure(format!(
        "trigger: every {}",
        span(interval.as_millis() as i64)
    ));
    Some(match asked.manual_clock {
        true => reason.figure(manual_clock(asked, due)),
        false => reason,
    })
}

/// Where the clock stands that is moved by hand, and what moves it to the next trigger.
fn manual_clock(asked: &Asked, due: &str) -> String {
    let now = asked.why.now.as_deref();
    let stands = now.map_or_else(String::new, |now| {
        format!(", which stands at {}", time(now))
    });
    let left = now
        .and_then(|now| ms_between(now, due))
        .filter(|ms| *ms > 0);
    let advance = match left {
        Some(ms) => format!("%clock advance \"{}\" makes it due", interval(ms)),
        None => "%clock advance moves it".to_owned(),
    };
    format!("the query lives by the manual clock{stands}: {advance}")
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
    let reason = Reason::new(format!("The next trigger is due at {}.", time(due)));
    Some(match asked.manual_clock {
        true => reason.figure(manual_clock(asked, due)),
        false => reason,
    })
}
