-- SQL shape by shape: one statement a line; statements.py asks Spark 4.3.0 and our engine.

-- literals, names, operators
SELECT 'it\'s'
SELECT 'a\tb'
SELECT "double"
SELECT r'\d\n'
SELECT 'a' 'b'
SELECT '\u00e9'
SELECT '\101'
SELECT length('a\\b')
SELECT r"raw'"
SELECT 'Caf\u00E9 \U0001F600'
SELECT '%\_', '\%'
SELECT 1
SELECT 1L
SELECT 1S
SELECT 1Y
SELECT 1.0
SELECT 1D
SELECT 1F
SELECT 1BD
SELECT 1e3
SELECT 1.5e2BD
SELECT X'1F'
SELECT 12345678901
SELECT 123456789012345678901234567890
SELECT TRUE
SELECT NULL
SELECT DATE '2024-02-29'
SELECT TIMESTAMP '2024-02-29 12:30:00'
SELECT TIMESTAMP_NTZ '2024-02-29 12:30:00'
SELECT TIMESTAMP '2024-02-29T12:30:00+02:00'
SELECT INTERVAL 1 DAY
SELECT INTERVAL '1-2' YEAR TO MONTH
SELECT INTERVAL '1 02:03:04.5' DAY TO SECOND
SELECT INTERVAL 2 WEEKS
SELECT INTERVAL 3 YEARS
SELECT INTERVAL '10' MINUTE
SELECT INTERVAL 1 DAY 2 HOURS
SELECT INTERVAL 1 YEAR 2 MONTHS
SELECT -INTERVAL 1 DAY
SELECT INTERVAL -5 SECONDS
SELECT DATE '2024-01-31' + INTERVAL 1 MONTH
SELECT DATE '2024-01-31' - INTERVAL '1' DAY
SELECT DATE '2024-03-01' - DATE '2024-02-01'
SELECT TIMESTAMP '2024-03-01 00:00:00' - TIMESTAMP '2024-02-29 12:30:00'
SELECT DATE '2024-01-31' + 1
SELECT 1 + DATE '2024-01-31'
SELECT DATE '2024-01-31' + INTERVAL 1 HOUR
SELECT INTERVAL 1 DAY * 2
SELECT INTERVAL 3 DAYS / 2
SELECT INTERVAL 1 YEAR * 1.5
SELECT 7 / 2
SELECT 7 DIV 2
SELECT 7 % 3
SELECT -7 % 3
SELECT 2 + 3 * 4
SELECT (2 + 3) * 4
SELECT -(-1)
SELECT +1
SELECT ~5
SELECT 5 & 3
SELECT 5 | 3
SELECT 5 ^ 3
SELECT 1 << 3
SELECT -8 >> 1
SELECT -8 >>> 60
SELECT 'a' || 'b' || 1
SELECT 1 = 1.0
SELECT 1 == 1
SELECT 1 <> 2
SELECT 1 != 2
SELECT NULL <=> NULL
SELECT 1 <=> NULL
SELECT NOT true AND false OR true
SELECT true OR NULL
SELECT false AND NULL
SELECT NULL AND NULL
SELECT NOT NULL
SELECT 5 BETWEEN 1 AND 10
SELECT 5 NOT BETWEEN 1 AND 4
SELECT 1 IN (1, 2, NULL)
SELECT 3 IN (1, 2, NULL)
SELECT 3 NOT IN (1, NULL)
SELECT NULL IN (1)
SELECT 'abc' LIKE 'a%'
SELECT 'a_c' LIKE 'a\_c'
SELECT 'abc' LIKE 'a\_c'
SELECT 'a%c' LIKE 'a/%c' ESCAPE '/'
SELECT 'ABC' ILIKE 'a_c'
SELECT 'abc' RLIKE 'b'
SELECT 'abc' REGEXP '^a'
SELECT 'abc' LIKE ANY ('x%', 'a%')
SELECT 'abc' LIKE ALL ('a%', '%c')
SELECT 'abc' NOT LIKE ANY ('x%', 'a%')
SELECT 'abc' LIKE SOME ('b%')
SELECT 'abc' ILIKE ANY ('A%')
SELECT 1 IS NULL
SELECT NULL IS NOT NULL
SELECT true IS TRUE
SELECT NULL IS NOT FALSE
SELECT NULL IS UNKNOWN
SELECT 1 IS DISTINCT FROM NULL
SELECT NULL IS NOT DISTINCT FROM NULL
SELECT CASE 1 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END
SELECT CASE WHEN 1 > 2 THEN 1 ELSE 2.5 END
SELECT CASE NULL WHEN NULL THEN 1 ELSE 0 END
SELECT CASE 3 WHEN 1 THEN 1 END
SELECT CAST('12' AS INT)
SELECT CAST(1.9 AS INT)
SELECT CAST(' 7 ' AS INT)
SELECT CAST('1e2' AS DOUBLE)
SELECT CAST(1 AS STRING)
SELECT CAST('true' AS BOOLEAN)
SELECT CAST('2024-02-29' AS DATE)
SELECT '5' :: INT
SELECT 1.5 :: STRING
SELECT CAST('x' AS INT)
SELECT CAST(300 AS TINYINT)
SELECT CAST(1e20 AS BIGINT)
SELECT TRY_CAST('x' AS INT)
SELECT TRY_CAST(300 AS TINYINT)
SELECT TRY_CAST('2024-13-01' AS DATE)
SELECT TRY_CAST('1' AS BOOLEAN)
SELECT 1 / 0
SELECT 2147483647 + 1
SELECT 1 % 0
SELECT CAST('2024-02-30' AS DATE)
SELECT array(1, 2)[5]
SELECT try_divide(1, 0)
SELECT try_add(2147483647, 1)
SELECT try_element_at(array(1, 2), 5)
SELECT array(1, 2)[1]
SELECT element_at(array(1, 2), -1)
SELECT map('a', 1)['b']
SELECT '3' * '4'
SELECT 0x1F
SELECT 7 MOD 3
SELECT 1 + '2'
SELECT 1.5 + '2'
SELECT '4' / 2
SELECT 10 % '3'
SELECT -'3'
SELECT '3' > 2
SELECT '2' = 2.0
SELECT 1L + '2'
SELECT 1S * '2'
SELECT true = 'true'
SELECT 5 + NULL
SELECT abs('-3')
SELECT sum('2')
SELECT concat(1, true)
SELECT 'a' || NULL
SELECT 1 = '1'
SELECT '2024-02-29' = DATE '2024-02-29'
SELECT concat(1, 'a', NULL)
SELECT 1 + NULL
SELECT coalesce(NULL, 1, 2.5)
SELECT 'a' = 1
SELECT 1.5 + 2.25
SELECT 1.5 * 2.25
SELECT 1.0 / 3.0
SELECT 10 / 4.0
SELECT 1 + 1.5D
SELECT 1.5 + 1.5F
SELECT 1L + 1S
SELECT 1Y + 1Y
SELECT CAST(1 AS DECIMAL(38,0)) * CAST(1 AS DECIMAL(38,0))
SELECT a.b.c, a.b FROM (SELECT named_struct('b', named_struct('c', 1)) AS a)
SELECT `a.b`, `c d`, `É`, `x``y` FROM (SELECT 1 AS `a.b`, 2 AS `c d`, 3 AS `É`, 4 AS `x``y`)
SELECT ID, Id, iD + 1 FROM (SELECT 1 AS id)
SELECT t.ID, T.id FROM (SELECT 1 AS Id) AS t
SELECT id FROM (SELECT 1 AS id, 2 AS ID)
SELECT nothing FROM (SELECT 1 AS id)
SELECT x.id FROM (SELECT 1 AS id) AS t
SELECT 1 AS `select`, 2 from, 3 AS date, 4 timestamp, 5 AS value
SELECT /* comment */ 1 -- rest
SELECT 1;
SELECT extract(YEAR FROM DATE '2024-02-29')
SELECT extract(SECOND FROM TIMESTAMP '2024-02-29 12:30:01.5')
SELECT extract(DOW FROM DATE '2024-02-29')
SELECT date_part('month', DATE '2024-02-29')
SELECT extract(DAY FROM INTERVAL 3 DAYS)
SELECT extract(EPOCH FROM TIMESTAMP '2024-01-01 00:00:00')
SELECT position('b' IN 'abc')
SELECT substring('hello' FROM 2 FOR 3)
SELECT substring('hello', -3)
SELECT trim(BOTH 'x' FROM 'xxaxx')
SELECT trim(LEADING FROM '  a ')
SELECT trim('  a ')
SELECT overlay('abcdef' PLACING '__' FROM 2 FOR 3)
SELECT struct(1, 'a')
SELECT named_struct('x', 1, 'y', 2).y
SELECT (1, 2)
SELECT array(1, 2.5, NULL)
SELECT map('a', 1, 'b', NULL)
SELECT array()
SELECT map()
SELECT struct(1 AS a, 2 AS b)
SELECT array(1, 2) = array(1, 2)
SELECT struct(1, 2) < struct(1, 3)
SELECT array(1, NULL) < array(1, 2)
SELECT (1, 'a') = (1, 'a')
SELECT map_keys(map('a', 1))
SELECT size(array(1, 2))
SELECT array(array(1), array(2, 3))[1][0]
SELECT current_date() = current_date
SELECT typeof(current_timestamp)
SELECT typeof(now())
SELECT typeof(NULL)
SELECT typeof(1.50)
SELECT typeof(array(1S))
SELECT typeof(INTERVAL 1 DAY)
SELECT typeof(INTERVAL '1' MONTH)
SELECT CAST(NULL AS STRUCT<a: INT, b: ARRAY<STRING>>)
SELECT CAST(map('a', 1) AS MAP<STRING, BIGINT>)
SELECT CAST(array('1', '2') AS ARRAY<INT>)
SELECT CAST(named_struct('a', 1) AS STRUCT<b: STRING>)
SELECT CAST(1 AS DECIMAL(5, 2))
SELECT CAST('abc' AS VARCHAR(2))
SELECT CAST(1.005 AS DECIMAL(3, 2))
SELECT CAST('1.005' AS DECIMAL(3, 2))
SELECT CAST(-1.005 AS DECIMAL(3, 2))
SELECT TRY_CAST(123456 AS DECIMAL(4, 2))
SELECT CAST(123456 AS DECIMAL(4, 2))
SELECT double('NaN') = double('NaN')
SELECT double('NaN') > 1e308
SELECT 0.0D = -0.0D
SELECT CAST('Infinity' AS DOUBLE)
SELECT -1D / 0D
SELECT CAST(TIMESTAMP '2024-02-29 12:30:00' AS DATE)
SELECT CAST(DATE '2024-02-29' AS TIMESTAMP)
SELECT CAST(0 AS TIMESTAMP)
SELECT CAST(TIMESTAMP '1970-01-02 00:00:00' AS BIGINT)
SELECT CAST(1.5 AS TIMESTAMP)
SELECT CAST(true AS INT)
SELECT CAST('a' AS BINARY)
SELECT CAST(1 AS BOOLEAN)

