//! Stateful processors of cells: what they declare, what they do with a group, what they may not do.

use crate::fake_kernel::{failure, obedient, start};
use serde_json::{Value as Json, json};
use tidebook::prelude::*;
use tidebook::wire::{
    Call, Function, ProcessorGroup, ProcessorResult, Return, StateChange, StateEntry,
    StateVariable, StateVariableKind, WrittenEntry,
};

#[derive(Deserialize)]
struct Click {
    page: String,
}

/// Counts clicks, keeps their pages in two ways, and says so at a timer.
#[derive(Default)]
struct Visits {
    handle: StatefulProcessorHandle,
    clicks: ValueState<i64>,
    pages: ListState<String>,
    seen: MapState<String, i64>,
    /// What it does wrong.
    wrong: &'static str,
}

impl StatefulProcessor for Visits {
    type Key = String;
    type Row = Click;
    type Output = (String, i64);

    fn init(&mut self, handle: &StatefulProcessorHandle) {
        self.handle = handle.clone();
        self.clicks = handle.value_state("clicks", TtlConfig::NONE);
        self.pages = handle.list_state("pages", std::time::Duration::from_secs(20));
        self.seen = handle.map_state("seen", TtlConfig::NONE);
        if self.wrong == "early" {
            handle.register_timer(1);
        }
    }

    fn handle_input_rows(
        &mut self,
        user: &String,
        rows: Vec<Click>,
        times: &TimerValues,
    ) -> Result<Vec<(String, i64)>> {
        match self.wrong {
            "empty" => self.pages.put([]),
            "late" => drop(self.handle.value_state::<i64>("late", TtlConfig::NONE)),
            "fails" => return Err(Error::new("no good")),
            _ => {}
        }
        let clicks = self.clicks.get().unwrap_or(0) + rows.len() as i64;
        self.clicks.update(clicks);
        for click in rows {
            let seen = self.seen.get_value(&click.page).unwrap_or(0);
            self.seen.update_value(click.page.clone(), seen + 1);
            self.pages.append_value(click.page);
        }
        self.seen.remove_key(&"old".to_string());
        self.handle.register_timer(times.current_watermark_ms() + 7);
        self.handle.delete_timer(3);
        Ok(vec![(user.clone(), clicks)])
    }

    fn handle_expired_timer(
        &mut self,
        user: &String,
        timer: &ExpiredTimerInfo,
        _: &TimerValues,
    ) -> Result<Vec<(String, i64)>> {
        let left = self.handle.list_timers().len() as i64;
        self.clicks.clear();
        if timer.expiry_time_ms() == 2 {
            self.handle.register_timer(2);
            self.handle.register_timer(9);
        }
        Ok(vec![(user.clone(), left)])
    }
}

impl StatefulProcessorWithInitialState for Visits {
    type InitialState = Click;

    fn handle_initial_state(&mut self, _: &String, row: Click, _: &TimerValues) -> Result<()> {
        self.pages.put([row.page]);
        Ok(())
    }
}

const OUTPUT: &str = "user STRING, clicks BIGINT";
const CALL: Call = Call::Processor {
    batch_timestamp_ms: 10,
    watermark_ms: 5,
};

fn entry(key: Option<&str>, value: &str) -> StateEntry {
    StateEntry {
        key: key.map(str::to_string),
        value: value.to_string(),
    }
}

fn processed(visits: Visits, mode: TimeMode) -> Result<DataFrame> {
    let clicks = spark.table("clicks")?.group_by(["user"]);
    clicks.transform_with_state(visits, mode, OutputMode::Append, OUTPUT)
}

fn rows(pages: &[&str]) -> Vec<Json> {
    pages.iter().map(|page| json!({"page": page})).collect()
}

