//! mapGroupsWithState and flatMapGroupsWithState: state, timeouts, late rows, refusals.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema};
use serde_json::{Value, json};
use tidebook_engine::clock::ManualClock;
use tidebook_engine::connect::proto::expression::{ExprType, UnresolvedAttribute};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{
    CommonInlineUserDefinedFunction, Expression, GroupMap, Relation,
};
use tidebook_engine::{
    BatchTimes, Cancellation, Error, Group, GroupResult, GroupsFunction, Result, Session,
};
use tokio::sync::Notify;

use super::support::{
    Collected, Feed, PATIENCE, Start, relation, soon, sql, table, with_watermark,
};

/// A closure that is called group by group.
struct PerGroup<F>(F);

impl<F> fmt::Debug for PerGroup<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PerGroup")
    }
}

impl<F> GroupsFunction for PerGroup<F>
where
    F: Fn(&Group, BatchTimes) -> GroupResult + Send + Sync,
{
    fn call(
        &self,
        groups: Vec<Group>,
        times: BatchTimes,
        _: &Cancellation,
    ) -> Result<Vec<GroupResult>> {
        Ok(groups.iter().map(|group| self.0(group, times)).collect())
    }
}

/// What one test asks of the relation.
struct Groups<'a> {
    function: &'a str,
    keys: &'a [&'a str],
    timeout: &'a str,
    output_mode: &'a str,
    map: bool,
}

const UPDATE: Groups<'static> = Groups {
    function: "f#1",
    keys: &["user"],
    timeout: "NoTimeout",
    output_mode: "Update",
    map: false,
};

impl Groups<'_> {
    fn over(&self, input: Relation) -> Relation {
        let column = |name: &&str| Expression {
            common: None,
            expr_type: Some(ExprType::UnresolvedAttribute(UnresolvedAttribute {
                unparsed_identifier: name.to_string(),
                ..Default::default()
            })),
        };
        relation(RelType::GroupMap(Box::new(GroupMap {
            input: Some(Box::new(input)),
            grouping_expressions: self.keys.iter().map(column).collect(),
            func: Some(CommonInlineUserDefinedFunction {
                function_name: self.function.into(),
                ..Default::default()
            }),
            is_map_groups_with_state: Some(self.map),
            output_mode: Some(self.output_mode.into()),
            timeout_conf: Some(self.timeout.into()),
            ..Default::default()
        })))
    }
}

fn session_with<F>(clock: Option<ManualClock>, function: F) -> Session
where
    F: Fn(&Group, BatchTimes) -> GroupResult + Send + Sync + 'static,
{
    let builder = match clock {
        Some(clock) => Session::builder().clock(Arc::new(clock)),
        None => Session::builder(),
    };
    let session = builder.build().unwrap();
    let output = Schema::new(vec![
        Field::new("user", DataType::Utf8, true),
        Field::new("n", DataType::Int64, true),
    ]);
    session.register_groups_function("f#1", Arc::new(output), Arc::new(PerGroup(function)));
    session
}

/// Adds up `n`; a sum over 100 forgets the user, and a user that times out is emitted with -1.
fn adds_up(group: &Group, _: BatchTimes) -> GroupResult {
    let old: i64 = group
        .state
        .as_deref()
        .map_or(0, |state| state.parse().unwrap());
    let new = group.rows.iter().map(|row| row["n"].as_i64().unwrap());
    let sum = old + new.sum::<i64>();
    let shown = if group.has_timed_out { -1 } else { sum };
    GroupResult {
        rows: vec![json!({"user": group.key[0], "n": shown})],
        state: (sum <= 100 && !group.has_timed_out).then(|| sum.to_string()),
        timeout_ms: None,
    }
}

async fn added(
    feed: &Feed,
    query: &tidebook_engine::StreamingQuery,
    rows: &Collected,
    data: &[(i64, &str, i64)],
) -> Vec<String> {
    feed.add(data);
    soon(query.process_all_available()).await.unwrap();
    rows.take()
}

