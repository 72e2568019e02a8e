//! Data frames: plans with methods to go on from them (`transform`), and to see what they give
//! (`actions`).

mod actions;
mod columns;
mod local;
mod statistics;
mod transform;

use std::sync::Arc;

pub(crate) use actions::{Collected, Text};
pub use columns::ColumnNames;

use crate::plan::relation::Relation;

/// Rows of a table, a file, a stream or a query. It is a plan: nothing is read before a method asks
/// for rows, or a query is started.
///
/// ```no_run
/// use tidebook::prelude::*;
///
/// let events = spark
///     .read_stream()
///     .format("json")
///     .schema("user STRING, amount DOUBLE, ts TIMESTAMP")
///     .load(Some("data/events"));
/// let per_minute = events
///     .with_watermark("ts", "10 minutes")
///     .group_by([window("ts", "1 minute")])
///     .agg([sum("amount").alias("total")]);
/// ```
#[derive(Clone)]
pub struct DataFrame {
    relation: Relation,
    streaming: bool,
    /// What a statement without rows says it did.
    done: Option<Arc<str>>,
}

impl DataFrame {
    pub(crate) fn new(relation: Relation, streaming: bool) -> Self {
        Self {
            relation,
            streaming,
            done: None,
        }
    }

    /// What is left of a statement that was executed: the rows that it gave, and what it says.
    pub(crate) fn with_sentence(self, sentence: &str) -> Self {
        Self {
            done: (!sentence.is_empty()).then(|| sentence.into()),
            ..self
        }
    }

    /// The message `spark.connect.Plan`, encoded.
    #[doc(hidden)]
    pub fn plan(&self) -> Vec<u8> {
        self.relation.to_plan()
    }

    pub(crate) fn relation(&self) -> &Relation {
        &self.relation
    }

    /// A data frame made of this one.
    pub(crate) fn with(&self, relation: Relation) -> Self {
        Self::new(relation, self.streaming)
    }

    /// A data frame made of this one and another.
    fn with_both(&self, other: &Self, relation: Relation) -> Self {
        Self::new(relation, self.streaming || other.streaming)
    }
}

impl std::fmt::Debug for DataFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.schema() {
            Ok(schema) => {
                let columns = schema.fields().iter();
                let columns = columns.map(|field| format!("{}: {}", field.name, field.data_type));
                write!(f, "DataFrame[{}]", columns.collect::<Vec<_>>().join(", "))
            }
            Err(error) => write!(f, "DataFrame[{error}]"),
        }
    }
}
