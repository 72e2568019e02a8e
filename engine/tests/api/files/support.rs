//! Streams of files and what they are written to, as a user starts them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_operation::{SaveMode, SaveType};
use tidebook_engine::connect::proto::write_stream_operation_start::{SinkDestination, Trigger};
use tidebook_engine::connect::proto::{
    Command, Read, Relation, Sql, WriteOperation, WriteStreamOperationStart, read,
};
use tidebook_engine::{
    CommandOutput, Error, Result, Session, SqlOutput, StreamingQuery, format_value,
};

/// A folder that goes with the test.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A file that appears as a whole, so many seconds after some time.
    pub(super) fn add(&self, name: &str, seconds: u64, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let hidden = path.with_file_name(".new");
        fs::write(&hidden, content).unwrap();
        let file = fs::File::options().write(true).open(&hidden).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds);
        file.set_modified(time).unwrap();
        fs::rename(&hidden, path).unwrap();
    }

    /// The names of all files below a folder, without hidden ones.
    pub(super) fn names(&self, name: &str) -> Vec<String> {
        fn walk(folder: &Path, prefix: &str, names: &mut Vec<String>) {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let entry = entry.unwrap();
                let name = format!("{prefix}{}", entry.file_name().into_string().unwrap());
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path(), &format!("{name}/"), names);
                } else if !name.contains("/.") && !name.starts_with('.') {
                    names.push(name);
                }
            }
        }
        let mut names = Vec::new();
        walk(&self.path(name), "", &mut names);
        names.sort();
        names
    }
}

/// Options as the messages have them.
pub(super) fn options(given: &[(&str, &str)]) -> HashMap<String, String> {
    given
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

/// `read_stream().format(…).schema(…).options(…).load(path)`.
pub(super) fn stream(format: &str, schema: &str, path: &str, given: &[(&str, &str)]) -> Relation {
    Relation {
        common: None,
        rel_type: Some(RelType::Read(Read {
            is_streaming: true,
            read_type: Some(read::ReadType::DataSource(read::DataSource {
                format: Some(format.to_string()),
                schema: (!schema.is_empty()).then(|| schema.to_string()),
                options: options(given),
                paths: vec![path.to_string()],
                ..Default::default()
            })),
        })),
    }
}

/// The rows of a query, sorted, values separated by `|`.
pub(super) async fn rows(session: &Session, sql: &str) -> Vec<String> {
    let SqlOutput::Rows(rows) = session.sql(sql).await.unwrap() else {
        panic!("no rows: {sql}")
    };
    let mut lines = Vec::new();
    for batch in &rows.batches {
        for row in 0..batch.num_rows() {
            let values = batch
                .columns()
                .iter()
                .map(|column| format_value(column, row));
            lines.push(values.collect::<Vec<_>>().join("|"));
        }
    }
    lines.sort();
    lines
}

/// How a query is written.
pub(super) struct Start<'a> {
    pub input: Relation,
    pub format: &'a str,
    pub path: String,
    pub checkpoint: String,
    pub options: &'a [(&'a str, &'a str)],
    pub partition_by: &'a [&'a str],
}

impl Start<'_> {
    /// Runs all there is, as `trigger(AvailableNow)` does.
    pub(super) async fn run(self, session: &Session) -> Result<StreamingQuery> {
        let mut options = options(self.options);
        if !self.checkpoint.is_empty() {
            options.insert("checkpointLocation".into(), self.checkpoint);
        }
        let path = self.path;
        let start = WriteStreamOperationStart {
            input: Some(self.input),
            format: self.format.to_string(),
            options,
            output_mode: "append".into(),
            query_name: if self.format == "memory" {
                path.clone()
            } else {
                String::new()
            },
            partitioning_column_names: self
                .partition_by
                .iter()
                .map(|name| name.to_string())
                .collect(),
            trigger: Some(Trigger::AvailableNow(true)),
            sink_destination: match self.format {
                "memory" | "noop" => None,
                _ => Some(SinkDestination::Path(path)),
            },
            ..Default::default()
        };
        let command = CommandType::WriteStreamOperationStart(start);
        let command = Command {
            command_type: Some(command),
        };
        let CommandOutput::Query(query) = session.execute(&command).await? else {
            panic!("not a query")
        };
        query.await_termination(None).await?;
        Ok(query)
    }
}

/// All rows of a stream, by way of the memory sink; a failure of the query is the answer.
pub(super) async fn read_all(session: &Session, input: Relation) -> Result<Vec<String>> {
    let name = format!("all_{}", uuid::Uuid::new_v4().simple());
    Start {
        input,
        format: "memory",
        path: name.clone(),
        checkpoint: String::new(),
        options: &[],
        partition_by: &[],
    }
    .run(session)
    .await?;
    Ok(rows(session, &format!("SELECT * FROM {name}")).await)
}

/// What it fails with.
pub(super) async fn failure(session: &Session, input: Relation) -> Error {
    read_all(session, input).await.unwrap_err()
}

/// `df.write`.
pub(super) async fn write(
    session: &Session,
    sql: &str,
    format: &str,
    path: &str,
    mode: SaveMode,
    given: &[(&str, &str)],
    partition_by: &[&str],
) -> Result<()> {
    let input = Relation {
        common: None,
        rel_type: Some(RelType::Sql(Sql {
            query: sql.to_string(),
            ..Default::default()
        })),
    };
    let write = WriteOperation {
        input: Some(input),
        source: Some(format.to_string()),
        mode: mode as i32,
        options: options(given),
        partitioning_columns: partition_by.iter().map(|name| name.to_string()).collect(),
        save_type: Some(SaveType::Path(path.to_string())),
        ..Default::default()
    };
    let command = CommandType::WriteOperation(write);
    session
        .execute(&Command {
            command_type: Some(command),
        })
        .await
        .map(drop)
}
