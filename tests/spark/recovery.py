"""One query over files, numbers or a topic, two engines: begun on Spark it goes on here from its checkpoint,
and back, and the other way round. Nothing is lost, nothing is doubled, and each reads what both have
written. `both_ways.py` runs it.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

LEGS = 4
FILES_PER_LEG = 6
ROWS_PER_FILE = 3
FIRST_FILE_TIME = 1_700_000_000
# Batch 9 and 19 compact the logs of files: one in a leg of each engine.
FILES = {"schema": "id BIGINT, t TIMESTAMP, name STRING", "sql": "SELECT id, t, upper(name) AS name FROM events"}
NUMBERS = {"schema": "", "sql": "SELECT value AS id, timestamp AS t FROM events"}
CASES = {
    "json files to parquet": {**FILES, "format": "json", "sink": "parquet"},
    "json files with a watermark to json": {**FILES, "format": "json", "sink": "json", "watermark": "t 1 minute"},
    "csv files to csv": {**FILES, "format": "csv", "sink": "csv"},
    "json files to text": {
        **FILES,
        "sql": "SELECT to_json(named_struct('id', id, 't', t)) AS value FROM events",
        "format": "json",
        "sink": "text",
    },
    "rate-micro-batch to json": {
        **NUMBERS,
        "format": "rate-micro-batch",
        "sink": "json",
        "options": {"rowsPerBatch": "7", "startTimestamp": "1700000000000", "advanceMillisPerBatch": "1500"},
    },
    "rate to parquet": {**NUMBERS, "format": "rate", "sink": "parquet", "options": {"rowsPerSecond": "5"}},
    "Kafka to parquet": {
        "schema": "",
        "sql": "SELECT CAST(CAST(value AS STRING) AS BIGINT) AS id, timestamp AS t FROM events",
        "format": "kafka",
        "sink": "parquet",
        "options": {"startingOffsets": "earliest", "maxOffsetsPerTrigger": "9"},
    },
}


def plays(spark, engine, broker, only=""):
    """Plays every case whose name has these words, beginning on each engine; whether all is as it should be."""
    good = True
    for name, case in CASES.items():
        if only not in name:
            continue
        for first in ("Spark", "Tidebook"):
            for unfinished in (False, True):
                title = f"{name}, begun on {first}" + (", the last batch of each leg run again" if unfinished else "")
                good &= tried(title, Play(spark, engine, broker, case, first, unfinished).run)
    name = "a query with state, begun on Spark"
    return good & (only not in name or tried(name, lambda: state_is_refused(spark, engine, broker)))


def tried(title, play):
    """Plays; prints how it went."""
    try:
        print(f"ok     {title}: {play()}", flush=True)
        return True
    except AssertionError as error:
        print(f"WRONG  {title}: {error}", flush=True)
        return False


class Play:
    """One case from its first leg to its last."""

    def __init__(self, spark, engine, broker, case, first, unfinished):
        self.spark, self.engine, self.case, self.first, self.unfinished = spark, engine, case, first, unfinished
        self.dir = Path(tempfile.mkdtemp(prefix="recovery-"))
        self.input, self.out, self.checkpoint = self.dir / "in", self.dir / "out", self.dir / "checkpoint"
        self.input.mkdir()
        self.files = 0
        if case["format"] == "kafka":
            topic = {"kafka.bootstrap.servers": broker, "subscribe": self.dir.name}
            self.case = {**case, "options": {**case["options"], **topic}}
            create_topic(spark, broker, self.dir.name)

    def run(self):
        """Legs in turn, then what both say of the output."""
        engines = ["Spark", "Tidebook"] if self.first == "Spark" else ["Tidebook", "Spark"]
        batches = []
        for leg in range(LEGS):
            self.add_files()
            if self.case["format"] == "rate":
                time.sleep(1.2)
            self.leg(engines[leg % 2])
            batches.append(self.last_batch() + 1)
            if self.unfinished:
                # As if it had died between the sink and the commit log.
                (self.checkpoint / "commits" / str(self.last_batch())).unlink()
        if self.unfinished:
            self.leg(engines[LEGS % 2])
        self.check_logs()
        rows = self.rows_by_spark()
        self.check_rows(rows)
        shutil.rmtree(self.dir)
        return f"{len(rows)} rows; legs ended after {batches} batches"

    def leg(self, engine):
        """One run to the end of what is there."""
        if engine == "Tidebook":
            run = subprocess.run(self.command(), capture_output=True, text=True, check=False)
            assert run.returncode == 0, run.stderr
            return
        start(self.spark, self.case, self.input, self.out, self.checkpoint).awaitTermination()

    def command(self):
        case = self.case
        options = dict(case.get("options", {}))
        if case["schema"]:
            options |= {"path": str(self.input), "maxFilesPerTrigger": "1"}
        if "watermark" in case:
            options["watermark"] = case["watermark"]
        words = [self.engine, case["format"], case["schema"], case["sql"], case["sink"], self.out, self.checkpoint]
        return [str(word) for word in words] + [f"{key}={value}" for key, value in options.items()]

    def add_files(self):
        """Files for a leg, in the order of their times; or as many messages."""
        if self.case["format"] == "kafka":
            count = FILES_PER_LEG * ROWS_PER_FILE
            numbers = range(self.files * ROWS_PER_FILE, self.files * ROWS_PER_FILE + count)
            send(self.spark, self.case["options"], numbers)
            self.files += FILES_PER_LEG
        if not self.case["schema"]:
            return
        for _ in range(FILES_PER_LEG):
            lines = []
            for row in range(ROWS_PER_FILE):
                number = self.files * ROWS_PER_FILE + row
                lines.append(record(self.case["format"], number))
            path = self.input / f"f{self.files:03d}"
            path.write_text("\n".join(lines) + "\n")
            os.utime(path, (FIRST_FILE_TIME + self.files,) * 2)
            self.files += 1

    def last_batch(self):
        return max(int(path.name) for path in (self.checkpoint / "offsets").iterdir() if path.name.isdigit())

    def check_logs(self):
        """Both logs have every batch, and in the same form whoever wrote it."""
        last = self.last_batch()
        for log in ("offsets", "commits"):
            names = sorted(int(path.name) for path in (self.checkpoint / log).iterdir() if path.name.isdigit())
            assert names == list(range(last + 1)), f"{log}: {names}"
        for batch in range(last + 1):
            version, metadata, *offsets = (self.checkpoint / "offsets" / str(batch)).read_text().split("\n")
            assert version == "v1" and len(offsets) == 1, f"offsets/{batch}"
            keys = list(json.loads(metadata))
            assert keys == ["batchWatermarkMs", "batchTimestampMs", "conf"], f"offsets/{batch}: {keys}"
            version, commit = (self.checkpoint / "commits" / str(batch)).read_text().split("\n")
            assert version == "v1" and list(json.loads(commit)) == ["nextBatchWatermarkMs"], f"commits/{batch}"
        watermarks = [watermark(self.checkpoint, batch) for batch in range(last + 1)]
        assert watermarks == sorted(watermarks), f"the watermark goes back: {watermarks}"
        assert ("watermark" in self.case) == (watermarks[-1] > 0), f"watermarks: {watermarks}"

    def rows_by_spark(self):
        """The output as Spark reads it, through the log of its files."""
        reader = self.spark.read
        if self.case["sink"] == "text":
            parsed = reader.text(str(self.out)).selectExpr("from_json(value, 'id BIGINT, t TIMESTAMP') AS row")
            return sorted([row["id"], row["t"]] for row in parsed.select("row.*").collect())
        if self.case["sink"] != "parquet":
            reader = reader.schema("id BIGINT, t TIMESTAMP, name STRING" if self.case["schema"] else "id BIGINT, t TIMESTAMP")
        rows = reader.format(self.case["sink"]).load(str(self.out)).collect()
        return sorted([row["id"], row["t"]] for row in rows)

    def check_rows(self, rows):
        """Every number once; times that fit them."""
        ids = [number for number, _ in rows]
        assert ids == list(range(len(ids))), f"lost or doubled: {ids}"
        if self.files:
            assert len(ids) == LEGS * FILES_PER_LEG * ROWS_PER_FILE, f"{len(ids)} rows"
            return
        assert len(ids) >= (LEGS - 1) * 5, f"{len(ids)} rows"
        begin = rows[0][1]
        for number, at in rows:
            milliseconds = round((at - begin).total_seconds() * 1000)
            wanted = number // 7 * 1500 if self.case["format"] == "rate-micro-batch" else number * 200
            assert milliseconds == wanted, f"{number} comes {milliseconds} ms after the first"


def start(spark, case, source, out, checkpoint):
    """The query on Spark."""
    reader = spark.readStream.format(case["format"]).options(**case.get("options", {}))
    if case["schema"]:
        reader = reader.schema(case["schema"]).option("maxFilesPerTrigger", "1")
        frame = reader.load(str(source))
    else:
        frame = reader.load()
    if "watermark" in case:
        frame = frame.withWatermark(*case["watermark"].split(" ", 1))
    frame.createOrReplaceTempView("events")
    writer = spark.sql(case["sql"]).writeStream.format(case["sink"]).outputMode("append")
    writer = writer.option("checkpointLocation", str(checkpoint)).trigger(availableNow=True)
    return writer.start(str(out))


def create_topic(spark, broker, name):
    """A topic of three partitions, by Kafka's own client."""
    java = spark._jvm
    settings = java.java.util.HashMap()
    settings.put("bootstrap.servers", broker)
    admin = java.org.apache.kafka.clients.admin.AdminClient.create(settings)
    topics = java.java.util.ArrayList()
    topics.add(java.org.apache.kafka.clients.admin.NewTopic(name, 3, 1))
    admin.createTopics(topics).all().get()
    admin.close()


