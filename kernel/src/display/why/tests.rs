//! Words from facts, without a query.

use serde_json::{Value, json};
use tidebook_engine::why::QueryWhy;
use tidebook_engine::{OutputMode, Trigger};

use super::*;

/// A query of one source that read so many rows in its only batch, of which nothing came out.
fn asked(rows: i64, why: Value, sources: Value) -> Asked {
    let progress = json!({
        "id": uuid::Uuid::from_u128(7), "runId": uuid::Uuid::from_u128(8), "name": "q",
        "timestamp": "2024-01-01T12:00:00.000Z", "batchId": 4, "batchDuration": 1,
        "numInputRows": rows, "durationMs": {"addBatch": 1},
        "stateOperators": [{
            "operatorName": "stateStoreSave", "numRowsTotal": 0, "numRowsUpdated": 0,
            "allUpdatesTimeMs": 0, "numRowsRemoved": 0, "allRemovalsTimeMs": 0, "commitTimeMs": 0,
            "memoryUsedBytes": 0, "numRowsDroppedByWatermark": 0, "numShufflePartitions": 1,
            "numStateStoreInstances": 1
        }],
        "sources": [{
            "description": "KafkaV2[Subscribe[orders]]", "startOffset": null,
            "endOffset": {"orders": {"0": 7}}, "latestOffset": {"orders": {"0": 7}},
            "numInputRows": rows
        }],
        "sink": {"description": "MemorySink", "numOutputRows": 0},
        "why": why,
    });
    let progress: StreamingQueryProgress = serde_json::from_value(progress).unwrap();
    let batch = progress.why.clone().map(|why| *why);
    Asked {
        title: "query 'q'".to_owned(),
        state: QueryState::Waiting,
        output_mode: OutputMode::Append,
        trigger: Trigger::default(),
        manual_clock: false,
        error: None,
        progress: vec![progress],
        why: QueryWhy {
            batch,
            sources: serde_json::from_value(sources).unwrap(),
            next_trigger: None,
            now: None,
        },
    }
}

fn kafka(starting: &str) -> Value {
    json!([{
        "description": "KafkaV2[Subscribe[orders]]",
        "input": {"kind": "kafka", "topics": "Subscribe[orders]", "startingOffsets": starting}
    }])
}

#[test]
fn a_topic_with_nothing_new() {
    let silent = asked(0, json!({"numOutputRows": 0}), kafka("latest")).text();
    for part in [
        "Nothing was produced to Subscribe[orders] since the query started",
        "startingOffsets: latest",
        "ends of the partitions: {\"orders\":{\"0\":7}}",
    ] {
        assert!(silent.contains(part), "{part} is not in\n{silent}");
    }
    let read = asked(3, json!({"numOutputRows": 3}), kafka("earliest")).text();
    assert!(
        read.contains("is at the end of Subscribe[orders]"),
        "{read}"
    );
}

#[test]
fn a_list_of_nodes_names_the_one_that_took_all() {
    let node = |node: &str, rows: i64, out: i64| {
        json!({
            "node": node, "detail": "v > 3", "numOutputRows": out,
            "inputs": [{"numRows": rows, "isStream": true}]
        })
    };
    let nodes = json!([
        node("filter", 5, 2),
        node("explode", 2, 0),
        node("filter", 0, 0)
    ]);
    let said = asked(5, json!({"numOutputRows": 0, "nodes": nodes}), json!([]));
    let reasons = said.reasons();
    assert!(
        reasons[0]
            .says
            .starts_with("The arrays or maps in the 2 rows of batch 4")
    );
    assert_eq!(reasons[0].figures, ["rows in: 2, rows out: 0"]);
    assert_eq!(
        reasons[1].says,
        "The filter let 2 of the 5 rows of batch 4 pass: v > 3"
    );
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert_eq!(said.first_line().unwrap(), reasons[0].says);
}

