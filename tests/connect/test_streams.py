"""Streaming queries of an unchanged PySpark client."""

import json
import threading

import pytest
from pyspark.errors import AnalysisException, StreamingQueryException
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQueryListener


@pytest.fixture
def clicks(spark, tmp_path):
    folder = tmp_path / "clicks"
    folder.mkdir()
    lines = [
        json.dumps({"at": f"2024-01-01T00:0{minute}:00Z", "user": "ab"[minute % 2]})
        for minute in range(10)
    ]
    (folder / "1.json").write_text("\n".join(lines))
    return spark.readStream.schema("at TIMESTAMP, user STRING").json(str(folder))


def test_windows_of_a_stream_of_files(spark, clicks):
    assert clicks.isStreaming
    counts = clicks.withWatermark("at", "1 minute").groupBy(F.window("at", "5 minutes"), "user").count()
    query = counts.writeStream.outputMode("complete").format("memory").queryName("counts").start()
    query.processAllAvailable()
    table = spark.table("counts").select("window.start", "user", "count").orderBy("start", "user")
    assert [(row.start.minute, row.user, row["count"]) for row in table.collect()] == [
        (0, "a", 3),
        (0, "b", 2),
        (5, "a", 2),
        (5, "b", 3),
    ]
    assert query.isActive and query.status["message"] == "Waiting for data to arrive"
    assert query.lastProgress.batchId == 0 and query.lastProgress.numInputRows == 10
    assert query.lastProgress["sources"][0]["numInputRows"] == 10
    assert [active.name for active in spark.streams.active] == ["counts"]
    assert spark.streams.get(query.id).runId == query.runId
    assert not query.awaitTermination(1)
    query.stop()
    assert not query.isActive and query.exception() is None
    assert spark.streams.awaitAnyTermination(10)


def test_files_out_and_a_restart(spark, clicks, tmp_path):
    out, checkpoint = str(tmp_path / "out"), str(tmp_path / "checkpoint")
    for _ in range(2):
        writer = clicks.writeStream.format("parquet").option("checkpointLocation", checkpoint)
        query = writer.trigger(availableNow=True).start(out)
        assert query.awaitTermination(30)
        assert spark.read.parquet(out).count() == 10


def test_a_failed_query_tells_why(spark, clicks):
    numbers = clicks.select(F.col("user").cast("int").alias("n"))
    query = numbers.writeStream.format("memory").queryName("bad").start()
    with pytest.raises(StreamingQueryException, match="CAST_INVALID_INPUT"):
        query.awaitTermination(30)
    assert "'a' is not a valid INT" in str(query.exception()) or "'b' is" in str(query.exception())


def test_a_listener_of_the_client_hears_of_every_query(spark, clicks):
    heard, ended = [], threading.Event()

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event):
            heard.append(("started", event.name))

        def onQueryProgress(self, event):
            heard.append(("progress", event.progress.numInputRows))

        def onQueryIdle(self, event):
            pass

        def onQueryTerminated(self, event):
            heard.append(("terminated", event.exception))
            ended.set()

    listener = Listener()
    spark.streams.addListener(listener)
    query = clicks.writeStream.format("memory").queryName("heard").trigger(availableNow=True).start()
    assert query.awaitTermination(30)
    assert ended.wait(30)
    spark.streams.removeListener(listener)
    assert sorted(heard, key=str) == [("progress", 10), ("started", "heard"), ("terminated", None)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda clicks: clicks.groupBy("user").count().writeStream.format("memory").queryName("x"), "watermark"),
        (lambda clicks: clicks.writeStream.format("memory"), "name"),
    ],
)
def test_what_cannot_run_is_refused_at_the_start(clicks, change, message):
    with pytest.raises(AnalysisException, match=message):
        change(clicks).start()


def test_a_stream_is_no_table(clicks):
    with pytest.raises(AnalysisException, match="stream"):
        clicks.collect()
