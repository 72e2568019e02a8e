//! `%alert`: watches a condition on a query, and tells when it becomes true.

use async_trait::async_trait;
use clap::{Arg, ArgAction};

use super::{Call, Kind, Magic, QUERY, Spec, query_title};
use crate::backend::Query;
use crate::display;
use crate::error::{CellError, Result};
use crate::live::{alert_card, progress_fields};

/// See the module.
pub(super) struct Alert;

#[async_trait]
impl Magic for Alert {
    fn spec(&self) -> Spec {
        Spec {
            name: "alert",
            kind: Kind::Line,
            about: "watches a condition on the progress or the rows of a query, and tells each time it becomes true",
            body: "",
            example: "%alert counts \"inputRowsPerSecond > 2 * processedRowsPerSecond\"\n\
                      %alert counts \"stateOperators[0].numRowsTotal > 10000\" --fail\n\
                      %alert counts \"departures < 5\"",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new(QUERY)
                .value_name("NAME")
                .required(true)
                .help("the query"),
            Arg::new("condition")
                .value_name("CONDITION")
                .help("an expression of SQL over the columns of the query's rows, or over the fields of its progress and stateRows, stateBytes, droppedRows, watermark; without it, the alerts of the query are shown"),
            Arg::new("fail")
                .long("fail")
                .action(ArgAction::SetTrue)
                .requires("condition")
                .help("turn a cell red, and with it a run in CI, each time it becomes true"),
            Arg::new("clear")
                .long("clear")
                .action(ArgAction::SetTrue)
                .conflicts_with("condition")
                .help("forget the alerts of the query"),
        ]
    }

    fn offers(&self, arg: &str, _given: &[&str]) -> Vec<String> {
        match arg {
            "condition" => progress_fields(),
            _ => Vec::new(),
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.query_here()?;
        let (title, shown) = (query_title(&query), Query::from(query.clone()));
        let context = call.context;
        let alerts = context.live.alerts();
        if call.args.get_flag("clear") {
            let number = display::count(alerts.clear(&query) as i64, "alert");
            context
                .outputs
                .stdout(format!("{title} has {number} less\n"));
            return Ok(());
        }
        let Some(condition) = call.text("condition") else {
            let known = alerts.of(query.run_id());
            if known.is_empty() {
                context.outputs.stdout(format!("{title} has no alerts\n"));
            }
            for alert in known {
                let draw = alert_card(&query, &alert);
                context.live.show(&context.outputs, &shown, draw).await?;
            }
            return Ok(());
        };
        if condition.trim().is_empty() {
            return Err(CellError::usage("the condition is empty")
                .hint(format!("%alert {} \"batchDuration > 1000\"", query.label())));
        }
        let fails = call.args.get_flag("fail");
        let alert = alerts
            .add(&context.session, &query, condition, fails)
            .await?;
        let draw = alert_card(&query, &alert);
        context.live.show(&context.outputs, &shown, draw).await
    }
}
