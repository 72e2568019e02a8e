"""Lessons step by step: rows that are typed, a clock that is moved, alerts, checks, the course."""

import json
import subprocess
from pathlib import Path

from client import Client, eventually

SOURCE = '%%source clicks --format memory --watermark "ts 10 minutes"\nuser STRING, ts TIMESTAMP'
COUNTS = """%%stream counts {flags}
SELECT window(ts, '5 minutes') AS window, count(*) AS n FROM clicks GROUP BY window(ts, '5 minutes')"""
CHECK = """
task = "Count the clicks of every 5 minutes: columns window, n."
well_done = "Each click falls into one window."
[[source]]
name = "clicks"
columns = "user STRING, ts TIMESTAMP"
watermark = "ts 10 minutes"
rows = "SELECT concat('u', id % 7) AS user, timestamp_seconds(1704110400 + 20 * id) AS ts FROM range(300)"
batches = 3
[answer]
query = "SELECT window(ts, '5 minutes') AS window, count(*) AS n FROM clicks GROUP BY window(ts, '5 minutes')"
unit = "window"
[hints]
empty = "Look at your WHERE."
[[mistake]]
query = "SELECT window(ts, '10 minutes') AS window, count(*) AS n FROM clicks GROUP BY window(ts, '10 minutes')"
say = "Your windows are 10 minutes long."
"""


def feed(*minutes: float, flags: str = "") -> str:
    rows = [{"user": f"u{i}", "ts": f"2024-01-01 12:{int(m):02}:{int(m % 1 * 60):02}"} for i, m in enumerate(minutes)]
    return f"%%feed clicks {flags}\n" + "\n".join(json.dumps(row) for row in rows)


