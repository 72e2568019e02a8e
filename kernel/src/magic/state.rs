//! `%state`: what a query remembers from batch to batch.

use async_trait::async_trait;
use clap::{Arg, ArgAction};
use tidebook_engine::{StateRequest, StoreState};

use super::{Call, Kind, Magic, Spec, query_arg};
use crate::display::{self, StateRows};
use crate::error::{CellError, Result};

/// See the module.
pub(super) struct State;

#[async_trait]
impl Magic for State {
    fn spec(&self) -> Spec {
        Spec {
            name: "state",
            kind: Kind::Line,
            about: "shows what a query remembers: the rows of its state after the last batch, or after an earlier one",
            body: "",
            example: "%state counts\n%state counts --key user=alice --at-batch 3",
        }
    }

    fn args(&self) -> Vec<Arg> {
        let number = |name: &'static str, help: &'static str| {
            Arg::new(name)
                .long(name)
                .value_name("N")
                .value_parser(clap::value_parser!(i64).range(0..))
                .help(help)
        };
        vec![
            query_arg(),
            number(
                "operator",
                "the number of the stateful operator, 0 being the one nearest the sink; without it, all are shown",
            ),
            Arg::new("store")
                .long("store")
                .value_name("NAME")
                .help("the store of the operator, or left or right of a join; without it, all are shown"),
            Arg::new("key")
                .long("key")
                .value_name("[COLUMN=]VALUE")
                .action(ArgAction::Append)
                .help("show the rows with this value in a column of the key; may be given more than once"),
            number(
                "at-batch",
                "show the state after batch N; without it, after the last batch",
            ),
            Arg::new("max-rows")
                .long("max-rows")
                .value_name("N")
                .default_value("100")
                .value_parser(clap::value_parser!(u32).range(1..))
                .help("show at most N rows of a store"),
        ]
    }

    fn offers(&self, arg: &str, _given: &[&str]) -> Vec<String> {
        match arg {
            "store" => ["default", "left", "right"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let query = call.query_here()?;
        let request = StateRequest {
            operator_id: call.args.get_one::<i64>("operator").copied(),
            store: call.text("store").map(str::to_owned),
            batch_id: call.args.get_one::<i64>("at-batch").copied(),
        };
        let stores = call.context.session.state(&query, &request).await?;
        let keys: Vec<&str> = call
            .args
            .get_many::<String>("key")
            .map(|keys| keys.map(String::as_str).collect())
            .unwrap_or_default();
        let stores = stores.iter().map(|store| (store, StateRows::new(store)));
        let mut shown: Vec<_> = stores.collect();
        for key in &keys {
            shown.iter_mut().for_each(|(_, rows)| rows.retain(key));
        }
        let found = shown.iter().any(|(_, rows)| rows.num_rows() > 0);
        if !keys.is_empty() && !found {
            return Err(no_key(&keys, &shown));
        }
        let max_rows = call.args.get_one::<u32>("max-rows").copied().unwrap_or(100);
        for (store, rows) in &shown {
            let bundle = display::state(store, rows, max_rows as usize);
            call.context.outputs.display(bundle);
        }
        Ok(())
    }
}

fn no_key(keys: &[&str], shown: &[(&StoreState, StateRows)]) -> CellError {
    let mut columns: Vec<String> = shown.iter().flat_map(|(_, rows)| rows.keys()).collect();
    columns.dedup();
    let error = CellError::usage(format!(
        "the state has no row with the key {}",
        keys.join(", ")
    ));
    error.hint(match columns.is_empty() {
        true => "this state has no key".to_owned(),
        false => format!("the columns of the key are {}", columns.join(", ")),
    })
}
