//! `%who`: everything that has a name, together.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use async_trait::async_trait;
use tidebook_engine::{Rows, StreamingQuery};

use super::{Call, Kind, Magic, Spec};
use crate::display;
use crate::error::{CellError, Result};
use crate::names;

/// See the module.
pub(super) struct Who;

#[async_trait]
impl Magic for Who {
    fn spec(&self) -> Spec {
        Spec {
            name: "who",
            kind: Kind::Line,
            about: "lists everything that has a name: variables of Rust, views and queries",
            body: "",
            example: "%who",
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let named = all(&call);
        let outputs = &call.context.outputs;
        if named.is_empty() {
            outputs.stdout("nothing has a name yet\n");
            return Ok(());
        }
        let rows = rows(&named)?;
        outputs.display(display::table(&rows, rows.num_rows()));
        Ok(())
    }
}

/// Name, what it is, and its type or state.
type Named = [String; 3];

fn all(call: &Call<'_>) -> Vec<Named> {
    let session = &call.context.session;
    let known = call.context.known.lock().clone();
    let variables = known.variables.into_iter();
    let variables = variables.map(|(name, kind)| [name, "variable".to_owned(), kind]);
    let items = known
        .items
        .into_iter()
        .map(|name| [name, "item".to_owned(), String::new()]);
    let views = session.views().into_iter().map(|view| {
        let columns = names::columns(&view).join(", ");
        [view.name.clone(), names::kind(&view).to_owned(), columns]
    });
    let queries = session.streams().all();
    let queries = queries.iter().filter_map(|query| {
        let name = query.name()?.to_owned();
        Some([name, "query".to_owned(), state(query)])
    });
    variables.chain(items).chain(views).chain(queries).collect()
}

fn state(query: &StreamingQuery) -> String {
    match (query.exception(), query.is_active()) {
        (Some(error), _) => format!("failed: {}", error.message()),
        (None, true) => query.status().message,
        (None, false) => "ended".to_owned(),
    }
}

fn rows(named: &[Named]) -> Result<Rows> {
    let column = |part: fn(&Named) -> &String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(named.iter().map(part)))
    };
    let columns = [
        ("name", column(|[name, ..]| name)),
        ("is", column(|[_, is, _]| is)),
        ("type", column(|[.., kind]| kind)),
    ];
    let batch = RecordBatch::try_from_iter(columns).map_err(CellError::internal)?;
    Ok(Rows {
        schema: batch.schema(),
        batches: vec![batch],
    })
}
