//! Lines into record batches.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, Schema};

use super::fields::Fields;
use super::options::{CsvOptions, CsvSyntax};
use super::values::append_text;
use crate::error::{Error, Result, hint};
use crate::formats::json::column::Column;
use crate::formats::line_format::LineDecoder;
use crate::formats::records::{Records, column_at, unfinished};
use crate::type_names::sql_type;

/// Fills batches from lines of CSV.
#[derive(Debug)]
pub(crate) struct CsvDecoder {
    options: CsvOptions,
    records: Records,
    columns: Vec<CsvColumn>,
    /// How many fields a record has; not looked at unless all columns are read, as in Spark.
    num_fields: Option<usize>,
    /// Fields of the current line.
    fields: Fields,
    rows: usize,
    /// The next line that counts is the header of its file.
    at_header: bool,
    /// What a header must say, if it must.
    header: Option<Vec<String>>,
}

#[derive(Debug)]
struct CsvColumn {
    field: FieldRef,
    /// Where it stands in a line.
    position: usize,
    values: Column,
}

impl CsvDecoder {
    /// A decoder of `schema` that gives the columns `projection`, in that order. `rows` is how many
    /// a batch will have, about.
    pub(crate) fn new(
        options: &CsvOptions,
        schema: &Schema,
        projection: &[usize],
        rows: usize,
    ) -> Result<Self> {
        let corrupt = &options.corrupt_record_column;
        let records = Records::new(options.mode, schema, projection, corrupt)?;
        // The column for corrupt records is no column of the files.
        let in_files = schema
            .fields()
            .iter()
            .filter(|field| field.name() != corrupt);
        let names: Vec<String> = in_files.map(|field| field.name().clone()).collect();
        let num_fields = names.len();
        let corrupt = schema.index_of(corrupt).ok();
        let columns = records.read().iter().map(|index| {
            let field = column_at(schema, *index)?;
            check_type(field)?;
            Ok(CsvColumn {
                field: field.clone(),
                position: index - usize::from(corrupt.is_some_and(|corrupt| corrupt < *index)),
                values: Column::new(field.name(), field.data_type(), &options.times, rows)?,
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            options: options.clone(),
            num_fields: (columns.len() == num_fields).then_some(num_fields),
            records,
            columns,
            fields: Fields::default(),
            rows: 0,
            at_header: false,
            header: (options.header && !options.enforce_schema).then_some(names),
        })
    }

    /// Refuses a header that names other columns.
    fn check_header(&mut self, line: &[u8]) -> Result<()> {
        let Some(expected) = &self.header else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(line);
        self.fields.split(&text, &self.options.syntax);
        let fields = 0..self.fields.len();
        let values = fields.map(|index| self.fields.value(index, &text, &self.options));
        let found: Vec<&str> = values.map(Option::unwrap_or_default).collect();
        let same = |(left, right): (&&str, &String)| left.to_lowercase() == right.to_lowercase();
        if found.len() == expected.len() && found.iter().zip(expected).all(same) {
            return Ok(());
        }
        Err(Error::illegal_argument(format!(
            "the header of a file names other columns than the schema: {}; not {}",
            found.join(", "),
            expected.join(", ")
        ))
        .with_hint([
            hint::say("name the columns in the order of the file, or leave out "),
            hint::option("enforceSchema", "false"),
        ]))
    }

    fn decode_record(&mut self, text: &str, line: &[u8]) -> Result<()> {
        self.fields.split(text, &self.options.syntax);
        let mut wrong = None;
        if let Some(expected) = self.num_fields
            && self.fields.len() != expected
        {
            wrong = Some(format!(
                "it has {} fields, not {expected}",
                self.fields.len()
            ));
        }
        for column in &mut self.columns {
            let value = self.fields.value(column.position, text, &self.options);
            let fits = value
                .is_some_and(|value| append_text(&mut column.values, value, &self.options.floats));
            if !fits {
                column.values.append_null();
            }
            if let Some(value) = value.filter(|_| !fits) {
                wrong.get_or_insert_with(|| misfit(&column.field, value));
            }
        }
        self.rows += 1;
        match wrong {
            None => Ok(()),
            Some(why) => self.records.corrupt(self.rows - 1..self.rows, line, &why),
        }
    }
}

impl LineDecoder for CsvDecoder {
    fn num_rows(&self) -> usize {
        self.rows
    }

    fn num_corrupt_records(&self) -> u64 {
        self.records.num_corrupt()
    }

    fn start_part(&mut self, is_first: bool) {
        self.at_header = is_first && self.options.header;
    }

    fn decode_line(&mut self, line: &[u8]) -> Result<()> {
        if !is_record(line, &self.options.syntax) {
            return Ok(());
        }
        if std::mem::take(&mut self.at_header) {
            return self.check_header(line);
        }
        if self.columns.is_empty() {
            self.rows += 1;
            return Ok(());
        }
        self.decode_record(&String::from_utf8_lossy(line), line)
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>> {
        let rows = std::mem::take(&mut self.rows);
        if rows == 0 {
            return Ok(None);
        }
        let columns = self.columns.iter_mut().map(|column| column.values.finish());
        let columns: std::result::Result<Vec<ArrayRef>, _> = columns.collect();
        self.records
            .batch(rows, columns.map_err(unfinished)?)
            .map(Some)
    }
}

/// Whether a line is neither blank nor a comment.
pub(super) fn is_record(line: &[u8], syntax: &CsvSyntax) -> bool {
    let blank = line.iter().all(|byte| *byte <= b' ');
    let comment = syntax.comment.is_some() && line.first() == syntax.comment.as_ref();
    !blank && !comment
}

fn misfit(field: &FieldRef, value: &str) -> String {
    format!(
        "'{value}' is not a valid {} for column '{}'",
        sql_type(field.data_type()),
        field.name()
    )
}

fn check_type(field: &FieldRef) -> Result<()> {
    match field.data_type() {
        DataType::Struct(_) | DataType::List(_) | DataType::Map(..) => {
            Err(Error::analysis(format!(
                "column '{}' has type {}, which cannot be read from CSV",
                field.name(),
                sql_type(field.data_type())
            ))
            .with_condition("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE")
            .with_hint("declare it as STRING and convert it in the query, or use json"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Field, TimeUnit};
    use arrow::util::display::{ArrayFormatter, FormatOptions};

    use super::*;
    use crate::formats::csv::CSV_OPTIONS;
    use crate::options::{OptionMap, Options};

    fn schema() -> Schema {
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Schema::new(vec![
            Field::new("i", DataType::Int32, true),
            Field::new("_corrupt_record", DataType::Utf8, true),
            Field::new("s", DataType::Utf8, true),
            Field::new("e", DataType::Decimal128(10, 2), true),
            Field::new("t", timestamp, true),
        ])
    }

    fn decoder(given: &[(&str, &str)], projection: &[usize]) -> CsvDecoder {
        let given: OptionMap = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let options = Options::new("test", &given, &CSV_OPTIONS, &[]).unwrap();
        let options = CsvOptions::new(&options).unwrap();
        CsvDecoder::new(&options, &schema(), projection, 10).unwrap()
    }

    /// One line per row, columns separated by `|`.
    fn rows(decoder: &mut CsvDecoder, text: &str) -> Vec<String> {
        decoder.start_part(true);
        for line in text.split('\n') {
            decoder.decode_line(line.as_bytes()).unwrap();
        }
        let Some(batch) = decoder.flush().unwrap() else {
            return Vec::new();
        };
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

    #[test]
    fn what_fits_is_read_and_the_rest_is_counted() {
        let mut decoder = decoder(&[], &[0, 2, 3, 4, 1]);
        let text = "1,a,\"1,000.5\",2024-01-01\n\n  \n+2,,,\nx,b,1_0,12:00:00\n3,c\n4,d,1,,more";
        assert_eq!(
            rows(&mut decoder, text),
            [
                "1|a|1000.50|2024-01-01T00:00:00Z|NULL",
                "2|NULL|NULL|NULL|NULL",
                "NULL|b|NULL|NULL|x,b,1_0,12:00:00",
                "3|c|NULL|NULL|3,c",
                "4|d|1.00|NULL|4,d,1,,more",
            ]
        );
        assert_eq!(decoder.num_corrupt_records(), 3);
    }

    #[test]
    fn only_what_is_asked_for_is_checked() {
        let mut some = decoder(&[("mode", "FAILFAST")], &[2]);
        assert_eq!(
            rows(&mut some, "x,a,y,z\n1\n2,b,3,,more"),
            ["a", "NULL", "b"]
        );
        let mut none = decoder(&[("mode", "DROPMALFORMED")], &[]);
        none.decode_line(b"x").unwrap();
        assert_eq!(none.flush().unwrap().unwrap().num_rows(), 1);
        let mut corrupt = decoder(&[], &[1, 0]);
        assert_eq!(rows(&mut corrupt, "1\nx,"), ["NULL|1", "x,|NULL"]);
    }

    #[test]
    fn headers_and_comments_are_no_records() {
        let given = [
            ("header", "true"),
            ("comment", "#"),
            ("mode", "DROPMALFORMED"),
        ];
        let mut decoder = decoder(&given, &[0, 2, 3, 4]);
        assert_eq!(
            rows(&mut decoder, "\n# x\ni,s,e,t\n1,a,,\n#,,,\nx,,,"),
            ["1|a|NULL|NULL"]
        );
        assert_eq!(rows(&mut decoder, "2,b,,\n3,c,,"), ["3|c|NULL|NULL"]);
        assert_eq!(decoder.num_corrupt_records(), 1);
        // A file without lines has no header, and neither has the middle of a file.
        assert!(rows(&mut decoder, "").is_empty());
        decoder.start_part(false);
        decoder.decode_line(b"4,d,,").unwrap();
        assert_eq!(decoder.num_rows(), 1);
    }

    #[test]
    fn a_refused_record_says_what_is_wrong() {
        for (line, why) in [
            (
                "x,a,,",
                "malformed record 'x,a,,': 'x' is not a valid INT for column 'i'",
            ),
            ("1,a", "malformed record '1,a': it has 2 fields, not 4"),
        ] {
            let mut failing = decoder(&[("mode", "FAILFAST")], &[0, 2, 3, 4]);
            let error = failing.decode_line(line.as_bytes()).unwrap_err();
            assert_eq!(error.message(), why);
        }
        let nested = Schema::new(vec![Field::new_list(
            "l",
            Field::new_list_field(DataType::Int32, true),
            true,
        )]);
        let options = decoder(&[], &[]).options;
        let error = CsvDecoder::new(&options, &nested, &[0], 0).unwrap_err();
        assert!(
            error.message().contains("cannot be read from CSV"),
            "{error}"
        );
    }

    #[test]
    fn times_may_have_patterns() {
        let given = [("timestampFormat", "dd/MM/yyyy-HH:mm")];
        let mut decoder = decoder(&given, &[4]);
        decoder.decode_line(b",,,31/01/2024-12:30").unwrap();
        let batch = decoder.flush().unwrap().unwrap();
        let micros = batch
            .column(0)
            .as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
        assert_eq!(micros.value(0), 1_706_704_200_000_000);
    }
}
