//! JSON inside of a column: `from_json`, read like a JSON file, and `to_json`, written like one.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringBuilder, StructArray,
    UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;

use super::json_path::JsonPath;
use crate::connect::types::parse_schema;
use crate::error::{Error, Result};
use crate::sinks::file::json_writer;
use crate::sources::file::json::{JsonDecoder, JsonOptions};

/// What stands for a value that is not an object, which JSON lines are made of.
const VALUE: &str = "value";

/// `from_json`, `to_json` and `get_json_object`.
pub(super) fn json_functions() -> Vec<ScalarUDF> {
    let functions = [Function::From, Function::To, Function::Get].into_iter();
    functions
        .map(|function| {
            let signature = match function {
                Function::To => Signature::any(1, Volatility::Immutable),
                _ => Signature::exact(vec![DataType::Utf8; 2], Volatility::Immutable),
            };
            ScalarUDF::from(JsonFunction {
                function,
                signature,
            })
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    From,
    To,
    Get,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonFunction {
    function: Function,
    signature: Signature,
}

impl ScalarUDFImpl for JsonFunction {
    fn name(&self) -> &str {
        match self.function {
            Function::From => "from_json",
            Function::To => "to_json",
            Function::Get => "get_json_object",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> DataFusionResult<FieldRef> {
        let data_type = match self.function {
            Function::From => parsed_type(args.scalar_arguments.get(1).copied().flatten())?,
            Function::To | Function::Get => DataType::Utf8,
        };
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let values = args.args[0].to_array(args.number_rows)?;
        let result = match self.function {
            Function::From => from_json(&values, args.return_field.data_type())?,
            Function::To => to_json(&values)?,
            Function::Get => {
                let paths = args.args[1].to_array(args.number_rows)?;
                get_json_object(&values, &paths)?
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}

fn parsed_type(ddl: Option<&ScalarValue>) -> Result<DataType> {
    match ddl.and_then(|ddl| ddl.try_as_str().flatten()) {
        Some(ddl) => parse_schema(ddl),
        None => Err(
            Error::analysis("from_json needs its schema as text, the same for all rows")
                .with_condition("INVALID_SCHEMA.NON_STRING_LITERAL")
                .with_hint("from_json(payload, 'id INT, tags ARRAY<STRING>')"),
        ),
    }
}

/// A text that is no JSON gives a struct of NULLs; nothing but blanks gives NULL.
fn from_json(texts: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let texts = texts.as_string::<i32>();
    let fields = match data_type {
        DataType::Struct(fields) => fields.clone(),
        other => Fields::from(vec![Field::new(VALUE, other.clone(), true)]),
    };
    let is_struct = matches!(data_type, DataType::Struct(_));
    let columns: Vec<usize> = (0..fields.len()).collect();
    let schema = Schema::new(fields.clone());
    let options = JsonOptions::default();
    let mut decoder = JsonDecoder::new(&options, &schema, &columns, texts.len())?;
    let mut rows = Vec::with_capacity(texts.len());
    for row in 0..texts.len() {
        let before = decoder.num_rows();
        if texts.is_valid(row) && is_struct {
            decoder.decode_line(texts.value(row).as_bytes())?;
        } else if texts.is_valid(row) {
            let line = format!("{{\"{VALUE}\":{}}}", texts.value(row));
            decoder.decode_line(line.as_bytes())?;
        }
        // An array of objects gives the first of them.
        rows.push((decoder.num_rows() > before).then_some(before as u32));
    }
    let Some(batch) = decoder.flush()? else {
        return Ok(arrow::array::new_null_array(data_type, texts.len()));
    };
    let read: ArrayRef = if is_struct {
        let columns = batch.columns().to_vec();
        let read = StructArray::try_new_with_length(fields, columns, None, batch.num_rows());
        Arc::new(read.map_err(failed)?)
    } else {
        Arc::clone(batch.column(0))
    };
    take(&read, &UInt32Array::from(rows), None).map_err(failed)
}

/// NULL fields are left out, as in the JSON sink.
fn to_json(values: &ArrayRef) -> Result<ArrayRef> {
    let (fields, columns) = match values.data_type() {
        DataType::Struct(fields) => (fields.clone(), values.as_struct().columns().to_vec()),
        DataType::List(_) | DataType::Map(..) => {
            let field = Field::new(VALUE, values.data_type().clone(), true);
            (Fields::from(vec![field]), vec![Arc::clone(values)])
        }
        other => {
            let message = format!("to_json takes a struct, an array or a map, not {other}");
            return Err(Error::analysis(message)
                .with_condition("DATATYPE_MISMATCH.INVALID_JSON_SCHEMA")
                .with_hint("to_json(struct(a, b))"));
        }
    };
    let is_struct = matches!(values.data_type(), DataType::Struct(_));
    let options = RecordBatchOptions::new().with_row_count(Some(values.len()));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options);
    let mut writer = json_writer(Vec::new());
    writer.write(&batch.map_err(failed)?).map_err(failed)?;
    writer.finish().map_err(failed)?;
    let text = String::from_utf8(writer.into_inner());
    let text = text.map_err(|error| Error::internal(format!("JSON is not UTF-8: {error}")))?;
    let mut lines = StringBuilder::with_capacity(values.len(), text.len());
    for (row, line) in text.lines().enumerate() {
        if values.is_null(row) {
            lines.append_null();
        } else if is_struct {
            lines.append_value(line);
        } else {
            let opening = VALUE.len() + "{\"\":".len();
            lines.append_value(&line[opening..line.len() - 1]);
        }
    }
    Ok(Arc::new(lines.finish()))
}

fn get_json_object(texts: &ArrayRef, paths: &ArrayRef) -> Result<ArrayRef> {
    let (texts, paths) = (texts.as_string::<i32>(), paths.as_string::<i32>());
    let mut found = StringBuilder::new();
    let mut known: Option<(&str, Option<JsonPath>)> = None;
    for row in 0..texts.len() {
        if texts.is_null(row) || paths.is_null(row) {
            found.append_null();
            continue;
        }
        let text = paths.value(row);
        if known.as_ref().is_none_or(|(known, _)| *known != text) {
            known = Some((text, JsonPath::parse(text)?));
        }
        let path = known.as_ref().and_then(|(_, path)| path.as_ref());
        found.append_option(path.and_then(|path| path.find(texts.value(row))));
    }
    Ok(Arc::new(found.finish()))
}

fn failed(error: arrow::error::ArrowError) -> Error {
    crate::error::from_datafusion(error.into())
}
