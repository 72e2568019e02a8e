//! What the progress of a stream of files says, what its checkpoint holds, and the bytes that sinks write.

use serde_json::{Value, json};
use tidebook_engine::{Session, StreamingQueryProgress};

use super::support::{Folder, Start, read_all, stream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_are_numbers_of_a_log() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    let run = async |path: &str, format: &str| {
        let query = Start {
            input: stream(
                "text",
                "",
                &folder.text(path),
                &[("maxFilesPerTrigger", "1")],
            ),
            format,
            path: folder.text(&format!("out-{format}")),
            checkpoint: folder.text("checkpoint"),
            options: &[],
            partition_by: &[],
        };
        query.run(&session).await.unwrap().recent_progress()
    };
    folder.add("in/f0.txt", 0, "a\nb\n");
    folder.add("in/f1.txt", 1, "c\n");
    let progress = run("in", "noop").await;
    let seen = |progress: &StreamingQueryProgress| {
        let source = &progress.sources[0];
        let offsets = [
            &source.start_offset,
            &source.end_offset,
            &source.latest_offset,
        ];
        (
            progress.batch_id,
            offsets.map(Value::clone),
            progress.sink.num_output_rows,
        )
    };
    let batches: Vec<_> = progress
        .iter()
        .filter(|one| one.num_input_rows > 0)
        .collect();
    let at = |number: i64| json!({ "logOffset": number });
    assert_eq!(seen(batches[0]), (0, [Value::Null, at(0), Value::Null], 2));
    assert_eq!(seen(batches[1]), (1, [at(0), at(1), Value::Null], 1));
    let description = format!("FileStreamSource[file:{}]", folder.text("in"));
    assert_eq!(batches[0].sources[0].description, description);
    assert_eq!(batches[0].sink.description, "NoopTable");
    let log = std::fs::read_to_string(folder.path("checkpoint/sources/0/0")).unwrap();
    let path = folder.text("in/f0.txt");
    let line = format!("{{\"path\":\"file://{path}\",\"timestamp\":1700000000000,\"batchId\":0}}");
    assert_eq!(log, format!("v1\n{line}"));
    // A run that finds nothing stands where the last batch ended.
    let idle = run("in", "noop").await;
    assert_eq!((idle.len(), idle[0].batch_id), (1, 2));
    assert_eq!(seen(&idle[0]).1, [at(1), at(1), Value::Null]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pattern_stays_in_the_description_and_sinks_say_where_they_write() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/f0.txt", 0, "a\n");
    let query = Start {
        input: stream("text", "", &folder.text("in/f*.txt"), &[]),
        format: "text",
        path: folder.text("out"),
        checkpoint: folder.text("checkpoint"),
        options: &[],
        partition_by: &[],
    };
    let query = query.run(&session).await.unwrap();
    let progress = query.recent_progress();
    let described = format!("FileStreamSource[file:{}]", folder.text("in/f*.txt"));
    assert_eq!(progress[0].sources[0].description, described);
    let described = format!("FileSink[file:{}]", folder.text("out"));
    assert_eq!(progress[0].sink.description, described);
    assert_eq!(progress[0].sink.num_output_rows, -1, "files count no rows");
}

/// The text of the one file that a query has written.
async fn written(format: &str, schema: &str, rows: &str, options: &[(&str, &str)]) -> String {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/a.json", 0, rows);
    let query = Start {
        input: stream("json", schema, &folder.text("in"), &[]),
        format,
        path: folder.text("out"),
        checkpoint: folder.text("checkpoint"),
        options,
        partition_by: &[],
    };
    query.run(&session).await.unwrap();
    let names = folder.names("out");
    let parts = names.iter().filter(|name| name.starts_with("part-00000-"));
    let parts: Vec<_> = parts.collect();
    assert_eq!(parts.len(), 1, "{names:?}");
    let extension = if format == "text" { "txt" } else { format };
    assert!(
        parts[0].ends_with(&format!("-c000.{extension}")),
        "{names:?}"
    );
    std::fs::read_to_string(folder.path("out").join(parts[0])).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bytes_of_files_are_sparks() {
    let columns = "k STRING, v INT, t TIMESTAMP";
    let rows = "{\"k\":\"a1\",\"v\":1,\"t\":\"2024-01-02T10:00:00Z\"}\n{\"v\":9}\n";
    let json = "{\"k\":\"a1\",\"v\":1,\"t\":\"2024-01-02T10:00:00.000Z\"}\n{\"v\":9}\n";
    assert_eq!(written("json", columns, rows, &[]).await, json);
    let csv = "a1,1,2024-01-02T10:00:00.000Z\n,9,\n";
    assert_eq!(written("csv", columns, rows, &[]).await, csv);
    let header = [("header", "true")];
    let with_names = format!("k,v,t\n{csv}");
    assert_eq!(written("csv", columns, rows, &header).await, with_names);
    assert_eq!(written("text", "k STRING", rows, &[]).await, "a1\n\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_of_what_a_sink_has_written_follows_its_log() {
    let session = Session::new().unwrap();
    let folder = Folder::new();
    folder.add("in/a.json", 0, "{\"k\":\"a\"}\n");
    let query = Start {
        input: stream("json", "k STRING", &folder.text("in"), &[]),
        format: "json",
        path: folder.text("out"),
        checkpoint: folder.text("checkpoint"),
        options: &[],
        partition_by: &[],
    };
    query.run(&session).await.unwrap();
    // What is not in the log was left by a batch that failed.
    folder.add("out/part-00000-orphan-c000.json", 5, "{\"k\":\"orphan\"}\n");
    let again = stream("json", "k STRING", &folder.text("out"), &[]);
    assert_eq!(read_all(&session, again).await.unwrap(), ["a"]);
}