#[test]
fn a_processor_keeps_state_and_timers() {
    let Ok(kernel) = start("processors::a_processor_keeps_state_and_timers", obedient) else {
        return;
    };
    let clicks = spark.table("clicks").unwrap().group_by(["user"]);
    let initial = spark.table("before").unwrap().group_by(["user"]);
    clicks
        .transform_with_initial_state(
            Visits::default(),
            TimeMode::ProcessingTime,
            OutputMode::Append,
            OUTPUT,
            &initial,
        )
        .unwrap();
    let declared = |name: &str, kind, holds: &str, ttl_ms| StateVariable {
        name: name.to_string(),
        kind,
        value_type: holds.to_string(),
        ttl_ms,
    };
    let expected = Function::StatefulProcessor {
        output: OUTPUT.to_string(),
        variables: vec![
            declared("clicks", StateVariableKind::Value, "i64", None),
            declared("pages", StateVariableKind::List, "String", Some(20_000)),
            declared("seen", StateVariableKind::Map, "String: i64", None),
        ],
        deleted: Vec::new(),
    };
    assert_eq!(kernel.function(), expected);

    let groups = [
        ProcessorGroup {
            key: vec![json!("ann")],
            rows: rows(&["a", "b", "a"]),
            timers: vec![3, 4],
            state: vec![
                vec![entry(None, "1")],
                vec![entry(None, "\"z\"")],
                vec![entry(Some("\"old\""), "5"), entry(Some("\"b\""), "8")],
            ],
            ..Default::default()
        },
        ProcessorGroup {
            key: vec![json!("bob")],
            initial: rows(&["first"]),
            state: vec![vec![], vec![], vec![]],
            ..Default::default()
        },
        ProcessorGroup {
            key: vec![json!("cid")],
            expired_timers: vec![2, 4],
            timers: vec![2, 4, 20],
            state: vec![vec![entry(None, "6")], vec![], vec![]],
            ..Default::default()
        },
    ];
    let (answer, body) = kernel.call(&CALL, &serde_json::to_vec(&groups).unwrap());
    assert_eq!(answer, Return::Done);
    let results: Vec<ProcessorResult> = serde_json::from_slice(&body).unwrap();
    let written = |replaces, entry| WrittenEntry { replaces, entry };
    let ann = ProcessorResult {
        rows: vec![json!({"user": "ann", "clicks": 4})],
        changes: vec![
            StateChange {
                variable: 0,
                removed: vec![],
                written: vec![written(Some(0), entry(None, "4"))],
            },
            StateChange {
                variable: 1,
                removed: vec![],
                written: ["\"a\"", "\"b\"", "\"a\""]
                    .map(|page| written(None, entry(None, page)))
                    .to_vec(),
            },
            StateChange {
                variable: 2,
                removed: vec![0],
                written: vec![
                    written(Some(1), entry(Some("\"b\""), "9")),
                    written(None, entry(Some("\"a\""), "2")),
                ],
            },
        ],
        registered_timers: vec![12],
        deleted_timers: vec![3],
        ..Default::default()
    };
    let bob = ProcessorResult {
        changes: vec![StateChange {
            variable: 1,
            removed: vec![],
            written: vec![written(None, entry(None, "\"first\""))],
        }],
        ..Default::default()
    };
    let cid = ProcessorResult {
        timer_rows: vec![
            vec![json!({"user": "cid", "clicks": 3})],
            vec![json!({"user": "cid", "clicks": 3})],
        ],
        changes: vec![StateChange {
            variable: 0,
            removed: vec![0],
            written: vec![],
        }],
        registered_timers: vec![9],
        deleted_timers: vec![2, 4],
        ..Default::default()
    };
    assert_eq!(results, [ann, bob, cid]);
}

#[test]
fn what_a_processor_may_not_do_fails() {
    let Ok(kernel) = start("processors::what_a_processor_may_not_do_fails", obedient) else {
        return;
    };
    let visits = |wrong| Visits {
        wrong,
        ..Default::default()
    };
    let early = processed(visits("early"), TimeMode::EventTime).unwrap_err();
    let handle = "STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_HANDLE_STATE";
    assert_eq!(early.condition(), Some(handle));

    processed(visits(""), TimeMode::None).unwrap();
    let groups = [ProcessorGroup {
        key: vec![json!("ann")],
        rows: rows(&["a"]),
        state: vec![vec![], vec![], vec![]],
        ..Default::default()
    }];
    let body = serde_json::to_vec(&groups).unwrap();
    let (answer, _) = kernel.call(&CALL, &body);
    let (ename, message) = failure(&answer);
    assert_eq!(ename, "IllegalArgumentException");
    assert!(message.contains("needs a time mode"), "{message}");
}

/// A state variable that no handle has given cannot be used.
#[test]
fn a_variable_of_no_handle_is_empty() {
    let unbound: ValueState<i64> = ValueState::default();
    unbound.update(1);
    assert_eq!(unbound.get(), None);
}
