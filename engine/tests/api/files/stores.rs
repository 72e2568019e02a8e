//! Files in stores behind URLs: the same as on the disk.

use tidebook_engine::Session;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::write_operation::SaveMode;
use tidebook_engine::connect::proto::{Deduplicate, Relation};

use super::support::{Start, failure, read_all, rows, stream, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_holds_sources_sinks_and_checkpoints() {
    let session = Session::new().unwrap();
    let sql = "SELECT id, CAST(id % 2 AS STRING) AS k FROM range(10)";
    write(
        &session,
        sql,
        "json",
        "memory:///in",
        SaveMode::Append,
        &[],
        &["k"],
    )
    .await
    .unwrap();
    let input = || stream("json", "id BIGINT", "memory:///in", &[]);
    assert_eq!(read_all(&session, input()).await.unwrap().len(), 10);
    let run = || {
        Start {
            input: input(),
            format: "parquet",
            path: "memory:///out".to_string(),
            checkpoint: "memory:///checkpoint".to_string(),
            options: &[],
            partition_by: &["k"],
        }
        .run(&session)
    };
    run().await.unwrap();
    write(
        &session,
        "SELECT 10 AS id, '0' AS k",
        "json",
        "memory:///in",
        SaveMode::Append,
        &[],
        &["k"],
    )
    .await
    .unwrap();
    run().await.unwrap();
    let found = rows(
        &session,
        "SELECT k, count(*) FROM parquet.`memory:///out` GROUP BY k",
    )
    .await;
    assert_eq!(found, ["0|6", "1|5"]);
    let pattern = stream("json", "id BIGINT", "memory:///in/k=[^0]/*.json", &[]);
    assert_eq!(read_all(&session, pattern).await.unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_be_had_is_named() {
    let session = Session::new().unwrap();
    let error = failure(&session, stream("json", "id BIGINT", "hdfs://host/x", &[])).await;
    assert!(error.message().contains("no scheme 'hdfs'"), "{error}");
    let error = failure(
        &session,
        stream("json", "id BIGINT", "memory:///nothing", &[]),
    )
    .await;
    assert_eq!(error.condition(), Some("PATH_NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_holds_the_state_of_a_query() {
    for state_store in ["memory", "disk"] {
        let session = Session::new().unwrap();
        let add = async |sql: &str| {
            let mode = SaveMode::Append;
            let written = write(&session, sql, "json", "memory:///in", mode, &[], &[]);
            written.await.unwrap();
        };
        let run = async || {
            let input = stream("json", "id BIGINT", "memory:///in", &[]);
            let distinct = RelType::Deduplicate(Box::new(Deduplicate {
                input: Some(Box::new(input)),
                all_columns_as_keys: Some(true),
                ..Default::default()
            }));
            Start {
                input: Relation {
                    common: None,
                    rel_type: Some(distinct),
                },
                format: "json",
                path: "memory:///out".to_string(),
                checkpoint: "memory:///checkpoint".to_string(),
                options: &[("stateStore", state_store)],
                partition_by: &[],
            }
            .run(&session)
            .await
            .unwrap()
        };
        // More versions than stay without a snapshot; each run goes on from what is in the store.
        for upper in 1..=12 {
            add(&format!("SELECT id FROM range({upper})")).await;
            run().await;
        }
        let found = rows(
            &session,
            "SELECT count(*), max(id) FROM json.`memory:///out`",
        )
        .await;
        assert_eq!(found, ["12|11"]);
        let state = "SELECT count(*) FROM statestore.`memory:///checkpoint`";
        assert_eq!(rows(&session, state).await, ["12"]);
    }
}
