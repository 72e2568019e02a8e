//! Cells that are written in another language than Rust: told apart before a compiler is asked, which
//! would take seconds to say less.

use super::pyspark;
use crate::error::CellError;

/// What SQL statements begin with.
const STATEMENTS: [&str; 9] = [
    "SELECT", "WITH", "CREATE", "SHOW", "DESCRIBE", "EXPLAIN", "VALUES", "DROP", "INSERT",
];

/// What can follow a name in Rust, but no first word of SQL.
const OPERATORS: [char; 14] = [
    '=', '.', '(', ';', '+', '-', '/', ':', '!', '&', '|', '<', '>', '?',
];

/// The error of a cell that is certainly no Rust; `defines` says whether a variable or an item has a
/// name.
pub(crate) fn recognise(code: &str, defines: impl Fn(&str) -> bool) -> Option<CellError> {
    let plain = without_texts(code);
    let lines = || {
        let lines = plain.lines().map(str::trim);
        lines.filter(|line| !line.is_empty())
    };
    let first = lines().next()?;
    if let Some(error) = pyspark::recognise(first, &plain) {
        return Some(error);
    }
    if is_python(first, &plain, &defines) {
        return Some(python());
    }
    if is_sql(code) {
        let error = CellError::usage("this looks like SQL; a cell without a magic is Rust");
        return Some(error.hint("put %%sql (or %%stream NAME) on the first line"));
    }
    let name = assigned(first).filter(|name| !defines(name))?;
    let error = CellError::usage(format!("there is no variable '{name}' to assign to"));
    Some(error.hint(format!(
        "in Rust a new one begins with let: let {name} = …; (a cell without a magic is Rust)"
    )))
}

fn python() -> CellError {
    CellError::usage("this looks like Python; a cell without a magic is Rust").hint(
        "put %%pyspark on the first line. In SQL, a stream is %%source NAME and %%stream NAME; in \
         Rust, spark.read_stream() and write_stream()",
    )
}

fn is_python(first: &str, plain: &str, defines: impl Fn(&str) -> bool) -> bool {
    let word = first.split_whitespace().next().unwrap_or_default();
    match word {
        "from" => first.contains(" import "),
        "import" | "@udf" => true,
        "lambda" => first.contains(':'),
        "def" | "class" | "for" | "if" | "while" | "with" | "try:" => first.ends_with(':'),
        _ if word.starts_with('#') => !word.starts_with("#[") && !word.starts_with("#!["),
        _ if first.contains("=True") || first.contains("=False") => true,
        _ => is_long_char(plain) || first.starts_with("print(") && !defines("print"),
    }
}

/// Whether an argument stands in single quotes as a text does in Python: `['name']`, `('a', 'b')`.
fn is_long_char(code: &str) -> bool {
    let mut parts = code.split('\'');
    let mut before = parts.next().unwrap_or_default();
    for part in parts {
        let opens = before.ends_with(['(', '[', '=']);
        let is_text = part.chars().count() > 1 && !part.starts_with('\\');
        if opens
            && is_text
            && part
                .chars()
                .all(|c| c.is_alphanumeric() || "_ -./:".contains(c))
        {
            return true;
        }
        before = part;
    }
    false
}

/// The name that a line assigns to, without declaring it.
fn assigned(line: &str) -> Option<&str> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && name != "_" && !value.starts_with(['=', '>'])).then_some(name)
}

/// The code with nothing between double quotes, and without comments.
fn without_texts(code: &str) -> String {
    let mut plain = String::with_capacity(code.len());
    let (mut quoted, mut escaped, mut commented) = (false, false, false);
    let mut before = ' ';
    for c in code.chars() {
        commented &= c != '\n';
        // A quote may be a character: '"'.
        let ends = c == '"' && !escaped && !commented && (quoted || before != '\'');
        if !commented && (!quoted || ends || c == '\n') {
            plain.push(c);
        }
        escaped = quoted && c == '\\' && !escaped;
        quoted ^= ends;
        if !quoted && !commented && c == '/' && before == '/' {
            plain.truncate(plain.len().saturating_sub(2));
            commented = true;
        }
        before = c;
    }
    plain
}

