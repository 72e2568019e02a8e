//! `%clear`: removes what the cell has shown so far.

use async_trait::async_trait;
use clap::{Arg, ArgAction};

use super::{Call, Kind, Magic, Spec};
use crate::error::Result;

/// See the module.
pub(super) struct Clear;

#[async_trait]
impl Magic for Clear {
    fn spec(&self) -> Spec {
        Spec {
            name: "clear",
            kind: Kind::Line,
            about: "removes what this cell has shown so far",
            body: "",
            example: "%clear --wait",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("wait")
                .long("wait")
                .action(ArgAction::SetTrue)
                .help("only when the next output comes, so that nothing flickers"),
        ]
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        call.context.outputs.clear(call.args.get_flag("wait"));
        Ok(())
    }
}
