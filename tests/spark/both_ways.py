"""Spark 4.3.0 and the engine on each other's checkpoints and files: every query goes on where the other has left it,
over files, numbers and a topic of Kafka, and Spark reads what both have written through `_spark_metadata`.

    python tests/spark/both_ways.py [--programs FOLDER] [--only WORDS]

Needs `pip install -r tests/spark/requirements.txt`, Java 17, and Maven for Kafka's own broker; Spark fetches its
connector for Kafka itself. Builds `continue_query` and `files_turn` with cargo unless told where they are. Prints a
line a case, and ends with 1 if one is wrong. With `--only`, the cases of one query whose names contain the words.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["TZ"] = "UTC"
time.tzset()

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("continue_query", "files_turn")
# The newest that there is; it runs on Spark 4.3.0.
CONNECTOR = "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0"


def main():
    """All cases of both, on one session and one broker."""
    options = argparse.ArgumentParser()
    options.add_argument("--programs", type=Path)
    options.add_argument("--only", default="")
    options = options.parse_args()
    programs = options.programs or built()
    continue_query, files_turn = (str(programs / name) for name in PROGRAMS)

    import files
    import recovery
    from real_broker import real_broker
    from record import session

    spark = session({"spark.jars.packages": CONNECTOR})
    with real_broker(tempfile.mkdtemp(prefix="kafka-")) as broker:
        good = recovery.plays(spark, continue_query, broker, options.only)
    if not options.only:
        good &= files.plays(spark, files_turn)
    spark.stop()
    sys.exit(0 if good else 1)


def built():
    """The folder of the engine's programs, built as everything else is."""
    command = ["cargo", "build", "--quiet", "--release", "--locked", "--workspace"]
    subprocess.run([*command, *(word for name in PROGRAMS for word in ("--bin", name))], cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tests" / "spark"), str(ROOT / "tests" / "kafka-broker")]
    main()
