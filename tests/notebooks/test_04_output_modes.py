"""Lesson 4: what each mode prints, batch by batch, against plain Python."""

import re
from datetime import timedelta

import pytest
import shop
from lessons import outputs

NAME = "04-output-modes.ipynb"
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture(scope="module")
def cells(executed):
    return executed(NAME)


@pytest.fixture(scope="module")
def batches(folder):
    files = shop.read(folder / "data" / "payments")
    return [sum(files[start : start + 9], []) for start in range(0, len(files), 9)]


def counts(rows):
    return {start: count for (start,), count in shop.counts(rows, HALF_HOUR).items()}


def test_complete_prints_all_of_it_every_time(cells, batches):
    seen = [counts(sum(batches[: number + 1], [])) for number in range(len(batches))]
    assert printed(cells["complete"]) == [sorted((f"{start:%H:%M}", count) for start, count in batch.items()) for batch in seen]


def test_update_prints_what_changed(cells, batches):
    expected = []
    for number, batch in enumerate(batches):
        so_far = counts(sum(batches[: number + 1], []))
        expected.append(sorted((f"{start:%H:%M}", so_far[start]) for start in counts(batch)))
    assert printed(cells["update"])[: len(batches)] == expected


def test_append_prints_each_half_hour_once_when_it_is_closed(cells, batches):
    open_, expected, watermark, latest = {}, [], shop.EPOCH, shop.EPOCH
    for batch in [*batches, []]:
        for start, count in counts(batch).items():
            open_[start] = open_.get(start, 0) + count
        closed = sorted(start for start in open_ if start + HALF_HOUR <= watermark)
        expected.append([(f"{start:%H:%M}", open_.pop(start)) for start in closed])
        latest = max([latest, *map(shop.ts, batch)])
        watermark = latest - timedelta(minutes=10)
    assert printed(cells["append"]) == expected
    assert [f"{start:%H:%M}" for start in open_] == ["13:00"]


@pytest.mark.parametrize("id", ["append-no-watermark", "complete-no-aggregation", "order-in-append", "update-to-files"])
def test_what_is_refused_says_why_and_what_to_do(cells, id):
    [error] = outputs(cells[id], "error")
    assert error.ename == "AnalysisException" or error.ename == "UsageError", error
    assert "hint" in "\n".join(error.traceback)


def printed(cell):
    """Half hour and count of each row of each batch that a console sink has printed."""
    found = []
    text = "\n".join(output.data["text/plain"] for output in outputs(cell, "display_data"))
    for batch in re.split(r"Batch: \d+", text)[1:]:
        rows = re.findall(r"\|\{\d+-\d+-\d+ (\d\d:\d\d):\d\d, [^}]*\}\s*\|(\d+)", batch)
        found.append(sorted((start, int(count)) for start, count in rows))
    return found
