//! The table of sources, and how to find a row of it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};

use super::SourceDefinition;
use super::file::{CSV, JSON, PARQUET, TEXT};
use super::format::{SourceFormat, StreamRequest, TableRequest};
use super::kafka::KAFKA;
use super::memory::MEMORY;
use super::rate::{RATE, RATE_MICRO_BATCH};
use super::socket::SOCKET;
use super::state::{STATE_METADATA, STATE_STORE};
use crate::error::{Error, Result, hint};
use crate::nearest::nearest;
use crate::options::{FormatDefaults, OptionMap};
use crate::storage::Stores;

/// All sources.
pub const SOURCE_FORMATS: [SourceFormat; 11] = [
    JSON,
    CSV,
    TEXT,
    PARQUET,
    KAFKA,
    RATE,
    RATE_MICRO_BATCH,
    SOCKET,
    MEMORY,
    STATE_STORE,
    STATE_METADATA,
];

/// Sources that Spark has and this version does not.
const ABSENT: [&str; 3] = ["orc", "avro", "delta"];

/// Formats of Spark's that are written, or read by batches, and are no streams.
const NO_STREAMS: [&str; 3] = ["console", "jdbc", "noop"];

/// The row of the stream format `name`.
pub fn source_format(name: &str) -> Result<&'static SourceFormat> {
    let streams = SOURCE_FORMATS.iter().filter(|row| row.stream.is_some());
    find(streams, name).ok_or_else(|| unknown(name))
}

/// A stream of `format`. Everything that is wrong with its definition is an error now; nothing is
/// read or written.
pub fn define_stream(
    session: &dyn Session,
    format: &str,
    schema: Option<SchemaRef>,
    paths: &[String],
    mut options: OptionMap,
) -> Result<Arc<dyn SourceDefinition>> {
    let format = source_format(format)?;
    match paths {
        [] => {}
        [path] => {
            options.insert("path".to_string(), path.clone());
        }
        _ => {
            return Err(Error::illegal_argument("a stream of files has one path")
                .with_hint("use a pattern, e.g. /data/{a,b}/*.json"));
        }
    }
    let define = format.stream.ok_or_else(|| unknown(format.name))?;
    define(StreamRequest {
        format: format.name,
        schema,
        options,
        defaults: FormatDefaults::of(session),
        stores: Stores::of(session),
    })
}

/// A table of `format`. `schema` may be missing: then the format or its files tell.
pub async fn open_table(
    session: &dyn Session,
    format: &str,
    schema: Option<SchemaRef>,
    paths: &[String],
    options: &OptionMap,
) -> Result<Arc<dyn TableProvider>> {
    let row = find(SOURCE_FORMATS.iter(), format);
    let Some((row, open)) = row.and_then(|row| row.table.map(|open| (row, open))) else {
        return Err(match row {
            Some(row) => only_a_stream(row.name),
            None => unknown_table(format),
        });
    };
    let request = TableRequest {
        session,
        format: row.name,
        schema,
        paths,
        options,
        defaults: FormatDefaults::of(session),
    };
    open(request).await
}

fn find(
    mut rows: impl Iterator<Item = &'static SourceFormat>,
    name: &str,
) -> Option<&'static SourceFormat> {
    rows.find(|row| row.name.eq_ignore_ascii_case(name))
}

/// What to do about formats that no library reads here.
fn way_out(name: &str) -> Option<&'static str> {
    let unread = ["orc", "avro", "delta"];
    let is_unread = unread
        .iter()
        .any(|unread| unread.eq_ignore_ascii_case(name));
    is_unread.then_some("write such files as Parquet where they come from, and read those")
}

