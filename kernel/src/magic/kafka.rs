//! `%kafka`: the broker of a lesson, and the topics of whichever broker is used.

use async_trait::async_trait;
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction};

use super::{Call, Kind, Magic, Spec, TOPIC};
use crate::display::{self, TopicLine};
use crate::error::{CellError, Result};

/// What can be done, with what stands behind it.
const ACTIONS: [&str; 6] = ["up", "create", "topics", "delete", "use", "down"];

/// See the module.
pub(super) struct Kafka;

#[async_trait]
impl Magic for Kafka {
    fn spec(&self) -> Spec {
        Spec {
            name: "kafka",
            kind: Kind::Line,
            about: "starts a Kafka broker for lessons inside the kernel, or uses another one; makes and lists topics",
            body: "",
            example: "%kafka up\n%kafka create clicks --partitions 2\n%kafka topics\n\
                      %kafka use localhost:9092\n%kafka down",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("action")
                .value_name("ACTION")
                .required(true)
                .value_parser(PossibleValuesParser::new(ACTIONS))
                .help("up starts the lesson's broker, down ends it with all that it holds; create and delete are about a topic; use takes the broker at an address"),
            Arg::new(TOPIC)
                .value_name("NAME")
                .help("the topic, or behind use the address HOST:PORT"),
            Arg::new("partitions")
                .long("partitions")
                .value_name("N")
                .default_value("1")
                .value_parser(clap::value_parser!(u32).range(1..=1000))
                .help("of create: how many partitions the topic has"),
            Arg::new("port")
                .long("port")
                .value_name("N")
                .default_value("0")
                .value_parser(clap::value_parser!(u16))
                .help("of up: the port on this machine; 0 takes a free one"),
            Arg::new("quiet")
                .long("quiet")
                .action(ArgAction::SetTrue)
                .help("of create and delete: a topic that is there already, or not there, is no error"),
        ]
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let action = call.text("action").unwrap_or_default();
        match action {
            "up" => up(&call).await,
            "down" => down(&call).await,
            "use" => use_address(&call),
            "create" => create(&call, named(&call)?).await,
            "delete" => delete(&call, named(&call)?).await,
            _ => topics(&call).await,
        }
    }
}

fn named<'a>(call: &'a Call<'_>) -> Result<&'a str> {
    let action = call.text("action").unwrap_or_default();
    call.text(TOPIC).ok_or_else(|| {
        CellError::usage(format!("%kafka {action} does not say which topic"))
            .hint(format!("%kafka {action} NAME"))
    })
}

async fn up(call: &Call<'_>) -> Result<()> {
    let context = call.context;
    let port = call.args.get_one::<u16>("port").copied().unwrap_or(0);
    let (address, was_up) = context.kafka.up(&context.session, port).await?;
    let text = match was_up {
        true => format!("the lesson's broker is up already, at {address}\n"),
        false => format!(
            "the lesson's broker is up at {address}: one node, in memory, 256 MiB; \
             what it holds goes with the kernel. Sources and sinks of kafka use it\n"
        ),
    };
    context.outputs.stdout(text);
    Ok(())
}

async fn down(call: &Call<'_>) -> Result<()> {
    let context = call.context;
    let text = match context.kafka.down(&context.session).await {
        true => "the lesson's broker is down; its topics are gone\n",
        false => "the lesson's broker was not up\n",
    };
    context.outputs.stdout(text);
    Ok(())
}

fn use_address(call: &Call<'_>) -> Result<()> {
    let context = call.context;
    let Some(address) = call.text(TOPIC) else {
        return Err(CellError::usage("%kafka use does not say which broker")
            .hint("%kafka use localhost:9092"));
    };
    let is_address = |part: &str| {
        let (host, port) = part.rsplit_once(':').unwrap_or((part, ""));
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if !address.split(',').all(is_address) {
        return Err(
            CellError::usage(format!("'{address}' is not the address of a broker"))
                .hint("write HOST:PORT, e.g. localhost:9092"),
        );
    }
    context.kafka.set_address(&context.session, address);
    context.outputs.stdout(format!(
        "sources and sinks of kafka use {address}, unless they say kafka.bootstrap.servers\n"
    ));
    Ok(())
}

async fn create(call: &Call<'_>, name: &str) -> Result<()> {
    let context = call.context;
    let partitions = call.args.get_one::<u32>("partitions").copied().unwrap_or(1);
    let created = context.kafka.create(name, partitions as i32).await;
    let there = created
        .as_ref()
        .is_err_and(|error| error.evalue.ends_with("is there already"));
    if there && call.args.get_flag("quiet") {
        context
            .outputs
            .stdout(format!("topic '{name}' is there already\n"));
        return Ok(());
    }
    created?;
    let partitions = display::count(i64::from(partitions), "partition");
    context
        .outputs
        .stdout(format!("topic '{name}': {partitions}\n"));
    Ok(())
}

async fn delete(call: &Call<'_>, name: &str) -> Result<()> {
    let context = call.context;
    let deleted = context.kafka.delete(name).await;
    let missing = deleted
        .as_ref()
        .is_err_and(|error| error.evalue.starts_with("there is no topic"));
    if missing && call.args.get_flag("quiet") {
        context
            .outputs
            .stdout(format!("there is no topic '{name}'\n"));
        return Ok(());
    }
    deleted?;
    context
        .outputs
        .stdout(format!("topic '{name}' is deleted\n"));
    Ok(())
}

async fn topics(call: &Call<'_>) -> Result<()> {
    let context = call.context;
    let address = context.kafka.address()?;
    let topics = context.kafka.list().await?;
    let lines: Vec<TopicLine> = topics
        .into_iter()
        .map(|topic| TopicLine {
            messages: topic.messages(),
            name: topic.name,
            partitions: topic.partitions,
        })
        .collect();
    let memory = context.kafka.memory_used().await;
    context
        .outputs
        .display(display::topics(&lines, &address, memory));
    Ok(())
}
