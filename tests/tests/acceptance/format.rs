//! The script format itself: splitting, values, comparison.

use std::path::Path;

use acceptance::action::{Action, split_top, words};
use acceptance::compare::same_lines;
use acceptance::outcome::{Failure, Outcome};
use acceptance::rows::ndjson;
use acceptance::script::Script;

const SCRIPT: &str = "\
# what it shows
no-kill: it never runs

source events(t timestamp, d decimal(5,2)) watermark t '10 minutes' option mode=FAILFAST

# a comment
spark-differs: because
query append once sink=memory name=n x.y=z
SELECT 1
FROM events
----
error [A.B] some 'two words'

add-data events
12:05 1.50
";

fn script() -> Script {
    Script::parse("a", Path::new("a.stream"), SCRIPT)
}

#[test]
fn a_script_is_split_into_steps_with_their_expectations() {
    let script = script();
    let verbs: Vec<_> = script.steps.iter().map(|step| step.verb.as_str()).collect();
    assert_eq!(verbs, ["source", "query", "add-data"]);
    assert_eq!(script.no_kill.as_deref(), Some("it never runs"));
    let query = &script.steps[1];
    assert_eq!(query.spark_differs.as_deref(), Some("because"));
    assert_eq!(query.body, ["SELECT 1", "FROM events"]);
    assert_eq!(
        script.lines[query.line],
        "query append once sink=memory name=n x.y=z"
    );
    let expected = query.expected_at.clone().expect("an expected block");
    assert_eq!(script.lines[expected], ["error [A.B] some 'two words'"]);
}

#[test]
fn the_words_of_source_and_query_are_understood() {
    let script = script();
    let Ok(Action::Source(source)) = Action::of(&script.steps[0], "") else {
        panic!("a source");
    };
    assert_eq!(source.schema, "t timestamp, d decimal(5,2)");
    assert_eq!(
        source.watermark,
        Some(("t".to_owned(), "10 minutes".to_owned()))
    );
    assert_eq!(source.options["mode"], "FAILFAST");
    let Ok(Action::Query(query)) = Action::of(&script.steps[1], "") else {
        panic!("a query");
    };
    assert_eq!(query.trigger.as_deref(), Some("once"));
    assert_eq!(query.sink.as_deref(), Some("memory"));
    assert_eq!(query.options["x.y"], "z");
}

#[test]
fn quotes_and_brackets_hold_parts_together() {
    assert_eq!(words("a 'b c' d"), ["a", "b c", "d"]);
    assert_eq!(
        split_top("a, f(b, 'c,d'), e", ','),
        ["a", "f(b, 'c,d')", "e"]
    );
    assert_eq!(
        split_top("x | where a < 2 | y", '|'),
        ["x", "where a < 2", "y"]
    );
}

#[test]
fn rows_become_json_by_the_types_of_their_columns() {
    let schema = "t timestamp, s string, n int, d date";
    let lines = [
        "12:05 a 1 2024-01-01",
        "2024-01-02T00:00:01.5 \"a \\\"b\\\"\" null null",
    ];
    let text = ndjson(schema, &lines.map(str::to_owned)).expect("rows that fit");
    assert_eq!(
        text,
        "{\"t\":\"2024-01-01 12:05:00\",\"s\":\"a\",\"n\":1,\"d\":\"2024-01-01\"}\n\
         {\"t\":\"2024-01-02 00:00:01.5\",\"s\":\"a \\\"b\\\"\",\"n\":null,\"d\":null}\n"
    );
    assert!(ndjson(schema, &["12:05 a".to_owned()]).is_err());
}

#[test]
fn only_the_last_digits_of_long_numbers_may_differ() {
    let same = |one: &str, other: &str| same_lines(&[one.to_owned()], &[other.to_owned()]);
    assert!(same("a 1.5275252316519465", "a 1.5275252316519468"));
    assert!(!same("a 1.5275252316519465", "a 1.5275252399999999"));
    assert!(!same("a 1.5", "a 1.6"));
    assert!(!same("a 1.50", "a 1.5"));
    assert!(!same("123456789012345", "123456789012346"));
    assert!(!same("a", "b"));
}

#[test]
fn an_expected_error_names_the_condition_and_words_of_the_message() {
    let query = &script().steps[1];
    let failed = |conditions: &[&str], message: &str| {
        let failure = Failure {
            conditions: conditions
                .iter()
                .map(|&condition| condition.to_owned())
                .collect(),
            message: message.to_owned(),
        };
        Outcome::Failed(failure).is_expected_by(query)
    };
    assert!(failed(&["A.B"], "there are Some Two Words here"));
    assert!(!failed(&["A.B"], "there are two some words here"));
    assert!(!failed(&["A.C"], "there are some two words here"));
    assert!(!failed(&[], "there are some two words here"));
    assert!(!Outcome::Done.is_expected_by(query));
}
