//! `%%pyspark`: a cell of Python on the notebook's session, by PySpark's own client.

use async_trait::async_trait;

use super::{Call, Kind, Magic, Spec};
use crate::error::Result;
use crate::python::Cell;

/// The name of the magic, for who answers questions about its body.
pub(crate) const NAME: &str = "pyspark";

/// See the module.
pub(super) struct PySpark;

#[async_trait]
impl Magic for PySpark {
    fn spec(&self) -> Spec {
        Spec {
            name: NAME,
            kind: Kind::Cell,
            about: "runs Python with PySpark on this notebook's session: spark is there, and views and queries are the same in all languages",
            body: "Python",
            example: "%%pyspark\nfrom pyspark.sql.functions import window\n\nevents = spark.readStream.format(\"rate\").load()\ncounts = events.groupBy(window(\"timestamp\", \"5 seconds\")).count()\nquery = counts.writeStream.outputMode(\"complete\").format(\"memory\").queryName(\"counts\").start()",
        }
    }

    async fn run(&self, call: Call<'_>) -> Result<()> {
        let context = call.context;
        let cell = Cell {
            session: &context.session,
            outputs: &context.outputs,
            stdin: &context.stdin,
            may_ask: !context.batch,
        };
        context.python.execute(call.body, cell).await
    }
}
