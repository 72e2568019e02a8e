//! What the grammar makes of text, as terms.

mod terms;

use super::*;
use terms::{query_term, term};

#[track_caller]
fn check_expressions(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let parsed = parse_expression(text).map(|parsed| term(&parsed));
        let parsed = parsed.unwrap_or_else(|error| error.to_string());
        assert_eq!(parsed, *expected, "{text}");
    }
}

#[track_caller]
fn check_queries(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let parsed = parse_query(text).map(|parsed| query_term(&parsed));
        let parsed = parsed.unwrap_or_else(|error| error.to_string());
        assert_eq!(parsed, *expected, "{text}");
    }
}

#[test]
fn operators_bind_as_in_spark() {
    check_expressions(&[
        ("a + b * c - d", "-(+(a, *(b, c)), d)"),
        ("a div b % c", "%(div(a, b), c)"),
        ("a || b || c", "concat(concat(a, b), c)"),
        ("a | b ^ c & d << 1 + 2", "|(a, ^(b, &(c, <<(d, +(1, 2)))))"),
        ("a >> 1 > b >>> 2", ">(>>(a, 1), >>>(b, 2))"),
        ("NOT a = b AND c OR d", "or(and(not(=(a, b)), c), d)"),
        ("a and b and c and d", "and(and(a, b), and(c, d))"),
        ("a and b and c", "and(and(a, b), c)"),
        ("!a == b", "not(=(a, b))"),
        ("- a * -1 + ~b", "+(*(negative(a), -1), ~(b))"),
        ("1 - -1", "-(1, -1)"),
        ("-1::string", "cast(-1, string)"),
        ("a <=> b", "<=>(a, b)"),
        ("a <> b", "!=(a, b)"),
        (
            "a IS NOT NULL AND b IS DISTINCT FROM 1",
            "and(isnotnull(a), not(<=>(b, 1)))",
        ),
        ("a is not distinct from b", "<=>(a, b)"),
        ("a IS TRUE", "istrue(a)"),
        ("a IS NOT FALSE", "isnotfalse(a)"),
        ("a IS NOT UNKNOWN", "not(isunknown(a))"),
        (
            "a NOT BETWEEN 1 AND 2 AND b",
            "and(not(between(a, 1, 2)), b)",
        ),
        ("a IN (1, 2)", "in(a, 1, 2)"),
        ("a LIKE 'x%' ESCAPE '/'", "like(a, 'x%', '/')"),
        ("a NOT ILIKE ALL ('x', 'y')", "not_ilike_all(a, 'x', 'y')"),
        ("a LIKE SOME ('x')", "like_any(a, 'x')"),
        (
            "a REGEXP 'x' OR a RLIKE 'y'",
            "or(rlike(a, 'x'), rlike(a, 'y'))",
        ),
        (
            "CAST(a AS STRUCT<b: ARRAY<INT>, c: MAP<STRING, DECIMAL(5, 2)>>)",
            "cast(a, struct<b:array<int>,c:map<string,decimal(5,2)>>)",
        ),
        (
            "try_cast('a' AS array<array<int>>)",
            "try_cast('a', array<array<int>>)",
        ),
    ]);
}

#[test]
fn what_stands_alone() {
    check_expressions(&[
        ("'it''s' ' so' \"a\"", "'it's soa'"),
        (r"'a\tb\\d' ", "'a\tb\\d'"),
        (r"r'\d+'", r"'\d+'"),
        ("t.a.b", "t.a.b"),
        ("`a.b`.`c``d`", "a.b.c`d"),
        ("a[0].b['k']", "a[0]->b['k']"),
        ("f(x).y", "f(x)->y"),
        ("(s).y", "s->y"),
        ("*", "*"),
        ("t.*", "t.*"),
        ("* EXCEPT (a, b.c)", "*-(a, b.c)"),
        ("(a, b)", "struct(a, b)"),
        ("CASE WHEN a THEN 1 ELSE 2 END", "case(a => 1, _ => 2)"),
        ("case a when 1 then 'x' end AS c", "case(a: 1 => 'x') AS c"),
        ("end", "end"),
        ("CASE WHEN a THEN b END end", "case(a => b) AS end"),
        ("null", "NULL"),
        ("true", "true"),
        ("interval", "interval"),
        ("date", "date"),
        ("current_date", "current_date()"),
        ("t.current_date", "t.current_date"),
        ("user", "user"),
        (":name", ":name"),
        ("? + ?", "+(:0, :1)"),
        ("a + 1 AS b", "+(a, 1) AS b"),
        ("a b", "a AS b"),
        ("stack(2, 1, 2) AS (a, b)", "stack(2, 1, 2) AS a, b"),
        (
            "ts - INTERVAL 5 MINUTES - 2",
            "-(-(ts, INTERVAL '05' MINUTE), 2)",
        ),
        ("a COLLATE utf8_lcase", "collate(a, 'utf8_lcase')"),
    ]);
}

