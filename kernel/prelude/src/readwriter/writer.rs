//! Writes batches.

use std::collections::BTreeMap;

use crate::connection::tell;
use crate::dataframe::DataFrame;
use crate::error::Result;
use crate::plan::command;
use crate::protobuf::Message;
use crate::wire::Request;

/// Writes the rows of a batch query; see [`DataFrame::write`].
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// spark.table("counts")?.write().mode("overwrite").parquet("out/counts")?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DataFrameWriter {
    df: DataFrame,
    format: Option<String>,
    mode: SaveMode,
    options: BTreeMap<String, String>,
    partitioning: Vec<String>,
    sorting: Vec<String>,
}

/// What becomes of rows that are already there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SaveMode {
    /// They stay, and the new ones come to them.
    Append,
    /// They are replaced.
    Overwrite,
    /// Then it is an error.
    #[default]
    ErrorIfExists,
    /// They stay, and nothing is written.
    Ignore,
}

impl From<&str> for SaveMode {
    /// `append`, `overwrite`, `ignore`; anything else is `errorifexists`.
    fn from(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "append" => Self::Append,
            "overwrite" => Self::Overwrite,
            "ignore" => Self::Ignore,
            _ => Self::ErrorIfExists,
        }
    }
}

/// Where rows go.
enum Target<'a> {
    Path(&'a str),
    SaveAsTable(&'a str),
    InsertInto(&'a str),
    Nowhere,
}

impl DataFrameWriter {
    pub(crate) fn new(df: DataFrame) -> Self {
        Self {
            df,
            format: None,
            mode: SaveMode::default(),
            options: BTreeMap::new(),
            partitioning: Vec::new(),
            sorting: Vec::new(),
        }
    }

    /// What becomes of rows that are already there: `append`, `overwrite`, `ignore`, `error`.
    pub fn mode(mut self, mode: impl Into<SaveMode>) -> Self {
        self.mode = mode.into();
        self
    }

    /// The format: `json`, `csv`, `parquet`, …
    pub fn format(mut self, format: &str) -> Self {
        self.format = Some(format.to_string());
        self
    }

    /// An option of the format.
    pub fn option(mut self, key: &str, value: impl ToString) -> Self {
        self.options.insert(key.to_string(), value.to_string());
        self
    }

    /// Several options of the format.
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

    /// Rows of a bucket in the order of these columns.
    pub fn sort_by<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.sorting = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Writes to a path, if the format has one.
    ///
    /// # Errors
    /// If it is a stream, something is there already, or writing fails.
    pub fn save(self, path: Option<&str>) -> Result<()> {
        self.write(path.map_or(Target::Nowhere, Target::Path))
    }

    /// Writes to a table, and makes it if it is not there.
    pub fn save_as_table(self, table_name: &str) -> Result<()> {
        self.write(Target::SaveAsTable(table_name))
    }

    /// Writes to a table that is there.
    pub fn insert_into(self, table_name: &str) -> Result<()> {
        self.write(Target::InsertInto(table_name))
    }

    /// Writes JSON lines.
    pub fn json(self, path: &str) -> Result<()> {
        self.format("json").save(Some(path))
    }

    /// Writes CSV.
    pub fn csv(self, path: &str) -> Result<()> {
        self.format("csv").save(Some(path))
    }

    /// Writes Parquet.
    pub fn parquet(self, path: &str) -> Result<()> {
        self.format("parquet").save(Some(path))
    }

    /// Writes ORC.
    pub fn orc(self, path: &str) -> Result<()> {
        self.format("orc").save(Some(path))
    }

    /// Writes the one column of text as lines.
    pub fn text(self, path: &str) -> Result<()> {
        self.format("text").save(Some(path))
    }

    fn write(self, target: Target) -> Result<()> {
        tell(
            &Request::Execute,
            &command::plan(2, self.to_message(target)),
        )
    }

    /// The message `spark.connect.Plan` that [`save`](Self::save) sends, encoded.
    #[doc(hidden)]
    pub fn plan(&self, path: &str) -> Vec<u8> {
        command::plan(2, self.to_message(Target::Path(path)))
    }

    /// The message `spark.connect.WriteOperation`.
    fn to_message(&self, target: Target) -> Message {
        let mode = match self.mode {
            SaveMode::Append => 1,
            SaveMode::Overwrite => 2,
            SaveMode::ErrorIfExists => 3,
            SaveMode::Ignore => 4,
        };
        let table = |name: &str, method: i32| Message::new().string(1, name).int(2, method);
        let write = Message::new().raw(1, self.df.relation().bytes());
        let write = write.maybe(self.format.as_ref(), |write, format| {
            write.string(2, format)
        });
        let write = match target {
            Target::Path(path) => write.string(3, path),
            Target::SaveAsTable(name) => write.message(4, table(name, 1)),
            Target::InsertInto(name) => write.message(4, table(name, 2)),
            Target::Nowhere => write,
        };
        write
            .int(5, mode)
            .strings(6, &self.sorting)
            .strings(7, &self.partitioning)
            .map(9, &self.options)
    }
}
