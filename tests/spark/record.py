"""Records what Spark 4.3.0 answers to the stream scripts.

    python tests/spark/record.py [--fill] [SCRIPT…]

Needs `pip install -r tests/spark/requirements.txt` and Java 17. Plays every script (or those named) on one local
session and writes `tests/golden/spark-4.3.0/<script>.json`. `--fill` also rewrites the expected
blocks that disagree, except those marked `spark-differs`.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ["TZ"] = "UTC"
time.tzset()

TESTS = Path(__file__).resolve().parent.parent
SCRIPTS = TESTS / "streaming"
GOLDEN = TESTS / "golden" / "spark-4.3.0"


def main():
    """Plays, records, fills."""
    options = argparse.ArgumentParser()
    options.add_argument("scripts", nargs="*")
    options.add_argument("--fill", action="store_true")
    options = options.parse_args()
    paths = [Path(path).resolve() for path in options.scripts] or sorted(SCRIPTS.rglob("*.stream"))

    from script import parse

    spark = session()
    for path in paths:
        name = str(path.relative_to(SCRIPTS).with_suffix(""))
        script = parse(name, path.read_text())
        if "not-recorded" in script.header:
            continue
        began = time.time()
        recording = record(spark, script)
        target = GOLDEN / f"{name}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(recording, indent=1, ensure_ascii=False) + "\n")
        if options.fill:
            fill(path, script, recording["steps"])
        print(f"{name}: {len(recording['steps'])} steps, {time.time() - began:.1f} s", flush=True)
    spark.stop()


def session(more=None):
    """One small local session, with more settings."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("record")
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "1",
        # Else rows that a filter removes while JSON is parsed are missing from numInputRows.
        "spark.sql.json.filterPushdown.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": tempfile.mkdtemp(),
        **(more or {}),
    }.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def record(spark, script):
    """One script's recording: an entry per step, with what the step was."""
    from play import Player

    directory = tempfile.mkdtemp(prefix="stream-")
    player = Player(spark, directory)
    steps = []
    try:
        for step in script.steps:
            outcome = player.play(step) or {}
            steps.append({"step": step.input, **outcome})
            if "error" in outcome and step.expected is None:
                print(f"  {script.name}:{step.line + 1}: {step.verb}: {outcome['error']}", flush=True)
    finally:
        player.close()
        shutil.rmtree(directory, ignore_errors=True)
    return {"spark": spark.version, "steps": steps}


def fill(path, script, outcomes):
    """Rewrites expected blocks that disagree with Spark."""
    from play import error_line

    lines = list(script.lines)
    for step, outcome in reversed(list(zip(script.steps, outcomes))):
        if step.expected is None or step.differs is not None:
            continue
        if "error" in outcome:
            wanted = [error_line(outcome["error"])]
            if step.expected and agrees(step.expected[0], outcome["error"]):
                continue
        elif "errors" in outcome:
            wanted = [keep_error(step.expected, line, outcome["errors"]) for line in outcome["lines"]]
        elif "lines" in outcome:
            wanted = outcome["lines"]
        else:
            wanted = []
        begin, end = step.expected_span
        lines[begin:end] = wanted
    text = "\n".join(lines)
    if text != "\n".join(script.lines):
        path.write_text(text)


def keep_error(expected, line, errors):
    """A mode's line: the script's own wording where it agrees."""
    mode = line.split()[0]
    for old in expected:
        if mode in errors and old.startswith(mode + " error") and agrees(old[len(mode) + 1 :], errors[mode]):
            return old
    return line


def agrees(expected, error):
    """Whether `error [CONDITION] words` fits what Spark said."""
    from script import words

    if not expected.startswith("error"):
        return False
    rest = expected.removeprefix("error").strip()
    condition = None
    if rest.startswith("["):
        condition, _, rest = rest[1:].partition("]")
    fits = condition in error["conditions"] if condition else not error["conditions"]
    return fits and all(word.lower() in error["message"].lower() for word in words(rest))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
