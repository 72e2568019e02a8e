//! `%clock`: shows and moves the manual clock, by which queries with `--clock manual` live.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use async_trait::async_trait;
use clap::Arg;
use clap::builder::PossibleValuesParser;
use tidebook_engine::{Session, SqlOutput};

use super::{Call, Kind, Magic, Spec, query_title, values};
use crate::error::{CellError, Result};

/// See the module.
pub(super) struct Clock;

#[async_trait]
impl Magic for Clock {
    fn spec(&self) -> Spec {
        Spec {
            name: "clock",
            kind: Kind::Line,
            about: "shows or moves the clock of queries that were started with --clock manual, and waits until they have done what is due then",
            body: "",
            example: "%clock set \"2024-01-01 12:00:00\"\n%clock advance \"10 minutes\"",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("action")
                .value_name("ACTION")
                .requires("time")
                .value_parser(PossibleValuesParser::new(["set", "advance"]))
                .help("without it, the clock is shown"),
            Arg::new("time")
                .value_name("TIME")
                .help("a time to set, like \"2024-01-01 12:00:00\", or how far to advance, like \"10 minutes\""),
        ]
    }

    fn offers(&self, arg: &str, _given: &[&str]) -> Vec<String> {
        match arg {
            "time" => ["10 seconds", "1 minute", "10 minutes", "1 hour"]
                .map(str::to_owned)
                .to_vec(),
            _ => Vec::new(),
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let context = call.context;
        let session = &context.session;
        let now = session.manual_clock_ms();
        let typed = call.text("time").unwrap_or_default();
        let time = match call.text("action") {
            Some("set") => parse(session, typed).await?,
            Some(_) => now.saturating_add(values::duration(typed)?.as_millis() as i64),
            None => {
                let now = shown(session, now).await?;
                context
                    .outputs
                    .stdout(format!("the manual clock shows {now}\n"));
                return Ok(());
            }
        };
        let before = call.context.tally.clone();
        let batches = |query: &tidebook_engine::StreamingQuery| before.of(query.run_id()).batches;
        let active = session.streams().active();
        let known: Vec<_> = active
            .iter()
            .map(|query| (query.run_id(), batches(query)))
            .collect();
        let queries = session.set_manual_clock(time).await?;
        let mut text = format!("the manual clock shows {}\n", shown(session, time).await?);
        for query in &queries {
            context.failures.report(&query.clone().into())?;
            let before = known.iter().find(|(run, _)| *run == query.run_id());
            let ran = batches(query) - before.map_or(0, |(_, batches)| *batches);
            let batches = if ran == 1 { "batch" } else { "batches" };
            text.push_str(&format!("{} ran {ran} {batches}\n", query_title(query)));
        }
        context.outputs.stdout(text);
        Ok(())
    }
}

/// A time as the session's zone writes it: `2024-01-01 12:00:00`.
pub(super) async fn shown(session: &Session, time_ms: i64) -> Result<String> {
    let sql = format!("SELECT date_format(timestamp_millis({time_ms}), 'yyyy-MM-dd HH:mm:ss')");
    let SqlOutput::Rows(rows) = session.sql(&sql).await? else {
        return Err(CellError::internal("a time was asked for"));
    };
    let text = rows.batches.first().map(|batch| {
        let text: &arrow::array::StringArray = batch.column(0).as_string();
        text.value(0).to_owned()
    });
    text.ok_or_else(|| CellError::internal("a time was asked for"))
}

/// The milliseconds of a time as typed.
async fn parse(session: &Session, typed: &str) -> Result<i64> {
    let quoted = typed.replace('\\', "\\\\").replace('\'', "\\'");
    let sql = format!("SELECT unix_millis(try_cast('{quoted}' AS TIMESTAMP))");
    let SqlOutput::Rows(rows) = session.sql(&sql).await? else {
        return Err(CellError::internal("a time was asked for"));
    };
    let millis = rows.batches.first().and_then(|batch| {
        let millis = batch.column(0).as_primitive_opt::<Int64Type>()?;
        millis.iter().next().flatten()
    });
    millis.ok_or_else(|| {
        CellError::usage(format!("'{typed}' is not a time"))
            .hint("%clock set \"2024-01-01 12:00:00\"")
    })
}
