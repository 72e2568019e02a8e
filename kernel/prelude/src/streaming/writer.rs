//! Starts queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::foreach::{self, ForeachWriter, RowsFunction};
use super::foreach_batch::{self, BatchFunction, BatchResult};
use super::{StreamingQuery, Trigger};
use crate::connection::{ask, tell};
use crate::dataframe::DataFrame;
use crate::error::Result;
use crate::plan::command;
use crate::protobuf::Message;
use crate::row::Row;
use crate::wire::Request;

/// Writes the rows of a stream; see [`DataFrame::write_stream`].
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let counts = spark.table("events")?.group_by(["user"]).count();
/// let query = counts
///     .write_stream()
///     .format("memory")
///     .output_mode("complete")
///     .trigger(Trigger::AvailableNow)
///     .query_name("counts")
///     .start("")?;
/// query.await_termination(Some(10.0))?;
/// spark.table("counts")?.show(20)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct DataStreamWriter {
    df: DataFrame,
    format: Option<String>,
    output_mode: Option<String>,
    options: BTreeMap<String, String>,
    partitioning: Vec<String>,
    clustering: Vec<String>,
    query_name: Option<String>,
    trigger: Option<Trigger>,
    function: Option<UserFunction>,
}

/// What takes the rows, if it is a function of the user.
#[derive(Clone)]
enum UserFunction {
    Batches(Arc<BatchFunction>),
    Rows(Arc<RowsFunction>),
}

impl UserFunction {
    /// Makes it known to the kernel: its sink, and its id.
    fn register(self) -> Result<(&'static str, String)> {
        match self {
            Self::Batches(function) => Ok(("foreachBatch", foreach_batch::register(function)?)),
            Self::Rows(function) => Ok(("foreach", foreach::register(function)?)),
        }
    }
}

