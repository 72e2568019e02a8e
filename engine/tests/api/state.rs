//! What queries remember, looked at while they run and when they have ended.

use arrow::util::display::{ArrayFormatter, FormatOptions};
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{
    Command, CreateDataFrameViewCommand, Read, Relation, Sql, WithWatermark,
    WriteStreamOperationStart, read,
};
use tidebook_engine::{
    CommandOutput, Error, RowFormat, Rows, Session, SqlOutput, StateRequest, StreamingQuery,
    format_value, sql_type,
};

const COUNTS: &str = "SELECT user, count(*) AS n FROM clicks GROUP BY user";
const WINDOWS: &str = "SELECT window(ts, '10 minutes') AS w, user, sum(v) AS total FROM clicks \
    GROUP BY window(ts, '10 minutes'), user";

fn relation(kind: RelType) -> Relation {
    Relation {
        common: None,
        rel_type: Some(kind),
    }
}

/// `%%source NAME --format memory --watermark "ts 10 minutes"`.
async fn source(session: &Session, name: &str) {
    let read = relation(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some("memory".into()),
            schema: Some("user STRING, ts TIMESTAMP, v INT".into()),
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

async fn stream(
    session: &Session,
    query: &str,
    mode: &str,
    options: &[(&str, &str)],
) -> StreamingQuery {
    let options = options
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()));
    let start = WriteStreamOperationStart {
        input: Some(relation(RelType::Sql(Sql {
            query: query.into(),
            ..Default::default()
        }))),
        format: "memory".into(),
        output_mode: mode.into(),
        query_name: "counts".into(),
        options: options.collect(),
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

/// Puts rows `user,minute,v` into `clicks` and waits until they are processed.
async fn feed(session: &Session, rows: &[(&str, u32, i32)]) {
    feed_into(session, "clicks", rows).await;
}

async fn feed_into(session: &Session, stream: &str, rows: &[(&str, u32, i32)]) {
    let lines = rows.iter().map(|(user, minute, v)| {
        format!("{{\"user\":\"{user}\",\"ts\":\"2024-01-01T10:{minute:02}:00Z\",\"v\":{v}}}\n")
    });
    let fed = session
        .feed(stream, RowFormat::Json, &lines.collect::<String>())
        .unwrap();
    drop(fed);
    for query in session.streams().active() {
        query.process_all_available().await.unwrap();
    }
}

fn lines(rows: &Rows) -> Vec<String> {
    let texts = rows.batches.iter().flat_map(|batch| {
        let row = |row| {
            let columns = batch.columns().iter();
            let values = columns.map(|column| format_value(column, row));
            values.collect::<Vec<_>>().join(" | ")
        };
        (0..batch.num_rows()).map(row).collect::<Vec<_>>()
    });
    texts.collect()
}

fn columns(rows: &Rows) -> Vec<String> {
    let fields = rows.schema.fields().iter();
    fields
        .map(|field| format!("{} {}", field.name(), sql_type(field.data_type())))
        .collect()
}

async fn sql(session: &Session, text: &str) -> Result<Rows, Error> {
    match session.sql(text).await? {
        SqlOutput::Rows(rows) => Ok(rows),
        SqlOutput::Done(sentence) => panic!("{sentence}"),
    }
}

async fn at(session: &Session, query: &StreamingQuery, batch_id: Option<i64>) -> Vec<String> {
    let request = StateRequest {
        batch_id,
        ..Default::default()
    };
    let stores = session.state(query, &request).await.unwrap();
    assert_eq!(stores.len(), 1);
    lines(&stores[0].rows)
}

async fn refusal(session: &Session, query: &StreamingQuery, request: StateRequest) -> Error {
    session.state(query, &request).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_every_batch_is_shown_without_a_checkpoint_also_at_the_end() {
    let session = Session::new().unwrap();
    source(&session, "clicks").await;
    let query = stream(&session, COUNTS, "update", &[]).await;
    feed(&session, &[("a", 0, 1), ("b", 0, 1)]).await;
    feed(&session, &[("a", 1, 1), ("c", 1, 1)]).await;
    let first = ["{a} | {1} | 0", "{b} | {1} | 0"];
    let second = ["{a} | {2} | 0", "{b} | {1} | 0", "{c} | {1} | 0"];
    assert_eq!(at(&session, &query, None).await, second);
    assert_eq!(at(&session, &query, Some(0)).await, first);
    let request = StateRequest::default();
    let store = &session.state(&query, &request).await.unwrap()[0];
    assert_eq!(
        columns(&store.rows),
        [
            "key STRUCT<user: STRING>",
            "value STRUCT<count: BIGINT>",
            "partition_id INT"
        ]
    );
    assert_eq!(store.operator_name, "stateStoreSave");
    let last = query.last_progress().unwrap().batch_id;
    assert_eq!(
        (store.store_name.as_str(), store.batch_id),
        ("default", last)
    );

    query.stop().await.unwrap();
    assert_eq!(at(&session, &query, None).await, second);
    // Another query takes the name, and with it what the first one has left behind.
    let again = stream(&session, COUNTS, "update", &[]).await;
    feed(&session, &[("z", 0, 1)]).await;
    assert!(
        at(&session, &again, None)
            .await
            .contains(&"{z} | {1} | 0".to_string())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_refused_with_what_there_is() {
    let session = Session::new().unwrap();
    source(&session, "clicks").await;
    let query = stream(&session, COUNTS, "update", &[]).await;
    let error = refusal(&session, &query, StateRequest::default()).await;
    assert!(error.message().contains("query 'counts'"), "{error}");
    feed(&session, &[("a", 0, 1)]).await;
    let request = StateRequest {
        batch_id: Some(7),
        ..Default::default()
    };
    let error = refusal(&session, &query, request).await;
    assert_eq!(error.condition(), Some("STDS_COMMITTED_BATCH_UNAVAILABLE"));
    assert!(
        error
            .message()
            .contains("the state of batch 7 is not there"),
        "{error}"
    );
    let last = query.last_progress().unwrap().batch_id;
    let retained = format!("the batches 0 to {last} are retained");
    assert_eq!(error.hint(), Some(retained.as_str()));
    let request = StateRequest {
        operator_id: Some(3),
        ..Default::default()
    };
    let error = refusal(&session, &query, request).await;
    assert!(
        error.message().contains("no stateful operator 3"),
        "{error}"
    );
    assert_eq!(error.hint(), Some("there is 0 (stateStoreSave)"));
    let request = StateRequest {
        store: Some("left".into()),
        ..Default::default()
    };
    let error = refusal(&session, &query, request).await;
    assert!(error.message().contains("has no sides"), "{error}");
    assert_eq!(error.hint(), Some("its stores are default"));
    query.stop().await.unwrap();

    let query = stream(&session, "SELECT user FROM clicks", "append", &[]).await;
    feed(&session, &[("a", 0, 1)]).await;
    let error = refusal(&session, &query, StateRequest::default()).await;
    assert!(error.message().contains("it keeps no state"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_reads_the_state_of_a_checkpoint() {
    let session = Session::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("it's here");
    let checkpoint = checkpoint.to_str().unwrap();
    source(&session, "clicks").await;
    let query = stream(
        &session,
        WINDOWS,
        "update",
        &[("checkpointLocation", checkpoint)],
    )
    .await;
    feed(&session, &[("a", 1, 5), ("b", 2, 6), ("a", 30, 7)]).await;
    // The watermark is at 10:20 by now, which takes the first window away.
    feed(&session, &[("b", 31, 8)]).await;
    query.stop().await.unwrap();

    let rows = sql(
        &session,
        &format!("SELECT * FROM statestore.`{checkpoint}`"),
    )
    .await
    .unwrap();
    let window = |minute| format!("2024-01-01 10:{minute}:00");
    let row = |user: &str, total: i32| {
        format!(
            "{{{{{}, {}}}, {user}}} | {{{total}}} | 0",
            window(30),
            window(40)
        )
    };
    let mut left = lines(&rows);
    left.sort();
    assert_eq!(left, [row("a", 7), row("b", 8)]);

    let view = format!(
        "CREATE OR REPLACE TEMPORARY VIEW old USING statestore OPTIONS (path \"{checkpoint}\", batchId 0)"
    );
    session.sql(&view).await.unwrap();
    let first = sql(
        &session,
        "SELECT key.user, value.sum FROM old ORDER BY user, sum",
    )
    .await
    .unwrap();
    assert_eq!(lines(&first), ["a | 5", "a | 7", "b | 6"]);

    let metadata = sql(
        &session,
        &format!("SELECT * FROM `state-metadata`.`{checkpoint}`"),
    )
    .await;
    let metadata = metadata.unwrap();
    assert_eq!(
        columns(&metadata),
        [
            "operatorId BIGINT",
            "operatorName STRING",
            "stateStoreName STRING",
            "numPartitions INT",
            "minBatchId BIGINT",
            "maxBatchId BIGINT",
            "operatorProperties STRING"
        ]
    );
    let last = query.last_progress().unwrap().batch_id;
    assert_eq!(
        lines(&metadata),
        [format!(
            "0 | stateStoreSave | default | 1 | 0 | {last} | NULL"
        )]
    );

    let view = format!(
        "CREATE OR REPLACE TEMPORARY VIEW changes USING statestore \
         OPTIONS (path \"{checkpoint}\", readChangeFeed true, changeStartBatchId 0)"
    );
    session.sql(&view).await.unwrap();
    let changes = "SELECT batch_id, change_type, key.user, value.sum FROM changes \
        ORDER BY batch_id, change_type, user, sum";
    let changes = sql(&session, changes).await.unwrap();
    let expected = [
        "0 | update | a | 5",
        "0 | update | a | 7",
        "0 | update | b | 6",
    ];
    let changes = lines(&changes);
    assert_eq!(changes.get(..3).unwrap(), expected.get(..3).unwrap());
    let deleted = changes.iter().filter(|line| line.contains("delete"));
    assert_eq!(deleted.count(), 2, "{changes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_options_of_a_state_are_refused() {
    let session = Session::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint");
    let checkpoint = checkpoint.to_str().unwrap();
    source(&session, "clicks").await;
    let query = stream(
        &session,
        COUNTS,
        "update",
        &[("checkpointLocation", checkpoint)],
    )
    .await;
    feed(&session, &[("a", 1, 5)]).await;
    query.stop().await.unwrap();
    for (options, condition) in [
        ("batchId 9", "STDS_COMMITTED_BATCH_UNAVAILABLE"),
        ("batchId -1", "STDS_INVALID_OPTION_VALUE.IS_NEGATIVE"),
        ("operatorId 4", "STDS_FAILED_TO_READ_OPERATOR_METADATA"),
        (
            "storeName nothing",
            "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
        ),
        ("joinSide left", "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE"),
        ("joinSide up", "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE"),
        ("joinSide left, storeName default", "STDS_CONFLICT_OPTIONS"),
        ("readChangeFeed true", "STDS_REQUIRED_OPTION_UNSPECIFIED"),
        ("changeStartBatchId 0", "STDS_REQUIRED_OPTION_UNSPECIFIED"),
        (
            "readChangeFeed true, changeStartBatchId 5",
            "STDS_COMMITTED_BATCH_UNAVAILABLE",
        ),
    ] {
        let options = options.split(", ").map(|option| {
            let (name, value) = option.split_once(' ').unwrap();
            format!("{name} \"{value}\"")
        });
        let options = options.collect::<Vec<_>>().join(", ");
        let view = format!(
            "CREATE OR REPLACE TEMPORARY VIEW s USING statestore OPTIONS (path \"{checkpoint}\", {options})"
        );
        let error = session.sql(&view).await.unwrap_err();
        assert_eq!(error.condition(), Some(condition), "{options}: {error}");
        assert!(
            error.hint().is_some() || condition.contains("INVALID"),
            "{options}: {error}"
        );
    }
    let nothing = folder.path().to_str().unwrap();
    let error = sql(&session, &format!("SELECT * FROM statestore.`{nothing}`"))
        .await
        .unwrap_err();
    assert_eq!(error.condition(), Some("STDS_OFFSET_LOG_UNAVAILABLE"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_of_a_join_and_the_operators_of_a_chain_are_shown() {
    let session = Session::new().unwrap();
    source(&session, "clicks").await;
    source(&session, "views").await;
    let join = "SELECT c.user, c.v, w.v AS seen FROM clicks c JOIN views w \
        ON c.user = w.user AND w.ts BETWEEN c.ts AND c.ts + INTERVAL 5 MINUTES";
    let query = stream(&session, join, "append", &[]).await;
    feed_into(&session, "clicks", &[("a", 1, 5)]).await;
    feed_into(&session, "views", &[("a", 2, 6), ("b", 2, 7)]).await;
    let stores = session
        .state(&query, &StateRequest::default())
        .await
        .unwrap();
    let names: Vec<&str> = stores
        .iter()
        .map(|store| store.store_name.as_str())
        .collect();
    assert_eq!(
        names,
        ["left-keyWithIndexToValue", "right-keyWithIndexToValue"]
    );
    assert_eq!(
        [1, 2],
        [stores[0].rows.num_rows(), stores[1].rows.num_rows()]
    );
    let right = StateRequest {
        store: Some("right".into()),
        ..Default::default()
    };
    let right = session.state(&query, &right).await.unwrap();
    let formatted = &right[0].rows.batches[0];
    let keys = ArrayFormatter::try_new(formatted.column(0), &FormatOptions::default()).unwrap();
    assert_eq!(keys.value(0).to_string(), "{field0: a}");
    query.stop().await.unwrap();

    let chain = "SELECT w, count(*) AS n FROM (SELECT window(ts, '5 minutes') AS w, user, count(*) AS n \
        FROM clicks GROUP BY window(ts, '5 minutes'), user) GROUP BY w";
    let query = stream(&session, chain, "append", &[]).await;
    feed(&session, &[("a", 1, 5), ("a", 1, 6), ("a", 2, 6)]).await;
    let stores = session
        .state(&query, &StateRequest::default())
        .await
        .unwrap();
    let operators: Vec<_> = stores.iter().map(|store| store.operator_id).collect();
    assert_eq!(operators, [0, 1]);
}
