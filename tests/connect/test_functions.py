"""Functions of Python that the server runs: `foreachBatch`, `foreach`, `udf`, `pandas_udf`."""

import json

import pytest
from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import Row
from pyspark.sql.functions import arrow_udf, col, pandas_udf, udf
from pyspark.sql.types import IntegerType, StringType


@pytest.fixture
def events(tmp_path, spark):
    """Three files, one batch each."""
    folder = tmp_path / "events"
    folder.mkdir()
    for number in range(3):
        rows = [{"k": "ab"[value % 2], "v": value} for value in range(number * 2, number * 2 + 3)]
        (folder / f"{number}.json").write_text("\n".join(map(json.dumps, rows)))
    return spark.readStream.schema("k STRING, v BIGINT").option("maxFilesPerTrigger", 1).json(str(folder))


def run(writer):
    query = writer.trigger(availableNow=True).start()
    query.awaitTermination(60)
    return query


def test_foreach_batch_gets_every_batch_as_a_frame(spark, events, tmp_path):
    out = str(tmp_path / "out")

    def write(batch, number):
        totals = batch.groupBy("k").sum("v").withColumnRenamed("sum(v)", "total")
        totals.selectExpr(f"{number} AS batch", "*").coalesce(1).write.mode("append").json(out)

    query = run(events.writeStream.foreachBatch(write))
    assert [progress.numInputRows for progress in query.recentProgress][:3] == [3, 3, 3]
    rows = spark.read.schema("batch BIGINT, k STRING, total BIGINT").json(out).orderBy("batch", "k").collect()
    assert [tuple(row) for row in rows] == [(0, "a", 2), (0, "b", 1), (1, "a", 6), (1, "b", 3), (2, "a", 10), (2, "b", 5)]


def test_a_batch_can_be_used_as_often_as_wanted(spark, events, tmp_path):
    log = tmp_path / "log"

    def look(batch, number):
        batch.persist()
        batch.createOrReplaceTempView("batch_now")
        biggest = batch.sparkSession.sql("SELECT max(v) AS v FROM batch_now").first().v
        with log.open("a") as file:
            file.write(f"{number} {batch.count()} {biggest} {batch.isEmpty()} {[row.v for row in batch.collect()]}\n")
        batch.unpersist()

    run(events.where("v > 1").writeStream.outputMode("append").foreachBatch(look))
    assert log.read_text() == "0 1 2 False [2]\n1 3 4 False [2, 3, 4]\n2 3 6 False [4, 5, 6]\n"
    assert spark.table("batch_now").count() == 3


def test_an_error_of_the_function_is_that_of_the_query(events):
    def fail(batch, number):
        if number == 1:
            raise ValueError("not this one")

    query = events.writeStream.foreachBatch(fail).trigger(availableNow=True).start()
    with pytest.raises(StreamingQueryException, match="not this one") as raised:
        query.awaitTermination(60)
    assert "FOREACH_BATCH_USER_FUNCTION_ERROR" in str(raised.value)
    assert query.lastProgress["batchId"] == 0


def test_a_query_that_is_stopped_ends_its_function(events):
    def wait(batch, number):
        import time

        time.sleep(600)

    query = events.writeStream.foreachBatch(wait).start()
    query.stop()
    assert not query.isActive


def test_foreach_takes_rows(events, tmp_path):
    log = tmp_path / "log"

    def take(row):
        with log.open("a") as file:
            file.write(f"{type(row).__name__} {row.k}{row['v']} ")

    run(events.where("v < 2").writeStream.foreach(take))
    assert log.read_text() == "Row a0 Row b1 "


def test_foreach_opens_processes_and_closes(events, tmp_path):
    log = tmp_path / "log"

    class Writer:
        def write(self, text):
            with log.open("a") as file:
                file.write(text + " ")

        def open(self, partition, epoch):
            self.write(f"open({partition},{epoch})")
            return epoch != 1

        def process(self, row):
            self.write(str(row.v))

        def close(self, error):
            self.write(f"close({error})")

    run(events.writeStream.foreach(Writer()))
    assert log.read_text() == "open(0,0) 0 1 2 close(None) open(0,1) close(None) open(0,2) 4 5 6 close(None) "


def test_udf(spark):
    @udf("INT")
    def doubled(value):
        return None if value is None else 2 * value

    frame = spark.createDataFrame([(1, "x"), (None, "y"), (3, "z")], "a INT, b STRING")
    shown = frame.select(doubled("a"), udf(lambda a, b: f"{b}{a}", StringType())("a", "b").alias("both"))
    assert shown.columns == ["doubled(a)", "both"]
    assert [tuple(row) for row in shown.collect()] == [(2, "x1"), (None, "yNone"), (6, "z3")]
    nested = frame.select(udf(lambda row: row.b + "!", StringType())(F_struct("a", "b")).alias("s"))
    assert [row.s for row in nested.collect()] == ["x!", "y!", "z!"]
    assert frame.where(doubled("a") > 4).count() == 1


def F_struct(*names):
    from pyspark.sql.functions import struct

    return struct(*names)


def test_a_registered_udf_is_known_to_sql(spark):
    spark.udf.register("plus_one", lambda value: value + 1, IntegerType())
    assert spark.sql("SELECT plus_one(41) AS x").first() == Row(x=42)
    assert spark.range(3).selectExpr("plus_one(CAST(id AS INT)) AS x").collect() == [Row(x=1), Row(x=2), Row(x=3)]


def test_pandas_udf_and_arrow_udf(spark):
    import pandas as pd

    @pandas_udf("DOUBLE")
    def mean_free(values: pd.Series) -> pd.Series:
        return values - values.mean()

    rows = spark.range(3).select(mean_free(col("id")).alias("x")).collect()
    assert [row.x for row in rows] == [-1.0, 0.0, 1.0]

    import pyarrow as pa

    @arrow_udf("BIGINT")
    def squared(values: pa.Array) -> pa.Array:
        import pyarrow.compute as pc

        return pc.multiply(values, values)

    assert [row.x for row in spark.range(4).select(squared("id").alias("x")).collect()] == [0, 1, 4, 9]


def test_udf_in_a_stream(spark, events):
    @udf("STRING")
    def loud(key):
        return key.upper()

    query = run(events.groupBy(loud("k").alias("k")).count().writeStream.outputMode("complete").format("memory").queryName("loud"))
    assert query.exception() is None
    assert {row.k: row["count"] for row in spark.table("loud").collect()} == {"A": 6, "B": 3}


def test_an_error_of_a_udf_shows_its_traceback(spark):
    @udf("INT")
    def broken(value):
        raise KeyError("gone")

    with pytest.raises(PySparkException, match="KeyError: 'gone'"):
        spark.range(1).select(broken("id")).collect()


def test_what_is_not_there_is_refused_by_name(spark):
    import pandas as pd

    @pandas_udf("DOUBLE")
    def total(values: pd.Series) -> float:
        return values.sum()

    with pytest.raises(PySparkException, match="aggregate function of Python is not supported"):
        spark.range(1).select(total("id")).collect()
