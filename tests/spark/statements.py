"""Runs statements.sql, SQL shape by shape, on Spark 4.3.0 and on our engine, and tells the differences.

    python tests/spark/statements.py [--types] [--only WORD] [--ours PROGRAM] [--spark FILE | --record FILE] [SQL FILE]

`--types` takes every operator on every pair of types instead (matrix.py).
`--record FILE` asks only Spark and keeps its answers; `--spark FILE` takes the statements and answers that a file
holds, and needs no Java.
"""

import argparse
from pathlib import Path

import matrix
from differences import RIGHT, Tally, told, verdict
from engines import Ours, Recorder, Spark, recorded


def main():
    """Asks, compares, tells."""
    options = argparse.ArgumentParser()
    options.add_argument("file", nargs="?", default=Path(__file__).with_name("statements.sql"))
    options.add_argument("--types", action="store_true")
    options.add_argument("--only", default="")
    options.add_argument("--ours")
    options.add_argument("--spark")
    options.add_argument("--record")
    options = options.parse_args()

    if options.spark:
        listed = ((entry["theme"], entry["statement"], entry) for entry in recorded(options.spark))
    else:
        spark = Spark(interpreted=options.types)
        texts = matrix.statements() if options.types else statements(options.file)
        listed = ((theme, text, spark.ask(text)) for theme, text in texts if options.only in f"{theme} {text}")
    if options.record:
        recorder = Recorder(options.record)
        for theme, text, answer in listed:
            recorder.keep(answer, theme=theme, statement=text)
    else:
        compare((one for one in listed if options.only in f"{one[0]} {one[1]}"), Ours(options.ours))


def statements(path):
    """(theme, statement): a line that begins with `--` is the theme of those after it."""
    theme = ""
    for line in Path(path).read_text().splitlines():
        if line.startswith("--"):
            theme = line.strip("- ")
        elif line.strip():
            yield theme, line


def compare(answered, ours):
    """Prints each difference, and the number of each kind."""
    tally = Tally()
    for theme, text, theirs in answered:
        answer = ours.ask(text)
        kind = verdict(theirs, answer, text)
        tally.add(kind, theirs, answer)
        if kind != RIGHT:
            print(f"{theme}: {kind}\n{told(theirs, answer, text)}\n")
    ours.close()
    tally.show()


if __name__ == "__main__":
    main()
