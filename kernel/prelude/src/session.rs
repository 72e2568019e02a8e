//! The session: where data frames come from.

use serde::Deserialize;

use crate::conf::RuntimeConf;
use crate::connection::ask;
use crate::dataframe::{Collected, DataFrame};
use crate::error::Result;
use crate::plan::relation::Relation;
use crate::readwriter::DataFrameReader;
use crate::row::Row;
use crate::streaming::{DataStreamReader, StreamingQueryManager};
use crate::types::DataType;
use crate::udf::UdfRegistration;
use crate::wire::Request;

/// The session of the notebook. There is one; every cell has it under the name `spark`.
///
/// The name is that of a unit struct, so code that was written for another client may still say
/// `let spark = SparkSession::builder()…`: it gets the same session.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// spark.sql("SELECT 1 + 1 AS two")?.show(20)?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SparkSession;

/// What became of a statement.
#[derive(Deserialize)]
struct Looked {
    #[serde(default)]
    query: bool,
    #[serde(default)]
    done: String,
    #[serde(flatten)]
    rows: Option<Collected>,
}

impl SparkSession {
    /// Rows of a query; any other statement is executed.
    ///
    /// # Errors
    /// If it is not SQL, or names what is not there.
    pub fn sql(&self, query: &str) -> Result<DataFrame> {
        let request = Request::Sql {
            text: query.to_string(),
        };
        let looked: Looked = ask(&request, &[])?;
        if looked.query {
            return Ok(DataFrame::new(Relation::sql(query), false));
        }
        let (schema, rows) = match looked.rows {
            Some(rows) => rows.read()?,
            None => (DataType::from_ddl("result STRING")?, Vec::new()),
        };
        Ok(DataFrame::local(&rows, &schema)?.with_sentence(&looked.done))
    }

    /// A data frame of rows that the cell has.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// let names = vec!["user".to_string(), "amount".to_string()];
    /// let rows = vec![Row::new(names, vec![Value::String("ann".to_string()), Value::Double(2.5)])];
    /// let schema = DataType::from_ddl("user STRING, amount DOUBLE")?;
    /// spark.create_dataframe(rows, schema)?.show(5)?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If a row has more or fewer values than the schema has columns.
    pub fn create_dataframe(&self, rows: Vec<Row>, schema: DataType) -> Result<DataFrame> {
        DataFrame::local(&rows, &schema)
    }

    /// Rows of a table, a view, a named source, or a query's memory sink.
    ///
    /// # Errors
    /// None; a name that is not known fails when rows are asked for.
    pub fn table(&self, name: &str) -> Result<DataFrame> {
        Ok(DataFrame::new(Relation::table(name, false), false))
    }

    /// The numbers from 0 up to `end`, in a column `id`.
    ///
    /// # Errors
    /// None.
    pub fn range(&self, end: i64) -> Result<DataFrame> {
        self.range_full(0, end, 1, None)
    }

    /// The numbers from `start` up to `end` by `step`, in a column `id`.
    ///
    /// # Errors
    /// None.
    pub fn range_full(
        &self,
        start: i64,
        end: i64,
        step: i64,
        partitions: Option<i32>,
    ) -> Result<DataFrame> {
        Ok(DataFrame::new(
            Relation::range(start, end, step, partitions),
            false,
        ))
    }

    /// Reads files.
    pub fn read(&self) -> DataFrameReader {
        DataFrameReader::new()
    }

    /// Reads what comes, on and on.
    pub fn read_stream(&self) -> DataStreamReader {
        DataStreamReader::new()
    }

    /// The queries that run.
    pub fn streams(&self) -> StreamingQueryManager {
        StreamingQueryManager
    }

    /// The session's settings.
    pub fn conf(&self) -> RuntimeConf {
        RuntimeConf
    }

    /// Makes functions in Rust known to SQL.
    ///
    /// ```no_run
    /// use tidebook::prelude::*;
    ///
    /// spark.udf().register("shout", |text: &str| text.to_uppercase() + "!")?;
    /// spark.sql("SELECT shout('hello')")?.show(1)?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn udf(&self) -> UdfRegistration {
        UdfRegistration
    }

    /// The version of Tidebook.
    ///
    /// # Errors
    /// None.
    pub fn version(&self) -> Result<String> {
        Ok(env!("CARGO_PKG_VERSION").to_string())
    }

    /// As other clients begin; gives the session of the notebook.
    pub fn builder() -> SparkSessionBuilder {
        SparkSessionBuilder
    }

    /// The session lives as long as the notebook; this does nothing.
    ///
    /// # Errors
    /// None.
    pub fn stop(&self) -> Result<()> {
        Ok(())
    }
}

/// Gives the session of the notebook, whatever is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct SparkSessionBuilder;

impl SparkSessionBuilder {
    /// The same as [`SparkSession::builder`].
    pub fn new() -> Self {
        Self
    }

    /// Ignored: where queries run is for `%connect` to say.
    pub fn remote(self, _url: &str) -> Self {
        self
    }

    /// The session.
    ///
    /// # Errors
    /// None.
    pub fn get_or_create(self) -> Result<SparkSession> {
        Ok(SparkSession)
    }
}
