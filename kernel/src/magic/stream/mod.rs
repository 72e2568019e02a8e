//! `%%stream`: starts a streaming query, shows its card, and waits if it is told until when.

pub(super) mod on_cluster;
mod overwrite;
pub(super) mod sink;
mod trigger;
mod until;

use std::collections::HashMap;

use async_trait::async_trait;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};
use tidebook_engine::OutputMode;
use tidebook_engine::QUERY_OPTIONS;
use tidebook_engine::connect::proto;
use tidebook_engine::options::OptionSpec;
use tidebook_engine::sinks::sink_format;

use super::{Call, Kind, Magic, Spec, query_title, values};
use crate::backend::{Backend, Query};
use crate::error::{CellError, Result};
use crate::scratch::PREFIX;
use sink::Sink;
use trigger::TriggerChoice;
use until::Until;

/// The sink where none is named.
const DEFAULT_SINK: &str = "memory";

/// See the module.
pub(super) struct Stream;

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
                       with real-time, or \"continuous 1 second\" for filters and projections, \
                       rows leave as they come, at least once; \
                       without it, as soon as there is data",
                ),
            Arg::new("sink")
                .long("sink")
                .value_name("SINK")
                .default_value(DEFAULT_SINK)
                .help(format!("where rows go: {}", sink::all().join(", "))),
            Arg::new("partition-by")
                .long("partition-by")
                .value_name("COLUMN")
                .action(ArgAction::Append)
                .value_delimiter(',')
                .help("a column, or several, whose values become folders of the files: day=2024-05-01"),
            Arg::new("checkpoint")
                .long("checkpoint")
                .value_name("DIR")
                .help("the folder from which the query resumes after a restart; session:NAME is one that goes with the kernel"),
            Arg::new("overwrite")
                .long("overwrite")
                .action(ArgAction::SetTrue)
                .help("remove what an earlier session wrote to the sink's folder; with --checkpoint session:NAME"),
            Arg::new("option")
                .long("option")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .help("an option of the sink, as Spark names it; %help stream SINK lists them"),
            Arg::new("clock")
                .long("clock")
                .value_name("CLOCK")
                .default_value("system")
                .value_parser(PossibleValuesParser::new(["system", "manual"]))
                .help("what the query takes for the time: the machine's clock, or the one that %clock moves"),
            Arg::new("replace")
                .long("replace")
                .action(ArgAction::SetTrue)
                .help("stop a running query of the same name first"),
            Arg::new("until").long("until").value_name("END").help(
                "wait for the end: available-now, rows=N, batches=N or for=10s; \
                       without it the query runs on",
            ),
        ]
    }

    fn options(&self, given: &[&str]) -> Vec<&'static OptionSpec> {
        let sink = values::given(given, "sink").unwrap_or(DEFAULT_SINK);
        let format = sink.split(':').next().unwrap_or(sink);
        let format = sink_format(format).ok();
        let of_sink = format.map(sink::all_options).unwrap_or_default();
        of_sink.into_iter().chain(&QUERY_OPTIONS).collect()
    }

    fn offers(&self, arg: &str, given: &[&str]) -> Vec<String> {
        let fixed: &[&str] = match arg {
            "sink" => return sink::all(),
            "option" => return values::option_keys(self.options(given)),
            "trigger" => &[
                "once",
                "available-now",
                "1 second",
                "real-time",
                "continuous 1 second",
            ],
            "until" => &["available-now", "rows=", "batches=", "for="],
            _ => &[],
        };
        fixed.iter().map(|value| (*value).to_owned()).collect()
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let until = call.text("until").map(str::parse::<Until>).transpose()?;
        let context = call.context;
        let backend = context.backend().await?;
        let plan = plan(&call, until, &backend)?;
        let name = call.text("name").unwrap_or_default();
        give_way(&call, name, &backend).await?;
        if call.args.get_flag("overwrite") {
            let sink = call.text("sink").unwrap_or(DEFAULT_SINK).parse()?;
            let checkpoint = call.text("checkpoint");
            match backend.cluster() {
                Some(cluster) => overwrite::make_room_on(cluster, &sink, checkpoint).await?,
                None => overwrite::make_room(&sink, checkpoint, &context.scratch)?,
            }
        }
        let is_console = call.text("sink").is_some_and(is_console);
        let console = is_console && backend.cluster().is_none();
        if console {
            context.live.open_console(name);
        }
        // The card must be the first output of the cell, before what the query prints.
        let hold = context.live.hold_text();
        let query = match backend.start(&plan).await {
            Ok(query) => query,
            Err(error) => {
                context.live.close_console(name);
                return Err(error);
            }
        };
        context.live.show_card(&context.outputs, &query).await?;
        if console {
            context.live.show_console(&context.outputs, name);
        }
        if is_console && !console {
            context
                .outputs
                .stdout("the cluster prints the rows, where its driver logs\n");
        }
        drop(hold);
        match until {
            Some(until) => until.wait(context, &query).await,
            None => {
                if context.batch && !query.ends_by_itself() {
                    context.outputs.stdout(runs_on(&query));
                }
                Ok(())
            }
        }
    }
}

