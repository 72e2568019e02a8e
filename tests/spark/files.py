"""Spark 4.3.0 and the engine take turns at one query over files: each goes on from the checkpoint that the other has
written, and each reads all that both have written, by way of `_spark_metadata`.

`both_ways.py` runs it.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCHEMA = "k STRING, v INT, t TIMESTAMP"
# Enough batches that both logs are compacted, and compacted logs are read by the other side.
TURNS = [("spark", 7), ("engine", 6), ("spark", 9), ("engine", 3)]
KEYS = ["plain", "a/b=0 %", "ü ü", None]


def plays(spark, program):
    """Both orders of turns, for each format; whether all is as it should be."""
    other = list(zip(("engine", "spark", "engine", "spark"), (12, 9, 2, 1)))
    played = [play(spark, program, format, turns) for format in ("parquet", "json") for turns in (TURNS, other)]
    return all(played)


def play(spark, program, format, turns):
    """One query, continued by turns; whether every turn did what it should."""
    work = Path(tempfile.mkdtemp(prefix="files-"))
    source, output, checkpoint = (work / name for name in ("in ü", "out", "checkpoint"))
    source.mkdir()
    written, good = 0, True
    for side, count in turns:
        for _ in range(count):
            add(source, written)
            written += 1
        run = {"spark": by_spark, "engine": by_engine}[side]
        batches = run(spark, program, format, source, output, checkpoint)
        rows = spark.read.format(format).load(str(output))
        # Spark takes a folder's value for a number if it can; the keys are no numbers.
        found = sorted((row.v, row.k) for row in rows.select("k", "v").collect())
        expected = sorted((v, KEYS[v % len(KEYS)]) for v in range(written))
        right = batches == count and found == expected
        good &= right
        answer = "right" if right else f"wrong: {batches} batches, {len(found)} rows"
        print(f"{format}: {side} goes on with {count} files, {written} in all: {answer}", flush=True)
    return good


def add(source, number):
    """A file that appears as a whole."""
    row = {"k": KEYS[number % len(KEYS)], "v": number, "t": "2024-01-01T12:00:00Z"}
    hidden = source / ".new"
    hidden.write_text(json.dumps(row, ensure_ascii=False) + "\n")
    os.utime(hidden, (1_700_000_000 + number, 1_700_000_000 + number))
    hidden.rename(source / f"f {number:02}.json")


def by_spark(spark, _program, format, source, output, checkpoint):
    """One run on Spark; how many batches had rows."""
    stream = spark.readStream.schema(SCHEMA).option("maxFilesPerTrigger", 1).json(str(source))
    query = (
        stream.writeStream.format(format)
        .partitionBy("k")
        .option("checkpointLocation", str(checkpoint))
        .trigger(availableNow=True)
        .start(str(output))
    )
    query.awaitTermination()
    return sum(progress["numInputRows"] > 0 for progress in query.recentProgress)


def by_engine(_spark, program, format, source, output, checkpoint):
    """The same on the engine."""
    run = subprocess.run([program, format, source, output, checkpoint], capture_output=True, text=True)
    if run.returncode != 0:
        print(run.stderr.strip(), file=sys.stderr)
        return None
    return int(run.stdout)
