//! The magics: one file each, one table for all.
//!
//! [`MAGICS`] feeds parsing, completion, `%lsmagic`, `%help`, `NAME?` and the table of the README.
//! The arguments of a magic are defined once, as clap arguments; by convention an argument with the
//! id [`QUERY`] names a query and completes to the known ones, and ones with the ids [`STREAM`] and
//! [`TOPIC`] a stream and a topic.

mod alert;
mod arguments;
mod await_query;
mod chart;
mod check;
mod clear;
mod clock;
mod connect;
mod describe;
mod echo;
mod feed;
mod formats;
mod help;
mod kafka;
mod lsmagic;
mod process;
mod produce;
mod progress;
mod pyspark;
mod queries;
mod serve;
mod source;
mod sql;
mod state;
mod status;
mod stop;
mod stream;
pub(crate) mod values;
mod views;
mod who;
mod why;

use async_trait::async_trait;
use clap::{Arg, ArgMatches};
use tidebook_engine::StreamingQuery;
use tidebook_engine::nearest;
use tidebook_engine::options::OptionSpec;

pub(crate) use arguments::{command, is_closed};
pub(crate) use describe::{arg_help, help, markdown_table, shown, usage};
pub(crate) use formats::markdown_tables;
pub(crate) use pyspark::NAME as PYSPARK;

use crate::backend::Query;
use crate::context::Context;
use crate::error::{CellError, Result};

/// The id of an argument that names a query.
pub(crate) const QUERY: &str = "query";

/// The id of an argument that names a topic of Kafka.
pub(crate) const TOPIC: &str = "topic";

/// The id of an argument that names a stream.
pub(crate) const STREAM: &str = "stream";

/// All magics, in the order in which a notebook meets them.
pub(crate) static MAGICS: &[&dyn Magic] = &[
    &source::Source,
    &feed::Feed,
    &stream::Stream,
    &sql::Sql,
    &status::Status,
    &progress::Progress,
    &why::Why,
    &state::State,
    &queries::Queries,
    &chart::Chart,
    &alert::Alert,
    &await_query::Await,
    &process::Process,
    &clock::Clock,
    &stop::Stop,
    &check::Check,
    &kafka::Kafka,
    &produce::Produce,
    &pyspark::PySpark,
    &serve::Serve,
    &connect::Connect,
    &views::Views,
    &who::Who,
    &lsmagic::LsMagic,
    &help::Help,
    &echo::Echo,
    &clear::Clear,
];

/// Whether a magic takes one line or the whole cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `%name args`
    Line,
    /// `%%name args`, then a body.
    Cell,
}

/// What the table says about a magic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// Its name, without percent signs.
    pub name: &'static str,
    /// One line or a whole cell.
    pub kind: Kind,
    /// What it does, in one sentence without a final period.
    pub about: &'static str,
    /// What the lines below the first hold, for a cell magic.
    pub body: &'static str,
    /// A cell that can be pasted.
    pub example: &'static str,
}

/// One magic.
#[async_trait]
pub(crate) trait Magic: Sync {
    /// What the table says about it.
    fn spec(&self) -> Spec;

    /// Its arguments, positional ones first.
    fn args(&self) -> Vec<Arg> {
        Vec::new()
    }

    /// Values to offer for an argument that is not limited to them; `given` holds the words that
    /// stand before it.
    fn offers(&self, _arg: &str, _given: &[&str]) -> Vec<String> {
        Vec::new()
    }

    /// The options that `--option` can set, with their docs, after the words `given`.
    fn options(&self, _given: &[&str]) -> Vec<&'static OptionSpec> {
        Vec::new()
    }

    /// Whether a cell magic says nothing without lines below its first.
    fn needs_body(&self) -> bool {
        true
    }

    /// Whether it works on a cluster as well as on the engine in this process, or needs neither.
    fn runs_anywhere(&self) -> bool {
        false
    }

    /// Does it.
    async fn run(&self, call: Call<'_>) -> Result<()>;
}

/// One use of a magic, with its arguments checked.
pub(crate) struct Call<'a> {
    /// The arguments, by id.
    pub args: ArgMatches,
    /// The lines below the first; empty for a line magic.
    pub body: &'a str,
    /// What the magic works on.
    pub context: &'a Context,
}

/// The magic of this name; an unknown one is an error with the nearest name.
pub(crate) fn find(name: &str, kind: Kind) -> Result<&'static dyn Magic> {
    if let Some(magic) = named(name) {
        return match magic.spec().kind == kind {
            true => Ok(magic),
            false => Err(wrong_kind(magic)),
        };
    }
    let typed = format!("{}{name}", kind.sign());
    let error = CellError::usage(format!("there is no magic '{typed}'"));
    let names = MAGICS.iter().map(|magic| magic.spec());
    Err(match nearest(name, names.clone().map(|spec| spec.name)) {
        Some(near) => {
            let near = names.into_iter().find(|spec| spec.name == near);
            let near = near.map_or_else(String::new, |spec| spec.title());
            error.hint(format!("use {near}; %lsmagic lists all magics"))
        }
        None => error.hint("%lsmagic lists all magics"),
    })
}

