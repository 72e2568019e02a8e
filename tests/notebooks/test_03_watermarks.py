"""Lesson 3: what is late, open and written, against a watermark followed by the book in plain Python."""

import base64
import json
import re
from datetime import datetime, timedelta

import departures
import pytest
from lessons import read, shown
from tables import number, table

NAME = "03-watermarks.ipynb"


@pytest.fixture(scope="module")
def cells(executed):
    return executed(NAME)


@pytest.fixture(scope="module")
def files(folder):
    return departures.read(folder / "data" / "departures")


@pytest.fixture(scope="module")
def both(folder, files):
    return files + departures.read(folder / "data" / "next-morning")


@pytest.fixture(scope="module")
def append(files):
    return departures.append_counts(files, timedelta(hours=2))


def test_the_steps_write_what_the_watermark_has_closed(cells):
    written = lambda name: [(row["starts"], row["ends"], int(row["n"])) for row in table(cells[name])]
    assert written("table-2") == [("12:00", "12:05", 2)]
    assert written("table-4") == [("12:00", "12:05", 2), ("12:05", "12:10", 2)]


def test_why_names_the_event_that_closes_the_next_window(cells):
    fed = [[json.loads(line)["ts"] for line in cells[f"feed-{step}"].source.splitlines()[1:]] for step in range(1, 5)]
    delay, length = timedelta(minutes=10), timedelta(minutes=5)
    assert '--watermark "ts 10 minutes"' in cells["feed-source"].source and "'5 minutes'" in cells["feed-query"].source
    late, still_open, watermark = by_the_book(fed, delay, length)
    closes = min(still_open) + length
    answer = shown(cells["why-4"])
    assert f"next closes when an event at or after {closes + delay} arrives" in answer
    assert f"next to close: {min(still_open)} – {closes}" in answer and f"the watermark is {watermark}" in answer
    assert f"{len(still_open)} windows are still open" in answer
    [dropped] = late
    assert f"window.start = {dropped} ended at {dropped + length}" in answer
    for name in ("03-watermarks.ipynb", "zh-TW/03-watermarks.ipynb"):
        prose = {cell.id: cell.source for cell in read(name).cells}
        assert f"{min(still_open):%H:%M}" in prose["why-note"], "the window that is asked about"
        for time in (closes + delay, closes):
            assert f"{time:%H:%M}" in prose["why-after"], name


def by_the_book(fed, delay, length):
    """Windows that a row came too late for, windows that are open, and the watermark, after the last row."""
    late, still_open, latest, watermark = set(), set(), datetime.min + delay, datetime.min
    for texts in fed:
        times = [datetime.fromisoformat(text) for text in texts]
        starts = {time - (time - departures.LONG_AGO) % length for time in times}
        late |= {start for start in starts if start + length <= watermark}
        latest = max([latest, *times])
        watermark = max(watermark, latest - delay)
        still_open = {start for start in still_open | starts - late if start + length > watermark}
    return late, still_open, watermark


def test_append_writes_what_is_closed_and_drops_what_is_late(cells, files, append):
    in_the_files = sum(departures.batch_counts(files).values())
    written, late, still_open = (sum(part.values()) for part in (append.written, append.late, append.open))
    assert table(cells["totals"]) == [{"in_the_files": str(in_the_files), "counted": str(written)}]
    assert f"{in_the_files - written} flights are missing" in cells["which-note"].source
    for said in (f"**Still open: {still_open} flights.**", f"**Too late: {late} flights.**", "last seven rows", "other ten rows"):
        assert said in cells["missing-after"].source
    assert len(append.open) == 7 and len(append.late) == 10 and set(append.late.values()) == {1, 2}


def test_the_rows_that_differ_are_the_late_and_the_open_ones(cells, files, append):
    expected = {
        key: (count, append.written.get(key))
        for key, count in departures.batch_counts(files).items()
        if append.written.get(key) != count
    }
    assert set(expected) == set(append.late) | set(append.open)
    shown = {
        (time(row["starts"]), row["origin"]): (number(row["in_the_files"]), optional(row["counted"]))
        for row in table(cells["missing"])
    }
    assert shown == expected


def test_the_next_morning_closes_what_was_open(cells, files, both):
    closed = departures.append_counts(both, timedelta(hours=2))
    flights = sum(map(len, files))
    [row] = table(cells["closed-missing"])
    assert number(row["counted"]) == sum(closed.written.values()) == flights - number(row["too_late"])
    assert number(row["too_late"]) == sum(closed.late.values())


def test_a_shorter_delay_loses_more_flights_of_closed_hours(cells, both):
    delays = {"30 minutes": timedelta(minutes=30), "2 hours": timedelta(hours=2), "3 hours": timedelta(hours=3)}
    late = {name: sum(departures.append_counts(both, delay).late.values()) for name, delay in delays.items()}
    assert {row["delay"]: number(row["too_late"]) for row in table(cells["delays-compared"])} == late
    assert late["30 minutes"] > late["2 hours"] > late["3 hours"]


def test_the_chart_is_the_first_output_of_its_cell(cells):
    [chart] = cells["per-hour-chart"].outputs
    assert chart.output_type == "display_data"
    assert {"image/svg+xml", "image/png", "text/plain"} <= set(chart.data)
    assert base64.b64decode(chart.data["image/png"]).startswith(b"\x89PNG")
    for label in ("EWR", "JFK", "LGA", "departures"):
        assert label in chart.data["image/svg+xml"]


def time(text):
    return datetime.fromisoformat(re.sub(r"Z$|\+00:00$", "", text))


def optional(text):
    return None if text.upper() in ("NULL", "") else number(text)
