//! `%queries`: all queries of the session.

use async_trait::async_trait;

use super::{Call, Kind, Magic, Spec};
use crate::display;
use crate::error::Result;

/// See the module.
pub(super) struct Queries;

#[async_trait]
impl Magic for Queries {
    fn spec(&self) -> Spec {
        Spec {
            name: "queries",
            kind: Kind::Line,
            about: "lists the queries of this session, running and ended",
            body: "",
            example: "%queries",
        }
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let queries = call.context.backend().await?.queries().await?;
        match queries.as_slice() {
            [] => call.context.outputs.stdout("no query was started yet\n"),
            queries => call.context.outputs.display(display::queries(queries)),
        }
        Ok(())
    }
}
