//! `%echo`: prints a text, for headings in a log and for trying a front end out.

use async_trait::async_trait;
use clap::{Arg, ArgAction};

use super::{Call, Kind, Magic, Spec};
use crate::error::Result;

/// See the module.
pub(super) struct Echo;

#[async_trait]
impl Magic for Echo {
    fn spec(&self) -> Spec {
        Spec {
            name: "echo",
            kind: Kind::Line,
            about: "prints a text",
            body: "",
            example: "%echo \"hello, world\"",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("text")
                .value_name("TEXT")
                .num_args(0..)
                .help("what to print"),
            Arg::new("stderr")
                .long("stderr")
                .action(ArgAction::SetTrue)
                .help("as a warning, not as ordinary output"),
        ]
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let words = call.args.get_many::<String>("text").into_iter().flatten();
        let text = words.map(String::as_str).collect::<Vec<_>>().join(" ") + "\n";
        match call.args.get_flag("stderr") {
            true => call.context.outputs.stderr(text),
            false => call.context.outputs.stdout(text),
        }
        Ok(())
    }
}
