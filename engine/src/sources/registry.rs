//! The table of sources: their names and options, and how to make one.

use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::nearest::nearest;
use crate::options::{OptionMap, OptionSpec};
use crate::sources::file::json::JSON_OPTIONS;
use crate::sources::file::{CSV_OPTIONS, FileStreamDefinition, LISTING_OPTIONS, STREAM_OPTIONS};

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
pub const SOURCE_FORMATS: [SourceFormat; 4] = [
    SourceFormat {
        name: "json",
        doc: "files of JSON lines, read as they appear in a directory; .gz and .zst too",
        options: &[&LISTING_OPTIONS, &STREAM_OPTIONS, &JSON_OPTIONS],
    },
    SourceFormat {
        name: "csv",
        doc: "files of comma-separated values, read as they appear in a directory; .gz and .zst too",
        options: &[&LISTING_OPTIONS, &STREAM_OPTIONS, &CSV_OPTIONS],
    },
    SourceFormat {
        name: "text",
        doc: "files of text, a row per line, read as they appear in a directory; .gz and .zst too",
        options: &[&LISTING_OPTIONS, &STREAM_OPTIONS],
    },
    SourceFormat {
        name: "memory",
        doc: "rows that are added by hand",
        options: &[],
    },
];

/// Sources that Spark has and this version does not.
const ABSENT: [&str; 8] = [
    "kafka",
    "rate",
    "rate-micro-batch",
    "socket",
    "parquet",
    "orc",
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

/// What a stream of files of `format` reads. Everything that is wrong with the definition is an
/// error now; nothing is read or written. A memory stream is a [`crate::sources::MemoryStream`].
pub fn define_source(
    format: &str,
    options: &OptionMap,
    schema: Option<SchemaRef>,
) -> Result<FileStreamDefinition> {
    let format = source_format(format)?;
    if format.name == "memory" {
        return Err(
            Error::illegal_argument("a memory source has no rows of its own")
                .with_hint("name the memory stream that the rows were added to"),
        );
    }
    FileStreamDefinition::new(format.name, options, schema)
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
        define_source(format, &options.collect(), schema).map(|defined| defined.schema())
    }

    #[test]
    fn a_definition_is_checked_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = [("path", dir.path().to_str().unwrap())];
        let schema = check("JSON", &path, Some(DataType::Int64)).unwrap();
        assert!(schema.field(0).is_nullable());
        let message = |result: Result<SchemaRef>| result.unwrap_err().to_string();
        assert!(message(check("kafka", &[], None)).contains("this version has no source 'kafka'"));
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
