//! How a column is known to be an event time: by Spark's field metadata, which travels with the
//! column through projections, aliases and grouping.

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::{DataType, Field};
use datafusion::common::DFSchema;

/// On the event-time column: the watermark's delay in milliseconds. Spark's own key.
pub(super) const WATERMARK_DELAY_MS: &str = "spark.watermarkDelayMs";

/// On a column of window starts: the window's length in microseconds.
pub(super) const WINDOW_DURATION_US: &str = "tidebook.windowDurationUs";

/// The watermark's delay, if the column is an event time.
pub(super) fn watermark_delay_ms(field: &Field) -> Option<i64> {
    field.metadata().get(WATERMARK_DELAY_MS)?.parse().ok()
}

/// Whether rows of this schema have an event time.
pub(super) fn has_event_time(schema: &DFSchema) -> bool {
    let mut fields = schema.fields().iter();
    fields.any(|field| watermark_delay_ms(field).is_some())
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
