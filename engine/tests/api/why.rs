//! Why nothing came out: the facts behind the silence, of queries that are silent for different reasons.

use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{
    Command, CreateDataFrameViewCommand, Deduplicate, Read, Relation, Sql, WithWatermark,
    WriteStreamOperationStart, read,
};
use tidebook_engine::why::{
    BatchWhy, FilesWhy, InputWhy, NodeKind, QueryWhy, WatermarkOrigin, WatermarkPart,
};
use tidebook_engine::{CommandOutput, RowFormat, Session, StreamingQuery, StreamingQueryProgress};

fn relation(kind: RelType) -> Relation {
    Relation {
        common: None,
        rel_type: Some(kind),
    }
}

/// `%%source NAME --format FORMAT --option … --watermark "ts 10 minutes"`.
async fn source(session: &Session, name: &str, format: &str, options: &[(&str, &str)]) {
    let options = options.iter();
    let options = options.map(|(key, value)| (key.to_string(), value.to_string()));
    let read = relation(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some(format.into()),
            schema: Some("user STRING, ts TIMESTAMP".into()),
            options: options.collect(),
            ..Default::default()
        })),
    }));
    let marked = relation(RelType::WithWatermark(Box::new(WithWatermark {
        input: Some(Box::new(read)),
        event_time: "ts".into(),
        delay_threshold: "10 minutes".into(),
    })));
    let view = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
        input: Some(marked),
        name: name.into(),
        is_global: false,
        replace: true,
    });
    let command = Command {
        command_type: Some(view),
    };
    session.execute(&command).await.unwrap();
}

/// A session with the memory streams `clicks` and `views`.
async fn session() -> Session {
    let session = Session::new().unwrap();
    source(&session, "clicks", "memory", &[]).await;
    source(&session, "views", "memory", &[]).await;
    session
}

async fn start(session: &Session, mode: &str, query: &str) -> StreamingQuery {
    start_relation(session, mode, sql(query)).await
}

fn sql(query: &str) -> Relation {
    relation(RelType::Sql(Sql {
        query: query.into(),
        ..Default::default()
    }))
}

async fn start_relation(session: &Session, mode: &str, input: Relation) -> StreamingQuery {
    let start = WriteStreamOperationStart {
        input: Some(input),
        format: "memory".into(),
        output_mode: mode.into(),
        query_name: "q".into(),
        ..Default::default()
    };
    let command = Command {
        command_type: Some(CommandType::WriteStreamOperationStart(start)),
    };
    match session.execute(&command).await.unwrap() {
        CommandOutput::Query(query) => query,
        other => panic!("{other:?}"),
    }
}

/// Rows `user, minutes after noon`, all read by the query when it returns.
async fn feed(session: &Session, query: &StreamingQuery, stream: &str, rows: &[(&str, i64)]) {
    let mut text = String::from("user,ts\n");
    for (user, minute) in rows {
        text.push_str(&format!("{user},2024-01-01 12:{minute:02}:00\n"));
    }
    session.feed(stream, RowFormat::Csv, &text).unwrap();
    query.process_all_available().await.unwrap();
}

async fn why(query: &StreamingQuery) -> QueryWhy {
    query.why().await.unwrap()
}

async fn batch(query: &StreamingQuery) -> BatchWhy {
    why(query).await.batch.unwrap()
}

/// The newest batch that read rows.
fn read(query: &StreamingQuery) -> StreamingQueryProgress {
    let recent = query.recent_progress();
    let mut recent = recent.into_iter().rev();
    recent.find(|batch| batch.num_input_rows > 0).unwrap()
}

const WINDOWS: &str = "SELECT window(ts, '5 minutes') AS w, count(*) AS n FROM clicks \
                       GROUP BY window(ts, '5 minutes')";

