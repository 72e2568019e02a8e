//! The fields of a progress by the paths that users write: `numInputRows`, `durationMs.addBatch`,
//! `stateOperators[0].numRowsTotal`, and our own sums over all operators.

use serde_json::{Map, Value, json};
use tidebook_engine::StreamingQueryProgress;

/// Our own sums over the operators of a query.
pub(super) const SUMS: [&str; 3] = ["stateRows", "stateBytes", "droppedRows"];

/// A progress as JSON, with our own sums and the watermark as a field of its own.
pub(crate) fn with_sums(progress: &StreamingQueryProgress) -> Value {
    let mut json = match serde_json::to_value(progress) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let operators = || progress.state_operators.iter();
    let rows: i64 = operators().map(|operator| operator.num_rows_total).sum();
    let bytes: i64 = operators().map(|operator| operator.memory_used_bytes).sum();
    let dropped: i64 = operators()
        .map(|operator| operator.num_rows_dropped_by_watermark)
        .sum();
    for (name, value) in SUMS.into_iter().zip([rows, bytes, dropped]) {
        json.insert(name.to_owned(), json!(value));
    }
    let watermark = progress.event_time.get("watermark");
    json.insert("watermark".to_owned(), json!(watermark));
    Value::Object(json)
}

/// What a path leads to, names in any case.
pub(crate) fn lookup<'a>(json: &'a Value, path: &str) -> Option<&'a Value> {
    let steps = path
        .split(['.', '['])
        .map(|step| step.trim_end_matches(']'));
    let mut value = json;
    for step in steps {
        value = match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            Value::Object(fields) => {
                let mut fields = fields.iter();
                fields.find(|(name, _)| name.eq_ignore_ascii_case(step))?.1
            }
            _ => return None,
        };
    }
    Some(value)
}

/// The paths of all numbers in a progress.
pub(super) fn number_paths(json: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    collect(json, "", &mut paths);
    paths
}

fn collect(value: &Value, path: &str, paths: &mut Vec<String>) {
    match value {
        Value::Number(_) => paths.push(path.to_owned()),
        Value::Object(fields) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (name, value) in fields {
                collect(value, &format!("{path}{dot}{name}"), paths);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                collect(value, &format!("{path}[{index}]"), paths);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::gallery;

    #[test]
    fn paths_lead_to_values() {
        let json = with_sums(&gallery::progresses(1)[0]);
        for (path, expected) in [
            ("durationMs.addBatch", json!(8)),
            ("stateoperators[0].NUMROWSTOTAL", json!(36)),
            ("stateRows", json!(36)),
            ("watermark", json!("2013-01-01T15:50:00.000Z")),
        ] {
            assert_eq!(lookup(&json, path), Some(&expected), "{path}");
        }
        assert_eq!(lookup(&json, "stateOperators[7].x"), None);
        let paths = number_paths(&json);
        for path in ["numInputRows", "sources[0].numInputRows", "droppedRows"] {
            assert!(paths.iter().any(|known| known == path), "{path}: {paths:?}");
        }
    }
}
