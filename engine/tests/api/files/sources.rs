//! Streams of files.

use std::io::Write as _;

use tidebook_engine::Session;
use tidebook_engine::connect::proto::write_operation::SaveMode;

use super::support::{Folder, Start, failure, read_all, rows, stream, write};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_end_where_they_should() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("cr/a.csv", 0, "id,name\r1,one\r2,two\r");
    folder.add(
        "multi/a.csv",
        0,
        "id,name\n1,\"two\nlines\"\n2,\"a \"\"b\"\"\"\n",
    );
    folder.add(
        "json/a.json",
        0,
        "[{\"id\": 1,\n \"name\": \"a\"},\n {\"id\": 2}]",
    );
    folder.add("text/a.txt", 0, "one\n\ntwo\r\nthree");
    folder.add("latin/a.csv", 0, b"1,Gr\xfc\xdfe\n");
    folder.add("sep/a.csv", 0, "1_/-\\_one\n");
    let columns = "id INT, name STRING";
    for (format, schema, name, given, expected) in [
        (
            "csv",
            columns,
            "cr",
            vec![("header", "true")],
            vec!["1|one", "2|two"],
        ),
        (
            "csv",
            columns,
            "multi",
            vec![("header", "true"), ("multiLine", "true"), ("escape", "\"")],
            vec!["1|two\nlines", "2|a \"b\""],
        ),
        (
            "json",
            columns,
            "json",
            vec![("multiLine", "true")],
            vec!["1|a", "2|NULL"],
        ),
        ("text", "", "text", vec![], vec!["", "one", "three", "two"]),
        (
            "text",
            "",
            "text",
            vec![("lineSep", "\n\n")],
            vec!["one", "two\r\nthree"],
        ),
        (
            "text",
            "",
            "text",
            vec![("wholetext", "true")],
            vec!["one\n\ntwo\r\nthree"],
        ),
        (
            "csv",
            columns,
            "latin",
            vec![("encoding", "ISO-8859-1")],
            vec!["1|Grüße"],
        ),
        (
            "csv",
            columns,
            "sep",
            vec![("sep", "_/-\\\\_")],
            vec!["1|one"],
        ),
    ] {
        let input = stream(format, schema, &folder.text(name), &given);
        assert_eq!(
            read_all(&session, input).await.unwrap(),
            expected,
            "{name} {given:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patterns_folders_and_compressed_files() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    for (name, id) in [("ab", 1), ("cd", 2), ("ef", 3)] {
        folder.add(&format!("in/{name}.json"), id, format!("{{\"id\":{id}}}\n"));
    }
    let id = "id BIGINT";
    let read = async |path: &str, given: &[(&str, &str)]| {
        read_all(&session, stream("json", id, &folder.text(path), given))
            .await
            .unwrap()
    };
    assert_eq!(
        read("in", &[("pathGlobFilter", "{ab,cd}.json")]).await,
        ["1", "2"]
    );
    assert_eq!(read("in/[^a]*.json", &[]).await, ["2", "3"]);
    folder.add("packed/a.json.gz", 0, gzip("{\"id\":1}\n{\"id\":2}\n"));
    folder.add(
        "packed/b.json.zst",
        0,
        zstd::encode_all(&b"{\"id\":3}\n"[..], 0).unwrap(),
    );
    assert_eq!(read("packed", &[]).await, ["1", "2", "3"]);
    folder.add("xz/a.json.xz", 0, "x");
    let error = failure(&session, stream("json", id, &folder.text("xz"), &[])).await;
    assert!(
        error.message().contains("there is no codec for '.xz'"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_are_columns() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/day=2024-01-01/h=1/a.csv", 0, "x\n");
    folder.add("in/day=2024-01-02/h=02/b.csv", 1, "y\n");
    let path = folder.text("in");
    for (schema, expected) in [
        ("v STRING", ["x|2024-01-01|1", "y|2024-01-02|2"]),
        (
            "v STRING, day STRING, h STRING",
            ["x|2024-01-01|1", "y|2024-01-02|02"],
        ),
        (
            "h INT, v STRING, day DATE",
            ["x|2024-01-01|1", "y|2024-01-02|2"],
        ),
        ("v STRING, h STRING", ["x|2024-01-01|1", "y|2024-01-02|2"]),
    ] {
        let input = stream("csv", schema, &path, &[]);
        assert_eq!(
            read_all(&session, input).await.unwrap(),
            expected,
            "{schema}"
        );
    }
    let checkpoint = folder.text("checkpoint");
    let run = || {
        Start {
            input: stream("csv", "v STRING, day STRING, h INT", &path, &[]),
            format: "json",
            path: folder.text("out"),
            checkpoint: checkpoint.clone(),
            options: &[("ignoreNullFields", "false")],
            partition_by: &[],
        }
        .run(&session)
    };
    run().await.unwrap();
    folder.add(
        "in/day=2024-01-03/h=__HIVE_DEFAULT_PARTITION__/c.csv",
        2,
        "z\n",
    );
    folder.add("in/loose.csv", 3, "loose\n");
    run().await.unwrap();
    let out = folder.text("out");
    let found = rows(&session, &format!("SELECT v, day, h FROM json.`{out}`")).await;
    assert_eq!(
        found,
        ["x|2024-01-01|1", "y|2024-01-02|2", "z|2024-01-03|NULL"]
    );
    folder.add("other/a=1/x.csv", 0, "x\n");
    folder.add("other/b=1/x.csv", 0, "x\n");
    let error = failure(
        &session,
        stream("csv", "v STRING", &folder.text("other"), &[]),
    )
    .await;
    assert_eq!(
        error.condition(),
        Some("CONFLICTING_PARTITION_COLUMN_NAMES")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parquet_as_a_stream() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    let path = folder.text("in");
    let numbers = "SELECT 1 AS id, 'a' AS s UNION ALL SELECT 2, CAST(NULL AS STRING)";
    write(
        &session,
        numbers,
        "parquet",
        &path,
        SaveMode::Append,
        &[],
        &[],
    )
    .await
    .unwrap();
    let read = async |schema: &str, given: &[(&str, &str)]| {
        read_all(&session, stream("parquet", schema, &path, given)).await
    };
    assert_eq!(
        read("id INT, s STRING", &[]).await.unwrap(),
        ["1|a", "2|NULL"]
    );
    assert_eq!(
        read("s STRING, z INT", &[]).await.unwrap(),
        ["NULL|NULL", "a|NULL"]
    );
    assert_eq!(read("ID BIGINT", &[]).await.unwrap(), ["1", "2"]);
    let error = read("id STRING", &[]).await.unwrap_err();
    assert_eq!(
        error.condition(),
        Some("FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH"),
        "{error}"
    );
    let error = read("", &[]).await.unwrap_err();
    assert!(error.message().contains("needs a schema"), "{error}");
    session
        .set_conf("spark.sql.streaming.schemaInference", "true")
        .unwrap();
    assert_eq!(read("", &[]).await.unwrap(), ["1|a", "2|NULL"]);

    folder.add("in/bad.parquet", 0, "garbage");
    let error = read("id INT, s STRING", &[]).await.unwrap_err();
    assert!(
        error
            .message()
            .contains("bad.parquet': it is no Parquet file"),
        "{error}"
    );
    let passed_over = [("ignoreCorruptFiles", "true")];
    assert_eq!(
        read("id INT, s STRING", &passed_over).await.unwrap(),
        ["1|a", "2|NULL"]
    );
    session
        .set_conf("spark.sql.files.ignoreCorruptFiles", "true")
        .unwrap();
    assert_eq!(read("id INT", &[]).await.unwrap(), ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_were_read_are_taken_away() {
    let session = Session::new().unwrap();
    for mode in ["delete", "archive"] {
        let folder = Folder::new();
        for id in 0..3 {
            folder.add(&format!("in/f{id}.txt"), id, "x\n");
        }
        let archive = folder.text("archive");
        let mut given = vec![("cleanSource", mode), ("maxFilesPerTrigger", "1")];
        if mode == "archive" {
            given.push(("sourceArchiveDir", &archive));
        }
        let read = read_all(&session, stream("text", "", &folder.text("in"), &given)).await;
        assert_eq!(read.unwrap().len(), 3);
        // As in Spark, those of the last batch wait for another one.
        assert_eq!(folder.names("in"), ["f2.txt"], "{mode}");
        let whole = folder.text("archive") + &folder.text("in");
        let archived: Vec<_> = std::fs::read_dir(whole).into_iter().flatten().collect();
        assert_eq!(archived.len(), if mode == "archive" { 2 } else { 0 });

        for inside in [folder.text("in/archive"), folder.text("")] {
            let given = [
                ("cleanSource", "archive"),
                ("sourceArchiveDir", inside.as_str()),
            ];
            let error = failure(&session, stream("text", "", &folder.text("in"), &given)).await;
            assert!(error.message().contains("could be read again"), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_vanish() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/a.txt", 0, "a\n");
    folder.add("in/b.txt", 1, "b\n");
    let start = |given: &'static [(&'static str, &'static str)],
                 partition_by: &'static [&'static str]| Start {
        input: stream("text", "", &folder.text("in"), given),
        format: "text",
        path: folder.text("out"),
        checkpoint: folder.text("checkpoint"),
        options: &[],
        partition_by,
    };
    start(&[], &[]).run(&session).await.unwrap();
    // The batch is in the log and not done when a file of it goes.
    std::fs::remove_file(folder.path("checkpoint/commits/0")).unwrap();
    std::fs::remove_dir_all(folder.path("out")).unwrap();
    std::fs::remove_file(folder.path("in/a.txt")).unwrap();
    let error = start(&[], &[]).run(&session).await.unwrap_err();
    assert_eq!(
        error.condition(),
        Some("FAILED_READ_FILE.FILE_NOT_EXIST"),
        "{error}"
    );
    start(&[("ignoreMissingFiles", "true")], &[])
        .run(&session)
        .await
        .unwrap();
    let found = rows(
        &session,
        &format!("SELECT * FROM text.`{}`", folder.text("out")),
    )
    .await;
    assert_eq!(found, ["b"]);
}
