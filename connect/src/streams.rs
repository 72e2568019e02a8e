//! Streaming queries of a client: started, looked at, awaited, stopped.

use std::time::Duration;

use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::execute_plan_response::ResponseType;
use tidebook_engine::connect::proto::streaming_query_command::Command as Asked;
use tidebook_engine::connect::proto::streaming_query_command_result as answers;
use tidebook_engine::connect::proto::streaming_query_command_result::ResultType as Answer;
use tidebook_engine::connect::proto::streaming_query_manager_command::Command as ManagerAsked;
use tidebook_engine::connect::proto::streaming_query_manager_command_result as manager_answers;
use tidebook_engine::connect::proto::streaming_query_manager_command_result::ResultType as ManagerAnswer;
use tidebook_engine::connect::proto::{StreamingQueryInstanceId, WriteStreamOperationStartResult};
use tidebook_engine::{Error, Result, StreamingQuery, StreamingQueryProgress};

use crate::errors::sentence;
use crate::listener_bus::{progress_json, started_json};
use crate::sessions::Client;

/// What a client is told of a query that has started.
pub(crate) fn started(query: &StreamingQuery) -> ResponseType {
    ResponseType::WriteStreamOperationStartResult(WriteStreamOperationStartResult {
        query_id: Some(id_of(query)),
        name: query.name().unwrap_or_default().to_string(),
        query_started_event_json: Some(started_json(query)),
    })
}

fn id_of(query: &StreamingQuery) -> StreamingQueryInstanceId {
    StreamingQueryInstanceId {
        id: query.id().to_string(),
        run_id: query.run_id().to_string(),
    }
}

/// Does what is asked of one query.
pub(crate) async fn query(
    client: &Client,
    asked: &proto::StreamingQueryCommand,
) -> Result<ResponseType> {
    let id = asked.query_id.clone().unwrap_or_default();
    let found = client.session.streams().find(&id.run_id);
    let query = found.map_err(|_| {
        Error::illegal_argument(format!(
            "there is no run '{}' of a streaming query in this session",
            id.run_id
        ))
        .with_condition("CONNECT_INVALID_PLAN.STREAMING_QUERY_NOT_FOUND")
    })?;
    let command = asked.command.as_ref();
    let command =
        command.ok_or_else(|| Error::illegal_argument("the query is asked for nothing"))?;
    let answer = match command {
        Asked::Status(_) => {
            let status = query.status();
            Some(Answer::Status(answers::StatusResult {
                status_message: status.message,
                is_data_available: status.is_data_available,
                is_trigger_active: status.is_trigger_active,
                is_active: query.is_active(),
            }))
        }
        Asked::LastProgress(_) => Some(progress(query.last_progress().as_slice())),
        Asked::RecentProgress(_) => Some(progress(&query.recent_progress())),
        Asked::Stop(_) => {
            query.stop().await?;
            None
        }
        Asked::ProcessAllAvailable(_) => {
            query.process_all_available().await?;
            None
        }
        Asked::Explain(_) => Some(Answer::Explain(answers::ExplainResult {
            result: query.explain(),
        })),
        Asked::Exception(_) => Some(Answer::Exception(exception(&query))),
        Asked::AwaitTermination(wait) => {
            let terminated = query.await_termination(timeout(wait.timeout_ms)?).await?;
            Some(Answer::AwaitTermination(answers::AwaitTerminationResult {
                terminated,
            }))
        }
    };
    Ok(ResponseType::StreamingQueryCommandResult(
        proto::StreamingQueryCommandResult {
            query_id: Some(id_of(&query)),
            result_type: answer,
        },
    ))
}

fn timeout(milliseconds: Option<i64>) -> Result<Option<Duration>> {
    let Some(milliseconds) = milliseconds else {
        return Ok(None);
    };
    match u64::try_from(milliseconds) {
        Ok(milliseconds @ 1..) => Ok(Some(Duration::from_millis(milliseconds))),
        _ => Err(Error::illegal_argument("a timeout must be above zero")),
    }
}

fn progress(progress: &[StreamingQueryProgress]) -> Answer {
    let texts = progress
        .iter()
        .map(|progress| progress_json(progress).to_string());
    let recent_progress_json = texts.collect();
    Answer::RecentProgress(answers::RecentProgressResult {
        recent_progress_json,
    })
}

fn exception(query: &StreamingQuery) -> answers::ExceptionResult {
    let error = query.exception();
    answers::ExceptionResult {
        exception_message: error.as_ref().map(sentence),
        error_class: error
            .as_ref()
            .map(|error| error.condition().unwrap_or("STREAM_FAILED").to_string()),
        stack_trace: None,
    }
}

/// Does what is asked of all queries of the session.
pub(crate) async fn manager(
    client: &Client,
    asked: &proto::StreamingQueryManagerCommand,
) -> Result<ResponseType> {
    let streams = client.session.streams();
    let command = asked.command.as_ref();
    let command =
        command.ok_or_else(|| Error::illegal_argument("the queries are asked for nothing"))?;
    let answer = match command {
        ManagerAsked::Active(_) => {
            let active_queries = streams.active().iter().map(instance).collect();
            Some(ManagerAnswer::Active(manager_answers::ActiveResult {
                active_queries,
            }))
        }
        ManagerAsked::GetQuery(id) => {
            let active = streams.active();
            let mut active = active.iter();
            let found = active.find(|query| query.id().to_string() == *id);
            found.map(|query| ManagerAnswer::Query(instance(query)))
        }
        ManagerAsked::AwaitAnyTermination(wait) => {
            let terminated = streams
                .await_any_termination(timeout(wait.timeout_ms)?)
                .await?;
            Some(ManagerAnswer::AwaitAnyTermination(
                manager_answers::AwaitAnyTerminationResult { terminated },
            ))
        }
        ManagerAsked::ResetTerminated(_) => {
            streams.reset_terminated();
            Some(ManagerAnswer::ResetTerminated(true))
        }
        // A listener of a client runs at the client, which takes the events from the bus.
        ManagerAsked::AddListener(_)
        | ManagerAsked::RemoveListener(_)
        | ManagerAsked::ListListeners(_) => {
            return Err(Error::analysis(
                "a listener that runs at the server is not supported: it runs at the client, \
                 spark.streams.addListener of Spark 4",
            ));
        }
    };
    Ok(ResponseType::StreamingQueryManagerCommandResult(
        proto::StreamingQueryManagerCommandResult {
            result_type: answer,
        },
    ))
}

fn instance(query: &StreamingQuery) -> manager_answers::StreamingQueryInstance {
    manager_answers::StreamingQueryInstance {
        id: Some(id_of(query)),
        name: query.name().map(str::to_string),
    }
}
