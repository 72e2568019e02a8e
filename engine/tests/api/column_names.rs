//! What Spark calls the columns that a query gives no name.

use tidebook_engine::{Session, SqlOutput};

/// Expressions over `t`, and the names that Spark 4.3 gives them.
const NAMES: &[(&str, &str)] = &[
    ("d + 1", "date_add(d, 1)"),
    ("1 + d", "date_add(d, 1)"),
    ("d - 1", "date_sub(d, 1)"),
    ("year(d + 1)", "year(date_add(d, 1))"),
    ("if(true, d + 1, d)", "(IF(true, date_add(d, 1), d))"),
    ("d - DATE'2023-01-01'", "(d - DATE '2023-01-01')"),
    ("v + 1", "(v + 1)"),
    ("s.a", "a"),
    ("s['a']", "s.a"),
    ("abs(s.a)", "abs(s.a)"),
    ("abs(t.v)", "abs(v)"),
    (
        "lag(v) OVER (ORDER BY v)",
        "lag(v, 1, NULL) OVER (ORDER BY v ASC NULLS FIRST ROWS BETWEEN -1 FOLLOWING AND -1 FOLLOWING)",
    ),
    (
        "lead(v, 2, 0) OVER (ORDER BY v)",
        "lead(v, 2, 0) OVER (ORDER BY v ASC NULLS FIRST ROWS BETWEEN 2 FOLLOWING AND 2 FOLLOWING)",
    ),
    (
        "sum(v) OVER w",
        "sum(v) OVER (ORDER BY v ASC NULLS FIRST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    ),
    (
        "cume_dist() OVER (ORDER BY v)",
        "cume_dist() OVER (ORDER BY v ASC NULLS FIRST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    ),
    ("str_to_map('a')", "str_to_map(a, ,, :)"),
    ("str_to_map('a', ';')", "str_to_map(a, ;, :)"),
    ("lpad('hi', 5)", "lpad(hi, 5,  )"),
    ("mask('Ab', 'Q')", "mask(Ab, Q, x, n, NULL)"),
    ("make_dt_interval(2)", "make_dt_interval(2, 0, 0, 0.000000)"),
    ("overlay('ab' PLACING 'c' FROM 2)", "overlay(ab, c, 2, -1)"),
    ("position('a' IN 'ba')", "locate(a, ba, 1)"),
    ("substr('abc' FROM 2)", "substring(abc, 2, 2147483647)"),
    ("trim('x' FROM 'xa')", "TRIM(BOTH x FROM xa)"),
    ("trim(LEADING 'x' FROM 'xa')", "TRIM(LEADING x FROM xa)"),
    ("string(1)", "1"),
    ("v << 1", "(v << 1)"),
    ("shiftleft(v, 1)", "shiftleft(v, 1)"),
    ("datepart('YEAR', d)", "datepart(YEAR FROM d)"),
    ("regexp_like('a', 'b')", "REGEXP_LIKE(a, b)"),
    ("pow(2, 3)", "pow(2, 3)"),
    ("to_varchar(454, '999')", "to_char(454, 999)"),
    (
        "to_json(struct(v), map('pretty', 'true'))",
        "to_json(struct(v))",
    ),
    (
        "transform(array(1), x -> struct(x))",
        "transform(array(1), lambdafunction(named_struct(x, namedlambdavariable()), namedlambdavariable()))",
    ),
    (
        "aggregate(array(1), 0, (a, x) -> a + x)",
        "aggregate(array(1), 0, lambdafunction((namedlambdavariable() + namedlambdavariable()), namedlambdavariable(), namedlambdavariable()), lambdafunction(namedlambdavariable(), namedlambdavariable()))",
    ),
];

/// The same of aggregates.
const AGGREGATES: &[(&str, &str)] = &[
    ("any_value(v, true)", "any_value(v)"),
    ("array_agg(v)", "collect_list(v)"),
    ("listagg(v)", "listagg(v, NULL)"),
    ("percentile(v, 0.5)", "percentile(v, 0.5, 1)"),
    (
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY v)",
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY v)",
    ),
    (
        "mode() WITHIN GROUP (ORDER BY v DESC)",
        "mode() WITHIN GROUP (ORDER BY v)",
    ),
    ("mode(v, true)", "mode() WITHIN GROUP (ORDER BY v DESC)"),
];

async fn name(session: &Session, select: &str) -> String {
    let SqlOutput::Rows(rows) = session.sql(select).await.unwrap() else {
        panic!("{select} gives rows");
    };
    rows.schema.field(0).name().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_named_as_spark_names_them() {
    const T: &str = "FROM VALUES (DATE'2024-01-01', 1, named_struct('a', 1)) AS t(d, v, s)";
    let session = Session::new().unwrap();
    for (expression, expected) in NAMES {
        let select = format!("SELECT {expression} {T} WINDOW w AS (ORDER BY v)");
        assert_eq!(name(&session, &select).await, *expected, "{expression}");
    }
    for (expression, expected) in AGGREGATES {
        let select = format!("SELECT {expression} {T}");
        assert_eq!(name(&session, &select).await, *expected, "{expression}");
    }
}
