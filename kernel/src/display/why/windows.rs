//! Windows that are still open: append writes a window when it is closed.

use tidebook_engine::OutputMode;
use tidebook_engine::why::{BatchWhy, OpenWhy, OperatorWhy, WatermarkPart, WatermarkWhy};

use super::words::{are, earlier, is_epoch, span, time};
use super::{Asked, Reason};
use crate::display::number::{count, thousands};

/// Whether an operator is an aggregation.
pub(super) fn is_aggregation(operator_name: &str) -> bool {
    matches!(operator_name, "stateStoreSave" | SESSIONS)
}

/// Spark's name for an aggregation over sessions.
const SESSIONS: &str = "sessionWindowStateStoreSaveExec";

/// What the mode means for what comes out, once more rows are there than were written.
pub(super) fn reasons(asked: &Asked) -> Option<Reason> {
    let Open { open, what, .. } = first_open(asked.batch()?)?;
    match asked.output_mode {
        // Said of the rows that were read, if those are why nothing came.
        OutputMode::Append if says_of_rows(asked) => None,
        OutputMode::Append => still_open(asked, None),
        OutputMode::Update => Some(
            Reason::new(format!(
                "update writes a {} each time a batch changes it, and not when it {}.",
                what.noun(),
                what.ends()
            ))
            .figure(format!(
                "open {}s: {}",
                what.noun(),
                thousands(open.num_times)
            )),
        ),
        OutputMode::Complete => None,
    }
}

fn says_of_rows(asked: &Asked) -> bool {
    let last = asked.last_with_rows();
    let why = last.and_then(|last| last.why.as_ref());
    let nodes = why.map_or(&[][..], |why| why.nodes.as_slice());
    let silent = asked
        .batch()
        .is_some_and(|batch| batch.num_output_rows == 0);
    let all_late = last.is_some_and(|last| {
        last.state_operators.iter().any(|operator| {
            is_aggregation(&operator.operator_name)
                && operator.num_rows_updated == 0
                && operator.num_rows_dropped_by_watermark > 0
        })
    });
    silent
        && !all_late
        && nodes.iter().any(|node| {
            let operator = node.operator;
            let operator = operator.and_then(|at| why?.operators.get(at));
            let arrived: i64 = node.inputs.iter().filter_map(|input| input.num_rows).sum();
            arrived > 0
                && node.num_output_rows == 0
                && operator.is_some_and(|operator| is_aggregation(&operator.operator_name))
        })
}

/// What rows are grouped by that is complete at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouped {
    Windows,
    Sessions,
    /// By the event time itself.
    Times,
}

impl Grouped {
    /// What an aggregation groups by, as far as what is open in it tells.
    pub(super) fn of(operator: &OperatorWhy) -> Self {
        let mut opens = operator
            .stores
            .iter()
            .filter_map(|store| store.open.as_ref());
        match operator.operator_name.as_str() {
            SESSIONS => Self::Sessions,
            _ if opens.any(|open| open.duration_ms > 0) => Self::Windows,
            _ => Self::Times,
        }
    }

    /// What one of them is called.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Windows => "window",
            Self::Sessions => "session",
            Self::Times => "group",
        }
    }

    /// What it does when it is complete.
    pub(super) fn ends(self) -> &'static str {
        match self {
            Self::Windows => "is closed",
            Self::Sessions => "is over",
            Self::Times => "is complete",
        }
    }
}

/// What of an aggregation is open.
struct Open<'a> {
    operator: &'a OperatorWhy,
    open: &'a OpenWhy,
    what: Grouped,
    groups: i64,
}

/// What of the aggregation nearest the sink is open.
fn first_open(batch: &BatchWhy) -> Option<Open<'_>> {
    let mut operators = batch.operators.iter();
    operators.find_map(|operator| {
        let store = operator.stores.first()?;
        is_aggregation(&operator.operator_name).then_some(())?;
        Some(Open {
            operator,
            open: store.open.as_ref()?,
            what: Grouped::of(operator),
            groups: store.num_rows,
        })
    })
}

