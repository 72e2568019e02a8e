//! What batch and stream readers have in common: the message `spark.connect.Read.DataSource`.

use std::collections::BTreeMap;

use crate::dataframe::DataFrame;
use crate::plan::relation::Relation;
use crate::protobuf::Message;

/// A data source under construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    pub(crate) format: Option<String>,
    pub(crate) schema: Option<String>,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) name: Option<String>,
}

impl Source {
    /// The data frame of this source at `path`.
    pub(crate) fn load(&self, path: Option<&str>, streaming: bool) -> DataFrame {
        let source = Message::new()
            .maybe(self.format.as_ref(), |source, format| {
                source.string(1, format)
            })
            .maybe(self.schema.as_ref(), |source, schema| {
                source.string(2, schema)
            })
            .map(3, &self.options)
            .strings(4, path)
            .maybe(self.name.as_ref(), |source, name| source.string(6, name));
        let read = Message::new().message(2, source);
        DataFrame::new(Relation::of(2, read.bool(3, streaming)), streaming)
    }
}

/// Methods of every reader.
macro_rules! reader {
    ($reader:ident, streaming = $streaming:literal) => {
        impl $reader {
            /// The format: `json`, `csv` or `text`, and for batches `parquet`. A Spark cluster has
            /// more.
            pub fn format(mut self, source: &str) -> Self {
                self.source.format = Some(source.to_string());
                self
            }

            /// The columns, in DDL: `user STRING, amount DOUBLE, ts TIMESTAMP`.
            pub fn schema(mut self, schema: impl Into<String>) -> Self {
                self.source.schema = Some(schema.into());
                self
            }

            /// An option of the format.
            pub fn option(mut self, key: &str, value: impl ToString) -> Self {
                self.source
                    .options
                    .insert(key.to_string(), value.to_string());
                self
            }

            /// Several options of the format.
            pub fn options<K: Into<String>, V: ToString>(
                mut self,
                options: impl IntoIterator<Item = (K, V)>,
            ) -> Self {
                let options = options.into_iter();
                let options = options.map(|(key, value)| (key.into(), value.to_string()));
                self.source.options.extend(options);
                self
            }

            /// The data frame, of what lies at `path` if the format has one.
            pub fn load(self, path: Option<&str>) -> $crate::DataFrame {
                self.source.load(path, $streaming)
            }

            /// A table or view.
            pub fn table(self, name: &str) -> $crate::DataFrame {
                $crate::DataFrame::new(
                    $crate::plan::relation::Relation::table(name, $streaming),
                    $streaming,
                )
            }

            /// Files of JSON lines.
            pub fn json(self, path: &str) -> $crate::DataFrame {
                self.format("json").load(Some(path))
            }

            /// Files of CSV.
            pub fn csv(self, path: &str) -> $crate::DataFrame {
                self.format("csv").load(Some(path))
            }

            /// Parquet files.
            pub fn parquet(self, path: &str) -> $crate::DataFrame {
                self.format("parquet").load(Some(path))
            }

            /// ORC files.
            pub fn orc(self, path: &str) -> $crate::DataFrame {
                self.format("orc").load(Some(path))
            }

            /// Lines of text files, in a column `value`.
            pub fn text(self, path: &str) -> $crate::DataFrame {
                self.format("text").load(Some(path))
            }
        }
    };
}

pub(crate) use reader;
