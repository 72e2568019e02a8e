//! One run of a query that Spark and the engine take turns at (`tests/spark/both_ways.py`).
//!
//! `files_turn FORMAT INPUT OUTPUT CHECKPOINT` reads the files of JSON in `INPUT` that no run has
//! read, one a batch, writes them as `FORMAT`, in folders by `k`, and prints how many batches that
//! took.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::{SinkDestination, Trigger};
use tidebook_engine::connect::proto::{Command, Read, Relation, WriteStreamOperationStart, read};
use tidebook_engine::{CommandOutput, Session};

const SCHEMA: &str = "k STRING, v INT, t TIMESTAMP";

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let mut next = || {
        args.next()
            .context("files_turn FORMAT INPUT OUTPUT CHECKPOINT")
    };
    let (format, input, output, checkpoint) = (next()?, next()?, next()?, next()?);
    let source = Relation {
        common: None,
        rel_type: Some(RelType::Read(Read {
            is_streaming: true,
            read_type: Some(read::ReadType::DataSource(read::DataSource {
                format: Some("json".to_owned()),
                schema: Some(SCHEMA.to_owned()),
                options: HashMap::from([("maxFilesPerTrigger".to_owned(), "1".to_owned())]),
                paths: vec![input],
                ..Default::default()
            })),
        })),
    };
    let start = WriteStreamOperationStart {
        input: Some(source),
        format,
        options: HashMap::from([("checkpointLocation".to_owned(), checkpoint)]),
        partitioning_column_names: vec!["k".to_owned()],
        output_mode: "append".to_owned(),
        trigger: Some(Trigger::AvailableNow(true)),
        sink_destination: Some(SinkDestination::Path(output)),
        ..Default::default()
    };
    let command = Command {
        command_type: Some(CommandType::WriteStreamOperationStart(start)),
    };
    let session = Session::new()?;
    let CommandOutput::Query(query) = session.execute(&command).await? else {
        bail!("a started query is a query")
    };
    query.await_termination(None).await?;
    let batches = query.recent_progress();
    println!(
        "{}",
        batches
            .iter()
            .filter(|batch| batch.num_input_rows > 0)
            .count()
    );
    Ok(())
}
