"""Plays one stream script on PySpark, step by step, as tests/src/run.rs plays it on our engine."""

import json
import os
import re

from frame import build
from rows import cell, iso_out, ndjson, row
from script import source_args, words

EPOCH = "1970-01-01T00:00:00.000Z"
WRAPPERS = ("STREAM_FAILED", "FOREACH_BATCH_USER_FUNCTION_ERROR")
# File times grow from here: Spark reads files in the order of their modification.
FIRST_FILE_TIME = 1_700_000_000


class Player:
    """The state of one script while it is played."""

    def __init__(self, spark, directory):
        self.spark = spark
        self.dir = directory
        self.sources = {}
        self.pending = []
        self.files = 0
        self.queries = 0
        self.query = None
        self.start = None
        self.trigger = None
        self.frame = None
        self.batches = {}
        self.progress = {}
        self.shown = -1
        self.set_keys = []

    def play(self, step):
        """Does one step; gives what the recording keeps of it, `None` when there is nothing."""
        method = getattr(self, "do_" + step.verb.replace("-", "_"))
        body = [line.replace("$DIR", self.dir) for line in step.body]
        try:
            return method(step.args.replace("$DIR", self.dir), body)
        except Exception as error:  # every failure is an outcome that a script may expect
            return {"error": self.describe(error)}

    def close(self):
        """Stops what runs and undoes settings."""
        self.stop()
        for key in self.set_keys:
            self.spark.conf.unset(key)
        for view in self.spark.catalog.listTables():
            if view.isTemporary:
                self.spark.catalog.dropTempView(view.name)

    # What is there.

    def do_set(self, args, _body):
        key, value = args.split(None, 1)
        self.spark.conf.set(key, value)
        self.set_keys.append(key)

    def do_source(self, args, _body):
        source = source_args(args)
        path = source.path or f"{self.dir}/in-{source.name}"
        if not source.path:
            os.makedirs(path, exist_ok=True)
        self.sources[source.name] = (path, source.schema)
        reader = self.spark.readStream.format(source.format)
        if source.schema:
            reader = reader.schema(source.schema).option("maxFilesPerTrigger", "1").options(**source.options)
            frame = reader.load(path)
        else:
            frame = reader.options(**source.options).load()
        if source.watermark:
            frame = frame.withWatermark(*source.watermark)
        frame.createOrReplaceTempView(source.name)

    def do_static(self, args, body):
        source = source_args(args)
        path = f"{self.dir}/static-{source.name}"
        os.makedirs(path)
        with open(f"{path}/0.json", "w") as file:
            file.write(ndjson(source.schema, body))
        frame = self.spark.read.schema(source.schema).json(path)
        frame.createOrReplaceTempView(source.name)

    def do_view(self, args, body):
        build(self.spark, body).createOrReplaceTempView(args)

    # Data.

    def do_add_data(self, args, body):
        return self.add_file(args, ndjson(self.sources[args][1], body))

    def do_add_text(self, args, body):
        return self.add_file(args, "".join(json.loads(line) for line in body))

    def add_file(self, name, text):
        directory = self.sources[name][0]
        self.files += 1
        hidden = f"{directory}/.f{self.files:04d}.json"
        with open(hidden, "w") as file:
            file.write(text)
        os.utime(hidden, (FIRST_FILE_TIME + self.files,) * 2)
        self.pending.append((hidden, f"{directory}/f{self.files:04d}.json"))
        return {"text": text}

    def place_pending(self):
        for hidden, path in self.pending:
            os.rename(hidden, path)
        self.pending = []

    # Queries.

    def do_query(self, args, body):
        self.stop()
        self.batches, self.progress, self.shown = {}, {}, -1
        self.frame = build(self.spark, body)
        self.start, self.trigger = self.writer(self.frame, args)
        self.place_pending()
        if self.trigger is None:
            self.query = self.start()

    def do_start_beside(self, args, body):
        start, _ = self.writer(build(self.spark, body), args)
        start().stop()

    def writer(self, frame, args):
        self.queries += 1
        mode, *rest = words(args)
        sink, trigger, options, name = "collect", None, {}, None
        checkpoint = f"q{self.queries}"
        for word in rest:
            key, _, value = word.partition("=")
            if word in ("once", "available-now"):
                trigger = word
            elif key == "sink":
                sink = value
            elif key == "name":
                name = value
            elif key == "checkpoint":
                checkpoint = value
            else:
                options[key] = value

        def start():
            writer = frame.writeStream.outputMode(mode)
            writer = writer.foreachBatch(self.collect) if sink == "collect" else writer.format(sink)
            if checkpoint != "none":
                writer = writer.option("checkpointLocation", f"{self.dir}/ck-{checkpoint}")
            writer = writer.options(**options)
            if name:
                writer = writer.queryName(name)
            if trigger == "once":
                writer = writer.trigger(once=True)
            if trigger == "available-now":
                writer = writer.trigger(availableNow=True)
            return writer.start()

        return start, trigger

    def collect(self, frame, batch_id):
        fields = frame.schema.fields
        self.batches[batch_id] = sorted(row(values, fields) for values in frame.collect())

    def stop(self):
        if self.query is not None:
            self.keep_progress()
            self.query.stop()
            self.query = None

    def do_restart(self, _args, _body):
        self.stop()
        self.query = self.start()

    def run(self):
        """Processes everything there is; several new files come in over a restart, so that none
        is seen before the others are there."""
        try:
            if self.trigger is not None:
                self.place_pending()
                self.query = self.start()
                self.query.awaitTermination()
            else:
                if len(self.pending) > 1 or self.query is None:
                    self.stop()
                    self.place_pending()
                    self.query = self.start()
                self.place_pending()
                self.query.processAllAvailable()
        finally:
            if self.query is not None:
                self.keep_progress()

    def keep_progress(self):
        for progress in self.query.recentProgress:
            progress = json.loads(progress.json)
            if "addBatch" in progress["durationMs"]:
                self.progress[progress["batchId"]] = progress

    # What is seen.

    def do_run(self, _args, _body):
        self.run()
        return {"lines": self.new_lines()}

    def do_check_new_answer(self, _args, _body):
        self.run()
        return {"lines": self.new_lines()}

    def do_check_answer(self, args, _body):
        self.run()
        self.shown = max(self.progress, default=self.shown)
        batches = [self.batches[key] for key in sorted(self.batches)]
        lines = batches[-1:] if args == "complete" else batches
        return {"lines": sorted(line for batch in lines for line in batch)}

    def new_lines(self):
        lines = []
        for batch_id in sorted(self.progress):
            if batch_id > self.shown:
                lines.append(batch_line(self.progress[batch_id]))
                lines.extend(self.batches.get(batch_id, []))
        self.shown = max(self.progress, default=self.shown)
        return lines

    def do_expect(self, args, _body):
        pairs = dict(word.split("=", 1) for word in words(args))
        batch = int(pairs["batch"]) if "batch" in pairs else max(self.progress)
        known = figures(self.progress[batch], len(self.progress))
        return {"figures": {key: known.get(key, "none") for key in pairs if key != "batch"}}

    def do_check_schema(self, _args, body):
        frame = build(self.spark, body) if body else self.frame
        return {"lines": [f"{name}: {kind}" for name, kind in frame.dtypes]}

    def do_sql(self, _args, body):
        text = "\n".join(body)
        frame = self.spark.sql(text)
        fields = frame.schema.fields
        lines = [row(values, fields) for values in frame.collect()]
        return {"lines": lines if "order by" in text.lower() else sorted(lines)}

    def do_check_modes(self, _args, body):
        self.place_pending()
        lines, errors = [], {}
        for mode in ("append", "update", "complete"):
            try:
                frame = build(self.spark, body)
                start, _ = self.writer(frame, f"{mode} available-now sink=noop")
                start().awaitTermination()
                lines.append(f"{mode} ok")
            except Exception as error:
                errors[mode] = self.describe(error)
                lines.append(f"{mode} {error_line(errors[mode])}")
        return {"lines": lines, "errors": errors}

    def describe(self, error):
        text = str(error)
        java = getattr(error, "java_exception", None)
        if java is not None:
            text += "\n" + java.toString()
        stack = getattr(error, "_stackTrace", None) or getattr(error, "getStackTrace", str)() or ""
        if self.query is not None and self.query.exception() is not None:
            failure = self.query.exception()
            stack += str(failure) + (getattr(failure, "_stackTrace", None) or "")
        return described(type(error).__name__, text, stack, self.dir)


