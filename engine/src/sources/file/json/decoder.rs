//! Lines into record batches. **Every record is kept, dropped or refused as the mode says, and
//! counted if it did not fit**; a record that breaks off in the middle leaves nothing behind.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray,
    StringBuilder,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Fields, Schema, SchemaRef};

use super::column::Fit;
use super::object::{Object, Reject};
use super::options::{JsonOptions, ParseMode};
use super::parser::Parser;
use crate::error::{Error, ErrorKind, Result};

const SNIPPET_CHARS: usize = 120;

/// Fills batches from lines of JSON.
#[derive(Debug)]
pub struct JsonDecoder {
    mode: ParseMode,
    /// The columns that are read from the text.
    records: Object,
    /// Schema of the batches.
    schema: SchemaRef,
    /// Where each column of a batch comes from.
    sources: Vec<ColumnSource>,
    /// Text of corrupt records by row; kept only if a column wants it.
    corrupt_texts: Option<Vec<(usize, String)>>,
    /// Rows to be left out.
    discarded: Vec<usize>,
    num_corrupt_records: u64,
}

#[derive(Debug, Clone, Copy)]
enum ColumnSource {
    Record(usize),
    CorruptText,
}

impl JsonDecoder {
    /// A decoder of `schema` that gives the columns `projection`, in that order. `rows` is how many
    /// a batch will have, about. If the text of corrupt records is asked for, all columns of the
    /// schema are checked, otherwise only those in the projection.
    pub fn new(
        options: &JsonOptions,
        schema: &Schema,
        projection: &[usize],
        rows: usize,
    ) -> Result<Self> {
        let corrupt = schema.index_of(&options.corrupt_record_column).ok();
        if let Some(index) = corrupt {
            check_corrupt_record_column(schema, index)?;
        }
        let wants_corrupt = corrupt.is_some_and(|index| projection.contains(&index));
        let read: Vec<usize> = (0..schema.fields().len())
            .filter(|index| Some(*index) != corrupt)
            .filter(|index| wants_corrupt || projection.contains(index))
            .collect();
        let sources =
            projection
                .iter()
                .map(|index| match read.iter().position(|read| read == index) {
                    Some(position) => ColumnSource::Record(position),
                    None => ColumnSource::CorruptText,
                });
        let fields: Fields = read
            .iter()
            .map(|index| schema.fields()[*index].clone())
            .collect();
        let projected: Fields = projection
            .iter()
            .map(|index| schema.fields()[*index].clone())
            .collect();
        Ok(Self {
            mode: options.mode,
            records: Object::new(&fields, options.zone, rows)?,
            schema: Arc::new(Schema::new(projected)),
            sources: sources.collect(),
            corrupt_texts: wants_corrupt.then(Vec::new),
            discarded: Vec::new(),
            num_corrupt_records: 0,
        })
    }

    /// Schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows read since the last flush.
    pub fn num_rows(&self) -> usize {
        self.records.len()
    }

    /// How many records did not fit, so far.
    pub fn num_corrupt_records(&self) -> u64 {
        self.num_corrupt_records
    }

    /// Reads one line. Fails in FAILFAST mode, with an error that shows the line but does not
    /// know where it stands.
    pub fn decode_line(&mut self, line: &[u8]) -> Result<()> {
        self.decode(line, line)
    }

