"""Cells of Python on the notebook's session: `%%pyspark`."""

import os
import re
import signal
import sys
from pathlib import Path

import pytest

from client import eventually


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory):
    """The Python of the tests. What it completes with is cached in a folder of its own: the kernels of tests are
    killed, which can leave half a file behind."""
    if "TIDEBOOK_PYTHON" not in os.environ:
        monkeypatch.setenv("TIDEBOOK_PYTHON", sys.executable)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def python(code: str) -> str:
    return f"%%pyspark\n{code}"


def test_a_cell_shares_views_and_queries_with_sql(kernel):
    kernel.ok("%%sql\nCREATE TEMPORARY VIEW here AS SELECT 41 AS x")
    assert kernel.ok(python("print(spark.table('here').first().x + 1)")).text() == "42\n"
    kernel.ok(python("spark.range(3).createOrReplaceTempView('there')"))
    assert "3" in str(kernel.ok("%%sql\nSELECT count(*) FROM there").messages)
    kernel.ok(
        python(
            "from pyspark.sql.functions import window\n"
            "events = spark.readStream.format('rate').option('rowsPerSecond', 50).load()\n"
            "counts = events.groupBy(window('timestamp', '5 seconds')).count()\n"
            "query = counts.writeStream.outputMode('complete').format('memory').queryName('counts').start()\n"
            "query.processAllAvailable()"
        )
    )
    assert "counts" in str(kernel.ok("%status counts").messages)
    kernel.ok("%stop counts")
    assert kernel.ok(python("print(query.isActive)")).text() == "False\n"
    kernel.ok("%%source lines --format rate\n")
    kernel.ok("%%stream from_sql\nSELECT value FROM lines")
    names = kernel.ok(python("print([query.name for query in spark.streams.active])")).text()
    assert names == "['from_sql']\n"
    kernel.ok("%stop --all")


def test_outputs_are_those_of_a_python_kernel(kernel):
    executed = kernel.ok(python("import sys\nprint('out')\nprint('err', file=sys.stderr)\n6 * 7"))
    assert executed.text() == "out\n"
    assert executed.text("stderr") == "err\n"
    [result] = executed.contents("execute_result")
    assert result["data"]["text/plain"] == "42"
    assert result["execution_count"] == executed.reply["content"]["execution_count"]
    shown = kernel.ok(
        python(
            "from IPython.display import HTML, display\n"
            "handle = display(HTML('<b>1</b>'), display_id='it')\n"
            "handle.update(HTML('<b>2</b>'))"
        )
    )
    assert shown.types == ["display_data", "update_display_data"]
    [first] = shown.contents("display_data")
    assert first["transient"]["display_id"] == "it"
    [then] = shown.contents("update_display_data")
    assert then["data"]["text/html"] == "<b>2</b>"


def test_an_error_is_pythons_own(kernel):
    executed = kernel.execute(python("def broken():\n    return 1 / 0\n\nbroken()"))
    assert executed.status == "error"
    [error] = executed.contents("error")
    assert error["ename"] == "ZeroDivisionError"
    plain = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(error["traceback"]))
    assert "return 1 / 0" in plain and "line 4" in plain
    refused = kernel.fails(python("spark.table('nowhere').show()"))
    assert "TABLE_OR_VIEW_NOT_FOUND" in refused
    assert kernel.ok(python("print(broken.__name__)")).text() == "broken\n"


def test_an_interrupt_ends_the_cell_and_keeps_the_variables(kernel):
    kernel.ok(python("import time\nkept = 5"))
    sent = kernel.send(python("print('begun', flush=True)\ntime.sleep(600)"))
    kernel.until(sent, lambda message: message["msg_type"] == "stream")
    kernel.request("interrupt_request", {}, "control")
    assert kernel.collect(sent).reply["content"]["ename"] == "KeyboardInterrupt"
    assert kernel.ok(python("print(kept)")).text() == "5\n"


def test_a_cell_can_ask(kernel):
    sent = kernel.send(python("print('Hello, ' + input('Who? '))"), allow_stdin=True)
    question = kernel.channels.get_stdin_msg(timeout=kernel.timeout)
    assert question["content"] == {"prompt": "Who? ", "password": False}
    kernel.channels.input("Ada")
    assert kernel.collect(sent).text().endswith("Hello, Ada\n")
    nobody = kernel.execute(python("input()"), allow_stdin=False)
    assert nobody.reply["content"]["ename"] == "StdinNotImplementedError"


def test_python_completes_and_explains(kernel):
    kernel.ok(python("frame = spark.range(3)"))
    code = python("frame.with")

    def completed():
        # The first time Python loads what it completes with, which can take longer than an answer may.
        reply = kernel.request("complete_request", {"code": code, "cursor_pos": len(code)})["content"]
        return any(match.endswith("withWatermark") for match in reply["matches"]) and reply

    assert eventually(completed)["cursor_end"] == len(code)
    code = python("frame.withWatermark")

    def explained():
        asked = {"code": code, "cursor_pos": len(code), "detail_level": 0}
        reply = kernel.request("inspect_request", asked)["content"]
        return reply["found"] and reply["data"]["text/plain"]

    assert "eventTime" in eventually(explained)


def test_a_program_that_stops_its_session_does_not_stop_the_next(kernel):
    kernel.ok(python("spark.stop()"))
    assert kernel.ok(python("print(spark.range(2).count())")).text() == "2\n"


def test_a_killed_python_is_said_and_a_new_one_starts(kernel):
    pid = int(kernel.ok(python("import os\nprint(os.getpid())")).text())
    killed = kernel.fails(python("os.kill(os.getpid(), 9)"))
    assert "PythonDied" in killed and "signal 9" in killed
    executed = kernel.ok(python("print(spark.range(2).count())"))
    assert executed.text() == "2\n"
    again = int(kernel.ok(python("import os\nprint(os.getpid())")).text())
    assert again != pid
    os.kill(again, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{again}").exists())
    executed = kernel.ok(python("print(1)"))
    assert "without variables" in executed.text("stderr")


def test_python_ends_with_its_kernel(kernel):
    pid = int(kernel.ok(python("import os\nprint(os.getpid())")).text())
    kernel.manager.shutdown_kernel(now=True)
    eventually(lambda: not is_there(pid))


def test_what_functions_print_is_shown(kernel):
    kernel.ok(
        python(
            "def each(batch, number):\n"
            "    print('batch', number, 'has', batch.count(), 'rows')\n\n"
            "rows = spark.readStream.format('rate').option('rowsPerSecond', 10).load()\n"
            "query = rows.writeStream.foreachBatch(each).trigger(availableNow=True).start()"
        )
    )
    kernel.send(python("query.awaitTermination()"))
    assert "batch 0 has 0 rows" in kernel.hears("batch 0 has")


def test_without_pyspark_it_is_said_what_to_install(kernel, monkeypatch, tmp_path):
    from jupyter_client.manager import start_new_kernel

    from client import Client

    empty = tmp_path / "empty-python"
    empty.write_text(f"#!/bin/sh\nexec {sys.executable} -S -E \"$@\"\n")
    empty.chmod(0o755)
    monkeypatch.setenv("TIDEBOOK_PYTHON", str(empty))
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path))
    try:
        said = Client(manager, channels).fails(python("1"))
        assert "lacks pyspark" in said and "./install.sh --pyspark" in said
    finally:
        channels.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("habit", ["df = spark.readStream.format('json').load('x')", "from pyspark.sql import functions as F"])
def test_python_without_the_magic_is_told_of_it(kernel, habit):
    assert "%%pyspark" in kernel.fails(habit)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended is there until its parent has noticed.
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"
