"""The streaming query and the rows of a seed: operators in chains, modes, watermarks, and a script of steps."""

import random

from stream_case import Case, Pipeline, Source, Stage
from stream_data import static_rows, steps

L_SCHEMA = "t timestamp, k string, v int, d double"
R_SCHEMA = "t2 timestamp, k2 string, w int"
DELAYS = ["0 seconds", "1 minute", "5 minutes", "10 minutes", "30 minutes"]
WINDOWS = ["'5 minutes'", "'10 minutes'", "'10 minutes', '5 minutes'", "'10 minutes', '4 minutes'",
           "'15 minutes', '15 minutes', '2 minutes'", "'1 hour'"]  # fmt: skip
NO_DATA = "spark.sql.streaming.noDataMicroBatches.enabled"
POLICY = "spark.sql.streaming.multipleWatermarkPolicy"

# Operators of a query in their order, and how often.
SHAPES = {
    "rows": 2, "rows limit": 2, "aggregate": 10, "session": 8, "dedup": 6, "within": 4, "join": 16, "static": 3,
    "union": 2, "union aggregate": 3, "union alldedup": 2, "dedup aggregate": 4, "within aggregate": 3,
    "window rewindow": 5, "window windowkey": 3, "window session": 2, "session rewindow": 3, "join window": 6,
    "join rewindow": 2, "join alldedup": 3, "join session": 2, "dedup join": 3, "window static": 3,
    "static aggregate": 3, "window dedupwindow": 2, "window join2": 3, "join join3": 3, "dedup session": 2,
    "dedup dedup": 1, "join static": 2, "union session": 2, "union join": 2, "rewatermark aggregate": 1,
}  # fmt: skip


class Query:
    """A pipeline while it grows: its stages, and what its columns are."""

    def __init__(self, rng):
        self.rng = rng
        self.sources = {}
        self.views = []
        self.stages = []
        # name → time | str | int | double | window
        self.columns = {}
        # Columns that carry a watermark.
        self.timed = []
        # Output modes that are allowed, as far as the operators know.
        self.modes = ["append", "update"]
        self.count = 0
        self.ordered = True

    def stream(self, name, schema, always=True):
        """A source, with a watermark unless chance wills otherwise."""
        time = schema.split()[0]
        watermark = None if not always and self.rng.random() < 0.25 else (time, self.rng.choice(DELAYS))
        self.sources[name] = Source(name, schema, watermark)
        return watermark is not None

    def of(self, kind):
        """Columns of a kind."""
        return [name for name, own in self.columns.items() if own == kind]

    def fresh(self, prefix):
        """A new column's name."""
        self.count += 1
        return f"{prefix}{self.count}"

    def add(self, head, *lists):
        """One more stage."""
        self.stages.append(Stage(head, tuple((word, separator, tuple(items)) for word, separator, items in lists)))


def case(seed):
    """The script of a seed."""
    rng = random.Random(seed)
    shape = rng.choices(list(SHAPES), weights=SHAPES.values())[0]
    query = Query(rng)
    needs = any(word in shape for word in ("within", "session", "window", "join"))
    has_watermark = query.stream("l", L_SCHEMA, always=needs)
    query.columns = {"t": "time", "k": "str", "v": "int", "d": "double"}
    query.timed = ["t"] if has_watermark else []
    if rng.random() < 0.25:
        where(query)
    for word in shape.split():
        OPERATORS[word](query)
    if rng.random() < 0.2:
        where(query)
    mode = rng.choice(query.modes if rng.random() > 0.03 else ["append", "update", "complete"])
    trigger = rng.choices(["", "available-now", "once"], weights=[16, 3, 1])[0]
    settings = []
    if rng.random() < 0.07:
        settings.append((NO_DATA, "false"))
    if sum(source.watermark is not None for source in query.sources.values()) > 1 and rng.random() < 0.08:
        settings.append((POLICY, "max"))
    sources = tuple(query.sources.values())
    return Case(
        f"{shape}, seed {seed}", tuple(settings), sources, tuple(query.views),
        Pipeline("l", tuple(query.stages)), mode, trigger, steps(rng, sources, trigger),
    )  # fmt: skip


# Operators.


def where(query):
    """Conditions on the rows."""
    query.add("where", ("", " and ", [_condition(query) for _ in range(query.rng.choice([1, 1, 2]))]))


