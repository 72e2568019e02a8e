//! Who holds the watermark back: a stream that is silent or slow, or an event time that is NULL.

use tidebook_engine::why::{WatermarkPart, WatermarkWhy};

use super::words::{span, time};
use super::{Asked, Reason};
use crate::display::number::{count, thousands};

pub(super) fn reasons(asked: &Asked) -> Option<Reason> {
    let batch = asked.batch()?;
    let watermark = batch.watermark.as_ref()?;
    // Without an operator that remembers, nothing waits for the watermark.
    let waits = batch.operators.iter().any(|operator| {
        let mut stores = operator.stores.iter();
        stores.any(|store| store.num_rows > 0)
    });
    if !waits {
        return None;
    }
    let reason = match watermark.parts.as_slice() {
        [part] => single(asked, part)?,
        _ => slowest(asked, watermark)?,
    };
    let parts = watermark.parts.iter();
    let several = watermark.parts.len() > 1;
    let figures = parts.map(|part| figure(asked, part, several));
    Some(figures.fold(reason, Reason::figure))
}

/// The only watermark: whether NULLs keep it from moving.
fn single(asked: &Asked, part: &WatermarkPart) -> Option<Reason> {
    let (column, rows) = (&part.column, count(part.num_rows, "row"));
    match part.num_nulls {
        0 => None,
        nulls if nulls == part.num_rows => Some(Reason::new(format!(
            "The event time '{column}' is NULL in all {rows} of {}, so the watermark does not move and no window closes.",
            asked.sources(&part.sources)
        ))),
        nulls => Some(Reason::new(format!(
            "The event time '{column}' is NULL in {} of {rows}: those do not move the watermark.",
            thousands(nulls)
        ))),
    }
}

/// Of several watermarks, the one that decides.
fn slowest(asked: &Asked, watermark: &WatermarkWhy) -> Option<Reason> {
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
    let because = match (slowest.num_rows, slowest.num_nulls) {
        (0, _) => format!("{source} has brought no row yet"),
        (rows, nulls) if rows == nulls => format!(
            "the event time '{}' is NULL in all {} of {source}",
            slowest.column,
            count(rows, "row")
        ),
        _ => format!(
            "the latest event time of {source} is {}",
            time(slowest.max_event_time.as_deref().unwrap_or_default())
        ),
    };
    Some(Reason::new(format!(
        "{source} holds the watermark back: {because}, and of several streams the slowest decides."
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
