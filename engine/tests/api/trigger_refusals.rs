//! What queries under the triggers continuous and real-time cannot do, and what is no trigger.

use std::path::Path;

use tidebook_engine::Session;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_stream_operation_start::Trigger;
use tidebook_engine::connect::proto::{
    CreateDataFrameViewCommand, Read, WriteStreamOperationStart, read,
};

use super::triggers::{Lesson, SECOND, continuous, real_time};
use super::user_code::support::{execute, relation, soon, sql, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_continuous_processing_cannot_do() {
    let lesson = Lesson::new().await;
    for (query, mode, expected) in [
        (
            "SELECT ts, user FROM marked",
            "append",
            "EventTimeWatermark",
        ),
        ("SELECT count(*) FROM events", "update", "Aggregate"),
        ("SELECT DISTINCT user FROM events", "update", "Deduplicate"),
        ("SELECT user FROM events LIMIT 3", "append", "LocalLimit"),
        (
            "SELECT user FROM events UNION ALL SELECT user FROM events",
            "append",
            "Union",
        ),
        (
            "SELECT e.user FROM events e JOIN VALUES (1) AS t(x) ON e.n = t.x",
            "append",
            "LocalRelation",
        ),
        (
            "SELECT e.user FROM events e JOIN events f ON e.n = f.n",
            "append",
            "Join",
        ),
        (
            "SELECT explode(array(1, 2)) FROM events",
            "append",
            "Generate",
        ),
        (
            "SELECT current_date() FROM events",
            "append",
            "current time",
        ),
        (
            "SELECT current_timestamp() FROM events",
            "append",
            "current time",
        ),
        (
            "SELECT user FROM events WHERE ts < now()",
            "append",
            "current time",
        ),
    ] {
        let error = lesson
            .start(query, mode, continuous(SECOND))
            .await
            .unwrap_err();
        let expected = format!("Continuous processing does not support {expected} operations.");
        assert_eq!(error.message(), expected, "{query}");
        assert_eq!(error.condition(), Some("_LEGACY_ERROR_TEMP_3102"));
    }
    // What a micro-batch may not do comes first.
    let error = lesson.start("SELECT user FROM events", "complete", continuous(SECOND));
    let error = error.await.unwrap_err();
    let condition = "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION";
    assert_eq!(error.condition(), Some(condition));
    for query in [
        "SELECT upper(user) AS u, n + 1 FROM events WHERE n > 0",
        "SELECT u FROM (SELECT user AS u FROM events) WHERE u LIKE 'a%'",
    ] {
        let query = lesson.start(query, "update", continuous(SECOND)).await;
        soon(query.unwrap().stop()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triggers_that_are_none() {
    let lesson = Lesson::new().await;
    let negative = "requirement failed: the interval of trigger should not be negative";
    for (trigger, expected) in [
        (continuous("-1 second"), negative),
        (real_time("-5 seconds"), negative),
        (
            Some(Trigger::ProcessingTimeInterval("-1 second".into())),
            negative,
        ),
        (continuous("abc"), "'abc' is not a number"),
        (continuous("1 month"), "has no fixed length"),
        (real_time(""), "it is empty"),
        (
            real_time("0 seconds"),
            "the batch duration of real-time should be more than zero",
        ),
    ] {
        let error = lesson.start("SELECT user FROM events", "append", trigger.clone());
        let error = error.await.unwrap_err();
        assert!(error.message().contains(expected), "{trigger:?}: {error}");
        assert!(error.hint().is_some(), "{trigger:?}");
    }
    let error = lesson.start("SELECT user FROM events", "append", continuous("abc"));
    let condition = "INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER";
    assert_eq!(error.await.unwrap_err().condition(), Some(condition));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sinks_that_take_whole_batches_are_refused() {
    let lesson = Lesson::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |folder: &Path| folder.to_str().unwrap().to_string();
    for (trigger, condition) in [
        (continuous(SECOND), "_LEGACY_ERROR_TEMP_1195"),
        (
            real_time(SECOND),
            "STREAMING_REAL_TIME_MODE.SINK_NOT_SUPPORTED",
        ),
    ] {
        for format in ["parquet", "foreachBatch"] {
            let mut options = vec![("checkpointLocation", path(lesson.checkpoint.path()))];
            match format {
                "parquet" => options.push(("path", path(folder.path()))),
                _ => options.push(("callback", "take".to_string())),
            }
            let options = options.into_iter();
            let command = WriteStreamOperationStart {
                input: Some(sql("SELECT user FROM events")),
                format: format.into(),
                options: options
                    .map(|(key, value)| (key.to_string(), value))
                    .collect(),
                trigger: trigger.clone(),
                ..Default::default()
            };
            let error = start(&lesson.session, command).await.unwrap_err();
            assert_eq!(error.condition(), Some(condition), "{format}: {error}");
            assert!(error.message().contains(format), "{error}");
        }
    }
}

/// A stream `read` of a format.
async fn define(session: &Session, format: &str, schema: &str, option: (&str, &str)) {
    let (name, value) = option;
    let input = relation(RelType::Read(Read {
        is_streaming: true,
        read_type: Some(read::ReadType::DataSource(read::DataSource {
            format: Some(format.into()),
            schema: (!schema.is_empty()).then(|| schema.to_string()),
            options: [(name.to_string(), value.to_string())].into(),
            ..Default::default()
        })),
    }));
    let view = CommandType::CreateDataframeView(CreateDataFrameViewCommand {
        input: Some(input),
        name: "read".into(),
        is_global: false,
        replace: true,
    });
    execute(session, view).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_that_continuous_processing_does_not_read() {
    let lesson = Lesson::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for (format, schema, option, expected, condition) in [
        (
            "text",
            "value STRING",
            ("path", path),
            "Continuous processing does not support StreamingRelation operations.",
            "_LEGACY_ERROR_TEMP_3102",
        ),
        (
            "rate-micro-batch",
            "",
            ("rowsPerBatch", "1"),
            "Data source rate-micro-batch does not support continuous processing.",
            "_LEGACY_ERROR_TEMP_2253",
        ),
    ] {
        define(&lesson.session, format, schema, option).await;
        let query = lesson.start("SELECT value FROM read", "append", continuous(SECOND));
        let error = query.await.unwrap_err();
        assert_eq!(error.message(), expected);
        assert_eq!(error.condition(), Some(condition));
        assert!(error.hint().unwrap().contains("realTime"), "{error}");
    }
    // A rate, also one that grows, is read.
    define(&lesson.session, "rate", "", ("rampUpTime", "4s")).await;
    let query = "SELECT CAST(value AS STRING) FROM read";
    let query = lesson.start(query, "append", continuous(SECOND)).await;
    soon(query.unwrap().stop()).await.unwrap();
}
