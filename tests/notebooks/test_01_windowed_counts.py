"""Notebook 01, executed from top to bottom: its outputs are final, and its counts are right."""

import base64
import re
from datetime import datetime, timedelta

import departures
import nbformat
import pytest
from tables import number, table

NAME = "01-windowed-counts.ipynb"
CHART = "%chart per_hour --x hour --y departures --by origin"
ALL_ROWS = "%%sql --max-rows 1000\nSELECT hour.start AS starts, hour.end AS ends, origin, departures FROM {}"


@pytest.fixture(scope="module")
def files(folder):
    return departures.read(folder / "data" / "departures")


@pytest.fixture(scope="module")
def append(files):
    return departures.append_counts(files, timedelta(hours=2))


@pytest.fixture(scope="module")
def cells(execute):
    """The executed cells, with a few more that show all there is to compare."""
    return execute(
        NAME,
        added={
            "result": ("all-appended", ALL_ROWS.format("per_hour")),
            "missing": ("chart-again", CHART),
            "complete": ("all-complete", ALL_ROWS.format("per_hour_complete")),
        },
    )


def test_it_is_committed_without_outputs(root):
    notebook = nbformat.read(root / "notebooks" / NAME, as_version=4)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells if cell.cell_type == "code" and (cell.outputs or cell.execution_count)] == []
    assert notebook.metadata.kernelspec.name == "tidebook"


def test_append_writes_each_closed_hour_once_and_drops_what_is_late(cells, append):
    assert counts(cells["all-appended"]) == append.written


def test_complete_gives_the_counts_of_a_batch_query(cells, files):
    assert counts(cells["all-complete"]) == departures.batch_counts(files)


def test_the_lesson_shows_the_totals_it_talks_about(cells, files, append):
    in_the_files = sum(departures.batch_counts(files).values())
    written, late, still_open = (sum(part.values()) for part in (append.written, append.late, append.open))
    assert table(cells["totals"]) == [{"in_the_files": str(in_the_files), "counted": str(written)}]
    prose = " ".join(cell.source for cell in cells.values() if cell.cell_type == "markdown")
    for said in (
        f"{in_the_files:,} real departures",
        f"{len(files)} files",
        f"{in_the_files - written} flights are missing",
        f"**Too late ({late} flights).**",
        f"**Still open ({still_open} flights).**",
        "last seven rows" if len(append.open) == 7 else "",
        f"{sum(departures.append_counts(files, timedelta(hours=3)).late.values())} flights are lost instead of {late}",
    ):
        assert said and said in prose


def test_the_rows_that_differ_are_the_late_and_the_open_ones(cells, files, append):
    expected = {
        key: (count, append.written.get(key))
        for key, count in departures.batch_counts(files).items()
        if append.written.get(key) != count
    }
    assert len(append.late) == 10 and set(append.late.values()) == {1, 2}
    assert set(expected) == set(append.late) | set(append.open)
    shown = {
        (time(row["starts"]), row["origin"]): (number(row["in_the_files"]), optional(row["counted"]))
        for row in table(cells["missing"])
    }
    assert shown == expected


def test_stream_and_batch_are_said_to_be_equal(cells, files):
    batch = departures.batch_counts(files)
    [row] = table(cells["equal"])
    assert {name: number(value) for name, value in row.items()} == {
        "rows_from_the_files": len(batch),
        "rows_from_the_stream": len(batch),
        "the_same": len(batch),
        "flights": sum(batch.values()),
    }


def test_the_chart_is_the_first_output_of_its_cell_and_final(cells):
    [chart] = cells["chart"].outputs
    assert chart.output_type == "display_data"
    assert {"image/svg+xml", "image/png", "text/plain"} <= set(chart.data)
    assert base64.b64decode(chart.data["image/png"]).startswith(b"\x89PNG")
    svg = chart.data["image/svg+xml"]
    assert svg == cells["chart-again"].outputs[0].data["image/svg+xml"]
    for label in ("EWR", "JFK", "LGA", "departures"):
        assert label in svg


def test_the_card_is_final(cells):
    card = cells["query"].outputs[0]
    assert card.output_type == "display_data"
    text = card.data["text/plain"]
    assert "per_hour" in text
    complete = cells["complete"].outputs[0].data["text/plain"]
    assert "per_hour_complete" in complete


def test_no_cell_fails_or_warns(cells):
    for cell in cells.values():
        for output in cell.get("outputs", []):
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", f"{cell.id}: {output.text}"


def counts(cell):
    rows = table(cell)
    found = {(time(row["starts"]), row["origin"]): number(row["departures"]) for row in rows}
    assert len(found) == len(rows), "an hour and airport appears twice"
    assert all(time(row["ends"]) - time(row["starts"]) == departures.HOUR for row in rows)
    return found


def time(text):
    return datetime.fromisoformat(re.sub(r"Z$|\+00:00$", "", text))


def optional(text):
    return None if text.upper() in ("NULL", "") else number(text)
