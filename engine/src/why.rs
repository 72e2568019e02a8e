//! Why a query gives what it gives: facts with their figures, which a front end puts into words.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::format_iso8601;

/// What became of the rows of one trigger, and what the query waits for since. Times are ISO 8601, UTC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchWhy {
    /// Rows that the query gave to its sink.
    pub num_output_rows: i64,
    /// The nodes of the plan that can take rows away, from the sources to the sink. Only of a batch
    /// that gave nothing or dropped rows.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub nodes: Vec<NodeRows>,
    /// The watermark that the next batch uses; none without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub watermark: Option<WatermarkWhy>,
    /// One entry per stateful operator, the one nearest the sink first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub operators: Vec<OperatorWhy>,
    /// One entry per source, if the trigger found nothing to do.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sources: Vec<SourceWhy>,
}

/// How many rows went into a node of the plan and how many came out, in one batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRows {
    /// What it does.
    pub node: NodeKind,
    /// What it was made with, e.g. the condition of a filter.
    pub detail: String,
    /// One entry per input.
    pub inputs: Vec<NodeInput>,
    /// Rows that came out.
    pub num_output_rows: i64,
    /// Which stateful operator it is: an index into [`BatchWhy::operators`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operator: Option<usize>,
}

/// Rows that went into a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeInput {
    /// How many; none if nobody counted.
    pub num_rows: Option<i64>,
    /// Whether they come from a stream, not from a table.
    pub is_stream: bool,
    /// The sources of the query that they come from.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sources: Vec<usize>,
}

/// What a node does with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NodeKind {
    /// Lets rows pass that satisfy a condition.
    Filter,
    /// Joins a stream with a table.
    Join,
    /// Makes rows of the elements of arrays and maps.
    Explode,
    /// Lets the first rows of each batch pass.
    Limit,
    /// Remembers from batch to batch.
    Stateful,
}

/// The watermark of a query and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkWhy {
    /// Where it stands.
    pub current: String,
    /// How several become one: `min` or `max`.
    pub policy: String,
    /// One entry per `withWatermark`, in the order of the plan.
    pub parts: Vec<WatermarkPart>,
}

/// One `withWatermark`: what this run has seen of its event time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkPart {
    /// The event-time column.
    pub column: String,
    /// How far it stays behind the latest event time.
    pub delay_ms: i64,
    /// The sources that it looks at.
    pub sources: Vec<usize>,
    /// Rows that have passed.
    pub num_rows: i64,
    /// Those whose event time is NULL.
    pub num_nulls: i64,
    /// The latest event time; none if there was none.
    pub max_event_time: Option<String>,
    /// Where this one alone would put the watermark; none before the first event time.
    pub watermark: Option<String>,
}

/// What a stateful operator holds, and what came too late for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorWhy {
    /// As in `stateOperators` of the progress.
    pub operator_name: String,
    /// Whether all that an aggregation computes are counts.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub only_counts: bool,
    /// Which join of two streams it is, as SQL has it, e.g. `LEFT`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub join_type: Option<String>,
    /// Where the watermark of what it reads stands; later than that of the query's never.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub watermark: Option<String>,
    /// One entry per store.
    pub stores: Vec<StoreWhy>,
    /// What came too late in the batch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub late: Option<LateWhy>,
}

/// What one store of an operator holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreWhy {
    /// `default`, or the store's name.
    pub name: String,
    /// Rows it holds.
    pub num_rows: i64,
    /// What of it is complete when; none if it holds nothing that ever is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub open: Option<OpenWhy>,
}

/// What is not complete yet: windows whose end the watermark has not reached, rows that may still match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenWhy {
    /// At how many different times something is complete, e.g. the number of open windows.
    pub num_times: i64,
    /// The first of these times.
    pub ends: Vec<String>,
    /// How long the windows are that end then; 0 if they are no windows of one length.
    pub duration_ms: i64,
    /// The first is complete once each of these (with the policy `max`: one) has seen an event at or
    /// after this time; one entry per part of the watermark.
    pub closes_at_event_time: Vec<String>,
}

