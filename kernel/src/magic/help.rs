//! `%help`: everything about one magic.

use async_trait::async_trait;
use clap::Arg;
use tidebook_engine::nearest;

use super::{Call, Kind, MAGICS, Magic, Spec, describe, lsmagic, named};
use crate::error::{CellError, Result};

/// See the module.
pub struct Help;

#[async_trait]
impl Magic for Help {
    fn spec(&self) -> Spec {
        Spec {
            name: "help",
            kind: Kind::Line,
            about: "explains a magic and its arguments",
            body: "",
            example: "%help stream",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("magic")
                .value_name("NAME")
                .help("the magic; without it, all are listed"),
        ]
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let outputs = &call.context.outputs;
        let Some(name) = call.text("magic") else {
            outputs.display(lsmagic::list());
            return Ok(());
        };
        let bare = name.trim_start_matches('%');
        match named(bare) {
            Some(magic) => outputs.display(describe::help(magic)),
            None => {
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