def _condition(query):
    rng = query.rng
    kind = rng.choice([kind for kind in ("str", "int", "double", "time") if query.of(kind)] or ["none"])
    name = rng.choice(query.of(kind)) if kind != "none" else ""
    return {
        "str": lambda: rng.choice([f"{name} <> 'a'", f"{name} is not null", f"{name} in ('a', 'b')", f"length({name}) = 1"]),
        "int": lambda: rng.choice([f"{name} > 1", f"{name} % 2 = 0", f"coalesce({name}, 0) < 4", *[f"{name} is null"] * (name[0] != "n")]),
        "double": lambda: f"{name} < 3.5",
        "time": lambda: rng.choice([f"minute({name}) % 2 = 0", f"{name} is not null"]),
        "none": lambda: "true",
    }[kind]()  # fmt: skip


def rows(query):
    """A projection with computed columns."""
    rng = query.rng
    if rng.random() < 0.3:
        query.add("with p = v * 2 + 1")
        query.columns["p"] = "int"
    kept = [name for name in query.columns if rng.random() < 0.8] or ["k"]
    query.add("select", ("", ", ", kept))
    query.columns = {name: query.columns[name] for name in kept}
    query.timed = [name for name in query.timed if name in kept]


def limit(query):
    """The first rows of all."""
    query.add(f"limit {query.rng.randint(1, 6)}")
    query.modes = ["append"]


def aggregate(query):
    """Any grouping, with or without time."""
    if query.timed and query.rng.random() < 0.75:
        return window(query)
    keys = _keys(query, query.rng.randint(0, 2))
    timed = bool(query.timed) and query.rng.random() < 0.2
    _group(query, ([query.timed[0]] if timed else []) + keys)
    query.modes = ["append", "update", "complete"] if timed else ["update", "complete"]


def window(query):
    """A grouping by windows of time."""
    times = query.timed or query.of("time")
    time, rng = query.rng.choice(times), query.rng
    key = f"window({time}, {rng.choice(WINDOWS)})"
    has_watermark = bool(query.timed)
    _group(query, [key, *_keys(query, rng.randint(0, 2))], {key: "window"})
    query.timed = ["window"] if has_watermark else []
    outer = "append" in query.modes and "update" not in query.modes
    query.modes = ["append"] if outer else ["append", "update", "complete"] if has_watermark else ["update", "complete"]


def rewindow(query):
    """Windows of windows, or of their times."""
    rng = query.rng
    column = next(iter(query.of("window")), None)
    if column is None:
        return window(query)
    size = rng.choice(["'20 minutes'", "'30 minutes', '10 minutes'", "'1 hour'"])
    if rng.random() < 0.5:
        key = f"window({column}, {size})"
    else:
        ints = query.of("int") + query.of("str")
        query.add("select", ("", ", ", [f"window_time({column}) AS wt", *ints]))
        query.columns = {"wt": "time", **{name: query.columns[name] for name in ints}}
        key = f"window(wt, {size})"
    _group(query, [key, *_keys(query, rng.randint(0, 1))], {key: "window"})
    query.timed, query.modes = ["window"], ["append"]


def windowkey(query):
    """The same windows once more, by fewer keys."""
    _group(query, ["window", *_keys(query, query.rng.randint(0, 1))], {"window": "window"})
    query.timed, query.modes = ["window"], ["append"]


def session(query):
    """A grouping by sessions."""
    rng = query.rng
    time = next(iter(query.of("window")), None) or rng.choice(query.timed or query.of("time"))
    ints = query.of("int")
    gap = rng.choice(["'5 minutes'", "'10 minutes'", "'2 minutes'", "'30 minutes'"])
    if ints and rng.random() < 0.3:
        gap = f"CASE WHEN {ints[0]} in (0, 1) THEN '2 minutes' WHEN {ints[0]} = 3 THEN '0 seconds' ELSE '12 minutes' END"
    key = f"session_window({time}, {gap})"
    chained = any(str(stage).startswith("group") for stage in query.stages)
    outer = "update" not in query.modes
    _group(query, [key, *(_keys(query, rng.randint(1, 2)) or ["1 AS one"])], {key: "session_window"})
    query.timed, query.modes = ["session_window"], ["append"] if chained or outer else ["append", "append", "complete"]


def _keys(query, count):
    rng = query.rng
    names = query.of("str") + query.of("int")[:2]
    keys = rng.sample(names, min(count, len(names)))
    return [f"{key} % 2 AS {query.fresh('p')}" if query.columns[key] == "int" and rng.random() < 0.5 else key for key in keys]  # fmt: skip


