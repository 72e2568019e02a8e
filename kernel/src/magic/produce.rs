//! `%%produce`: sends the lines of a cell to a topic, at once or at a pace.

use std::sync::Arc;

use async_trait::async_trait;
use clap::{Arg, ArgAction};

use super::{Call, Kind, Magic, Spec, TOPIC, values};
use crate::display::{self, ProducedCard};
use crate::error::{CellError, Result};
use crate::kafka::{Message, Pace, Produced, is_topic_name, messages};
use crate::live::Live;

/// See the module.
pub(super) struct Produce;

#[async_trait]
impl Magic for Produce {
    fn spec(&self) -> Spec {
        Spec {
            name: "produce",
            kind: Kind::Cell,
            about: "sends messages to a topic of Kafka, at once, or in the background at a pace",
            body: "the messages: JSON, one per line",
            example: "%%produce clicks --key user --every 100ms\n\
                      {\"user\": \"ann\", \"page\": \"home\"}\n\
                      {\"user\": \"bob\", \"page\": \"cart\"}",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new(TOPIC)
                .required(true)
                .value_name("TOPIC")
                .help("the topic"),
            Arg::new("key")
                .long("key")
                .value_name("COLUMN")
                .help("the field of each line whose value is the message's key: equal keys go to one partition"),
            Arg::new("every")
                .long("every")
                .value_name("TIME")
                .help("the time from one message to the next; they are then sent in the background, until %kafka down or an interrupt"),
            Arg::new("repeat")
                .long("repeat")
                .action(ArgAction::SetTrue)
                .requires("every")
                .help("begin again after the last message"),
        ]
    }

    fn offers(&self, arg: &str, _given: &[&str]) -> Vec<String> {
        match arg {
            "every" => ["100ms", "1s"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let topic = call.text(TOPIC).unwrap_or_default();
        if !is_topic_name(topic) {
            return Err(
                CellError::usage(format!("'{topic}' cannot be the name of a topic"))
                    .hint("use letters, digits, '.', '_' and '-'"),
            );
        }
        let messages = messages(call.body, call.text("key"))?;
        if messages.is_empty() {
            return Err(
                CellError::usage("%%produce has no messages below it").hint(format!(
                    "%%produce {topic}\n{{\"user\": \"ann\"}}, one message per line"
                )),
            );
        }
        let pace = Pace {
            every: call.text("every").map(values::duration).transpose()?,
            repeat: call.args.get_flag("repeat"),
        };
        let sending = Sending {
            topic: topic.to_owned(),
            display_id: uuid::Uuid::new_v4().to_string(),
            live: call.context.live.clone(),
        };
        let producer = call.context.kafka.producer()?;
        let first = sending.card(&Produced::default(), State::Running);
        call.context
            .outputs
            .display_with_id(first, &sending.display_id);
        // Where nobody watches, all messages are there when the cell ends.
        let waits = pace.every.is_none() || (call.context.batch && !pace.repeat);
        if waits {
            return sending.send(&producer, &messages, pace).await;
        }
        let task = tokio::spawn(async move {
            // The display tells of the failure.
            let _ = sending.send(&producer, &messages, pace).await;
        });
        call.context.kafka.watch(task);
        Ok(())
    }
}

/// What is being sent, and the display that tells of it.
struct Sending {
    topic: String,
    display_id: String,
    live: Live,
}

#[derive(Debug, Clone)]
enum State {
    Running,
    Done,
    Stopped,
    Failed(String),
}

/// Says how far it came when the sending is given up.
struct Stop<'a> {
    sending: &'a Sending,
    produced: Arc<parking_lot::Mutex<Produced>>,
    ended: bool,
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let produced = self.produced.lock().clone();
            self.sending.tell(&produced, State::Stopped);
        }
    }
}

impl Sending {
    async fn send(
        &self,
        producer: &crate::kafka::Producer,
        messages: &[Message],
        pace: Pace,
    ) -> Result<()> {
        let produced = Arc::<parking_lot::Mutex<Produced>>::default();
        let mut stop = Stop {
            sending: self,
            produced: Arc::clone(&produced),
            ended: false,
        };
        let mut shown = tokio::time::Instant::now();
        let sent = producer
            .send(&self.topic, messages, pace, |news| {
                produced.lock().clone_from(news);
                if shown.elapsed() >= crate::live::FRAME {
                    shown = tokio::time::Instant::now();
                    self.tell(news, State::Running);
                }
            })
            .await;
        stop.ended = true;
        match sent {
            Ok(produced) => {
                self.tell(&produced, State::Done);
                Ok(())
            }
            Err(error) => {
                let produced = produced.lock().clone();
                self.tell(&produced, State::Failed(error.evalue.clone()));
                Err(error)
            }
        }
    }

    fn tell(&self, produced: &Produced, state: State) {
        let card = self.card(produced, state);
        self.live.update_display(&self.display_id, card);
    }

    fn card(&self, produced: &Produced, state: State) -> display::MimeBundle {
        let (sign, word) = match &state {
            State::Running => ("▶", "producing".to_owned()),
            State::Done => ("✔", "produced".to_owned()),
            State::Stopped => ("■", "stopped".to_owned()),
            State::Failed(why) => ("✖", format!("failed: {why}")),
        };
        display::produced(&ProducedCard {
            topic: self.topic.clone(),
            sign,
            word,
            messages: produced.messages as i64,
            of: produced.of.map(|of| of as i64),
            partitions: produced
                .partitions
                .iter()
                .map(|(number, count)| (*number, *count as i64))
                .collect(),
        })
    }
}
