"""What random SQL is made of: names, types, values, and functions by the type they give."""

NAMES = ["id", "ID", "a", "A", "b", "B", "c", "value", "Key", "x", "ts", "`a b`", "`a.b`", "`É`", "`select`", "name"]
TABLES = ["t", "T1", "u", "`v.w`", "orders"]
PLAIN = ["boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(10,2)", "decimal(38,18)"]
PLAIN += ["string", "binary", "date", "timestamp", "timestamp_ntz"]
NUMBERS = PLAIN[1:9]
ORDINARY = {
    "boolean": ["true", "false"],
    "tinyint": ["1Y", "7Y", "-3Y"],
    "smallint": ["10S", "-4S", "0S"],
    "int": ["1", "2", "3", "42", "-7", "0"],
    "bigint": ["5L", "100L", "-1L"],
    "float": ["CAST('1.5' AS FLOAT)", "0.1F", "-2F"],
    "double": ["1.5D", "2.0D", "-0.25D", "1e10D"],
    "decimal(10,2)": ["CAST(1.50 AS DECIMAL(10,2))", "CAST(-3.25 AS DECIMAL(10,2))"],
    "decimal(38,18)": ["CAST(1.5 AS DECIMAL(38,18))", "CAST(0.000000000000000001 AS DECIMAL(38,18))"],
    "string": ["'a'", "'B'", "'abc'", "'12'", "''", "'2024-02-29'", "'x,y'"],
    "binary": ["X'41'", "X'00FF'"],
    "date": ["DATE'2024-02-29'", "DATE'1999-12-31'"],
    "timestamp": ["TIMESTAMP'2024-02-29 12:30:00'", "TIMESTAMP'1969-12-31 23:59:59.999999'"],
    "timestamp_ntz": ["TIMESTAMP_NTZ'2024-02-29 12:30:00'"],
}
EXTREME = {
    "tinyint": ["127Y", "-128Y"],
    "smallint": ["32767S", "-32768S"],
    "int": ["2147483647", "-2147483648"],
    "bigint": ["9223372036854775807L", "-9223372036854775808L"],
    "float": ["CAST('NaN' AS FLOAT)", "CAST('-Infinity' AS FLOAT)", "CAST('3.4028235E38' AS FLOAT)", "-0.0F"],
    "double": [
        "CAST('NaN' AS DOUBLE)", "CAST('Infinity' AS DOUBLE)", "-0.0D", "1.7976931348623157E308D", "4.9E-324D",
    ],
    "decimal(10,2)": ["CAST(99999999.99 AS DECIMAL(10,2))"],
    "decimal(38,18)": ["CAST('99999999999999999999.999999999999999999' AS DECIMAL(38,18))"],
    "string": ["'é'", "' '", "'%'", "'a_b'", "'\\n'", "'NaN'", "'1e3'", "' 7 '", "'😀'"],
    "binary": ["X''"],
    "date": ["DATE'0001-01-01'", "DATE'9999-12-31'", "DATE'1582-10-15'"],
    "timestamp": ["TIMESTAMP'0001-01-01 00:00:00'", "TIMESTAMP'9999-12-31 23:59:59.999999'"],
}
# Functions by the type they give: a template whose {type} slots are arguments.
FUNCTIONS = {
    "boolean": [
        "{any} IS NULL", "{any} IS NOT NULL", "NOT {boolean}", "({boolean} AND {boolean})",
        "({boolean} OR {boolean})", "({same} = {same2})", "({same} <=> {same2})", "({same} < {same2})",
        "({same} >= {same2})", "({same} <> {same2})", "{same} BETWEEN {same2} AND {same2}",
        "{same} IN ({same2}, {same2})", "{same} NOT IN ({same2}, NULL)", "{string} LIKE 'a%'",
        "{string} RLIKE '^[a-c]+$'", "{string} ILIKE '%B%'", "contains({string}, {string})",
        "startswith({string}, 'a')", "isnan({double})", "array_contains({array}, {element})", "{boolean} IS TRUE",
        "{boolean} IS NOT FALSE", "{same} IS DISTINCT FROM {same2}", "exists({array}, {lambda:boolean})",
        "forall({array}, {lambda:boolean})", "({number} = {string})", "({date} < {timestamp})",
        "{string} LIKE ANY ('a%', '%2')", "map_contains_key({map}, {string})",
    ],
    "int": [
        "length({string})", "({int} + {int})", "({int} - {smallint})", "({int} * {int})", "({int} % 3)", "abs({int})",
        "(- {int})", "year({date})", "month({date})", "dayofweek({date})", "day({timestamp})", "hour({timestamp})",
        "size({array})", "cardinality({map})", "datediff({date}, {date})", "sign({int})", "instr({string}, {string})",
        "ascii({string})", "CAST({string} AS INT)", "CAST({double} AS INT)", "try_cast({string} AS INT)",
        "({int} & {int})", "({int} | {int})", "({int} ^ {int})", "~{int}", "greatest({int}, {int})",
        "least({int}, {tinyint})", "pmod({int}, 5)", "shiftleft({int}, 2)", "bit_length({string})",
        "levenshtein({string}, {string})", "position({string} IN {string})", "extract(MONTH FROM {date})",
        "aggregate({ints}, 0, (acc, x) -> acc + x)", "find_in_set({string}, 'a,b,abc')", "crc32({string}) % 7",
        "nullif({int}, {int})", "array_position({array}, {element})", "try_add({int}, {int})", "quarter({date})",
        "weekofyear({date})", "hash({plain})", "element_at({ints}, 1)", "{ints}[0]",
    ],
    "bigint": [
        "({bigint} + {int})", "({bigint} * {bigint})", "({int} DIV {int})", "CAST({int} AS BIGINT)",
        "unix_timestamp({timestamp})", "({bigint} - {tinyint})", "floor({double})", "ceil({double})",
        "CAST({timestamp} AS BIGINT)", "unix_millis({timestamp})", "try_multiply({bigint}, {bigint})",
        "xxhash64({plain})", "bit_count({bigint})",
    ],
    "double": [
        "({int} / {int})", "({double} + {int})", "({double} * {double})", "sqrt({double})", "exp({double})",
        "ln({double})", "round({double}, 1)", "CAST({string} AS DOUBLE)", "CAST({decimal} AS DOUBLE)",
        "power({double}, 2)", "({float} + {double})", "({bigint} / {double})", "nanvl({double}, {double})",
        "abs({double})", "try_divide({double}, {int})", "degrees({double})", "greatest({double}, {int})",
        "coalesce({double}, {float})", "signum({double})", "cbrt({double})", "atan2({double}, {int})",
        "hypot({double}, {double})", "rint({double})",
    ],
    "float": [
        "CAST({double} AS FLOAT)", "({float} + {float})", "(- {float})", "abs({float})", "round({float}, 1)",
        "coalesce({float}, {float})",
    ],
    "decimal": [
        "({decimal} + {decimal})", "({decimal} - {int})", "({decimal} * {decimal})", "({decimal} / {decimal})",
        "({decimal} % {decimal})", "round({decimal}, 1)", "CAST({int} AS DECIMAL(12,3))",
        "CAST({string} AS DECIMAL(8,2))", "(- {decimal})", "abs({decimal})", "({decimal} + {bigint})",
        "coalesce({decimal}, {int})", "ceil({decimal})", "floor({decimal})", "bround({decimal}, 1)",
        "greatest({decimal}, {decimal})", "({tinyint} + {decimal})", "({int} * 1.5)", "({bigint} / 3.0)",
    ],
    "string": [
        "concat({string}, {string})", "({string} || {plain})", "upper({string})", "lower({string})",
        "substring({string}, 2, 2)", "trim({string})", "CAST({plain} AS STRING)", "coalesce({string}, {string})",
        "replace({string}, 'a', 'b')", "repeat({string}, 2)", "reverse({string})", "lpad({string}, 5, '*')",
        "rpad({string}, 3)", "concat_ws('-', {string}, {string})", "date_format({date}, 'yyyy-MM')",
        "split_part({string}, ',', 1)", "regexp_replace({string}, '[a-c]', '#')", "typeof({any})",
        "initcap({string})", "translate({string}, 'abc', 'xy')", "hex({int})", "hex({string})", "left({string}, 2)",
        "right({string}, 2)", "nvl({string}, {int})", "if({boolean}, {string}, {string})",
        "to_json(named_struct('k', {any}))", "md5({string})", "greatest({string}, {string})",
        "array_join({strings}, '|')", "{map}['a']", "overlay({string} PLACING 'Z' FROM 1)", "conv({int}, 10, 16)",
        "format_number({double}, 2)", "substr({string} FROM 1 FOR 2)", "bin({bigint})", "chr(65 + {tinyint})",
        "CAST({array} AS STRING)", "CAST({struct} AS STRING)", "CAST({map} AS STRING)", "soundex({string})",
        "elt(1, {string}, {string})", "ltrim({string})", "btrim({string}, 'a')", "nvl2({any}, {string}, {string})",
        "element_at({map}, 'b')", "{strings}[0]",
    ],
    "binary": [
        "CAST({string} AS BINARY)", "unhex('41')", "concat({binary}, {binary})", "coalesce({binary}, {binary})",
        "unbase64('QQ==')",
    ],
    "date": [
        "date_add({date}, {tinyint})", "CAST({timestamp} AS DATE)", "last_day({date})", "add_months({date}, 1)",
        "trunc({date}, 'MM')", "to_date({string})", "coalesce({date}, {date})", "({date} + INTERVAL 1 DAY)",
        "try_cast({string} AS DATE)", "make_date(2024, 1 + ({tinyint} & 7), 1)", "next_day({date}, 'MON')",
        "({date} - 1)", "date_sub({date}, 2)", "greatest({date}, {date})",
    ],
    "timestamp": [
        "CAST({date} AS TIMESTAMP)", "date_trunc('HOUR', {timestamp})", "({timestamp} + INTERVAL '1 2' DAY TO HOUR)",
        "to_timestamp({string})", "timestamp_seconds({int})", "coalesce({timestamp}, {date})",
        "from_utc_timestamp({timestamp}, 'Europe/Berlin')", "({timestamp} - INTERVAL 1 MONTH)",
        "try_to_timestamp({string})",
    ],
    "timestamp_ntz": ["CAST({date} AS TIMESTAMP_NTZ)", "CAST({timestamp} AS TIMESTAMP_NTZ)"],
    "interval": [
        "({date} - {date})", "({timestamp} - {timestamp})", "INTERVAL 2 HOURS", "INTERVAL '1-2' YEAR TO MONTH",
        "make_dt_interval({tinyint})",
    ],
    "tinyint": ["CAST({int} AS TINYINT)", "({tinyint} + 1Y)", "coalesce({tinyint}, {tinyint})"],
    "smallint": ["CAST({int} AS SMALLINT)", "({tinyint} + {smallint})", "({smallint} * {smallint})"],
    "array": [
        "array({same}, {same2})", "array_distinct({array})", "slice({array}, 1, 1)", "sort_array({array})",
        "reverse({array})", "filter({array}, {lambda:boolean})", "array_append({array}, {element})",
        "array_compact({array})", "concat({array}, {array})", "array_union({array}, {array})", "array_sort({array})",
        "array_remove({array}, {element})",
    ],
    "strings": [
        "split({string}, ',')", "array({string}, {string})", "transform({strings}, {lambda:string})",
        "map_keys({map})", "map_values({map})",
    ],
    "ints": [
        "array({int}, {int})", "sequence(1, 3)", "transform({array}, {lambda:int})",
        "transform(array(1, 2), (x, i) -> x + i)",
    ],
    "map": [
        "map('a', {string}, 'b', {string})", "map_filter({map}, (k, v) -> k = 'a')",
        "transform_values({map}, (k, v) -> concat(k, v))", "str_to_map('a:1,b:2')",
    ],
    "struct": ["named_struct('f', {any}, 'G', {plain})", "struct({any}, {plain} AS y)", "({any}, {plain})"],
}
AGGREGATES = {
    "bigint": [
        "count(*)", "count({any})", "count(DISTINCT {plain})", "sum({int})", "sum({bigint})", "count_if({boolean})",
        "sum(DISTINCT {int})",
    ],
    "double": [
        "avg({int})", "avg({double})", "sum({double})", "stddev({double})", "var_pop({int})",
        "percentile({int}, 0.5)", "corr({double}, {int})",
    ],
    "decimal": ["sum({decimal})", "avg({decimal})", "max({decimal})"],
    "int": ["max({int})", "min({int})", "max_by({int}, {plain})", "bit_xor({int})", "min_by({int}, {plain})"],
    "string": [
        "max({string})", "min({string})", "concat_ws(',', sort_array(collect_set({string})))",
        "array_join(sort_array(collect_list({string})), ',')",
    ],
    "boolean": ["bool_and({boolean})", "some({boolean})", "every({boolean})"],
    "date": ["max({date})", "min({date})"],
    "timestamp": ["max({timestamp})"],
    "array": ["sort_array(collect_list({any}))", "sort_array(collect_set({plain}))"],
    "struct": ["max(named_struct('f', {int}, 'G', {string}))"],
}
WINDOWS = {
    "int": [
        "row_number()", "rank()", "dense_rank()", "ntile(2)", "lag({int})", "lead({int}, 1, 0)", "first_value({int})",
        "max({int})",
    ],
    "double": ["percent_rank()", "cume_dist()", "avg({int})", "sum({double})"],
    "bigint": ["count(*)", "sum({int})", "count({any})"],
    "string": ["lag({string}, 2, 'none')", "last_value({string})", "nth_value({string}, 2)", "min({string})"],
}
FRAMES = ["", "", " ROWS BETWEEN 1 PRECEDING AND CURRENT ROW"]
FRAMES += [" ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"]
FRAMES += [" RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", " ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING"]
FRAMELESS = ("row_number", "rank", "dense_rank", "ntile", "lag", "lead", "percent_rank", "cume_dist")
JOINS = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL OUTER JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "CROSS JOIN"]