def described(name, text, stack, directory):
    """Condition names from the outermost cause inwards, and one sentence."""
    found = re.findall(r"\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]", text + "\n" + stack)
    conditions = [c for c in dict.fromkeys(found) if c not in WRAPPERS]
    message = text.split("JVM stacktrace")[0].strip()
    if conditions and f"[{conditions[-1]}]" in message + stack:
        message = (message + "\n" + stack).split(f"[{conditions[-1]}]", 1)[1].strip()
    message = re.sub(r"^\[STREAM_FAILED\].*?terminated with exception: ", "", message)
    message = message.replace("file:" + directory, "$DIR").replace(directory, "$DIR")
    message = re.sub(r" ?SQLSTATE:.*", "", message.split("\n")[0])
    message = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", message)
    return {"class": name, "conditions": conditions, "message": message.strip()}


def error_line(error):
    """An error as a script expects it."""
    if error["conditions"]:
        return f"error [{error['conditions'][-1]}]"
    return f"error {error['message']}"


def batch_line(progress):
    """One batch's figures."""
    known = figures(progress, 0)
    parts = [f"in={known['input']}"]
    if known["watermark"] not in ("none", "1970-01-01T00:00"):
        parts.append(f"wm={known['watermark']}")
    if progress["stateOperators"]:
        parts.append(f"rows={known['state-rows']}")
    for key, name in (("state-updated", "updated"), ("state-removed", "removed"), ("dropped-by-watermark", "dropped")):
        if any(part != "0" for part in known[key].split(",")) and progress["stateOperators"]:
            parts.append(f"{name}={known[key]}")
    return f"batch {progress['batchId']}: " + " ".join(parts)


def figures(progress, batches):
    """Everything an `expect` step can name."""
    operators = progress["stateOperators"]
    times = progress.get("eventTime") or {}
    joined = lambda key: ",".join(str(operator[key]) for operator in operators) or "none"
    time = lambda key: iso_out(times[key]) if key in times else "none"
    return {
        "batches": str(batches),
        "input": str(progress["numInputRows"]),
        "output": str(progress["sink"]["numOutputRows"]),
        "sink": re.sub(r"\[.*", "", progress["sink"]["description"]),
        "operators": joined("operatorName"),
        "state-rows": joined("numRowsTotal"),
        "state-updated": joined("numRowsUpdated"),
        "state-removed": joined("numRowsRemoved"),
        "dropped-by-watermark": joined("numRowsDroppedByWatermark"),
        "watermark": time("watermark"),
        "event-max": time("max"),
        "event-min": time("min"),
        "event-avg": time("avg"),
    }
