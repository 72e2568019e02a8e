//! `%help`: everything about one magic.

use async_trait::async_trait;
use clap::Arg;
use tidebook_engine::nearest;

use super::{Call, Kind, MAGICS, Magic, Spec, describe, formats, lsmagic, named};
use crate::error::{CellError, Result};

/// See the module.
pub(super) struct Help;

#[async_trait]
impl Magic for Help {
    fn spec(&self) -> Spec {
        Spec {
            name: "help",
            kind: Kind::Line,
            about: "explains a magic and its arguments",
            body: "",
            example: "%help stream\n%help source csv",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("magic")
                .value_name("NAME")
                .help("the magic; without it, all are listed"),
            Arg::new("format")
                .value_name("FORMAT")
                .help("of source and stream: the format whose options are explained"),
        ]
    }

    fn offers(&self, arg: &str, given: &[&str]) -> Vec<String> {
        match (arg, given) {
            ("format", [magic, ..]) => formats::names(magic),
            _ => Vec::new(),
        }
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let outputs = &call.context.outputs;
        let Some(name) = call.text("magic") else {
            outputs.display(lsmagic::list());
            return Ok(());
        };
        let bare = name.trim_start_matches('%');
        match (named(bare), call.text("format")) {
            (Some(magic), None) => outputs.display(describe::help(magic)),
            (Some(magic), Some(topic)) => {
                let help = formats::help(magic.spec().name, topic);
                outputs.display(help.ok_or_else(|| no_topic(&magic.spec(), topic))?);
            }
            (None, _) => {
                let error = CellError::usage(format!("there is no magic '{name}'"));
                let names = MAGICS.iter().map(|magic| magic.spec().name);
                return Err(match nearest(bare, names) {
                    Some(near) => error.hint(format!("%help {near}")),
                    None => error.hint("%lsmagic lists all magics"),
                });
            }
        }
        Ok(())
    }
}

fn no_topic(spec: &Spec, topic: &str) -> CellError {
    let name = spec.name;
    let names = formats::names(name);
    if names.is_empty() {
        return CellError::usage(format!("{} has no formats to explain", spec.title()))
            .hint(format!("%help {name}"));
    }
    let error = CellError::usage(format!("{} has no format '{topic}'", spec.title()));
    match nearest(topic, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("%help {name} {near}")),
        None => error.hint(format!("the formats are {}", names.join(", "))),
    }
}
