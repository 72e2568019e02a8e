"""Conditions, SQLSTATEs and parameters of errors, as PySpark gets them from Spark 4.3.0."""

import pytest
from pyspark.errors import AnalysisException, PySparkException

ANSI = '"spark.sql.ansi.enabled"'
DOCS = "https://spark.apache.org/docs/latest"

# What Spark says of each, its parameters too.
WHOLE = [
    (
        "SELECT nothing",
        "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
        "42703",
        {"objectName": "`nothing`"},
    ),
    (
        "SELECT id FROM range(3) a JOIN range(3) b",
        "AMBIGUOUS_REFERENCE",
        "42704",
        {"name": "`id`", "referenceNames": "[`a`.`id`, `b`.`id`]"},
    ),
    (
        "SELECT abs('x', 1)",
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        "42605",
        {"functionName": "`abs`", "expectedNum": "1", "actualNum": "2", "docroot": DOCS},
    ),
    (
        "SELECT sum('a', 'b')",
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        "42605",
        {"functionName": "`sum`", "expectedNum": "1", "actualNum": "2", "docroot": DOCS},
    ),
    (
        "SELECT CAST('x' AS DATE)",
        "CAST_INVALID_INPUT",
        "22018",
        {"expression": "'x'", "sourceType": '"STRING"', "targetType": '"DATE"', "ansiConfig": ANSI},
    ),
    (
        "SELECT CAST('x' AS DOUBLE)",
        "CAST_INVALID_INPUT",
        "22018",
        {"expression": "'x'", "sourceType": '"STRING"', "targetType": '"DOUBLE"', "ansiConfig": ANSI},
    ),
    (
        "SELECT 5 % 0",
        "REMAINDER_BY_ZERO",
        "22012",
        {"config": ANSI},
    ),
    (
        "SELECT array(1, 2)[5]",
        "INVALID_ARRAY_INDEX",
        "22003",
        {"indexValue": "5", "arraySize": "2"},
    ),
    (
        "SELECT element_at(array(1), 5)",
        "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
        "22003",
        {"indexValue": "5", "arraySize": "1"},
    ),
    (
        "SELECT id, count(*) FROM range(3)",
        "MISSING_GROUP_BY",
        "42803",
        {},
    ),
    (
        "SELECT sum(sum(id)) FROM range(3)",
        "NESTED_AGGREGATE_FUNCTION",
        "42607",
        {},
    ),
    (
        "SELECT id FROM range(3) GROUP BY 5",
        "GROUP_BY_POS_OUT_OF_RANGE",
        "42805",
        {"index": "5", "size": "1"},
    ),
    (
        "SELECT id FROM range(3) ORDER BY 5",
        "ORDER_BY_POS_OUT_OF_RANGE",
        "42805",
        {"index": "5", "size": "1"},
    ),
    (
        "SELECT * FROM range(3) UNION SELECT 1, 2",
        "NUM_COLUMNS_MISMATCH",
        "42826",
        {"operator": "UNION", "firstNumColumns": "1", "invalidOrdinalNum": "second", "invalidNumColumns": "2"},
    ),
    (
        "SELECT (SELECT 1, 2)",
        "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
        "42823",
        {"number": "2"},
    ),
    (
        "SELECT named_struct('a', 1).b",
        "FIELD_NOT_FOUND",
        "42704",
        {"fieldName": "`b`", "fields": "`a`"},
    ),
    (
        "SELEC 1",
        "PARSE_SYNTAX_ERROR",
        "42601",
        {"error": "'SELEC'", "hint": ""},
    ),
    (
        "SELECT (1",
        "PARSE_SYNTAX_ERROR",
        "42601",
        {"error": "end of input", "hint": ""},
    ),
    (
        "SELECT * FROM range(3) LIMIT -1",
        "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
        "42K0E",
        {"name": "limit", "expr": '"-1"', "v": "-1"},
    ),
    (
        "SELECT to_date('2020-13-01')",
        "CAST_INVALID_INPUT",
        "22018",
        {"expression": "'2020-13-01'", "sourceType": '"STRING"', "targetType": '"DATE"', "ansiConfig": ANSI},
    ),
    (
        "SELECT date_add('2020-01-01', 'x')",
        "CAST_INVALID_INPUT",
        "22018",
        {"expression": "'x'", "sourceType": '"STRING"', "targetType": '"INT"', "ansiConfig": ANSI},
    ),
    (
        "SELECT CAST(1 AS NOTYPE)",
        "UNSUPPORTED_DATATYPE",
        "0A000",
        {"typeName": '"NOTYPE"'},
    ),
    (
        "SELECT window(timestamp'2020-01-01', 'x')",
        "CANNOT_PARSE_INTERVAL",
        "22006",
        {"intervalString": "'x'"},
    ),
    (
        "SELECT raise_error('no')",
        "USER_RAISED_EXCEPTION",
        "P0001",
        {"errorMessage": "no"},
    ),
    (
        "CREATE TEMPORARY VIEW v AS SELECT 1 a, 2 a",
        "COLUMN_ALREADY_EXISTS",
        "42711",
        {"columnName": "`a`"},
    ),
    (
        "SELECT date'x'",
        "INVALID_TYPED_LITERAL",
        "42604",
        {"valueType": '"DATE"', "value": "'x'"},
    ),
    (
        "SELECT timestamp'x'",
        "INVALID_TYPED_LITERAL",
        "42604",
        {"valueType": '"TIMESTAMP"', "value": "'x'"},
    ),
    (
        "SELECT t.* FROM range(3) s",
        "CANNOT_RESOLVE_STAR_EXPAND",
        "42704",
        {"targetString": "`t`", "columns": "`id`"},
    ),
    (
        "SELECT max(id) OVER (PARTITION BY x) FROM range(3)",
        "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        "42703",
        {"objectName": "`x`", "proposal": "`id`"},
    ),
    (
        "SELECT conv('a')",
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        "42605",
        {"functionName": "`conv`", "expectedNum": "3", "actualNum": "1", "docroot": DOCS},
    ),
]

