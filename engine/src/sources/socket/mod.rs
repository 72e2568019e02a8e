//! `socket`: lines of text from a server, for trying things out. Nothing of them survives a restart.

mod lines;
mod source;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use self::source::SocketSource;
use super::format::{Columns, SourceFormat, StreamRequest};
use super::{Source, SourceContext, SourceDefinition};
use crate::error::{Error, Result, hint};
use crate::options::{OptionSpec, Options};

const OPTIONS: [OptionSpec; 4] = [
    OptionSpec {
        name: "host",
        doc: "the name or address of the server; it must be given",
    },
    OptionSpec {
        name: "port",
        doc: "its port; it must be given",
    },
    OptionSpec {
        name: "includeTimestamp",
        doc: "true: a column timestamp says when a line was read; false by default",
    },
    OptionSpec {
        name: "numPartitions",
        doc: "how many tasks the lines are dealt out to, which only shows in their order",
    },
];

/// The row of the table of sources.
pub(super) const SOCKET: SourceFormat = SourceFormat {
    name: "socket",
    doc: "lines of UTF-8 text that a server sends, for trying things out: value STRING; a restart does not bring them again",
    options: &[&OPTIONS],
    needs_path: false,
    columns: Columns::Fixed,
    stream: Some(define),
    table: None,
};

fn define(request: StreamRequest) -> Result<Arc<dyn SourceDefinition>> {
    if request.schema.is_some() {
        return Err(Error::analysis(
            "TextSocketSourceProvider source does not support user-specified schema: its column is value STRING",
        )
        .with_hint("leave the columns out"));
    }
    let options = Options::new("source format 'socket'", &request.options, &OPTIONS, &[])?;
    let missing = |what: &str, example: &str| {
        Error::analysis(format!(
            "Set a {what} to read from with option(\"{what}\", ...)."
        ))
        .with_hint([hint::option(what, example)])
    };
    let host = options
        .get("host")
        .ok_or_else(|| missing("host", "localhost"))?;
    let port = options.get("port").ok_or_else(|| missing("port", "9999"))?;
    let port = port.trim().parse().map_err(|_| {
        Error::illegal_argument(format!(
            "For input string: \"{port}\": a port is a number from 1 to 65535"
        ))
    })?;
    let include_timestamp = options.boolean("includeTimestamp", false).map_err(|_| {
        Error::analysis("IncludeTimestamp must be set to either \"true\" or \"false\".")
    })?;
    Ok(Arc::new(SocketStream {
        host: host.trim().to_string(),
        port,
        include_timestamp,
        tasks: options.positive("numPartitions")?,
    }))
}

/// Which server sends the lines, and what is made of them.
#[derive(Debug, Clone)]
struct SocketStream {
    host: String,
    port: u16,
    include_timestamp: bool,
    tasks: Option<u64>,
}

impl SourceDefinition for SocketStream {
    fn schema(&self) -> SchemaRef {
        let mut fields = vec![Field::new("value", DataType::Utf8, true)];
        if self.include_timestamp {
            let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            fields.push(Field::new("timestamp", time, true));
        }
        Arc::new(Schema::new(fields))
    }

    fn description(&self) -> String {
        format!("TextSocketV2[host: {}, port: {}]", self.host, self.port)
    }

    /// The lines of an earlier run are gone, so it does not matter which server had sent them.
    fn identity(&self) -> String {
        "TextSocketV2".to_string()
    }

    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(SocketSource::new(self.clone(), context)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::testing::defined;

    #[test]
    fn options_are_refused_in_sparks_words() {
        let host = ("host", "127.0.0.1");
        for (options, expected) in [
            (
                &[][..],
                "Set a host to read from with option(\"host\", ...).",
            ),
            (&[("port", "9999")], "Set a host to read from"),
            (
                &[host],
                "Set a port to read from with option(\"port\", ...).",
            ),
            (&[host, ("port", "x")], "For input string: \"x\""),
            (
                &[host, ("port", "99999")],
                "a port is a number from 1 to 65535",
            ),
            (
                &[host, ("port", "9999"), ("includeTimestamp", "fasle")],
                "IncludeTimestamp must be set to either \"true\" or \"false\".",
            ),
        ] {
            let error = defined(&SOCKET, options).unwrap_err();
            assert!(error.message().contains(expected), "{options:?}: {error}");
        }
        let stream = defined(
            &SOCKET,
            &[host, ("port", "9999"), ("includeTimestamp", "TRUE")],
        )
        .unwrap();
        assert_eq!(
            stream.description(),
            "TextSocketV2[host: 127.0.0.1, port: 9999]"
        );
        assert_eq!(stream.schema().fields().len(), 2);
    }
}
