//! `%stop`: ends one query or all of them.

use async_trait::async_trait;
use clap::{Arg, ArgAction};

use super::{Call, Kind, Magic, QUERY, Spec, query_title};
use crate::error::{CellError, Result};

/// See the module.
pub(super) struct Stop;

#[async_trait]
impl Magic for Stop {
    fn spec(&self) -> Spec {
        Spec {
            name: "stop",
            kind: Kind::Line,
            about: "ends a query; its checkpoint and its table stay",
            body: "",
            example: "%stop counts",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new(QUERY)
                .value_name("NAME")
                .help("the query")
                .conflicts_with("all"),
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .help("every running query"),
        ]
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let outputs = &call.context.outputs;
        if call.args.get_flag("all") {
            let running = call.context.backend().await?.stop_all().await?;
            match running.len() {
                0 => outputs.stdout("no query was running\n"),
                _ => running.iter().for_each(|query| {
                    outputs.stdout(format!("{} was stopped\n", query_title(query)));
                }),
            }
            return Ok(());
        }
        if call.text(QUERY).is_none() {
            return Err(CellError::usage("%stop does not say which query").hint("%stop --all"));
        }
        let query = call.query().await?;
        let was_running = query.is_active();
        query.stop().await?;
        let title = query_title(&query);
        match was_running {
            true => outputs.stdout(format!("{title} was stopped\n")),
            false => outputs.stdout(format!("{title} had already ended\n")),
        }
        Ok(())
    }
}