#[tokio::test]
async fn open_windows_and_the_event_that_closes_the_next() {
    let session = session().await;
    let query = start(&session, "append", WINDOWS).await;
    feed(&session, &query, "clicks", &[("ann", 1), ("ann", 7)]).await;
    let silent = batch(&query).await;
    assert_eq!(silent.num_output_rows, 0);
    let open = silent.operators[0].stores[0].open.as_ref().unwrap();
    assert_eq!(open.num_times, 2);
    assert_eq!(open.duration_ms, 300_000);
    assert!(silent.operators[0].only_counts);
    assert_eq!(
        open.ends,
        ["2024-01-01T12:05:00.000Z", "2024-01-01T12:10:00.000Z"]
    );
    assert_eq!(open.closes_at_event_time, ["2024-01-01T12:15:00.000Z"]);
    let watermark = silent.watermark.unwrap();
    assert_eq!(watermark.current, "2024-01-01T11:57:00.000Z");
    assert_eq!(watermark.parts[0].column, "ts");

    // A minute earlier does not do, the time that was named does.
    feed(&session, &query, "clicks", &[("ann", 14)]).await;
    assert_eq!(batch(&query).await.num_output_rows, 0);
    feed(&session, &query, "clicks", &[("ann", 15)]).await;
    let wrote = batch(&query).await;
    assert_eq!(wrote.num_output_rows, 1);
    let progress = query.recent_progress();
    let wrote = progress
        .iter()
        .find(|batch| batch.sink.num_output_rows == 1);
    assert_eq!(wrote.unwrap().why, None, "what gave rows needs no reason");
}

#[tokio::test]
async fn the_stream_that_holds_the_watermark_back() {
    let session = session().await;
    let union = "SELECT window(t, '5 minutes') AS w, count(*) AS n FROM \
                 (SELECT ts AS t FROM clicks UNION ALL SELECT ts AS t FROM views) \
                 GROUP BY window(t, '5 minutes')";
    let query = start(&session, "append", union).await;
    feed(&session, &query, "clicks", &[("ann", 1), ("ann", 50)]).await;
    let parts = parts_by_source(&query).await;
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0].num_rows, parts[1].num_rows), (2, 0));
    assert_eq!(
        (&*parts[0].sources, &*parts[1].sources),
        (&[0][..], &[1][..])
    );
    assert_eq!(
        parts[0].watermark.as_deref(),
        Some("2024-01-01T12:40:00.000Z")
    );
    assert_eq!(parts[1].watermark, None);
    // The times of one source are all NULL.
    session
        .feed("views", RowFormat::Json, "{\"user\":\"bob\",\"ts\":null}")
        .unwrap();
    query.process_all_available().await.unwrap();
    let parts = parts_by_source(&query).await;
    assert_eq!((parts[1].num_rows, parts[1].num_nulls), (1, 1));
    assert_eq!(parts[1].max_event_time, None);
}

async fn parts_by_source(query: &StreamingQuery) -> Vec<WatermarkPart> {
    let mut parts = batch(query).await.watermark.unwrap().parts;
    parts.sort_by(|one, other| one.sources.cmp(&other.sources));
    parts
}

#[tokio::test]
async fn late_groups_and_late_rows_with_samples() {
    let session = session().await;
    let query = start(&session, "update", WINDOWS).await;
    feed(&session, &query, "clicks", &[("ann", 30)]).await;
    feed(&session, &query, "clicks", &[("ann", 31)]).await;
    feed(
        &session,
        &query,
        "clicks",
        &[("ann", 1), ("ann", 2), ("ann", 11)],
    )
    .await;
    let late = read(&query).why.unwrap().operators[0].late.clone().unwrap();
    assert_eq!(late.num_dropped, 2);
    assert_eq!(late.watermark, "2024-01-01T12:21:00.000Z");
    assert_eq!(late.max_late_ms, 16 * 60_000);
    assert_eq!(late.rows.len(), 2);
    assert_eq!(late.rows[0].event_time, "2024-01-01T12:05:00.000Z");
    // The second batch read the latest event, and the third dropped what that was too late for.
    let origin = WatermarkOrigin {
        part: 0,
        batch_id: 2,
        event_time: "2024-01-01T12:31:00.000Z".into(),
    };
    assert_eq!(late.watermark_from, Some(origin));
    query.stop().await.unwrap();

    let query = start(&session, "append", "SELECT DISTINCT user, ts FROM views").await;
    feed(&session, &query, "views", &[("ann", 30)]).await;
    feed(&session, &query, "views", &[("ann", 31)]).await;
    let early: Vec<(&str, i64)> = (1..8).map(|minute| ("ann", minute)).collect();
    feed(&session, &query, "views", &early).await;
    let late = read(&query).why.unwrap().operators[0].late.clone().unwrap();
    assert_eq!((late.num_dropped, late.rows.len()), (7, 5));
    assert_eq!(late.rows[0].row["user"], "ann");
    assert_eq!(late.rows[0].late_ms, 20 * 60_000);
}