/// That windows are open and when the next closes; `rows` are how many, and of which batch.
pub(super) fn still_open(asked: &Asked, rows: Option<(i64, i64)>) -> Option<Reason> {
    let batch = asked.batch()?;
    let Open {
        operator,
        open,
        what,
        groups,
    } = first_open(batch)?;
    let windows = count(open.num_times, what.noun());
    let done = match operator.only_counts {
        true => "counted",
        false => "aggregated",
    };
    let of_rows = rows.map(|(rows, batch)| {
        let (rows, are) = (count(rows, "row"), are(rows));
        format!("The {rows} of batch {batch} {are} {done} but not written yet: ")
    });
    let closes = closes(asked, batch.watermark.as_ref(), open);
    let reason = Reason::new(format!(
        "{}append writes a {} when it {}, and {windows} {} still open; the next {} when {closes}.",
        of_rows.unwrap_or_default(),
        what.noun(),
        what.ends(),
        are(open.num_times),
        match what {
            Grouped::Windows => "closes",
            Grouped::Sessions => "is over",
            Grouped::Times => "is complete",
        }
    ));
    let mut reason = reason.figure(match what {
        Grouped::Windows => format!("open: {} in {windows}", count(groups, "group")),
        Grouped::Sessions => format!("open: {}", count(groups, "session")),
        Grouped::Times => format!(
            "open: {} of {}",
            count(groups, "group"),
            count(open.num_times, "event time")
        ),
    });
    if let Some(end) = open.ends.first() {
        reason = reason.figure(match open.duration_ms {
            0 if what == Grouped::Times => format!("the next: of {}", time(end)),
            0 => format!("next to close: the one that ends at {}", time(end)),
            length => format!("next to close: {} – {}", earlier(end, length), time(end)),
        });
        if let Some(watermark) = &batch.watermark {
            reason = reason.figure(watermark_figure(watermark, end));
        }
    }
    Some(reason)
}

/// What has to happen for the next window to be closed.
pub(super) fn closes(asked: &Asked, watermark: Option<&WatermarkWhy>, open: &OpenWhy) -> String {
    let times = &open.closes_at_event_time;
    let first = times.first().map_or_else(String::new, |first| time(first));
    let Some(watermark) = watermark.filter(|watermark| watermark.parts.len() > 1) else {
        return format!("an event at or after {first} arrives");
    };
    // Times of one form are in order as texts.
    let is_ahead = |part: &WatermarkPart, at: &String| {
        watermark.policy != "max" && part.max_event_time.as_ref() >= Some(at)
    };
    let each = watermark.parts.iter().zip(times);
    let each = each.filter(|(part, at)| !is_ahead(part, at));
    let each = each.map(|(part, at)| format!("{} from {}", time(at), asked.sources(&part.sources)));
    let each: Vec<String> = each.collect();
    match watermark.policy.as_str() {
        "max" => format!("an event arrives at or after {}", each.join(", or ")),
        _ if each.len() == 1 => format!("an event arrives at or after {}", each.concat()),
        _ => format!("events have arrived at or after {}", each.join(", and ")),
    }
}

/// Where the watermark stands, and where it has to be.
fn watermark_figure(watermark: &WatermarkWhy, end: &str) -> String {
    let stands = match is_epoch(&watermark.current) {
        true => "there is no watermark yet".to_owned(),
        false => format!("the watermark is {}", time(&watermark.current)),
    };
    let [part] = watermark.parts.as_slice() else {
        return format!("{stands}; it has to reach {}", time(end));
    };
    let latest = part.max_event_time.as_deref();
    let latest = latest.map(|latest| {
        format!(
            " (latest event time {} − delay {})",
            time(latest),
            span(part.delay_ms)
        )
    });
    format!(
        "{stands}{}; it has to reach {}",
        latest.unwrap_or_default(),
        time(end)
    )
}
