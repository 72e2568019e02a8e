//! Scalar functions in batch and streaming queries, and how they fail.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use tidebook_engine::connect::proto::expression::{
    ExprType, UnresolvedAttribute, UnresolvedFunction,
};
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{
    CallFunction, CommonInlineUserDefinedFunction, Expression, Project,
};
use tidebook_engine::{Cancellation, Error, Result, ScalarFunction, Session, UserDefinedFunction};
use tokio::sync::Notify;

use super::support::{Feed, PATIENCE, Start, lines, relation, select, soon, sql, try_select};

/// A closure as a function.
struct Closure<F>(F);

impl<F> fmt::Debug for Closure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closure")
    }
}

impl<F> UserDefinedFunction for Closure<F>
where
    F: Fn(&[ArrayRef], usize, &Cancellation) -> Result<ArrayRef> + Send + Sync,
{
    fn call(&self, arguments: &[ArrayRef], rows: usize, stop: &Cancellation) -> Result<ArrayRef> {
        self.0(arguments, rows, stop)
    }
}

fn function<F>(name: &str, arguments: &[DataType], returns: DataType, call: F) -> ScalarFunction
where
    F: Fn(&[ArrayRef], usize, &Cancellation) -> Result<ArrayRef> + Send + Sync + 'static,
{
    ScalarFunction {
        name: name.into(),
        arguments: arguments.to_vec(),
        returns,
        deterministic: true,
        function: Arc::new(Closure(call)),
    }
}

fn plus(name: &str, more: f64) -> ScalarFunction {
    let double = DataType::Float64;
    function(
        name,
        std::slice::from_ref(&double),
        double.clone(),
        move |arguments, rows, _| {
            let numbers = arguments[0].as_primitive::<Float64Type>();
            assert_eq!(numbers.len(), rows);
            Ok(Arc::new(numbers.unary::<_, Float64Type>(|number| number + more)) as _)
        },
    )
}

/// Never returns of itself.
fn forever(name: &str, entered: Arc<Notify>, left: Arc<AtomicBool>) -> ScalarFunction {
    let long = DataType::Int64;
    function(
        name,
        std::slice::from_ref(&long),
        long.clone(),
        move |_, _, stop| {
            entered.notify_one();
            while !stop.is_cancelled() {
                std::thread::yield_now();
            }
            left.store(true, Ordering::Release);
            Err(Error::runtime("given up"))
        },
    )
}

/// Waits until a function that was to stop has stopped, which nobody else waits for.
async fn given_up(left: &AtomicBool) {
    while !left.load(Ordering::Acquire) {
        tokio::task::yield_now().await;
    }
}