#[tokio::test]
async fn rows_in_and_out_of_the_node_that_takes_all() {
    let session = session().await;
    let query = start(
        &session,
        "append",
        "SELECT user FROM clicks WHERE user = 'zoe'",
    )
    .await;
    feed(&session, &query, "clicks", &[("ann", 1), ("bob", 2)]).await;
    let [node] = <[_; 1]>::try_from(read(&query).why.unwrap().nodes).unwrap();
    assert_eq!((node.node, node.num_output_rows), (NodeKind::Filter, 0));
    assert_eq!(node.inputs[0].num_rows, Some(2));
    query.stop().await.unwrap();

    session
        .sql("CREATE TEMPORARY VIEW people AS SELECT 'zoe' AS user, 41 AS age")
        .await
        .unwrap();
    let join = "SELECT clicks.user, age FROM clicks JOIN people ON clicks.user = people.user";
    let query = start(&session, "append", join).await;
    let joined = read_after_start(&query).await;
    let node = joined
        .nodes
        .iter()
        .find(|node| node.node == NodeKind::Join)
        .unwrap();
    let rows: Vec<_> = node
        .inputs
        .iter()
        .map(|i| (i.is_stream, i.num_rows))
        .collect();
    assert_eq!(rows, [(true, Some(2)), (false, Some(1))]);
    query.stop().await.unwrap();

    let duplicates = relation(RelType::Deduplicate(Box::new(Deduplicate {
        input: Some(Box::new(sql("SELECT user FROM clicks"))),
        column_names: vec!["user".into()],
        ..Default::default()
    })));
    let query = start_relation(&session, "append", duplicates).await;
    query.process_all_available().await.unwrap();
    feed(&session, &query, "clicks", &[("ann", 3)]).await;
    let why = read(&query).why.unwrap();
    assert_eq!(
        (why.nodes[0].node, why.nodes[0].num_output_rows),
        (NodeKind::Stateful, 0)
    );
    assert_eq!(why.operators[0].stores[0].num_rows, 2);
}

async fn read_after_start(query: &StreamingQuery) -> BatchWhy {
    query.process_all_available().await.unwrap();
    *read(query).why.unwrap()
}

#[tokio::test]
async fn a_join_of_streams_holds_what_waits() {
    let session = session().await;
    let join = "SELECT clicks.user FROM clicks JOIN views ON clicks.user = views.user \
                AND views.ts BETWEEN clicks.ts AND clicks.ts + INTERVAL 5 MINUTES";
    let query = start(&session, "append", join).await;
    feed(&session, &query, "clicks", &[("ann", 1), ("bob", 2)]).await;
    let why = batch(&query).await;
    let held: Vec<i64> = why.operators[0]
        .stores
        .iter()
        .map(|store| store.num_rows)
        .collect();
    assert_eq!((why.num_output_rows, held), (0, vec![2, 0]));
    // A click can find a view until five minutes later: it is forgotten when no view can be as early.
    let open = why.operators[0].stores[0].open.as_ref().unwrap();
    assert_eq!(open.closes_at_event_time, ["2024-01-01T12:16:00.001Z"; 2]);
    assert_eq!(why.operators[0].join_type.as_deref(), Some("INNER"));
    let nodes = read(&query).why.unwrap().nodes;
    let node = nodes.last().unwrap();
    assert_eq!(node.num_output_rows, 0);
    let inputs = node.inputs.iter();
    let inputs: Vec<_> = inputs.map(|i| (&*i.sources, i.num_rows)).collect();
    assert_eq!(inputs, [(&[0][..], Some(2)), (&[1][..], Some(0))]);
    assert_eq!(
        node.detail,
        "INNER JOIN ON clicks.user = views.user AND views.ts >= clicks.ts \
         AND views.ts <= clicks.ts + INTERVAL '0 00:05:00' DAY TO SECOND"
    );
    // A millisecond earlier does not do, the time that was named does.
    for (at, left) in [("12:16:00.000", 2), ("12:16:00.001", 1)] {
        for stream in ["clicks", "views"] {
            let row = format!("user,ts\nzoe,2024-01-01 {at}\n");
            session.feed(stream, RowFormat::Csv, &row).unwrap();
        }
        query.process_all_available().await.unwrap();
        let held = batch(&query).await.operators[0].stores[0].num_rows;
        // Rows of noon, besides those that were fed here.
        let fed = if left == 2 { 1 } else { 2 };
        assert_eq!(held - fed, left, "after {at}");
    }
}

