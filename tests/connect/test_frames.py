"""Frames, SQL and the catalog of an unchanged PySpark client."""

import datetime

import pytest
from pyspark.errors import (
    AnalysisException,
    ArithmeticException,
    NumberFormatException,
    ParseException,
)
from pyspark.sql import functions as F
from pyspark.sql.types import StructType


@pytest.fixture
def people(spark):
    rows = [(1, "a", 1.5), (2, "b", None), (3, None, 2.0)]
    return spark.createDataFrame(rows, ["id", "name", "score"])


def rows(frame):
    return [tuple(row) for row in frame.collect()]


def test_a_frame_of_rows_comes_back_as_it_was(people):
    assert rows(people) == [(1, "a", 1.5), (2, "b", None), (3, None, 2.0)]
    assert people.dtypes == [("id", "bigint"), ("name", "string"), ("score", "double")]
    assert people.toPandas()["id"].tolist() == [1, 2, 3]
    assert people.toArrow().column("name").to_pylist() == ["a", "b", None]
    assert people.count() == 3


def test_an_empty_frame_has_its_columns(spark):
    schema = StructType.fromDDL("a int, b array<string>")
    empty = spark.createDataFrame([], schema)
    assert empty.schema == schema
    assert rows(empty) == []


def test_show_and_print_schema(people, capsys):
    people.orderBy("id").show()
    people.printSchema()
    assert capsys.readouterr().out == (
        "+---+----+-----+\n| id|name|score|\n+---+----+-----+\n|  1|   a|  1.5|\n|  2|   b| NULL|\n"
        "|  3|NULL|  2.0|\n+---+----+-----+\n\n"
        "root\n |-- id: long (nullable = true)\n |-- name: string (nullable = true)\n"
        " |-- score: double (nullable = true)\n\n"
    )


def test_a_join_of_columns_of_two_frames_of_one_origin(people):
    other = people.withColumn("one", F.lit(1))
    joined = people.join(other, people.id == other.id).select(people.id, other.name)
    assert rows(joined.orderBy(people.id)) == [(1, "a"), (2, "b"), (3, None)]


def test_parts_of_nested_values(spark):
    nested = spark.sql("SELECT array(1, 2) AS a, map('k', 1) AS m, struct(1 AS x) AS s")
    parts = nested.select(
        F.col("a")[0],
        F.col("m")["k"],
        F.col("s").getField("x"),
        F.col("s").withField("y", F.lit(2)),
    )
    assert rows(parts) == [(1, 1, 1, (1, 2))]


def test_missing_values(people):
    filled = people.fillna({"score": 0.0, "name": "-"})
    assert rows(filled) == [(1, "a", 1.5), (2, "b", 0.0), (3, "-", 2.0)]
    # A number fills numbers, a text texts; what is no number counts as missing.
    assert rows(people.fillna(7)) == [(1, "a", 1.5), (2, "b", 7.0), (3, None, 2.0)]
    nan = people.withColumn("score", F.when(F.col("id") == 1, F.lit(float("nan"))).otherwise(F.col("score")))
    assert rows(nan.fillna(0)) == [(1, "a", 0.0), (2, "b", 0.0), (3, None, 2.0)]
    assert rows(people.dropna()) == [(1, "a", 1.5)]
    assert rows(people.dropna(how="all")) == rows(people)
    assert rows(people.dropna(subset=["name"]).select("id")) == [(1,), (2,)]
    assert rows(people.replace("a", "A").select("name")) == [("A",), ("b",), (None,)]
    assert rows(people.replace([1, 2], [10, 20], "id").select("id")) == [(10,), (20,), (3,)]
    with pytest.raises(AnalysisException, match="nope"):
        people.fillna({"nope": 1}).collect()


def test_statistics(people):
    described = {row[0]: tuple(row)[1:] for row in people.describe().collect()}
    assert described["count"] == ("3", "2", "2")
    assert described["mean"] == ("2.0", None, "1.75")
    assert described["min"] == ("1", "a", "1.5")
    assert [row[0] for row in people.summary("count", "50%").collect()] == ["count", "50%"]
    frame = people.sparkSession.range(10).selectExpr("id AS a", "id * 2 AS b")
    assert frame.stat.corr("a", "b") == pytest.approx(1.0)
    assert frame.stat.cov("a", "b") == pytest.approx(18.333333333)
    assert frame.approxQuantile("a", [0.0, 1.0], 0.0) == [0.0, 9.0]


