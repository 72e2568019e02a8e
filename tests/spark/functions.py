"""Runs the documented examples of Spark's functions on Spark 4.3.0 and on our engine, and tells the differences.

    python tests/spark/functions.py [--theme THEME] [--only FUNCTION] [--ours PROGRAM] [--names]
                                    [--edges] [--spark FILE | --record FILE]

Needs what record.py needs, except with `--spark FILE`: then Spark's answers are those that `--record FILE` kept.
`--record` asks only Spark. Names are compared loosely (case, blanks, quotes); `--names` also tells where only names
differ. `--edges` asks for calls at the edges of the examples instead: NULLs, extremes.
"""

import argparse
import re
from collections import Counter
from itertools import groupby

from differences import NAMES, REFUSED, RIGHT, Tally, loosely_same_names, told, verdict
from edges import edges
from engines import Ours, Recorder, Spark, recorded
from reasons import reason

# What our engine leaves out or nobody can compare: a pattern of the function's name, and why.
SKIPPED = [
    (r"(try_)?reflect|java_method", "calls Java by name"),
    (r".*xml.*|xpath.*", "XML"),
    (r".*avro.*", "Avro"),
    (r".*protobuf.*", "Protobuf"),
    (r".*variant.*|try_parse_json|parse_json", "variant"),
    (r"(hll|theta|kll|tuple)_.*|approx_top_k.*|count_min_sketch|bitmap_.*_agg", "sketches"),
    (r"histogram_numeric", "an approximation that depends on how it is computed"),
    (r"st_.*", "geography"),
    (r"vector_.*", "experimental vectors"),
    (r"rand|random|randn|randstr|uniform|uuid|shuffle", "randomness"),
    (r"curdate|current_date|current_time|current_timestamp|now|localtimestamp|localtime", "the present"),
    (r"current_user|user|session_user|version|current_path", "the session it runs in"),
    (r"python_worker_logs|collations|sql_keywords|measure", "Spark's own tables"),
]
SKIPPED_STATEMENTS = [
    (r"timestampNanosTypes|TIMESTAMP_(NTZ|LTZ)\(9\)", "timestamps of nanoseconds, off by default"),
    (r"escapedStringLiterals", "the parser of Spark 1.6"),
    (r"\b(now|current_timestamp|current_date|unix_timestamp)\(\)", "the present"),
    (r"\b(parse_json|variant_get|to_variant_object|schema_of_variant)\(|\bvariant\b", "variant"),
    (r"\bcollat(e|ion)\b", "collations"),
    (r"^SELECT (collect_set\(|(listagg|string_agg)\(DISTINCT col\))", "a set has no order"),
    (r"\(aes_encrypt\('[^']*', '[^']*'(, 'GCM'|, 'CBC', 'DEFAULT')?\)\)$", "an initialization vector made anew"),
    (r"^SELECT mode\(col, false\)", "one of several most frequent values, and any of them"),
]
# A setting, and why no example after it is compared.
SKIPPED_SETTINGS = [
    (r"escapedStringLiterals\s*=\s*true", "the parser of Spark 1.6"),
    (r"timestampNanosTypes.enabled\s*=\s*true", "timestamps of nanoseconds, off by default"),
]


def main():
    """Asks, compares, tells."""
    options = argparse.ArgumentParser()
    options.add_argument("--theme")
    options.add_argument("--only")
    options.add_argument("--ours")
    options.add_argument("--names", action="store_true")
    options.add_argument("--edges", action="store_true")
    options.add_argument("--spark")
    options.add_argument("--record")
    options = options.parse_args()

    answered = wanted(recorded(options.spark), options) if options.spark else asked(options)
    if options.record:
        record(answered, options.record)
    else:
        compare(answered, Ours(options.ours), options.names)


def wanted(entries, options):
    """Entries of the theme and the function that the options name."""
    for entry in entries:
        themes = (None, entry["theme"], entry["theme"].removesuffix("_funcs"))
        if options.theme in themes and options.only in (None, entry["function"]):
            yield entry


def asked(options):
    """The examples, or the calls at their edges, with what Spark answers; of one function in one session."""
    spark = Spark(interpreted=options.edges)
    entries = wanted(examples(spark), options)
    for _, own in by_function(at_edges(entries) if options.edges else entries):
        own = list(own)
        for entry in own:
            yield {**entry, **spark.ask(entry["statement"])}
        if sets(own):
            spark.restart()
    spark.close()


