//! A progress as servers write it: Spark's leaves out what can be computed, and writes offsets as texts.

use serde_json::{Map, Value};
use tidebook_engine::StreamingQueryProgress;

/// What is not there if it is nothing.
const NOTHING: &[(&str, Nothing)] = &[
    ("durationMs", || Value::Object(Map::new())),
    ("eventTime", || Value::Object(Map::new())),
    ("stateOperators", || Value::Array(Vec::new())),
    ("sources", || Value::Array(Vec::new())),
];

type Nothing = fn() -> Value;

const RATES: [&str; 2] = ["inputRowsPerSecond", "processedRowsPerSecond"];

/// The rate of a first batch: not finite, and equal to itself.
const UNKNOWN_RATE: f64 = f64::INFINITY;

const OFFSETS: [&str; 3] = ["startOffset", "endOffset", "latestOffset"];

/// Reads a progress; none if it is not one.
pub(crate) fn read(text: &str) -> Option<StreamingQueryProgress> {
    let read = serde_json::from_str(text).and_then(|mut value: Value| {
        if let Some(progress) = value.as_object_mut() {
            complete(progress);
        }
        let mut progress: StreamingQueryProgress = serde_json::from_value(value.clone())?;
        if value.get("inputRowsPerSecond").is_none() {
            progress.input_rows_per_second = UNKNOWN_RATE;
        }
        if value.get("processedRowsPerSecond").is_none() {
            progress.processed_rows_per_second = UNKNOWN_RATE;
        }
        Ok(progress)
    });
    read.inspect_err(|error| tracing::debug!(%error, text, "a progress cannot be read"))
        .ok()
}

fn complete(progress: &mut Map<String, Value>) {
    for (name, nothing) in NOTHING {
        if progress.get(*name).is_none_or(Value::is_null) {
            progress.insert((*name).to_string(), nothing());
        }
    }
    let sources = progress.get_mut("sources").and_then(Value::as_array_mut);
    let sources = sources.into_iter().flatten();
    let sources: Vec<_> = sources
        .filter_map(Value::as_object_mut)
        .map(|source| {
            finite_rates(source);
            for offset in OFFSETS {
                read_offset(source.entry(offset).or_insert(Value::Null));
            }
            source.clone()
        })
        .collect();
    finite_rates(progress);
    let rows = sources
        .iter()
        .filter_map(|source| source.get("numInputRows")?.as_i64());
    let rows: i64 = rows.sum();
    progress.entry("numInputRows").or_insert(rows.into());
    for rate in RATES {
        let rates: Option<Vec<f64>> = sources
            .iter()
            .map(|source| source.get(rate)?.as_f64())
            .collect();
        if let Some(rates) = rates.filter(|rates| !rates.is_empty()) {
            let sum: f64 = rates.iter().sum();
            progress.entry(rate).or_insert(sum.into());
        }
    }
    let took = progress.get("durationMs");
    let took = took.and_then(|took| took.get("triggerExecution")).cloned();
    progress
        .entry("batchDuration")
        .or_insert(took.unwrap_or(Value::from(0)));
}

/// A rate that is no number (`"NaN"`) is left out, as in Spark's own text of a progress.
fn finite_rates(of: &mut Map<String, Value>) {
    for rate in RATES {
        if of.get(rate).is_some_and(|rate| !rate.is_number()) {
            of.remove(rate);
        }
    }
}

/// An offset that is the text of one.
fn read_offset(offset: &mut Value) {
    let read = offset.as_str().map(serde_json::from_str);
    if let Some(Ok(read)) = read {
        *offset = read;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spark_leaves_out_is_computed() {
        let progress = read(
            r#"{"id": "00000000-0000-0000-0000-000000000001", "runId": "00000000-0000-0000-0000-000000000002",
                "name": "q", "timestamp": "2024-01-01T00:00:00.000Z", "batchId": 3, "batchDuration": 12,
                "durationMs": {"addBatch": 7, "triggerExecution": 12}, "eventTime": {}, "stateOperators": [],
                "sources": [
                  {"description": "a", "startOffset": "{\"logOffset\":1}", "endOffset": "3", "latestOffset": null,
                   "numInputRows": 5, "inputRowsPerSecond": "NaN", "processedRowsPerSecond": 2.5, "metrics": {}},
                  {"description": "b", "numInputRows": 2, "inputRowsPerSecond": 1.0,
                   "processedRowsPerSecond": 0.5, "metrics": {}}],
                "sink": {"description": "MemorySink", "numOutputRows": 7, "metrics": {}}, "observedMetrics": {}}"#,
        )
        .unwrap();
        assert_eq!(progress.num_input_rows, 7);
        assert_eq!(progress.processed_rows_per_second, 3.0);
        assert!(progress.input_rows_per_second.is_infinite() && progress == progress.clone());
        assert_eq!(progress.sources[0].start_offset["logOffset"], 1);
        assert_eq!(progress.sources[1].latest_offset, Value::Null);
        assert!(read("{}").is_none() && read("").is_none());
    }
}
