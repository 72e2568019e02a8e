//! `udf` and `pandas_udf`: functions of Python in expressions. Their arguments and values travel as
//! Arrow.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use serde_json::json;
use tidebook_engine::connect::proto::PythonUdf;
use tidebook_engine::{Cancellation, Error, InlineFunctions, Result, Rows, UserDefinedFunction};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Host;
use super::worker::Worker;
use crate::rows::stream_of;

/// How often somebody who waits looks whether the value is still wanted.
const LOOK: Duration = Duration::from_millis(20);
/// How long a worker without work is kept.
const IDLE: Duration = Duration::from_secs(60);

/// Makes functions that run in workers of a server.
pub(crate) struct PythonFunctions(pub Arc<Host>);

impl InlineFunctions for PythonFunctions {
    fn python(
        &self,
        name: &str,
        function: &PythonUdf,
        returns: &DataType,
    ) -> Result<Arc<dyn UserDefinedFunction>> {
        Ok(Arc::new(PythonFunction {
            host: Arc::clone(&self.0),
            name: name.to_string(),
            kind: kind(name, function.eval_type)?,
            function: PythonUdf {
                output_type: None,
                ..function.clone()
            },
            returns: returns.clone(),
            worker: Arc::default(),
        }))
    }
}

/// How a function is called, by PySpark's number for it.
fn kind(name: &str, eval_type: i32) -> Result<&'static str> {
    let what = match eval_type {
        // Spark sends the rows of the first in batches of its own; what comes out is the same.
        100 | 101 => return Ok("udf"),
        200 => return Ok("pandas_udf"),
        204 => return Ok("pandas_udf_of_iterators"),
        250 => return Ok("arrow_udf"),
        202 | 252 => "an aggregate function",
        203 | 253 => "a function over windows",
        _ => "a function of this kind",
    };
    Err(Error::analysis(format!(
        "{what} of Python is not supported in this version, so neither is '{name}'"
    ))
    .with_condition("UNSUPPORTED_FEATURE.PYTHON_UDF")
    .with_hint("udf, pandas_udf of Series and arrow_udf of arrays work, and so do the functions of pyspark.sql.functions"))
}

struct PythonFunction {
    host: Arc<Host>,
    name: String,
    kind: &'static str,
    function: PythonUdf,
    returns: DataType,
    worker: Arc<Mutex<Slot>>,
}

impl fmt::Debug for PythonFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PythonFunction")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A worker that has understood its function, and when it was used last.
#[derive(Default)]
struct Slot {
    worker: Option<Worker>,
    used: Option<Instant>,
}

impl UserDefinedFunction for PythonFunction {
    fn call(
        &self,
        arguments: &[ArrayRef],
        rows: usize,
        cancellation: &Cancellation,
    ) -> Result<ArrayRef> {
        let runtime = Handle::try_current();
        let runtime = runtime.map_err(|error| Error::internal(error.to_string()))?;
        let sent = stream_of(&batch(arguments, rows)?)?;
        let answer = runtime.block_on(async {
            tokio::select! {
                answer = self.ask(&sent, rows) => answer,
                () = cancelled(cancellation) => Err(Error::cancelled()),
            }
        })?;
        values(&answer, &self.returns)
            .map_err(|error| Error::runtime(format!("its values cannot be read: {error}")))
    }
}

impl PythonFunction {
    async fn ask(&self, arguments: &[u8], rows: usize) -> Result<Vec<u8>> {
        let mut slot = self.worker.lock().await;
        // A worker whose answer nobody has waited for is of no more use.
        let mut worker = match slot.worker.take() {
            Some(worker) => worker,
            None => self.start().await?,
        };
        let answer = worker.ask(&json!({ "rows": rows }), arguments).await?;
        slot.worker = Some(worker);
        slot.used = Some(Instant::now());
        tokio::spawn(end_if_idle(Arc::clone(&self.worker)));
        Ok(answer)
    }

    async fn start(&self) -> Result<Worker> {
        let host = Arc::clone(&self.host);
        let python = tokio::task::spawn_blocking(move || host.python()).await;
        let python = python.map_err(|error| Error::internal(error.to_string()))??;
        let print = Box::new(|text: String| tracing::info!("{}", text.trim_end()));
        let mut worker = Worker::start(&python, print).await?;
        let order = json!({"kind": self.kind, "version": self.function.python_ver});
        worker.ask(&order, &self.function.command).await?;
        Ok(worker)
    }
}

async fn end_if_idle(slot: Arc<Mutex<Slot>>) {
    tokio::time::sleep(IDLE).await;
    let mut slot = slot.lock().await;
    if slot.used.is_some_and(|used| used.elapsed() >= IDLE) {
        slot.worker = None;
    }
}

async fn cancelled(cancellation: &Cancellation) {
    while !cancellation.is_cancelled() {
        tokio::time::sleep(LOOK).await;
    }
}

fn batch(arguments: &[ArrayRef], rows: usize) -> Result<Rows> {
    let fields = arguments.iter().enumerate().map(|(index, argument)| {
        Field::new(format!("_{index}"), argument.data_type().clone(), true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch =
        RecordBatch::try_new_with_options(Arc::clone(&schema), arguments.to_vec(), &options);
    let batch = batch.map_err(|error| Error::internal(error.to_string()))?;
    Ok(Rows {
        schema,
        batches: vec![batch],
    })
}

/// The first column of a stream, as this type.
fn values(stream: &[u8], returns: &DataType) -> std::result::Result<ArrayRef, ArrowError> {
    let batches = StreamReader::try_new(stream, None)?;
    let columns = batches.map(|batch| {
        let batch = batch?;
        let column = batch.columns().first().cloned();
        let column =
            column.ok_or_else(|| ArrowError::SchemaError("there is no column".to_string()))?;
        match column.data_type() == returns {
            true => Ok(column),
            false => cast(&column, returns),
        }
    });
    let columns = columns.collect::<std::result::Result<Vec<_>, ArrowError>>()?;
    let columns: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    concat(&columns)
}
