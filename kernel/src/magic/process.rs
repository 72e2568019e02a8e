//! `%process`: waits until a query has caught up with its sources.

use async_trait::async_trait;
use clap::Arg;

use super::{Call, Kind, Magic, Spec, query_arg, query_title};
use crate::error::Result;

/// See the module.
pub struct Process;

#[async_trait]
impl Magic for Process {
    fn spec(&self) -> Spec {
        Spec {
            name: "process",
            kind: Kind::Line,
            about: "waits until a query has processed all data there is now: processAllAvailable",
            body: "",
            example: "%process counts",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![query_arg()]
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.query()?;
        if let Err(error) = query.process_all_available().await {
            call.context.failures.report(&query)?;
            return Err(error.into());
        }
        call.context.failures.report(&query)?;
        let title = query_title(&query);
        call.context
            .outputs
            .stdout(format!("{title} has processed all available data\n"));
        Ok(())
    }
}
