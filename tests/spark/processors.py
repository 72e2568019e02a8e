"""Records what Spark does with user code that keeps state: `transformWithState` with value, list and map
state, TTL, timers and an initial state, and `applyInPandasWithState` with its timeouts.

    python tests/spark/processors.py [SCENARIO …]

The user code is an interpreter: each row says what to do with the state of its key, and the answers are
the rows that come out. The engine's tests play the same rows and compare. Needs what record.py needs, and
pandas, pyarrow and protobuf for Spark's Python workers. Writes
`tests/golden/spark-4.3.0/stateful-processor/SCENARIO.json`.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["TZ"] = "UTC"
time.tzset()
os.environ["PYSPARK_PYTHON"] = sys.executable

from pyspark.sql import Row, SparkSession
from pyspark.sql.streaming.stateful_processor import StatefulProcessor
from pyspark.sql.streaming.state import GroupStateTimeout

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests/golden/spark-4.3.0/stateful-processor"
PROVIDER = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
OUTPUT = "user STRING, said STRING"


class Interpreter(StatefulProcessor):
    """Does what the rows say. `timeMode` decides which of its variables have a TTL, of 20 seconds."""

    def __init__(self, time_mode, declared=None):
        self.time_mode = time_mode
        self.declared = declared

    def init(self, handle):
        self.handle = handle
        self.values, self.lists, self.maps = {}, {}, {}
        if self.declared is not None:
            for kind, name, kind_of_value, ttl in self.declared:
                schema = f"x {kind_of_value}"
                if kind == "value":
                    self.values[name] = handle.getValueState(name, schema, ttl)
                elif kind == "list":
                    self.lists[name] = handle.getListState(name, schema, ttl)
                else:
                    self.maps[name] = handle.getMapState(name, "k STRING", schema, ttl)
            return
        plain = [("v", None), ("then", None)]
        expiring = self.time_mode == "ProcessingTime"
        for name, ttl in plain + ([("tv", 20_000)] if expiring else []):
            self.values[name] = handle.getValueState(name, "x STRING", ttl)
        for name, ttl in [("l", None)] + ([("tl", 20_000)] if expiring else []):
            self.lists[name] = handle.getListState(name, "x STRING", ttl)
        for name, ttl in [("m", None)] + ([("tm", 20_000)] if expiring else []):
            self.maps[name] = handle.getMapState(name, "k STRING", "x STRING", ttl)

    def handleInputRows(self, key, rows, timerValues):
        for row in rows:
            yield from self.each(key, row["todo"], timerValues)

    def handleExpiredTimer(self, key, timerValues, expiredTimerInfo):
        self.now = timerValues.getCurrentProcessingTimeInMs()
        expiry = expiredTimerInfo.getExpiryTimeInMs()
        known = "" if self.time_mode == "ProcessingTime" else f" {expiry}"
        yield Row(user=key[0], said=f"timer{known}")
        then = self.values["then"].get()
        if then is not None:
            yield from self.each(key, then[0], timerValues)

    def handleInitialState(self, key, initialState, timerValues):
        for _ in self.each(key, initialState["todo"], timerValues):
            pass

    def each(self, key, todo, timerValues):
        self.timer_values = timerValues
        for command in todo.split("; "):
            said = self.do(command)
            if said is not None:
                yield Row(user=key[0], said=f"{command} -> {said}")

    def time(self, text):
        return int(text) + (self.timer_values.getCurrentProcessingTimeInMs() if self.time_mode == "ProcessingTime" else 0)

    def do(self, command):
        what, *rest = command.split(" ")
        name, action = what[:-1], what[-1]
        if name == "then":
            return self.values["then"].update((" ".join(rest).replace("|", "; "),))
        if name == "w":
            return str(self.timer_values.getCurrentWatermarkInMs())
        if name == "t":
            if action == "+":
                return self.handle.registerTimer(self.time(rest[0]))
            if action == "-":
                return self.handle.deleteTimer(self.time(rest[0]))
            timers = sorted(self.handle.listTimers())
            return str(len(timers)) if self.time_mode == "ProcessingTime" else ",".join(map(str, timers))
        if name in self.values:
            state = self.values[name]
            if action == "=":
                return state.update((rest[0],))
            if action == "-":
                return state.clear()
            return state.get()[0] if state.exists() else "none"
        if name in self.lists:
            state = self.lists[name]
            if action == "=":
                return state.put([(text,) for text in rest])
            if action == "+":
                return state.appendList([(text,) for text in rest]) if len(rest) > 1 else state.appendValue((rest[0],))
            if action == "-":
                return state.clear()
            return ",".join(x[0] for x in state.get()) + ("" if state.exists() else " (none)")
        state = self.maps[name]
        if action == "=":
            return state.updateValue((rest[0],), (rest[1],))
        if action == "-":
            return state.removeKey((rest[0],)) if rest else state.clear()
        if rest:
            held = state.getValue((rest[0],))
            return (held[0] if held is not None else "none") + f" {state.containsKey((rest[0],))}"
        pairs = sorted((k[0], x[0]) for k, x in state.iterator())
        return ",".join(f"{k}:{x}" for k, x in pairs) + ("" if state.exists() else " (none)")


def groups_interpreter(timeout):
    """The same for `applyInPandasWithState`, whose group has one state and one timeout. A call that neither
    updates the state nor sets a timeout leaves the old timeout in Python, but not in Scala, whose rules are
    the ones to compare with: so every call of a group that has a timeout updates its state.
    """

    def function(key, frames, state):
        import pandas as pd

        said = []

        def do(todo):
            for command in todo.split("; "):
                what, *rest = command.split(" ")
                if what == "s=":
                    state.update((rest[0],))
                elif what == "s-":
                    state.remove()
                elif what == "s?":
                    said.append(f"s? -> {state.get[0] if state.exists else 'none'}")
                elif what == "t+":
                    if timeout == "EventTimeTimeout":
                        state.setTimeoutTimestamp(int(rest[0]))
                    else:
                        state.setTimeoutDuration(int(rest[0]))
                elif what == "w?":
                    said.append(f"w? -> {state.getCurrentWatermarkMs()}")

        if state.hasTimedOut:
            said.append(f"timed out with {state.get[0] if state.exists else 'none'}")
            if state.exists and state.get[0].startswith("keep"):
                state.update(("kept",))
            else:
                state.remove()
        else:
            for frame in frames:
                for todo in frame["todo"]:
                    do(todo)
        yield pd.DataFrame({"user": [key[0]] * len(said), "said": said})

    return function


E = 1_704_110_400  # 2024-01-01 12:00:00


def at(seconds, user, todo):
    return [seconds, user, todo]


def ms(seconds):
    return str((E + seconds) * 1000)


SCENARIOS = {
    "none": {
        "kind": "processor",
        "time_mode": "None",
        "steps": [
            [at(1, "ann", "v?; v= 1; v?; l?; l+ a; l+ b c; l?; m?; m= k 1; m= j 2; m?; m? k; m? x"), at(1, "bob", "v= 7")],
            [at(2, "bob", "v?; l?; m?"), at(2, "ann", "v?; l?; m?"), at(2, "ann", "v= 2; l= z; m- k; m?; l?")],
            [at(3, "ann", "v-; v?; l-; l?; m-; m?"), at(3, "ann", "v?; m= k 3; m? k"), at(3, "cid", "v?")],
            [at(4, "ann", "v?; l?; m?; m- nothing; m?"), at(4, "bob", "v?; v-; v-")],
        ],
    },
    "event-time": {
        "kind": "processor",
        "time_mode": "EventTime",
        "watermark": "5 seconds",
        "steps": [
            [at(100, "ann", f"w?; t?; t+ {ms(110)}; t+ {ms(120)}; t+ {ms(110)}; t?; v= 1; then= v?|t?"), at(100, "bob", f"t+ {ms(112)}; then= t?")],
            [at(115, "cid", "w?; v= x")],
            [at(116, "ann", f"w?; t?; t- {ms(120)}; t?; t- {ms(1)}"), at(110, "bob", "v= late"), at(111, "bob", "v?")],
            [at(117, "dan", f"t+ {ms(90)}; t+ {ms(112)}; t?; then= v?|t+ {ms(113)}|t+ {ms(130)}|t?")],
            [at(118, "dan", "t?; w?")],
            [at(125, "eve", f"then= t- {ms(127)}|t?; t+ {ms(126)}; t+ {ms(127)}; t+ {ms(128)}; t?")],
            [at(140, "ann", f"then= t+ {ms(126)}; t+ {ms(126)}; t+ {ms(124)}"), at(140, "bob", f"then= w?; t+ {ms(125)}; t?")],
            [at(141, "zoe", "w?"), at(141, "ann", "t?")],
        ],
    },
    "processing-time": {
        "kind": "processor",
        "time_mode": "ProcessingTime",
        "steps": [
            [0, at(1, "ann", "tv= 1; tl+ a; tm= k 1; tv?; tl?; tm?; t+ 10000; then= v?|tv?|t?; v= x; t?"), at(1, "bob", "t+ 10000; then= t+ 10000")],
            [5, at(1, "ann", "tv?; tl+ b; tl?; tm= j 2; tm?; t?")],
            [15, at(1, "cid", "tv= c; v?")],
            [17, at(1, "ann", "tv?; tl?; tm?; v?; t?"), at(1, "cid", "tv?")],
            [30, at(1, "ann", "tv?; tl?; tm?; tm? j; v?"), at(1, "bob", "t?")],
            [60, at(1, "ann", "tl?; tm?; tv= 2; tv?; tm= j 3; tm?"), at(1, "cid", "tv?; t+ 0; t+ -5; t?; then= t?")],
        ],
    },
    "processing-time-update": {
        "kind": "processor",
        "time_mode": "ProcessingTime",
        "mode": "update",
        "steps": [
            [0, at(1, "ann", "tl= a b; tl?; tm= a 1; tm= b 1; t+ 5000; t+ 6000; then= t?"), at(1, "ann", "tv= 1; tv-; tv?; tv= 2; tv?")],
            [10, at(1, "bob", "v?"), at(1, "ann", "tl= c; tl?; tm= a 2; tm?; tv= 3")],
            [25, at(1, "ann", "tl?; tm?; tv?")],
            [40, at(1, "ann", "tl?; tm?; tv?")],
        ],
    },
    "initial-state": {
        "kind": "processor",
        "time_mode": "EventTime",
        "watermark": "5 seconds",
        "initial": [["ann", f"v= 1; l+ a; m= k 1; t+ {ms(96)}; then= v?"], ["old", f"v= 9; t+ {ms(97)}; then= v?|t?"], ["ann", "l+ b"]],
        "steps": [
            [at(100, "ann", "v?; l?; m?; t?; w?"), at(100, "bob", "v?")],
            [at(110, "old", "v?; t?"), at(110, "ann", "v?")],
            [at(120, "ann", "l?"), at(120, "bob", "l?")],
        ],
    },
    "groups-none": {
        "kind": "groups",
        "timeout": "NoTimeout",
        "steps": [
            [at(1, "ann", "s?; s= 1; s?"), at(1, "bob", "s= 2")],
            [at(2, "ann", "s?; s-; s?"), at(2, "bob", "s?; s= 3"), at(2, "cid", "s?")],
            [at(3, "ann", "s?"), at(3, "bob", "s?")],
        ],
    },
    "groups-event-time": {
        "kind": "groups",
        "timeout": "EventTimeTimeout",
        "watermark": "5 seconds",
        "steps": [
            [at(100, "ann", f"w?; s= 1; t+ {ms(110)}"), at(100, "bob", f"s= 2; t+ {ms(112)}")],
            [at(115, "cid", "w?; s= x")],
            [at(115, "kim", "s?")],
            [at(116, "dan", "w?; s= y"), at(110, "bob", "s= late"), at(111, "ann", "s?; s= 2")],
            [at(118, "eve", f"s= keep; t+ {ms(120)}"), at(118, "bob", f"s?; t+ {ms(125)}")],
            [at(126, "fay", f"s= keep2; t+ {ms(122)}")],
            [at(140, "gus", "s?"), at(140, "ann", "s?")],
            [at(150, "eve", "s?"), at(150, "bob", "s?"), at(150, "fay", "s?"), at(150, "cid", "s?")],
        ],
    },
    "groups-processing-time": {
        "kind": "groups",
        "timeout": "ProcessingTimeTimeout",
        "mode": "update",
        "steps": [
            [0, at(1, "ann", "s= 1; t+ 10000"), at(1, "bob", "s= keep; t+ 10000"), at(1, "cid", "t+ 10000")],
            [5, at(1, "dan", "s= 4"), at(1, "ann", "s?; s= 1; t+ 8000")],
            [15, at(1, "dan", "s?")],
            [30, at(1, "ann", "s?"), at(1, "bob", "s?"), at(1, "cid", "s?")],
        ],
    },
}

STRING = "STRING"
# What is declared, in which time mode and query mode; then the same checkpoint with other declarations.
REFUSED = {
    "a variable twice": ("None", "append", [[("value", "a", STRING, None), ("list", "a", STRING, None)]]),
    "a TTL without times": ("None", "append", [[("value", "a", STRING, 1000)]]),
    "a TTL in event time": ("EventTime", "append", [[("map", "a", STRING, 1000)]]),
    "a TTL of nothing": ("ProcessingTime", "append", [[("value", "a", STRING, 0)]]),
    "a negative TTL": ("ProcessingTime", "append", [[("list", "a", STRING, -5)]]),
    "no name": ("None", "append", [[("value", "", STRING, None)]]),
    "a name with a dollar": ("None", "append", [[("value", "$a", STRING, None)]]),
    "a name with an underscore": ("None", "append", [[("value", "_a", STRING, None)]]),
    "the name default": ("None", "append", [[("value", "default", STRING, None)]]),
    "complete mode": ("None", "complete", [[("value", "a", STRING, None)]]),
    "an unknown time mode": ("Sometimes", "append", [[("value", "a", STRING, None)]]),
    "event time without a watermark": ("EventTime", "append", [[("value", "a", STRING, None)]], "bare"),
    "value becomes list": ("None", "append", [[("value", "a", STRING, None)], [("list", "a", STRING, None)]]),
    "value of another type": ("None", "append", [[("value", "a", STRING, None)], [("value", "a", "BIGINT", None)]]),
    "a new and a removed variable": ("None", "append", [[("value", "a", STRING, None)], [("value", "b", STRING, None)], [("value", "a", STRING, None)]]),
    "a TTL comes": ("ProcessingTime", "append", [[("value", "a", STRING, None)], [("value", "a", STRING, 1000)]]),
    "another time mode": (("None", "ProcessingTime"), "append", [[("value", "a", STRING, None)], [("value", "a", STRING, None)]]),
    "another output mode": ("None", ("append", "update"), [[("value", "a", STRING, None)], [("value", "a", STRING, None)]]),
    "a timer without times": ("None", "append", [[("value", "a", STRING, None)]], "timer"),
    "a list of timers without times": ("None", "append", [[("value", "a", STRING, None)]], "timers"),
    "a null": ("None", "append", [[("value", "a", STRING, None)]], "null"),
    "an empty list": ("None", "append", [[("list", "a", STRING, None)]], "empty"),
    "a variable outside init": ("None", "append", [[("value", "a", STRING, None)]], "outside"),
    "a timer in init": ("EventTime", "append", [[("value", "a", STRING, None)]], "early"),
    "a bad row": ("None", "append", [[("value", "a", STRING, None)]], "fails"),
}


class Wrong(Interpreter):
    """Does one wrong thing."""

    def __init__(self, time_mode, declared, wrong):
        super().__init__(time_mode, declared)
        self.wrong = wrong

    def init(self, handle):
        super().init(handle)
        if self.wrong == "early":
            handle.registerTimer(1)

    def handleInputRows(self, key, rows, timerValues):
        for _ in rows:
            pass
        if self.wrong == "timer":
            self.handle.registerTimer(1)
        if self.wrong == "timers":
            list(self.handle.listTimers())
        if self.wrong == "null":
            self.values["a"].update(None)
        if self.wrong == "empty":
            self.lists["a"].put([])
        if self.wrong == "outside":
            self.handle.getValueState("late", "x STRING")
        if self.wrong == "fails":
            raise ValueError("no good")
        yield Row(user=key[0], said="fine")


def spark():
    builder = SparkSession.builder.master("local[1]").appName("processors")
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.streaming.stateStore.providerClass": PROVIDER,
        "spark.driver.memory": "1g",
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    }
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


class Play:
    """One query over a folder of files, a file a step."""

    def __init__(self, session, folder):
        self.session, self.folder, self.files = session, Path(folder), 0
        (self.folder / "in").mkdir()

    def add(self, rows):
        lines = [json.dumps({"ts": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(E + s)), "user": u, "todo": d}) for s, u, d in rows]
        path = self.folder / "in" / f"{self.files}.json"
        self.files += 1
        hidden = self.folder / "in" / f".{self.files}"
        hidden.write_text("\n".join(lines) + "\n")
        hidden.rename(path)

    def stream(self, watermark):
        stream = self.session.readStream.schema("ts TIMESTAMP, user STRING, todo STRING").json(str(self.folder / "in"))
        return stream.withWatermark("ts", watermark) if watermark else stream

    def start(self, frame, mode, batches):
        def collect(rows, batch_id):
            batches.append([batch_id, [list(row) for row in rows.collect()]])

        writer = frame.writeStream.outputMode(mode).foreachBatch(collect)
        return writer.option("checkpointLocation", str(self.folder / "checkpoint"))


def frame_of(play, scenario):
    stream = play.stream(scenario.get("watermark")).groupBy("user")
    mode = scenario.get("mode", "append")
    if scenario["kind"] == "groups":
        timeout = scenario["timeout"]
        return stream.applyInPandasWithState(groups_interpreter(timeout), OUTPUT, "x STRING", mode, getattr(GroupStateTimeout, timeout))
    initial = scenario.get("initial")
    if initial:
        initial = play.session.createDataFrame(initial, "user STRING, todo STRING").coalesce(1).groupBy("user")
    return stream.transformWithState(Interpreter(scenario["time_mode"]), OUTPUT, mode, scenario["time_mode"], initial)


def figures(query):
    """The operator's figures of every batch."""
    names = ["operatorName", "numRowsTotal", "numRowsUpdated", "numRowsRemoved", "numRowsDroppedByWatermark"]
    progress = [p if isinstance(p, dict) else json.loads(p.json) for p in query.recentProgress]
    return [[p["batchId"]] + [operator[name] for name in names] for p in progress for operator in p["stateOperators"]]


