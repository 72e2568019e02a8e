"""Plays generated scripts: on Spark in one JVM, which gives the truth, and on our engine in every variation."""

import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from engines import ROOT
from script import parse

# Longer than a script takes in all variations.
SECONDS = 90


class Spark:
    """One small session for all scripts."""

    def __init__(self):
        os.environ["TZ"] = "UTC"
        time.tzset()
        from pyspark.sql import SparkSession

        builder = SparkSession.builder.master("local[1]").appName("stream-fuzz")
        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.memory": "1500m",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.json.filterPushdown.enabled": "false",
            "spark.sql.warehouse.dir": tempfile.mkdtemp(),
            "spark.sql.streaming.stateStore.maintenanceInterval": "1h",
            # Every query is small and new: to compile it takes longer than to run it.
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        }
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")

    def answer(self, text):
        """The script with Spark's answers in it, and whether Spark plays it to its end."""
        # Only who asks Spark needs PySpark.
        from play import Player

        script = parse("generated", text)
        directory = tempfile.mkdtemp(prefix="stream-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        player, outcomes, fine = Player(self.session, directory), [], True
        try:
            for step in script.steps:
                outcome = player.play(step) or {}
                outcomes.append(outcome)
                if "error" in outcome:
                    fine = False
                    break
        finally:
            self._forget(player, script)
            shutil.rmtree(directory, ignore_errors=True)
        return filled(script, outcomes), fine

    def _forget(self, player, script):
        """Stops what runs; what `Player.close` lists, Spark cannot list without compiling."""
        player.stop()
        for key in player.set_keys:
            self.session.conf.unset(key)
        for step in script.steps:
            if step.verb in ("source", "static", "view"):
                self.session.catalog.dropTempView(step.args.partition("(")[0].strip())

    def close(self):
        """Ends the session."""
        self.session.stop()


def filled(script, outcomes):
    """A script's text with what its steps came to; it ends where Spark failed."""
    from play import error_line

    lines = list(script.lines)
    if len(outcomes) < len(script.steps):
        last = script.steps[len(outcomes) - 1]
        lines = lines[: last.expected_span[1] if last.expected_span else last.line + 1 + len(last.body)]
    for step, outcome in reversed(list(zip(script.steps, outcomes))):
        if step.expected_span is None:
            continue
        wanted = outcome.get("lines", [])
        if "error" in outcome:
            wanted = [error_line(outcome["error"]) if outcome["error"]["conditions"] else "error"]
        begin, end = step.expected_span
        # A query that starts expects nothing.
        lines[begin if wanted else begin - 1 : end] = wanted
    return "\n".join(lines).strip() + "\n"


class Ours:
    """The program `play`, started anew when it dies or hangs."""

    def __init__(self, program=None):
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.program = str(program or target / "release" / "play")
        self.process = None

    def check(self, text):
        """What goes wrong when a script is played, `None` when nothing does."""
        if self.process is None:
            self._start()
        try:
            self.process.stdin.write(json.dumps(text) + "\n")
            self.process.stdin.flush()
            line = self.lines.get(timeout=SECONDS)
        except queue.Empty:
            self.close()
            return {"kind": "hang", "got": [f"no answer in {SECONDS} s"]}
        except OSError as error:
            self.close()
            return {"kind": "crash", "got": [str(error)]}
        if not line:
            self.close()
            return {"kind": "crash", "got": ["the program ended"]}
        return json.loads(line)

    def _start(self):
        self.process = subprocess.Popen(
            [self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.lines = queue.Queue()
        threading.Thread(target=_read, args=(self.process.stdout, self.lines), daemon=True).start()

    def close(self):
        """Ends the program; the next script starts it again."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _read(stream, lines):
    for line in stream:
        lines.put(line)
    lines.put("")
