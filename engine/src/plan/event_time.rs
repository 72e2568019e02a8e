//! How a column is known to be an event time: by Spark's field metadata, which travels with the
//! column through projections, aliases and grouping.

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::DFSchema;

use crate::error::{Error, Result};

/// On the event-time column: the watermark's delay in milliseconds. Spark's own key.
pub(super) const WATERMARK_DELAY_MS: &str = "spark.watermarkDelayMs";

/// On a column of window starts: the window's length in microseconds.
pub(super) use crate::state::WINDOW_DURATION_US;

/// On the columns that a session is grouped by: which end of it they are.
const SESSION_BOUND: &str = "tidebook.sessionBound";

/// One of the two times of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionBound {
    /// When it starts.
    Start,
    /// When it ends.
    End,
}

/// The metadata of a column of such times.
pub(super) fn session_bound(bound: SessionBound) -> HashMap<String, String> {
    let value = match bound {
        SessionBound::Start => "start",
        SessionBound::End => "end",
    };
    HashMap::from([(SESSION_BOUND.to_string(), value.to_string())])
}

/// Which time of a session the column holds, if it does.
pub(super) fn session_bound_of(field: &Field) -> Option<SessionBound> {
    match field.metadata().get(SESSION_BOUND)?.as_str() {
        "start" => Some(SessionBound::Start),
        "end" => Some(SessionBound::End),
        _ => None,
    }
}

/// The watermark's delay, if the column is an event time.
pub(super) fn watermark_delay_ms(field: &Field) -> Option<i64> {
    field.metadata().get(WATERMARK_DELAY_MS)?.parse().ok()
}

/// Whether rows of this schema have an event time.
pub(super) fn has_event_time(schema: &DFSchema) -> bool {
    let mut fields = schema.fields().iter();
    fields.any(|field| watermark_delay_ms(field).is_some())
}

/// The event times among the columns: the index of each, and its watermark's delay.
pub(super) fn event_time_columns(schema: &DFSchema) -> impl Iterator<Item = (usize, i64)> {
    let fields = schema.fields().iter().enumerate();
    fields.filter_map(|(index, field)| Some((index, watermark_delay_ms(field)?)))
}

/// The one event time among some columns, if there is one: its index, and its watermark's delay.
/// Several are refused.
pub(super) fn the_event_time<'a>(
    fields: impl IntoIterator<Item = &'a FieldRef>,
) -> Result<Option<(usize, i64)>> {
    let fields = fields.into_iter().enumerate();
    let mut found =
        fields.filter_map(|(index, field)| Some((index, watermark_delay_ms(field)?, field)));
    let Some((index, delay_ms, field)) = found.next() else {
        return Ok(None);
    };
    let Some((_, _, other)) = found.next() else {
        return Ok(Some((index, delay_ms)));
    };
    let message = format!(
        "rows have two event times, {} and {}, where one has to say what comes too late",
        field.name(),
        other.name()
    );
    Err(Error::analysis(message)
        .with_condition("MULTIPLE_EVENT_TIME_COLUMNS")
        .with_hint("select only one of them below"))
}

/// The length of the window that starts at the column's value; 0 for a plain event time.
pub(super) fn window_duration_us(field: &Field) -> i64 {
    if matches!(field.data_type(), DataType::Struct(_)) {
        return 0;
    }
    let duration = field.metadata().get(WINDOW_DURATION_US);
    duration.and_then(|us| us.parse().ok()).unwrap_or(0)
}

/// The metadata of a column that is derived from `field` and is an event time if that is.
pub(super) fn inherit(field: &Field, duration_us: Option<i64>) -> HashMap<String, String> {
    let mut metadata = HashMap::new();
    if let Some(delay) = field.metadata().get(WATERMARK_DELAY_MS) {
        metadata.insert(WATERMARK_DELAY_MS.to_string(), delay.clone());
    }
    if let Some(duration) = duration_us {
        metadata.insert(WINDOW_DURATION_US.to_string(), duration.to_string());
    }
    metadata
}

/// What marks a column as an event time; empty for any other column.
pub(super) fn event_time_marks(field: &Field) -> BTreeMap<String, String> {
    let metadata = field.metadata().iter();
    metadata
        .filter(|(key, _)| [WATERMARK_DELAY_MS, WINDOW_DURATION_US].contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}