-- lambdas
SELECT transform(array(1, 2, 3), x -> x + 1)
SELECT filter(array(1, 2, 3), x -> x % 2 = 1)
SELECT exists(array(1, 2), x -> x > 1)
SELECT forall(array(1, 2), x -> x > 1)
SELECT aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x, acc -> acc * 10)
SELECT transform(array(10, 20), (x, i) -> x + i)
SELECT zip_with(array(1, 2), array(3, 4, 5), (x, y) -> x + y)
SELECT map_filter(map('a', 1, 'b', 2), (k, v) -> v > 1)
SELECT transform_keys(map('a', 1), (k, v) -> upper(k))
SELECT transform_values(map('a', 1), (k, v) -> v + 1)
SELECT map_zip_with(map('a', 1), map('a', 2), (k, x, y) -> x + y)
SELECT reduce(array(1, 2), 0, (a, b) -> a + b)
SELECT transform(xs, x -> x + 1), transform(xs, X -> x + y), transform(xs, x -> transform(xs, x -> x * 2)) FROM VALUES (100, 1000, array(1, 2)) AS t(x, y, xs)
SELECT array_sort(array(3, 1, NULL, 2), (a, b) -> CASE WHEN a IS NULL THEN 1 WHEN b IS NULL THEN -1 ELSE b - a END)
SELECT filter(array(0, 2, 3), (x, i) -> x > i)