def _group(query, keys, windows=None):
    """Groups; the columns are then the keys and the aggregates."""
    rng, windows = query.rng, windows or {}
    choices = ["count(*)"]
    for name in query.of("int"):
        choices += [f"{call}({name})" for call in ("sum", "min", "max", "avg", "count", "stddev_pop", "bit_xor")]
        choices += [f"count_if({name} in (3, 4, 5))", f"sum({name}) FILTER (WHERE {name} % 2 = 1)", f"sort_array(collect_list({name}))"]
    for name in query.of("str"):
        choices += [f"min({name})", f"max({name})", f"approx_count_distinct({name})", f"sort_array(collect_set({name}))"]
    choices += [f"{call}({name})" for name in query.of("double") for call in ("sum", "max", "avg")]
    choices += [f"{call}({name})" for name in query.of("time") for call in ("min", "max")]
    columns, named = {}, []
    for key in keys:
        name = windows.get(key) or key.rpartition(" AS ")[2]
        columns[name] = "window" if key in windows else query.columns.get(name, "int")
    for call in ["count(*)", *rng.sample(choices, min(len(choices), rng.randint(0, 3)))]:
        name = query.fresh("n")
        plain = call.startswith(("count", "sum(", "approx", "bit_xor")) and not any(c in query.of("double") for c in call[4:-1].split())
        columns[name] = "int" if plain else "other"
        named.append(f"{call} AS {name}")
    query.add("group by", ("", ", ", keys), ("agg", ", ", named))
    query.columns, query.ordered = columns, False


def dedup(query):
    """Rows with new keys; all columns are keys where it is open which row comes first."""
    if not query.ordered:
        return alldedup(query)
    rng = query.rng
    names = [name for name in query.columns if query.columns[name] in ("str", "int", "time")]
    keys = rng.sample(names, rng.randint(1, min(3, len(names))))
    if query.timed and query.timed[0] not in keys and rng.random() < 0.5:
        keys.append(query.timed[0])
    query.add("dedup", ("", ", ", keys))


def alldedup(query):
    """Rows that differ from all before."""
    names = [name for name, kind in query.columns.items() if kind in ("str", "int", "time", "window")]
    kept = query.rng.sample(names, query.rng.randint(1, len(names)))
    if query.timed and query.timed[0] in names and query.timed[0] not in kept and query.rng.random() < 0.6:
        kept.append(query.timed[0])
    query.add("select", ("", ", ", kept))
    query.add(query.rng.choice(["dedup", "distinct"]))
    query.columns = {name: query.columns[name] for name in kept}
    query.timed = [name for name in query.timed if name in kept]


def within(query):
    """Rows with new keys, for as long as the watermark says."""
    keys = query.rng.sample(["k", "v"], query.rng.randint(1, 2))
    query.add("dedup-within-watermark", ("", ", ", keys))


def dedupwindow(query):
    """New rows of an aggregation."""
    kept = ["window", *(name for name in query.of("int") + query.of("str") if query.rng.random() < 0.6)]
    query.add("select", ("", ", ", kept))
    query.add("dedup", ("", ", ", kept))
    query.columns = {name: query.columns[name] for name in kept}
    query.modes = ["append"]


def union(query):
    """The same columns of another source."""
    has_watermark = query.stream("l2", L_SCHEMA, always=bool(query.timed))
    names = [name for name in query.columns if name in ("t", "k", "v", "d")]
    if query.rng.random() < 0.4:
        query.views.append(("u", Pipeline("l2", (Stage("where v > 0"),))))
        query.add("union u")
    else:
        query.add("union l2")
    query.columns = {name: query.columns[name] for name in names}
    query.timed, query.ordered = query.timed if has_watermark else [], False


def static(query):
    """A join with a table."""
    rng = query.rng
    query.sources["s"] = Source("s", "k3 string, x int", None, static_rows(rng))
    key = next(iter(query.of("str")), None)
    condition = f"{key} = k3" if key else f"{(query.of('int') or ['1'])[0]} = x"
    how = rng.choice(["inner", "inner", "left", "left_semi", "left_anti"])
    query.add(f"join {how} s", ("on", " and ", [condition, *([] if rng.random() < 0.8 else ["x > 1"])]))
    if how in ("inner", "left"):
        query.columns |= {"k3": "str", "x": "int"}