    /// The rows read since the last flush, if any.
    pub fn flush(&mut self) -> Result<Option<RecordBatch>> {
        let rows = self.records.len();
        if rows == 0 {
            return Ok(None);
        }
        let discarded = std::mem::take(&mut self.discarded);
        let texts = self.corrupt_texts.as_mut().map(std::mem::take);
        let internal = |error| Error::internal(format!("finish rows of JSON: {error}"));
        let (_, columns) = self.records.finish().map_err(internal)?;
        let columns = self
            .sources
            .iter()
            .map(|source| match source {
                ColumnSource::Record(index) => columns[*index].clone(),
                ColumnSource::CorruptText => corrupt_column(rows, texts.as_deref().unwrap_or(&[])),
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        without_rows(batch.map_err(internal)?, &discarded).map(Some)
    }

    /// Reads `text`; `line` is what the user wrote.
    fn decode(&mut self, text: &[u8], line: &[u8]) -> Result<()> {
        let first_row = self.records.len();
        let Ok(json) = str::from_utf8(text) else {
            return self.malformed(line, "it is not UTF-8");
        };
        let outcome = self.read_records(&mut Parser::new(json));
        match outcome {
            Ok(Fit::Whole) => Ok(()),
            Ok(_) => {
                let rows = first_row..self.records.len();
                self.corrupt(rows, line, "a value does not have the type of its column")
            }
            Err(Reject::DuplicateName) => {
                self.roll_back(first_row);
                match serde_json::from_slice::<serde_json::Value>(text) {
                    // The last of the values stays, as in Spark.
                    Ok(record) => self.decode(record.to_string().as_bytes(), line),
                    Err(error) => self.malformed(line, &error.to_string()),
                }
            }
            Err(Reject::Syntax(error)) => {
                self.roll_back(first_row);
                self.malformed(line, error.0)
            }
            Err(Reject::NoObject) => {
                self.roll_back(first_row);
                self.malformed(line, "it is not an object")
            }
        }
    }

    fn read_records(&mut self, json: &mut Parser<'_>) -> std::result::Result<Fit, Reject> {
        if json.is_at_end() {
            return Ok(Fit::Whole);
        }
        match json.peek()? {
            b'{' => self.records.read(json),
            b'[' => {
                let mut fit = Fit::Whole;
                let mut next = json.first_element()?;
                while let Some(first) = next {
                    if first != b'{' {
                        return Err(Reject::NoObject);
                    }
                    fit = fit.max(self.records.read(json)?);
                    next = json.next_element()?;
                }
                Ok(fit)
            }
            _ => Err(Reject::NoObject),
        }
    }

    /// Takes back the rows of a line that broke off.
    fn roll_back(&mut self, first_row: usize) {
        let reach = self.records.reach();
        self.records.settle(reach);
        self.discarded.extend(first_row..reach);
    }

    fn malformed(&mut self, line: &[u8], why: &str) -> Result<()> {
        let row = self.records.len();
        self.records.append_nulls();
        self.corrupt(row..row + 1, line, why)
    }

    fn corrupt(&mut self, rows: std::ops::Range<usize>, line: &[u8], why: &str) -> Result<()> {
        self.num_corrupt_records += 1;
        match self.mode {
            ParseMode::Permissive => {
                if let Some(texts) = &mut self.corrupt_texts {
                    let text = String::from_utf8_lossy(line.trim_ascii_end());
                    texts.extend(rows.map(|row| (row, text.to_string())));
                }
                Ok(())
            }
            ParseMode::DropMalformed => {
                self.discarded.extend(rows);
                Ok(())
            }
            ParseMode::FailFast => Err(malformed_record(line, why)),
        }
    }
}

fn malformed_record(line: &[u8], why: &str) -> Error {
    let text = String::from_utf8_lossy(line.trim_ascii());
    let mut snippet: String = text.chars().take(SNIPPET_CHARS).collect();
    if snippet.len() < text.len() {
        snippet.push('…');
    }
    Error::new(
        ErrorKind::StreamingQuery,
        format!("malformed record '{snippet}': {}", lower_first(why)),
    )
    .with_condition("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION")
    .with_hint("--option mode=PERMISSIVE reads what can be read of such a record, --option mode=DROPMALFORMED leaves it out")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

fn check_corrupt_record_column(schema: &Schema, index: usize) -> Result<()> {
    let field = schema.field(index);
    if field.data_type() == &DataType::Utf8 {
        return Ok(());
    }
    Err(Error::analysis(format!(
        "column '{}' takes the text of corrupt records and must be a STRING, not {}",
        field.name(),
        field.data_type()
    ))
    .with_condition("INVALID_CORRUPT_RECORD_TYPE")
    .with_hint(format!("declare it as '{} STRING'", field.name())))
}

fn corrupt_column(rows: usize, texts: &[(usize, String)]) -> ArrayRef {
    if texts.is_empty() {
        return Arc::new(StringArray::new_null(rows));
    }
    let mut column = StringBuilder::with_capacity(rows, 0);
    for (row, text) in texts {
        column.append_nulls(row - column.len());
        column.append_value(text);
    }
    column.append_nulls(rows - column.len());
    Arc::new(column.finish())
}

fn without_rows(batch: RecordBatch, discarded: &[usize]) -> Result<RecordBatch> {
    if discarded.is_empty() {
        return Ok(batch);
    }
    let mut keep = vec![true; batch.num_rows()];
    for row in discarded {
        keep[*row] = false;
    }
    let kept = keep.iter().filter(|keep| **keep).count();
    let internal = |error| Error::internal(format!("leave out malformed records: {error}"));
    if batch.num_columns() == 0 {
        let options = RecordBatchOptions::new().with_row_count(Some(kept));
        return RecordBatch::try_new_with_options(batch.schema(), vec![], &options)
            .map_err(internal);
    }
    filter_record_batch(&batch, &BooleanArray::from(keep)).map_err(internal)
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Field, Int64Type, TimeUnit};
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    use super::*;

    fn schema() -> Schema {
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let point = DataType::Struct(
            vec![
                Field::new("x", DataType::Int32, true),
                Field::new("y", DataType::Float64, true),
            ]
            .into(),
        );
        Schema::new(vec![
            Field::new("id", DataType::Int64, true),
            Field::new("name", DataType::Utf8, true),
            Field::new("ts", timestamp, true),
            Field::new("tags", DataType::new_list(DataType::Int32, true), true),
            Field::new("point", point, true),
            Field::new("_corrupt_record", DataType::Utf8, true),
        ])
    }

    fn decoder(mode: ParseMode, projection: &[usize]) -> JsonDecoder {
        let options = JsonOptions {
            mode,
            ..JsonOptions::default()
        };
        JsonDecoder::new(&options, &schema(), projection, 10).unwrap()
    }

    /// One line per row, columns separated by `|`.
    fn show(batch: &RecordBatch) -> Vec<String> {
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        let row = |row| {
            let values = columns.iter().map(|column| column.value(row).to_string());
            values.collect::<Vec<_>>().join("|")
        };
        (0..batch.num_rows()).map(row).collect()
    }

    fn permissive(line: &str) -> Vec<String> {
        let mut decoder = decoder(ParseMode::Permissive, &[0, 1, 2, 3, 4, 5]);
        decoder.decode_line(line.as_bytes()).unwrap();
        decoder
            .flush()
            .unwrap()
            .map(|batch| show(&batch))
            .unwrap_or_default()
    }

    #[test]
    fn values_that_fit() {
        let line = r#"{"ts":"2024-01-01T12:00:00Z","tags":[1,null],"id":7,"point":{"y":1,"x":2},"more":{"a":[1]},"name":"ü\n"}"#;
        assert_eq!(
            permissive(line),
            ["7|ü\n|2024-01-01T12:00:00Z|[1, NULL]|{x: 2, y: 1.0}|NULL"]
        );
        assert_eq!(permissive("{}"), ["NULL|NULL|NULL|NULL|NULL|NULL"]);
        assert!(permissive(" \t").is_empty() && permissive("[]").is_empty());
        assert_eq!(permissive(r#"[{"id":1},{"id":2}] "#).len(), 2);
        // Spark reads no further than the end of the record.
        assert_eq!(permissive(r#"{"id":1} x"#), ["1|NULL|NULL|NULL|NULL|NULL"]);
        assert_eq!(
            permissive(r#"{"id":1,"point":{"x":1,"x":2},"id":3}"#),
            ["3|NULL|NULL|NULL|{x: 2, y: NULL}|NULL"]
        );
    }

    #[test]
    fn a_string_takes_any_value_as_it_is_written() {
        for (value, expected) in [
            ("1.50", "1.50"),
            ("true", "true"),
            ("[1, 2]", "[1, 2]"),
            (r#"{"a" :1}"#, r#"{"a" :1}"#),
            ("null", "NULL"),
        ] {
            let row = permissive(&format!(r#"{{"name":{value}}}"#));
            assert_eq!(row, [format!("NULL|{expected}|NULL|NULL|NULL|NULL")]);
        }
    }

    #[test]
    fn a_wrong_type_is_null_and_the_rest_is_kept() {
        for value in [
            "\"5\"",
            "2.5",
            "9223372036854775808",
            "true",
            "[1]",
            "{}",
            "\"\"",
            "NaN",
        ] {
            let line = format!(r#"{{"name":"a","id":{value},"tags":[3]}}"#);
            assert_eq!(
                permissive(&line),
                [format!("NULL|a|NULL|[3]|NULL|{line}")],
                "{value}"
            );
        }
        let line = r#"{"id":1,"tags":[1,"x",3],"point":{"x":99999999999,"y":"NaN"},"ts":1}"#;
        assert_eq!(
            permissive(line),
            [format!(
                "1|NULL|1970-01-01T00:00:01Z|NULL|{{x: NULL, y: NaN}}|{line}"
            )]
        );
    }

    #[test]
    fn a_record_that_breaks_off_leaves_nothing_behind() {
        for line in [
            r#"{"id":1,"name":"a"#,
            r#"{"id":1,"tags":[1,2"#,
            r#"{"point":{"x":1,,}}"#,
            r#"{"id":01}"#,
            "oops",
            "5",
            "null",
            r#"[{"id":1},2]"#,
            r#"{"id":1,"point":{"y":1}"#,
        ] {
            let expected = [format!("NULL|NULL|NULL|NULL|NULL|{line}")];
            assert_eq!(permissive(line), expected, "{line}");
        }
        let mut decoder = decoder(ParseMode::Permissive, &[0, 3, 4]);
        for line in [
            r#"{"id":1,"tags":[1]}"#,
            r#"{"id":2,"tags":[2,"#,
            r#"{"point":{"x":3}}"#,
        ] {
            decoder.decode_line(line.as_bytes()).unwrap();
        }
        let batch = decoder.flush().unwrap().unwrap();
        assert_eq!(
            show(&batch),
            ["1|[1]|NULL", "NULL|NULL|NULL", "NULL|NULL|{x: 3, y: NULL}"]
        );
        assert_eq!(decoder.num_corrupt_records(), 1);
        assert!(decoder.flush().unwrap().is_none());
    }

    #[test]
    fn modes_drop_or_refuse() {
        let mut dropping = decoder(ParseMode::DropMalformed, &[0]);
        for line in [r#"{"id":1}"#, "oops", r#"{"id":"x"}"#, r#"{"id":4}"#] {
            dropping.decode_line(line.as_bytes()).unwrap();
        }
        let batch = dropping.flush().unwrap().unwrap();
        assert_eq!(
            batch.column(0).as_primitive::<Int64Type>().values(),
            &[1, 4]
        );
        assert_eq!(dropping.num_corrupt_records(), 2);

        let mut failing = decoder(ParseMode::FailFast, &[0]);
        let error = failing.decode_line(br#"{"id":"x"}"#).unwrap_err();
        assert_eq!(
            error.condition(),
            Some("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION")
        );
        assert!(error.message().contains(r#"'{"id":"x"}'"#), "{error}");
    }

    #[test]
    fn only_what_is_asked_for_is_checked() {
        let line = br#"{"id":"x","name":"a"}"#;
        let mut name = decoder(ParseMode::FailFast, &[1]);
        name.decode_line(line).unwrap();
        let mut nothing = decoder(ParseMode::DropMalformed, &[]);
        nothing.decode_line(line).unwrap();
        nothing.decode_line(b"oops").unwrap();
        assert_eq!(nothing.flush().unwrap().unwrap().num_rows(), 1);
        let mut text = decoder(ParseMode::Permissive, &[5, 1]);
        text.decode_line(line).unwrap();
        let rows = show(&text.flush().unwrap().unwrap());
        assert_eq!(rows, [r#"{"id":"x","name":"a"}|a"#]);
    }
}