/// The magic of this name, whichever its kind.
pub(crate) fn named(name: &str) -> Option<&'static dyn Magic> {
    MAGICS
        .iter()
        .copied()
        .find(|magic| magic.spec().name == name)
}

fn wrong_kind(magic: &dyn Magic) -> CellError {
    let spec = magic.spec();
    let (is, takes) = match spec.kind {
        Kind::Cell => ("a cell magic", "it takes the whole cell"),
        Kind::Line => ("a line magic", "it takes one line and no body"),
    };
    CellError::usage(format!("'{}' is {is}: {takes}", spec.name))
        .hint(format!("write {}", spec.title()))
}

impl dyn Magic {
    /// Checks the arguments and runs the magic; asked for help, explains it instead.
    pub(crate) async fn invoke(&self, args: &str, body: &str, context: &Context) -> Result<()> {
        if args
            .split_whitespace()
            .any(|word| matches!(word, "--help" | "-h"))
        {
            context.outputs.display(help(self));
            return Ok(());
        }
        let args = arguments::parse(self, args)?;
        if !self.runs_anywhere() {
            context.connections.check_here(&self.spec().title())?;
        }
        self.run(Call {
            args,
            body,
            context,
        })
        .await
    }
}

impl Kind {
    /// `%` or `%%`.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Line => "%",
            Self::Cell => "%%",
        }
    }
}

impl Spec {
    /// The name as one types it.
    pub(crate) fn title(&self) -> String {
        format!("{}{}", self.kind.sign(), self.name)
    }
}

impl Call<'_> {
    /// A text argument.
    pub(crate) fn text(&self, arg: &str) -> Option<&str> {
        self.args.get_one::<String>(arg).map(String::as_str)
    }

    /// The query that the argument [`QUERY`] names; without it, the one started last.
    pub(crate) async fn query(&self) -> Result<Query> {
        let backend = self.context.backend().await?;
        match self.text(QUERY) {
            Some(name) => backend.find(name).await,
            None => backend.queries().await?.pop().ok_or_else(no_query),
        }
    }

    /// The same for what only the engine in this process can do.
    pub(crate) fn query_here(&self) -> Result<StreamingQuery> {
        let streams = self.context.session.streams();
        match self.text(QUERY) {
            Some(name) => Ok(streams.get(name)?),
            None => streams.all().pop().ok_or_else(no_query),
        }
    }
}

impl Call<'_> {
    /// The same for what only a running query can do: without a name, the one started last of those
    /// that run.
    pub(crate) async fn running_query(&self) -> Result<Query> {
        let mut active = self.context.backend().await?.active().await?;
        match (self.text(QUERY), active.pop()) {
            (None, Some(query)) => Ok(query),
            _ => self.query().await,
        }
    }
}

fn no_query() -> CellError {
    CellError::usage("no query was started yet")
        .hint("start one with %%stream NAME, the query below it")
}

/// The optional argument that names a query.
pub(crate) fn query_arg() -> Arg {
    Arg::new(QUERY)
        .value_name("NAME")
        .help("the query; without it, the one started last")
}

/// How a query is called in a sentence.
pub(crate) fn query_title(query: &(impl Clone + Into<Query>)) -> String {
    let query: Query = query.clone().into();
    match query.name() {
        Some(name) => format!("query '{name}'"),
        None => format!("query {}", query.id()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_definitions_sound() {
        for (index, magic) in MAGICS.iter().enumerate() {
            let spec = magic.spec();
            let first = MAGICS
                .iter()
                .position(|other| other.spec().name == spec.name);
            assert_eq!(first, Some(index), "{}", spec.name);
            command(*magic).debug_assert();
            assert!(spec.example.starts_with(&spec.title()), "{}", spec.name);
            assert!(!spec.about.ends_with('.'), "{}", spec.name);
        }
    }

    #[test]
    fn examples_parse() {
        for magic in MAGICS {
            let spec = magic.spec();
            for line in spec
                .example
                .lines()
                .filter(|line| line.starts_with(&spec.title()))
            {
                let args = line.strip_prefix(&spec.title()).unwrap();
                if let Err(error) = arguments::parse(*magic, args) {
                    panic!("{line}: {error}");
                }
            }
        }
    }

    #[test]
    fn mistyped_names_get_the_nearest() {
        let error = find("straem", Kind::Cell).err().unwrap();
        assert_eq!(error.evalue, "there is no magic '%%straem'");
        assert_eq!(
            error.hint.unwrap(),
            "use %%stream; %lsmagic lists all magics"
        );
        let error = find("matplotlib", Kind::Line).err().unwrap();
        assert_eq!(error.hint.unwrap(), "%lsmagic lists all magics");
    }

    #[test]
    fn the_other_kind_is_pointed_out() {
        assert_eq!(
            find("sql", Kind::Line).err().unwrap().hint.unwrap(),
            "write %%sql"
        );
        assert_eq!(
            find("status", Kind::Cell).err().unwrap().hint.unwrap(),
            "write %status"
        );
    }
}
