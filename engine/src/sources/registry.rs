//! The table of sources: their names and options, and how to make one.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};

use crate::error::{Error, Result};
use crate::options::{OptionMap, OptionSpec, nearest};
use crate::sources::file::json::JSON_OPTIONS;
use crate::sources::file::{self, FileStreamSource, LISTING_OPTIONS, STREAM_OPTIONS};
use crate::sources::{Source, SourceSpec};

/// A kind of source.
#[derive(Debug, Clone, Copy)]
pub struct SourceFormat {
    /// What stands behind `--format` or in `format(…)`.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Its options, in groups.
    pub options: &'static [&'static [OptionSpec]],
}

/// All sources.
pub const SOURCE_FORMATS: [SourceFormat; 2] = [
    SourceFormat {
        name: "json",
        doc: "files of JSON lines, read as they appear in a directory; .gz and .zst too",
        options: &[&LISTING_OPTIONS, &STREAM_OPTIONS, &JSON_OPTIONS],
    },
    SourceFormat {
        name: "memory",
        doc: "rows that are added by hand",
        options: &[],
    },
];

/// Sources that Spark has and this version does not.
const ABSENT: [&str; 10] = [
    "kafka",
    "rate",
    "rate-micro-batch",
    "socket",
    "csv",
    "parquet",
    "orc",
    "text",
    "avro",
    "delta",
];

/// The entry of the table for `name`.
pub fn source_format(name: &str) -> Result<&'static SourceFormat> {
    let found = SOURCE_FORMATS
        .iter()
        .find(|format| format.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| unknown(name))
}

/// A stream of `format`. Everything that can be wrong with it is an error now: it is opened once,
/// without writing anything.
pub fn stream(
    format: &str,
    schema: Option<SchemaRef>,
    paths: &[String],
    options: &OptionMap,
) -> Result<SourceSpec> {
    let format = source_format(format)?;
    if format.name == "memory" {
        return Err(
            Error::illegal_argument("a memory source has no rows of its own")
                .with_hint("name the memory stream that the rows were added to"),
        );
    }
    let schema = schema.ok_or_else(|| {
        Error::analysis(format!(
            "a stream of format '{}' needs a schema",
            format.name
        ))
        .with_hint("write the columns below %%source, e.g. user STRING, ts TIMESTAMP")
    })?;
    let mut options = options.clone();
    match paths {
        [] => {}
        [path] => {
            options.retain(|name, _| !name.eq_ignore_ascii_case("path"));
            options.insert("path".to_string(), path.clone());
        }
        _ => {
            return Err(Error::illegal_argument("a stream of files has one path")
                .with_hint("use a pattern, e.g. /data/{a,b}/*.json, or UNION two streams"));
        }
    }
    // The empty path is no checkpoint: there is nothing to resume, and nothing is written.
    let source = FileStreamSource::new(&options, schema, PathBuf::new(), false)?;
    Ok(SourceSpec::File {
        options,
        schema: source.schema(),
        description: source.description(),
    })
}

/// The files of `format` below `paths`, or below the option `path`, as a table. Without a schema
/// it comes from the files.
pub async fn batch_table(
    session: &dyn Session,
    format: &str,
    schema: Option<SchemaRef>,
    paths: &[String],
    options: &OptionMap,
) -> Result<Arc<dyn TableProvider>> {
    file::table(session, format, schema, paths, options).await
}

fn unknown(name: &str) -> Error {
    let names = || SOURCE_FORMATS.iter().map(|format| format.name);
    let hint = format!("sources are {}", names().collect::<Vec<_>>().join(", "));
    let condition = "DATA_SOURCE_NOT_FOUND";
    if ABSENT
        .iter()
        .any(|absent| absent.eq_ignore_ascii_case(name))
    {
        return Error::analysis(format!("this version has no source '{name}'"))
            .with_condition(condition)
            .with_hint(hint);
    }
    let hint = match nearest(name, names()) {
        Some(name) => format!("did you mean '{name}'?"),
        None => hint,
    };
    Error::analysis(format!("there is no source '{name}'"))
        .with_condition(condition)
        .with_hint(hint)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;

    fn check(format: &str, path: &[&str], data_type: Option<DataType>) -> Result<SourceSpec> {
        let paths: Vec<_> = path.iter().map(|path| path.to_string()).collect();
        let schema = data_type.map(|data_type| {
            Arc::new(Schema::new(vec![Field::new("a", data_type, false)])) as SchemaRef
        });
        stream(format, schema, &paths, &OptionMap::new())
    }

    #[test]
    fn a_stream_is_checked_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = [dir.path().to_str().unwrap()];
        let spec = check("JSON", &path, Some(DataType::Int64)).unwrap();
        assert!(spec.schema().field(0).is_nullable());
        let metadata = dir.path().join("_checkpoint/sources/0");
        let source = spec.create(&metadata, false).unwrap();
        assert_eq!(source.description(), spec.description());
        let message = |result: Result<SourceSpec>| result.unwrap_err().to_string();
        assert!(message(check("kafka", &[], None)).contains("this version has no source 'kafka'"));
        assert!(message(check("jsn", &[], None)).contains("did you mean 'json'?"));
        assert!(message(check("json", &path, None)).contains("needs a schema"));
        assert!(message(check("json", &[], Some(DataType::Int64))).contains("needs a path"));
        assert!(message(check("json", &["/a", "/b"], Some(DataType::Int64))).contains("one path"));
        let unreadable = Some(DataType::Duration(arrow::datatypes::TimeUnit::Second));
        assert!(message(check("json", &path, unreadable)).contains("cannot be read from JSON"));
    }
}
