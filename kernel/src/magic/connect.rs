//! `%connect`: statements and queries run on a Spark cluster from now on, or here again.

use async_trait::async_trait;
use clap::Arg;

use super::{Call, Kind, Magic, Spec, query_title};
use crate::backend::{Query, is_local};
use crate::error::Result;

/// See the module.
pub(super) struct Connect;

#[async_trait]
impl Magic for Connect {
    fn spec(&self) -> Spec {
        Spec {
            name: "connect",
            kind: Kind::Line,
            about: "runs everything that follows on a Spark cluster, by Spark Connect, or here again",
            body: "",
            example: "%connect sc://localhost:15002\n%connect local",
        }
    }

    fn args(&self) -> Vec<Arg> {
        vec![Arg::new("place").value_name("ADDRESS").help(
            "sc://HOST:PORT, and behind it what PySpark takes too: ;use_ssl=true;token=TOKEN; a session \
             of another client is found by its ;session_id=ID; local is this process; \
             without it, the present place is shown",
        )]
    }

    fn offers(&self, arg: &str, _given: &[&str]) -> Vec<String> {
        match arg {
            "place" => ["local", "sc://localhost:15002"]
                .map(str::to_owned)
                .to_vec(),
            _ => Vec::new(),
        }
    }

    fn runs_anywhere(&self) -> bool {
        true
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let context = call.context;
        let connections = &context.connections;
        let said = match call.text("place") {
            None => match connections.away() {
                Some(place) => format!("queries run on {place}\n"),
                None => "queries run in this process\n".to_owned(),
            },
            Some(place) if is_local(place) => match connections.leave() {
                Some(left) => format!("queries run in this process; those on {left} go on there\n"),
                None => "queries run in this process\n".to_owned(),
            },
            Some(address) => {
                let connected = connections.connect(&context.session, address).await?;
                let cluster = connected.cluster;
                let mut said = format!(
                    "queries run on {}: Spark {}, session {}; files named by a relative path are the cluster's\n",
                    cluster.address(),
                    cluster.version(),
                    cluster.session_id()
                );
                for query in &connected.gone {
                    let title = query_title(query);
                    said.push_str(&format!(
                        "the session before is gone, and {title} with it\n"
                    ));
                }
                for query in cluster.queries().await?.into_iter().map(Query::There) {
                    if query.is_active() {
                        said.push_str(&format!("{} runs there\n", query_title(&query)));
                    }
                }
                said
            }
        };
        context.outputs.stdout(said);
        Ok(())
    }
}