/// What came too late in one batch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LateWhy {
    /// How many rows, or groups of an aggregation.
    pub num_dropped: i64,
    /// The watermark that they came too late for.
    pub watermark: String,
    /// What had put it there; none if that was before this run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub watermark_from: Option<WatermarkOrigin>,
    /// How far the worst of them was behind it.
    pub max_late_ms: i64,
    /// Up to five of them.
    pub rows: Vec<LateRow>,
}

/// The event that put a watermark where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatermarkOrigin {
    /// Which of the query's watermarks decided: an index into [`WatermarkWhy::parts`].
    pub part: usize,
    /// The batch that read the event.
    pub batch_id: i64,
    /// The event time, the latest that there was.
    pub event_time: String,
}

/// A row, or the key of a group, that came too late.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LateRow {
    /// Its columns.
    pub row: Value,
    /// Its event time; of a window, the window's end.
    pub event_time: String,
    /// How far that was behind the watermark.
    pub late_ms: i64,
}

/// What a source has, and what it leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceWhy {
    /// The view that the query reads it by, if there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// As in `sources` of the progress.
    pub description: String,
    /// What it says; none if it has nothing to say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input: Option<InputWhy>,
}

/// What a source of some kind has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
#[allow(clippy::large_enum_variant)] // There are as many as a query has sources.
pub enum InputWhy {
    /// Files.
    Files(FilesWhy),
    /// Rows that are added by hand.
    Memory {
        /// Rows added so far.
        num_rows: i64,
        /// Those that no batch has read yet.
        num_rows_waiting: i64,
    },
    /// Topics of Kafka.
    Kafka {
        /// Which topics.
        topics: String,
        /// Where the query began: `earliest`, `latest` or offsets.
        starting_offsets: String,
    },
    /// So many rows a second.
    Rate {
        /// How many.
        rows_per_second: i64,
        /// How long until there are so many.
        ramp_up_seconds: i64,
    },
    /// Lines of a server.
    Socket {
        /// Where it is.
        server: String,
    },
}

/// What there is below the path of a source of files, by what becomes of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilesWhy {
    /// The path as it was given.
    pub path: String,
    /// Whether anything is there.
    pub exists: bool,
    /// Whether the path is a pattern.
    pub is_pattern: bool,
    /// The pattern that names of files must have, if there is one.
    pub path_glob_filter: Option<String>,
    /// How much older than the newest file that was read a file may be.
    pub max_file_age_ms: i64,
    /// Files modified before this time are too old; none before the first file was read.
    pub too_old_before: Option<String>,
    /// A file sink writes there: its log says which files count, not the folder.
    pub is_output_of_a_query: bool,
    /// Files that the next batches read.
    pub waiting: Names,
    /// Names that begin with `_` or `.`.
    pub hidden: Names,
    /// Names that do not have the pattern.
    pub other_names: Names,
    /// Folders, into which nobody looks.
    pub folders: Names,
    /// Files that are too old.
    pub too_old: Names,
    /// Files that were read already.
    pub read: Names,
    /// Those of them that were written to since, which nobody reads.
    pub rewritten: Names,
}

/// Some names: how many there are, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Names {
    /// How many there are.
    pub num: i64,
    /// The first of them.
    pub first: Vec<String>,
}

/// What a query says when it is asked why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryWhy {
    /// What its last batch did, and how its state and watermark stand since.
    pub batch: Option<BatchWhy>,
    /// What its sources have now.
    pub sources: Vec<SourceWhy>,
    /// When its next trigger is due, if it has an interval and runs.
    pub next_trigger: Option<String>,
    /// What time it is by the query's clock.
    #[serde(default)]
    pub now: Option<String>,
}

/// So many samples of anything are kept.
pub(crate) const SAMPLES: usize = 5;

impl Names {
    pub(crate) fn add(&mut self, name: impl Into<String>) {
        self.num += 1;
        if self.first.len() < SAMPLES {
            self.first.push(name.into());
        }
    }
}

/// Microseconds since the epoch as [`format_iso8601`] writes them.
pub(crate) fn iso_us(time_us: i64) -> String {
    format_iso8601(time_us.div_euclid(1000))
}