def batch_time(folder, batch_id):
    """The time of a batch, in ms."""
    lines = (Path(folder) / "checkpoint/offsets" / str(batch_id)).read_text().splitlines()
    return json.loads(lines[1])["batchTimestampMs"]


def recorded(session, scenario):
    """The rows of each batch, by step."""
    with tempfile.TemporaryDirectory() as folder:
        play = Play(session, folder)
        mode = scenario.get("mode", "append")
        timed = "Processing" in (scenario.get("time_mode") or scenario.get("timeout"))
        answers, began, query, batches, seen, times = [], None, None, [], [], []
        for step in scenario["steps"]:
            if timed:
                due, *step = step
                began = began or time.monotonic()
                time.sleep(max(0, due - (time.monotonic() - began)))
            play.add(step)
            if timed:
                # In processing time Spark has one batch after the other, even of nothing.
                batches = []
                query = play.start(frame_of(play, scenario), mode, batches).trigger(once=True).start()
                query.awaitTermination(120)
                answers.append(batches)
                times += [batch_time(folder, batch_id) for batch_id, _ in batches]
                seen += figures(query)
            else:
                if query is None:
                    query = play.start(frame_of(play, scenario), mode, batches).start()
                query.processAllAvailable()
                answers.append(list(batches))
                batches.clear()
        if not timed:
            seen = figures(query)
        query.stop()
        return {"answers": answers, "figures": seen, "times": [time - times[0] for time in times]}