/// Where rows go.
enum Target<'a> {
    Path(&'a str),
    Table(&'a str),
}

impl DataStreamWriter {
    pub(crate) fn new(df: DataFrame) -> Self {
        Self {
            df,
            format: None,
            output_mode: None,
            options: BTreeMap::new(),
            partitioning: Vec::new(),
            clustering: Vec::new(),
            query_name: None,
            trigger: None,
            function: None,
        }
    }

    /// Which rows of the result a batch writes: `append`, `update` or `complete`, or an
    /// [`OutputMode`](super::OutputMode).
    pub fn output_mode(mut self, mode: impl AsRef<str>) -> Self {
        self.output_mode = Some(mode.as_ref().to_string());
        self
    }

    /// The sink: `memory`, `console`, `noop`, `parquet`, `json`, `csv` or `text`. A Spark cluster has
    /// more.
    pub fn format(mut self, sink: &str) -> Self {
        self.format = Some(sink.to_string());
        self
    }

    /// An option of the sink, or `checkpointLocation`.
    pub fn option(mut self, key: &str, value: impl ToString) -> Self {
        self.options.insert(key.to_string(), value.to_string());
        self
    }

    /// Several options.
    pub fn options<K: Into<String>, V: ToString>(
        mut self,
        options: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let options = options
            .into_iter()
            .map(|(key, value)| (key.into(), value.to_string()));
        self.options.extend(options);
        self
    }

    /// One folder per value of these columns.
    pub fn partition_by<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.partitioning = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Rows with near values of these columns near each other.
    pub fn cluster_by<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.clustering = columns.into_iter().map(Into::into).collect();
        self
    }

    /// The query's name: SQL, magics and [`StreamingQueryManager::get`] know it by that.
    ///
    /// [`StreamingQueryManager::get`]: super::StreamingQueryManager::get
    pub fn query_name(mut self, name: &str) -> Self {
        self.query_name = Some(name.to_string());
        self
    }

    /// When batches run; without this, one after the other.
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = Some(trigger);
        self
    }

    /// Hands every batch to a function, with its number. It may return nothing, or a `Result`
    /// whose error fails the query, as a panic does. After a restart the last batch can come again
    /// with the same number.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let events = spark.read_stream().schema("user STRING, amount DOUBLE").json("data/events");
    /// let query = events
    ///     .write_stream()
    ///     .foreach_batch(|batch: DataFrame, batch_id: i64| {
    ///         println!("batch {batch_id} has {} rows", batch.count()?);
    ///         batch.write().mode("append").parquet("out/events")
    ///     })
    ///     .start("")?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn foreach_batch<F, R>(mut self, function: F) -> Self
    where
        F: Fn(DataFrame, i64) -> R + Send + Sync + 'static,
        R: BatchResult,
    {
        let function = move |batch, batch_id| function(batch, batch_id).into_result();
        self.function = Some(UserFunction::Batches(Arc::new(function)));
        self
    }

    /// Hands every row to a function, in the order of the batches. It returns what one for
    /// [`foreach_batch`](Self::foreach_batch) may.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let events = spark.read_stream().schema("user STRING, amount DOUBLE").json("data/events");
    /// let query = events.write_stream().foreach(|row: Row| println!("{row}")).start("")?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn foreach<F, R>(self, function: F) -> Self
    where
        F: Fn(Row) -> R + Send + Sync + 'static,
        R: BatchResult,
    {
        let rows = move |rows: DataFrame, _, _| {
            let mut rows = rows.collect()?.into_iter();
            rows.try_for_each(|row| function(row).into_result())
        };
        self.with_rows_function(Arc::new(rows))
    }

    /// Hands every row to a writer, which is opened for every batch and closed after it; see
    /// [`ForeachWriter`].
    pub fn foreach_writer<W>(self, writer: W) -> Self
    where
        W: ForeachWriter + Clone + Send + Sync + 'static,
    {
        self.with_rows_function(foreach::rows_function(writer))
    }

    fn with_rows_function(mut self, function: Arc<RowsFunction>) -> Self {
        self.function = Some(UserFunction::Rows(function));
        self
    }

    /// Starts the query, with a path if the sink has one; `""` is none.
    ///
    /// # Errors
    /// If it cannot run: the plan is refused, the sink is not known, the checkpoint is of another
    /// query, or a query of this name runs already.
    pub fn start(self, path: &str) -> Result<StreamingQuery> {
        self.begin(Target::Path(path))
    }

    /// Starts the query, into a table.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn to_table(self, table_name: &str) -> Result<StreamingQuery> {
        self.begin(Target::Table(table_name))
    }

    fn begin(mut self, target: Target) -> Result<StreamingQuery> {
        let function = self
            .function
            .take()
            .map(UserFunction::register)
            .transpose()?;
        if let Some((format, id)) = &function {
            self = self.format(format).option("callback", id);
        }
        let plan = command::plan(6, self.to_message(target));
        let started = ask(&Request::StartStream, &plan).map(StreamingQuery::new);
        if let Some((_, id)) = function {
            // The query has its function by now. Why one did not start matters more than whether
            // this succeeds.
            let _ = tell(&Request::RemoveFunction { id }, &[]);
        }
        started
    }

    /// The message `spark.connect.Plan` that [`start`](Self::start) sends, encoded.
    #[doc(hidden)]
    pub fn plan(&self, path: &str) -> Vec<u8> {
        command::plan(6, self.to_message(Target::Path(path)))
    }

    /// Says, as the value of the cell, that nothing runs yet.
    pub fn evcxr_display(&self) {
        crate::display::value_text("a query that was not started: call .start(\"\")?");
    }

    /// The message `spark.connect.WriteStreamOperationStart`.
    fn to_message(&self, target: Target) -> Message {
        let start = Message::new()
            .raw(1, self.df.relation().bytes())
            .maybe(self.format.as_ref(), |start, format| {
                start.string(2, format)
            })
            .map(3, &self.options)
            .strings(4, &self.partitioning)
            .maybe(self.trigger.as_ref(), |start, trigger| trigger.write(start))
            .maybe(self.output_mode.as_ref(), |start, mode| {
                start.string(9, mode)
            })
            .maybe(self.query_name.as_ref(), |start, name| {
                start.string(10, name)
            });
        let start = match target {
            Target::Path("") => start,
            Target::Path(path) => start.string(11, path),
            Target::Table(name) => start.string(12, name),
        };
        start.strings(15, &self.clustering)
    }
}