def test_samples_and_parts(spark):
    parts = spark.range(1_000).randomSplit([0.5, 0.5], seed=3)
    together = sorted(row.id for part in parts for row in part.collect())
    assert together == list(range(1_000))
    assert all(400 < part.count() < 600 for part in parts)
    assert 50 < spark.range(1_000).sample(0.1, seed=1).count() < 150
    assert spark.range(10).tail(3) == spark.range(10).where("id >= 7").collect()


def test_columns_as_a_schema_wants_them(people):
    assert rows(people.to(StructType.fromDDL("score double, id bigint")))[0] == (1.5, 1)
    with pytest.raises(AnalysisException, match="INVALID_COLUMN_OR_FIELD_DATA_TYPE"):
        people.to(StructType.fromDDL("name int")).collect()


def test_groups_pivot_unions(people):
    by_name = people.groupBy().pivot("name", ["a", "b"]).sum("score")
    assert rows(by_name) == [(1.5, None)]
    assert people.unionByName(people.select("score", "name", "id")).count() == 6
    assert people.union(people).distinct().count() == 3


def test_sql_with_arguments_and_frames(spark, people):
    assert rows(spark.sql("SELECT :a + 1 AS x", args={"a": 41})) == [(42,)]
    assert rows(spark.sql("SELECT ? + ? AS x", args=[40, 2])) == [(42,)]
    assert rows(spark.sql("SELECT count(*) AS n FROM {frame}", frame=people)) == [(3,)]


def test_views_and_the_catalog(spark, people):
    people.createOrReplaceTempView("people")
    assert spark.table("people").count() == 3
    assert [table.name for table in spark.catalog.listTables()] == ["people"]
    assert spark.catalog.tableExists("PEOPLE")
    assert [column.name for column in spark.catalog.listColumns("people")] == ["id", "name", "score"]
    assert spark.catalog.functionExists("sum") and not spark.catalog.functionExists("nope")
    assert spark.catalog.dropTempView("people") and not spark.catalog.tableExists("people")
    spark.sql("CREATE TEMPORARY VIEW one AS SELECT 1 AS x")
    assert rows(spark.sql("SHOW VIEWS")) == [("", "one", True)]


def test_settings(spark):
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    spark.conf.set("spark.sql.session.timeZone", "Asia/Taipei")
    noon = spark.sql("SELECT cast(timestamp'2024-01-01 12:00:00' AS STRING) AS s, hour(timestamp'2024-01-01 04:00:00Z') AS h")
    assert rows(noon) == [("2024-01-01 12:00:00", 12)]
    spark.conf.unset("spark.sql.session.timeZone")
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    spark.conf.set("own.setting", "x")
    assert spark.conf.get("own.setting") == "x"
    with pytest.raises(Exception, match="spark.sql.nope"):
        spark.conf.set("spark.sql.nope", "1")


def test_types_of_every_kind(spark):
    row = spark.sql(
        "SELECT timestamp_ntz'2024-01-01 00:00:00' AS n, date'2024-01-02' AS d, cast(1.5 AS decimal(10, 2)) AS e,"
        " X'01' AS b, interval '1' day AS i, map('a', 1) AS m, NULL AS z, 1Y AS t, true AS y"
    ).first()
    assert row.n == datetime.datetime(2024, 1, 1)
    assert row.d == datetime.date(2024, 1, 2)
    assert str(row.e) == "1.50"
    assert bytes(row.b) == b"\x01"
    assert row.i == datetime.timedelta(days=1)
    assert (row.m, row.z, row.t, row.y) == ({"a": 1}, None, 1, True)


