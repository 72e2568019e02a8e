//! Methods that ask the kernel: for the schema, for rows, for a plan.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::DataFrame;
use crate::column::Column;
use crate::connection::{ask, tell};
use crate::error::{Error, Result};
use crate::functions::count;
use crate::plan::command;
use crate::readwriter::DataFrameWriter;
use crate::row::{Row, Value};
use crate::session::SparkSession;
use crate::streaming::DataStreamWriter;
use crate::text::print_lines;
use crate::types::DataType;
use crate::wire::Request;

/// How many characters of a cell `show` prints.
const TRUNCATE: u64 = 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    schema: Json,
    is_streaming: bool,
}

/// Rows as the kernel sends them.
#[derive(Deserialize)]
pub(crate) struct Collected {
    schema: Json,
    rows: Vec<Vec<Json>>,
}

#[derive(Deserialize)]
pub(crate) struct Text {
    pub(crate) text: String,
}

impl Collected {
    /// The schema and the rows.
    pub(crate) fn read(self) -> Result<(DataType, Vec<Row>)> {
        let schema = DataType::from_json(&self.schema)?;
        let names = schema.field_names()?;
        let row = |values: Vec<Json>| {
            let values = values.into_iter().zip(schema.fields());
            let values = values.map(|(value, field)| Value::from_json(value, &field.data_type));
            Ok(Row::new(names.clone(), values.collect::<Result<_>>()?))
        };
        let rows = self.rows.into_iter().map(row).collect::<Result<_>>()?;
        Ok((schema, rows))
    }
}

impl DataFrame {
    fn described(&self) -> Result<Described> {
        ask(&Request::Schema, &self.relation.to_plan())
    }

    /// Columns and their types, as a struct type.
    ///
    /// # Errors
    /// If the plan cannot be, for example because a column is not there.
    pub fn schema(&self) -> Result<DataType> {
        DataType::from_json(&self.described()?.schema)
    }

    /// Names of the columns.
    pub fn columns(&self) -> Result<Vec<String>> {
        self.schema()?.field_names()
    }

    /// Names and types of the columns.
    pub fn dtypes(&self) -> Result<Vec<(String, String)>> {
        let schema = self.schema()?;
        let fields = schema.fields().iter();
        Ok(fields
            .map(|field| (field.name.clone(), field.data_type.simple_string()))
            .collect())
    }

    /// Prints the columns as a tree.
    pub fn print_schema(&self) -> Result<()> {
        print_lines(&self.schema()?.tree_string()?);
        Ok(())
    }

    /// Whether it has a stream in it, so that it can be started but not collected.
    pub fn is_streaming(&self) -> bool {
        self.streaming
            || self
                .described()
                .is_ok_and(|described| described.is_streaming)
    }

    /// Whether it is small and known without reading anything; none is.
    pub fn is_local(&self) -> bool {
        false
    }

    /// All rows.
    ///
    /// # Errors
    /// If it is a stream, or the query fails.
    pub fn collect(&self) -> Result<Vec<Row>> {
        self.rows(None)
    }

    /// All rows, each as a struct of yours or a tuple.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// #[derive(Debug, Deserialize)]
    /// struct Count {
    ///     user: String,
    ///     n: i64,
    /// }
    ///
    /// let counts: Vec<Count> = spark.table("counts")?.collect_as()?;
    /// let pairs = spark.sql("SELECT user, n FROM counts")?.collect_as::<(String, i64)>()?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If it is a stream, the query fails, or a column does not fit its field.
    pub fn collect_as<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        self.rows(None)?.iter().map(Row::to).collect()
    }

    fn rows(&self, limit: Option<u64>) -> Result<Vec<Row>> {
        let collected: Collected = ask(&Request::Collect { limit }, &self.relation.to_plan())?;
        collected.read().map(|(_, rows)| rows)
    }

    /// The first rows.
    pub fn take(&self, n: usize) -> Result<Vec<Row>> {
        self.rows(Some(n as u64))
    }

    /// The first row, if there is one.
    pub fn first(&self) -> Result<Option<Row>> {
        Ok(self.take(1)?.pop())
    }

    /// The first row, if there is one.
    pub fn head(&self) -> Result<Option<Row>> {
        self.first()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.take(1)?.is_empty())
    }

    /// How many rows.
    pub fn count(&self) -> Result<i64> {
        let counted = self.agg([count(Column::from("*"))]).first()?;
        let count = counted.as_ref().and_then(|row| row.get(0)?.as_i64());
        count.ok_or_else(|| Error::of("InternalError", "the count is not a number".to_string()))
    }

    /// Prints the first rows as a table, as Spark does.
    pub fn show(&self, n: usize) -> Result<()> {
        self.show_with(n, TRUNCATE as usize, false)
    }

    /// Prints the first rows as a table; cells are cut to `truncate` characters, 0 does not cut.
    /// `vertical` prints one line per cell.
    pub fn show_with(&self, n: usize, truncate: usize, vertical: bool) -> Result<()> {
        let request = Request::Show {
            rows: n as u64,
            truncate: truncate as u64,
            vertical,
        };
        let shown: Text = ask(&request, &self.relation.to_plan())?;
        print_lines(&shown.text);
        Ok(())
    }

    /// Prints the plan.
    pub fn explain(&self) -> Result<()> {
        let plan: Text = ask(&Request::Explain, &self.relation.to_plan())?;
        print_lines(&plan.text);
        Ok(())
    }

    /// Itself: nothing is kept between queries, and the rows of a batch in
    /// [`foreach_batch`](DataStreamWriter::foreach_batch) are in memory anyway.
    ///
    /// # Errors
    /// None.
    pub fn cache(&self) -> Result<Self> {
        Ok(self.clone())
    }

    /// Itself; see [`cache`](Self::cache).
    ///
    /// # Errors
    /// None.
    pub fn unpersist(&self, _blocking: bool) -> Result<Self> {
        Ok(self.clone())
    }

    /// The session.
    pub fn spark_session(&self) -> SparkSession {
        SparkSession
    }

    /// Makes it a view that SQL can name; fails if there is one.
    pub fn create_temp_view(&self, name: &str) -> Result<()> {
        self.create_view(name, false, false)
    }

    /// Makes it a view that SQL can name.
    pub fn create_or_replace_temp_view(&self, name: &str) -> Result<()> {
        self.create_view(name, true, false)
    }

    /// Makes it a view of all sessions; fails if there is one.
    pub fn create_global_temp_view(&self, name: &str) -> Result<()> {
        self.create_view(name, false, true)
    }

    /// Makes it a view of all sessions.
    pub fn create_or_replace_global_temp_view(&self, name: &str) -> Result<()> {
        self.create_view(name, true, true)
    }

    fn create_view(&self, name: &str, replace: bool, global: bool) -> Result<()> {
        let plan = command::create_view(self.relation.bytes(), name, replace, global);
        tell(&Request::Execute, &plan)
    }

    /// Writes the rows of a batch query.
    pub fn write(&self) -> DataFrameWriter {
        DataFrameWriter::new(self.clone())
    }

    /// Writes the rows of a stream, on and on.
    pub fn write_stream(&self) -> DataStreamWriter {
        DataStreamWriter::new(self.clone())
    }

    /// Shows the rows of a batch query, or the columns of a stream, as the value of the cell.
    pub fn evcxr_display(&self) {
        match &self.done {
            Some(sentence) => crate::display::value_text(sentence),
            None => crate::display::or_say(tell(&Request::DisplayFrame, &self.relation.to_plan())),
        }
    }
}