fn is_sql(code: &str) -> bool {
    let mut words = code.split_whitespace();
    let first = words.next().unwrap_or_default();
    let Some(second) = words.next() else {
        return false;
    };
    let is_statement = STATEMENTS.contains(&first.to_uppercase().as_str());
    let shouted = first.chars().all(|c| c.is_ascii_uppercase());
    // Two names in a row are no Rust.
    let is_named = second.starts_with(|c: char| c.is_alphabetic() || c == '*' || c == '`');
    is_statement && !second.starts_with(OPERATORS) && (shouted || is_named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str) -> Option<String> {
        recognise(code, |_| false).map(|error| error.evalue)
    }

    fn hint(code: &str) -> String {
        let error = recognise(code, |_| false);
        error.and_then(|error| error.hint).unwrap_or_default()
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
            "df.filter(col(\"status\") == \"active\").withColumn(\"at\", current_timestamp())",
            "aggregated_df = streaming_df.groupBy(\"category\").agg(count(\"*\").alias(\"count\"))",
            "df.withWatermark(\"timestamp\", \"1 hour\").dropDuplicates([\"user_id\", \"event_id\"])",
            "query.lastProgress['inputRowsPerSecond']",
            "query.awaitTermination()",
            "df.writeStream.trigger(processingTime='10 seconds')",
            "q.trigger(once=True)",
            "names = ['a b', 'c']",
            "lambda x: x + 1",
        ] {
            assert!(
                said(python).is_some_and(|text| text.contains("Python")),
                "{python}"
            );
        }
        assert!(
            said("val df = spark.readStream.load()").is_some_and(|text| text.contains("Scala"))
        );
        for sql in [
            "SELECT 1",
            "select a, b from t",
            "select * from t",
            "SHOW FUNCTIONS",
            "show tables",
            "insert into t values (1)",
            "explain select 1",
            "WITH a AS (SELECT 1) SELECT *",
        ] {
            assert!(said(sql).is_some_and(|text| text.contains("SQL")), "{sql}");
        }
        for rust in [
            "let df = spark.read_stream().format(\"json\");",
            "#[derive(Debug)]\nstruct A;",
            "#![allow(unused)]\nlet x = 1;",
            "// from x import y\nlet x = 1;",
            "println!(\"spark.readStream, '{}'\", 'c');",
            "println!(\"\\\".groupBy(\");",
            "let x = 1; // as .groupBy(…) and spark.readStream",
            "let quote = '\"'; let text = \".groupBy(\";",
            "spark.sql(\"SELECT * FROM t WHERE a IN ('ab', 'cd')\")?",
            "let progress = event.lastProgressAt;",
            "drop(x);",
            "select(x)",
            "show",
            "x",
            "_ = 1;",
            "lambda",
            "let nothing: Option<i32>=None;",
            "x == 5",
            "x => 5",
            "fn longer<'a, 'b>(x: &'a str, y: &'b str) -> &'a str { x }",
            "['a', 'b'].map(|c| ('\\n', '\\u{1F600}', c))",
            "for i in 0..3 { println!(\"{i}\"); }",
            "if true { 1 } else { 2 }",
            ":dep serde",
        ] {
            assert_eq!(said(rust), None, "{rust}");
        }
        assert!(recognise("print(5)", |name| name == "print").is_none());
    }

    #[test]
    fn a_name_of_pyspark_is_told_what_it_is_here() {
        assert!(hint("df.groupBy(\"a\").count()").contains("groupBy is GROUP BY …"));
        assert!(
            hint("query.awaitTermination()")
                .contains("%await NAME, in Rust .await_termination(None)?")
        );
        assert!(
            hint("spark = SparkSession.builder.getOrCreate()").contains("the session is there")
        );
    }

    #[test]
    fn a_new_variable_begins_with_let() {
        assert_eq!(
            said("x = 5").as_deref(),
            Some("there is no variable 'x' to assign to")
        );
        assert!(hint("x = 5").contains("let x = …"));
        assert!(recognise("x = 5", |name| name == "x").is_none());
    }
}