/// New rows, the rows they give, how many groups there are then and how many were removed.
type Step<'a> = (&'a [(i64, &'a str, i64)], &'a [&'a str], i64, i64);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_grows_is_forgotten_and_survives_restarts() {
    let session = session_with(None, adds_up);
    let feed = Feed::new(&session, "events");
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().to_str().unwrap();
    let batches: [Step<'_>; 4] = [
        (
            &[(1, "bob", 1), (1, "ann", 2), (1, "bob", 3)],
            &["ann 2", "bob 4"],
            2,
            0,
        ),
        (&[(2, "ann", 99)], &["ann 101"], 1, 1),
        (&[(3, "ann", 5), (3, "bob", 6)], &["ann 5", "bob 10"], 2, 0),
        (&[(4, "cid", 200)], &["cid 200"], 2, 0),
    ];
    for (data, expected, total, removed) in batches {
        let mut start = Start::new("sums", UPDATE.over(table("events")), "update");
        start.checkpoint = Some(checkpoint);
        let (query, rows) = start.run(&session).await.unwrap();
        assert_eq!(added(&feed, &query, &rows, data).await, expected);
        let progress = query.recent_progress();
        let progress = progress
            .iter()
            .rev()
            .find(|progress| progress.num_input_rows > 0);
        let state = &progress.unwrap().state_operators[0];
        assert_eq!(state.operator_name, "flatMapGroupsWithState");
        assert_eq!(
            (state.num_rows_total, state.num_rows_removed),
            (total, removed)
        );
        query.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_sees_keys_rows_and_times_as_json() {
    let seen: Arc<Mutex<Vec<Group>>> = Arc::default();
    let seeing = Arc::clone(&seen);
    let session = session_with(None, move |group, _| {
        seeing.lock().unwrap().push(group.clone());
        GroupResult {
            rows: vec![
                json!({"n": group.rows.len()}),
                json!({"user": null, "n": 0}),
            ],
            ..Default::default()
        }
    });
    let feed = Feed::new(&session, "events");
    let input = sql("SELECT ts, user, n, named_struct('a', n) AS s FROM events");
    let groups = Groups {
        keys: &["user", "s.a"],
        output_mode: "Append",
        ..UPDATE
    };
    let (query, rows) = Start::new("q", groups.over(input), "append")
        .run(&session)
        .await
        .unwrap();
    let data = [
        (1_700_000_000, "ann", 2),
        (1_700_000_001, "ann", 1),
        (1_700_000_002, "ann", 2),
    ];
    assert_eq!(
        added(&feed, &query, &rows, &data).await,
        ["NULL 1", "NULL 0", "NULL 2", "NULL 0"]
    );
    let seen = seen.lock().unwrap().clone();
    let keys: Vec<&[Value]> = seen.iter().map(|group| group.key.as_slice()).collect();
    assert_eq!(keys, [[json!("ann"), json!(1)], [json!("ann"), json!(2)]]);
    let row = json!({"ts": "2023-11-14T22:13:21Z", "user": "ann", "n": 1, "s": {"a": 1}});
    assert_eq!(seen[0].rows, [row]);
    assert_eq!(seen[0].state, None);
    query.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_time_timeout_fires_when_the_watermark_passes_it() {
    let session = session_with(None, |group, times| {
        let result = adds_up(group, times);
        let timeout = group.rows.iter().map(|row| {
            let time: chrono::DateTime<chrono::Utc> = row["ts"].as_str().unwrap().parse().unwrap();
            time.timestamp_millis() + 10_000
        });
        GroupResult {
            timeout_ms: timeout.max(),
            ..result
        }
    });
    let feed = Feed::new(&session, "events");
    let groups = Groups {
        timeout: "EventTimeTimeout",
        output_mode: "Append",
        ..UPDATE
    };
    let input = with_watermark(table("events"), "ts", "5 seconds");
    let (query, rows) = Start::new("q", groups.over(input), "append")
        .run(&session)
        .await
        .unwrap();
    assert_eq!(
        added(&feed, &query, &rows, &[(100, "ann", 1)]).await,
        ["ann 1"]
    );
    // The watermark comes to 110, where ann's timeout is: not past it.
    assert_eq!(
        added(&feed, &query, &rows, &[(115, "bob", 1)]).await,
        ["bob 1"]
    );
    // To 111: a batch without rows calls ann. Bob's row is at the old watermark, so it is late.
    assert_eq!(
        added(&feed, &query, &rows, &[(116, "cid", 1), (110, "bob", 7)]).await,
        ["cid 1", "ann -1"]
    );
    let dropped: i64 = query
        .recent_progress()
        .iter()
        .flat_map(|progress| &progress.state_operators)
        .map(|state| state.num_rows_dropped_by_watermark)
        .sum();
    assert_eq!(dropped, 1);
    // To 126: past bob's 125, not past cid's.
    assert_eq!(
        added(&feed, &query, &rows, &[(131, "dan", 1)]).await,
        ["dan 1", "bob -1"]
    );
    query.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_processing_time_timeout_fires_without_new_rows() {
    let clock = ManualClock::new(1_000_000);
    let session = session_with(Some(clock.clone()), |group, times| GroupResult {
        timeout_ms: (!group.has_timed_out).then(|| times.batch_timestamp_ms + 10_000),
        ..adds_up(group, times)
    });
    let feed = Feed::new(&session, "events");
    let groups = Groups {
        timeout: "ProcessingTimeTimeout",
        ..UPDATE
    };
    let start = Start::new("q", groups.over(table("events")), "update");
    let (query, rows) = start.run(&session).await.unwrap();
    assert_eq!(
        added(&feed, &query, &rows, &[(1, "ann", 1)]).await,
        ["ann 1"]
    );
    clock.advance(Duration::from_secs(10));
    soon(query.process_all_available()).await.unwrap();
    assert!(rows.take().is_empty());
    clock.advance(Duration::from_millis(1));
    soon(query.process_all_available()).await.unwrap();
    assert_eq!(rows.take(), ["ann -1"]);
    // One batch for the row and one for the timeout.
    assert_eq!(
        added(&feed, &query, &rows, &[(1, "ann", 3)]).await,
        ["ann 3"]
    );
    assert_eq!(query.last_progress().unwrap().batch_id, 2);
    query.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_function_returns_is_checked() {
    let returns = |result: fn(&Group, BatchTimes) -> GroupResult| session_with(None, result);
    let cases: [(Session, &str, bool, &str); 5] = [
        (
            returns(|_, _| GroupResult {
                rows: vec![json!({"user": 1.5, "nn": 1})],
                ..Default::default()
            }),
            "NoTimeout",
            false,
            "function 'f' returned a row that does not fit",
        ),
        (
            returns(|_, _| GroupResult {
                rows: vec![json!({"n": "many"})],
                ..Default::default()
            }),
            "NoTimeout",
            false,
            "function 'f' returned a row that does not fit",
        ),
        (
            returns(|_, _| GroupResult {
                timeout_ms: Some(1),
                ..Default::default()
            }),
            "NoTimeout",
            false,
            "function 'f' set a timeout, but the query has none",
        ),
        (
            returns(|_, times| GroupResult {
                timeout_ms: Some(times.batch_timestamp_ms),
                ..Default::default()
            }),
            "ProcessingTimeTimeout",
            false,
            "function 'f' set the timeout",
        ),
        (
            returns(|_, _| GroupResult::default()),
            "NoTimeout",
            true,
            "function 'f' returned 0 rows for a group, not one",
        ),
    ];
    for (session, timeout, map, message) in cases {
        let feed = Feed::new(&session, "events");
        let groups = Groups {
            timeout,
            map,
            ..UPDATE
        };
        let query = Start::new("q", groups.over(table("events")), "update");
        let (query, _) = query.run(&session).await.unwrap();
        feed.add(&[(1, "ann", 1)]);
        let error = soon(query.await_termination(Some(PATIENCE)))
            .await
            .unwrap_err();
        assert_eq!(error.condition(), Some("FAILED_EXECUTE_UDF"), "{error}");
        assert!(error.message().contains(message), "{error}");
    }
}

#[derive(Debug)]
struct Stuck(Arc<Notify>);

impl GroupsFunction for Stuck {
    fn call(&self, _: Vec<Group>, _: BatchTimes, stop: &Cancellation) -> Result<Vec<GroupResult>> {
        self.0.notify_one();
        while !stop.is_cancelled() {
            std::thread::yield_now();
        }
        Err(Error::runtime("given up"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_stops_although_its_function_never_returns() {
    let session = Session::new().unwrap();
    let feed = Feed::new(&session, "events");
    let entered = Arc::new(Notify::new());
    let output = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
    session.register_groups_function("f#1", output, Arc::new(Stuck(Arc::clone(&entered))));
    let query = Start::new("q", UPDATE.over(table("events")), "update");
    let (query, _) = query.run(&session).await.unwrap();
    feed.add(&[(1, "ann", 1)]);
    soon(entered.notified()).await;
    soon(query.stop()).await.unwrap();
    assert!(query.exception().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_run_is_refused_at_the_start() {
    let session = session_with(None, adds_up);
    let _feed = Feed::new(&session, "events");
    let refused = async |groups: Groups<'_>, mode: &str| {
        let start = Start::new("q", groups.over(table("events")), mode);
        start.run(&session).await.err().unwrap()
    };
    let error = refused(UPDATE, "append").await;
    assert_eq!(
        error.condition(),
        Some("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"),
        "{error}"
    );
    assert_eq!(error.hint(), Some("use the output mode update"));
    let append = Groups {
        output_mode: "Append",
        ..UPDATE
    };
    assert_eq!(
        refused(append, "update").await.hint(),
        Some("use the output mode append")
    );
    let map = Groups {
        map: true,
        ..UPDATE
    };
    assert_eq!(
        refused(map, "append").await.hint(),
        Some("use the output mode update")
    );
    let event_time = Groups {
        timeout: "EventTimeTimeout",
        ..UPDATE
    };
    let error = refused(event_time, "update").await;
    assert!(error.message().contains("needs a watermark"), "{error}");
    let unknown = Groups {
        function: "g",
        ..UPDATE
    };
    let error = refused(unknown, "update").await;
    assert_eq!(error.message(), "no function 'g' over groups is registered");
    let never = Groups {
        timeout: "Never",
        ..UPDATE
    };
    let error = refused(never, "update").await;
    assert!(
        error.hint().unwrap().starts_with("use NoTimeout"),
        "{error}"
    );
    let start = Start::new("q", UPDATE.over(sql("SELECT 'a' AS user")), "update");
    let error = start.run(&session).await.err().unwrap();
    assert!(error.message().contains("need a stream"), "{error}");

    let update = Groups { ..UPDATE };
    let twice = update.over(update.over(table("events")));
    let error = Start::new("q", twice, "update")
        .run(&session)
        .await
        .err()
        .unwrap();
    assert!(
        error.message().contains("must all be in append mode"),
        "{error}"
    );
}
