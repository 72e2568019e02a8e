//! The row of Kafka in the table of sinks.

use arrow::datatypes::SchemaRef;

use super::batch::KafkaBatchSink;
use super::records::RecordLayout;
use super::sink::KafkaSink;
use crate::error::{Error, Result, hint};
use crate::kafka::{BOOTSTRAP_SERVERS, ClientSettings, Role, own_options};
use crate::options::{OptionMap, OptionSpec};
use crate::output_mode::OutputMode;
use crate::sinks::{BatchRequest, BatchSink, CreatedSink, SinkFormat, SinkRequest, Target};

const OPTIONS: [OptionSpec; 4] = [
    BOOTSTRAP_SERVERS,
    OptionSpec {
        name: "exactlyOnce",
        doc: "true: each batch in a transaction, so that who reads with isolation.level=read_committed sees every row once, also after a crash; false by default: a batch may come twice",
    },
    OptionSpec {
        name: "markerTopic",
        doc: "with exactlyOnce and a column topic: the topic under which the number of the last batch is kept, as an offset of the group tidebook-sink-ID; the option topic by default",
    },
    OptionSpec {
        name: "includeHeaders",
        doc: "accepted as in Spark: a column headers is always written",
    },
];

/// Topics of a Kafka cluster.
pub(in crate::sinks) const KAFKA: SinkFormat = SinkFormat {
    name: "kafka",
    doc: "writes rows as messages to Kafka: columns value, and if there are any key, topic, partition, headers",
    output_modes: &OutputMode::ALL,
    options: &[&OPTIONS],
    absent_options: &[],
    target: Target::Topic,
    temporary_checkpoint: false,
    forgets: false,
    needs_function: false,
    stream: create,
    batch: Some(create_batch),
};

/// What both kinds of writing need.
#[derive(Debug, Clone)]
pub(super) struct KafkaSinkOptions {
    pub settings: ClientSettings,
    pub layout: RecordLayout,
    /// If each batch is written in a transaction.
    pub transactions: Option<TransactionOptions>,
}

/// What transactions need.
#[derive(Debug, Clone)]
pub(super) struct TransactionOptions {
    /// For the consumer that looks for the last batch.
    pub marker_settings: ClientSettings,
    /// The topic under which its number is kept.
    pub marker_topic: Option<String>,
}

fn create(request: SinkRequest<'_>) -> Result<CreatedSink> {
    let (given, defaults) = (request.options, &request.defaults);
    let options = checked(request.format, given, defaults, &request.schema)?;
    let needs_marker = options.transactions.as_ref();
    if needs_marker.is_some_and(|with| with.marker_topic.is_none()) {
        return Err(Error::illegal_argument(
            "exactlyOnce needs a topic that is always there, and the rows name theirs themselves",
        )
        .with_hint([
            hint::say("add "),
            hint::option("markerTopic", "TOPIC"),
            hint::say(", one of the topics written to"),
        ]));
    }
    Ok(KafkaSink::new(options).into())
}

fn create_batch(request: BatchRequest<'_>) -> Result<Box<dyn BatchSink>> {
    let (given, defaults) = (request.options, &request.defaults);
    let options = checked(request.format, given, defaults, request.schema)?;
    Ok(Box::new(KafkaBatchSink::new(options)))
}

fn checked(
    format: &SinkFormat,
    given: &OptionMap,
    defaults: &OptionMap,
    schema: &SchemaRef,
) -> Result<KafkaSinkOptions> {
    let options = format.checked_options(&own_options(given))?;
    options.boolean("includeHeaders", false)?;
    let marker_topic = options.get("markerTopic").or(options.get("topic"));
    let transactions = match options.boolean("exactlyOnce", false)? {
        false => None,
        true => Some(TransactionOptions {
            marker_settings: ClientSettings::new(Role::Marker, given, defaults)?,
            marker_topic: marker_topic.map(str::to_string),
        }),
    };
    Ok(KafkaSinkOptions {
        layout: RecordLayout::new(schema, options.get("topic"))?,
        settings: ClientSettings::new(Role::Producer, given, defaults)?,
        transactions,
    })
}