fn is_console(sink: &str) -> bool {
    sink.parse::<Sink>()
        .is_ok_and(|sink| sink.format == "console")
}

/// A running query of the same name is stopped if the cell says so; otherwise its card is shown, for
/// the error that follows.
async fn give_way(call: &Call<'_>, name: &str, backend: &Backend) -> Result<()> {
    let active = backend.active().await?;
    let same = |query: &&Query| {
        let other = query.name();
        other.is_some_and(|other| other.eq_ignore_ascii_case(name))
    };
    let Some(running) = active.iter().find(same) else {
        return Ok(());
    };
    if call.args.get_flag("replace") {
        return running.stop().await;
    }
    let context = call.context;
    context.live.show_card(&context.outputs, running).await?;
    Err(CellError::new(
        "IllegalArgumentException",
        format!("a query named '{name}' is running already; this is its card"),
    )
    .hint(format!(
        "add --replace to stop it first, %stop {name}, or choose another name"
    )))
}

fn runs_on(query: &Query) -> String {
    let name = query.name().unwrap_or_default();
    format!(
        "{} runs on after this cell; wait for it with %process {name}, end it with %stop {name}\n",
        query_title(query)
    )
}

/// `WriteStreamOperationStart(SQL(body))`.
fn plan(call: &Call<'_>, until: Option<Until>, backend: &Backend) -> Result<proto::Command> {
    let cluster = backend.cluster();
    if let Some(cluster) = cluster {
        on_cluster::check(call, cluster)?;
    }
    let name = call.text("name").unwrap_or_default();
    let query = values::statement(call.body);
    if query.is_empty() {
        return Err(CellError::usage("%%stream has no query below it")
            .hint(format!("%%stream {name}\nSELECT * FROM events")));
    }
    let sink: Sink = call.text("sink").unwrap_or(DEFAULT_SINK).parse()?;
    let mut options = HashMap::new();
    for option in call.args.get_many::<String>("option").into_iter().flatten() {
        let (key, value) = values::key_value(option)?;
        options.insert(key, value);
    }
    if let Some(checkpoint) = call.text("checkpoint") {
        let folder = match checkpoint.strip_prefix(PREFIX) {
            Some(name) => match cluster {
                Some(cluster) => on_cluster::scratch(cluster, name),
                None => call.context.scratch.place(name)?.display().to_string(),
            },
            None => values::path(checkpoint),
        };
        options.insert("checkpointLocation".to_owned(), folder);
    }
    if let Some(clock) = call.text("clock").filter(|clock| *clock != "system") {
        options.insert("clock".to_owned(), clock.to_owned());
    }
    options.extend(sink.topic.map(|topic| ("topic".to_owned(), topic)));
    match cluster {
        Some(_) => on_cluster::add_broker(&mut options, &sink.format, call.context),
        None => options.extend(until.and_then(Until::option)),
    }
    let partition_by = call.args.get_many::<String>("partition-by");
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
        partitioning_column_names: partition_by.into_iter().flatten().cloned().collect(),
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
