//! `%%feed`: puts rows into a memory source and shows what the queries that read it make of them.
//!
//! The cell waits for those queries, so that what comes out next comes of these rows: a lesson
//! goes on batch by batch, also where nobody watches.

use std::time::Duration;

use async_trait::async_trait;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};
use tidebook_engine::{Fed, RowFormat, StreamingQuery, Trigger};

use super::{Call, Kind, Magic, STREAM, Spec, clock, process, query_title};
use crate::backend::Query;
use crate::cell::is_comment;
use crate::context::Context;
use crate::display::count;
use crate::error::{CellError, Result};

/// See the module.
pub(super) struct Feed;

#[async_trait]
impl Magic for Feed {
    fn spec(&self) -> Spec {
        Spec {
            name: "feed",
            kind: Kind::Cell,
            about: "puts rows into a memory source and waits until the queries that read it have processed them",
            body: "the rows: JSON, one object per line, or CSV below a line with the names of the columns",
            example: "%%feed clicks\n\
                      {\"user_id\": \"ann\", \"ts\": \"2024-01-01 12:00:30\"}\n\
                      {\"user_id\": \"bob\", \"ts\": \"2024-01-01 12:04:00\"}",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new(STREAM)
                .required(true)
                .value_name("NAME")
                .help("the stream, declared by %%source NAME --format memory"),
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .ignore_case(true)
                .value_parser(PossibleValuesParser::new(
                    RowFormat::ALL.map(RowFormat::as_str),
                ))
                .help("how the rows are written; without it, the first line tells"),
            Arg::new("no-wait")
                .long("no-wait")
                .action(ArgAction::SetTrue)
                .help("do not wait for the queries that read the stream"),
        ]
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let name = call.text(STREAM).unwrap_or_default();
        let text = without_comments(call.body);
        let first = text.lines().map(str::trim).find(|line| !line.is_empty());
        let Some(first) = first else {
            return Err(
                CellError::usage("%%feed has no rows below it").hint(format!(
                    "%%feed {name}\n{{\"column\": \"value\"}}, one object per line"
                )),
            );
        };
        let format = match call.text("format") {
            Some(format) => format.parse()?,
            None if first.starts_with(['{', '[']) => RowFormat::Json,
            None => RowFormat::Csv,
        };
        let before = batches(call.context);
        let fed = call.context.session.feed(name, format, &text)?;
        call.context.outputs.stdout(added(name, &fed));
        if call.args.get_flag("no-wait") {
            return Ok(());
        }
        for query in &fed.readers {
            let known = before.iter().find(|(run, _)| *run == query.run_id());
            let before = known.and_then(|(_, batch)| *batch);
            wait(call.context, query, before).await?;
        }
        Ok(())
    }
}

/// The last batch of every running query.
fn batches(context: &Context) -> Vec<(uuid::Uuid, Option<i64>)> {
    let active = context.session.streams().active();
    let last = active
        .iter()
        .map(|query| (query.run_id(), last_batch(query)));
    last.collect()
}

/// The newest batch that was worked on.
fn last_batch(query: &StreamingQuery) -> Option<i64> {
    let recent = query.recent_progress();
    let worked = recent.iter().rev();
    let mut worked = worked.filter(|progress| progress.duration_ms.contains_key("addBatch"));
    worked.next().map(|progress| progress.batch_id)
}

fn added(name: &str, fed: &Fed) -> String {
    let rows = count(fed.rows as i64, "row");
    let all = match fed.total == fed.rows {
        true => String::new(),
        false => format!(" ({} in all)", fed.total),
    };
    match fed.readers.is_empty() {
        true => format!(
            "{rows} added to '{name}'{all}; no running query reads it yet: start one with %%stream\n"
        ),
        false => format!("{rows} added to '{name}'{all}\n"),
    }
}

/// Waits for one query, and says what it did.
async fn wait(context: &Context, query: &StreamingQuery, before: Option<i64>) -> Result<()> {
    let anywhere = Query::from(query.clone());
    let until = process::caught_up(context, &anywhere).await?;
    let title = query_title(query);
    let done = match (before.map_or(0, |batch| batch + 1), last_batch(query)) {
        (first, Some(last)) if last > first => format!("ran batches {first} to {last}"),
        (first, Some(last)) if last == first => format!("ran batch {last}"),
        _ if process::rows_leave_as_they_come(&anywhere) => {
            "has taken them; its batch goes on".to_owned()
        }
        _ => "ran no batch".to_owned(),
    };
    let next = match (until, query.trigger()) {
        (Some(until), Trigger::ProcessingTime(interval)) if interval > Duration::ZERO => {
            let until = clock::shown(&context.session, until).await?;
            format!("; its next one is due at {until} by the manual clock: %clock set \"{until}\"")
        }
        _ => String::new(),
    };
    context.outputs.stdout(format!("{title} {done}{next}\n"));
    Ok(())
}

/// The rows without notes between them; lines keep their numbers.
fn without_comments(body: &str) -> String {
    let line = |line: &str| match is_comment(line.trim()) {
        true => String::new(),
        false => line.to_owned(),
    };
    let lines: Vec<_> = body.lines().map(line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_no_rows_but_count_as_lines() {
        assert_eq!(
            without_comments("-- late\n{\"a\": 1}\n// and\n{\"a\": 2}"),
            "\n{\"a\": 1}\n\n{\"a\": 2}"
        );
    }
}
