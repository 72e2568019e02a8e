//! `%%sql`: one statement, run as a batch.

use async_trait::async_trait;
use clap::Arg;
use tidebook_engine::SqlOutput;

use super::values;
use super::{Call, Kind, Magic, Spec};
use crate::display;
use crate::error::{CellError, Result};

/// See the module.
pub(super) struct Sql;

#[async_trait]
impl Magic for Sql {
    fn spec(&self) -> Spec {
        Spec {
            name: "sql",
            kind: Kind::Cell,
            about: "runs a query once and shows its rows, or registers a view",
            body: "one SQL statement",
            example: "%%sql\nSELECT * FROM counts ORDER BY window",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("max-rows")
                .long("max-rows")
                .value_name("N")
                .default_value("100")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("show at most N rows"),
        ]
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let text = values::statement(call.body);
        if text.is_empty() {
            return Err(CellError::usage("%%sql has no statement below it").hint("%%sql\nSELECT 1"));
        }
        let max_rows = call.args.get_one::<u32>("max-rows").copied().unwrap_or(100);
        let outputs = &call.context.outputs;
        match call.context.backend().await?.sql(text).await? {
            SqlOutput::Rows(rows) => outputs.result(display::table(&rows, max_rows as usize)),
            SqlOutput::Done(sentence) => outputs.stdout(format!("{sentence}\n")),
        }
        Ok(())
    }
}