def send(spark, options, numbers):
    """Messages, in turn to each partition."""
    rows = [(str(number), number % 3) for number in numbers]
    frame = spark.createDataFrame(rows, "value STRING, partition INT").coalesce(1)
    writer = frame.write.format("kafka").option("topic", options["subscribe"])
    writer.option("kafka.bootstrap.servers", options["kafka.bootstrap.servers"]).save()


def state_is_refused(spark, engine, broker):
    """Spark's state means nothing here, so a query that has some does not start."""
    case = {
        **FILES,
        "format": "json",
        "sink": "json",
        "watermark": "t 1 minute",
        "sql": "SELECT window(t, '1 minute').start AS t, count(*) AS id FROM events GROUP BY window(t, '1 minute')",
    }
    play = Play(spark, engine, broker, case, "Spark", False)
    play.add_files()
    play.leg("Spark")
    run = subprocess.run(play.command(), capture_output=True, text=True, check=False)
    assert run.returncode == 1 and "was written by Spark, whose state cannot be read here" in run.stderr, run.stderr
    play.leg("Spark")
    shutil.rmtree(play.dir)
    return "refused by name, and Spark goes on"


def record(kind, number):
    """A line of input."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(FIRST_FILE_TIME + number * 10))
    if kind == "csv":
        return f"{number},{at},n{number}"
    return json.dumps({"id": number, "t": at, "name": f"n{number}"})


def watermark(checkpoint, batch):
    """The watermark a batch was planned with."""
    metadata = (checkpoint / "offsets" / str(batch)).read_text().split("\n")[1]
    return json.loads(metadata)["batchWatermarkMs"]
