//! What one trigger did, in Spark's shape: serialised, it has Spark's names in Spark's order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use crate::why::BatchWhy;

/// Progress of one trigger of a streaming query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamingQueryProgress {
    /// Stays the same over restarts from one checkpoint.
    pub id: Uuid,
    /// New with every start.
    pub run_id: Uuid,
    /// The query's name, if it was given one.
    pub name: Option<String>,
    /// Start of the trigger: ISO 8601, UTC, milliseconds.
    pub timestamp: String,
    /// The batch this progress is about; of an idle trigger, the next one.
    pub batch_id: i64,
    /// How long the trigger took, in milliseconds.
    pub batch_duration: i64,
    /// Rows read from all sources.
    pub num_input_rows: i64,
    /// Rows that arrived per second since the previous trigger; not finite in a first batch.
    #[serde(serialize_with = "rate", skip_serializing_if = "not_finite", default)]
    pub input_rows_per_second: f64,
    /// Rows processed per second of trigger time.
    #[serde(serialize_with = "rate", skip_serializing_if = "not_finite", default)]
    pub processed_rows_per_second: f64,
    /// Milliseconds per phase: addBatch, commitOffsets, getBatch, latestOffset, queryPlanning,
    /// triggerExecution, walCommit.
    pub duration_ms: BTreeMap<String, i64>,
    /// avg, max, min (of this batch) and watermark (used in this batch): ISO 8601, UTC.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub event_time: BTreeMap<String, String>,
    /// One entry per stateful operator, the one nearest the sink first.
    pub state_operators: Vec<StateOperatorProgress>,
    /// One entry per source.
    pub sources: Vec<SourceProgress>,
    /// The sink.
    pub sink: SinkProgress,
    /// Not Spark's: why nothing came out, or what came too late; none where rows came out and none
    /// were dropped.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<Box<BatchWhy>>,
}

/// What one stateful operator holds and did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateOperatorProgress {
    /// Spark's name: `stateStoreSave`, `dedupe`, `dedupeWithinWatermark`, `globalLimit`,
    /// `flatMapGroupsWithState`.
    pub operator_name: String,
    /// Keys held after the batch.
    pub num_rows_total: i64,
    /// Keys written by the batch.
    pub num_rows_updated: i64,
    /// Milliseconds spent on writes.
    pub all_updates_time_ms: i64,
    /// Keys removed because the watermark passed them.
    pub num_rows_removed: i64,
    /// Milliseconds spent on removals.
    pub all_removals_time_ms: i64,
    /// Milliseconds spent on making the new version durable.
    pub commit_time_ms: i64,
    /// Bytes held by the state.
    pub memory_used_bytes: i64,
    /// Too-late input: groups for an aggregation, rows for a deduplication.
    pub num_rows_dropped_by_watermark: i64,
    /// Partitions of the state.
    pub num_shuffle_partitions: i64,
    /// State store instances.
    pub num_state_store_instances: i64,
    /// Operator-specific counters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub custom_metrics: BTreeMap<String, i64>,
}

/// What was read from one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceProgress {
    /// e.g. `FileStreamSource[file:/data/in]`.
    pub description: String,
    /// Where the batch began; null at the very start.
    pub start_offset: Value,
    /// Where the batch ended.
    pub end_offset: Value,
    /// What the source had to offer, if it says.
    pub latest_offset: Value,
    /// Rows read.
    pub num_input_rows: i64,
    /// Rows that arrived per second since the previous trigger.
    #[serde(serialize_with = "rate", skip_serializing_if = "not_finite", default)]
    pub input_rows_per_second: f64,
    /// Rows processed per second of trigger time.
    #[serde(serialize_with = "rate", skip_serializing_if = "not_finite", default)]
    pub processed_rows_per_second: f64,
    /// Source-specific counters, e.g. `numCorruptRecords`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub metrics: BTreeMap<String, String>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SinkProgress {
    /// e.g. `MemorySink`, `FileSink[file:/data/out]`.
    pub description: String,
    /// Rows written; -1 where the sink does not say (files).
    pub num_output_rows: i64,
}

/// What a query is doing right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamingQueryStatus {
    /// Spark's sentence, e.g. `Waiting for data to arrive`.
    pub message: String,
    /// Whether the sources have rows that were not yet processed.
    pub is_data_available: bool,
    /// Whether a batch is being worked on.
    pub is_trigger_active: bool,
}

impl StreamingQueryProgress {
    /// The progress as one line of JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The progress as indented JSON.
    pub fn pretty_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Rows written by the batch, if the sink says.
    pub fn num_output_rows(&self) -> Option<i64> {
        (self.sink.num_output_rows >= 0).then_some(self.sink.num_output_rows)
    }
}

fn not_finite(value: &f64) -> bool {
    !value.is_finite()
}

/// Spark prints rates with one decimal, rounded half up.
fn rate<S: Serializer>(value: &f64, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_f64((value * 10.0 + 0.5).floor() / 10.0)
}