#[tokio::test]
async fn a_row_that_no_watermark_lets_go_has_no_end() {
    let session = session().await;
    // What bounds the times of the left side is no time of the right one.
    let join = "SELECT clicks.user FROM clicks LEFT JOIN views ON clicks.user = views.user \
                AND CAST(clicks.ts AS BIGINT) >= 1704110400 AND views.ts >= clicks.ts";
    let query = start(&session, "append", join).await;
    feed(&session, &query, "clicks", &[("ann", 1), ("bob", 2)]).await;
    let why = batch(&query).await;
    assert_eq!(why.operators[0].join_type.as_deref(), Some("LEFT"));
    let left = &why.operators[0].stores[0];
    assert_eq!((left.num_rows, &left.open), (2, &None), "{left:?}");
}

async fn files(session: &Session, options: &[(&str, &str)]) -> StreamingQuery {
    source(session, "files", "json", options).await;
    let query = start(session, "append", "SELECT user FROM files").await;
    query.process_all_available().await.unwrap();
    query
}

async fn folder(query: &StreamingQuery) -> FilesWhy {
    query.process_all_available().await.unwrap();
    match why(query).await.sources.remove(0).input.unwrap() {
        InputWhy::Files(files) => files,
        other => panic!("{other:?}"),
    }
}

fn write(folder: &std::path::Path, name: &str, age_s: u64) {
    let path = folder.join(name);
    std::fs::write(&path, "{\"user\":\"ann\"}\n").unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000 - age_s);
    file.set_modified(time).unwrap();
}

#[tokio::test]
async fn files_that_are_left_out_each_for_its_reason() {
    let (session, dir) = (Session::new().unwrap(), tempfile::tempdir().unwrap());
    let path = dir.path().display().to_string();
    let options = [
        ("path", &*path),
        ("maxFileAge", "1h"),
        ("pathGlobFilter", "*.json"),
    ];
    let query = files(&session, &options).await;
    let empty = folder(&query).await;
    assert_eq!(
        (empty.exists, empty.read.num, empty.hidden.num),
        (true, 0, 0)
    );

    write(dir.path(), "a.json", 60);
    query.process_all_available().await.unwrap();
    write(dir.path(), "a.json", 0);
    write(dir.path(), "old.json", 7200);
    write(dir.path(), "_hidden.json", 0);
    write(dir.path(), "notes.txt", 0);
    std::fs::create_dir(dir.path().join("more")).unwrap();
    let files = folder(&query).await;
    assert_eq!(files.read.first, ["a.json"]);
    assert_eq!(files.rewritten.first, ["a.json"]);
    assert_eq!(files.too_old.first, ["old.json"]);
    assert_eq!(files.hidden.first, ["_hidden.json"]);
    assert_eq!(files.other_names.first, ["notes.txt"]);
    assert_eq!(files.folders.first, ["more"]);
    assert_eq!((files.waiting.num, files.max_file_age_ms), (0, 3_600_000));
}

#[tokio::test]
async fn a_pattern_that_matches_nothing_and_a_folder_that_has_gone() {
    let (session, dir) = (Session::new().unwrap(), tempfile::tempdir().unwrap());
    write(dir.path(), "notes.txt", 0);
    let pattern = dir.path().join("*.json").display().to_string();
    let query = files(&session, &[("path", &*pattern)]).await;
    let found = folder(&query).await;
    assert!(found.is_pattern);
    assert_eq!((found.other_names.num, found.waiting.num), (1, 0));
    query.stop().await.unwrap();
    // What an ended run that gave nothing had stays known.
    assert_eq!(folder_of_ended(&query).await.other_names.num, 1);
}

async fn folder_of_ended(query: &StreamingQuery) -> FilesWhy {
    match why(query).await.sources.remove(0).input.unwrap() {
        InputWhy::Files(files) => files,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn rows_that_wait_in_a_memory_stream() {
    let session = session().await;
    let query = start(&session, "append", "SELECT user FROM clicks").await;
    query.process_all_available().await.unwrap();
    let input = why(&query).await.sources.remove(0).input.unwrap();
    let none = InputWhy::Memory {
        num_rows: 0,
        num_rows_waiting: 0,
    };
    assert_eq!(input, none);
}

#[tokio::test]
async fn the_field_is_the_last_of_the_progress_and_reads_back() {
    let session = session().await;
    let query = start(
        &session,
        "append",
        "SELECT user FROM clicks WHERE user = 'zoe'",
    )
    .await;
    feed(&session, &query, "clicks", &[("ann", 1)]).await;
    let progress = read(&query);
    let json = progress.json();
    assert!(json.contains("\"numOutputRows\":0},\"why\":{"), "{json}");
    let back: StreamingQueryProgress = serde_json::from_str(&json).unwrap();
    assert_eq!(back.why, progress.why);
}
