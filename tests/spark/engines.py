"""Asks Spark and our engine the same SQL; an answer is names, types and rows as texts, or a condition and an error."""

import json
import logging
import os
import queue
import re
import subprocess
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW_LIMIT = 10_000
SECONDS = 20
# A cell's separator: no SQL text holds it.
CELL = "\x1f"
# How `show` writes characters that would break its table; our texts are written the same way.
ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b", "\v": "\\v", "\a": "\\a"}


class Spark:
    """One small local session of Spark 4.3.0."""

    def __init__(self, interpreted=False):
        os.environ["TZ"] = "UTC"
        from pyspark.sql import SparkSession

        settings = {
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.memory": "2g",
            "spark.driver.extraJavaOptions": f"-Duser.timezone=UTC -Dderby.system.home={tempfile.mkdtemp()}",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": tempfile.mkdtemp(),
        }
        if interpreted:
            # Thousands of small statements: to compile each takes longer than to run it.
            settings["spark.sql.codegen.wholeStage"] = "false"
            settings["spark.sql.codegen.factoryMode"] = "NO_CODEGEN"
        builder = SparkSession.builder.master("local[1]").appName("oracle")
        for key, value in settings.items():
            builder = builder.config(key, value)
        self.session = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")
        logging.getLogger("SQLQueryContextLogger").disabled = True

    def ask(self, statement):
        """What Spark answers to one statement."""
        try:
            frame = self.session.sql(statement)._jdf
            fields = frame.schema().fields()
            rows = frame.getRows(ROW_LIMIT, 0)
            texts = [rows.apply(at).mkString(CELL) for at in range(1, rows.size())]
            return {
                "names": [field.name() for field in fields],
                "types": [field.dataType().catalogString() for field in fields],
                "rows": [text.split(CELL) if fields else [] for text in texts],
            }
        except OSError:  # Java is gone: that is no answer
            raise
        except Exception as error:  # every other failure is an answer
            if type(error).__name__ == "Py4JNetworkError":
                raise
            return described(error)

    def restart(self):
        """Forgets settings and temporary views."""
        self.session.sql("RESET")
        for view in self.session.catalog.listTables():
            if view.isTemporary:
                self.session.catalog.dropTempView(view.name)

    def functions(self):
        """Spark's built-in functions: (name, theme, examples)."""
        infos = self.session._jvm.org.apache.spark.sql.api.python.PythonSQLUtils.listBuiltinFunctionInfos()
        listed = [(info.getName(), info.getGroup(), info.getExamples()) for info in infos]
        return sorted(listed)

    def close(self):
        """Ends the session."""
        self.session.stop()


def described(error):
    """A failure's condition and the line that names it."""
    java = getattr(error, "java_exception", None)
    text = str(error) + ("\n" + java.toString() if java is not None else "")
    named = re.search(r"\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]", text)
    said = [line for line in text.strip().split("\n") if not named or named[0] in line]
    return {"condition": named and named[1], "error": said[0][:500]}


class Ours:
    """Our engine: the program `sql`, started anew when it dies or hangs."""

    def __init__(self, program=None):
        self.program = str(program or default_program())
        self.process = None

    def ask(self, statement):
        """What our engine answers to one statement."""
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(statement) + "\n")
            self.process.stdin.flush()
            line = self.lines.get(timeout=SECONDS)
        except (OSError, queue.Empty) as error:
            self.restart()
            if isinstance(error, queue.Empty):
                return {"condition": "HANG", "error": f"no answer in {SECONDS} s"}
            return {"condition": "CRASH", "error": str(error)}
        if not line:
            self.restart()
            return {"condition": "CRASH", "error": "the program ended"}
        answer = json.loads(line)
        if "rows" in answer:
            answer["rows"] = [[shown(cell) for cell in row] for row in answer["rows"]]
        return answer

    def start(self):
        """Starts the program and a thread that reads its lines."""
        self.process = subprocess.Popen(
            [self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.lines = queue.Queue()
        threading.Thread(target=_read, args=(self.process.stdout, self.lines), daemon=True).start()

    def restart(self):
        """Ends the program; the next statement starts it with a new session."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    close = restart


def _read(stream, lines):
    for line in stream:
        lines.put(line)
    lines.put("")


def shown(text):
    """A text of ours as `show` prints it."""
    if text is None:
        return "NULL"
    return "".join(ESCAPES.get(char, char) for char in text)


def default_program():
    """The release program `sql`."""
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "sql"


def recorded(path):
    """The entries of an earlier run: each tells its statement and holds Spark's answer."""
    with open(path) as file:
        return [json.loads(line) for line in file]


class Recorder:
    """Writes answers to a file, one JSON text a line."""

    def __init__(self, path):
        self.file = open(path, "w")

    def keep(self, answer, **about):
        """Writes one answer with what it is about."""
        self.file.write(json.dumps({**about, **answer}, ensure_ascii=False) + "\n")
        self.file.flush()
