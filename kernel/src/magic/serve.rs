//! `%serve`: lets PySpark, and every other client of Spark Connect, into this notebook's session.

use async_trait::async_trait;
use clap::Arg;
use clap::builder::PossibleValuesParser;

use super::{Call, Kind, Magic, Spec};
use crate::error::Result;

/// See the module.
pub(super) struct Serve;

#[async_trait]
impl Magic for Serve {
    fn spec(&self) -> Spec {
        Spec {
            name: "serve",
            kind: Kind::Line,
            about: "lets clients of Spark Connect, like PySpark, work on this notebook's session: the same views and queries",
            body: "",
            example: "%serve\n%serve down",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![
            Arg::new("action")
                .value_name("ACTION")
                .value_parser(PossibleValuesParser::new(["up", "down"]))
                .default_value("up")
                .help("up opens the door, down closes it; queries go on"),
            Arg::new("port")
                .long("port")
                .value_name("N")
                .default_value("0")
                .value_parser(clap::value_parser!(u16))
                .help("of up: the port on this machine; 0 takes a free one"),
            Arg::new("token")
                .long("token")
                .value_name("TOKEN")
                .help("of up: what clients must bring, sc://…/;token=TOKEN"),
        ]
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let context = call.context;
        if call.text("action") == Some("down") {
            context.outputs.stdout(match context.door.close().await {
                Some(address) => format!("the door at {address} is closed\n"),
                None => "no door was open\n".to_owned(),
            });
            return Ok(());
        }
        let port = call.args.get_one::<u16>("port").copied().unwrap_or(0);
        let token = call.text("token").filter(|token| !token.is_empty());
        let (address, was_open) = context.door.open(&context.session, port, token).await?;
        let already = if was_open { "already " } else { "" };
        let with_token = if token.is_some() { "/;token=…" } else { "" };
        context.outputs.stdout(format!(
            "Spark Connect is {already}served on {address}; in Python:\n    from pyspark.sql import SparkSession\n    \
             spark = SparkSession.builder.remote(\"{address}{with_token}\").getOrCreate()\n"
        ));
        Ok(())
    }
}
