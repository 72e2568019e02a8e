//! `%%source`: registers what keeps arriving as a stream of that name.

use async_trait::async_trait;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction};
use tidebook_engine::connect::proto;
use tidebook_engine::options::OptionSpec;
use tidebook_engine::sources::{Columns, SOURCE_FORMATS, SourceFormat, source_format};

use super::stream::on_cluster::add_broker;
use super::values;
use super::{Call, Kind, Magic, Spec};
use crate::backend::Backend;
use crate::error::{CellError, Result};

/// The format where none is named.
const DEFAULT_FORMAT: &str = "json";

/// See the module.
pub(super) struct Source;

#[async_trait]
impl Magic for Source {
    fn spec(&self) -> Spec {
        Spec {
            name: "source",
            kind: Kind::Cell,
            about: "registers a stream under a name, for %%stream to select from",
            body: "the schema as in CREATE TABLE (nothing where the format has columns of its own), or a SELECT over other streams",
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
                .default_value(DEFAULT_FORMAT)
                .help(format!(
                    "where rows come from: {}",
                    formats()
                        .map(|format| format.name)
                        .collect::<Vec<_>>()
                        .join(", ")
                )),
            Arg::new("path")
                .long("path")
                .value_name("DIR")
                .help("of files: the folder in which they arrive, or a pattern of files"),
            Arg::new("watermark")
                .long("watermark")
                .value_name("\"COLUMN DELAY\"")
                .help("the event time and how late a row may come: \"ts 10 minutes\""),
            Arg::new("max-files-per-trigger")
                .long("max-files-per-trigger")
                .value_name("N")
                .value_parser(clap::value_parser!(u64).range(1..))
                .help("of files: read at most N in one batch"),
            Arg::new("option")
                .long("option")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .help("an option of the format, as Spark names it; %help source FORMAT lists them"),
        ]
    }

    fn needs_body(&self) -> bool {
        false
    }

    fn offers(&self, arg: &str, given: &[&str]) -> Vec<String> {
        match arg {
            "format" => formats().map(|format| format.name.to_owned()).collect(),
            "option" => values::option_keys(self.options(given)),
            _ => Vec::new(),
        }
    }

    fn options(&self, given: &[&str]) -> Vec<&'static OptionSpec> {
        let format = values::given(given, "format").unwrap_or(DEFAULT_FORMAT);
        let format = source_format(format).ok();
        format.map(all_options).unwrap_or_default()
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let backend = call.context.backend().await?;
        let plan = plan(&call, &backend)?;
        let view = backend.register(&plan).await?;
        let name = &view.name;
        if !view.is_streaming {
            backend.drop_view(name).await?;
            return Err(
                CellError::usage(format!("'{name}' reads no stream: it is a table")).hint(format!(
                    "%%sql\nCREATE OR REPLACE TEMPORARY VIEW {name} AS SELECT …"
                )),
            );
        }
        let columns = match view.columns {
            1 => "1 column".to_owned(),
            columns => format!("{columns} columns"),
        };
        let place = match (call.text("path"), backend.cluster()) {
            (Some(path), Some(cluster)) if !path.contains(':') && !path.starts_with('/') => {
                format!("; '{path}' is a path of {}", cluster.address())
            }
            _ => String::new(),
        };
        let outputs = &call.context.outputs;
        outputs.stdout(format!("stream '{name}': {columns}{place}\n"));
        Ok(())
    }
}

/// The formats that a stream can have.
pub(super) fn formats() -> impl Iterator<Item = &'static SourceFormat> {
    SOURCE_FORMATS
        .iter()
        .filter(|format| format.stream.is_some())
}

/// The options of a format that are given by `--option`.
pub(super) fn all_options(format: &'static SourceFormat) -> Vec<&'static OptionSpec> {
    format.options.iter().copied().flatten().collect()
}

fn plan(call: &Call<'_>, backend: &Backend) -> Result<proto::Command> {
    let name = call.text("name").unwrap_or_default();
    let input = match is_select(call.body) {
        true => select(call)?,
        false => read(data_source(call, backend)?),
    };
    create_view(name, input, call.text("watermark"))
}

/// Whether the body is a query over other streams and no schema.
fn is_select(body: &str) -> bool {
    let words = schema(body);
    let mut words = words.split_whitespace();
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    // `select INT` is a column, and so may `with` be; `SELECT date FROM …` is a query.
    let kind = second.trim_end_matches(',');
    let is_type = !kind.is_empty() && tidebook_engine::parse_type(kind).is_ok();
    let reads = words.any(|word| word.eq_ignore_ascii_case("from"));
    ["select", "with"].contains(&first.to_lowercase().as_str()) && (reads || !is_type)
}

/// A query over other streams: flags that say where rows come from have no meaning for it.
fn select(call: &Call<'_>) -> Result<proto::Relation> {
    for flag in ["format", "path", "max-files-per-trigger", "option"] {
        if call.args.value_source(flag) == Some(ValueSource::CommandLine) {
            let name = call.text("name").unwrap_or_default();
            return Err(CellError::usage(format!(
                "the body selects from other streams, so '--{flag}' has no meaning"
            ))
            .hint(format!(
                "%%source {name} --watermark \"ts 10 minutes\", and the SELECT below"
            )));
        }
    }
    Ok(relation(proto::relation::RelType::Sql(proto::Sql {
        query: values::statement(call.body).to_owned(),
        ..Default::default()
    })))
}

fn read(source: proto::read::DataSource) -> proto::Relation {
    relation(proto::relation::RelType::Read(proto::Read {
        is_streaming: true,
        read_type: Some(proto::read::ReadType::DataSource(source)),
    }))
}

/// A memory source of these columns under a name.
pub(super) fn memory_source(
    name: &str,
    columns: &str,
    watermark: Option<&str>,
) -> Result<proto::Command> {
    let source = proto::read::DataSource {
        format: Some("memory".to_owned()),
        schema: Some(columns.to_owned()),
        ..Default::default()
    };
    create_view(name, read(source), watermark)
}

/// `CreateDataframeView(WithWatermark?(input))`.
fn create_view(
    name: &str,
    mut input: proto::Relation,
    watermark: Option<&str>,
) -> Result<proto::Command> {
    if let Some(watermark) = watermark {
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

fn data_source(call: &Call<'_>, backend: &Backend) -> Result<proto::read::DataSource> {
    let format = call.text("format").unwrap_or(DEFAULT_FORMAT).to_lowercase();
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
    if let Some(cluster) = backend.cluster() {
        if format == "memory" {
            return Err(CellError::new(
                "UnsupportedOperationException",
                format!(
                    "{} has no source of rows that are fed by hand",
                    cluster.address()
                ),
            )
            .hint("%connect local, or a source of files that arrive in a folder"));
        }
        add_broker(&mut options, &format, call.context);
    }
    let schema = schema(call.body);
    if let (Columns::Fixed, false) = (source_format(&format)?.columns, schema.is_empty()) {
        return Err(CellError::usage(format!(
            "a {format} source has columns of its own, but the cell names others"
        ))
        .hint("leave the body empty; %views shows the columns"));
    }
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
    fn a_select_is_told_from_a_schema() {
        for query in [
            "SELECT a, b FROM t",
            "SELECT date FROM t",
            "-- note\nselect\n*",
            "WITH x AS (SELECT 1) SELECT *",
        ] {
            assert!(is_select(query), "{query}");
        }
        for columns in ["select INT, b STRING", "with TIMESTAMP", "a INT", ""] {
            assert!(!is_select(columns), "{columns}");
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
