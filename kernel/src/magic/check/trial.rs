//! An answer, tried on the hidden rows of an exercise in a session of its own: nothing of the
//! learner's session is read or changed.

use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{self};
use tidebook_engine::{CommandOutput, RowFormat, Rows, Session, SqlOutput, json_rows};

use super::super::{source, values};
use super::definition::{Definition, Source};
use crate::error::{CellError, Result};
use crate::live::named_table;

/// When hidden rows are processed: `current_timestamp()` is the same for every answer.
const NOON_MS: i64 = 1_704_110_400_000;

/// The query's name, and that of its table.
const NAME: &str = "answer";

/// What is tried.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// The query.
    pub query: String,
    /// The output mode.
    pub mode: String,
    /// The watermark of the first source, if it is not the source's own.
    pub watermark: Option<String>,
}

/// A session with the streams and tables of an exercise.
pub(super) struct Trial {
    session: Session,
    pieces: Vec<(String, Vec<String>)>,
}

impl Trial {
    /// A session that is ready for the attempt.
    pub(super) async fn new(definition: &Definition, attempt: &Attempt) -> Result<Self> {
        let session = Session::new()?;
        session.set_manual_clock(NOON_MS).await?;
        let mut pieces = Vec::new();
        for (index, source) in definition.sources.iter().enumerate() {
            let own = source.watermark.as_deref();
            let watermark = match index {
                0 => attempt.watermark.as_deref().or(own),
                _ => own,
            };
            let stream = source::memory_source(&source.name, &source.columns, watermark)?;
            session.execute(&stream).await?;
            pieces.push((source.name.clone(), hidden_rows(&session, source).await?));
        }
        for table in &definition.tables {
            let (name, rows) = (&table.name, &table.rows);
            session
                .sql(&format!("CREATE TEMPORARY VIEW {name} AS {rows}"))
                .await?;
        }
        Ok(Self { session, pieces })
    }

    /// Runs the attempt over all hidden rows, piece by piece; gives the rows that came out.
    pub(super) async fn run(&self, attempt: &Attempt) -> Result<Rows> {
        let CommandOutput::Query(query) = self.session.execute(&start(attempt)).await? else {
            return Err(CellError::internal("a query was asked for"));
        };
        let steps = self.pieces.iter().map(|(_, pieces)| pieces.len()).max();
        for step in 0..steps.unwrap_or(0) {
            for (name, pieces) in &self.pieces {
                if let Some(piece) = pieces.get(step) {
                    self.session.feed(name, RowFormat::Json, piece)?;
                }
            }
            query.process_all_available().await?;
        }
        query.stop().await?;
        if let Some(exception) = query.exception() {
            return Err(exception.into());
        }
        Ok(self.session.collect(&named_table(NAME)).await?)
    }

    /// Ends whatever still runs, without waiting for it.
    pub(super) fn give_up(self) {
        tokio::spawn(async move { self.session.streams().stop_all().await });
    }
}

/// The hidden rows of a source as lines of JSON, piece by piece.
async fn hidden_rows(session: &Session, source: &Source) -> Result<Vec<String>> {
    let Some(query) = &source.rows else {
        return Ok(source.feed.clone());
    };
    let SqlOutput::Rows(rows) = session.sql(query).await? else {
        return Err(CellError::internal("the rows of a check are no query"));
    };
    let mut lines = Vec::new();
    for batch in &rows.batches {
        lines.extend(json_rows(batch)?.iter().map(ToString::to_string));
    }
    let size = lines.len().div_ceil(source.batches.max(1)).max(1);
    Ok(lines.chunks(size).map(|piece| piece.join("\n")).collect())
}

fn start(attempt: &Attempt) -> proto::Command {
    let input = proto::Relation {
        common: None,
        rel_type: Some(RelType::Sql(proto::Sql {
            query: values::statement(&attempt.query).to_owned(),
            ..Default::default()
        })),
    };
    let start = proto::WriteStreamOperationStart {
        input: Some(input),
        format: "memory".to_owned(),
        output_mode: attempt.mode.to_lowercase(),
        query_name: NAME.to_owned(),
        options: [("clock".to_owned(), "manual".to_owned())].into(),
        ..Default::default()
    };
    proto::Command {
        command_type: Some(CommandType::WriteStreamOperationStart(start)),
    }
}
