"""How long a line takes from a socket to `foreachBatch` on Spark with its default trigger: the figure beside those of `latency_bench`.

    python tests/spark/latency.py

Needs `pip install -r tests/spark/requirements.txt` and Java 17. Prints; passes nothing.
"""

import socket
import tempfile
import threading
import time

from pyspark.sql import SparkSession

PER_SECOND = 200
LINES = 4000
WARM_UP = 1000
QUERIES = [
    ("filter", "append", "SELECT value FROM lines WHERE value > '0'"),
    ("count by key", "update", "SELECT max(value) AS value FROM lines GROUP BY substr(value, -2)"),
]


def micros():
    return time.time_ns() // 1000


def send_times(server):
    """Sends the time to the first who asks, so many times a second."""
    connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    started = time.monotonic()
    for line in range(LINES):
        time.sleep(max(0.0, line / PER_SECOND - (time.monotonic() - started)))
        connection.sendall(f"{micros()}\n".encode())
    return connection


def measured(spark, what, mode, query):
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    lines = spark.readStream.format("socket").options(host="127.0.0.1", port=port).load()
    lines.createOrReplaceTempView("lines")
    latencies = []

    def take(rows, _):
        values = [row.value for row in rows.collect()]
        now = micros()
        latencies.extend(now - int(value) for value in values)

    connections = []
    sender = threading.Thread(target=lambda: connections.append(send_times(server)))
    sender.start()
    with tempfile.TemporaryDirectory() as checkpoint:
        writer = spark.sql(query).writeStream.outputMode(mode).foreachBatch(take)
        running = writer.option("checkpointLocation", checkpoint).start()
        sender.join()
        running.processAllAvailable()
        batches = running.lastProgress["batchId"] + 1
        running.stop()
    counted = len(latencies)
    times = sorted(latencies[WARM_UP:])

    def at(share):
        return times[int((len(times) - 1) * share)] / 1000 if times else 0.0

    print(
        f"  {what:<13} {'Spark default':<16} p50 {at(0.5):7.2f} ms  p99 {at(0.99):7.2f} ms  "
        f"max {at(1.0):7.2f} ms  ({counted} lines, {batches} batches)",
        flush=True,
    )


def main():
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for what, mode, query in QUERIES:
        measured(spark, what, mode, query)
    spark.stop()


if __name__ == "__main__":
    main()
