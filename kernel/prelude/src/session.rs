//! The session: where data frames come from.

use serde::Deserialize;

use crate::conf::RuntimeConf;
use crate::connection::ask;
use crate::dataframe::DataFrame;
use crate::error::Result;
use crate::plan::relation::Relation;
use crate::readwriter::DataFrameReader;
use crate::streaming::{DataStreamReader, StreamingQueryManager};
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

#[derive(Deserialize)]
struct Looked {
    #[serde(default)]
    query: bool,
    #[serde(default)]
    done: String,
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
        Ok(match looked.query {
            true => DataFrame::new(Relation::sql(query), false),
            false => DataFrame::done(&looked.done),
        })
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
