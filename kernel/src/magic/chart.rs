//! `%chart`: draws the memory table of a query and keeps the drawing up to date.

use std::sync::Arc;

use async_trait::async_trait;
use clap::Arg;
use clap::builder::PossibleValuesParser;
use futures::FutureExt as _;
use tidebook_engine::Session;
use tidebook_engine::connect::proto;

use super::stream::ends_by_itself;
use super::{Call, Kind, Magic, Spec, await_query, query_arg, query_title};
use crate::display::{self, ChartKind, ChartOptions, MimeBundle};
use crate::error::{CellError, Result};
use crate::live::Draw;

/// See the module.
pub struct Chart;

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
        ]
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.query()?;
        let context = call.context;
        let Some(name) = query.table() else {
            let title = query_title(&query);
            return Err(CellError::usage(format!(
                "{title} writes to {}, and a chart needs a memory sink",
                query.sink()
            ))
            .hint("start the query with --sink memory"));
        };
        // The chart comes before what other queries print.
        let _hold = context.live.hold_text();
        if context.batch && ends_by_itself(&query) {
            await_query::termination(context, &query, None).await?;
        }
        let options = options(&call);
        let draw = draw(context.session.clone(), name, options);
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

fn draw(session: Session, name: &str, options: ChartOptions) -> Draw {
    let options = Arc::new(options);
    let (table, title) = (Arc::new(table(name)), Arc::<str>::from(name));
    Box::new(move || {
        let (session, options) = (session.clone(), Arc::clone(&options));
        let (table, title) = (Arc::clone(&table), Arc::clone(&title));
        async move { frame(&session, &table, &options, &title).await }.boxed()
    })
}

async fn frame(
    session: &Session,
    table: &proto::Relation,
    options: &ChartOptions,
    title: &str,
) -> Result<MimeBundle> {
    let rows = session.collect(table).await?;
    Ok(display::chart(&rows, options, title)?)
}

/// The memory sink's table, as a plan reads it.
fn table(name: &str) -> proto::Relation {
    proto::Relation {
        common: None,
        rel_type: Some(proto::relation::RelType::Read(proto::Read {
            is_streaming: false,
            read_type: Some(proto::read::ReadType::NamedTable(proto::read::NamedTable {
                unparsed_identifier: name.to_owned(),
                ..Default::default()
            })),
        })),
    }
}