# Here Spark's parameters show the expression or say more than the engine does: it names none.
WITHOUT_PARAMETERS = [
    ("SELECT 'a' + INTERVAL 1 DAY", "CAST_INVALID_INPUT", "22018"),
    ("SELECT 1 = array(1)", "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09"),
    ("SELECT upper(array(1))", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09"),
    ("SELECT abs(true)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09"),
    ("SELECT CAST(300 AS TINYINT)", "CAST_OVERFLOW", "22003"),
    ("SELECT CAST(1e20 AS INT)", "CAST_OVERFLOW", "22003"),
    ("SELECT CAST(true AS DATE)", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09"),
    ("SELECT CAST(array(1) AS INT)", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09"),
    ("SELECT 2147483647 + 1", "ARITHMETIC_OVERFLOW", "22003"),
    ("SELECT 9223372036854775807L + 1", "ARITHMETIC_OVERFLOW", "22003"),
    ("SELECT sum(id) s FROM range(3) WHERE sum(id) > 1", "INVALID_WHERE_CONDITION", "42903"),
    ("SELECT * FROM range(3) WHERE id", "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09"),
    ("SELECT 1 UNION SELECT array(1)", "INCOMPATIBLE_COLUMN_TYPE", "42825"),
    ("SELECT 'a", "PARSE_SYNTAX_ERROR", "42601"),
    ("SELECT explode(1)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09"),
    ("SELECT * FROM range(3) LIMIT 'a'", "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", "42K0E"),
    ("SELECT to_timestamp('x', 'yyyy')", "CANNOT_PARSE_TIMESTAMP", "22007"),
    ("SELECT rank()", "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "42601"),
    ("SELECT window(1, '5 minutes')", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09"),
    ("SELECT window(timestamp'2020-01-01', '-5 minutes')", "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09"),
    ("SELECT array(1, array(2))", "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "42K09"),
    ("SELECT map(1)", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605"),
    ("SELECT array_contains(1, 1)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09"),
    ("SELECT * FROM (VALUES (1), (1, 2))", "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000"),
    ("SELECT make_date(2020, 13, 1)", "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "22023"),
    ("SELECT -array(1)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09"),
    ("SELECT 1 AND 2", "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "42K09"),
    ("SELECT * FROM range()", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605"),
]


def said(error):
    return error.getCondition(), error.getSqlState(), error.getMessageParameters() or {}


@pytest.mark.parametrize(("text", "condition", "state", "parameters"), WHOLE)
def test_an_error_says_what_sparks_says(spark, text, condition, state, parameters):
    with pytest.raises(PySparkException) as caught:
        spark.sql(text).collect()
    assert said(caught.value) == (condition, state, parameters)


@pytest.mark.parametrize(("text", "condition", "state"), WITHOUT_PARAMETERS)
def test_an_error_has_sparks_condition_and_state(spark, text, condition, state):
    with pytest.raises(PySparkException) as caught:
        spark.sql(text).collect()
    assert said(caught.value) == (condition, state, {})


def test_streams_are_refused_as_spark_refuses_them(spark):
    rate = spark.readStream.format("rate").load()
    for column, delay, expected in [
        ("value", "10 minutes", ("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "42K09",
                                 {"eventName": "`value`", "eventType": '"BIGINT"'})),
        ("timestamp", "ten", ("CANNOT_PARSE_INTERVAL", "22006", {"intervalString": "'ten'"})),
    ]:
        with pytest.raises(AnalysisException) as caught:
            rate.withWatermark(column, delay).schema
        assert said(caught.value) == expected
    with pytest.raises(PySparkException) as caught:
        rate.writeStream.format("memory").queryName("x").outputMode("nosuch").start()
    assert said(caught.value) == ("STREAMING_OUTPUT_MODE.INVALID", "42KDE", {"outputMode": "nosuch"})
