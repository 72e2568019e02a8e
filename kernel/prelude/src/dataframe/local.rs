//! Data frames of rows that the cell has: a list of `VALUES` in SQL, which keeps their order.

use super::DataFrame;
use crate::error::{Error, Result};
use crate::plan::relation::Relation;
use crate::row::{Row, Value};
use crate::types::{DataType, StructField};

impl DataFrame {
    /// The data frame of these rows; their values are cast to the types of the schema.
    pub(crate) fn local(rows: &[Row], schema: &DataType) -> Result<Self> {
        let fields = schema.fields();
        if fields.is_empty() {
            return Err(
                Error::new("a data frame needs a schema with at least one column")
                    .with_hint("DataType::from_ddl(\"user STRING, amount DOUBLE\")?"),
            );
        }
        if let Some(row) = rows.iter().find(|row| row.len() != fields.len()) {
            let (values, columns) = (row.len(), fields.len());
            return Err(Error::new(format!(
                "row {row} has {values} values for {columns} columns"
            )));
        }
        let names: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let relation = Relation::sql(&query(rows, fields)).to_df(&names);
        Ok(Self::new(relation, false))
    }
}

fn query(rows: &[Row], fields: &[StructField]) -> String {
    let line = |values: &[Value]| {
        let cells = values
            .iter()
            .zip(fields)
            .map(|(value, field)| cell(value, &field.data_type));
        format!("({})", cells.collect::<Vec<_>>().join(", "))
    };
    let values = |lines: &[String]| format!("SELECT * FROM (VALUES {}) AS rows", lines.join(", "));
    match rows {
        [] => values(&[line(&vec![Value::Null; fields.len()])]) + " WHERE false",
        rows => values(
            &rows
                .iter()
                .map(|row| line(row.values()))
                .collect::<Vec<_>>(),
        ),
    }
}

/// A value of a type, as SQL.
fn cell(value: &Value, data_type: &DataType) -> String {
    let element = |value: &Value| match data_type {
        DataType::Array { element_type, .. } => cell(value, element_type),
        DataType::Map { value_type, .. } => cell(value, value_type),
        _ => cell(value, &DataType::Null),
    };
    let call = |name: &str, arguments: Vec<String>| format!("{name}({})", arguments.join(", "));
    match value {
        Value::Null => format!("CAST(NULL AS {data_type})"),
        Value::String(text) if *data_type == plain() => quoted(text),
        Value::Binary(bytes) => hexadecimal(bytes),
        Value::Timestamp(micros) => typed(&crate::Timestamp(*micros).to_string(), data_type),
        Value::Float(number) => typed(&number.to_string().replace("inf", "Infinity"), data_type),
        Value::Double(number) => typed(&number.to_string().replace("inf", "Infinity"), data_type),
        Value::List(items) => call("array", items.iter().map(element).collect()),
        Value::Map(map) => {
            let pairs = map
                .iter()
                .flat_map(|(key, value)| [quoted(key), element(value)]);
            call("map", pairs.collect())
        }
        Value::Struct(fields) => {
            let types = data_type.fields().iter().map(|field| &field.data_type);
            let pairs = fields
                .iter()
                .zip(types)
                .flat_map(|((name, value), data_type)| [quoted(name), cell(value, data_type)]);
            call("named_struct", pairs.collect())
        }
        other => typed(&other.to_string(), data_type),
    }
}

fn plain() -> DataType {
    DataType::String {
        collation: String::new(),
    }
}

fn typed(text: &str, data_type: &DataType) -> String {
    format!("CAST({} AS {data_type})", quoted(text))
}

/// A text. Dialects differ in what escapes a quote, but not in hexadecimal digits.
fn quoted(text: &str) -> String {
    match text.contains(['\'', '\\']) {
        true => format!("CAST({} AS STRING)", hexadecimal(text.as_bytes())),
        false => format!("'{text}'"),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("X'{}'", digits.concat())
}

#[cfg(test)]
mod tests {
    use super::query;
    use crate::row::{Row, Value};
    use crate::types::DataType;

    fn check(ddl: &str, rows: Vec<Vec<Value>>, expected: &str) {
        let schema = DataType::from_ddl(ddl).unwrap();
        let names = schema.field_names().unwrap();
        let rows: Vec<Row> = rows
            .into_iter()
            .map(|row| Row::new(names.clone(), row))
            .collect();
        assert_eq!(query(&rows, schema.fields()), expected);
    }

    #[test]
    fn rows_are_values_of_sql() {
        let text = |text: &str| Value::String(text.to_string());
        check(
            "a BIGINT, b STRING",
            vec![
                vec![Value::Long(1), text("x")],
                vec![Value::Null, text("it's")],
            ],
            "SELECT * FROM (VALUES (CAST('1' AS bigint), 'x'), \
             (CAST(NULL AS bigint), CAST(X'69742773' AS STRING))) AS rows",
        );
        check(
            "l ARRAY<INT>, s STRUCT<d: DOUBLE>, t TIMESTAMP",
            vec![vec![
                Value::List(vec![Value::Integer(1)]),
                Value::Struct(vec![("d".to_string(), Value::Double(f64::NEG_INFINITY))]),
                Value::Timestamp(500_000),
            ]],
            "SELECT * FROM (VALUES (array(CAST('1' AS int)), \
             named_struct('d', CAST('-Infinity' AS double)), \
             CAST('1970-01-01T00:00:00.5Z' AS timestamp))) AS rows",
        );
        check(
            "a INT",
            Vec::new(),
            "SELECT * FROM (VALUES (CAST(NULL AS int))) AS rows WHERE false",
        );
    }
}