#[test]
fn calls_of_all_forms() {
    check_expressions(&[
        ("count(*)", "count(*)"),
        ("count(DISTINCT a, b)", "count(DISTINCT a, b)"),
        ("sum(ALL a)", "sum(a)"),
        ("Sum(a) FILTER (WHERE a > 1)", "sum(a) WHERE >(a, 1)"),
        ("first(a IGNORE NULLS)", "first(a) Ignore"),
        ("first(a) IGNORE NULLS OVER w", "first(a) Ignore OVER w"),
        (
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY a DESC)",
            "percentile_cont(0.5) WITHIN [a desc]",
        ),
        ("transform(a, x -> x + 1)", "transform(a, (x) -> +(x, 1))"),
        (
            "aggregate(a, 0, (acc, x) -> acc + x)",
            "aggregate(a, 0, (acc, x) -> +(acc, x))",
        ),
        ("f(a => 1, b => (x, y) -> x)", "f(a=1, b=(x, y) -> x)"),
        ("struct(a AS x, b)", "struct(a AS x, b)"),
        ("struct(*)", "struct(*)"),
        ("extract(YEAR FROM ts)", "extract('YEAR', ts)"),
        ("trim(x)", "trim(x)"),
        ("trim(BOTH FROM x)", "trim(x)"),
        ("trim('y' FROM x)", "trim('y', x)"),
        ("trim(LEADING 'y' FROM x)", "ltrim('y', x)"),
        ("trim(TRAILING FROM x)", "rtrim(x)"),
        ("ltrim('y', x)", "ltrim('y', x)"),
        ("substring(x FROM 2 FOR 3)", "substring(x, 2, 3)"),
        ("substr(x, 2)", "substr(x, 2)"),
        ("position('a' IN b)", "locate('a', b)"),
        ("position('a', b)", "position('a', b)"),
        (
            "overlay(a PLACING 'x' FROM 2 FOR 3)",
            "overlay(a, 'x', 2, 3)",
        ),
        ("overlay(a, 'x', 2)", "overlay(a, 'x', 2)"),
        ("timestampadd(hour, 2, ts)", "timestampadd('HOUR', 2, ts)"),
        ("datediff(MINUTE, a, b)", "datediff('MINUTE', a, b)"),
        ("datediff(day, b)", "datediff(day, b)"),
        ("a IN ((SELECT 1), 2)", "in(a, <select 1>, 2)"),
        ("exists(a, x -> x > 1)", "exists(a, (x) -> >(x, 1))"),
        ("system.builtin.abs(1)", "abs(1)"),
        ("left(a, 1)", "left(a, 1)"),
        ("if(a, 1, 2)", "if(a, 1, 2)"),
        ("current_timestamp()", "current_timestamp()"),
        ("like('a', 'b')", "like('a', 'b')"),
        ("map()", "map()"),
        ("cast(NULL)", "cast(NULL)"),
        (
            "substring(str => 'a', pos => 1)",
            "substring(str='a', pos=1)",
        ),
        (
            "sum(a) OVER (PARTITION BY b ORDER BY c DESC NULLS FIRST ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING)",
            "sum(a) OVER {|b|[c desc nulls first] rows -1..UnboundedFollowing}",
        ),
        (
            "sum(a) over (order by b range interval 1 day preceding)",
            "sum(a) OVER {||[b] range -INTERVAL '1' DAY..CurrentRow}",
        ),
    ]);
}

