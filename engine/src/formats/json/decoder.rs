//! Lines into record batches; a record that breaks off in the middle leaves nothing behind.

use arrow::array::RecordBatch;
use arrow::datatypes::{Fields, Schema};

use super::column::Fit;
use super::object::{Object, Reject};
use super::options::JsonOptions;
use super::parser::{Leniency, Parser};
use crate::error::Result;
use crate::formats::line_format::LineDecoder;
use crate::formats::records::{Records, column_at, unfinished};

/// Fills batches from lines of JSON.
#[derive(Debug)]
pub(crate) struct JsonDecoder {
    leniency: Leniency,
    records: Records,
    /// The columns that are read from the text.
    columns: Object,
}

impl JsonDecoder {
    /// A decoder of `schema` that gives the columns `projection`, in that order. `rows` is how many
    /// a batch will have, about. Only the columns in the projection are checked.
    pub(crate) fn new(
        options: &JsonOptions,
        schema: &Schema,
        projection: &[usize],
        rows: usize,
    ) -> Result<Self> {
        let column = &options.corrupt_record_column;
        let records = Records::new(options.mode, schema, projection, column)?;
        let read = records.read().iter();
        let fields = read.map(|index| column_at(schema, *index).cloned());
        let fields = fields.collect::<Result<Fields>>()?;
        Ok(Self {
            leniency: options.leniency,
            columns: Object::new(&fields, &options.times, rows)?,
            records,
        })
    }

    /// Rows read since the last flush.
    pub(crate) fn num_rows(&self) -> usize {
        self.columns.len()
    }

    /// How many records did not fit, so far.
    pub(crate) fn num_corrupt_records(&self) -> u64 {
        self.records.num_corrupt()
    }

    /// Reads one line. Fails in FAILFAST mode, with an error that shows the line but does not
    /// know where it stands.
    pub(crate) fn decode_line(&mut self, line: &[u8]) -> Result<()> {
        match str::from_utf8(line) {
            Ok(text) => self.decode_text(text),
            Err(_) => self.malformed(line, "it is not UTF-8"),
        }
    }

    /// The same for a line that is known to be text.
    pub(crate) fn decode_text(&mut self, text: &str) -> Result<()> {
        let line = text.as_bytes();
        let mut first_row = self.columns.len();
        let mut outcome = self.read_records(&mut Parser::new(text, self.leniency));
        if let Err(Reject::DuplicateName) = outcome {
            self.roll_back(first_row);
            first_row = self.columns.len();
            let mut json = Parser::new(text, self.leniency).with_duplicates();
            outcome = self.read_records(&mut json);
        }
        let why = match outcome {
            Ok(Fit::Whole) => return Ok(()),
            Ok(_) => {
                let rows = first_row..self.columns.len();
                let why = "a value does not have the type of its column";
                return self.records.corrupt(rows, line, why);
            }
            Err(Reject::Failed(error)) => return Err(error),
            Err(Reject::Syntax(error)) => error.0,
            Err(Reject::NoObject) => "it is not an object",
            Err(Reject::DuplicateName) => "a name comes twice",
        };
        self.roll_back(first_row);
        self.malformed(line, why)
    }

    /// The rows read since the last flush, if any.
    pub(crate) fn flush(&mut self) -> Result<Option<RecordBatch>> {
        let rows = self.columns.len();
        if rows == 0 {
            return Ok(None);
        }
        let (_, columns) = self.columns.finish().map_err(unfinished)?;
        self.records.batch(rows, columns).map(Some)
    }

    fn read_records(&mut self, json: &mut Parser<'_>) -> std::result::Result<Fit, Reject> {
        if json.is_at_end() {
            return Ok(Fit::Whole);
        }
        match json.peek()? {
            b'{' => self.columns.read(json),
            b'[' => {
                let mut fit = Fit::Whole;
                let mut next = json.first_element()?;
                while let Some(first) = next {
                    if first != b'{' {
                        return Err(Reject::NoObject);
                    }
                    fit = fit.max(self.columns.read(json)?);
                    next = json.next_element()?;
                }
                Ok(fit)
            }
            _ => Err(Reject::NoObject),
        }
    }

    /// Takes back the rows of a line that broke off.
    fn roll_back(&mut self, first_row: usize) {
        let reach = self.columns.reach();
        self.columns.settle(reach);
        self.records.discard(first_row..reach);
    }

    /// A line that is no record, and why.
    pub(crate) fn malformed(&mut self, line: &[u8], why: &str) -> Result<()> {
        let row = self.columns.len();
        self.columns.append_nulls();
        self.records.corrupt(row..row + 1, line, why)
    }
}

impl LineDecoder for JsonDecoder {
    fn num_rows(&self) -> usize {
        Self::num_rows(self)
    }

    fn num_corrupt_records(&self) -> u64 {
        Self::num_corrupt_records(self)
    }

    fn decode_line(&mut self, line: &[u8]) -> Result<()> {
        Self::decode_line(self, line)
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>> {
        Self::flush(self)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Field, Int64Type, TimeUnit};
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    use super::*;
    use crate::formats::record_options::ParseMode;

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
            permissive(r#"{"id":1,"point":{"x":1,"x":2},"id":3,"name":1.50}"#),
            ["3|1.50|NULL|NULL|{x: 2, y: NULL}|NULL"]
        );
        // A value that does not fit takes no other's place.
        let line = r#"{"id":1,"point":{"x":2,"x":"a"},"id":"b"}"#;
        assert_eq!(
            permissive(line),
            [format!("1|NULL|NULL|NULL|{{x: 2, y: NULL}}|{line}")]
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
        text.decode_line(b"oops").unwrap();
        let rows = show(&text.flush().unwrap().unwrap());
        assert_eq!(rows, ["NULL|a", "oops|NULL"]);
    }
}
