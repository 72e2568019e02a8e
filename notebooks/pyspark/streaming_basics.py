"""Streaming basics in PySpark: read, process, windows, output modes, state, monitoring.

    python streaming_basics.py ADDRESS      # sc://127.0.0.1:15002 of `tidebook serve`, or of a Spark server

It needs nothing but a folder for its files and prints the same rows on both.
"""

import json
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, count, current_timestamp, sum, window
from pyspark.sql.streaming import StreamingQueryListener
from pyspark.sql.types import DoubleType, IntegerType, StringType, StructType, TimestampType

SCHEMA = (
    StructType()
    .add("timestamp", TimestampType())
    .add("user_id", StringType())
    .add("event_id", IntegerType())
    .add("category", StringType())
    .add("status", StringType())
    .add("amount", DoubleType())
)
# Minute, user, event, category, status, amount; each list arrives as one file.
FILES = [
    [
        (1, "ann", 1, "book", "active", 12.5),
        (3, "bob", 2, "music", "active", 8.0),
        (4, "ann", 3, "book", "closed", 7.5),
        (4, "ann", 3, "book", "closed", 7.5),
    ],
    [
        (7, "cem", 4, "film", "active", 20.0),
        (2, "bob", 5, "book", "active", 3.0),
        (12, "ann", 6, "music", "active", 1.5),
    ],
    [(31, "bob", 7, "film", "active", 4.0), (1, "cem", 8, "book", "active", 99.0)],
]


def write_file(folder: Path, number: int) -> None:
    """One file of events, as JSON lines."""
    rows = []
    for minute, user, event, category, status, amount in FILES[number]:
        rows.append(
            {
                "timestamp": f"2024-01-01T12:{minute:02}:00Z",
                "user_id": user,
                "event_id": event,
                "category": category,
                "status": status,
                "amount": amount,
            }
        )
    # Under a hidden name until it is whole: a query reads a file as it finds it, and only once.
    written = folder / f".{number}.json"
    written.write_text("\n".join(json.dumps(row) for row in rows))
    written.rename(folder / f"{number}.json")


def show(title: str, frame) -> None:
    """The rows of a table, in order."""
    print(title)
    for row in sorted(frame.collect(), key=str):
        print("  ", *(str(value) for value in row))


class Progress(StreamingQueryListener):
    """Prints what each batch with rows did."""

    def __init__(self):
        self.records = []

    def onQueryStarted(self, event):
        pass

    def onQueryProgress(self, event):
        if event.progress.numInputRows:
            self.records.append((event.progress.name, event.progress.batchId, event.progress.numInputRows))

    def onQueryIdle(self, event):
        pass

    def onQueryTerminated(self, event):
        pass


def main(address: str) -> None:
    spark = SparkSession.builder.remote(address).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.shuffle.partitions", "2")
    base = Path(tempfile.mkdtemp())
    arrivals = base / "arrivals"
    arrivals.mkdir()
    write_file(arrivals, 0)

    # 1. Read: a folder in which files arrive.
    events = spark.readStream.format("json").schema(SCHEMA).option("path", str(arrivals)).load()
    print("a stream:", events.isStreaming)

    # 2. Process.
    active = events.filter(col("status") == "active").withColumn("processed_time", current_timestamp())
    by_category = events.groupBy("category").agg(count("*").alias("count"))

    # 3. Output: files, and tables in memory.
    out = str(base / "out")
    files = (
        active.writeStream.outputMode("append")
        .format("parquet")
        .option("path", out)
        .option("checkpointLocation", str(base / "checkpoint"))
        .start()
    )
    counts = by_category.writeStream.outputMode("complete").format("memory").queryName("by_category").start()

    # Windows of five minutes, sliding ones, and windows with a watermark.
    tumbling = events.groupBy(window(col("timestamp"), "5 minutes")).agg(count("*").alias("count"))
    sliding = events.groupBy(window(col("timestamp"), "10 minutes", "5 minutes")).agg(count("*").alias("count"))
    closed = (
        events.withWatermark("timestamp", "10 minutes")
        .groupBy(window(col("timestamp"), "5 minutes"))
        .agg(count("*").alias("count"))
    )
    windows = [
        tumbling.writeStream.outputMode("complete").format("memory").queryName("tumbling").start(),
        sliding.writeStream.outputMode("complete").format("memory").queryName("sliding").start(),
        closed.writeStream.outputMode("append").format("memory").queryName("closed").start(),
    ]

    # State: running totals, and each event once.
    totals = events.groupBy("user_id").agg(count("*").alias("total_events"), sum("amount").alias("total_amount"))
    unique = events.withWatermark("timestamp", "1 hour").dropDuplicates(["user_id", "event_id", "timestamp"])
    state = [
        totals.writeStream.outputMode("complete").format("memory").queryName("totals").start(),
        unique.writeStream.outputMode("append").format("memory").queryName("unique").start(),
    ]

    queries = [files, counts, *windows, *state]
    for number in range(len(FILES)):
        if number:
            write_file(arrivals, number)
        for query in queries:
            query.processAllAvailable()

    show("active events in files:", spark.read.parquet(out).drop("processed_time"))
    show("by category:", spark.table("by_category"))
    for name in ("tumbling", "sliding", "closed"):
        show(f"{name} windows:", spark.table(name).select("window.start", "window.end", "count"))
    show("running totals:", spark.table("totals"))
    show("each event once:", spark.table("unique").select("user_id", "event_id"))

    # Monitoring.
    print("batches with rows:", len([p for p in counts.recentProgress if p.numInputRows]))
    print("rows of the last one:", [p.numInputRows for p in counts.recentProgress if p.numInputRows][-1])
    print("active queries:", len(spark.streams.active))
    for query in queries:
        query.stop()
    print("active queries:", len(spark.streams.active))

    # Triggers: everything that is there, once.
    listener = Progress()
    spark.streams.addListener(listener)
    one_by_one = spark.readStream.format("json").schema(SCHEMA).option("maxFilesPerTrigger", 1).load(str(arrivals))
    once = one_by_one.writeStream.trigger(availableNow=True).format("memory").queryName("once").start()
    print("ended:", once.awaitTermination(60))
    show("all events by status:", spark.table("once").groupBy("status").count())
    print("batches:", len(once.recentProgress))
    spark.streams.removeListener(listener)
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
