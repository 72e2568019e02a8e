//! `%%source`: registers what keeps arriving, files or else, as a stream of that name.

use async_trait::async_trait;
use clap::{Arg, ArgAction};
use tidebook_engine::CommandOutput;
use tidebook_engine::connect::proto;
use tidebook_engine::sources::{SOURCE_FORMATS, source_format};

use super::values;
use super::{Call, Kind, Magic, Spec};
use crate::error::{CellError, Result};

/// The source that only a program can feed.
const MEMORY: &str = "memory";

/// See the module.
pub struct Source;

#[async_trait]
impl Magic for Source {
    fn spec(&self) -> Spec {
        Spec {
            name: "source",
            kind: Kind::Cell,
            about: "registers a stream under a name, for %%stream to select from",
            body: "the schema as in CREATE TABLE, unless the format has columns of its own",
            example: "%%source events --format json --path data/events --watermark \"ts 10 minutes\"\n\
                      user_id STRING, amount DOUBLE, ts TIMESTAMP",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("name")
                .required(true)
                .value_name("NAME")
                .help("what SQL calls the stream"),
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .default_value("json")
                .help(format!(
                    "where its rows come from: {}",
                    formats().collect::<Vec<_>>().join(", ")
                )),
            Arg::new("path")
                .long("path")
                .value_name("DIR")
                .help("the folder in which files arrive, or a pattern of files"),
            Arg::new("watermark")
                .long("watermark")
                .value_name("\"COLUMN DELAY\"")
                .help("the event time and how late a row may come: \"ts 10 minutes\""),
            Arg::new("max-files-per-trigger")
                .long("max-files-per-trigger")
                .value_name("N")
                .value_parser(clap::value_parser!(u64).range(1..))
                .help("read at most N files in one batch"),
            Arg::new("option")
                .long("option")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .help("an option of the format, as Spark names it"),
        ]
    }

    fn offers(&self, arg: &str) -> Vec<String> {
        match arg {
            "format" => formats().map(str::to_owned).collect(),
            "option" => {
                let groups = SOURCE_FORMATS.iter().flat_map(|format| format.options);
                values::option_keys(groups.copied().flatten())
            }
            _ => Vec::new(),
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let plan = plan(&call)?;
        match call.context.session.execute(&plan).await? {
            CommandOutput::View(view) => {
                let columns = match view.schema.fields().len() {
                    1 => "1 column".to_owned(),
                    columns => format!("{columns} columns"),
                };
                call.context
                    .outputs
                    .stdout(format!("stream '{}': {columns}\n", view.name));
                Ok(())
            }
            _ => Err(CellError::internal(
                "a view was asked for, something else was done",
            )),
        }
    }
}

/// The formats one can name in a cell.
fn formats() -> impl Iterator<Item = &'static str> {
    let streams = SOURCE_FORMATS
        .iter()
        .filter(|format| format.stream.is_some());
    let names = streams.map(|format| format.name);
    names.filter(|name| *name != MEMORY)
}

/// `CreateDataframeView(WithWatermark?(Read(streaming, DataSource)))`.
fn plan(call: &Call<'_>) -> Result<proto::Command> {
    let name = call.text("name").unwrap_or_default();
    let mut input = relation(proto::relation::RelType::Read(proto::Read {
        is_streaming: true,
        read_type: Some(proto::read::ReadType::DataSource(data_source(call)?)),
    }));
    if let Some(watermark) = call.text("watermark") {
        let (event_time, delay_threshold) = split_watermark(watermark)?;
        input = relation(proto::relation::RelType::WithWatermark(Box::new(
            proto::WithWatermark {
                input: Some(Box::new(input)),
                event_time,
                delay_threshold,
            },
        )));
    }
    Ok(proto::Command {
        command_type: Some(proto::command::CommandType::CreateDataframeView(
            proto::CreateDataFrameViewCommand {
                input: Some(input),
                name: name.to_owned(),
                is_global: false,
                replace: true,
            },
        )),
    })
}

fn data_source(call: &Call<'_>) -> Result<proto::read::DataSource> {
    let format = call.text("format").unwrap_or("json").to_lowercase();
    let name = call.text("name").unwrap_or_default();
    let path = call.text("path").map(values::path);
    if path.is_none() && source_format(&format)?.needs_path {
        return Err(
            CellError::usage(format!("a source of {format} files needs '--path'"))
                .hint(format!("%%source {name} --format {format} --path DIR")),
        );
    }
    let mut options = std::collections::HashMap::new();
    for option in call.args.get_many::<String>("option").into_iter().flatten() {
        let (key, value) = values::key_value(option)?;
        options.insert(key, value);
    }
    if let Some(files) = call.args.get_one::<u64>("max-files-per-trigger") {
        options.insert("maxFilesPerTrigger".to_owned(), files.to_string());
    }
    let schema = schema(call.body);
    Ok(proto::read::DataSource {
        format: Some(format),
        schema: (!schema.is_empty()).then_some(schema),
        options: options.into_iter().collect(),
        paths: path.into_iter().collect(),
        ..Default::default()
    })
}

/// The body without its comment lines: Spark's schema syntax has no comments.
fn schema(body: &str) -> String {
    let lines: Vec<_> = body
        .lines()
        .map(|line| line.split_once("--").map_or(line, |(code, _)| code).trim())
        .filter(|line| !line.is_empty())
        .collect();
    values::statement(&lines.join("\n")).to_owned()
}

fn split_watermark(text: &str) -> Result<(String, String)> {
    let hint = "write it like --watermark \"ts 10 minutes\"";
    let wrong = |why: &str| CellError::usage(format!("watermark '{text}' {why}")).hint(hint);
    let (column, delay) = text
        .trim()
        .split_once(char::is_whitespace)
        .ok_or_else(|| wrong("names no delay after its column"))?;
    if values::duration(column).is_ok() || column.parse::<f64>().is_ok() {
        return Err(wrong("names no column before its delay"));
    }
    Ok((column.to_owned(), delay.trim().to_owned()))
}

fn relation(rel_type: proto::relation::RelType) -> proto::Relation {
    proto::Relation {
        common: None,
        rel_type: Some(rel_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watermarks() {
        assert_eq!(
            split_watermark("ts  10 minutes").unwrap(),
            ("ts".to_owned(), "10 minutes".to_owned())
        );
        for (text, why) in [("ts", "names no delay"), ("10 minutes", "names no column")] {
            let error = split_watermark(text).unwrap_err();
            assert!(error.evalue.contains(why), "{error}");
        }
    }

    #[test]
    fn schemas_lose_comments_and_semicolon() {
        assert_eq!(
            schema("-- all\na INT, -- first\n\nb STRING;\n"),
            "a INT,\nb STRING"
        );
        assert_eq!(schema("\n"), "");
    }
}