def refusal(session, case):
    """What Spark says to a wrong declaration, or to a changed one after a restart."""
    time_modes, modes, declarations, *wrong = case
    one = lambda given, n: given if isinstance(given, str) else given[n]
    said = []
    with tempfile.TemporaryDirectory() as folder:
        play = Play(session, folder)
        for n, declared in enumerate(declarations):
            play.add([at(n + 1, "ann", "x")])
            try:
                time_mode = one(time_modes, n)
                watermark = "5 seconds" if time_mode == "EventTime" and wrong != ["bare"] else None
                frame = play.stream(watermark).groupBy("user").transformWithState(
                    Wrong(time_mode, declared, (wrong or [None])[0]), OUTPUT, one(modes, n), time_mode
                )
                query = play.start(frame, one(modes, n), []).trigger(once=True).start()
                query.awaitTermination(60)
                said.append("runs")
            except Exception as error:
                text = str(error)
                found = [w.strip(".,;:") for w in text.replace("[", " ").replace("]", " ").replace("`", " ").split() if w.strip('.,;:').isupper() and "_" in w and len(w) > 12]
                about = [w for w in dict.fromkeys(found) if w not in ("STREAM_FAILED", "FOREACH_BATCH_USER_FUNCTION_ERROR")]
                said.append(about or "fails")
    return said


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:]
    session = spark()
    for name, scenario in SCENARIOS.items():
        if wanted and name not in wanted:
            continue
        try:
            result = {**scenario, **recorded(session, scenario)}
        except Exception as error:
            print(name, "FAILED", str(error)[:3000], flush=True)
            continue
        (GOLDEN / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(name, "recorded", flush=True)
    if not wanted or "refusals" in wanted:
        refusals = {name: refusal(session, case) for name, case in REFUSED.items()}
        (GOLDEN / "refusals.json").write_text(json.dumps(refusals, indent=1) + "\n")
        print("refusals recorded", flush=True)
    session.stop()


if __name__ == "__main__":
    main()
