//! What a plan gives: the rows of a relation, or what came of a command.

use std::sync::Arc;

use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::execute_plan_response::{ArrowBatch, ResponseType};
use tidebook_engine::connect::proto::plan::OpType;
use tidebook_engine::connect::proto::streaming_query_listener_bus_command::Command as Bus;
use tidebook_engine::connect::proto::{Command, GetResourcesCommandResult, Plan, Relation};
use tidebook_engine::{CommandOutput, Error, Result, Rows};

use crate::foreach;
use crate::listener_bus;
use crate::operation::Operation;
use crate::rows::encode;
use crate::schema::of_schema;
use crate::sessions::Client;
use crate::shown::shown;
use crate::sql;
use crate::streams;

/// Runs a plan; what it gives goes to the operation.
pub(crate) async fn run(client: &Arc<Client>, plan: &Plan, operation: &Operation) -> Result<()> {
    match &plan.op_type {
        Some(OpType::Root(relation)) => send_rows(&rows(client, relation).await?, operation),
        Some(OpType::Command(command)) => run_command(client, command, operation).await,
        Some(OpType::CompressedOperation(_)) => Err(Error::analysis(
            "a compressed plan is not supported in this version",
        )),
        None => Err(Error::illegal_argument("the plan is empty")),
    }
}

async fn rows(client: &Client, relation: &Relation) -> Result<Rows> {
    match shown(client, relation) {
        Some(rows) => rows.await,
        None => client.session.collect(relation).await,
    }
}

fn send_rows(rows: &Rows, operation: &Operation) -> Result<()> {
    operation.send_schema(of_schema(&rows.schema));
    let mut start_offset = 0;
    for encoded in encode(rows)? {
        let row_count = i64::try_from(encoded.rows).unwrap_or(i64::MAX);
        operation.send(ResponseType::ArrowBatch(ArrowBatch {
            row_count,
            data: encoded.bytes.into(),
            start_offset: Some(start_offset),
            chunk_index: None,
            num_chunks_in_batch: None,
        }));
        start_offset += row_count;
    }
    Ok(())
}

async fn run_command(client: &Arc<Client>, command: &Command, operation: &Operation) -> Result<()> {
    let kind = command.command_type.as_ref();
    match kind.ok_or_else(|| Error::illegal_argument("the command is empty"))? {
        CommandType::SqlCommand(statement) => {
            let result = sql::run(client, statement.clone()).await?;
            operation.send(ResponseType::SqlCommandResult(result));
        }
        CommandType::CreateDataframeView(view) if view.is_global => {
            return Err(Error::analysis(
                "a global temporary view is not supported in this version",
            ));
        }
        CommandType::WriteStreamOperationStart(start) => {
            let query = match foreach::start(client, start) {
                Some(started) => Some(started.await?),
                None => match client.session.execute(command).await? {
                    CommandOutput::Query(query) => Some(query),
                    _ => None,
                },
            };
            if let Some(query) = query {
                operation.send(streams::started(&query));
            }
        }
        CommandType::CreateDataframeView(_) | CommandType::WriteOperation(_) => {
            client.session.execute(command).await?;
        }
        CommandType::RegisterFunction(function) => {
            client.session.register_inline_function(function)?;
        }
        CommandType::StreamingQueryCommand(asked) => {
            operation.send(streams::query(client, asked).await?);
        }
        CommandType::StreamingQueryManagerCommand(asked) => {
            operation.send(streams::manager(client, asked).await?);
        }
        CommandType::StreamingQueryListenerBusCommand(asked) => match asked.command {
            Some(Bus::AddListenerBusListener(_)) => {
                listener_bus::listen(client.session.streams(), operation).await;
            }
            // Whoever listened is told by the end of its own operation.
            Some(Bus::RemoveListenerBusListener(_)) | None => client.end_listening(),
        },
        CommandType::GetResourcesCommand(_) => {
            let none = GetResourcesCommandResult::default();
            operation.send(ResponseType::GetResourcesCommandResult(none));
        }
        CommandType::RemoveCachedRemoteRelationCommand(_) => {}
        other => return Err(unsupported(other)),
    }
    Ok(())
}

fn unsupported(command: &CommandType) -> Error {
    let what = match command {
        CommandType::RegisterTableFunction(_) => "a table function of Python",
        CommandType::RegisterDataSource(_) => "a data source of Python",
        CommandType::WriteOperationV2(_) => "writeTo: a table of a catalog",
        CommandType::CheckpointCommand(_) => "checkpoint of a frame",
        CommandType::MergeIntoTableCommand(_) => "mergeInto",
        CommandType::MlCommand(_) => "machine learning",
        CommandType::PipelineCommand(_) => "a pipeline",
        CommandType::CreateResourceProfileCommand(_) => "a resource profile",
        CommandType::ExecuteExternalCommand(_) => "an external command",
        _ => "this command",
    };
    Error::analysis(format!("{what} is not supported in this version"))
        .with_condition("UNSUPPORTED_FEATURE")
}
