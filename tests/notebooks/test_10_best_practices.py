"""Lesson 10: how late flights are, how many files, and what a second run reads."""

import departures
import pytest
import shop
from lessons import shown
from tables import number, table

NAME = "10-best-practices.ipynb"


@pytest.fixture(scope="module")
def cells(executed):
    return executed(NAME)


@pytest.fixture(scope="module")
def files(folder):
    return shop.read(folder / "data" / "clicks")


def test_how_many_flights_are_later_than_a_delay(cells, folder):
    delays = [flight["delay"] for file in departures.read(folder / "data" / "departures") for flight in file]
    for row in table(cells["lateness"]):
        later = sum(delay > float(row["delay_of_watermark"]) for delay in delays)
        assert number(row["later_than_that"]) == later
        assert float(row["percent"]) == round(100 * later / len(delays), 1)


def test_how_many_files_were_written(cells, files):
    [row] = table(cells["count-files"])
    assert (number(row["files_of_many"]), number(row["files_of_few"])) == (len(files), 1)
    assert f"{len(files)} small files" in cells["two-after"].source


def test_what_the_second_run_reads(cells, files):
    assert f"{sum(map(len, files)):,}" in shown(cells["forgets-2"])
    assert f"{sum(map(len, files[15:])):,}" in shown(cells["remembers-2"])
    assert f"read {sum(map(len, files)):,} rows in all" in cells["four-after"].source


def test_the_alert_is_told(cells):
    assert "clicks > 130" in shown(cells["alert"])