@pytest.mark.parametrize(
    ("text", "exception", "condition"),
    [
        ("SELECT nope FROM range(1)", AnalysisException, "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("SELEC 1", ParseException, "PARSE_SYNTAX_ERROR"),
        ("SELECT * FROM nowhere", AnalysisException, "TABLE_OR_VIEW_NOT_FOUND"),
        ("SELECT 1 / 0", ArithmeticException, "DIVIDE_BY_ZERO"),
        ("SELECT cast('x' AS INT)", NumberFormatException, "CAST_INVALID_INPUT"),
    ],
)
def test_errors_are_the_exceptions_of_pyspark(spark, text, exception, condition):
    with pytest.raises(exception) as caught:
        spark.sql(text).collect()
    assert caught.value.getCondition() == condition
    assert "%%" not in str(caught.value)


def test_a_refused_mode_says_what_to_call(spark):
    counts = spark.readStream.format("rate").load().groupBy("value").count()
    with pytest.raises(AnalysisException) as caught:
        counts.writeStream.format("memory").queryName("x").outputMode("append").start()
    assert caught.value.getCondition() == "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"
    assert caught.value.getSqlState() == "42KDE"
    assert caught.value.getMessageParameters() == {
        "outputMode": "append",
        "operation": "streaming aggregations without watermark",
    }
    assert '.withWatermark("' in str(caught.value) and '.outputMode("update")' in str(caught.value)


def test_files_written_are_read_again(spark, people, tmp_path):
    path = str(tmp_path / "people")
    people.write.parquet(path)
    assert sorted(rows(spark.read.parquet(path)))[0] == (1, "a", 1.5)
    with pytest.raises(AnalysisException, match="PATH_ALREADY_EXISTS"):
        people.write.parquet(path)


def test_pivot_finds_its_values(spark):
    sales = spark.createDataFrame(
        [(2024, "b", 1.5), (2024, "a", 2.0), (2025, "b", 4.0), (2025, None, 8.0)], "year INT, shop STRING, amount DOUBLE"
    )
    by_year = sales.groupBy("year").pivot("shop").sum("amount").orderBy("year")
    assert by_year.columns == ["year", "null", "a", "b"]
    assert rows(by_year) == [(2024, None, 2.0, 1.5), (2025, 8.0, None, 4.0)]
    several = sales.groupBy().pivot("year").agg(F.sum("amount").alias("total"), F.count("*").alias("n"))
    assert several.columns == ["2024_total", "2024_n", "2025_total", "2025_n"]
    assert rows(several) == [(3.5, 2, 12.0, 2)]
    stream = spark.readStream.format("rate").load()
    with pytest.raises(AnalysisException, match="list its values"):
        stream.groupBy().pivot("value").count().schema


def test_crosstab_and_samples_of_strata(spark):
    pairs = spark.createDataFrame([("x", 1), ("x", 2), ("y", 1), (None, 10), ("x", 1)], "letter STRING, number INT")
    counted = pairs.crosstab("letter", "number").orderBy("letter_number")
    assert counted.columns == ["letter_number", "1", "10", "2"]
    assert rows(counted) == [("null", 0, 1, 0), ("x", 2, 0, 1), ("y", 1, 0, 0)]
    strata = spark.range(3000).withColumn("of", F.col("id") % 3)
    sample = strata.sampleBy("of", fractions={0: 1.0, 1: 0.5}, seed=7)
    found = {row["of"]: row["count"] for row in sample.groupBy("of").count().collect()}
    assert found[0] == 1000 and 400 < found[1] < 600 and 2 not in found


def test_what_is_left_out_is_refused_by_name(spark, people):
    with pytest.raises(AnalysisException, match="FreqItems"):
        people.freqItems(["name"]).collect()
    with pytest.raises(AnalysisException, match="writeTo"):
        people.writeTo("t").create()


def test_from_json_takes_a_schema_of_pyspark(spark):
    from pyspark.sql.functions import from_json
    from pyspark.sql.types import ArrayType, IntegerType, StringType, StructType

    schema = StructType().add("n", IntegerType()).add("tags", ArrayType(StringType()))
    frame = spark.createDataFrame([('{"n": 1, "tags": ["a", "b"]}',)], "value STRING")
    row = frame.select(from_json("value", schema).alias("data")).select("data.*").first()
    assert (row.n, row.tags) == (1, ["a", "b"])