-- VALUES and FROM
SELECT * FROM VALUES (1, 'a'), (2, NULL)
SELECT col1, col2 FROM VALUES (1, 'a'), (2.5, 'b')
VALUES (1, 'a'), (2, 'b')
SELECT * FROM VALUES 1, 2, 3 AS t(x) WHERE x > 1
SELECT t.* FROM VALUES (1, 2) AS t(a, b)
SELECT *, a + 1 AS a FROM VALUES (1, 2) AS t(a, b)
SELECT a, t.*, b FROM VALUES (1, 2) AS t(a, b)
SELECT * EXCEPT (b) FROM VALUES (1, 2, 3) AS t(a, b, c)
SELECT s.* FROM (SELECT named_struct('a', 1, 'b', 'x') AS s)
SELECT data.* FROM (SELECT from_json('{"a":1,"b":"x"}', 'a INT, b STRING') AS data)
SELECT t.s.a, s.B, t.s.* FROM (SELECT named_struct('A', 1, 'b', 2) AS s) t
SELECT arr.x, arr[0].y FROM (SELECT array(named_struct('x', 1, 'y', 2), named_struct('x', 3, 'y', 4)) AS arr)
SELECT m.a, m['a'] FROM (SELECT map('a', 1) AS m)
SELECT * FROM range(3)
SELECT id * 2 AS x FROM range(1, 10, 4) WHERE id > 1
SELECT * FROM (SELECT 1 AS a) CROSS JOIN (SELECT 2 AS b)
SELECT * FROM (SELECT 1 AS a), (SELECT 2 AS b)
SELECT * FROM VALUES (1), (2) AS t(a) TABLESAMPLE (100 PERCENT)
SELECT * FROM (VALUES (1), (2)) AS t(a) TABLESAMPLE (50 PERCENT) REPEATABLE (1) WHERE false
FROM VALUES (1), (2) AS t(a) SELECT a WHERE a > 1
SELECT count(*)
SELECT 1 WHERE false
SELECT 1 FROM VALUES (1), (2) AS t(a) LIMIT 0
TABLE nothing

-- aliases and lateral column aliases
SELECT a + 1 AS b, b * 2 AS c, c + b AS d FROM VALUES (1), (2) AS t(a)
SELECT a AS b, b AS c FROM VALUES (1, 10) AS t(a, b)
SELECT a + 1 AS a, a * 2 AS c FROM VALUES (5) AS t(a)
SELECT sum(a) AS s, s + 1 AS t, b AS k FROM VALUES (1, 'x'), (2, 'x'), (3, 'y') AS v(a, b) GROUP BY b ORDER BY k
SELECT a AS x FROM VALUES (1), (2) AS t(a) WHERE x > 1
SELECT a AS x, count(*) AS n FROM VALUES (1), (1), (2) AS t(a) GROUP BY x HAVING n > 1
SELECT a, a AS A FROM VALUES (1) AS t(a)

