"""Lesson 8: what the broken file does, what recovery reads, and how much state is held."""

import json
import re
from datetime import timedelta

import pytest
import shop
from lessons import outputs, read, shown
from tables import number, table

NAME = "08-monitoring.ipynb"


@pytest.fixture(scope="module")
def cells(executed):
    return executed(NAME)


@pytest.fixture(scope="module")
def files(folder):
    return shop.read(folder / "data" / "clicks")


def test_the_broken_line_is_named(cells):
    [error] = outputs(cells["broken-query"], "error")
    assert error.ename == "StreamingQueryException"
    assert "2026-03-02T12-05.json', line 2" in error.evalue


def test_what_was_written_before_stays_and_the_rest_comes_once(cells, folder):
    lines = [file.read_text().splitlines() for file in sorted((folder / "data" / "broken").glob("*.json"))]
    readable = [amount(line) for file in lines for line in file]
    [before], [after] = table(cells["booked-so-far"]), table(cells["booked-all"])
    assert number(before["payments"]) == len(lines[0])
    assert number(before["amount"]) == sum(map(amount, lines[0]))
    assert number(after["payments"]) == len(readable)
    assert number(after["readable"]) == sum(value is not None for value in readable)
    assert number(after["amount"]) == sum(value or 0 for value in readable)
    assert progress(cells["mended-progress"])[0]["batchId"] == 1


def test_recovery_reads_what_is_left(cells, files):
    rows = sum(map(len, files))
    [row] = table(cells["archive-count"])
    assert number(row["rows"]) == rows
    assert f"{rows - sum(map(len, files[:4])):,}" in shown(cells["second-half"])
    assert "session:" in cells["second-half"].source


def test_why_names_the_windows_that_are_open_and_what_closes_them(cells, files):
    length, delay = timedelta(minutes=10), timedelta(minutes=10)
    latest = max(shop.ts(row) for file in files for row in file)
    starts = shop.counts([row for file in files for row in file], length)
    still_open = sorted(start for start, in starts if start + length > latest - delay)
    answer = shown(cells["why"])
    assert f"{len(still_open)} windows are still open" in answer
    assert f"next closes when an event at or after {still_open[0] + length + delay} arrives" in answer
    assert f"the watermark is {latest - delay}" in answer and f"All {len(files)} files to read" in answer
    assert "windows are open" in cells["why-after"].source


def test_what_the_lesson_says_of_time_is_true_of_its_committed_outputs(files):
    """Of a fresh run it need not be: the machine may be busy."""
    committed = {cell.id: cell for cell in read(NAME).cells}
    interval = int(re.search(r'--trigger "(\d+) milliseconds"', committed["slow"].source)[1])
    assert f"far below {interval}" in committed["slow-after"].source
    assert max(report["batchDuration"] for report in progress(committed["slow-progress"])) < interval / 4
    assert max(report["batchDuration"] for report in progress(committed["more-progress"])) < interval
    assert [report["batchId"] for report in progress(committed["more-progress"])] == [0, 1, 2]
    assert "raised" in shown(committed["alert-late"]) and "raised" not in shown(committed["alert-lag"])
    dropped = sum(report["stateOperators"][0]["numRowsDroppedByWatermark"] for report in progress(committed["progress"]))
    assert dropped > 0


def test_state_with_and_without_a_watermark(cells, files):
    minute = timedelta(minutes=1)
    grown = shop.counts([row for file in files for row in file], minute, None, "user_id")
    held = [progress(cells[id])[-1]["stateOperators"][0]["numRowsTotal"] for id in ("grows-progress", "bounded-progress")]
    assert held[0] == len(grown) > 10 * held[1]
    for number_held in held:
        assert f"{number_held:,}" in cells["memory-after"].source


def amount(line):
    try:
        return json.loads(line)["amount"]
    except json.JSONDecodeError:
        return None


def progress(cell):
    found = json.loads(cell.outputs[-1].data["text/plain"])
    return found if isinstance(found, list) else [found]
