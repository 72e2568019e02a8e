//! Topics, and what is being produced.

use super::MimeBundle;
use super::grid::aligned;
use super::html::{DIM, escape, panel, table};
use super::number::{bytes, count, thousands};

/// Pixels.
const WIDTH: u32 = 760;

/// More partitions than this are not named one by one.
const PARTITIONS: usize = 12;

/// A topic and what it holds.
#[derive(Debug, Clone)]
pub(crate) struct TopicLine {
    /// Its name.
    pub name: String,
    /// How many messages there are.
    pub messages: i64,
    /// First and next offset of each partition.
    pub partitions: Vec<(i64, i64)>,
}

/// What was sent to a topic.
#[derive(Debug, Clone)]
pub(crate) struct ProducedCard {
    /// The topic.
    pub topic: String,
    /// A sign for how it stands.
    pub sign: &'static str,
    /// The word for it.
    pub word: String,
    /// How many messages.
    pub messages: i64,
    /// Of how many, if they come to an end.
    pub of: Option<i64>,
    /// How many per partition.
    pub partitions: Vec<(i32, i64)>,
}

/// All topics of a broker; `memory` is what the lesson's own broker holds.
pub(crate) fn topics(topics: &[TopicLine], address: &str, memory: Option<usize>) -> MimeBundle {
    let holds = memory.map(|memory| format!(" · {} of memory", bytes(memory as i64)));
    let broker = format!("{address}{}", holds.unwrap_or_default());
    if topics.is_empty() {
        let text = format!("no topics yet on {broker}: %kafka create NAME");
        return MimeBundle::html(
            format!("<div style=\"{DIM}\">{}</div>", escape(&text)),
            text,
        );
    }
    let headings = ["topic", "partitions", "messages", "offsets"];
    let lines: Vec<Vec<String>> = topics
        .iter()
        .map(|topic| {
            vec![
                topic.name.clone(),
                topic.partitions.len().to_string(),
                thousands(topic.messages),
                offsets(&topic.partitions),
            ]
        })
        .collect();
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| line.iter().map(|cell| escape(cell)).collect())
        .collect();
    let html = format!(
        "{}<div style=\"font-size:11px;{DIM}\">{}</div>",
        table(&headings, &[false, true, true, false], &rows),
        escape(&broker)
    );
    let mut plain = aligned(&headings, &lines);
    plain.push(broker);
    MimeBundle::html(html, plain.join("\n"))
}

/// `0: 0–12, 1: 3–9`.
fn offsets(partitions: &[(i64, i64)]) -> String {
    let shown = partitions.iter().enumerate().take(PARTITIONS);
    let mut texts: Vec<String> = shown
        .map(|(number, (first, next))| format!("{number}: {first}–{next}"))
        .collect();
    if partitions.len() > PARTITIONS {
        texts.push("…".to_owned());
    }
    texts.join(", ")
}

/// What was sent so far.
pub(crate) fn produced(card: &ProducedCard) -> MimeBundle {
    let messages = match card.of {
        Some(of) if of != card.messages => {
            format!("{} of {}", thousands(card.messages), count(of, "message"))
        }
        _ => count(card.messages, "message"),
    };
    let partitions = card.partitions.iter().take(PARTITIONS);
    let partitions: Vec<String> = partitions
        .map(|(number, count)| format!("partition {number}: {}", thousands(*count)))
        .collect();
    let text = format!("{} to '{}'", messages, card.topic);
    let html = format!(
        "<div>{} <b>{}</b> {}</div><div style=\"font-size:11px;{DIM}\">{}</div>",
        card.sign,
        escape(&card.word),
        escape(&text),
        partitions.join(" · ")
    );
    let mut plain = format!("{} {} {text}", card.sign, card.word);
    if !partitions.is_empty() {
        plain.push_str(&format!(" ({})", partitions.join(", ")));
    }
    MimeBundle::html(panel("#3b8fd6", WIDTH, &html), plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_listed_with_their_offsets() {
        let line = TopicLine {
            name: "clicks".to_owned(),
            messages: 1_212,
            partitions: vec![(0, 1_200), (3, 15)],
        };
        let bundle = topics(&[line], "127.0.0.1:1", Some(2_048));
        assert_eq!(
            bundle.data["text/plain"].as_str().unwrap(),
            "topic   partitions  messages  offsets\n\
             clicks  2           1,212     0: 0–1200, 1: 3–15\n\
             127.0.0.1:1 · 2.0 KiB of memory"
        );
        let none = topics(&[], "host:9092", None);
        assert!(
            none.data["text/plain"]
                .as_str()
                .unwrap()
                .contains("%kafka create")
        );
    }

    #[test]
    fn what_is_produced_is_counted() {
        let mut card = ProducedCard {
            topic: "clicks".to_owned(),
            sign: "▶",
            word: "producing".to_owned(),
            messages: 3,
            of: Some(10),
            partitions: vec![(0, 2), (1, 1)],
        };
        let plain = |card: &ProducedCard| {
            produced(card).data["text/plain"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            plain(&card),
            "▶ producing 3 of 10 messages to 'clicks' (partition 0: 2, partition 1: 1)"
        );
        card.of = None;
        assert!(plain(&card).contains("3 messages to"));
    }
}
