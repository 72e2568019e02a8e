//! Times, spans and lists as they stand in a sentence.

use chrono::DateTime;
use serde_json::Value;
use tidebook_engine::why::{Names, SourceWhy};

use crate::display::number::{count, duration, thousands};

/// `2024-01-01T12:10:00.000Z` as `2024-01-01 12:10:00`.
pub(super) fn time(iso: &str) -> String {
    let seconds = iso.trim_end_matches('Z').trim_end_matches(".000");
    seconds.replace('T', " ")
}

/// Whether a watermark stands where it stood before the first event.
pub(super) fn is_epoch(iso: &str) -> bool {
    iso.starts_with("1970-01-01T00:00:00.000")
}

/// A time so many milliseconds earlier.
pub(super) fn earlier(iso: &str, ms: i64) -> String {
    let moved = DateTime::parse_from_rfc3339(iso)
        .ok()
        .and_then(|time| time.checked_sub_signed(chrono::TimeDelta::milliseconds(ms)));
    let moved = moved.map(|time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
    time(moved.as_deref().unwrap_or(iso))
}

/// A span, `0 s` if it is none.
pub(super) fn span(ms: i64) -> String {
    match ms {
        0 => "0 s".to_owned(),
        ms => duration(ms),
    }
}

/// `a.json, b.json and 3 more`.
pub(super) fn names(names: &Names) -> String {
    let shown = names.first.join(", ");
    match names.num - names.first.len() as i64 {
        1.. if !shown.is_empty() => {
            let more = names.num - names.first.len() as i64;
            format!("{shown} and {} more", thousands(more))
        }
        _ => shown,
    }
}

/// What a source is called: by its name, or as it describes itself.
pub(super) fn source(source: &SourceWhy) -> String {
    match &source.name {
        Some(name) => format!("'{name}'"),
        None => source.description.clone(),
    }
}

/// The columns of a row.
pub(super) fn row(row: &Value) -> String {
    let columns = row.as_object().into_iter().flatten();
    let columns = columns.map(|(name, value)| match value.as_str() {
        Some(text) if DateTime::parse_from_rfc3339(text).is_ok() => {
            format!("{name} = {}", time(text))
        }
        Some(text) => format!("{name} = '{text}'"),
        None => format!("{name} = {value}"),
    });
    columns.collect::<Vec<_>>().join(", ")
}

/// How many milliseconds after one time another is.
pub(super) fn ms_between(from: &str, to: &str) -> Option<i64> {
    let at = |iso| DateTime::parse_from_rfc3339(iso).ok();
    Some((at(to)? - at(from)?).num_milliseconds())
}

/// A span as it is typed.
pub(super) fn interval(ms: i64) -> String {
    match ms {
        ms if ms % 60_000 == 0 => count(ms / 60_000, "minute"),
        ms if ms % 1000 == 0 => count(ms / 1000, "second"),
        ms => count(ms, "millisecond"),
    }
    .replace(',', "")
}

/// `waits` or `wait`.
pub(super) fn waits(count: i64) -> &'static str {
    if count == 1 { "waits" } else { "wait" }
}

/// `is` or `are`.
pub(super) fn are(count: i64) -> &'static str {
    if count == 1 { "is" } else { "are" }
}
