//! What came too late: how much, how late, and a few of the rows.

use tidebook_engine::why::{LateWhy, OperatorWhy, WatermarkOrigin, WatermarkPart};

use super::windows::is_aggregation;
use super::words::{self, span, time};
use super::{Asked, Reason};
use crate::display::number::count;

/// Of the newest batch that dropped anything. What `said` says already gets the figures alone.
pub(super) fn reasons(asked: &Asked, said: &[Reason]) -> Option<Reason> {
    let batches = asked.batches();
    let mut newest = batches.iter().rev();
    let (batch, operator, late) = newest.find_map(|batch| {
        let mut operators = batch.why.as_ref()?.operators.iter();
        let late = |operator: &'_ OperatorWhy| operator.late.clone();
        operators.find_map(|operator| Some((batch.batch_id, operator, late(operator)?)))
    })?;
    let all: i64 = batches
        .iter()
        .flat_map(|batch| &batch.state_operators)
        .map(|operator| operator.num_rows_dropped_by_watermark)
        .sum();
    let dropped = what(operator, late.num_dropped);
    let is_said = said.iter().any(|reason| reason.says.contains("too late"));
    let watermark = time(&late.watermark);
    let says = match is_said {
        true => format!(
            "Dropped as late by batch {batch}: {dropped}; the watermark was at {watermark} already."
        ),
        false => format!(
            "Batch {batch} dropped {dropped} that came too late: the watermark was at {watermark} already."
        ),
    };
    let mut reason = Reason::new(says);
    if let Some(from) = origin(asked, &late) {
        reason = reason.figure(from);
    }
    for row in rows(operator, &late) {
        reason = reason.figure(row);
    }
    if let Some(remedy) = remedy(asked, &late) {
        reason = reason.figure(remedy);
    }
    if all > late.num_dropped {
        reason = reason.figure(format!("in all recent batches: {}", what(operator, all)));
    }
    Some(reason)
}

/// The event that had put the watermark there.
fn origin(asked: &Asked, late: &LateWhy) -> Option<String> {
    let from = late.watermark_from.as_ref()?;
    let part = part(asked, from)?;
    Some(format!(
        "batch {} had read {} = {} from {}, and the delay is {}",
        from.batch_id,
        part.column,
        time(&from.event_time),
        asked.sources(&part.sources),
        span(part.delay_ms)
    ))
}

/// What would have kept them all, if that can be said of one delay.
fn remedy(asked: &Asked, late: &LateWhy) -> Option<String> {
    let watermark = asked.batch()?.watermark.as_ref()?;
    if watermark.parts.len() > 1 && watermark.policy == "max" {
        return None;
    }
    let part = part(asked, late.watermark_from.as_ref()?)?;
    let needed = part.delay_ms.saturating_add(late.max_late_ms);
    Some(format!(
        "a delay of more than {} in the watermark of {} would have kept them",
        span(needed),
        asked.sources(&part.sources)
    ))
}

fn part<'a>(asked: &'a Asked, from: &WatermarkOrigin) -> Option<&'a WatermarkPart> {
    asked.batch()?.watermark.as_ref()?.parts.get(from.part)
}

/// How many rows; an aggregation counts groups.
fn what(operator: &OperatorWhy, dropped: i64) -> String {
    match is_aggregation(&operator.operator_name) {
        true => format!(
            "{} of rows (one window and key is one)",
            count(dropped, "group")
        ),
        false => count(dropped, "row"),
    }
}

fn rows(operator: &OperatorWhy, late: &LateWhy) -> Vec<String> {
    let ended = match is_aggregation(&operator.operator_name) {
        true => "ended at",
        false => "is of",
    };
    let rows = late.rows.iter();
    rows.map(|row| {
        format!(
            "{} {ended} {}, {} too late",
            words::row(&row.row),
            time(&row.event_time),
            span(row.late_ms)
        )
    })
    .collect()
}
