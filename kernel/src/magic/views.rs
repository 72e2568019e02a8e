//! `%views`: the names that SQL can select from.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use async_trait::async_trait;
use tidebook_engine::{Rows, SqlOutput, ViewInfo};

use super::{Call, Kind, Magic, Spec};
use crate::backend::Backend;
use crate::display;
use crate::error::{CellError, Result};
use crate::names;

/// See the module.
pub(super) struct Views;

#[async_trait]
impl Magic for Views {
    fn spec(&self) -> Spec {
        Spec {
            name: "views",
            kind: Kind::Line,
            about: "lists the names that SQL can select from, with their columns",
            body: "",
            example: "%views",
        }
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let backend = call.context.backend().await?;
        let Backend::Here(session) = &backend else {
            if let SqlOutput::Rows(rows) = backend.sql("SHOW VIEWS").await? {
                let outputs = &call.context.outputs;
                outputs.display(display::table(&rows, rows.num_rows()));
            }
            return Ok(());
        };
        let views = session.views();
        if views.is_empty() {
            call.context
                .outputs
                .stdout("there are no views yet; %%source registers a stream\n");
            return Ok(());
        }
        let rows = rows(&views)?;
        call.context
            .outputs
            .display(display::table(&rows, rows.num_rows()));
        Ok(())
    }
}

fn rows(views: &[ViewInfo]) -> Result<Rows> {
    let column = |text: fn(&ViewInfo) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(views.iter().map(text)))
    };
    let batch = RecordBatch::try_from_iter([
        ("name", column(|view| view.name.clone())),
        ("kind", column(|view| names::kind(view).to_owned())),
        ("columns", column(|view| names::columns(view).join(", "))),
    ])
    .map_err(CellError::internal)?;
    Ok(Rows {
        schema: batch.schema(),
        batches: vec![batch],
    })
}
