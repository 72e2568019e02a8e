"""Fuzzes names, types and rows: random statements on Spark 4.3.0 and on our engine, differences made small.

    python tests/spark/fuzz.py [--seed N] [--count N] [--ours PROGRAM] [--spark FILE | --record FILE]

The statement of a seed is always the same. `--record FILE` asks only Spark and keeps its answers; `--spark FILE` takes
all statements and answers that a file holds, and needs no Java. Differences shrink only where Spark can be asked.
"""

import argparse
import sys

from differences import RIGHT, Tally, cause, told, verdict
from engines import Ours, Recorder, Spark, recorded
from grammar import statement
from reasons import reason
from tree import shrunk


def main():
    """Asks, compares, shrinks, tells."""
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--count", type=int)
    options.add_argument("--ours")
    options.add_argument("--spark")
    options.add_argument("--record")
    options = options.parse_args()
    count = options.count or (sys.maxsize - options.seed if options.spark else 200)
    seeds = range(options.seed, options.seed + count)

    if options.record:
        spark, recorder = Spark(interpreted=True), Recorder(options.record)
        for seed in seeds:
            text = str(statement(seed))
            recorder.keep(spark.ask(text), seed=seed, statement=text)
        spark.close()
    elif options.spark:
        entries = [entry for entry in recorded(options.spark) if entry["seed"] in seeds]
        compare([(entry["seed"], entry["statement"], entry) for entry in entries], Ours(options.ours))
    else:
        fuzz(Spark(interpreted=True), Ours(options.ours), seeds)


def compare(answered, ours):
    """Differences from recorded answers."""
    tally = Tally()
    for seed, text, theirs in answered:
        answer = ours.ask(text)
        kind = verdict(theirs, answer, text)
        if tally.add(kind, theirs, answer, reason(kind, theirs, answer, text)):
            print(f"seed {seed}: {kind}\n{told(theirs, answer, text)}\n", flush=True)
    ours.close()
    tally.show()


def fuzz(spark, ours, seeds):
    """Differences of both engines, made small."""
    tally = Tally()
    for seed in seeds:
        tree = statement(seed)
        theirs, answer = spark.ask(str(tree)), ours.ask(str(tree))
        kind = verdict(theirs, answer, str(tree))
        if tally.add(kind, theirs, answer, reason(kind, theirs, answer, str(tree))):
            why = cause(kind, theirs, answer)
            text = str(shrunk(tree, lambda less: found(spark, ours, less) == why))
            print(f"seed {seed}: {kind}\n{told(spark.ask(text), ours.ask(text), text)}\n", flush=True)
    spark.close()
    ours.close()
    tally.show()


def found(spark, ours, text):
    """The cause of a statement's difference, or `None`."""
    theirs, answer = spark.ask(text), ours.ask(text)
    kind = verdict(theirs, answer, text)
    return None if kind == RIGHT else cause(kind, theirs, answer)


if __name__ == "__main__":
    main()
