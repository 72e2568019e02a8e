//! A condition of an alert, computed by the engine's own SQL over the progress of a query or over
//! the rows that it has written.

use serde_json::{Value, json};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{self, expression::ExprType};
use tidebook_engine::{OutputMode, Rows, Session, StreamingQuery, nearest};

use crate::display::lookup;
use crate::error::{CellError, Result};

/// The fields of a progress, Spark's and at the end our own sums.
const PROGRESS: &str = "id STRING, runId STRING, name STRING, timestamp TIMESTAMP, batchId BIGINT, \
    batchDuration BIGINT, numInputRows BIGINT, inputRowsPerSecond DOUBLE, \
    processedRowsPerSecond DOUBLE, durationMs STRUCT<addBatch: BIGINT, commitOffsets: BIGINT, \
    getBatch: BIGINT, latestOffset: BIGINT, queryPlanning: BIGINT, triggerExecution: BIGINT, \
    walCommit: BIGINT>, eventTime STRUCT<avg: TIMESTAMP, max: TIMESTAMP, min: TIMESTAMP, \
    watermark: TIMESTAMP>, stateOperators ARRAY<STRUCT<operatorName: STRING, \
    numRowsTotal: BIGINT, numRowsUpdated: BIGINT, allUpdatesTimeMs: BIGINT, numRowsRemoved: BIGINT, \
    allRemovalsTimeMs: BIGINT, commitTimeMs: BIGINT, memoryUsedBytes: BIGINT, \
    numRowsDroppedByWatermark: BIGINT, numShufflePartitions: BIGINT, \
    numStateStoreInstances: BIGINT, customMetrics: MAP<STRING, BIGINT>>>, \
    sources ARRAY<STRUCT<description: STRING, startOffset: STRING, endOffset: STRING, \
    latestOffset: STRING, numInputRows: BIGINT, inputRowsPerSecond: DOUBLE, \
    processedRowsPerSecond: DOUBLE, metrics: MAP<STRING, STRING>>>, \
    sink STRUCT<description: STRING, numOutputRows: BIGINT>, \
    stateRows BIGINT, stateBytes BIGINT, droppedRows BIGINT, watermark TIMESTAMP";

/// What a condition is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// Every progress of the query.
    Progress,
    /// The rows that a batch adds to the query's table; in complete mode, all of them.
    Rows {
        /// The table.
        table: String,
        /// Whether a batch replaces the rows of those before.
        complete: bool,
    },
}

impl Subject {
    /// What the names of a condition stand for: columns of the result, or else fields of the
    /// progress. Names that are neither are an error.
    pub(super) async fn of(
        session: &Session,
        query: &StreamingQuery,
        condition: &str,
    ) -> Result<Self> {
        let rows = query.table().map(|table| Self::Rows {
            table: table.to_owned(),
            complete: query.output_mode() == OutputMode::Complete,
        });
        let mut of_rows = None;
        if let Some(Self::Rows { table, .. }) = &rows {
            let planned = session.schema(&filter(named_table(table), condition)).await;
            match planned {
                Ok(_) => return Ok(rows.unwrap_or(Self::Progress)),
                Err(error) => of_rows = Some(error),
            }
        }
        let progress = progress_row(&json!({}));
        match session.schema(&filter(progress, condition)).await {
            Ok(_) => Ok(Self::Progress),
            Err(of_progress) => Err(match of_rows {
                Some(error) if !is_unresolved(&error) => error.into(),
                _ if !is_unresolved(&of_progress) => of_progress.into(),
                _ => unknown_names(query, condition, &of_progress),
            }),
        }
    }
}

/// The fields of a progress that a condition may name.
pub(crate) fn progress_fields() -> Vec<String> {
    let schema = tidebook_engine::parse_ddl(PROGRESS);
    let fields = schema.map(|schema| {
        let fields = schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    });
    fields.unwrap_or_default()
}

/// Whether the condition is true of a progress.
pub(super) async fn holds(session: &Session, progress: &Value, condition: &str) -> Result<bool> {
    let rows = session
        .collect(&filter(progress_row(progress), condition))
        .await?;
    Ok(rows.num_rows() > 0)
}

/// The rows of a table, from the one numbered `from` up to `to`, for which the condition is true.
pub(super) async fn matching(
    session: &Session,
    table: &str,
    range: std::ops::Range<usize>,
    condition: &str,
) -> Result<Rows> {
    let limit = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let skipped = relation(RelType::Offset(Box::new(proto::Offset {
        input: Some(Box::new(named_table(table))),
        offset: limit(range.start),
    })));
    let limited = relation(RelType::Limit(Box::new(proto::Limit {
        input: Some(Box::new(skipped)),
        limit: limit(range.len()),
    })));
    Ok(session.collect(&filter(limited, condition)).await?)
}

