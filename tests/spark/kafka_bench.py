"""Spark's part of the figures of Kafka: `kafka_bench` asks it by lines of JSON on standard input, one answer a line,
once it has said that it is ready.

    python tests/spark/kafka_bench.py ADDRESS

Needs `pip install -r tests/spark/requirements.txt` and Java 17; Spark fetches its connector for Kafka itself.
`{"count": TOPIC, "sql": QUERY}` runs the query over all of the topic, which it calls `events`: `{"seconds", "rows"}`.
`{"copy": TOPIC, "to": TOPIC}` starts a query with the default trigger from one topic to another, and answers once it
has caught up; `{"stop": true}` ends it when it has caught up again: `{"batches"}`.
"""

import json
import sys
import tempfile
import time

from both_ways import CONNECTOR


class Asked:
    """One session, and the query that copies."""

    def __init__(self, address):
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.ui.showConsoleProgress", "false")
        builder = builder.config("spark.sql.session.timeZone", "UTC").config("spark.driver.memory", "3g")
        builder = builder.config("spark.jars.packages", CONNECTOR).config("spark.sql.shuffle.partitions", "2")
        self.spark = builder.getOrCreate()
        self.spark.sparkContext.setLogLevel("OFF")
        self.address = address
        self.copying = None

    def stream(self, topic):
        """All of a topic."""
        reader = self.spark.readStream.format("kafka").option("kafka.bootstrap.servers", self.address)
        return reader.option("subscribe", topic).option("startingOffsets", "earliest").load()

    def count(self, topic, sql):
        """A query over everything in a topic, from its start to its end."""
        self.stream(topic).withWatermark("timestamp", "10 seconds").createOrReplaceTempView("events")
        began = time.monotonic()
        writer = self.spark.sql(sql).writeStream.format("noop").outputMode("update")
        with tempfile.TemporaryDirectory() as checkpoint:
            query = writer.option("checkpointLocation", checkpoint).trigger(availableNow=True).start()
            query.awaitTermination()
            seconds = time.monotonic() - began
        return {"seconds": seconds, "rows": sum(one["numInputRows"] for one in query.recentProgress)}

    def copy(self, source, to):
        """Starts the query that copies."""
        writer = self.stream(source).select("value").writeStream.format("kafka").option("topic", to)
        writer = writer.option("kafka.bootstrap.servers", self.address)
        self.copying = writer.option("checkpointLocation", tempfile.mkdtemp(prefix="kafka-bench-")).start()
        self.copying.processAllAvailable()
        return {}

    def stop(self):
        """Ends it."""
        self.copying.processAllAvailable()
        batches = self.copying.lastProgress["batchId"] + 1
        self.copying.stop()
        return {"batches": batches}

    def answer(self, question):
        """What is asked for."""
        if "count" in question:
            return self.count(question["count"], question["sql"])
        return self.copy(question["copy"], question["to"]) if "copy" in question else self.stop()


def main():
    """Answers until nobody asks any more."""
    asked = Asked(sys.argv[1])
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(asked.answer(json.loads(line))), flush=True)
    asked.spark.stop()


if __name__ == "__main__":
    main()
