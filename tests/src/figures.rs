//! Figures of a batch's progress, as scripts name and show them.

use std::collections::BTreeMap;

use tidebook_engine::{StateOperatorProgress, StreamingQueryProgress};

use crate::cell::time_of_millis;

/// `batch 3: in=1 wm=12:05 rows=10 updated=2 removed=1`; zeros are left out.
pub fn batch_line(progress: &StreamingQueryProgress) -> String {
    let known = figures(progress, 0);
    let figure = |name: &str| known.get(name).map_or("none", String::as_str);
    let mut line = format!("batch {}: in={}", progress.batch_id, figure("input"));
    let watermark = figure("watermark");
    if watermark != "none" && watermark != "1970-01-01T00:00" {
        line.push_str(&format!(" wm={watermark}"));
    }
    if progress.state_operators.is_empty() {
        return line;
    }
    line.push_str(&format!(" rows={}", figure("state-rows")));
    for (key, name) in [
        ("state-updated", "updated"),
        ("state-removed", "removed"),
        ("dropped-by-watermark", "dropped"),
    ] {
        let figure = figure(key);
        if figure.split(',').any(|part| part != "0") {
            line.push_str(&format!(" {name}={figure}"));
        }
    }
    line
}

/// Everything an `expect` step can name. `batches` is how many batches the query has run.
pub fn figures(progress: &StreamingQueryProgress, batches: usize) -> BTreeMap<&str, String> {
    let operators = |figure: fn(&StateOperatorProgress) -> String| {
        let parts: Vec<_> = progress.state_operators.iter().map(figure).collect();
        if parts.is_empty() {
            "none".to_owned()
        } else {
            parts.join(",")
        }
    };
    let time = |key: &str| {
        progress
            .event_time
            .get(key)
            .map_or("none".to_owned(), |text| short(text))
    };
    let sink = progress
        .sink
        .description
        .split('[')
        .next()
        .unwrap_or_default();
    BTreeMap::from([
        ("batches", batches.to_string()),
        ("input", progress.num_input_rows.to_string()),
        ("output", progress.sink.num_output_rows.to_string()),
        ("sink", sink.to_owned()),
        (
            "operators",
            operators(|operator| operator.operator_name.clone()),
        ),
        (
            "state-rows",
            operators(|operator| operator.num_rows_total.to_string()),
        ),
        (
            "state-updated",
            operators(|operator| operator.num_rows_updated.to_string()),
        ),
        (
            "state-removed",
            operators(|operator| operator.num_rows_removed.to_string()),
        ),
        (
            "dropped-by-watermark",
            operators(|operator| operator.num_rows_dropped_by_watermark.to_string()),
        ),
        ("watermark", time("watermark")),
        ("event-max", time("max")),
        ("event-min", time("min")),
        ("event-avg", time("avg")),
    ])
}

/// A progress time (`2024-01-01T12:05:00.000Z`) as scripts write it.
fn short(text: &str) -> String {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) => time_of_millis(time.timestamp_millis()),
        Err(_) => text.to_owned(),
    }
}
