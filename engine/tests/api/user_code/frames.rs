//! What frames of user code ask of a session, and batch writes.

use std::fs;
use std::path::Path;

use arrow::datatypes::DataType;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::join::JoinType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_operation::{SaveMode, SaveType};
use tidebook_engine::connect::proto::{Join, Range, WriteOperation};
use tidebook_engine::{Error, Session, SqlKind};

use super::support::{Feed, Start, execute, lines, relation, select, soon, sql, table, try_select};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_become_a_view_for_as_long_as_they_are_wanted() {
    let session = Session::new().unwrap();
    let rows = try_select(
        &session,
        "SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t(n, s)",
    );
    let rows = rows.await.unwrap();
    session.create_rows_view("batch_0", rows.clone()).unwrap();
    session.create_rows_view("batch_0", rows).unwrap();
    let query = "SELECT s FROM batch_0 WHERE n > 1";
    assert_eq!(select(&session, query).await, ["b"]);
    assert!(!session.is_streaming(&table("batch_0")).await.unwrap());
    let empty = try_select(&session, "SELECT 1 AS n WHERE false")
        .await
        .unwrap();
    session.create_rows_view("empty", empty).unwrap();
    assert!(select(&session, "SELECT * FROM empty").await.is_empty());
    session.drop_view("batch_0").unwrap();
    let error = try_select(&session, query).await.unwrap_err();
    assert_eq!(error.condition(), Some("TABLE_OR_VIEW_NOT_FOUND"));
    assert!(session.drop_view("batch_0").is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_answers_about_statements_plans_and_settings() {
    let session = Session::new().unwrap();
    let _feed = Feed::new(&session, "events");
    let kind = |text| session.sql_kind(text).unwrap();
    assert_eq!(kind("SELECT * FROM nowhere"), SqlKind::Query);
    assert_eq!(kind("WITH t AS (SELECT 1) SELECT * FROM t"), SqlKind::Query);
    assert_eq!(
        kind("CREATE TEMPORARY VIEW v AS SELECT 1"),
        SqlKind::Command
    );
    assert_eq!(kind("SHOW VIEWS"), SqlKind::Command);
    assert!(session.sql_kind("SELEC 1").is_err());
    assert!(session.views().iter().all(|view| view.name != "v"));

    assert!(session.is_streaming(&table("events")).await.unwrap());
    let plan = session
        .explain(&sql("SELECT count(*) FROM events"))
        .await
        .unwrap();
    assert!(plan.contains("StateStoreSaveExec"), "{plan}");
    let plan = session.explain(&sql("SELECT 1 + 1 AS two")).await.unwrap();
    assert!(
        plan.contains("== Physical Plan ==\nProjectionExec: expr=[2 as two]"),
        "{plan}"
    );

    let policy = "spark.sql.streaming.multipleWatermarkPolicy";
    assert_eq!(session.conf(policy).as_deref(), Some("min"));
    session.set_conf(policy, "max").unwrap();
    assert_eq!(session.conf(policy).as_deref(), Some("max"));
    assert_eq!(session.conf("spark.no.such"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_is_joined_with_itself() {
    let session = Session::new().unwrap();
    let feed = Feed::new(&session, "events");
    feed.add(&[(1, "a", 0)]);
    let with_itself = |name: &str| {
        relation(RelType::Join(Box::new(Join {
            left: Some(Box::new(table(name))),
            right: Some(Box::new(table(name))),
            join_type: JoinType::Inner.into(),
            using_columns: vec!["n".into()],
            ..Default::default()
        })))
    };
    let rows = try_select(
        &session,
        "SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t(n, s)",
    );
    session
        .create_rows_view("names", rows.await.unwrap())
        .unwrap();
    let rows = session.collect(&with_itself("names")).await.unwrap();
    let mut joined = lines(&rows);
    joined.sort();
    assert_eq!(joined, ["1 a a", "2 b b"]);

    let plan = session.explain(&with_itself("events")).await.unwrap();
    let join = "StreamingSymmetricHashJoinExec: Inner, state cleanup [ left never, right never ]";
    assert!(plan.contains(join), "{plan}");
    let start = Start::new("joined", with_itself("events"), "append");
    let (query, rows) = start.run(&session).await.unwrap();
    soon(query.process_all_available()).await.unwrap();
    assert_eq!(rows.take().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_is_a_column_of_ids() {
    let session = Session::new().unwrap();
    for (query, wanted) in [
        ("SELECT id FROM range(3)", vec!["0", "1", "2"]),
        ("SELECT t.ID FROM RANGE(2, 8, 3) AS t", vec!["2", "5"]),
        ("SELECT n FROM range(5, 1, -2) AS t(n)", vec!["5", "3"]),
        ("SELECT * FROM range(3, 1)", vec![]),
    ] {
        assert_eq!(select(&session, query).await, wanted, "{query}");
    }
    let range = |start, end, step| {
        relation(RelType::Range(Range {
            start: Some(start),
            end,
            step,
            num_partitions: None,
        }))
    };
    let rows = session.collect(&range(-1, 3, 2)).await.unwrap();
    assert_eq!(lines(&rows), ["-1", "1"]);
    assert_eq!(rows.schema.field(0).name(), "id");
    let error = session.collect(&range(0, 3, 0)).await.unwrap_err();
    assert!(error.message().contains("step"), "{error}");
}

async fn write(
    session: &Session,
    query: &str,
    format: Option<&str>,
    path: &Path,
    mode: SaveMode,
) -> Result<(), Error> {
    let write = WriteOperation {
        input: Some(sql(query)),
        source: format.map(str::to_string),
        save_type: Some(SaveType::Path(path.display().to_string())),
        mode: mode.into(),
        ..Default::default()
    };
    let written = execute(session, CommandType::WriteOperation(write)).await;
    written.map(drop)
}

async fn read(session: &Session, format: &str, path: &Path) -> Vec<String> {
    let view = format!(
        "CREATE OR REPLACE TEMPORARY VIEW written USING {format} OPTIONS (path '{}')",
        path.display()
    );
    session.sql(&view).await.unwrap();
    select(session, "SELECT n, s FROM written ORDER BY n").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_written_in_every_format_and_mode() {
    let session = Session::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    for format in ["parquet", "json"] {
        let path = directory.path().join(format);
        let run = async |query: &str, mode| write(&session, query, Some(format), &path, mode).await;
        run("SELECT 1 AS n, 'a' AS s", SaveMode::ErrorIfExists)
            .await
            .unwrap();
        assert_eq!(read(&session, format, &path).await, ["1 a"]);
        let error = run("SELECT 2 AS n, 'b' AS s", SaveMode::Unspecified)
            .await
            .unwrap_err();
        assert_eq!(error.condition(), Some("PATH_ALREADY_EXISTS"));
        run("SELECT 2 AS n, 'b' AS s", SaveMode::Ignore)
            .await
            .unwrap();
        assert_eq!(read(&session, format, &path).await, ["1 a"]);
        run("SELECT 2 AS n, 'b' AS s", SaveMode::Append)
            .await
            .unwrap();
        assert_eq!(read(&session, format, &path).await, ["1 a", "2 b"]);
        // The query reads what it overwrites.
        run("SELECT n + 10 AS n, s FROM written", SaveMode::Overwrite)
            .await
            .unwrap();
        assert_eq!(read(&session, format, &path).await, ["11 a", "12 b"]);
        let error = run(
            "SELECT CAST('x' AS INT) AS n, s FROM written",
            SaveMode::Overwrite,
        )
        .await;
        assert_eq!(error.unwrap_err().condition(), Some("CAST_INVALID_INPUT"));
        assert_eq!(read(&session, format, &path).await, ["11 a", "12 b"]);
        let files = fs::read_dir(&path)
            .unwrap()
            .map(|file| file.unwrap().file_name());
        let hidden = files.filter(|name| name.to_string_lossy().starts_with('_'));
        assert_eq!(hidden.collect::<Vec<_>>(), ["_SUCCESS"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_cannot_be_is_refused_and_leaves_nothing() {
    let session = Session::new().unwrap();
    let _feed = Feed::new(&session, "events");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let run = async |query: &str, format: &str| {
        let written = write(&session, query, Some(format), &path, SaveMode::Append).await;
        written.unwrap_err()
    };
    let error = run("SELECT * FROM events", "json").await;
    assert!(error.message().contains("is a stream"), "{error}");
    let error = run("SELECT 1 AS n", "memory").await;
    assert!(
        error.message().contains("cannot be written to 'memory'"),
        "{error}"
    );
    let error = run("SELECT array(1) AS a", "csv").await;
    assert_eq!(
        error.condition(),
        Some("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE")
    );
    run(
        "SELECT CAST(s AS INT) AS n FROM VALUES ('x') AS t(s)",
        "json",
    )
    .await;
    assert!(!path.exists());

    write(
        &session,
        "SELECT 1 AS n WHERE false",
        None,
        &path,
        SaveMode::Append,
    )
    .await
    .unwrap();
    let view = format!(
        "CREATE TEMPORARY VIEW empty USING parquet OPTIONS (path '{}')",
        path.display()
    );
    session.sql(&view).await.unwrap();
    let rows = try_select(&session, "SELECT * FROM empty").await.unwrap();
    assert_eq!(lines(&rows), Vec::<String>::new());
    assert_eq!(rows.schema.field(0).data_type(), &DataType::Int32);
}