/// How many rows a table has.
pub(super) async fn num_rows(session: &Session, table: &str) -> Result<usize> {
    // Tables of queries are in memory, and their rows are shared.
    Ok(session.collect(&named_table(table)).await?.num_rows())
}

/// The scalar fields of a progress that a condition mentions, with their values.
pub(super) fn mentioned(progress: &Value, condition: &str) -> Vec<(String, String)> {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let mut found: Vec<(String, String)> = Vec::new();
    for path in condition.split(|c: char| !is_path(c)) {
        let path = path.trim_matches('.');
        let known = found.iter().any(|(name, _)| name == path);
        if let (false, Some(value)) = (known, shown(progress, path)) {
            found.push((path.to_owned(), value));
        }
    }
    found
}

fn shown(progress: &Value, path: &str) -> Option<String> {
    match lookup(progress, path)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn is_unresolved(error: &tidebook_engine::Error) -> bool {
    let condition = error.condition().unwrap_or_default();
    condition.starts_with("UNRESOLVED_COLUMN")
}

fn unknown_names(
    query: &StreamingQuery,
    condition: &str,
    error: &tidebook_engine::Error,
) -> CellError {
    let mut names = progress_fields();
    if query.table().is_some() {
        let columns = query.schema();
        names.extend(columns.fields().iter().map(|field| field.name().clone()));
    }
    let wrong = error
        .message()
        .split(['\'', '`'])
        .nth(1)
        .unwrap_or(condition);
    let what = match query.table() {
        Some(table) => format!("neither a column of '{table}' nor a field of its progress"),
        None => "no field of the progress".to_owned(),
    };
    let error = CellError::new("AnalysisException", format!("'{wrong}' is {what}"));
    match nearest(wrong, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean '{near}'?")),
        None => error.hint(format!("there are {}", names.join(", "))),
    }
}

/// One row with the fields of a progress.
fn progress_row(progress: &Value) -> proto::Relation {
    let text = progress
        .to_string()
        .replace('\\', "\\\\")
        .replace('\'', "\\'");
    let query = format!("SELECT data.* FROM (SELECT from_json('{text}', '{PROGRESS}') AS data)");
    relation(RelType::Sql(proto::Sql {
        query,
        ..Default::default()
    }))
}

/// A table by its name.
pub(crate) fn named_table(name: &str) -> proto::Relation {
    relation(RelType::Read(proto::Read {
        is_streaming: false,
        read_type: Some(proto::read::ReadType::NamedTable(proto::read::NamedTable {
            unparsed_identifier: name.to_owned(),
            ..Default::default()
        })),
    }))
}

fn filter(input: proto::Relation, condition: &str) -> proto::Relation {
    let expression = proto::expression::ExpressionString {
        expression: condition.to_owned(),
    };
    relation(RelType::Filter(Box::new(proto::Filter {
        input: Some(Box::new(input)),
        condition: Some(proto::Expression {
            common: None,
            expr_type: Some(ExprType::ExpressionString(expression)),
        }),
    })))
}

fn relation(rel_type: RelType) -> proto::Relation {
    proto::Relation {
        common: None,
        rel_type: Some(rel_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn conditions_are_spark_s_own_expressions() {
        let session = Session::new().unwrap();
        let progress = json!({
            "batchId": 3, "inputRowsPerSecond": 900.0, "processedRowsPerSecond": 300.5,
            "timestamp": "2024-01-01T12:00:00.000Z", "durationMs": {"addBatch": 12},
            "eventTime": {"watermark": "2024-01-01T11:00:00.000Z"},
            "stateOperators": [{"numRowsTotal": 11_000, "customMetrics": {"a": 1}}],
            "name": "it's \\ here", "stateRows": 11_000,
        });
        for (condition, expected) in [
            ("inputRowsPerSecond > 2 * processedRowsPerSecond", true),
            ("stateOperators[0].numRowsTotal > 20000", false),
            ("stateRows BETWEEN 10000 AND 12000", true),
            (
                "durationMs.addBatch = 12 AND name = 'it\\'s \\\\ here'",
                true,
            ),
            (
                "eventTime.watermark < timestamp - INTERVAL 30 MINUTES",
                true,
            ),
            ("sink.numOutputRows > 0", false),
            ("numInputRows = 0", false),
        ] {
            let held = holds(&session, &progress, condition).await;
            assert_eq!(held.unwrap(), expected, "{condition}");
        }
        assert_eq!(
            mentioned(
                &progress,
                "stateOperators[0].numRowsTotal > batchId + nothing"
            ),
            [
                (
                    "stateOperators[0].numRowsTotal".to_owned(),
                    "11000".to_owned()
                ),
                ("batchId".to_owned(), "3".to_owned())
            ]
        );
    }
}
