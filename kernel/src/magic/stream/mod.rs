//! `%%stream`: starts a streaming query, shows its card, and waits if it is told until when.

mod sink;
mod trigger;
mod until;

use std::collections::HashMap;

use async_trait::async_trait;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};
use tidebook_engine::connect::proto;
use tidebook_engine::sinks::SINK_FORMATS;
use tidebook_engine::{CommandOutput, OutputMode, StreamingQuery};

use super::{Call, Kind, Magic, Spec, query_title, values};
use crate::error::{CellError, Result};
use crate::live::query_card;
use sink::Sink;
use trigger::TriggerChoice;
use until::Until;

/// See the module.
pub struct Stream;

#[async_trait]
impl Magic for Stream {
    fn spec(&self) -> Spec {
        Spec {
            name: "stream",
            kind: Kind::Cell,
            about: "starts a streaming query under a name and shows its card",
            body: "a SELECT over streams",
            example: "%%stream counts --mode update --trigger \"1 second\"\n\
                      SELECT window(ts, '5 minutes') AS window, count(*) AS n\n\
                      FROM events GROUP BY window(ts, '5 minutes')",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("name")
                .required(true)
                .value_name("NAME")
                .help("what the query, and the table of a memory sink, is called"),
            Arg::new("mode")
                .long("mode")
                .value_name("MODE")
                .default_value(OutputMode::default().as_str())
                .ignore_case(true)
                .value_parser(PossibleValuesParser::new(
                    OutputMode::ALL.map(OutputMode::as_str),
                ))
                .help("which rows a batch hands to the sink"),
            Arg::new("trigger")
                .long("trigger")
                .value_name("TRIGGER")
                .help(
                    "when batches run: an interval like \"1 second\", once or available-now; \
                       without it, as soon as there is data",
                ),
            Arg::new("sink")
                .long("sink")
                .value_name("SINK")
                .default_value("memory")
                .help(format!("where rows go: {}", sink::all().join(", "))),
            Arg::new("checkpoint")
                .long("checkpoint")
                .value_name("DIR")
                .help("the folder from which the query resumes after a restart"),
            Arg::new("option")
                .long("option")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .help("an option of the sink, as Spark names it"),
            Arg::new("until").long("until").value_name("END").help(
                "wait for the end: available-now, rows=N, batches=N or for=10s; \
                       without it the query runs on",
            ),
        ]
    }

    fn offers(&self, arg: &str) -> Vec<String> {
        let fixed: &[&str] = match arg {
            "sink" => return sink::all(),
            "option" => {
                return values::option_keys(
                    SINK_FORMATS
                        .iter()
                        .flat_map(|f| f.options)
                        .copied()
                        .flatten(),
                );
            }
            "trigger" => &["once", "available-now", "1 second"],
            "until" => &["available-now", "rows=", "batches=", "for="],
            _ => &[],
        };
        fixed.iter().map(|value| (*value).to_owned()).collect()
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let until = call.text("until").map(str::parse::<Until>).transpose()?;
        let plan = plan(&call, until)?;
        let context = call.context;
        // The card must be the first output of the cell, before what the query prints.
        let hold = context.live.hold_text();
        let query = match context.session.execute(&plan).await? {
            CommandOutput::Query(query) => query,
            _ => {
                return Err(CellError::internal(
                    "a query was asked for, something else was done",
                ));
            }
        };
        context
            .live
            .show(&context.outputs, &query, query_card(&query))
            .await?;
        drop(hold);
        match until {
            Some(until) => until.wait(context, &query).await,
            None => {
                if context.batch && !ends_by_itself(&query) {
                    context.outputs.stdout(runs_on(&query));
                }
                Ok(())
            }
        }
    }
}

/// Whether the query ends without being told to.
pub fn ends_by_itself(query: &StreamingQuery) -> bool {
    use tidebook_engine::Trigger;
    matches!(query.trigger(), Trigger::Once | Trigger::AvailableNow)
}

fn runs_on(query: &StreamingQuery) -> String {
    let name = query.name().unwrap_or_default();
    format!(
        "{} runs on after this cell; wait for it with %process {name}, end it with %stop {name}\n",
        query_title(query)
    )
}

/// `WriteStreamOperationStart(SQL(body))`.
fn plan(call: &Call<'_>, until: Option<Until>) -> Result<proto::Command> {
    let name = call.text("name").unwrap_or_default();
    let query = values::statement(call.body);
    if query.is_empty() {
        return Err(CellError::usage("%%stream has no query below it")
            .hint(format!("%%stream {name}\nSELECT * FROM events")));
    }
    let sink: Sink = call.text("sink").unwrap_or("memory").parse()?;
    let mut options = HashMap::new();
    for option in call.args.get_many::<String>("option").into_iter().flatten() {
        let (key, value) = values::key_value(option)?;
        options.insert(key, value);
    }
    if let Some(checkpoint) = call.text("checkpoint") {
        options.insert("checkpointLocation".to_owned(), values::path(checkpoint));
    }
    options.extend(sink.topic.map(|topic| ("topic".to_owned(), topic)));
    options.extend(until.and_then(Until::option));
    let start = proto::WriteStreamOperationStart {
        input: Some(proto::Relation {
            common: None,
            rel_type: Some(proto::relation::RelType::Sql(proto::Sql {
                query: query.to_owned(),
                ..Default::default()
            })),
        }),
        format: sink.format,
        options: options.into_iter().collect(),
        trigger: TriggerChoice::new(call.text("trigger"), until)?.into_proto(),
        output_mode: call.text("mode").unwrap_or_default().to_lowercase(),
        query_name: name.to_owned(),
        sink_destination: sink
            .path
            .map(proto::write_stream_operation_start::SinkDestination::Path),
        ..Default::default()
    };
    Ok(proto::Command {
        command_type: Some(proto::command::CommandType::WriteStreamOperationStart(
            start,
        )),
    })
}