def examples(spark):
    """Every example of every function, as entries without an answer."""
    for name, theme, text in spark.functions():
        for statement in statements(text.replace("_FUNC_", name)):
            yield {"function": name, "theme": theme or "other", "statement": statement}


def at_edges(entries):
    """Calls at the edges of those examples that are compared; of a function each edge once."""
    known = set()
    for entry in entries:
        for edge, statement in [] if skipped(entry) else edges(entry["statement"]):
            if edge not in known:
                known.add(edge)
                yield {**entry, "statement": statement}


def statements(text):
    """The statements of an `Examples:` section: from `> ` up to the first `;` outside quotes."""
    for part in re.split(r"(?m)^\s*> ", text)[1:]:
        quote, end = None, None
        for at, char in enumerate(part):
            if quote:
                quote = None if char == quote and part[at - 1] != "\\" else quote
            elif char in "'\"`":
                quote = char
            elif char == ";":
                end = at
                break
        statement = part[:end] if end is not None else part.split("\n")[0]
        yield re.sub(r"\s*\n\s*", " ", statement).strip()


def by_function(entries):
    """Examples of one function run in one session."""
    return groupby(entries, key=lambda entry: entry["function"])


def record(entries, path):
    """Keeps Spark's answers."""
    recorder = Recorder(path)
    for entry in entries:
        recorder.keep(entry)


def sets(entries):
    """Whether a function's examples change settings."""
    return any(entry["statement"].upper().startswith("SET ") for entry in entries)


def compare(entries, ours, with_names):
    """Asks ours, prints each difference and a table of themes."""
    table, skips, tally, names = {}, Counter(), Tally(), 0
    for _, own in by_function(entries):
        own, setting = list(own), None
        for entry in own:
            setting = setting or skipped_setting(entry["statement"])
            why = setting or skipped(entry)
            count = table.setdefault(entry["theme"], Counter())
            if why:
                skips[why] += 1
                count["skipped"] += 1
                continue
            statement = entry["statement"]
            answer = ours.ask(statement)
            kind = verdict(entry, answer, statement)
            if kind == NAMES and not loosely_same_names(entry, answer):
                names += 1
                if with_names:
                    print(f"{entry['theme']} {entry['function']}: names\n{told(entry, answer, statement)}\n")
            kind = RIGHT if kind == NAMES else kind
            meant = reason(kind, entry, answer, statement) if kind not in (RIGHT, REFUSED) else None
            differs = tally.add(kind, entry, answer, meant)
            count["meant" if meant else kind if kind in (RIGHT, REFUSED) else "different"] += 1
            if differs:
                print(f"{entry['theme']} {entry['function']}: {kind}\n{told(entry, answer, statement)}\n")
        if sets(own):
            ours.restart()
    ours.close()
    tally.show()
    print_table(table)
    print(f"\nright, but for the columns' names: {names}")
    print("\n".join(f"skipped {count:4}: {why}" for why, count in skips.most_common()))


def skipped_setting(statement):
    """Why no example after a statement is compared, or `None`."""
    for pattern, why in SKIPPED_SETTINGS:
        if re.search(pattern, statement):
            return why
    return None


def skipped(entry):
    """Why an example is not compared, or `None`."""
    for pattern, why in SKIPPED:
        if re.fullmatch(pattern, entry["function"]):
            return why
    for pattern, why in SKIPPED_STATEMENTS:
        if re.search(pattern, entry["statement"], re.IGNORECASE):
            return why
    return None


def print_table(table):
    """Right, refused, different, differently meant and skipped examples of each theme."""
    columns = (RIGHT, REFUSED, "different", "meant", "skipped")
    print(f"{'theme':20}" + "".join(f"{column:>10}" for column in (*columns, "total")))
    for theme, count in sorted(table.items()):
        print(f"{theme:20}" + "".join(f"{count[column]:10}" for column in columns) + f"{count.total():10}")
    total = sum(table.values(), Counter())
    print(f"{'all':20}" + "".join(f"{total[column]:10}" for column in columns) + f"{total.total():10}")


if __name__ == "__main__":
    main()
