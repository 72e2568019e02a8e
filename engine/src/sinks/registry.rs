//! The table of sinks, and how to find a row of it.

use super::BatchSink;
use super::console::CONSOLE;
use super::file::{CSV, JSON, PARQUET, TEXT};
use super::foreach::FOREACH;
use super::foreach_batch::FOREACH_BATCH;
use super::format::{BatchRequest, CreatedSink, SinkFormat, SinkRequest};
use super::kafka::KAFKA;
use super::memory::MEMORY;
use super::noop::NOOP;
use crate::error::{Error, Result};
use crate::nearest::nearest;

/// All sinks.
pub const SINK_FORMATS: [SinkFormat; 10] = [
    MEMORY,
    CONSOLE,
    NOOP,
    PARQUET,
    JSON,
    CSV,
    TEXT,
    KAFKA,
    FOREACH,
    FOREACH_BATCH,
];

/// Sinks that Spark has and this version does not.
const ABSENT: [&str; 3] = ["orc", "avro", "delta"];

/// Formats of Spark's that are read and not written by a stream.
const NO_SINKS: [&str; 3] = ["jdbc", "rate", "rate-micro-batch"];

/// The row of the sink `name`.
pub fn sink_format(name: &str) -> Result<&'static SinkFormat> {
    let mut rows = SINK_FORMATS.iter();
    let found = rows.find(|row| row.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| unknown(name))
}

/// Makes a sink. Everything that can be wrong with the request is an error now.
pub fn create_sink(request: SinkRequest<'_>) -> Result<CreatedSink> {
    request.format.check_output_mode(request.output_mode)?;
    request.format.check_partition_by(request.partition_by)?;
    (request.format.stream)(request)
}

/// Makes what a batch query is written to. Everything that can be wrong with the request is an
/// error now.
pub fn create_batch_sink(request: BatchRequest<'_>) -> Result<Box<dyn BatchSink>> {
    let Some(create) = request.format.batch else {
        return Err(Error::analysis(format!(
            "a batch query cannot be written to '{}'",
            request.format.name
        ))
        .with_hint("write parquet, json, csv or text files, or collect the rows"));
    };
    request.format.check_partition_by(request.partition_by)?;
    create(request)
}

fn unknown(name: &str) -> Error {
    let names = || {
        SINK_FORMATS
            .iter()
            .filter(|row| !row.needs_function)
            .map(|row| row.name)
    };
    let hint = format!("sinks are {}", names().collect::<Vec<_>>().join(", "));
    let condition = "DATA_SOURCE_NOT_FOUND";
    let is_one_of = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    if is_one_of(&ABSENT) {
        return Error::analysis(format!("this version has no sink '{name}'"))
            .with_condition(condition)
            .with_hint(hint);
    }
    if is_one_of(&NO_SINKS) {
        let message = format!("Data source {name} does not support streamed writing.");
        return Error::analysis(message).with_hint(hint);
    }
    let hint = match nearest(name, names()) {
        Some(name) => format!("did you mean '{name}'?"),
        None => hint,
    };
    Error::analysis(format!("there is no sink '{name}'"))
        .with_condition(condition)
        .with_hint(hint)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cancellation::Cancellation;
    use crate::clock::SystemClock;
    use crate::options::OptionMap;
    use crate::output_mode::OutputMode;
    use crate::sinks::Target;
    use crate::sinks::testing::{schema, strings};

    fn create(
        format: &str,
        output_mode: OutputMode,
        given: &[(&str, &str)],
    ) -> Result<CreatedSink> {
        let options = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        create_sink(SinkRequest {
            format: sink_format(format)?,
            options: &options.collect(),
            defaults: OptionMap::new(),
            stores: Arc::default(),
            clock: Arc::new(SystemClock),
            schema: match format.to_lowercase().as_str() {
                "text" => strings(),
                _ => schema(),
            },
            partition_by: &[],
            output_mode,
            durable: false,
            batches_to_retain: 100,
            console: Arc::new(|_| {}),
            time_zone: "UTC".to_string(),
            function: Some(Arc::new(|_, _, _| Ok(()))),
            cancellation: Cancellation::new(),
        })
    }

    #[test]
    fn every_sink_can_be_made() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap();
        // Rows of numbers are no messages.
        let formats = SINK_FORMATS.iter().filter(|format| format.name != "kafka");
        for format in formats {
            let options = match format.target {
                Target::Directory => vec![("PATH", path)],
                Target::Topic | Target::None => vec![],
            };
            let name = format.name.to_uppercase();
            let created = create(&name, format.output_modes[0], &options).unwrap();
            assert_eq!(created.table.is_some(), format.forgets);
        }
    }

    #[test]
    fn mistakes_are_errors_at_once() {
        use OutputMode::{Append, Complete};
        let hint = |result: Result<CreatedSink>| result.unwrap_err().hint().unwrap().to_string();
        assert_eq!(
            hint(create("memmory", Append, &[])),
            "did you mean 'memory'?"
        );
        assert!(hint(create("delta", Append, &[])).starts_with("sinks are memory,"));
        let error = create("Rate", Append, &[]).unwrap_err();
        assert_eq!(
            error.message(),
            "Data source Rate does not support streamed writing."
        );
        assert_eq!(
            hint(create("json", Append, &[])),
            "use the format json with DIR"
        );
        assert_eq!(
            hint(create("console", Append, &[("numRow", "1")])),
            "did you mean 'numRows'?"
        );
        let error = create("parquet", Complete, &[("path", "/x")]).unwrap_err();
        assert_eq!(
            error.condition(),
            Some("STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE")
        );
        assert!(
            error
                .hint()
                .unwrap()
                .starts_with("use the output mode append, or"),
            "{error}"
        );
    }
}
