//! `%chart`: draws the memory table of a query and keeps the drawing up to date.

use std::sync::Arc;

use async_trait::async_trait;
use clap::Arg;
use clap::builder::PossibleValuesParser;
use futures::FutureExt as _;

use super::{Call, Kind, Magic, Spec, await_query, query_arg, query_title};
use crate::backend::{GrowingTable, Query};
use crate::display::{self, ChartKind, ChartOptions, EventTime};
use crate::error::{CellError, Result};
use crate::live::{Draw, named_table, now};

/// See the module.
pub(super) struct Chart;

#[async_trait]
impl Magic for Chart {
    fn spec(&self) -> Spec {
        Spec {
            name: "chart",
            kind: Kind::Line,
            about: "draws the rows of a query with a memory sink, live until it ends",
            body: "",
            example: "%chart counts --y n --by origin --kind line --last 24",
        }
    }

    fn args(&self) -> Vec<Arg> {
        let column = |flag: &'static str, help: &'static str| {
            Arg::new(flag).long(flag).value_name("COLUMN").help(help)
        };
        vec![
            query_arg(),
            column(
                "x",
                "along the bottom; without it, the window or the first time",
            ),
            column("y", "upwards; without it, the first number"),
            column("by", "one series per value"),
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .value_parser(PossibleValuesParser::new(
                    ChartKind::ALL.map(ChartKind::as_str),
                ))
                .help("the shape; without it, what suits the columns"),
            Arg::new("last")
                .long("last")
                .value_name("N")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("only the newest N positions along the bottom"),
            Arg::new("progress")
                .long("progress")
                .value_name("FIELDS")
                .conflicts_with_all(["x", "y", "by", "kind", "last"])
                .help("instead of rows, the history of fields of the query's progress: inputRowsPerSecond,processedRowsPerSecond,stateRows"),
        ]
    }

    fn offers(&self, arg: &str, _given: &[&str]) -> Vec<String> {
        match arg {
            "progress" => [
                "inputRowsPerSecond,processedRowsPerSecond",
                "stateRows",
                "batchDuration",
            ]
            .map(str::to_owned)
            .to_vec(),
            _ => Vec::new(),
        }
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.query().await?;
        let context = call.context;
        if let Some(fields) = call.text("progress") {
            return history(&call, &query, fields).await;
        }
        let Some(name) = query.table() else {
            let title = query_title(&query);
            return Err(CellError::usage(format!(
                "{title} writes to {}, and a chart needs a memory sink",
                query.sink().unwrap_or_else(|| "another sink".to_owned())
            ))
            .hint(format!(
                "start the query with --sink memory, or draw its progress: \
                 %chart {} --progress numInputRows,batchDuration",
                query.label()
            )));
        };
        // The chart comes before what other queries print.
        let _hold = context.live.hold_text();
        if context.batch && query.ends_by_itself() {
            await_query::termination(context, &query, None).await?;
        }
        let options = options(&call);
        let backend = context.backend().await?;
        let table = GrowingTable::new(&backend, named_table(name), &query);
        let draw = draw(table, &query, name, options);
        context.live.show(&context.outputs, &query, draw).await
    }
}

fn options(call: &Call<'_>) -> ChartOptions {
    let column = |arg| call.text(arg).map(str::to_owned);
    let kind = call.text("kind").and_then(|typed| {
        ChartKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == typed)
    });
    ChartOptions {
        x: column("x"),
        y: column("y"),
        by: column("by"),
        kind,
        last: call.args.get_one::<u32>("last").map(|last| *last as usize),
    }
}

/// Fields of the progress, batch by batch.
async fn history(call: &Call<'_>, query: &Query, fields: &str) -> Result<()> {
    let context = call.context;
    let fields = fields.split(',').map(|field| field.trim().to_owned());
    let fields: Arc<Vec<String>> = Arc::new(fields.filter(|field| !field.is_empty()).collect());
    if fields.is_empty() {
        return Err(CellError::usage("'--progress' names no field")
            .hint("--progress inputRowsPerSecond,processedRowsPerSecond,stateRows"));
    }
    let _hold = context.live.hold_text();
    if context.batch && query.ends_by_itself() {
        await_query::termination(context, query, None).await?;
    }
    let drawn = query.clone();
    let draw: Draw = Box::new(move || {
        let (query, fields) = (drawn.clone(), Arc::clone(&fields));
        async move {
            let note = query.is_active().then(|| format!("as of {}", now()));
            let progress = query.recent_progress();
            Ok(display::progress_chart(
                &progress,
                &fields,
                note,
                &query.label(),
            )?)
        }
        .boxed()
    });
    context.live.show(&context.outputs, query, draw).await
}

fn draw(table: GrowingTable, query: &Query, name: &str, options: ChartOptions) -> Draw {
    let query = query.clone();
    let options = Arc::new(options);
    let title = Arc::<str>::from(name);
    Box::new(move || {
        let (table, options, title) = (table.clone(), Arc::clone(&options), Arc::clone(&title));
        let query = query.clone();
        async move {
            // In this order: the rows may be newer than the watermark, never older.
            let event_time = EventTime::of(&query.recent_progress());
            let as_of = query.is_active().then(now);
            let rows = table.rows().await?;
            let note = as_of.map(|time| format!("as of {time}"));
            Ok(display::chart(&rows, &options, &event_time, note, &title)?)
        }
        .boxed()
    })
}
