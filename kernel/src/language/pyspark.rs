//! Names of PySpark, of which none is a name of Rust, and what each is here.

use crate::error::CellError;

/// A name, what it is in a cell of magics, and what in Rust.
const NAMES: [(&str, &str, &str); 20] = [
    (".writeStream", "%%stream NAME", ".write_stream()"),
    (".readStream", "%%source NAME", "spark.read_stream()"),
    (
        ".withWatermark(",
        "--watermark \"COLUMN DELAY\" behind %%source NAME",
        ".with_watermark(…)",
    ),
    (
        ".dropDuplicates(",
        "SELECT DISTINCT … under %%stream NAME",
        ".drop_duplicates([…])",
    ),
    (
        ".dropDuplicatesWithinWatermark(",
        "nothing",
        ".drop_duplicates_within_watermark([…])",
    ),
    (
        ".groupBy(",
        "GROUP BY … under %%stream NAME",
        ".group_by([…])",
    ),
    (
        ".withColumn(",
        "SELECT *, … AS name under %%stream NAME",
        ".with_column(…)",
    ),
    (
        ".withColumnRenamed(",
        "SELECT … AS name under %%stream NAME",
        ".with_column_renamed(…)",
    ),
    (
        ".selectExpr(",
        "SELECT … under %%stream NAME",
        ".select_expr([…])",
    ),
    (".orderBy(", "ORDER BY … under %%sql", ".order_by([…])"),
    (
        ".outputMode(",
        "--mode MODE behind %%stream NAME",
        ".output_mode(…)",
    ),
    (".queryName(", "NAME in %%stream NAME", ".query_name(…)"),
    (".foreachBatch(", "nothing", ".foreach_batch(…)"),
    (
        ".awaitTermination(",
        "%await NAME",
        ".await_termination(None)?",
    ),
    (
        ".processAllAvailable(",
        "%process NAME",
        ".process_all_available()?",
    ),
    (".lastProgress", "%progress NAME", ".last_progress()?"),
    (
        ".recentProgress",
        "%progress NAME --recent 5",
        ".recent_progress()?",
    ),
    (
        ".createOrReplaceTempView(",
        "CREATE OR REPLACE TEMPORARY VIEW … under %%sql",
        ".create_or_replace_temp_view(…)?",
    ),
    (".getOrCreate(", "nothing: the session is there", "spark"),
    (".toPandas(", "SELECT … under %%sql", ".collect()?"),
];

/// The error of code, without its texts, that calls something by PySpark's name.
pub(super) fn recognise(first_line: &str, code: &str) -> Option<CellError> {
    let (name, magic, rust) = NAMES.iter().find(|(name, ..)| occurs(name, code))?;
    let scala = matches!(first_line.split_whitespace().next(), Some("val" | "var"));
    let language = if scala { "Scala" } else { "Python" };
    let error = CellError::usage(format!(
        "this looks like {language}; a cell without a magic is Rust"
    ));
    let name = name.trim_matches(['.', '(']);
    let stream = "a stream is written with %%source NAME and %%stream NAME, SQL below";
    let here = match *magic {
        "nothing" => format!("{name} is {rust} in Rust; else {stream}"),
        _ => format!("{name} is {magic}, in Rust {rust}; {stream}. %lsmagic lists the magics"),
    };
    Some(error.hint(match scala {
        true => here,
        false => format!("put %%pyspark on the first line. Without Python, {here}"),
    }))
}

/// Whether a name occurs that is not only the beginning of another one.
fn occurs(name: &str, code: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let after = code
            .get(at + name.len()..)
            .and_then(|rest| rest.chars().next());
        name.ends_with('(') || !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}
