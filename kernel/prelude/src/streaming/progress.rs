//! What triggers of a query did, and what it is doing.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value as Json;

use super::query::show;
use crate::display::offer;
use crate::error::Result;
use crate::wire::QueryView;

/// What one trigger of a query did, as in Spark: `Display` gives its JSON.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamingQueryProgress {
    /// The query's id.
    pub id: String,
    /// The run's id.
    pub run_id: String,
    /// The query's name.
    pub name: Option<String>,
    /// When the trigger began: ISO 8601, UTC.
    pub timestamp: String,
    /// The number of the batch.
    #[serde(default)]
    pub batch_id: i64,
    /// How long the trigger took, in ms.
    #[serde(default)]
    pub batch_duration: i64,
    /// Rows read.
    #[serde(default)]
    pub num_input_rows: i64,
    /// Rows that came per second since the last trigger; 0 where that is not known.
    #[serde(default)]
    pub input_rows_per_second: f64,
    /// Rows processed per second of the trigger; 0 where that is not known.
    #[serde(default)]
    pub processed_rows_per_second: f64,
    /// How long each phase took, in ms: `addBatch`, `latestOffset`, `triggerExecution`, …
    #[serde(default)]
    pub duration_ms: BTreeMap<String, i64>,
    /// `avg`, `max`, `min` of the event time, and the `watermark`: ISO 8601, UTC.
    #[serde(default)]
    pub event_time: BTreeMap<String, String>,
    /// What each stateful operator holds and did.
    #[serde(default)]
    pub state_operators: Vec<StateOperatorProgress>,
    /// What was read from each source.
    #[serde(default)]
    pub sources: Vec<SourceProgress>,
    /// What was written.
    #[serde(default)]
    pub sink: SinkProgress,
    #[serde(skip)]
    json: Json,
}

/// What one stateful operator holds and did.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StateOperatorProgress {
    /// Its name, e.g. `stateStoreSave`.
    pub operator_name: String,
    /// Keys it holds.
    pub num_rows_total: i64,
    /// Keys the batch wrote.
    pub num_rows_updated: i64,
    /// Keys the batch removed.
    pub num_rows_removed: i64,
    /// Rows or groups that came too late.
    pub num_rows_dropped_by_watermark: i64,
    /// Bytes it holds.
    pub memory_used_bytes: i64,
    /// Time for writes, in ms.
    pub all_updates_time_ms: i64,
    /// Time for removals, in ms.
    pub all_removals_time_ms: i64,
    /// Time to make the new version durable, in ms.
    pub commit_time_ms: i64,
    /// Partitions of the state.
    pub num_shuffle_partitions: i64,
    /// Instances of the state store.
    pub num_state_store_instances: i64,
    /// Counters of its own.
    pub custom_metrics: BTreeMap<String, i64>,
}

/// What was read from one source.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceProgress {
    /// The source, e.g. `FileStreamSource[file:/data/in]`.
    pub description: String,
    /// Where the batch began.
    pub start_offset: Json,
    /// Where it ended.
    pub end_offset: Json,
    /// What the source had to offer.
    pub latest_offset: Json,
    /// Rows read.
    pub num_input_rows: i64,
    /// Rows that came per second since the last trigger.
    pub input_rows_per_second: f64,
    /// Rows processed per second of the trigger.
    pub processed_rows_per_second: f64,
    /// Counters of its own.
    pub metrics: BTreeMap<String, String>,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SinkProgress {
    /// The sink, e.g. `MemorySink`.
    pub description: String,
    /// Rows written; -1 where the sink does not say.
    pub num_output_rows: i64,
}

impl StreamingQueryProgress {
    pub(crate) fn read(json: Json) -> Result<Self> {
        let progress: Self = serde_json::from_value(json.clone())?;
        Ok(Self { json, ..progress })
    }

    /// Spark's JSON, in one line.
    pub fn json(&self) -> String {
        self.json.to_string()
    }

    /// Spark's JSON, indented.
    pub fn pretty_json(&self) -> String {
        format!("{:#}", self.json)
    }

    /// Shows a panel as the value of the cell.
    pub fn evcxr_display(&self) {
        show(&self.run_id, QueryView::Progress);
    }
}

/// The JSON, in one line.
impl fmt::Debug for StreamingQueryProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run_id = self.run_id.clone();
        offer(move || show(&run_id, QueryView::Progress));
        f.write_str(&self.json())
    }
}

impl fmt::Display for StreamingQueryProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.pretty_json())
    }
}

/// What a query is doing right now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamingQueryStatus {
    /// Whether it runs.
    #[serde(default)]
    pub is_active: bool,
    /// Spark's sentence, e.g. `Waiting for data to arrive`.
    #[serde(rename = "message")]
    pub status_message: String,
    /// Whether the sources have rows that were not yet processed.
    pub is_data_available: bool,
    /// Whether a batch is being worked on.
    pub is_trigger_active: bool,
    #[serde(skip)]
    run_id: String,
}

impl StreamingQueryStatus {
    pub(super) fn of(self, run_id: &str, is_active: bool) -> Self {
        Self {
            run_id: run_id.to_string(),
            is_active,
            ..self
        }
    }

    /// Shows a panel as the value of the cell.
    pub fn evcxr_display(&self) {
        show(&self.run_id, QueryView::Status);
    }
}

impl fmt::Display for StreamingQueryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = serde_json::json!({
            "message": self.status_message,
            "isDataAvailable": self.is_data_available,
            "isTriggerActive": self.is_trigger_active,
        });
        write!(f, "{status:#}")
    }
}