def rows(kernel: Client, query: str) -> list[list[str]]:
    """The rows of a batch query, as Spark's show() writes them."""
    [result] = kernel.ok(f"%%sql\n{query}").contents("execute_result")
    lines = [line for line in result["data"]["text/plain"].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def plain(executed, msg_type: str = "display_data") -> str:
    return "\n".join(content["data"]["text/plain"] for content in executed.contents(msg_type))


def test_rows_that_are_fed_come_out_batch_by_batch(kernel: Client):
    assert "memory" in kernel.ok("%help source memory").contents("display_data")[0]["data"]["text/plain"]
    kernel.ok(SOURCE)
    assert "no running query reads it yet" in kernel.ok(feed(1)).text()
    kernel.ok(COUNTS.format(flags=""))
    kernel.ok("%process counts")
    said = kernel.ok(feed(2, 3)).text()
    assert said.startswith("2 rows added to 'clicks' (3 in all)\nquery 'counts' ran batch"), said
    assert rows(kernel, "SELECT n FROM counts") == []
    kernel.ok(feed(15.5))
    assert rows(kernel, "SELECT window.start, n FROM counts") == [["2024-01-01 12:00:00", "3"]]
    error = kernel.fails("%%feed clicks\nuser,ts\nann,2024-01-01 12:20:00\nbob,noon")
    assert "line 3" in error and "'noon' is not a valid TIMESTAMP for column 'ts'" in error
    error = kernel.fails('%%feed clicks\n{"usr": "ann"}')
    assert "line 1: there is no column 'usr'" in error and "did you mean 'user'?" in error
    assert "takes no rows by hand" in kernel.fails("%%feed counts\n{}")
    assert rows(kernel, "SELECT n FROM counts") == [["3"]]


def test_a_query_lives_by_the_clock_that_is_moved(kernel: Client):
    kernel.ok(SOURCE)
    assert "shows 2024-01-01 12:00:00" in kernel.ok('%clock set "2024-01-01 12:00:00"').text()
    kernel.ok('%%stream seen --clock manual --trigger "10 seconds"\nSELECT user, current_timestamp() AS at FROM clicks')
    said = kernel.ok(feed(1)).text()
    assert "ran no batch; its next one is due at 2024-01-01 12:00:10" in said, said
    assert "due at 2024-01-01 12:00:10" in kernel.ok("%process seen").text()
    kernel.ok('%clock advance "9 seconds"')
    assert rows(kernel, "SELECT * FROM seen") == []
    said = kernel.ok('%clock advance "1 second"').text()
    assert said == "the manual clock shows 2024-01-01 12:00:10\nquery 'seen' ran 1 batch\n"
    assert rows(kernel, "SELECT user, at FROM seen") == [["u0", "2024-01-01 12:00:10"]]
    error = kernel.fails('%clock set "2024-01-01 12:00:00"')
    assert "cannot go back while query 'seen' lives by it" in error and "%stop seen" in error
    assert "is not a time" in kernel.fails("%clock set noon")


def test_an_alert_tells_once_per_crossing(kernel: Client):
    kernel.ok(SOURCE)
    kernel.ok(COUNTS.format(flags="--mode complete"))
    kernel.ok("%process counts")
    shown = kernel.ok('%alert counts "numInputRows >= 2"')
    assert plain(shown).startswith("● quiet: numInputRows >= 2")
    kernel.ok(feed(1))
    updated = plain(kernel.ok(feed(2, 3)), "update_display_data")
    assert "▲ raised: numInputRows >= 2" in updated and "numInputRows = 2" in updated, updated
    # On the card as well, and still one crossing.
    kernel.ok(feed(4, 5))
    kernel.ok(feed(6))
    assert "over, was raised once" in plain(kernel.ok("%alert counts"))
    kernel.ok(feed(7, 8, 9))
    assert "over, was raised once" not in plain(kernel.ok("%alert counts"))
    error = kernel.fails('%alert counts "n > 3" --fail')
    assert "AlertRaised" in error and ": alert on query 'counts': n > 3 is true" in error and "n = 4" in error, error
    kernel.ok("%echo one crossing turns one cell red")
    assert "did you mean 'numInputRows'?" in kernel.fails('%alert counts "numInputRow > 1"')
    assert "ParseException" in kernel.fails('%alert counts "n >"')
    assert "2 alerts less" in kernel.ok("%alert counts --clear").text()


def test_charts_show_the_watermark_and_the_progress(kernel: Client):
    kernel.ok(SOURCE)
    kernel.ok(COUNTS.format(flags="--mode complete"))
    kernel.ok(feed(1, 6, 18))
    kernel.ok(feed(19))
    chart = kernel.ok("%chart counts").contents("display_data")[0]
    text = chart["data"]["text/plain"]
    assert "watermark: 2024-01-01 12:08:00" in text and "2 of 3 windows open (hatched)" in text, text
    assert "watermark 12:08" in chart["data"]["image/svg+xml"]
    assert chart["metadata"]["image/png"]["alt"] == text
    history = plain(kernel.ok("%chart counts --progress numInputRows,stateRows"))
    assert "numInputRows" in history and "stateRows" in history
    assert "did you mean 'stateRows'?" in kernel.fails("%chart counts --progress stateRow")


def test_a_check_says_what_is_right_and_what_differs(kernel: Client, tmp_path: Path):
    checks = tmp_path / "checks"
    checks.mkdir()
    (checks / "five.toml").write_text(CHECK)
    (checks / "mode.toml").write_text('task = "Which mode?"\naccept = ["append"]\nwell_done = "So it is."\n')
    right = "SELECT window(ts, '5 minutes') AS window, count(*) AS n FROM clicks GROUP BY window(ts, '5 minutes')"

    def check(answer: str, flags: str = "") -> str:
        return plain(kernel.ok(f"%%check five {flags}\n{answer}"))

    assert check(right) == "✔ Right! All 17 rows are as they should be.\n  Each click falls into one window."
    wrong = check(right.replace("5 min", "10 min"))
    assert wrong.startswith("✎ Not yet: none of the 17 windows is right."), wrong
    assert "hint: Your windows are 10 minutes long." in wrong
    differs = check(right.replace("count(*)", "count(*) + CAST(minute(window(ts, '5 minutes').start) = 30 AS INT)"))
    assert "16 of 17 windows are right" in differs and "yours" in differs and "12:30 – 12:35" in differs, differs
    assert "should probably be called 'n'" in check(right.replace(" AS n", ""))
    empty = check(right.replace("FROM clicks", "FROM clicks WHERE user = 'nobody'"))
    assert "no row came out of it; 17 rows should" in empty and "Look at your WHERE." in empty
    failing = check("SELECT usr FROM clicks")
    assert "this query does not run" in failing and "did you mean" in failing, failing
    assert "Traceback" not in failing and "panicked" not in failing
    assert "There is no answer below %%check yet." in check("-- later")
    endless = check("SELECT count(*) AS n FROM clicks a CROSS JOIN range(60000) b CROSS JOIN range(60000) c", "--mode complete")
    assert "was stopped" in endless, endless
    assert plain(kernel.ok("%%check mode\nAppend.")) == "✔ Right!\n  So it is."
    error = kernel.fails("%%check mode --fail\nupdate")
    assert "CheckFailed" in error and "check 'mode': Not yet: it is not 'update'." in error
    assert "%%check five" in kernel.fails("%%check fivee\nSELECT 1")
    # Nothing of a check is left in the session.
    assert "clicks" not in kernel.ok("%views").text()


def test_a_console_sink_has_one_display(kernel: Client):
    kernel.ok(SOURCE)
    started = kernel.ok("%%stream shown --sink console\nSELECT user FROM clicks")
    card, console = started.contents("display_data")
    assert started.text() == "" and console["data"]["text/plain"] == "no batch yet\n"
    fed = kernel.ok(feed(1))
    assert fed.text("stdout").startswith("1 row added")
    updates = [c for c in fed.contents("update_display_data") if c["transient"] == console["transient"]]
    assert "Batch: 0" in updates[-1]["data"]["text/plain"] and "|  u0|" in updates[-1]["data"]["text/plain"]


def test_a_running_query_is_replaced_when_asked(kernel: Client):
    kernel.ok(SOURCE)
    kernel.ok(COUNTS.format(flags=""))
    again = kernel.execute(COUNTS.format(flags=""))
    assert again.status == "error" and "--replace" in again.error
    assert "counts" in plain(again)
    kernel.ok(COUNTS.format(flags="--replace"))
    assert "counts" in plain(kernel.ok("%status counts"))


def test_other_languages_are_recognised_at_once(kernel: Client):
    for code in ["df = spark.readStream.format('json').load()", "from pyspark.sql import SparkSession", "# a comment\n1"]:
        error = kernel.fails(code)
        assert "this looks like Python; a cell without a magic is Rust" in error and "%%source" in error
    assert "put %%sql" in kernel.fails("SELECT 1")
    error = kernel.fails("%%source e --watermark ts 10 minutes --format json\nts TIMESTAMP")
    assert 'put it in quotes: --watermark "ts 10 minutes"' in error


def test_completion_knows_sql_and_formats(kernel: Client):
    kernel.ok(SOURCE)

    def completed(code: str) -> list[str]:
        return kernel.request("complete_request", {"code": code, "cursor_pos": len(code)})["content"]["matches"]

    assert completed("%%sql\nSELECT * FROM ") == ["clicks"]
    assert "from_json(" in eventually(lambda: completed("%%sql\nSELECT from_js"))
    assert completed("%%sql\nSELECT c.us") == [] and completed("%%stream q\nSELECT clicks.us") == ["user"]
    assert completed("%%source x --format csv --option head") == ["header="]
    assert completed("%%feed cl") == ["clicks"]
    inspected = kernel.request("inspect_request", {"code": "%%sql\nSELECT date_trunc", "cursor_pos": 15, "detail_level": 0})
    assert "date_trunc" in inspected["content"]["data"]["text/plain"]


def test_the_course_is_copied_and_work_is_kept(tidebook: Path, tmp_path: Path):
    folder = tmp_path / "mine"

    def copy() -> str:
        return subprocess.run([tidebook, "course", folder], check=True, capture_output=True, text=True).stdout

    assert str(folder) in copy()
    [first, *_] = sorted(folder.glob("*.ipynb"))
    first.write_text("my work")
    said = copy()
    assert first.read_text() == "my work" and first.name in said, said
    hours = sorted((folder / "data" / "departures").glob("*.json"))
    times = [hour.stat().st_mtime for hour in hours]
    assert len(hours) > 30 and times == sorted(times)
