//! Every condition that the engine names is one of Spark's, with Spark's SQLSTATE, or listed here as our
//! own.

use std::fs;
use std::path::Path;

use tidebook_engine::Error;

use super::layering::rust_files;

/// Conditions without a SQLSTATE: Spark's connectors and its old errors have none in its list, and
/// what Spark's list does not have is our own.
const WITHOUT_STATE: &[&str] = &[
    "ILLEGAL_DATE_ADD",
    "KAFKA_MALFORMED_RECORD_TIMESTAMP",
    "KAFKA_NULL_TOPIC_IN_DATA",
    "KAFKA_START_OFFSET_DOES_NOT_MATCH_ASSIGNED",
    "KAFKA_TIMESTAMP_OFFSET_DOES_NOT_MATCH_ASSIGNED",
    "RECURSIVE_WINDOW_REFERENCE",
    "UNKNOWN_TOPIC_OR_PARTITION",
];

#[test]
fn every_condition_has_sparks_sqlstate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut named = 0;
    let mut wrong = Vec::new();
    for file in rust_files(&root.join("engine/src")) {
        let text = fs::read_to_string(&file).expect("a source");
        for call in text.split("with_condition(").skip(1) {
            let Some(literal) = call.trim_start().strip_prefix('"') else {
                continue;
            };
            let condition = literal.split('"').next().unwrap_or_default();
            named += 1;
            let state = Error::analysis("x")
                .with_condition(condition)
                .sql_state()
                .is_some();
            let listed = WITHOUT_STATE.contains(&condition) || condition.starts_with("_LEGACY_");
            if state == listed {
                wrong.push(format!("{}: {condition}", file.display()));
            }
        }
    }
    assert!(named > 300, "{named} conditions");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
