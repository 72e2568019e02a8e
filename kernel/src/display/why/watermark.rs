//! Who holds the watermark back: a stream that is silent or slow, or an event time that is NULL.

use tidebook_engine::OutputMode;
use tidebook_engine::why::{OperatorWhy, WatermarkPart, WatermarkWhy};

use super::windows::{Grouped, is_aggregation};
use super::words::{span, time};
use super::{Asked, Reason};
use crate::display::number::{count, thousands};

pub(super) fn reasons(asked: &Asked) -> Option<Reason> {
    let batch = asked.batch()?;
    let watermark = batch.watermark.as_ref()?;
    // Without an operator that remembers, nothing waits for the watermark.
    let holding = batch.operators.iter().filter(|operator| {
        let mut stores = operator.stores.iter();
        stores.any(|store| store.num_rows > 0)
    });
    let holding: Vec<&OperatorWhy> = holding.collect();
    if holding.is_empty() {
        return None;
    }
    let reason = match watermark.parts.as_slice() {
        [part] => single(asked, part, &holding)?,
        _ => slowest(asked, watermark, &holding)?,
    };
    let parts = watermark.parts.iter();
    let several = watermark.parts.len() > 1;
    let figures = parts.map(|part| figure(asked, part, several));
    Some(figures.fold(reason, Reason::figure))
}

/// What in the state of these operators comes out once the watermark has passed it, of which none does
/// meanwhile.
fn waits_for_watermark(asked: &Asked, holding: &[&OperatorWhy]) -> Option<&'static str> {
    holding.iter().find_map(|operator| {
        let is_outer = matches!(
            operator.join_type.as_deref(),
            Some("LEFT" | "RIGHT" | "FULL")
        );
        let is_append = asked.output_mode == OutputMode::Append;
        match operator.operator_name.as_str() {
            name if is_aggregation(name) && is_append => Some(match Grouped::of(operator) {
                Grouped::Windows => "no window closes",
                Grouped::Sessions => "no session ends",
                Grouped::Times => "no group is complete",
            }),
            _ if is_outer => Some("no row comes out without a partner"),
            _ => None,
        }
    })
}

/// The only watermark: whether NULLs keep it from moving.
fn single(asked: &Asked, part: &WatermarkPart, holding: &[&OperatorWhy]) -> Option<Reason> {
    let (column, rows) = (&part.column, count(part.num_rows, "row"));
    let waits = waits_for_watermark(asked, holding).unwrap_or("nothing in the state is forgotten");
    match part.num_nulls {
        0 => None,
        nulls if nulls == part.num_rows => Some(Reason::new(format!(
            "The event time '{column}' is NULL in all {rows} of {}, so the watermark does not move and {waits}.",
            asked.sources(&part.sources)
        ))),
        nulls => Some(Reason::new(format!(
            "The event time '{column}' is NULL in {} of {rows}: those do not move the watermark.",
            thousands(nulls)
        ))),
    }
}

/// Of several watermarks, the one that decides.
fn slowest(asked: &Asked, watermark: &WatermarkWhy, holding: &[&OperatorWhy]) -> Option<Reason> {
    let parts = watermark.parts.iter();
    // Times of one form are in order as texts; none comes before all.
    let slowest = match watermark.policy.as_str() {
        "max" => parts.max_by_key(|part| part.watermark.as_deref())?,
        _ => parts.min_by_key(|part| part.watermark.as_deref())?,
    };
    let ahead = watermark
        .parts
        .iter()
        .any(|part| part.watermark > slowest.watermark);
    if watermark.policy == "max" || !ahead {
        return None;
    }
    let source = asked.sources(&slowest.sources);
    let is_one = slowest.sources.len() < 2;
    let its = if is_one { "its" } else { "their" };
    let because = match (slowest.num_rows, slowest.num_nulls) {
        (0, _) if is_one => "it has brought no row yet".to_owned(),
        (0, _) => "they have brought no row yet".to_owned(),
        (rows, nulls) if rows == nulls => format!(
            "{its} event time '{}' is NULL in all {}",
            slowest.column,
            count(rows, "row")
        ),
        _ => format!(
            "{its} latest event time is {}",
            time(slowest.max_event_time.as_deref().unwrap_or_default())
        ),
    };
    let hold = if is_one { "holds" } else { "hold" };
    let meanwhile = match waits_for_watermark(asked, holding) {
        Some(waits) => format!("Meanwhile {waits}."),
        None => "In this mode no row waits for the watermark: it only decides how long the state is kept.".to_owned(),
    };
    Some(Reason::new(format!(
        "{source} {hold} the watermark back: {because}, and of several streams the slowest decides. {meanwhile}"
    )))
}

fn figure(asked: &Asked, part: &WatermarkPart, several: bool) -> String {
    let whose = match several {
        true => format!("{}: ", asked.sources(&part.sources)),
        false => String::new(),
    };
    if part.num_rows == 0 {
        return format!("{whose}no row yet; delay {}", span(part.delay_ms));
    }
    let rows = format!(
        "{}, {} with NULL in '{}'",
        count(part.num_rows, "row"),
        thousands(part.num_nulls),
        part.column
    );
    match (&part.max_event_time, &part.watermark) {
        (Some(latest), Some(watermark)) => format!(
            "{whose}{rows}; latest event time {} − delay {} = {}",
            time(latest),
            span(part.delay_ms),
            time(watermark)
        ),
        _ => format!("{whose}{rows}; no event time yet"),
    }
}
