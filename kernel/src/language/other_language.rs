//! Cells that are written in another language than Rust: told apart before a compiler is asked, which
//! would take seconds to say less.

use crate::error::CellError;

/// What SQL statements begin with.
const STATEMENTS: [&str; 8] = [
    "SELECT", "WITH", "CREATE", "SHOW", "DESCRIBE", "EXPLAIN", "VALUES", "DROP",
];

/// What can follow a name in Rust, but no first word of SQL.
const OPERATORS: [char; 14] = [
    '=', '.', '(', ';', '+', '-', '/', ':', '!', '&', '|', '<', '>', '?',
];

/// The error of a cell that is certainly no Rust; `defines` says whether an item has a name.
pub(crate) fn recognise(code: &str, defines: impl Fn(&str) -> bool) -> Option<CellError> {
    if is_python(code, defines) {
        let error = CellError::usage("this looks like Python; a cell without a magic is Rust");
        return Some(error.hint(
            "for a stream, write %%source NAME and %%stream NAME with SQL below; in Rust, \
             spark.read_stream() and write_stream(). %lsmagic lists the magics",
        ));
    }
    is_sql(code).then(|| {
        CellError::usage("this looks like SQL; a cell without a magic is Rust")
            .hint("put %%sql (or %%stream NAME) on the first line")
    })
}

fn is_python(code: &str, defines: impl Fn(&str) -> bool) -> bool {
    let lines = || {
        let lines = code.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with("//"))
    };
    let spark = [
        ".readStream",
        ".writeStream",
        "spark.read.",
        "spark.sql(f\"",
    ];
    // Of Spark's names these have another form in Rust, where they are calls.
    if lines().any(|line| {
        spark
            .iter()
            .any(|name| line.contains(name) && !line.contains('"'))
    }) {
        return true;
    }
    let Some(first) = lines().next() else {
        return false;
    };
    let mut words = first.split_whitespace();
    let word = words.next().unwrap_or_default();
    let assigned = words.next() == Some("=");
    match word {
        "from" => first.contains(" import "),
        "import" | "@udf" => true,
        "def" | "class" | "for" | "if" | "while" | "with" | "try:" => first.ends_with(':'),
        _ if word.starts_with('#') => !word.starts_with("#[") && !word.starts_with("#!["),
        _ if assigned && lines().any(|line| spark.iter().any(|name| line.contains(name))) => true,
        _ => first.starts_with("print(") && !defines("print"),
    }
}

fn is_sql(code: &str) -> bool {
    let mut words = code.split_whitespace();
    let first = words.next().unwrap_or_default();
    let Some(second) = words.next() else {
        return false;
    };
    let is_statement = STATEMENTS.contains(&first.to_uppercase().as_str());
    let shouted = first.chars().all(|c| c.is_ascii_uppercase());
    let selects = || words.clone().any(|word| word.eq_ignore_ascii_case("from"));
    is_statement && !second.starts_with(OPERATORS) && (shouted || selects())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str) -> Option<String> {
        recognise(code, |_| false).map(|error| error.evalue)
    }

    #[test]
    fn python_and_sql_are_told_from_rust() {
        for python in [
            "streaming_df = spark.readStream.format(\"json\").schema(schema).load()",
            "df = (spark\n  .readStream\n  .format(\"json\"))",
            "from pyspark.sql import SparkSession",
            "import os",
            "# a comment\nx = 1",
            "print('hello')",
            "def on_query_progress(event):\n    print(event)",
            "for row in rows:\n    print(row)",
            "query = processed_df.writeStream.outputMode(\"append\").start()",
        ] {
            assert!(
                said(python).is_some_and(|text| text.contains("Python")),
                "{python}"
            );
        }
        for sql in [
            "SELECT 1",
            "select a, b from t",
            "SHOW FUNCTIONS",
            "WITH a AS (SELECT 1) SELECT *",
        ] {
            assert!(said(sql).is_some_and(|text| text.contains("SQL")), "{sql}");
        }
        for rust in [
            "let df = spark.read_stream().format(\"json\");",
            "#[derive(Debug)]\nstruct A;",
            "#![allow(unused)]\nlet x = 1;",
            "// from x import y\nlet x = 1;",
            "println!(\"spark.readStream\");",
            "drop(x);",
            "show",
            "x",
            "for i in 0..3 { println!(\"{i}\"); }",
            "if true { 1 } else { 2 }",
            ":dep serde",
        ] {
            assert_eq!(said(rust), None, "{rust}");
        }
        assert!(recognise("print(5)", |name| name == "print").is_none());
    }
}
