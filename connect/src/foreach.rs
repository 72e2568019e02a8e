//! `foreachBatch` and `foreach` with a function of Python.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::streaming_foreach_function::Function;
use tidebook_engine::connect::proto::{
    Command, PythonUdf, StreamingForeachFunction, WriteStreamOperationStart,
};
use tidebook_engine::{CommandOutput, Error, ForeachBatch, Part, Result, Rows, StreamingQuery};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::python::Worker;
use crate::rows::stream_of;
use crate::sessions::Client;

/// Starts a streaming query that writes to a function of Python; `None` if this one does not.
pub(crate) fn start<'a>(
    client: &'a Arc<Client>,
    start: &'a WriteStreamOperationStart,
) -> Option<BoxFuture<'a, Result<StreamingQuery>>> {
    let batches = function_of(start.foreach_batch.as_ref()).map(|function| (function, Kind::Batch));
    let rows = || function_of(start.foreach_writer.as_ref()).map(|function| (function, Kind::Row));
    let (function, kind) = batches.or_else(rows)?;
    Some(started(client, start, function, kind).boxed())
}

fn function_of(function: Option<&StreamingForeachFunction>) -> Option<&PythonUdf> {
    match function?.function.as_ref()? {
        Function::PythonFunction(function) => Some(function),
        Function::ScalaFunction(_) => None,
    }
}

/// What a function is called with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Batch,
    Row,
}

async fn started(
    client: &Arc<Client>,
    start: &WriteStreamOperationStart,
    function: &PythonUdf,
    kind: Kind,
) -> Result<StreamingQuery> {
    let input = start.input.as_ref();
    let input = input.ok_or_else(|| Error::illegal_argument("the query has no input"))?;
    // What is wrong with the query is said before a process is started.
    client.session.schema(input).await?;
    let worker = worker(client, start, function, kind).await?;
    let function = Arc::new(PythonForeach {
        client: Arc::clone(client),
        kind,
        worker: Mutex::new(Some(worker)),
    });
    let name = Uuid::new_v4().to_string();
    let session = &client.session;
    session.register_foreach_batch(&name, Arc::clone(&function) as Arc<dyn ForeachBatch>);
    let named = StreamingForeachFunction {
        function: Some(Function::PythonFunction(PythonUdf {
            command: name.clone().into_bytes().into(),
            ..Default::default()
        })),
    };
    let mut start = start.clone();
    match kind {
        Kind::Batch => start.foreach_batch = Some(named),
        Kind::Row => start.foreach_writer = Some(named),
    }
    let command = Command {
        command_type: Some(CommandType::WriteStreamOperationStart(start)),
    };
    let output = session.execute(&command).await;
    session.remove_foreach_batch(&name);
    let CommandOutput::Query(query) = output? else {
        return Err(Error::internal("a start gave no query"));
    };
    let running = query.clone();
    tokio::spawn(async move {
        // How it ended is told to those who ask for it.
        let _ = running.await_termination(None).await;
        drop(function.worker.lock().await.take());
    });
    Ok(query)
}

/// A worker that has understood its function.
async fn worker(
    client: &Client,
    start: &WriteStreamOperationStart,
    function: &PythonUdf,
    kind: Kind,
) -> Result<Worker> {
    let host = Arc::clone(&client.host);
    let python = tokio::task::spawn_blocking(move || host.python()).await;
    let python = python.map_err(|error| Error::internal(error.to_string()))??;
    let (session, query) = (client.session.clone(), start.query_name.clone());
    let print = Box::new(move |text| session.print(&query, text));
    let mut worker = Worker::start(&python, print).await?;
    let order = json!({
        "kind": kind.name(),
        "version": function.python_ver,
        "remote": client.host.remote()?,
        "session": client.id,
        "user": client.user,
    });
    let understood = worker.ask(&order, &function.command).await;
    understood.map_err(|error| {
        error
            .with_condition("STREAMING_PYTHON_RUNNER_INITIALIZATION_FAILURE")
            .context(format!("the function of {} cannot be used", kind.name()))
    })?;
    Ok(worker)
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Batch => "foreachBatch",
            Self::Row => "foreach",
        }
    }

    fn failed(self, error: Error) -> Error {
        let (condition, sink) = match self {
            Self::Batch => ("FOREACH_BATCH_USER_FUNCTION_ERROR", "foreach batch"),
            Self::Row => ("FOREACH_USER_FUNCTION_ERROR", "foreach"),
        };
        Error::runtime(format!(
            "An error occurred in the user provided function in {sink} sink. Reason: {}",
            error.message()
        ))
        .with_condition(condition)
    }
}

/// A function of Python that takes batches, or their rows.
struct PythonForeach {
    client: Arc<Client>,
    kind: Kind,
    worker: Mutex<Option<Worker>>,
}

impl PythonForeach {
    async fn ask(&self, order: Value, body: &[u8]) -> Result<()> {
        let mut slot = self.worker.lock().await;
        // A worker whose answer nobody has waited for is of no more use.
        let mut worker = slot
            .take()
            .ok_or_else(|| Error::runtime("the worker of the function has ended"))?;
        let answer = worker.ask(&order, body).await;
        answer.map_err(|error| self.kind.failed(error))?;
        *slot = Some(worker);
        Ok(())
    }

    async fn batch(&self, batch_id: i64, rows: Rows) -> Result<()> {
        let frame = Uuid::new_v4().to_string();
        self.client.session.cache_rows(&frame, rows)?;
        let _cached = Cached(&self.client, &frame);
        let order = json!({"frame": frame, "batch": batch_id});
        self.ask(order, &[]).await
    }
}

/// The rows of a batch, known to the session while this lives.
struct Cached<'a>(&'a Client, &'a str);

impl Drop for Cached<'_> {
    fn drop(&mut self) {
        self.0.session.forget_rows(self.1);
    }
}

#[async_trait]
impl ForeachBatch for PythonForeach {
    async fn call(
        &self,
        batch_id: i64,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        match self.kind {
            Kind::Batch => self.batch(batch_id, Rows { schema, batches }).await,
            Kind::Row => {
                let number = 0;
                let part = Part { batch_id, number };
                self.call_part(part, schema, batches).await
            }
        }
    }

    async fn call_part(
        &self,
        part: Part,
        schema: SchemaRef,
        batches: Vec<RecordBatch>,
    ) -> Result<()> {
        let rows = stream_of(&Rows { schema, batches })?;
        let order = json!({"batch": part.batch_id, "part": part.number});
        self.ask(order, &rows).await
    }
}
