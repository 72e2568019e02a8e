//! What each step of a script means.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};

use crate::script::Step;

/// A step, interpreted.
#[derive(Debug, Clone)]
pub enum Action {
    /// A setting of the session.
    Set(String, String),
    /// A streaming source becomes a view.
    Source(SourceArgs),
    /// A table and its rows.
    Static(SourceArgs, Vec<String>),
    /// A named query: name and lines.
    View(String, Vec<String>),
    /// Rows for a source: its name and the lines.
    AddData(String, Vec<String>),
    /// A text for a source: its name and the text.
    AddText(String, String),
    /// A query is started.
    Query(QueryArgs),
    /// Another query is started beside the running one, and stopped.
    StartBeside(QueryArgs),
    /// The query is stopped and started.
    Restart,
    /// Everything is processed.
    Run,
    /// `Run`, then the rows since the last look.
    CheckNewAnswer,
    /// `Run`, then all rows, or those of the last batch.
    CheckAnswer {
        /// Only the last batch counts.
        complete: bool,
    },
    /// Figures of one batch, or of the last one.
    Expect(Option<i64>, Vec<(String, String)>),
    /// The columns of a query, or of the running one when there are no lines.
    CheckSchema(Vec<String>),
    /// A batch statement.
    Sql(String),
    /// A query is tried in every output mode.
    CheckModes(Vec<String>),
}

/// The words of a `source` or `static` line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceArgs {
    /// Its name.
    pub name: String,
    /// Its columns, as DDL.
    pub schema: String,
    /// Event-time column and delay.
    pub watermark: Option<(String, String)>,
    /// Options of the reader.
    pub options: BTreeMap<String, String>,
    /// Where to read, if not from the folder that `add-data` fills.
    pub path: Option<String>,
    /// The format, if not JSON.
    pub format: Option<String>,
}

/// A query and how to start it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryArgs {
    /// Its lines: SQL or a pipeline.
    pub body: Vec<String>,
    /// The output mode, as written.
    pub mode: String,
    /// `once` or `available-now`; otherwise it runs on.
    pub trigger: Option<String>,
    /// The sink's format; otherwise rows are collected.
    pub sink: Option<String>,
    /// The query's name.
    pub name: Option<String>,
    /// A checkpoint shared by name; `none` for none at all.
    pub checkpoint: Option<String>,
    /// Where a file sink writes.
    pub path: Option<String>,
    /// Further options.
    pub options: BTreeMap<String, String>,
}

impl Action {
    /// Interprets a step. `$DIR` in it stands for `directory`.
    pub fn of(step: &Step, directory: &str) -> Result<Self> {
        let args = step.args.replace("$DIR", directory);
        let body: Vec<_> = step
            .body
            .iter()
            .map(|line| line.replace("$DIR", directory))
            .collect();
        Ok(match step.verb.as_str() {
            "set" => {
                let (key, value) = args.split_once(' ').context("set KEY VALUE")?;
                Self::Set(key.to_owned(), value.trim().to_owned())
            }
            "source" => Self::Source(SourceArgs::parse(&args)?),
            "static" => Self::Static(SourceArgs::parse(&args)?, body),
            "view" => Self::View(args, body),
            "add-data" => Self::AddData(args, body),
            "add-text" => {
                let pieces: Result<String, _> = body
                    .iter()
                    .map(|line| serde_json::from_str::<String>(line))
                    .collect();
                Self::AddText(args, pieces?)
            }
            "query" => Self::Query(QueryArgs::parse(&args, body)?),
            "start-beside" => Self::StartBeside(QueryArgs::parse(&args, body)?),
            "restart" => Self::Restart,
            "run" => Self::Run,
            "check-new-answer" => Self::CheckNewAnswer,
            "check-answer" => Self::CheckAnswer {
                complete: args == "complete",
            },
            "expect" => Self::expect(&args)?,
            "check-schema" => Self::CheckSchema(body),
            "sql" => Self::Sql(body.join("\n")),
            "check-modes" => Self::CheckModes(body),
            other => bail!("unknown verb '{other}'"),
        })
    }

    fn expect(args: &str) -> Result<Self> {
        let mut batch = None;
        let mut figures = Vec::new();
        for word in words(args) {
            let (key, value) = word.split_once('=').context("expect KEY=VALUE")?;
            if key == "batch" {
                batch = Some(value.parse()?);
            } else {
                figures.push((key.to_owned(), value.to_owned()));
            }
        }
        Ok(Self::Expect(batch, figures))
    }
}

impl SourceArgs {
    fn parse(args: &str) -> Result<Self> {
        let (name, rest) = args.split_once('(').context("a source needs a schema")?;
        let close = closing(rest).context("the schema is not closed")?;
        let mut source = Self {
            name: name.trim().to_owned(),
            schema: rest[..close].to_owned(),
            ..Self::default()
        };
        let mut words = words(&rest[close + 1..]).into_iter();
        while let Some(word) = words.next() {
            let mut next = || {
                words
                    .next()
                    .with_context(|| format!("'{word}' needs a word"))
            };
            match word.as_str() {
                "watermark" => source.watermark = Some((next()?, next()?)),
                "option" => {
                    let option = next()?;
                    let (key, value) = option.split_once('=').context("option KEY=VALUE")?;
                    source.options.insert(key.to_owned(), value.to_owned());
                }
                "path" => source.path = Some(next()?),
                "format" => source.format = Some(next()?),
                other => bail!("unknown word '{other}' in source"),
            }
        }
        Ok(source)
    }
}

impl QueryArgs {
    fn parse(args: &str, body: Vec<String>) -> Result<Self> {
        let mut words = words(args).into_iter();
        let mut query = Self {
            body,
            mode: words
                .next()
                .ok_or_else(|| anyhow!("a query needs a mode"))?,
            ..Self::default()
        };
        for word in words {
            match word.split_once('=') {
                Some(("sink", value)) => query.sink = Some(value.to_owned()),
                Some(("name", value)) => query.name = Some(value.to_owned()),
                Some(("checkpoint", value)) => query.checkpoint = Some(value.to_owned()),
                Some(("path", value)) => query.path = Some(value.to_owned()),
                Some((key, value)) => {
                    query.options.insert(key.to_owned(), value.to_owned());
                }
                None => query.trigger = Some(word),
            }
        }
        Ok(query)
    }
}

/// Splits at blanks outside single quotes; the quotes are dropped.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for char in text.chars() {
        match char {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    words
}

/// Splits at `separator` outside quotes and brackets, and trims the parts.
pub fn split_top(text: &str, separator: char) -> Vec<String> {
    let angles = separator == ',';
    let mut parts = vec![String::new()];
    let mut depth = 0;
    let mut quote = None;
    for char in text.chars() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '`') => quote = Some(char),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, '<') if angles => depth += 1,
            (None, '>') if angles => depth -= 1,
            _ => {}
        }
        if char == separator && depth == 0 && quote.is_none() {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(char);
        }
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, char)| {
        match char {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
        None
    })
}