#[test]
fn queries_of_all_forms() {
    check_queries(&[
        ("SELECT 1;", "select 1"),
        (
            "SELECT DISTINCT a, b FROM t x WHERE a",
            "select a, b distinct from t AS x where a",
        ),
        ("SELECT ALL a FROM t", "select a from t"),
        ("FROM t SELECT a WHERE b", "select a from t where b"),
        ("TABLE t", "t"),
        ("VALUES (1, 'a'), (2, 'b')", "values (1, 'a'), (2, 'b')"),
        ("VALUES 1, 2 AS t(x)", "values (1), (2) AS t(x)"),
        (
            "SELECT * FROM VALUES (1, 2) AS t(a, b)",
            "select * from values (1, 2) AS t(a, b)",
        ),
        (
            "SELECT /*+ BROADCAST(t) */ a FROM t -- so",
            "select a from t",
        ),
        (
            "SELECT a FROM t GROUP BY ALL HAVING b",
            "select a from t group all having b",
        ),
        (
            "SELECT a FROM t GROUP BY a, ROLLUP (b, (c, d)), GROUPING SETS ((a), ())",
            "select a from t group a, rollup(b)(c, d), sets(a)()",
        ),
        (
            "SELECT a FROM t GROUP BY a, b WITH CUBE",
            "select a from t group cube(a)(b)",
        ),
        (
            "SELECT a FROM t GROUP BY GROUPING SETS (ROLLUP(a, b), c)",
            "select a from t group sets(a, b)(a)()(c)",
        ),
        (
            "SELECT a FROM t QUALIFY row_number() OVER w = 1 WINDOW w AS (ORDER BY b)",
            "select a from t qualify =(row_number() OVER w, 1) window w {||[b]}",
        ),
        (
            "SELECT 1 UNION SELECT 2 UNION ALL SELECT 3 INTERSECT SELECT 4",
            "((select 1 union select 2) union all (select 3 intersect select 4))",
        ),
        (
            "SELECT a FROM t UNION ALL BY NAME SELECT a FROM u MINUS TABLE v",
            "((select a from t union all by name select a from u) except v)",
        ),
        (
            "(SELECT 1 LIMIT 1) UNION (SELECT 2) ORDER BY 1 DESC NULLS LAST LIMIT ALL OFFSET 2",
            "((select 1 limit 1) union select 2) order [1 desc] offset 2",
        ),
        (
            "SELECT a FROM t ORDER BY ALL DESC",
            "select a from t order all false",
        ),
        (
            "SELECT a FROM t DISTRIBUTE BY a SORT BY b",
            "select a from t",
        ),
        (
            "WITH a AS (SELECT 1), b(x) AS (TABLE a) SELECT * FROM b",
            "with a() = select 1; with b(x) = a; select * from b",
        ),
        (
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) TABLE r",
            "with recursive r(n) = (select 1 union all select +(n, 1) from r); r",
        ),
        ("SELECT (SELECT 1) + 1", "select +(<select 1>, 1)"),
        (
            "SELECT ((SELECT 1) UNION (SELECT 1))",
            "select <(select 1 union select 1)>",
        ),
        ("SELECT ((SELECT 1) + 1)", "select +(<select 1>, 1)"),
        (
            "SELECT a FROM t WHERE (a, b) NOT IN (SELECT 1, 2) AND EXISTS (SELECT 1)",
            "select a from t where and(not(a, b in <select 1, 2>), exists<select 1>)",
        ),
        ("SELECT start, end FROM t", "select start, end from t"),
        ("SELECT a FROM `t.u`.v", "select a from t.u.v"),
        (
            "SELECT IDENTIFIER('t.' || 'a'), IDENTIFIER('abs')(1) FROM IDENTIFIER('t')",
            "select t.a, abs(1) from t",
        ),
        (
            "SELECT * FROM VALUES (1), (2) t",
            "select * from values (1), (2) AS t",
        ),
        (
            "SELECT order, group FROM t order ORDER BY order",
            "select order, group from t AS order order [order]",
        ),
        (
            "FROM t |> WHERE a | 1 > 1 |> SELECT a * 2 AS b |> ORDER BY b LIMIT 1",
            "select *(a, 2) AS b from filter t >(|(a, 1), 1) order [b] limit 1",
        ),
        (
            "TABLE t |> AGGREGATE sum(a) AS s GROUP BY b |> EXTEND s + 1 |> JOIN u USING (b) |> AS x",
            "(select *, +(s, 1) from select b, sum(a) AS s from t group b Inner u using b) AS x",
        ),
        ("SELECT 1 from, X '1F'", "select 1 AS from, X'1F'"),
        (
            "EXECUTE IMMEDIATE 'SELECT :x + ?' USING 2 AS x, 3",
            "select +(2, 3)",
        ),
        ("SELECT left, a.from FROM t", "select left, a.from from t"),
    ]);
}

