//! The names that a session knows: what completion and inspection choose from.

use arrow::datatypes::{DataType, Fields, SchemaRef};
use futures::FutureExt as _;
use tidebook_engine::{Session, SqlOutput, ViewInfo};

/// The names of a session.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    /// Queries, running and ended.
    pub queries: Vec<String>,
    /// Streams and tables.
    pub views: Vec<View>,
    /// Functions of SQL.
    pub functions: Vec<String>,
    /// Topics of Kafka, as they were last seen.
    pub topics: Vec<String>,
}

/// One name that SQL can select from.
#[derive(Debug)]
pub(super) struct View {
    /// Its name.
    pub name: String,
    /// Whether it is a stream.
    pub is_streaming: bool,
    /// Its columns.
    pub schema: SchemaRef,
}

impl KnownNames {
    /// Those of a session; none without one.
    pub(super) fn of(session: Option<&Session>) -> Self {
        let Some(session) = session else {
            return Self::default();
        };
        let queries = session.streams().all();
        let mut names: Vec<_> = queries
            .iter()
            .filter_map(|query| query.name().map(str::to_owned))
            .collect();
        names.sort_unstable();
        names.dedup();
        Self {
            queries: names,
            views: session.views().into_iter().map(View::of).collect(),
            functions: first_column(session, "SHOW FUNCTIONS"),
            topics: Vec::new(),
        }
    }

    /// The view of this name, whatever its case.
    pub(super) fn view(&self, name: &str) -> Option<&View> {
        let mut views = self.views.iter();
        views.find(|view| view.name.eq_ignore_ascii_case(name))
    }

    /// Names of streams.
    pub(super) fn streams(&self) -> Vec<String> {
        let streams = self.views.iter().filter(|view| view.is_streaming);
        streams.map(|view| view.name.clone()).collect()
    }

    /// The views that a text mentions.
    pub(super) fn mentioned(&self, text: &str) -> Vec<&View> {
        let mentions = |view: &&View| {
            let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.any(|word| word.eq_ignore_ascii_case(&view.name))
        };
        self.views.iter().filter(mentions).collect()
    }
}

impl View {
    fn of(info: ViewInfo) -> Self {
        Self {
            name: info.name,
            is_streaming: info.is_streaming,
            schema: info.schema,
        }
    }

    /// The names of its columns.
    pub(super) fn columns(&self) -> Vec<String> {
        names(self.schema.fields())
    }

    /// The names of the fields of what `path` leads to: a column, a field of it, ….
    pub(super) fn fields(&self, path: &[&str]) -> Vec<String> {
        let mut fields = self.schema.fields().clone();
        for step in path {
            let found = fields
                .iter()
                .find(|field| field.name().eq_ignore_ascii_case(step));
            match found.map(|field| field.data_type()) {
                Some(DataType::Struct(inner)) => fields = inner.clone(),
                _ => return Vec::new(),
            }
        }
        names(&fields)
    }
}

fn names(fields: &Fields) -> Vec<String> {
    fields.iter().map(|field| field.name().clone()).collect()
}

/// What a function of SQL gives, and an example, if there is one of this name.
pub(super) fn described_function(session: &Session, name: &str) -> Option<String> {
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let lines =
        is_name.then(|| first_column(session, &format!("DESCRIBE FUNCTION EXTENDED {name}")))?;
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The texts of the first column of a statement that is answered at once.
fn first_column(session: &Session, statement: &str) -> Vec<String> {
    let Some(Ok(SqlOutput::Rows(rows))) = session.sql(statement).now_or_never() else {
        return Vec::new();
    };
    let texts = rows.batches.iter().flat_map(|batch| {
        let column = batch.column(0);
        (0..batch.num_rows()).map(move |row| tidebook_engine::format_value(column, row))
    });
    texts.collect()
}
