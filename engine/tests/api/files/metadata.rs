//! `_metadata`, the column of files that says which file a row is of.

use tidebook_engine::connect::proto::expression::{ExprType, ExpressionString};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{Expression, Project, Relation};
use tidebook_engine::{Session, SqlOutput};

use super::support::{Folder, read_all, rows, stream};

/// `input.selectExpr(…)`.
fn select(input: Relation, items: &[&str]) -> Relation {
    let expressions = items.iter().map(|item| Expression {
        common: None,
        expr_type: Some(ExprType::ExpressionString(ExpressionString {
            expression: item.to_string(),
        })),
    });
    Relation {
        common: None,
        rel_type: Some(RelType::Project(Box::new(Project {
            input: Some(Box::new(input)),
            expressions: expressions.collect(),
        }))),
    }
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.add("in/day=1/a b.json", 1, "{\"n\":1}\n{\"n\":2}\n");
    folder.add("in/day=2/c.json", 2, "{\"n\":3}\n");
    folder
}

async fn refused(session: &Session, sql: &str) -> String {
    let error = session.sql(sql).await.map(drop).unwrap_err();
    error.condition().unwrap_or_default().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_files_have_it() {
    let session = Session::new().unwrap();
    let folder = folder();
    let files = format!("json.`{}`", folder.text("in"));
    let found = rows(&session, &format!("SELECT * FROM {files}")).await;
    assert_eq!(found, ["1|1", "2|1", "3|2"], "it is in no star");
    let found = rows(
        &session,
        &format!(
            "SELECT n, day, _metadata.file_name, x._Metadata.FILE_SIZE, _metadata.file_block_start, \
             _metadata.file_block_length, _metadata.file_modification_time FROM {files} AS x \
             WHERE _metadata.file_size > 8"
        ),
    )
    .await;
    let when = "2023-11-14 22:13:21";
    assert_eq!(
        found,
        [
            format!("1|1|a%20b.json|16|0|16|{when}"),
            format!("2|1|a%20b.json|16|0|16|{when}"),
        ]
    );
    let path = format!("file:{}/day=2/c.json", folder.text("in"));
    let found = rows(
        &session,
        &format!("SELECT _metadata.file_path, input_file_name() FROM {files} WHERE n = 3"),
    )
    .await;
    assert_eq!(
        found,
        [format!("{path}|{}", path.replace("file:/", "file:///"))]
    );
    let found = rows(
        &session,
        &format!(
            "SELECT _metadata.file_name AS f, count(*), max(n) FROM {files} \
             GROUP BY _metadata.file_name ORDER BY _metadata.file_name"
        ),
    )
    .await;
    assert_eq!(found, ["a%20b.json|2|2", "c.json|1|3"]);
    let SqlOutput::Rows(all) = session
        .sql(&format!("SELECT _metadata.* FROM {files}"))
        .await
        .unwrap()
    else {
        panic!("no rows")
    };
    let names: Vec<&str> = all
        .schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(
        names,
        [
            "file_path",
            "file_name",
            "file_size",
            "file_block_start",
            "file_block_length",
            "file_modification_time"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_and_other_rows_have_it_not() {
    let session = Session::new().unwrap();
    let folder = folder();
    let files = format!("json.`{}`", folder.text("in"));
    let view = format!(
        "CREATE TEMPORARY VIEW v USING json OPTIONS (path '{}')",
        folder.text("in")
    );
    session.sql(&view).await.unwrap();
    let unresolved = "UNRESOLVED_COLUMN.WITH_SUGGESTION";
    for sql in [
        "SELECT _metadata FROM v".to_string(),
        "SELECT _metadata.file_name FROM VALUES (1) AS t(x)".to_string(),
        format!("WITH c AS (SELECT * FROM {files}) SELECT _metadata.file_name FROM c"),
        format!("SELECT _metadata FROM (SELECT n FROM {files} GROUP BY n)"),
        format!("SELECT _metadata.file_size FROM (SELECT n FROM {files}) AS t"),
    ] {
        assert_eq!(refused(&session, &sql).await, unresolved, "{sql}");
    }
    let two = format!("SELECT input_file_name() FROM {files} AS a JOIN {files} AS b USING (n)");
    let multiple = "MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION";
    assert_eq!(refused(&session, &two).await, multiple);
    let nothing = format!("SELECT _metadata.nothing FROM {files}");
    assert_eq!(refused(&session, &nothing).await, "FIELD_NOT_FOUND");
    let own = format!(
        "SELECT _metadata.file_name FROM (SELECT named_struct('file_name', 'own') AS _metadata FROM {files})"
    );
    assert_eq!(rows(&session, &own).await, ["own", "own", "own"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_all_formats_and_streams_have_it() {
    let session = Session::new().unwrap();
    let folder = folder();
    folder.add("csv/one.csv", 1, "1\n2\n");
    folder.add("text/one.txt", 1, "a\n");
    let found = rows(
        &session,
        &format!(
            "SELECT _c0, _metadata.file_name FROM csv.`{}`",
            folder.text("csv")
        ),
    )
    .await;
    assert_eq!(found, ["1|one.csv", "2|one.csv"]);
    let found = rows(
        &session,
        &format!(
            "SELECT value, _metadata.file_name FROM text.`{}`",
            folder.text("text")
        ),
    )
    .await;
    assert_eq!(found, ["a|one.txt"]);
    let out = folder.text("parquet");
    super::support::write(
        &session,
        "SELECT 1 AS n",
        "parquet",
        &out,
        tidebook_engine::connect::proto::write_operation::SaveMode::Append,
        &[],
        &[],
    )
    .await
    .unwrap();
    let found = rows(
        &session,
        &format!(
            "SELECT n, _metadata.file_name LIKE 'part-%.parquet', _metadata.file_size > 0 FROM parquet.`{out}`"
        ),
    )
    .await;
    assert_eq!(found, ["1|true|true"]);
    let input = stream("json", "n INT", &folder.text("in"), &[]);
    let found = read_all(
        &session,
        select(
            input.clone(),
            &[
                "n",
                "day",
                "_metadata.file_name AS f",
                "_metadata.file_size AS s",
            ],
        ),
    )
    .await
    .unwrap();
    assert_eq!(
        found,
        ["1|1|a%20b.json|16", "2|1|a%20b.json|16", "3|2|c.json|8"]
    );
    let found = read_all(&session, input).await.unwrap();
    assert_eq!(found, ["1|1", "2|1", "3|2"]);
}
