//! `spark.sql.streaming.minBatchesToRetain`: old files of a checkpoint go, what they said stays.

use tidebook_engine::Session;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{Deduplicate, Relation};

use super::support::{Folder, Start, rows, stream};

const BATCHES: u64 = 45;
const RETAINED: usize = 3;

/// One batch for each new file: the distinct values of `v`.
async fn run(session: &Session, folder: &Folder) {
    let input = stream(
        "json",
        "v BIGINT",
        &folder.text("in"),
        &[("maxFilesPerTrigger", "1")],
    );
    let distinct = Deduplicate {
        input: Some(Box::new(input)),
        column_names: vec!["v".to_owned()],
        ..Default::default()
    };
    let start = Start {
        input: Relation {
            common: None,
            rel_type: Some(RelType::Deduplicate(Box::new(distinct))),
        },
        format: "json",
        path: folder.text("out"),
        checkpoint: folder.text("checkpoint"),
        options: &[],
        partition_by: &[],
    };
    start.run(session).await.unwrap();
}

/// What is left when so many batches are to stay readable: the compacted file before them, and all
/// files from there on, which are at most those of two compactions.
fn check_compacted(folder: &Folder, log: &str) {
    let names = folder.names(log);
    assert!(names.contains(&"39.compact".to_owned()), "{log}: {names:?}");
    assert!(
        !names.contains(&"19.compact".to_owned()),
        "{log}: {names:?}"
    );
    assert!(!names.contains(&"20".to_owned()), "{log}: {names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_batches_stay_and_nothing_is_forgotten() {
    let session = Session::new().unwrap();
    let retained = RETAINED.to_string();
    session
        .set_conf("spark.sql.streaming.minBatchesToRetain", &retained)
        .unwrap();
    let folder = Folder::new();
    for id in 0..BATCHES {
        // Every value comes twice, the second time long after the first.
        let (value, again) = (id, id.saturating_sub(30));
        let text = format!("{{\"v\":{value}}}\n{{\"v\":{again}}}\n");
        folder.add(&format!("in/{id:02}.json"), id, text);
    }
    run(&session, &folder).await;
    for log in ["offsets", "commits"] {
        let names = folder.names(&format!("checkpoint/{log}"));
        assert!(names.len() <= RETAINED + 1, "{log}: {names:?}");
        assert!(
            names.contains(&(BATCHES - 1).to_string()),
            "{log}: {names:?}"
        );
    }
    check_compacted(&folder, "checkpoint/sources/0");
    check_compacted(&folder, "out/_spark_metadata");
    let state = folder.names("checkpoint/state/0/0");
    let deltas = state.iter().filter(|name| name.ends_with(".delta"));
    assert!(deltas.count() < 30, "{state:?}");
    // A restart finds what it needs: no file and no value comes again.
    folder.add("in/99.json", 99, "{\"v\":0}\n{\"v\":44}\n{\"v\":100}\n");
    run(&session, &folder).await;
    session
        .sql(&format!(
            "CREATE TEMPORARY VIEW written USING json OPTIONS (path '{}')",
            folder.text("out")
        ))
        .await
        .unwrap();
    let found = rows(&session, "SELECT count(*), count(DISTINCT v) FROM written").await;
    assert_eq!(found, ["46|46"]);
}
