//! `%status`: what a query is doing right now.

use async_trait::async_trait;
use clap::Arg;

use super::{Call, Kind, Magic, Spec, query_arg};
use crate::display;
use crate::error::Result;

/// See the module.
pub(super) struct Status;

#[async_trait]
impl Magic for Status {
    fn spec(&self) -> Spec {
        Spec {
            name: "status",
            kind: Kind::Line,
            about: "shows what a query is doing right now, its live card, and why it failed if it did",
            body: "",
            example: "%status counts",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![query_arg()]
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.query().await?;
        let outputs = &call.context.outputs;
        outputs.display(display::status(&query.status()));
        call.context.live.show_card(outputs, &query).await?;
        if let Err(error) = call.context.failures.report(&query) {
            outputs.stderr(format!("{error}\n"));
        }
        Ok(())
    }
}
