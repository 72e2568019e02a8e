"""Six streaming queries over the same files on our engine and on Spark 4.3: rows a second, and ratios.

    python tests/stateful_bench.py PROGRAM [--only NAME] [--runs N]

PROGRAM is `stateful_bench`. Spark's column needs PySpark 4.3 and Java 17 (`tests/spark/requirements.txt`). Engines take
turns, each alone on the machine; the best of the runs counts. `steady` leaves out the first batch of each query, on both
sides: Spark compiles in it. Prints; passes nothing.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "spark"))

FILES, ROWS = 16, 125_000
JOIN_FILES, JOIN_ROWS = 16, 50_000
KEYS = 10_000
SECONDS_A_FILE = 60
EVENTS = "events(t timestamp, k bigint, c string, v bigint) watermark t '10 seconds' option maxFilesPerTrigger=4 path {}/events"
SIDE = "{name}({time} timestamp, {key} bigint, {value} bigint) watermark {time} '60 seconds' option maxFilesPerTrigger=2 path {folder}/{name}"
AGGREGATES = "count(*) AS n, max(v) AS top, avg(v) AS mean"
# Both sides keep the rows of the last two minutes open: 100 000 each.
JOIN = "from shown | join inner clicked on a = b and t2 >= t and t2 <= t + interval 60 seconds"
QUERIES = {
    "filter": ("append", "from events | where v > 500 | select k, v"),
    "tumbling x 10 k keys": ("update", f"from events | group by window(t, '10 seconds'), k agg {AGGREGATES}"),
    "group by 10 keys": ("update", f"from events | group by c agg {AGGREGATES}"),
    "dedup on 2 columns": ("append", "from events | dedup k, v | select k, v"),
    "stream-stream join": ("append", JOIN),
    "sessions x 10 k keys": ("append", f"from events | group by session_window(t, '5 seconds'), k agg {AGGREGATES}"),
}  # fmt: skip


def main():
    """Writes the files, asks both, prints."""
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--only", default="")
    options.add_argument("--runs", type=int, default=3)
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write(folder)
        asked = {name: question(folder, *query) for name, query in QUERIES.items() if options.only in name}
        ours = {name: best(lambda: answer(options.program, asked[name]), options.runs) for name in asked}
        theirs = spark_answers(asked, options.runs)
    print(f"{FILES * ROWS} events, {2 * JOIN_FILES * JOIN_ROWS} rows to join; rows a second, best of {options.runs}")
    print(f"{'':22}{'ours steady':>13}{'Spark steady':>13}{'ratio':>7}{'ours whole':>13}{'as a batch':>13}{'ratio':>7}")
    for name, own in ours.items():
        spark = theirs.get(name)
        beside = f"{spark:>13,.0f}{own['steady'] / spark:>7.1f}" if spark else f"{'-':>13}{'-':>7}"
        whole = f"{own['total']:>13,.0f}{own['batch']:>13,.0f}{own['total'] / own['batch']:>7.2f}"
        print(f"{name:22}{own['steady']:>13,.0f}{beside}{whole}")


def question(folder, mode, query):
    """A query with its sources and how many rows they have."""
    if "shown" in query:
        names = (("shown", "t", "a", "x"), ("clicked", "t2", "b", "y"))
        sources = [SIDE.format(name=name, time=time, key=key, value=value, folder=folder) for name, time, key, value in names]
        return {"sources": sources, "query": query, "mode": mode, "rows": 2 * JOIN_FILES * JOIN_ROWS}
    return {"sources": [EVENTS.format(folder)], "query": query, "mode": mode, "rows": FILES * ROWS}


def best(ask, runs):
    """The best figures of several runs."""
    answers = [ask() for _ in range(runs)]
    return {key: max(answer[key] for answer in answers) for key in answers[0]}


def answer(program, asked):
    """What our engine says."""
    done = subprocess.run([program], input=json.dumps(asked) + "\n", text=True, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def spark_answers(asked, runs):
    """Rows a second of Spark's batches after the first, by query; nothing where there is no Spark."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        print("no PySpark here: pip install -r tests/spark/requirements.txt", file=sys.stderr)
        return {}
    from frame import build
    from script import source_args

    builder = SparkSession.builder.master("local[2]").config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.ui.enabled", "false").config("spark.driver.memory", "3g")
    spark = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    answers = {}
    for name, question in asked.items():
        for line in question["sources"]:
            source = source_args(line)
            reader = spark.readStream.schema(source.schema).options(**source.options)
            reader.json(source.path).withWatermark(*source.watermark).createOrReplaceTempView(source.name)
        answers[name] = max(steady(build(spark, [question["query"]]), question["mode"]) for _ in range(runs))
    spark.stop()
    return answers


def steady(frame, mode):
    """Rows a second of the batches after the first."""
    with tempfile.TemporaryDirectory() as checkpoint:
        writer = frame.writeStream.format("noop").outputMode(mode).trigger(availableNow=True)
        query = writer.option("checkpointLocation", checkpoint).start()
        query.awaitTermination()
        batches = [json.loads(progress.json) for progress in query.recentProgress]
    later = [batch for batch in batches if batch["numInputRows"]][1:]
    milliseconds = sum(batch["durationMs"]["triggerExecution"] for batch in later)
    return sum(batch["numInputRows"] for batch in later) / milliseconds * 1000


def write(folder):
    """The files: events whose times move on, and two sides whose rows find each other by number."""
    rng = random.Random(42)
    for file in range(FILES):
        write_file(folder, "events", file, ROWS, lambda _: (
            f'"k":{rng.randrange(KEYS)},"c":"c{rng.randrange(10)}","v":{rng.randrange(1000)}'
        ))  # fmt: skip
    for file in range(JOIN_FILES):
        first = file * JOIN_ROWS
        write_file(folder, "shown", file, JOIN_ROWS, lambda row: f'"a":{first + row},"x":{rng.randrange(1000)}')
        write_file(folder, "clicked", file, JOIN_ROWS, lambda row: f'"b":{first + row},"y":{rng.randrange(1000)}', "t2")


def write_file(folder, name, file, rows, fields, time="t"):
    """One file of a minute."""
    path = Path(folder, name, f"{file:05}.json")
    path.parent.mkdir(exist_ok=True)
    with open(path, "w") as out:
        for row in range(rows):
            second = file * SECONDS_A_FILE + row * SECONDS_A_FILE // rows
            clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            out.write(f'{{"{time}":"2024-01-01T{clock}Z",{fields(row)}}}\n')


if __name__ == "__main__":
    main()