/// The words for a stateful node that let none of so many rows through.
fn stateful(operator: &str, rows: i64, late: Option<i64>) -> String {
    let late = late.map(|late| {
        json!({"numDropped": late, "watermark": "2024-01-01T12:20:00.000Z", "maxLateMs": 60_000, "rows": []})
    });
    let why = json!({
        "numOutputRows": 0,
        "nodes": [{
            "node": "stateful", "detail": "2", "numOutputRows": 0, "operator": 0,
            "inputs": [{"numRows": rows, "isStream": true}]
        }],
        "operators": [{
            "operatorName": operator, "late": late,
            "stores": [{"name": "default", "numRows": 3}]
        }]
    });
    asked(rows, why, json!([])).first_line().unwrap()
}

#[test]
fn what_remembers_says_why_it_lets_nothing_through() {
    assert_eq!(
        stateful("dedupe", 2, None),
        "All 2 rows of batch 4 are duplicates: their keys have been seen before."
    );
    assert_eq!(
        stateful("dedupe", 1, None),
        "The one row of batch 4 is a duplicate: its key has been seen before."
    );
    assert_eq!(
        stateful("dedupe", 2, Some(2)),
        "All 2 rows of batch 4 came too late, so they were dropped."
    );
    assert!(stateful("globalLimit", 2, None).starts_with("The LIMIT is reached"));
    assert!(stateful("flatMapGroupsWithState", 2, None).contains("gave no row for the 2 rows"));
}

#[test]
fn the_clock_that_is_moved_by_hand_is_told_to_the_millisecond() {
    let mut waits = asked(0, json!({"numOutputRows": 0}), json!([]));
    (waits.manual_clock, waits.trigger) = (
        true,
        Trigger::ProcessingTime(std::time::Duration::from_secs(60)),
    );
    waits.why.next_trigger = Some("2024-01-01T12:01:00.000Z".to_owned());
    for (now, advance) in [
        ("2024-01-01T12:00:00.000Z", "1 minute"),
        ("2024-01-01T12:00:30.000Z", "30 seconds"),
        ("2024-01-01T12:00:59.500Z", "500 milliseconds"),
        ("2024-01-01T11:00:00.000Z", "61 minutes"),
    ] {
        waits.why.now = Some(now.to_owned());
        let said = waits.text();
        let advance = format!("%clock advance \"{advance}\" makes it due");
        assert!(said.contains(&advance), "{advance} is not in\n{said}");
    }
}

#[test]
fn a_watermark_that_several_sources_hold_back() {
    let part = |sources: &[usize], at: Option<&str>| {
        json!({
            "column": "ts", "delayMs": 0, "sources": sources, "numRows": i32::from(at.is_some()),
            "numNulls": 0, "maxEventTime": at, "watermark": at
        })
    };
    let why = json!({
        "numOutputRows": 0,
        "watermark": {
            "current": "1970-01-01T00:00:00.000Z", "policy": "min",
            "parts": [part(&[0], Some("2024-01-01T12:00:00.000Z")), part(&[0, 1], None)]
        },
        "operators": [{
            "operatorName": "stateStoreSave", "stores": [{"name": "default", "numRows": 3}]
        }]
    });
    let source = |name: &str| json!({"name": name, "description": "MemoryStream"});
    let mut asked = asked(1, why, json!([source("a"), source("b")]));
    let held = "'a' and 'b' hold the watermark back: they have brought no row yet, and of several \
                streams the slowest decides. ";
    let append = format!("{held}Meanwhile no group is complete.");
    assert!(asked.text().contains(&append), "{}", asked.text());
    asked.output_mode = OutputMode::Update;
    let update = format!("{held}In this mode no row waits for the watermark");
    assert!(asked.text().contains(&update), "{}", asked.text());
}

#[test]
fn what_is_silent_by_its_end_has_no_line_on_the_card() {
    let mut ended = asked(0, json!({"numOutputRows": 0}), json!([]));
    ended.state = QueryState::Stopped;
    assert_eq!(ended.first_line(), None);
    assert!(ended.text().contains("The query was stopped"));
}

#[test]
fn data_is_escaped() {
    let nodes = json!([{
        "node": "filter", "detail": "v = '<b>'", "numOutputRows": 0,
        "inputs": [{"numRows": 1, "isStream": true}]
    }]);
    let asked = asked(1, json!({"numOutputRows": 0, "nodes": nodes}), json!([]));
    let html = why(&asked).data["text/html"].to_string();
    assert!(
        html.contains("&lt;b&gt;") && !html.contains("<b>'"),
        "{html}"
    );
}
