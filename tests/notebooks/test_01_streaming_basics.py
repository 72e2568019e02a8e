"""Lesson 1: what its queries write is what plain Python finds in the files."""

import re
from collections import Counter

import departures
import pytest
from lessons import printed, tables
from tables import number, table

NAME = "01-streaming-basics.ipynb"
FILES_PER_BATCH = 8


@pytest.fixture(scope="module")
def cells(executed):
    return executed(NAME)


@pytest.fixture(scope="module")
def files(folder):
    return departures.read(folder / "data" / "departures")


@pytest.fixture(scope="module")
def batches(files):
    starts = range(0, len(files), FILES_PER_BATCH)
    return [[flight for file in files[start : start + FILES_PER_BATCH] for flight in file] for start in starts]


def very_late(flights):
    return [flight for flight in flights if flight["delay"] > 180]


def test_the_console_prints_each_batch_with_its_rows(cells, batches):
    shown = console(cells["console"])
    assert [sorted(row[1:5] for row in rows) for rows in shown] == [
        sorted([f["origin"], str(f["flight"]), f["dest"], str(f["delay"])] for f in very_late(batch)) for batch in batches
    ]


def test_the_files_hold_the_same_rows(cells, files):
    late = [flight for file in files for flight in very_late(file)]
    counts = Counter(flight["origin"] for flight in late)
    assert {row["origin"]: int(row["very_late"]) for row in table(cells["parquet-read"])} == counts
    assert f"{len(late)} rows" in cells["parquet-after"].source


def test_the_counts_are_those_of_the_files(cells, files):
    counts = Counter(flight["origin"] for file in files for flight in file)
    assert {row["origin"]: number(row["departures"]) for row in table(cells["count-table"])} == counts
    for row in table(cells["same"]):
        assert number(row["by_batch"]) == number(row["by_stream"]) == counts[row["origin"]]


def test_the_query_that_goes_on_has_read_everything_and_is_stopped(cells, files):
    assert "Waiting" in cells["status"].outputs[0].data["text/plain"]
    batches, *_ = tables(cells["progress"])
    head, *rows = batches
    reads = [number(row[head.index("numInputRows")]) for row in rows]
    assert reads == [sum(map(len, files[start : start + FILES_PER_BATCH])) for start in range(0, len(files), FILES_PER_BATCH)]
    [queries] = tables(cells["queries"])
    assert "stopped" in " ".join(next(row for row in queries if "per_carrier" in row))


def console(cell):
    """The rows of each batch that a console sink has printed."""
    found = []
    for batch in re.split(r"-{20,}\s*Batch: \d+\s*-{20,}", printed(cell) or text_of(cell))[1:]:
        lines = [line for line in batch.splitlines() if line.startswith("|")]
        found.append([[""] + [value.strip() for value in line.strip("|").split("|")] for line in lines[1:]])
    return found


def text_of(cell):
    return "\n".join(output.data.get("text/plain", "") for output in cell.outputs if "data" in output)
