//! A lesson step by step: rows that are typed, and a clock that is moved by hand.

use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::Trigger;
use tidebook_engine::connect::proto::{
    Command, CreateDataFrameViewCommand, Read, Relation, Sql, WithWatermark,
    WriteStreamOperationStart, read,
};
use tidebook_engine::{CommandOutput, RowFormat, Session, SqlOutput, StreamingQuery};

fn relation(kind: RelType) -> Relation {
    Relation {
        common: None,
        rel_type: Some(kind),
    }
}

/// `%%source clicks --format memory --watermark "ts 10 minutes"`.
async fn source(session: &Session) {
    let read = relation(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some("memory".into()),
            schema: Some("user STRING, ts TIMESTAMP".into()),
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
        name: "clicks".into(),
        is_global: false,
        replace: true,
    });
    let command = Command {
        command_type: Some(view),
    };
    session.execute(&command).await.unwrap();
}

async fn stream(session: &Session, query: &str, trigger: Option<&str>) -> StreamingQuery {
    let start = WriteStreamOperationStart {
        input: Some(relation(RelType::Sql(Sql {
            query: query.into(),
            ..Default::default()
        }))),
        format: "memory".into(),
        output_mode: "append".into(),
        query_name: "counts".into(),
        options: [("clock".to_string(), "manual".to_string())].into(),
        trigger: trigger.map(|text| Trigger::ProcessingTimeInterval(text.into())),
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

async fn table(session: &Session, sql: &str) -> Vec<String> {
    let SqlOutput::Rows(rows) = session.sql(sql).await.unwrap() else {
        panic!("a query gives rows")
    };
    let texts = rows.batches.iter().flat_map(|batch| {
        let row = |row| {
            let columns = batch.columns().iter();
            let values = columns.map(|column| tidebook_engine::format_value(column, row));
            values.collect::<Vec<_>>().join(" ")
        };
        (0..batch.num_rows()).map(row).collect::<Vec<_>>()
    });
    texts.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_rows_come_out_batch_by_batch() {
    let session = Session::new().unwrap();
    source(&session).await;
    let counts = "SELECT window(ts, '5 minutes').start AS w, count(*) AS n FROM clicks \
                  GROUP BY window(ts, '5 minutes')";
    let query = stream(&session, counts, None).await;
    let json = "{\"user\": \"a\", \"ts\": \"2024-01-01 12:01:00\"}\n\
                {\"user\": \"b\", \"ts\": \"2024-01-01 12:02:00\"}";
    let fed = session.feed("CLICKS", RowFormat::Json, json).unwrap();
    assert_eq!((fed.rows, fed.total, fed.readers.len()), (2, 2, 1));
    query.process_all_available().await.unwrap();
    assert!(table(&session, "SELECT * FROM counts").await.is_empty());
    // A row that does not fit: nothing of it is added.
    let wrong = "user,ts\nc,2024-01-01 12:30:00\nd,noon";
    let error = session.feed("clicks", RowFormat::Csv, wrong).unwrap_err();
    assert!(error.message().starts_with("line 3:"), "{error}");
    query.process_all_available().await.unwrap();
    assert!(table(&session, "SELECT * FROM counts").await.is_empty());
    let later = "user,ts\nc,2024-01-01 12:15:01";
    let fed = session.feed("clicks", RowFormat::Csv, later).unwrap();
    assert_eq!((fed.rows, fed.total), (1, 3));
    query.process_all_available().await.unwrap();
    let rows = table(&session, "SELECT * FROM counts").await;
    assert_eq!(rows, ["2024-01-01 12:00:00 2"]);
    query.stop().await.unwrap();
    assert!(
        session
            .feed("clicks", RowFormat::Csv, later)
            .unwrap()
            .readers
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_memory_takes_rows_by_hand() {
    let session = Session::new().unwrap();
    source(&session).await;
    session
        .sql("CREATE TEMPORARY VIEW t AS SELECT 1 AS a")
        .await
        .unwrap();
    session
        .sql("CREATE TEMPORARY VIEW twice AS SELECT user FROM clicks UNION ALL SELECT user FROM clicks")
        .await
        .unwrap();
    let fails = |name: &str| session.feed(name, RowFormat::Json, "{}").unwrap_err();
    assert!(fails("t").message().contains("is a table"));
    assert_eq!(fails("click").hint(), Some("did you mean 'clicks'?"));
    // A view over one memory stream feeds that.
    assert_eq!(
        session
            .feed("twice", RowFormat::Json, "{\"user\": \"a\"}")
            .unwrap()
            .total,
        1
    );
}

/// A query that has nothing to do says so after ten seconds, and then of the batch to come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_query_says_so_every_ten_seconds() {
    const NOON: i64 = 1_704_110_400_000;
    let session = Session::new().unwrap();
    source(&session).await;
    session.set_manual_clock(NOON).await.unwrap();
    let query = stream(&session, "SELECT user FROM clicks", Some("5 seconds")).await;
    query.asleep().await;
    let row = "{\"user\": \"a\"}";
    session.feed("clicks", RowFormat::Json, row).unwrap();
    let since_batch = |query: &StreamingQuery| {
        let all = query.recent_progress();
        let batch = all.iter().position(|one| one.num_input_rows == 1);
        all.into_iter().skip(batch.unwrap() + 1).collect::<Vec<_>>()
    };
    session.set_manual_clock(NOON + 5_000).await.unwrap();
    let batch = query.last_progress().unwrap();
    assert_eq!((batch.batch_id, batch.sink.num_output_rows), (0, 1));
    session.set_manual_clock(NOON + 10_000).await.unwrap();
    assert!(since_batch(&query).is_empty(), "five seconds later");
    session.set_manual_clock(NOON + 15_000).await.unwrap();
    let idle = since_batch(&query);
    assert_eq!(idle.len(), 1);
    assert_eq!((idle[0].batch_id, idle[0].num_input_rows), (1, 0));
    let phases: Vec<&str> = idle[0].duration_ms.keys().map(String::as_str).collect();
    assert_eq!(phases, ["latestOffset", "triggerExecution"]);
    // The memory sink counts its rows, and there were none.
    assert_eq!(idle[0].sink.description, "MemorySink");
    assert_eq!(idle[0].sink.num_output_rows, 0);
    query.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_lives_by_the_clock_that_is_moved() {
    const NOON: i64 = 1_704_110_400_000;
    let session = Session::new().unwrap();
    source(&session).await;
    session.set_manual_clock(NOON).await.unwrap();
    let text = "SELECT user, current_timestamp() AS seen FROM clicks";
    let query = stream(&session, text, Some("10 seconds")).await;
    assert_eq!(query.asleep().await, Some(NOON + 10_000));
    let row = "{\"user\": \"a\"}";
    session.feed("clicks", RowFormat::Json, row).unwrap();
    assert!(table(&session, "SELECT * FROM counts").await.is_empty());
    let moved = session.set_manual_clock(NOON + 9_000).await.unwrap();
    assert_eq!(moved.len(), 1);
    assert!(table(&session, "SELECT * FROM counts").await.is_empty());
    session.set_manual_clock(NOON + 10_000).await.unwrap();
    let rows = table(&session, "SELECT * FROM counts").await;
    assert_eq!(rows, ["a 2024-01-01 12:00:10"]);
    let progress = query.last_progress().unwrap();
    assert_eq!(progress.timestamp, "2024-01-01T12:00:10.000Z");
    let error = session.set_manual_clock(NOON).await.unwrap_err();
    assert!(error.message().contains("cannot go back"), "{error}");
    query.stop().await.unwrap();
    assert!(session.set_manual_clock(NOON).await.unwrap().is_empty());
    assert_eq!(query.asleep().await, None);
}
