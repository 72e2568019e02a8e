//! What queries write to files.

use tidebook_engine::Session;
use tidebook_engine::connect::proto::write_operation::SaveMode;

use super::support::{Folder, Start, rows, stream, write};

const ROWS: &str =
    "SELECT * FROM VALUES ('a/b', 1), (CAST(NULL AS STRING), 2), ('x', 3) AS t(k, v)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_divided_by_columns_and_read_back() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add(
        "in/a.json",
        0,
        "{\"k\":\"a/b=0 %\",\"v\":1}\n{\"v\":2}\n{\"k\":\"x\",\"v\":3}\n",
    );
    for format in ["parquet", "json", "csv"] {
        let query = Start {
            input: stream("json", "k STRING, v INT", &folder.text("in"), &[]),
            format,
            path: folder.text(format),
            checkpoint: folder.text(&format!("{format}-checkpoint")),
            options: &[],
            partition_by: &["k"],
        };
        query.run(&session).await.unwrap();
        let names = folder.names(format);
        let end = match format {
            "parquet" => ".c000.snappy.parquet".to_string(),
            format => format!(".c000.{format}"),
        };
        assert!(
            names.iter().any(
                |name| name.starts_with("k=__HIVE_DEFAULT_PARTITION__/part-00000-")
                    && name.ends_with(&end)
            ),
            "{names:?}"
        );
        assert!(
            names
                .iter()
                .any(|name| name.starts_with("k=a%2Fb%3D0 %25/")),
            "{names:?}"
        );
        let column = if format == "csv" { "_c0" } else { "v" };
        let sql = format!("SELECT {column}, k FROM {format}.`{}`", folder.text(format));
        assert_eq!(
            rows(&session, &sql).await,
            ["1|a/b=0 %", "2|NULL", "3|x"],
            "{format}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_divided_is_refused() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/a.json", 0, "{\"k\":\"x\",\"v\":1}\n");
    let start = async |format: &str, partition_by: &[&str]| {
        let query = Start {
            input: stream("json", "k STRING, v INT", &folder.text("in"), &[]),
            format,
            path: folder.text("out"),
            checkpoint: folder.text(&format!("checkpoint-{format}")),
            options: &[],
            partition_by,
        };
        query.run(&session).await.unwrap_err()
    };
    assert_eq!(
        start("json", &["zz"]).await.condition(),
        Some("_LEGACY_ERROR_TEMP_1196")
    );
    let all = start("json", &["k", "v"]).await;
    assert_eq!(all.condition(), Some("ALL_PARTITION_COLUMNS_NOT_ALLOWED"));
    let memory = start("memory", &["k"]).await;
    assert!(
        memory.message().contains("does not support partitionBy"),
        "{memory}"
    );
    let text = start("text", &[]).await;
    assert!(text.message().contains("not 2 columns"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batch_queries_and_their_modes() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    let path = folder.text("out");
    let save = async |sql: &str, mode, given: &[(&str, &str)]| {
        write(&session, sql, "json", &path, mode, given, &["k"]).await
    };
    save(ROWS, SaveMode::ErrorIfExists, &[]).await.unwrap();
    let all = format!("SELECT v, k FROM json.`{path}`");
    assert_eq!(rows(&session, &all).await, ["1|a/b", "2|NULL", "3|x"]);
    save("SELECT 'x' AS k, 4 AS v", SaveMode::Append, &[])
        .await
        .unwrap();
    assert_eq!(rows(&session, &all).await.len(), 4);
    let dynamic = [("partitionOverwriteMode", "dynamic")];
    save("SELECT 'x' AS k, 5 AS v", SaveMode::Overwrite, &dynamic)
        .await
        .unwrap();
    assert_eq!(rows(&session, &all).await, ["1|a/b", "2|NULL", "5|x"]);
    save("SELECT 'y' AS k, 6 AS v", SaveMode::Overwrite, &[])
        .await
        .unwrap();
    assert_eq!(rows(&session, &all).await, ["6|y"]);
    let error = save(
        "SELECT 'y' AS k, 6 AS v",
        SaveMode::Overwrite,
        &[("partitionOverwriteMode", "x")],
    )
    .await;
    assert!(error.unwrap_err().message().contains("static or dynamic"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_compressed_and_formatted() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    let sql = "SELECT 1 AS id, 'a;b' AS s, TIMESTAMP'2024-01-02 10:00:00' AS t";
    for (format, given, extension, expected) in [
        ("json", vec![("compression", "gzip")], ".json.gz", None),
        (
            "json",
            vec![("compression", "snappy")],
            ".json.snappy",
            None,
        ),
        (
            "csv",
            vec![("compression", "bzip2"), ("header", "true")],
            ".csv.bz2",
            None,
        ),
        ("csv", vec![("codec", "lz4")], ".csv.lz4", None),
        (
            "parquet",
            vec![("compression", "zstd")],
            ".zstd.parquet",
            None,
        ),
        (
            "parquet",
            vec![("compression", "none")],
            "-c000.parquet",
            None,
        ),
        (
            "csv",
            vec![
                ("sep", ";"),
                ("timestampFormat", "dd/MM/yyyy"),
                ("header", "true"),
            ],
            ".csv",
            Some("id;s;t\n1;\"a;b\";02/01/2024\n"),
        ),
    ] {
        let name = extension.replace('.', "_") + &given.len().to_string();
        let path = folder.text(&name);
        let mode = SaveMode::ErrorIfExists;
        write(&session, sql, format, &path, mode, &given, &[])
            .await
            .unwrap();
        let names = folder.names(&name);
        let file = names.iter().find(|name| name.starts_with("part-")).unwrap();
        assert!(file.ends_with(extension), "{names:?}");
        if let Some(expected) = expected {
            let text = std::fs::read_to_string(folder.path(&name).join(file)).unwrap();
            assert_eq!(text, expected);
        }
        let count = rows(&session, &format!("SELECT count(*) FROM {format}.`{path}`")).await;
        assert!(
            ["1", "2"].contains(&count[0].as_str()),
            "{format} {given:?}: {count:?}"
        );
    }
    let path = folder.text("x");
    let given = [("compression", "rar")];
    let error = write(&session, sql, "json", &path, SaveMode::Append, &given, &[]).await;
    let error = error.unwrap_err();
    assert!(error.message().contains("must be none, gzip"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_has_no_more_rows_than_it_may() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    let path = folder.text("out");
    let given = [("maxRecordsPerFile", "2")];
    let sql = "SELECT id FROM range(5)";
    write(&session, sql, "json", &path, SaveMode::Append, &given, &[])
        .await
        .unwrap();
    let names = folder.names("out");
    let parts: Vec<_> = names
        .iter()
        .filter(|name| name.starts_with("part-"))
        .collect();
    assert_eq!(parts.len(), 3, "{names:?}");
    let count = rows(&session, &format!("SELECT count(*) FROM json.`{path}`")).await;
    assert_eq!(count, ["5"]);
}
