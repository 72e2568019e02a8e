//! Rows as JSON objects and back, as user code and files see them.

use std::sync::Arc;

use arrow::array::{Array, AsArray, BinaryArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::writer::{JsonArray, NullableEncoder};
use arrow::json::{Encoder, EncoderFactory, EncoderOptions, ReaderBuilder, WriterBuilder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::error::{Error, Result};

/// ISO 8601 with as many digits as are needed.
const TIMESTAMP_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.f";
const TIMESTAMP_TZ_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.fZ";

/// The rows of a batch as objects, NULLs included: times as ISO 8601 text, binary as base64.
pub fn json_rows(batch: &RecordBatch) -> Result<Vec<Value>> {
    let failed = |error: ArrowError| Error::internal(format!("cannot write rows as JSON: {error}"));
    let mut writer = WriterBuilder::new()
        .with_explicit_nulls(true)
        .with_timestamp_format(TIMESTAMP_FORMAT.to_string())
        .with_timestamp_tz_format(TIMESTAMP_TZ_FORMAT.to_string())
        .with_encoder_factory(Arc::new(SparkEncoders))
        .build::<_, JsonArray>(Vec::new());
    writer.write(batch).map_err(failed)?;
    writer.finish().map_err(failed)?;
    let text = writer.into_inner();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&text)
        .map_err(|error| Error::internal(format!("cannot write rows as JSON: {error}")))
}

/// Objects as rows of `schema`. A field that is left out is NULL; one that is no column, and a
/// value that does not fit, are errors.
pub(crate) fn rows_from_json(
    schema: &SchemaRef,
    rows: &[Value],
) -> std::result::Result<RecordBatch, ArrowError> {
    let mut decoder = ReaderBuilder::new(Arc::clone(schema))
        .with_strict_mode(true)
        .with_batch_size(rows.len().max(1))
        .build_decoder()?;
    decoder.serialize(rows)?;
    let batch = decoder.flush()?;
    Ok(batch.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema))))
}

/// Binary values are base64, as in Spark.
#[derive(Debug)]
pub(crate) struct SparkEncoders;

impl EncoderFactory for SparkEncoders {
    fn make_default_encoder<'a>(
        &self,
        _field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> std::result::Result<Option<NullableEncoder<'a>>, ArrowError> {
        if array.data_type() != &DataType::Binary {
            return Ok(None);
        }
        let encoder = Box::new(Base64Encoder(array.as_binary()));
        Ok(Some(NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

struct Base64Encoder<'a>(&'a BinaryArray);

impl Encoder for Base64Encoder<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(BASE64.encode(self.0.value(row)).as_bytes());
        out.push(b'"');
    }
}