-- joins
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y'), (NULL, 'n') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q'), (NULL, 'm') AS t(ID, w)) SELECT * FROM a JOIN b USING (id)
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y'), (NULL, 'n') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q'), (NULL, 'm') AS t(ID, w)) SELECT * FROM a LEFT JOIN b USING (id)
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y'), (NULL, 'n') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q'), (NULL, 'm') AS t(ID, w)) SELECT * FROM a RIGHT JOIN b USING (id)
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y'), (NULL, 'n') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q'), (NULL, 'm') AS t(ID, w)) SELECT *, a.id, b.id FROM a FULL OUTER JOIN b USING (ID)
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q') AS t(id, w)) SELECT * FROM a NATURAL JOIN b
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q') AS t(id, w)) SELECT * FROM a NATURAL FULL JOIN b
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q') AS t(id, w)) SELECT * FROM a LEFT SEMI JOIN b ON a.id = b.id
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q') AS t(id, w)) SELECT * FROM a LEFT ANTI JOIN b USING (id)
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q') AS t(ID, w)) SELECT a.*, b.w, b.ID FROM a FULL JOIN b ON a.id = b.id
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q') AS t(id, w)) SELECT id FROM a JOIN b ON a.id = b.id
WITH a AS (SELECT * FROM VALUES (1, 'x'), (2, 'y') AS t(id, v)), b AS (SELECT * FROM VALUES (2, 'p'), (3, 'q') AS t(id, w)) SELECT * FROM a JOIN b ON a.id < b.id AND b.w <> 'q'
WITH a AS (SELECT * FROM VALUES (1), (NULL) AS t(id)) SELECT * FROM a x JOIN a y ON x.id <=> y.id
WITH a AS (SELECT * FROM VALUES (1, 2) AS t(x, y)) SELECT l.x, r.X FROM a l, a r WHERE l.x = r.x
WITH a AS (SELECT 1 AS id, 2 AS k), b AS (SELECT 1 AS id, 3 AS k), c AS (SELECT 1 AS id, 4 AS z) SELECT * FROM a JOIN b USING (id) JOIN c USING (id)
WITH a AS (SELECT 1L AS id), b AS (SELECT 1 AS id, 'b' AS s) SELECT id, s, typeof(id) FROM a JOIN b USING (id)
SELECT * FROM VALUES (1), (2) AS t(a), LATERAL (SELECT a * 10 AS b)
SELECT * FROM VALUES (1), (2) AS t(a) LEFT JOIN LATERAL (SELECT a + 1 AS b WHERE a > 1)
SELECT * FROM VALUES (2), (3) AS t(a) JOIN LATERAL (SELECT sum(id) AS s FROM range(10) WHERE id < a) x ON true
SELECT * FROM VALUES (array(1, 2)), (array()) AS t(xs), LATERAL explode(xs) AS e(x)

-- generators
SELECT explode(array(1, 2))
SELECT explode(map('a', 1, 'b', 2))
SELECT explode(map('a', 1)) AS (k, v)
SELECT posexplode(array('a', 'b'))
SELECT a, explode_outer(xs) AS x FROM VALUES (1, array(1, 2)), (2, array()), (3, NULL) AS t(a, xs)
SELECT inline(array(struct(1, 'a'), struct(2, 'b')))
SELECT stack(2, 1, 'a', 2, 'b') AS (n, s)
SELECT json_tuple('{"a":1,"b":2}', 'a', 'b')
SELECT explode(array(1)), explode(array(2))
SELECT explode(array(1, 2)) + 1
SELECT a, x FROM VALUES (1, array(1, 2)), (2, array()) AS t(a, xs) LATERAL VIEW explode(xs) e AS x
SELECT a, x FROM VALUES (1, array(1, 2)), (2, array()) AS t(a, xs) LATERAL VIEW OUTER explode(xs) e AS x
SELECT a, x, y FROM VALUES (1, array(1, 2)) AS t(a, xs) LATERAL VIEW explode(xs) e AS x LATERAL VIEW explode(array(x, x * 10)) f AS y
SELECT * FROM VALUES (map('k', 1)) AS t(m) LATERAL VIEW explode(m) e AS key, v
SELECT e.* FROM VALUES (array('a', 'b')) AS t(xs) LATERAL VIEW posexplode(xs) e
SELECT * FROM explode(array(1, 2)) AS t(x)

