//! `%await`: waits until a query has ended.

use std::time::Duration;

use async_trait::async_trait;
use clap::Arg;

use super::{Call, Kind, Magic, Spec, query_arg, query_title, values};
use crate::backend::Query;
use crate::context::Context;
use crate::error::Result;

/// See the module.
pub(super) struct Await;

#[async_trait]
impl Magic for Await {
    fn spec(&self) -> Spec {
        Spec {
            name: "await",
            kind: Kind::Line,
            about: "waits until a query has ended; fails if it failed",
            body: "",
            example: "%await counts --timeout 30s",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            query_arg(),
            Arg::new("timeout")
                .long("timeout")
                .value_name("TIME")
                .help("wait no longer than this; the query runs on"),
        ]
    }

    fn offers(&self, arg: &str, _given: &[&str]) -> Vec<String> {
        match arg {
            "timeout" => ["10s", "30s", "1m"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.running_query().await?;
        let timeout = call.text("timeout").map(values::duration).transpose()?;
        let title = query_title(&query);
        let outputs = &call.context.outputs;
        match termination(call.context, &query, timeout).await? {
            true => outputs.stdout(format!("{title} has ended\n")),
            false => outputs.stdout(format!("{title} is still running\n")),
        }
        Ok(())
    }
}

/// Waits until the query has ended; whether it did in time. Its failure counts as reported.
pub(super) async fn termination(
    context: &Context,
    query: &Query,
    timeout: Option<Duration>,
) -> Result<bool> {
    match query.await_termination(timeout).await {
        Ok(ended) => Ok(ended),
        Err(error) => {
            context.failures.report(query)?;
            Err(error)
        }
    }
}
