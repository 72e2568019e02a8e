"""Lesson 2: every window and every session, against plain Python."""

from datetime import datetime

import pytest
import shop
from shop import minutes
from tables import number, table

NAME = "02-windows.ipynb"


@pytest.fixture(scope="module")
def cells(executed):
    return executed(NAME)


@pytest.fixture(scope="module")
def clicks(folder):
    return shop.rows(folder / "data" / "clicks")


def test_tumbling_windows(cells, clicks):
    expected = {start: count for (start,), count in shop.counts(clicks, minutes(10)).items()}
    rows = table(cells["tumbling-table"])
    assert {time(row["start"]): number(row["clicks"]) for row in rows} == expected
    assert all(time(row["end"]) - time(row["start"]) == minutes(10) for row in rows)
    assert f"{len(expected)} windows" in cells["tumbling-after"].source


def test_one_row_in_several_windows(cells, clicks):
    [click] = [row for row in clicks if row["event_id"] == "c0600"]
    starts = shop.windows(shop.ts(click), minutes(30), minutes(10))
    assert [time(row["start"]) for row in table(cells["one-row"])] == sorted(starts)


def test_sums_of_windows(cells, clicks):
    [row] = table(cells["sums"])
    assert {name: number(value) for name, value in row.items()} == {
        "clicks": len(clicks),
        "in_tumbling_windows": len(clicks),
        "in_sliding_windows": sum(shop.counts(clicks, minutes(30), minutes(10)).values()),
    }


def test_sessions(cells, clicks):
    active = [row for row in clicks if row["status"] == "active"]
    sessions = shop.sessions(active, minutes(5), "user_id")
    ours = [(f"{start:%H:%M:%S}", f"{end:%H:%M:%S}", count) for user, start, end, count in sessions if user == "u00"]
    assert [(row["begins"], row["ends"], number(row["clicks"])) for row in table(cells["one-user-sessions"])] == ours
    [row] = table(cells["session-table"])
    counts = [count for *_, count in sessions]
    assert [number(row[name]) for name in ("visits", "of_one_click", "most_clicks")] == [len(counts), counts.count(1), max(counts)]


def time(text):
    return datetime.fromisoformat(text)
