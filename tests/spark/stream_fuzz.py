"""Fuzzes streaming queries: random scripts on Spark 4.3.0 and on our engine, batch by batch, differences made small.

    python tests/spark/stream_fuzz.py --seed 1 --count 100 --log FILE     records what Spark answers; goes on where it was
    python tests/spark/stream_fuzz.py --replay --log FILE [--seed N …]    asks our engine; needs no Java
    python tests/spark/stream_fuzz.py --seed 1 --count 100                both at once; differences shrink with --shrink
    python tests/spark/stream_fuzz.py --shrink --seed 7                   one seed made small; --keep keeps it as well
    python tests/spark/stream_fuzz.py --keep --log FILE --seed 7          one seed of a log becomes a script as it is

The script of a seed is always the same. Ours is the program `play` (`cargo build --release --bin play`), or `--ours
PROGRAM`: it plays a script plainly, restarted before every step and killed in every batch. A log holds a line of JSON
for each seed: the script with Spark's answers, and whether Spark plays it to its end; what Spark refuses is compared as
well, but does not count as a query. Scripts are kept with their recordings, below `tests/streaming/fuzz`.
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path

from record import GOLDEN, SCRIPTS
from rows import ndjson
from script import parse, source_args
from stream_case import smaller
from stream_engines import Ours, Spark
from stream_grammar import case

TRIES = 80


def main():
    """Records, compares, shrinks, tells."""
    options = argparse.ArgumentParser()
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--count", type=int)
    options.add_argument("--log")
    options.add_argument("--replay", action="store_true")
    options.add_argument("--shrink", action="store_true")
    options.add_argument("--keep", action="store_true")
    options.add_argument("--ours")
    options.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    options = options.parse_args()
    if options.replay:
        replay(options)
    elif options.keep and options.log:
        for entry in entries(options.log):
            if entry["seed"] == options.seed:
                keep(entry["script"])
    elif options.log:
        record(options)
    else:
        fuzz(options)


def record(options):
    """Appends Spark's answers to the log, of seeds that it has not."""
    known = {entry["seed"] for entry in entries(options.log)} if Path(options.log).exists() else set()
    seeds = [seed for seed in range(options.seed, options.seed + (options.count or 100)) if seed not in known]
    spark, end = Spark(), time.time() + options.seconds
    with open(options.log, "a") as log:
        for seed in seeds:
            if time.time() > end:
                break
            text, fine = spark.answer(str(case(seed)))
            log.write(json.dumps({"seed": seed, "fine": fine, "script": text}, ensure_ascii=False) + "\n")
            log.flush()
    spark.close()


def replay(options):
    """Compares our engine with a log."""
    chosen = range(options.seed, options.seed + options.count) if options.count else None
    tally, ours = Tally(), Ours(options.ours)
    for entry in entries(options.log):
        if chosen is None or entry["seed"] in chosen:
            tally.add(entry["seed"], entry["script"], entry["fine"], ours.check(entry["script"]))
    ours.close()
    tally.show()


def fuzz(options):
    """Asks both engines."""
    tally, ours, spark = Tally(), Ours(options.ours), Spark()
    for seed in range(options.seed, options.seed + (options.count or 1)):
        text, fine = spark.answer(str(case(seed)))
        wrong = ours.check(text)
        tally.add(seed, text, fine, wrong)
        if wrong and options.shrink:
            small = shrunk(case(seed), spark, ours, wrong["kind"])
            print(f"seed {seed}, made small:\n{told(small, ours.check(small))}\n", flush=True)
            if options.keep:
                keep(small)
    spark.close()
    ours.close()
    tally.show()


def shrunk(whole, spark, ours, kind):
    """The smallest script found that differs in the same way, with Spark's answers in it."""
    tries, best = TRIES, whole
    text, _ = spark.answer(str(whole))
    while tries > 0:
        for less in smaller(best):
            tries -= 1
            if tries < 0:
                break
            answered, _ = spark.answer(str(less))
            wrong = ours.check(answered)
            if wrong and wrong["kind"] == kind:
                best, text = less, answered
                break
        else:
            break
    return text


def keep(text):
    """Writes a script that holds Spark's answers, and the recording that says so."""
    name = "fuzz/" + text.split("\n")[0].removeprefix("# ").replace(", seed ", "-").replace(" ", "-")
    (SCRIPTS / name).with_suffix(".stream").parent.mkdir(exist_ok=True)
    (SCRIPTS / name).with_suffix(".stream").write_text(text)
    script, schemas, steps = parse(name, text), {}, []
    for step in script.steps:
        known = {"step": step.input}
        if step.verb == "source":
            source = source_args(step.args)
            schemas[source.name] = source.schema
        if step.verb == "add-data":
            known["text"] = ndjson(schemas[step.args], step.body)
        if step.expected and step.expected[0].startswith("error"):
            found = re.search(r"\[(.*)\]", step.expected[0])
            known["error"] = {"conditions": [found[1]] if found else [], "message": ""}
        elif step.expected is not None:
            known["lines"] = step.expected
        steps.append(known)
    recording = json.dumps({"spark": "4.3.0", "steps": steps}, indent=1, ensure_ascii=False)
    target = (GOLDEN / name).with_suffix(".json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(recording + "\n")


def entries(path):
    """The lines of a log."""
    with open(path) as log:
        return [json.loads(line) for line in log]


def told(text, wrong):
    """A difference in full."""
    if wrong is None:
        return text + "right"
    got = "\n".join(f"    {line}" for line in wrong["got"])
    return f"{text}\n=> {wrong['kind']}, {wrong.get('variation')}, line {wrong.get('line')}; ours:\n{got}"


class Tally:
    """Counts what came out."""

    def __init__(self):
        self.kinds = Counter()
        self.shapes = Counter()

    def add(self, seed, text, fine, wrong):
        """Counts one script, and tells what is wrong with it."""
        self.kinds["played" if fine else "refused by Spark"] += 1
        if wrong:
            self.kinds[f"different: {wrong['kind']}"] += 1
            self.shapes[text.split("\n")[0].partition(",")[0]] += 1
            print(f"seed {seed}\n{told(text, wrong)}\n", flush=True)

    def show(self):
        """Prints the counts."""
        for shape, count in self.shapes.most_common():
            print(f"{count:5} {shape}")
        print(", ".join(f"{kind} {count}" for kind, count in self.kinds.items()))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
