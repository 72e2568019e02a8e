//! What there is to do about an error, in the words of the cell that it ends: magics, or calls in Rust.

use tidebook_engine::{Act, Streams, Wording};

/// Magics and their flags.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Magics;

/// Calls of the prelude.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RustCalls;

impl Wording for Magics {
    fn words(&self, act: &Act) -> String {
        match act {
            Act::OutputMode(mode) => format!("--mode {mode}"),
            Act::AddWatermark { column, on } => {
                let source = match on {
                    Streams::The => "the %%source".to_owned(),
                    Streams::Each => "each %%source".to_owned(),
                    Streams::Named(name) => format!("%%source {name}"),
                };
                format!("add --watermark \"{column} 10 minutes\" to {source}")
            }
            Act::Checkpoint => "--checkpoint".to_owned(),
            Act::SetCheckpoint => "--checkpoint DIR".to_owned(),
            Act::Option { name, value } => match value.chars().all(is_plain) {
                true => format!("--option {name}={value}"),
                false => format!("--option '{name}={value}'"),
            },
            Act::OptionName(name) => format!("--option {name}"),
            Act::ProcessingTime(interval) => format!("--trigger \"{interval}\""),
            Act::RealTime(None) => "--trigger real-time".to_owned(),
            Act::RealTime(Some(duration)) => format!("--trigger \"real-time {duration}\""),
            Act::Sink { format, target } => format!("--sink {format}:{target}"),
            Act::Format(format) => format!("--format {format}"),
            Act::SourcePath => "--path DIR".to_owned(),
            Act::SourceSchema => {
                "write the columns below %%source, e.g. user STRING, ts TIMESTAMP".to_owned()
            }
            Act::Stop { query } => format!("%stop {query}"),
            Act::DefineStream { name, format } => {
                let name = name.as_ref().map(|name| format!(" {name}"));
                let format = format.as_ref().map(|format| format!(" --format {format}"));
                format!(
                    "%%source{}{}",
                    name.unwrap_or_default(),
                    format.unwrap_or_default()
                )
            }
            Act::StartQuery => "%%stream".to_owned(),
            Act::RunBatch => "%%sql".to_owned(),
            Act::Conf { key, value } => format!("%conf {key} {value}"),
            Act::CreateTopic(topic) => format!("create it first: %kafka create {topic}"),
            Act::StartBroker => "start a broker here with %kafka up".to_owned(),
            Act::ShowState => "; %state NAME finds it by itself".to_owned(),
            Act::GiveFunction(method) => {
                format!("start the query with {}(…) in a Rust cell", snake(method))
            }
        }
    }
}

impl Wording for RustCalls {
    fn words(&self, act: &Act) -> String {
        match act {
            Act::OutputMode(mode) => format!(".output_mode(\"{mode}\")"),
            Act::AddWatermark { column, on } => {
                format!("add .with_watermark(\"{column}\", \"10 minutes\") to {on}")
            }
            Act::Checkpoint => "checkpointLocation".to_owned(),
            Act::SetCheckpoint => ".option(\"checkpointLocation\", DIR)".to_owned(),
            Act::Option { name, value } => format!(".option({name:?}, {value:?})"),
            Act::OptionName(name) => name.clone(),
            Act::ProcessingTime(interval) => {
                format!(".trigger(Trigger::processing_time(\"{interval}\"))")
            }
            Act::RealTime(duration) => format!(
                ".trigger(Trigger::real_time(\"{}\"))",
                duration.as_deref().unwrap_or("5 minutes")
            ),
            Act::Sink { format, target } => match target.as_str() {
                "TOPIC" => format!(".format(\"{format}\").option(\"topic\", TOPIC)"),
                _ => format!(".format(\"{format}\").start({target})"),
            },
            Act::Format(format) => format!(".format(\"{format}\")"),
            Act::SourcePath => ".load(Some(DIR))".to_owned(),
            Act::SourceSchema => {
                "give the columns: .schema(\"user STRING, ts TIMESTAMP\")".to_owned()
            }
            Act::Stop { query } => format!("stop() the query '{query}'"),
            Act::DefineStream { format, .. } => match format {
                Some(format) => format!("spark.read_stream().format(\"{format}\")"),
                None => "spark.read_stream()".to_owned(),
            },
            Act::StartQuery => ".write_stream()".to_owned(),
            Act::RunBatch => "spark.read()".to_owned(),
            Act::Conf { key, value } => format!("spark.conf().set({key:?}, {value:?})?"),
            Act::GiveFunction(method) => format!("start the query with .{}(…)", snake(method)),
            // What only magics do.
            Act::CreateTopic(_) | Act::StartBroker | Act::ShowState => Magics.words(act),
        }
    }
}

/// Whether a shell-like line takes it without quotes.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "._-:/,".contains(c)
}

/// Spark's name of a method as Rust has it.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_act_in_two_languages() {
        let act = Act::AddWatermark {
            column: "ts".to_owned(),
            on: Streams::Named("clicks".to_owned()),
        };
        assert_eq!(
            Magics.words(&act),
            "add --watermark \"ts 10 minutes\" to %%source clicks"
        );
        assert_eq!(
            RustCalls.words(&act),
            "add .with_watermark(\"ts\", \"10 minutes\") to the stream clicks"
        );
        let option = |name: &str, value: &str| Act::Option {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        assert_eq!(
            Magics.words(&option("subscribe", "clicks")),
            "--option subscribe=clicks"
        );
        assert_eq!(
            Magics.words(&option("subscribePattern", "clicks_.*")),
            "--option 'subscribePattern=clicks_.*'"
        );
        assert_eq!(
            RustCalls.words(&option("assign", "{\"t\":[0]}")),
            r#".option("assign", "{\"t\":[0]}")"#
        );
        assert_eq!(
            RustCalls.words(&Act::GiveFunction("foreachBatch")),
            "start the query with .foreach_batch(…)"
        );
    }
}
