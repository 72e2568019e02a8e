//! `%why`: why a query gives nothing, or what it has dropped.

use async_trait::async_trait;
use clap::Arg;

use super::{Call, Kind, Magic, Spec, query_arg, query_title};
use crate::display::{self, Asked};
use crate::error::Result;

/// See the module.
pub(super) struct Why;

#[async_trait]
impl Magic for Why {
    fn spec(&self) -> Spec {
        Spec {
            name: "why",
            kind: Kind::Line,
            about: "explains why nothing came out of a query: open windows, who holds the watermark back, rows that came too late or that a filter or join took, files that are left out",
            body: "",
            example: "%why counts",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![query_arg()]
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.query_here()?;
        let why = query.why().await?;
        let asked = Asked::new(&query, query_title(&query), why);
        call.context.outputs.display(display::why(&asked));
        Ok(())
    }
}
