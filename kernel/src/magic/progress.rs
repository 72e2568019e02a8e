//! `%progress`: what the last batches did, in Spark's shape.

use async_trait::async_trait;
use clap::Arg;

use super::{Call, Kind, Magic, Spec, query_arg, query_title};
use crate::display;
use crate::error::Result;

/// See the module.
pub(super) struct Progress;

#[async_trait]
impl Magic for Progress {
    fn spec(&self) -> Spec {
        Spec {
            name: "progress",
            kind: Kind::Line,
            about: "shows what the last batches of a query did: Spark's lastProgress",
            body: "",
            example: "%progress counts --recent 5",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            query_arg(),
            Arg::new("recent")
                .long("recent")
                .value_name("N")
                .default_value("1")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("show the newest N batches"),
        ]
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.query().await?;
        let wanted = call.args.get_one::<u32>("recent").copied().unwrap_or(1);
        let recent = query.recent_progress();
        let (_, newest) = recent.split_at(recent.len().saturating_sub(wanted as usize));
        match newest {
            [] => {
                let title = query_title(&query);
                call.context
                    .outputs
                    .stdout(format!("{title} has finished no batch yet\n"));
            }
            newest => call.context.outputs.display(display::progress(newest)),
        }
        Ok(())
    }
}