#[test]
fn relations_of_all_forms() {
    check_queries(&[
        (
            "SELECT * FROM a, b AS x JOIN c ON x.i = c.i LEFT JOIN d USING (k)",
            "select * from (a Cross ((b AS x Inner c on =(x.i, c.i)) Left d using k))",
        ),
        (
            "SELECT * FROM a LEFT SEMI JOIN b ON c ANTI JOIN d NATURAL FULL OUTER JOIN e CROSS JOIN f",
            "select * from ((((a Semi b on c) Anti d) Full e natural) Cross f)",
        ),
        (
            "SELECT * FROM (SELECT 1) t(x)",
            "select * from select 1 AS t(x)",
        ),
        (
            "SELECT * FROM (a JOIN b USING (k)) x",
            "select * from (a Inner b using k) AS x",
        ),
        (
            "SELECT * FROM range(1, 10) r",
            "select * from range(1, 10) AS r",
        ),
        (
            "SELECT * FROM t, LATERAL explode(t.a) AS e(x)",
            "select * from (t Cross lateral explode(t.a) AS e(x))",
        ),
        (
            "SELECT * FROM t LATERAL VIEW explode(a) x AS y LATERAL VIEW OUTER posexplode(b) AS p, q",
            "select * from ((t view explode(a) x(y)) view outer posexplode(b) (p, q))",
        ),
        (
            "SELECT * FROM t LATERAL VIEW explode(a) x WHERE b",
            "select * from (t view explode(a) x()) where b",
        ),
        (
            "SELECT * FROM t PIVOT (sum(a) AS s, max(a) FOR (b, c) IN ((1, 2) AS x, (3, 4)))",
            "select * from (t pivot sum(a) AS s, max(a) for b, c in 1, 2 AS x; 3, 4)",
        ),
        (
            "SELECT * FROM t UNPIVOT INCLUDE NULLS (v FOR n IN (a, b AS c)) u",
            "select * from (t unpivot v for n in a; b AS c) AS u",
        ),
        (
            "SELECT * FROM t UNPIVOT ((v, w) FOR n IN ((a, b) AS x, (c, d)))",
            "select * from (t unpivot v, w for n in a, b AS x; c, d)",
        ),
        ("SELECT * FROM json.`/tmp/x`", "select * from json./tmp/x"),
    ]);
}