def join(query):
    """A join with another stream."""
    rng = query.rng
    has_watermark = query.stream("r", R_SCHEMA, always=rng.random() < 0.9)
    how = rng.choice(["inner", "left", "right", "full", "left_semi"])
    conditions, window_join = [], False
    key = next(iter(query.of("str")), None)
    if key is not None and rng.random() < 0.9:
        conditions.append(f"{key} {'<=>' if rng.random() < 0.07 else '='} k2")
    style = rng.choice(["range", "range", "range", "one-way", "window", "time", "none"])
    time = query.timed[0] if query.timed and query.columns.get(query.timed[0]) == "time" else None
    if time is None:
        style = "none"
    right = []
    if style in ("range", "one-way"):
        back, ahead = rng.choice([0, 2, 5, 10]), rng.choice([0, 3, 5, 10, 20])
        low = f"t2 {rng.choice(['>=', '>'])} {time} - interval {back} minutes"
        high = f"t2 {rng.choice(['<=', '<'])} {time} + interval {ahead} minutes"
        conditions += [low, high] if style == "range" else [rng.choice([low, high])]
    elif style == "window":
        window_join = True
        size = rng.choice(["'10 minutes'", "'5 minutes'"])
        # A row has one event time: the window takes the place of the time.
        kept = [name for name in query.columns if name not in query.timed]
        query.add("select", ("", ", ", [*kept, f"window({time}, {size}) AS lw"]))
        query.columns = {**{name: query.columns[name] for name in kept}, "lw": "window"}
        query.timed = ["lw"]
        right.append(Stage(f"select window(t2, {size}) AS rw, k2, w"))
        conditions.append("lw = rw")
    elif style == "time":
        conditions.append(f"{time} = t2")
    if style == "none" and not conditions:
        conditions.append("v = w" if "v" in query.columns else "1 = w")
    if "v" in query.columns and rng.random() < 0.15:
        conditions.append(rng.choice(["v < w", "v = w", "v + w > 3"]))
    if rng.random() < 0.2:
        right.append(Stage(rng.choice(["where w > 0", "where k2 is not null", "dedup k2, w"] + ["dedup k2, t2"] * (not window_join))))
    name = "r"
    if right:
        query.views.append(("rr", Pipeline("r", tuple(right))))
        name = "rr"
    query.add(f"join {how} {name}", ("on", " and ", conditions))
    if how != "left_semi":
        own = {"rw": "window"} if window_join else {"t2": "time"}
        query.columns |= {**own, "k2": "str", "w": "int"}
        query.timed = query.timed + ([*own] if has_watermark else [])
    query.modes = ["append", "update"] if how in ("inner", "left_semi") else ["append"]
    query.ordered = False


def join2(query):
    """Two aggregations, joined by their windows."""
    rng = query.rng
    query.stream("r", R_SCHEMA)
    head = next(stage for stage in reversed(query.stages) if str(stage).startswith("group by"))
    size = str(head).partition(",")[2].partition(")")[0].strip()
    keyed = "k" in query.columns
    keys = (f"window(t2, {size}) AS rw", *(["k2"] if keyed else []))
    query.views.append(("rr", Pipeline("r", (Stage("group by", (("", ", ", keys), ("agg", ", ", ("sum(w) AS total", "count(*) AS m")))),))))
    how = rng.choice(["inner", "left", "right", "full", "left_semi"])
    query.add(f"join {how} rr", ("on", " and ", ["window = rw", *(["k = k2"] if keyed else [])]))
    query.modes = ["append"]


def join3(query):
    """One more stream joined to a join."""
    rng = query.rng
    query.sources["q"] = Source("q", "t4 timestamp, k4 string, y int", ("t4", rng.choice(DELAYS)))
    how = rng.choice(["inner", "inner", "left", "left_semi"])
    time = rng.choice(query.timed or query.of("time"))
    query.add(f"join {how} q", ("on", " and ", ["k = k4", f"t4 >= {time}", f"t4 <= {time} + interval 10 minutes"]))
    query.modes = ["append", "update"] if how in ("inner", "left_semi") and "update" in query.modes else ["append"]


def rewatermark(query):
    """A watermark of the query's own, on a computed time."""
    query.sources["l"] = Source("l", L_SCHEMA)
    query.add("with e = t + interval 3 minutes")
    query.add(f"watermark e '{query.rng.choice(DELAYS)}'")
    query.columns["e"] = "time"
    query.timed = ["e"]


OPERATORS = {
    name: globals()[name]
    for name in ("rows", "limit", "aggregate", "session", "dedup", "within", "join", "static", "union", "window",
                 "alldedup", "rewindow", "windowkey", "dedupwindow", "join2", "join3", "rewatermark")  # fmt: skip
}
