"""Kafka streaming in PySpark: configuration, event processing, an end-to-end pipeline, monitoring and alerts.

    python kafka_streaming.py ADDRESS BROKERS

ADDRESS is sc://127.0.0.1:15002 of `tidebook serve`, or of a Spark server with its Kafka package; BROKERS is where
Kafka is, such as localhost:9092. It makes topics of its own and prints the same rows on both.
"""

import sys
import tempfile
import uuid

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, count, from_json, max, struct, sum, to_json, window
from pyspark.sql.streaming import StreamingQueryListener
from pyspark.sql.types import DoubleType, IntegerType, StringType, StructType, TimestampType

SCHEMA = (
    StructType()
    .add("timestamp", TimestampType())
    .add("user_id", StringType())
    .add("event_id", IntegerType())
    .add("category", StringType())
    .add("amount", DoubleType())
)
# Minute, user, event, category, amount; each list is produced at once.
EVENTS = [
    [(1, "ann", 1, "book", 12.5), (3, "bob", 2, "music", 8.0), (4, "ann", 3, "book", 7.5)],
    [(7, "cem", 4, "film", 220.0), (2, "bob", 5, "book", 3.0), (12, "ann", 6, "music", 1.5)],
    [(1, "cem", 8, "book", 99.0), (31, "bob", 7, "film", 400.0)],
    # The first of these comes too late for its window.
    [(2, "dan", 9, "book", 50.0), (33, "dan", 10, "book", 5.0)],
]
# What an alert is about.
LARGE = 100


class Monitor(StreamingQueryListener):
    """Sums up what all queries have read."""

    def __init__(self):
        self.rows = {}

    def onQueryStarted(self, event):
        pass

    def onQueryProgress(self, event):
        name = event.progress.name
        self.rows[name] = self.rows.get(name, 0) + event.progress.numInputRows

    def onQueryTerminated(self, event):
        pass


def show(title, frame):
    print(title)
    for row in frame.collect():
        print("  ", *row, sep=" | ")


def produce(spark, brokers, topic, number):
    """One list of events to a topic, as JSON, by user."""
    rows = [
        (f"2024-01-01T12:{minute:02}:00Z", user, event, category, amount)
        for minute, user, event, category, amount in EVENTS[number]
    ]
    events = spark.createDataFrame(rows, "timestamp STRING, user_id STRING, event_id INT, category STRING, amount DOUBLE")
    messages = events.select(col("user_id").alias("key"), to_json(struct(*events.columns)).alias("value"))
    messages.write.format("kafka").option("kafka.bootstrap.servers", brokers).option("topic", topic).save()


def main(address, brokers):
    spark = SparkSession.builder.remote(address).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    folder = tempfile.mkdtemp()
    run = uuid.uuid4().hex[:8]
    input_topic, output_topic, alert_topic = (f"{name}_{run}" for name in ("input_topic", "output_topic", "alerts"))

    # Kafka configuration: what was there before, then what arrives.
    produce(spark, brokers, input_topic, 0)
    kafka_df = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", input_topic)
        .option("startingOffsets", "earliest")
        .load()
    )
    print("columns:", kafka_df.columns)
    parsed_df = kafka_df.select(from_json(col("value").cast("string"), SCHEMA).alias("data")).select("data.*")
    print("events:", parsed_df.columns)

    # Real-time processing: late data, windows, totals.
    monitor = Monitor()
    spark.streams.addListener(monitor)
    windows = (
        parsed_df.withWatermark("timestamp", "10 minutes")
        .groupBy(window(col("timestamp"), "5 minutes"), "category")
        .agg(count("*").alias("count"), sum("amount").alias("amount"))
    )
    by_window = windows.writeStream.outputMode("update").format("memory").queryName("by_window").start()
    by_user = (
        parsed_df.groupBy("user_id")
        .agg(count("*").alias("events"), sum("amount").alias("amount"))
        .writeStream.outputMode("complete")
        .format("memory")
        .queryName("by_user")
        .start()
    )

    # End to end: what is processed goes back into Kafka.
    processed_df = parsed_df.filter(col("amount") >= 5).withColumn("large", col("amount") > LARGE)
    pipeline = (
        processed_df.select(col("user_id").alias("key"), to_json(struct(*processed_df.columns)).alias("value"))
        .writeStream.format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("topic", output_topic)
        .option("checkpointLocation", f"{folder}/pipeline")
        .queryName("pipeline")
        .start()
    )

    # Alerts: every batch is looked through.
    def alert(batch, batch_id):
        large = batch.filter(col("amount") > LARGE)
        messages = large.select(to_json(struct("user_id", "event_id", "amount")).alias("value"))
        messages.write.format("kafka").option("kafka.bootstrap.servers", brokers).option("topic", alert_topic).save()

    alerts = parsed_df.writeStream.foreachBatch(alert).queryName("alerts").start()

    queries = [by_window, by_user, pipeline, alerts]
    for number in range(len(EVENTS)):
        if number > 0:
            produce(spark, brokers, input_topic, number)
        for query in queries:
            query.processAllAvailable()
    # Every change of a window is a row of its table.
    last = spark.table("by_window").groupBy("window.start", "category").agg(max("count"), max("amount"))
    show("windows:", last.orderBy("start", "category"))
    show("totals per user:", spark.table("by_user").orderBy("user_id"))

    def read(topic):
        messages = (
            spark.read.format("kafka")
            .option("kafka.bootstrap.servers", brokers)
            .option("subscribe", topic)
            .load()
        )
        return messages.selectExpr("CAST(key AS STRING)", "CAST(value AS STRING)").orderBy("value")

    show("in the output topic:", read(output_topic))
    show("alerts:", read(alert_topic))

    # Monitoring.
    progress = pipeline.lastProgress
    print("source:", progress["sources"][0]["description"].split("[")[0])
    print("status:", pipeline.status["message"] != "", pipeline.isActive)
    for query in queries:
        query.stop()
    spark.streams.removeListener(monitor)
    print("rows read:", sorted(monitor.rows.items()))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
