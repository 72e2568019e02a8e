//! What is different about a query that runs on a cluster.

use std::collections::HashMap;

use tidebook_remote::Cluster;

use super::Call;
use crate::context::Context;
use crate::error::{CellError, Result};

/// Where Kafka's brokers are.
const BOOTSTRAP: &str = "kafka.bootstrap.servers";

/// Refuses what only the engine in this process can do.
pub(super) fn check(call: &Call<'_>, cluster: &Cluster) -> Result<()> {
    let address = cluster.address();
    if call.text("clock") == Some("manual") {
        return Err(CellError::new(
            "UnsupportedOperationException",
            format!("{address} has no clock that is moved by hand"),
        )
        .hint("leave out --clock manual, or %connect local"));
    }
    Ok(())
}

/// The folder of the cluster's that `--checkpoint session:NAME` stands for.
pub(super) fn scratch(cluster: &Cluster, name: &str) -> String {
    format!("/tmp/tidebook-{}/{name}", cluster.session_id())
}

/// The broker that the notebook uses, which the cluster does not know of.
pub(in crate::magic) fn add_broker(
    options: &mut HashMap<String, String>,
    format: &str,
    context: &Context,
) {
    if format.eq_ignore_ascii_case("kafka")
        && !options.contains_key(BOOTSTRAP)
        && let Ok(address) = context.kafka.address()
    {
        options.insert(BOOTSTRAP.to_owned(), address);
    }
}