fn session_with(functions: impl IntoIterator<Item = ScalarFunction>) -> Session {
    let session = Session::new().unwrap();
    for function in functions {
        session.register_function(function).unwrap();
    }
    session
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_is_found_in_any_case_and_gets_what_it_was_declared_for() {
    let session = session_with([plus("plusHalf", 0.5)]);
    let query = "SELECT plushalf(x), PLUSHALF(CAST(x AS INT)), plusHalf('1.25') \
                 FROM VALUES (CAST(1.5 AS DOUBLE)), (CAST(NULL AS DOUBLE)) AS t(x)";
    assert_eq!(
        select(&session, query).await,
        ["2.0 1.5 1.75", "NULL NULL 1.75"]
    );
    assert_eq!(select(&session, "SELECT plusHalf(2.5)").await, ["3.0"]);
    assert_eq!(select(&session, "SELECT plusHalf(NULL)").await, ["NULL"]);
    session.register_function(plus("PLUSHALF", 1.0)).unwrap();
    assert_eq!(select(&session, "SELECT plusHalf(2)").await, ["3.0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregate_takes_what_is_made_of_a_cast_column() {
    let session = session_with([plus("plus_one", 1.0)]);
    let values = "(SELECT CAST(n AS DOUBLE) AS v FROM VALUES (1), (2) AS t(n))";
    let query = format!("SELECT sum(v), sum(v + 1), sum(plus_one(v)) FROM {values}");
    assert_eq!(select(&session, &query).await, ["3.0 5.0 5.0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_calls_it_by_name() {
    let session = session_with([plus("plusHalf", 0.5)]);
    let expression = |kind| Expression {
        common: None,
        expr_type: Some(kind),
    };
    let x = expression(ExprType::UnresolvedAttribute(UnresolvedAttribute {
        unparsed_identifier: "x".into(),
        ..Default::default()
    }));
    let calls = [
        ExprType::CallFunction(CallFunction {
            function_name: "plusHalf".into(),
            arguments: vec![x.clone()],
        }),
        ExprType::UnresolvedFunction(UnresolvedFunction {
            function_name: "PLUSHALF".into(),
            arguments: vec![x.clone()],
            ..Default::default()
        }),
        ExprType::CommonInlineUserDefinedFunction(CommonInlineUserDefinedFunction {
            function_name: "plusHalf".into(),
            arguments: vec![x],
            ..Default::default()
        }),
    ];
    for call in calls {
        let project = RelType::Project(Box::new(Project {
            input: Some(Box::new(sql("SELECT 1 AS x"))),
            expressions: vec![expression(call)],
        }));
        let rows = session.collect(&relation(project)).await.unwrap();
        assert_eq!(lines(&rows), ["1.5"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_call_is_refused_before_it_is_made() {
    let session = session_with([plus("plus", 1.0)]);
    let error = try_select(&session, "SELECT plus(1, 2)").await.unwrap_err();
    assert_eq!(
        error.condition(),
        Some("WRONG_NUM_ARGS.WITHOUT_SUGGESTION"),
        "{error}"
    );
    let message = "function 'plus' takes 1 argument, 2 were given (line 1, column 8)";
    assert!(error.message().starts_with(message), "{error}");
    let error = try_select(&session, "SELECT plus()").await.unwrap_err();
    let message = "function 'plus' takes 1 argument, 0 were given";
    assert!(error.message().starts_with(message), "{error}");
    let error = try_select(&session, "SELECT plus(true)").await.unwrap_err();
    assert_eq!(
        error.condition(),
        Some("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
        "{error}"
    );
    let error = try_select(&session, "SELECT plus('x')").await.unwrap_err();
    assert_eq!(error.condition(), Some("CAST_INVALID_INPUT"), "{error}");
    let error = session.register_function(plus("a b", 1.0)).unwrap_err();
    assert!(
        error.message().contains("'a b' cannot be the name"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_value_is_an_error_that_says_what_is_wrong() {
    let long = DataType::Int64;
    let session = session_with([
        function(
            "too_short",
            std::slice::from_ref(&long),
            long.clone(),
            |_, _, _| Ok(Arc::new(Int64Array::from(vec![1]))),
        ),
        function(
            "other",
            std::slice::from_ref(&long),
            long.clone(),
            |_, rows, _| Ok(Arc::new(Float64Array::from(vec![1.0; rows]))),
        ),
        function(
            "bad",
            std::slice::from_ref(&long),
            long.clone(),
            |_, _, _| Err(Error::runtime("no such user").with_hint("add the user")),
        ),
        function(
            "worse",
            std::slice::from_ref(&long),
            long.clone(),
            |_, _, _| panic!("index out of range"),
        ),
    ]);
    let failed = async |name: &str| {
        let query = format!("SELECT {name}(x) FROM VALUES (1), (2) AS t(x)");
        let error = try_select(&session, &query).await.unwrap_err();
        assert_eq!(error.condition(), Some("FAILED_EXECUTE_UDF"), "{error}");
        error
    };
    assert_eq!(
        failed("too_short").await.message(),
        "function 'too_short' returned 1 values for 2 rows"
    );
    assert_eq!(
        failed("other").await.message(),
        "function 'other' returned values of type DOUBLE, but it was declared to return BIGINT"
    );
    let error = failed("bad").await;
    assert_eq!(error.message(), "function 'bad' failed: no such user");
    assert_eq!(error.hint(), Some("add the user"));
    assert_eq!(
        failed("worse").await.message(),
        "function 'worse' panicked: index out of range"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_deterministic_call_is_folded_or_shared() {
    let rows_seen = Arc::new(AtomicUsize::new(0));
    let counting = |name: &str, deterministic| {
        let seen = Arc::clone(&rows_seen);
        let long = DataType::Int64;
        let mut counting = function(
            name,
            std::slice::from_ref(&long),
            long.clone(),
            move |_, rows, _| {
                let first = seen.fetch_add(rows, Ordering::AcqRel) as i64;
                Ok(Arc::new(Int64Array::from_iter_values(
                    first..first + rows as i64,
                )))
            },
        );
        counting.deterministic = deterministic;
        counting
    };
    let session = session_with([counting("counter", false), counting("same", true)]);
    let rows = select(
        &session,
        "SELECT a, a AS b FROM (SELECT counter(1) AS a FROM VALUES (1), (2), (3) AS t(x))",
    );
    assert_eq!(rows.await, ["0 0", "1 1", "2 2"]);
    rows_seen.store(0, Ordering::Release);
    let rows = select(
        &session,
        "SELECT counter(1) AS a, counter(1) AS b FROM VALUES (1), (2) AS t(x)",
    )
    .await;
    assert_eq!(rows, ["0 2", "1 3"]);
    rows_seen.store(0, Ordering::Release);
    let rows = select(&session, "SELECT same(1) FROM VALUES (1), (2), (3) AS t(x)").await;
    assert_eq!(rows, ["0", "0", "0"]);
    assert_eq!(rows_seen.load(Ordering::Acquire), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_about_its_value_does_not_call_it_again() {
    let called = Arc::new(AtomicUsize::new(0));
    let rows_of = Arc::clone(&called);
    let long = DataType::Int64;
    let counting = function(
        "counting",
        std::slice::from_ref(&long),
        long.clone(),
        move |arguments, rows, _| {
            rows_of.fetch_add(rows, Ordering::Relaxed);
            Ok(Arc::clone(&arguments[0]))
        },
    );
    let session = session_with([counting]);
    for (query, expected) in [
        (
            "SELECT y FROM (SELECT id, counting(id) AS y FROM range(100)) WHERE y >= 98",
            "98|99",
        ),
        (
            "SELECT y FROM (SELECT id, counting(id) AS y FROM range(100)) WHERE y >= 98 AND id < 99",
            "98",
        ),
    ] {
        called.store(0, Ordering::Relaxed);
        let found = select(&session, query).await.join("|");
        assert_eq!(found, expected, "{query}");
        let rows = called.load(Ordering::Relaxed);
        assert!(rows <= 100, "{query}: {rows} rows");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_calls_it_in_filters_columns_and_aggregates() {
    let twice = function(
        "twice",
        &[DataType::Int64],
        DataType::Int64,
        |arguments, _, _| {
            let numbers = arguments[0].as_primitive::<Int64Type>();
            Ok(Arc::new(numbers.unary::<_, Int64Type>(|number| number * 2)))
        },
    );
    let session = session_with([twice]);
    let feed = Feed::new(&session, "events");
    let plain = sql("SELECT user, twice(n) AS d FROM events WHERE twice(n) > 4");
    let (plain, rows) = Start::new("plain", plain, "append")
        .run(&session)
        .await
        .unwrap();
    let sums = sql("SELECT user, sum(twice(n)) AS s FROM events GROUP BY user");
    let (sums, totals) = Start::new("sums", sums, "update")
        .run(&session)
        .await
        .unwrap();
    for (data, expected_rows, expected_total) in [
        ([(1, "ann", 1), (2, "ann", 3)], vec!["ann 6"], "ann 8"),
        ([(3, "ann", 10), (4, "ann", 2)], vec!["ann 20"], "ann 32"),
    ] {
        feed.add(&data);
        soon(plain.process_all_available()).await.unwrap();
        soon(sums.process_all_available()).await.unwrap();
        assert_eq!(rows.take(), expected_rows);
        assert_eq!(totals.take(), [expected_total]);
    }
    session.streams().stop_all().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_query_keeps_the_function_it_was_planned_with() {
    let session = session_with([plus("plus", 1.0)]);
    let feed = Feed::new(&session, "events");
    let query = sql("SELECT plus(n) AS p FROM events");
    let (query, rows) = Start::new("q", query, "append")
        .run(&session)
        .await
        .unwrap();
    session.register_function(plus("plus", 100.0)).unwrap();
    feed.add(&[(1, "ann", 1)]);
    soon(query.process_all_available()).await.unwrap();
    assert_eq!(rows.take(), ["2.0"]);
    query.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_ends_its_query_alone() {
    let fragile = function(
        "fragile",
        &[DataType::Int64],
        DataType::Int64,
        |arguments, _, _| {
            let numbers = arguments[0].as_primitive::<Int64Type>();
            assert!(
                numbers.values().iter().all(|number| *number < 10),
                "too much"
            );
            Ok(Arc::clone(&arguments[0]))
        },
    );
    let session = session_with([fragile]);
    let feed = Feed::new(&session, "events");
    let fragile = sql("SELECT fragile(n) AS n FROM events");
    let (fragile, _) = Start::new("fragile", fragile, "append")
        .run(&session)
        .await
        .unwrap();
    let sturdy = sql("SELECT n FROM events");
    let (sturdy, rows) = Start::new("sturdy", sturdy, "append")
        .run(&session)
        .await
        .unwrap();
    feed.add(&[(1, "ann", 9)]);
    soon(fragile.process_all_available()).await.unwrap();
    feed.add(&[(2, "ann", 10)]);
    let error = soon(fragile.await_termination(Some(PATIENCE)))
        .await
        .unwrap_err();
    assert_eq!(error.ename(), "StreamingQueryException");
    assert_eq!(error.condition(), Some("FAILED_EXECUTE_UDF"));
    assert_eq!(
        error.message(),
        "query 'fragile' failed: function 'fragile' panicked: too much"
    );
    soon(sturdy.process_all_available()).await.unwrap();
    assert_eq!(rows.take(), ["9", "10"]);
    sturdy.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_stops_although_its_function_never_returns() {
    let (entered, left) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let session = session_with([forever("forever", Arc::clone(&entered), Arc::clone(&left))]);
    let feed = Feed::new(&session, "events");
    for query in [
        "SELECT forever(n) AS n FROM events",
        "SELECT user, sum(forever(n)) AS n FROM events GROUP BY user",
    ] {
        left.store(false, Ordering::Release);
        let (query, _) = Start::new("q", sql(query), "update")
            .run(&session)
            .await
            .unwrap();
        feed.add(&[(1, "ann", 1)]);
        soon(entered.notified()).await;
        soon(query.stop()).await.unwrap();
        soon(given_up(&left)).await;
        assert!(!query.is_active());
        assert!(query.exception().is_none(), "{:?}", query.exception());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_query_can_be_left_although_its_function_never_returns() {
    let (entered, left) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let session = session_with([forever("forever", Arc::clone(&entered), Arc::clone(&left))]);
    for query in [
        "SELECT forever(x) FROM VALUES (1), (2) AS t(x)",
        "SELECT forever(1)",
    ] {
        left.store(false, Ordering::Release);
        let waiting = session.sql(query);
        let walked_away = async {
            tokio::select! {
                rows = waiting => panic!("it returned {rows:?}"),
                () = entered.notified() => {}
            }
        };
        soon(walked_away).await;
        soon(given_up(&left)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_that_wait_keep_no_other_work_waiting() {
    let (entered, left) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let session = session_with([forever("forever", Arc::clone(&entered), left)]);
    let stuck = |_| {
        let session = session.clone();
        tokio::spawn(async move { session.sql("SELECT forever(1)").await })
    };
    // More of them than the runtime has threads for its tasks.
    let stuck: Vec<_> = (0..6).map(stuck).collect();
    soon(entered.notified()).await;
    assert_eq!(soon(select(&session, "SELECT 1 + 1")).await, ["2"]);
    stuck.iter().for_each(|task| task.abort());
}