#[test]
fn statements_of_all_forms() {
    let parsed = |text: &str| format!("{:?}", parse_statement(text));
    for (text, part) in [
        (
            "CREATE OR REPLACE TEMP VIEW v(a, b) AS SELECT 1, 2",
            r#"replace: true, columns: [("a", None), ("b", None)]"#,
        ),
        (
            "create temporary view v (a INT, b STRING) using json options (path '/x', 'a.b' 'c', n=1)",
            r#"options: {"a.b": "c", "n": "1", "path": "/x"}"#,
        ),
        (
            "CREATE TEMP VIEW v USING parquet OPTIONS (path = '/x')",
            "schema: None",
        ),
        ("DROP VIEW IF EXISTS v;", "if_exists: true"),
        (
            "SET a.b = c d ;",
            r#"Set { key: Some("a.b"), value: Some("c d") }"#,
        ),
        (
            "-- so\nset `a.b`",
            r#"Set { key: Some("a.b"), value: None }"#,
        ),
        ("SET", "Set { key: None, value: None }"),
        (
            "SET TIME ZONE 'Europe/Berlin'",
            r#"timeZone"), value: Some("Europe/Berlin")"#,
        ),
        ("RESET", "Reset { key: None }"),
        (
            "SHOW TABLES IN default LIKE 'a*'",
            r#"ShowTables { pattern: Some("a*") }"#,
        ),
        ("SHOW USER FUNCTIONS", "ShowFunctions { pattern: None }"),
        ("SHOW COLUMNS IN t", r#"ShowColumns { table: "t" }"#),
        (
            "DESC TABLE EXTENDED t",
            r#"Describe { table: "t", extended: true }"#,
        ),
        ("DESCRIBE t", r#"Describe { table: "t", extended: false }"#),
        ("DESCRIBE SELECT 1", "DescribeQuery("),
        (
            "DESC FUNCTION EXTENDED abs",
            r#"DescribeFunction { name: "abs", extended: true }"#,
        ),
        ("EXPLAIN FORMATTED SELECT 1", r#"mode: "formatted""#),
        (
            "CREATE TABLE t (a INT)",
            "the statement CREATE TABLE is not supported",
        ),
        (
            "INSERT INTO t VALUES (1)",
            "the statement INSERT INTO is not supported",
        ),
        (
            "SELECT 1; SELECT 2",
            "one statement was expected, 2 were given",
        ),
        (" ; ", "PARSE_EMPTY_STATEMENT"),
        ("SELECT a, FROM t", "TRAILING_COMMA_IN_SELECT"),
        ("SELEC 1", "PARSE_SYNTAX_ERROR"),
        ("SELECT 1 2", "PARSE_SYNTAX_ERROR"),
        (
            "SELECT * FROM t TABLESAMPLE (10 PERCENT)",
            "TABLESAMPLE is not supported",
        ),
        (
            "SELECT * FROM t VERSION AS OF 1",
            "VERSION AS OF is not supported",
        ),
    ] {
        let parsed = parsed(text);
        assert!(parsed.contains(part), "{text}: {parsed}");
    }
}

/// Without optimisation a level takes more room than a test's thread has.
#[test]
fn long_chains_are_fine_and_longer_ones_refused() {
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    thread.spawn(chains).unwrap().join().unwrap();
}

fn chains() {
    let chain = |operator: &str, count| vec!["a"; count].join(operator);
    assert!(parse_expression(&chain(" + ", 1_500)).is_ok());
    assert!(parse_expression(&chain(" + ", 10_000)).is_err());
    assert!(parse_expression(&chain(" AND ", 10_000)).is_ok());
    assert!(parse_query(&format!("SELECT a IN ({})", chain(", ", 20_000))).is_ok());
    assert!(parse_query(&vec!["SELECT 1"; 1_000].join(" UNION ALL ")).is_ok());
    for (open, close) in [
        ("(", ")"),
        ("f(", ")"),
        ("NOT ", ""),
        ("a[", "]"),
        ("CASE WHEN ", " THEN 1 END"),
        ("(SELECT ", ")"),
        ("substring(", ", 1)"),
        ("trim(", ")"),
        ("cast(", ")"),
        ("date_add(day, ", ")"),
        ("array(-", ")"),
    ] {
        let nested = |depth| format!("{}a{}", open.repeat(depth), close.repeat(depth));
        assert!(parse_expression(&nested(30)).is_ok(), "{open}");
        assert!(parse_expression(&nested(10_000)).is_err(), "{open}");
    }
    assert!(
        parse_type(&format!(
            "{}INT{}",
            "ARRAY<".repeat(10_000),
            ">".repeat(10_000)
        ))
        .is_err()
    );
    // Reading a part a second time comes to an end.
    let _ = parse_expression(&format!(
        "{}a{}",
        "b IN ((SELECT ".repeat(30),
        "), 1)".repeat(30)
    ));
    let mixed = format!(
        "{}{}",
        "(".repeat(60),
        format!("{})", chain(" + ", 1_000)).repeat(60)
    );
    let _ = parse_expression(&mixed.replace(")a", ") + a"));
}

#[test]
fn no_text_makes_it_panic() {
    let sql = r#"WITH r(n) AS (SELECT 1 é) SELECT a.b[0] + -1.5e3D x, CASE WHEN a LIKE 'x\u00e9%' ESCAPE '/' THEN
        INTERVAL '1 2:3' DAY TO MINUTE END, f(DISTINCT x -> x) FILTER (WHERE a) OVER (ORDER BY b ROWS 1 PRECEDING)
        FROM t LATERAL VIEW explode(x) y AS z JOIN u USING (k) PIVOT (sum(a) FOR b IN (1, (2) c))
        WHERE x IN (SELECT 1) GROUP BY ROLLUP (a, (b, c)) ORDER BY ALL LIMIT 1 -- so"#;
    let ends = sql.char_indices().map(|(at, _)| at);
    for end in ends.clone() {
        let _ = parse_statement(&sql[..end]);
        let _ = parse_expression(&sql[end..]);
        let _ = parse_type(&sql[end..]);
    }
    // A few thousand texts of bytes, and of words in any order.
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let words: Vec<&str> = sql.split_whitespace().collect();
    for _ in 0..3_000 {
        let bytes: Vec<u8> = (0..next(40))
            .map(|_| b" '\"`\\()[]<>-+*/.,:;?!=|&^~%aex01'"[next(33)])
            .collect();
        let _ = parse_statement(&String::from_utf8_lossy(&bytes));
        let text: Vec<&str> = (0..next(25)).map(|_| words[next(words.len())]).collect();
        let _ = parse_statement(&text.join(" "));
    }
}