fn unknown(name: &str) -> Error {
    let streams = || SOURCE_FORMATS.iter().filter(|row| row.stream.is_some());
    let names = || streams().map(|row| row.name);
    let hint = format!("sources are {}", names().collect::<Vec<_>>().join(", "));
    let condition = "DATA_SOURCE_NOT_FOUND";
    let is_one_of = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    if is_one_of(&ABSENT) {
        return Error::analysis(format!("this version has no source '{name}'"))
            .with_condition(condition)
            .with_hint(way_out(name).map_or(hint, str::to_string));
    }
    if is_one_of(&NO_STREAMS) {
        let message = format!("Data source {name} does not support streamed reading.");
        return Error::analysis(message).with_hint(hint);
    }
    let hint = match nearest(name, names()) {
        Some(name) => format!("did you mean '{name}'?"),
        None => hint,
    };
    Error::analysis(format!("there is no source '{name}'"))
        .with_condition(condition)
        .with_hint(hint)
}

/// A table was asked for.
fn only_a_stream(name: &str) -> Error {
    Error::analysis(format!(
        "{name} is not a valid Spark SQL Data Source: it is only a stream"
    ))
    .with_hint([
        hint::say("read it as a stream: "),
        hint::define_stream(Some("NAME"), Some(name)),
    ])
}

fn unknown_table(format: &str) -> Error {
    let tables = || SOURCE_FORMATS.iter().filter(|row| row.table.is_some());
    let names = || tables().map(|row| row.name);
    let hint = match nearest(format, names()) {
        Some(name) => format!("did you mean '{name}'?"),
        None => format!(
            "tables are read from {}",
            names().collect::<Vec<_>>().join(", ")
        ),
    };
    let format = format.to_ascii_lowercase();
    let hint = way_out(&format).map_or(hint, str::to_string);
    Error::analysis(format!("there is no table format '{format}'"))
        .with_condition("DATA_SOURCE_NOT_FOUND")
        .with_hint(hint)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema};
    use datafusion::prelude::SessionContext;

    use super::*;

    fn check(
        format: &str,
        options: &[(&str, &str)],
        data_type: Option<DataType>,
    ) -> Result<SchemaRef> {
        let options = options
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let schema = data_type.map(|data_type| {
            Arc::new(Schema::new(vec![Field::new("a", data_type, false)])) as SchemaRef
        });
        let session = SessionContext::new().state();
        let stream = define_stream(&session, format, schema, &[], options.collect());
        stream.map(|stream| stream.schema())
    }

    #[test]
    fn a_definition_is_checked_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = [("path", dir.path().to_str().unwrap())];
        let schema = check("JSON", &path, Some(DataType::Int64)).unwrap();
        assert!(schema.field(0).is_nullable());
        let message = |result: Result<SchemaRef>| result.unwrap_err().to_string();
        assert!(message(check("delta", &[], None)).contains("this version has no source 'delta'"));
        assert!(message(check("jsn", &[], None)).contains("did you mean 'json'?"));
        assert!(message(check("json", &path, None)).contains("needs a schema"));
        assert!(message(check("json", &[], Some(DataType::Int64))).contains("needs a path"));
        let unreadable = Some(DataType::Duration(arrow::datatypes::TimeUnit::Second));
        assert!(message(check("json", &path, unreadable)).contains("cannot be read from JSON"));
        let text = check("text", &path, None).unwrap();
        assert_eq!(text.field(0).name(), "value");
        assert!(message(check("text", &path, Some(DataType::Int64))).contains("is a STRING"));
        let wrong = |option| check("csv", &[path[0], option], Some(DataType::Int64));
        for (option, expected) in [
            (
                ("mode", "LAX"),
                "must be PERMISSIVE, DROPMALFORMED or FAILFAST",
            ),
            (("timeZone", "Mars"), "must be a time zone"),
            (("sep", ""), "must be at least one character"),
            (("dateFormat", "EEE"), "the letter 'E' is not supported"),
        ] {
            assert!(message(wrong(option)).contains(expected), "{option:?}");
        }
        // Spark looks at what concerns batches when a query starts.
        assert!(wrong(("maxFilesPerTrigger", "x")).is_ok());
    }
}
