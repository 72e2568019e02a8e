//! Runs the SQL statements that come in, one JSON text a line, and answers each with a line of JSON:
//! `{"names": […], "types": […], "rows": [[…]]}`, values as texts, or `{"condition": …, "error": …}`.

use std::io::{BufRead, Write};

use serde_json::{Value, json};
use tidebook_engine::{Error, Session, SqlOutput, format_value, is_null, simple_string};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let session = Session::new()?;
    let mut output = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let own = session.clone();
        let ran = tokio::spawn(async move { own.sql(&text).await }).await;
        let answer = match ran {
            Ok(Ok(output)) => rows(&output),
            Ok(Err(error)) => failed(&error),
            Err(panic) => json!({"condition": "PANIC", "error": panic.to_string()}),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn rows(output: &SqlOutput) -> Value {
    let SqlOutput::Rows(rows) = output else {
        return json!({"names": [], "types": [], "rows": []});
    };
    let fields = rows.schema.fields().iter();
    let names: Vec<&str> = fields.clone().map(|field| field.name().as_str()).collect();
    let types: Vec<String> = fields
        .map(|field| simple_string(field.data_type()))
        .collect();
    let values = rows.batches.iter().flat_map(|batch| {
        (0..batch.num_rows()).map(move |row| {
            let values = batch
                .columns()
                .iter()
                .map(|column| (!is_null(column, row)).then(|| format_value(column, row)));
            values.collect::<Vec<_>>()
        })
    });
    json!({"names": names, "types": types, "rows": values.collect::<Vec<_>>()})
}

fn failed(error: &Error) -> Value {
    json!({"condition": error.condition(), "error": error.to_string()})
}