-- groups
SELECT a, sum(b) FROM VALUES (1, 10), (1, 20), (2, NULL) AS t(a, b) GROUP BY a
SELECT a % 2, count(*), count(b), count(DISTINCT b), avg(b), min(b), max(b), sum(b) FROM VALUES (1, 10), (3, 10), (2, NULL) AS t(a, b) GROUP BY a % 2
SELECT a % 2 + 1, sum(b) + a % 2 FROM VALUES (1, 10), (3, 10), (2, 5) AS t(a, b) GROUP BY a % 2
SELECT a, b FROM VALUES (1, 10) AS t(a, b) GROUP BY a
SELECT a AS k, count(*) FROM VALUES (1), (1), (2) AS t(a) GROUP BY 1
SELECT a, count(*) FROM VALUES (1), (1), (2) AS t(a) GROUP BY 2
SELECT a + 1 AS k, count(*) FROM VALUES (1), (1), (2) AS t(a) GROUP BY k
SELECT a, b, sum(c) FROM VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3) AS t(a, b, c) GROUP BY ALL
SELECT a, b, sum(c), grouping(a), grouping(b), grouping_id() FROM VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3) AS t(a, b, c) GROUP BY CUBE (a, b)
SELECT a, b, sum(c), grouping_id(a, b) FROM VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3) AS t(a, b, c) GROUP BY ROLLUP (a, b)
SELECT a, b, sum(c) FROM VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3) AS t(a, b, c) GROUP BY a, b WITH ROLLUP
SELECT a, b, sum(c) FROM VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3) AS t(a, b, c) GROUP BY GROUPING SETS ((a, b), (a), ())
SELECT a, b, sum(c) FROM VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3) AS t(a, b, c) GROUP BY a, ROLLUP (b)
SELECT a, sum(c) AS s FROM VALUES (1, 1), (1, 2), (2, 3) AS t(a, c) GROUP BY a HAVING s > 2 AND count(*) > 1
SELECT a FROM VALUES (1, 1), (1, 2), (2, 3) AS t(a, c) GROUP BY a HAVING max(c) = 3
SELECT sum(a) FROM VALUES (1), (2) AS t(a) HAVING sum(a) > 5
SELECT sum(a) FROM VALUES (1), (2) AS t(a) HAVING count(*) = 2
SELECT sum(a), count(*), max(a), avg(a) FROM VALUES (1) AS t(a) WHERE a > 1
SELECT sum(a) FILTER (WHERE a > 1), count(*) FILTER (WHERE b = 'x') FROM VALUES (1, 'x'), (2, 'y'), (3, 'x') AS t(a, b)
SELECT DISTINCT a, b FROM VALUES (1, NULL), (1, NULL), (1, 'x') AS t(a, b)
SELECT count(DISTINCT a, b), count(a, b), sum(DISTINCT a) FROM VALUES (1, 'x'), (1, 'x'), (2, NULL) AS t(a, b)
SELECT sum(sum(a)) FROM VALUES (1) AS t(a)
SELECT a FROM VALUES (1) AS t(a) WHERE sum(a) > 1
SELECT a, collect_list(b), array_sort(collect_set(b)), first(b), last(b), any_value(b) FROM VALUES (1, 'x'), (1, 'y'), (1, 'x') AS t(a, b) GROUP BY a
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a), percentile_disc(0.5) WITHIN GROUP (ORDER BY a DESC), mode() WITHIN GROUP (ORDER BY a), listagg(a, ',') WITHIN GROUP (ORDER BY a DESC) FROM VALUES (1), (2), (2), (4) AS t(a)
SELECT typeof(sum(a)), typeof(sum(b)), typeof(avg(a)), typeof(avg(b)), typeof(sum(c)), typeof(count(a)), typeof(max(b)) FROM VALUES (1, 1.50, 1F) AS t(a, b, c)

