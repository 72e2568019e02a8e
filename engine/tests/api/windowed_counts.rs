//! Sliding windows over a stream that is fed by hand.

use std::sync::{Arc, Mutex};

use arrow::array::{RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{
    Command, CreateDataFrameViewCommand, Read, Relation, Sql, WithWatermark,
    WriteStreamOperationStart, read,
};
use tidebook_engine::{CommandOutput, Session};

fn relation(kind: RelType) -> Relation {
    Relation {
        common: None,
        rel_type: Some(kind),
    }
}

fn rows(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default();
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|c| ArrayFormatter::try_new(c, &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|c| c.value(row).to_string())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn append_emits_what_the_watermark_has_passed() {
    let session = Session::new().unwrap();
    let zone: Option<Arc<str>> = Some("UTC".into());
    let schema = Arc::new(Schema::new(vec![
        Field::new(
            "t",
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
            true,
        ),
        Field::new("w", DataType::Utf8, true),
    ]));
    let stream = session.memory_stream("raw", schema.clone()).unwrap();
    let minute = |m: i64| (1704110400 + m * 60) * 1_000_000;
    let add = |data: &[(i64, &str)]| {
        let times = TimestampMicrosecondArray::from_iter_values(data.iter().map(|d| minute(d.0)));
        let words = StringArray::from_iter_values(data.iter().map(|d| d.1));
        let columns: Vec<arrow::array::ArrayRef> = vec![
            Arc::new(times.with_timezone_opt(zone.clone())),
            Arc::new(words),
        ];
        stream
            .add_data(RecordBatch::try_new(schema.clone(), columns).unwrap())
            .unwrap();
    };
    let raw = relation(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::NamedTable(read::NamedTable {
            unparsed_identifier: "raw".into(),
            ..Default::default()
        })),
    }));
    let marked = relation(RelType::WithWatermark(Box::new(WithWatermark {
        input: Some(Box::new(raw)),
        event_time: "t".into(),
        delay_threshold: "10 minutes".into(),
    })));
    let view = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
        input: Some(marked),
        name: "events".into(),
        is_global: false,
        replace: true,
    });
    session
        .execute(&Command {
            command_type: Some(view),
        })
        .await
        .unwrap();
    let seen: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let sink = Arc::clone(&seen);
    session.register_foreach_batch(
        "seen",
        Arc::new(move |_: i64, _: SchemaRef, batches: Vec<RecordBatch>| {
            let mut all: Vec<String> = batches.iter().flat_map(rows).collect();
            all.sort();
            sink.lock().unwrap().push(all);
            Ok(())
        }),
    );
    let query = relation(RelType::Sql(Sql {
        query: "SELECT window.start AS s, w, count(*) AS n FROM events GROUP BY window(t, '10 minutes', '5 minutes'), w".into(),
        ..Default::default()
    }));
    let start = CommandType::WriteStreamOperationStart(WriteStreamOperationStart {
        input: Some(query),
        format: "foreachBatch".into(),
        options: [("callback".to_string(), "seen".to_string())].into(),
        output_mode: "append".into(),
        query_name: "counts".into(),
        ..Default::default()
    });
    let started = session
        .execute(&Command {
            command_type: Some(start),
        })
        .await
        .unwrap();
    let CommandOutput::Query(query) = started else {
        panic!("not a query")
    };
    assert!(
        query.explain().contains("StateStoreSaveExec: mode append"),
        "{}",
        query.explain()
    );
    for data in [
        &[(4, "a"), (7, "b"), (8, "a")][..],
        &[(14, "c"), (9, "a")],
        &[(15, "a"), (8, "b"), (13, "c")],
        &[(21, "b")],
        &[(17, "x"), (4, "late")],
        &[(40, "z")],
        &[(10, "late2")],
    ] {
        add(data);
        query.process_all_available().await.unwrap();
    }
    // Waiting after every addition lets the batches without data run in between, so the batches are
    // numbered otherwise than in a run over waiting files; the rows and their order are the same.
    let emitted: Vec<Vec<String>> = seen
        .lock()
        .unwrap()
        .iter()
        .filter(|b| !b.is_empty())
        .cloned()
        .collect();
    let counts: Vec<usize> = emitted.iter().map(Vec::len).collect();
    assert_eq!(counts, [1, 2, 10], "{emitted:?}");
    assert_eq!(emitted[0], ["2024-01-01T11:55:00Z a 1"]);
    assert_eq!(
        emitted[1],
        ["2024-01-01T12:00:00Z a 3", "2024-01-01T12:00:00Z b 2"]
    );
    let last = query.last_progress().unwrap();
    assert_eq!(last.event_time["watermark"], "2024-01-01T12:30:00.000Z");
    assert_eq!(last.state_operators[0].num_rows_total, 2);
    assert_eq!(last.state_operators[0].num_rows_dropped_by_watermark, 2);
    // A query that waits does not change, so nobody who watches it draws it anew.
    let changes = query.watch();
    let version = *changes.borrow();
    query.process_all_available().await.unwrap();
    assert_eq!(*changes.borrow(), version);
    query.stop().await.unwrap();
}