-- windows
SELECT a, row_number() OVER (ORDER BY a DESC), rank() OVER (ORDER BY b), dense_rank() OVER (ORDER BY b), ntile(2) OVER (ORDER BY a), percent_rank() OVER (ORDER BY a), cume_dist() OVER (ORDER BY b) FROM VALUES (1, 'x'), (2, 'x'), (3, 'y') AS t(a, b)
SELECT a, b, sum(a) OVER (PARTITION BY b ORDER BY a), sum(a) OVER (PARTITION BY b), sum(a) OVER (), count(*) OVER (ORDER BY b) FROM VALUES (1, 'x'), (2, 'x'), (3, 'y') AS t(a, b)
SELECT a, sum(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING), sum(a) OVER (ORDER BY a ROWS UNBOUNDED PRECEDING), max(a) OVER (ORDER BY a ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING), avg(a) OVER (ORDER BY a ROWS 2 PRECEDING) FROM VALUES (1), (2), (4), (8) AS t(a)
SELECT a, sum(a) OVER (ORDER BY a RANGE BETWEEN 1 PRECEDING AND CURRENT ROW), count(*) OVER (ORDER BY a RANGE BETWEEN CURRENT ROW AND 2 FOLLOWING) FROM VALUES (1), (2), (2), (4) AS t(a)
SELECT d, count(*) OVER (ORDER BY d RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW) FROM VALUES (DATE '2024-02-28'), (DATE '2024-02-29'), (DATE '2024-03-05') AS t(d)
SELECT a, sum(a) OVER (ORDER BY a GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM VALUES (1), (2), (2), (4) AS t(a)
SELECT a, sum(a) OVER w, max(a) OVER w, row_number() OVER (w) FROM VALUES (1), (2) AS t(a) WINDOW w AS (ORDER BY a)
SELECT a, lag(a) OVER (ORDER BY a), lead(a, 2, -1) OVER (ORDER BY a), first_value(a) OVER (ORDER BY a), last_value(a) OVER (ORDER BY a), nth_value(a, 2) OVER (ORDER BY a) FROM VALUES (1), (2), (3) AS t(a)
SELECT a, first_value(b) IGNORE NULLS OVER (ORDER BY a), last(b, true) OVER (ORDER BY a), lag(b) IGNORE NULLS OVER (ORDER BY a) FROM VALUES (1, NULL), (2, 'x'), (3, NULL) AS t(a, b)
SELECT b, sum(sum(a)) OVER (ORDER BY b), rank() OVER (ORDER BY sum(a) DESC) FROM VALUES (1, 'x'), (2, 'x'), (3, 'y') AS t(a, b) GROUP BY b
SELECT a FROM VALUES (1), (2) AS t(a) WHERE row_number() OVER (ORDER BY a) = 1
SELECT a, b FROM VALUES (1, 'x'), (2, 'x'), (3, 'y') AS t(a, b) QUALIFY row_number() OVER (PARTITION BY b ORDER BY a DESC) = 1
SELECT a, row_number() OVER (ORDER BY a) AS n FROM VALUES (1), (2) AS t(a) QUALIFY n = 2
SELECT row_number() OVER () FROM VALUES (1) AS t(a)
SELECT typeof(row_number() OVER (ORDER BY a)), typeof(ntile(2) OVER (ORDER BY a)), typeof(sum(a) OVER ()), typeof(percent_rank() OVER (ORDER BY a)) FROM VALUES (1) AS t(a)
SELECT a, sum(a) OVER (PARTITION BY a % 2 ORDER BY a DESC) AS s, s + 1 AS s1 FROM VALUES (1), (2), (3) AS t(a) ORDER BY a

-- set operations
SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2.5, 'y'
SELECT a FROM VALUES (1), (1), (NULL), (NULL) AS t(a) UNION SELECT a FROM VALUES (1), (2) AS t(a)
SELECT a FROM VALUES (1), (1), (NULL), (2) AS t(a) INTERSECT SELECT a FROM VALUES (1), (1), (NULL) AS t(a)
SELECT a FROM VALUES (1), (1), (1), (NULL), (2) AS t(a) INTERSECT ALL SELECT a FROM VALUES (1), (1), (NULL) AS t(a)
SELECT a FROM VALUES (1), (1), (1), (NULL), (2) AS t(a) EXCEPT SELECT a FROM VALUES (1) AS t(a)
SELECT a FROM VALUES (1), (1), (1), (NULL), (2) AS t(a) EXCEPT ALL SELECT a FROM VALUES (1) AS t(a)
SELECT a FROM VALUES (1), (2) AS t(a) MINUS SELECT 2
SELECT 1 UNION SELECT 2 INTERSECT SELECT 3
(SELECT 1 AS a UNION ALL SELECT 2) EXCEPT SELECT 2 ORDER BY a
SELECT 1 AS a, 2 AS b UNION SELECT 3
SELECT 1 AS a UNION ALL SELECT 'x'
SELECT array(1) AS a UNION ALL SELECT array(2.5)
SELECT 3 AS a UNION ALL SELECT 1 UNION ALL SELECT 2 ORDER BY a DESC LIMIT 2
(SELECT 3 AS a ORDER BY a LIMIT 1) UNION ALL (SELECT 1)
SELECT 1 AS a UNION ALL SELECT NULL
SELECT DATE '2024-02-29' AS d UNION ALL SELECT TIMESTAMP '2024-02-29 12:00:00'

-- CTEs
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a, b
WITH t(p, q) AS (SELECT 1, 2) SELECT q, p FROM t
WITH t AS (SELECT 1 AS a) SELECT * FROM (WITH t AS (SELECT 2 AS a) SELECT * FROM t)
WITH t AS (SELECT 1 AS a), u AS (WITH t AS (SELECT 2 AS a) SELECT * FROM t) SELECT t.a, u.a FROM t, u
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i), count(*) FROM n
WITH RECURSIVE f(a, b) AS (SELECT 0L, 1L UNION ALL SELECT b, a + b FROM f WHERE b < 50) SELECT a FROM f ORDER BY a
WITH t AS (SELECT 1 AS a) SELECT (SELECT max(a) FROM t) + a FROM t
WITH t AS (SELECT 1 AS a), t AS (SELECT 2 AS a) SELECT * FROM t
WITH T AS (SELECT 1 AS a) SELECT t.A FROM t

-- subqueries
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20), (3, NULL) AS v(a, b)), u AS (SELECT * FROM VALUES (1, 'x'), (1, 'y'), (2, 'z'), (NULL, 'n') AS v(a, c)) SELECT a, (SELECT count(*) FROM u WHERE u.a = t.a) AS n FROM t
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20), (3, NULL) AS v(a, b)), u AS (SELECT * FROM VALUES (1, 'x'), (1, 'y'), (2, 'z'), (NULL, 'n') AS v(a, c)) SELECT a, (SELECT max(c) FROM u WHERE u.a = t.a) FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20), (3, NULL) AS v(a, b)), u AS (SELECT * FROM VALUES (1, 'x'), (1, 'y'), (2, 'z'), (NULL, 'n') AS v(a, c)) SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20), (3, NULL) AS v(a, b)), u AS (SELECT * FROM VALUES (1, 'x'), (1, 'y'), (2, 'z'), (NULL, 'n') AS v(a, c)) SELECT a FROM t WHERE a IN (SELECT a FROM u)
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20), (3, NULL) AS v(a, b)), u AS (SELECT * FROM VALUES (1, 'x'), (1, 'y'), (2, 'z'), (NULL, 'n') AS v(a, c)) SELECT a FROM t WHERE a NOT IN (SELECT a FROM u)
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20), (3, NULL) AS v(a, b)), u AS (SELECT * FROM VALUES (1, 'x'), (2, 'z') AS v(a, c)) SELECT a FROM t WHERE b NOT IN (SELECT a * 10 FROM u)
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20), (3, NULL) AS v(a, b)), u AS (SELECT * FROM VALUES (1, 'x'), (2, 'z') AS v(a, c)) SELECT a FROM t WHERE (a, b) IN (SELECT a, a * 10 FROM u)
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20), (3, NULL) AS v(a, b)), u AS (SELECT * FROM VALUES (1, 'x'), (2, 'z') AS v(a, c)) SELECT a, a IN (SELECT a FROM u), EXISTS (SELECT 1 FROM u WHERE u.a > t.a) FROM t
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20) AS v(a, b)) SELECT a FROM t WHERE b = (SELECT max(b) FROM t)
WITH t AS (SELECT * FROM VALUES (1, 10), (2, 20) AS v(a, b)) SELECT a FROM t AS o WHERE b > (SELECT avg(b) FROM t AS i WHERE i.a <> o.a)
WITH t AS (SELECT * FROM VALUES (1), (2) AS v(a)) SELECT (SELECT a FROM t)
SELECT (SELECT 1 WHERE false), (SELECT 1) + 1, (SELECT struct(1, 2)).col1
SELECT a, (SELECT sum(id) FROM range(10) WHERE id < a) FROM VALUES (2), (3) AS t(a)
SELECT a FROM VALUES (1), (2) AS t(a) ORDER BY (SELECT max(id) FROM range(3)), a DESC
SELECT count(*) FROM VALUES (1), (2) AS t(a) HAVING count(*) > (SELECT 1)
SELECT CASE WHEN EXISTS (SELECT 1) THEN 'yes' ELSE 'no' END

-- ORDER BY, LIMIT
SELECT a FROM VALUES (1, 'b'), (2, 'a') AS t(a, b) ORDER BY b
SELECT a AS b FROM VALUES (1, 'b'), (2, 'a') AS t(a, b) ORDER BY b
SELECT a, -a AS n FROM VALUES (1), (3), (2) AS t(a) ORDER BY 2
SELECT a, b FROM VALUES (2, 'x'), (1, 'y'), (1, 'x') AS t(a, b) ORDER BY ALL
SELECT a, b FROM VALUES (2, 'x'), (1, 'y'), (1, 'x') AS t(a, b) ORDER BY ALL DESC
SELECT a FROM VALUES (1), (NULL), (2) AS t(a) ORDER BY a
SELECT a FROM VALUES (1), (NULL), (2) AS t(a) ORDER BY a DESC
SELECT a FROM VALUES (1), (NULL), (2) AS t(a) ORDER BY a DESC NULLS FIRST
SELECT a FROM VALUES (1), (NULL), (2) AS t(a) ORDER BY a NULLS LAST LIMIT 2
SELECT a FROM VALUES (1), (2), (3) AS t(a) ORDER BY a LIMIT 1 OFFSET 1
SELECT a FROM VALUES (1), (2), (3) AS t(a) ORDER BY a LIMIT ALL
SELECT a, count(*) AS n FROM VALUES ('x'), ('y'), ('x') AS t(a) GROUP BY a ORDER BY count(*) DESC, a
SELECT a FROM VALUES ('x'), ('y'), ('x') AS t(a) GROUP BY a ORDER BY max(a) DESC
SELECT DISTINCT a FROM VALUES (1, 'b'), (2, 'a') AS t(a, b) ORDER BY b
SELECT a FROM VALUES (double('NaN')), (1D), (NULL), (double('-Infinity')), (-0.0D), (0.0D) AS t(a) ORDER BY a
SELECT s FROM VALUES ('b'), ('A'), ('a'), (''), ('é'), (NULL) AS t(s) ORDER BY s
SELECT a FROM VALUES (1), (2) AS t(a) SORT BY a DESC
SELECT a FROM VALUES (1) AS t(a) ORDER BY 3
SELECT t.a + 1 FROM VALUES (1), (2) AS t(a) ORDER BY t.a DESC

-- PIVOT, UNPIVOT
SELECT * FROM VALUES ('a', 'x', 1), ('a', 'y', 2), ('b', 'x', 3) AS t(k, p, v) PIVOT (sum(v) FOR p IN ('x', 'y'))
SELECT * FROM VALUES ('a', 'x', 1), ('a', 'y', 2), ('b', 'x', 3) AS t(k, p, v) PIVOT (sum(v) AS s, count(*) AS n FOR p IN ('x' AS px, 'y'))
SELECT * FROM (SELECT p, v FROM VALUES ('a', 'x', 1), ('a', 'y', 2) AS t(k, p, v)) PIVOT (max(v) FOR p IN ('x', 'z'))
SELECT * FROM VALUES (1, 'x', 'y', 5) AS t(a, b, c, v) PIVOT (sum(v) FOR (b, c) IN (('x', 'y') AS xy, ('x', 'z') AS xz))
SELECT * FROM VALUES (1, 10, 20), (2, NULL, 40) AS t(id, a, b) UNPIVOT (v FOR name IN (a, b))
SELECT * FROM VALUES (1, 10, 20), (2, NULL, 40) AS t(id, a, b) UNPIVOT INCLUDE NULLS (v FOR name IN (a AS first, b AS second))
SELECT * FROM VALUES (1, 1, 2, 3, 4) AS t(id, a, b, c, d) UNPIVOT ((x, y) FOR n IN ((a, b) AS p, (c, d) AS q))

-- parameters, names made of texts, pipes
EXECUTE IMMEDIATE 'SELECT :x + 1 AS y, :s' USING 5 AS x, 'a' AS s
EXECUTE IMMEDIATE 'SELECT ? + ?' USING 1, 2.5
SELECT IDENTIFIER('a') FROM VALUES (1) AS t(a)
FROM VALUES (1), (2), (3) AS t(a) |> WHERE a > 1 |> SELECT a * 2 AS b |> ORDER BY b DESC
FROM VALUES (1, 'x'), (2, 'x') AS t(a, b) |> AGGREGATE sum(a) AS s GROUP BY b |> EXTEND s + 1 AS s1
SELECT mask('Ab1')
SELECT nvl(NULL, 'x')
SELECT ifnull(NULL, 1)
SELECT if(true, 1, 2.5)
SELECT nullif(1, 1)
SELECT decode(2, 1, 'a', 2, 'b', 'c')
SELECT no_such_function(1)
SELECT abs()
SELECT FROM
SELECT 1 +

-- commands
CREATE OR REPLACE TEMPORARY VIEW v AS SELECT * FROM VALUES (1, 'x'), (2, NULL) AS t(id, Name)
SELECT * FROM V
SELECT v.NAME, id FROM v
DESCRIBE v
DESCRIBE TABLE v
DESC v
DESCRIBE QUERY SELECT 1 AS a, 'x' AS b
SHOW VIEWS
SHOW TABLES
SHOW COLUMNS IN v
TABLE v
SELECT * FROM v AS w(a, b)
CREATE TEMPORARY VIEW v AS SELECT 1
CREATE TEMPORARY VIEW w (a COMMENT 'first', b) AS SELECT id, name FROM v
SELECT * FROM w
DESCRIBE w
DROP VIEW w
DROP VIEW IF EXISTS w
DROP VIEW w
SET spark.sql.ansi.enabled
SET spark.sql.ansi.enabled = false
SELECT 1 / 0
SELECT CAST('x' AS INT)
SELECT 2147483647 + 1
SELECT '3' * '4'
SELECT 1 + '2'
SELECT array(1, 2)[5]
SELECT element_at(array(1, 2), 5)
SELECT CAST('2024-02-30' AS DATE)
SELECT 'a' = 1
SELECT 1 UNION ALL SELECT 'x'
SET spark.sql.ansi.enabled = true
SET TIME ZONE 'Europe/Berlin'
SELECT TIMESTAMP '2024-03-31 02:30:00'
SELECT CAST(0 AS TIMESTAMP)
SELECT date_trunc('DAY', TIMESTAMP '2024-03-31 12:00:00'), hour(TIMESTAMP '2024-07-01 00:00:00Z')
SELECT TIMESTAMP '2024-03-30 02:30:00' + INTERVAL 1 DAY, TIMESTAMP '2024-03-30 02:30:00' + INTERVAL 24 HOURS
SELECT CAST(TIMESTAMP '2024-03-31 12:00:00' AS TIMESTAMP_NTZ), CAST(TIMESTAMP_NTZ '2024-03-31 02:30:00' AS TIMESTAMP)
SELECT current_timezone(), unix_timestamp('2024-01-01 00:00:00'), from_unixtime(0)
SET TIME ZONE 'UTC'

-- errors that only some rows make
SELECT IF(a = 0, 0, 1 / a) FROM VALUES (0), (1) AS t(a)
SELECT a FROM VALUES (0), (1) AS t(a) WHERE a <> 0 AND 1 / a > 0
SELECT CASE WHEN s RLIKE '^[0-9]+$' THEN CAST(s AS INT) END FROM VALUES ('1'), ('x') AS t(s)
SELECT coalesce(a, 1 / 0) FROM VALUES (1) AS t(a)
SELECT count(CAST(s AS INT)) FROM VALUES ('x') AS t(s)
SELECT CAST(s AS INT) FROM VALUES ('x') AS t(s) WHERE false
SELECT CAST(s AS INT) FROM VALUES ('x') AS t(s) LIMIT 0
SELECT try_cast(s AS INT) AS n, n + 1 AS m FROM VALUES ('x'), ('1') AS t(s)
