"""Lesson 7: totals, deduplication, the join and the state they keep, against plain Python."""

import re
from collections import Counter
from datetime import timedelta

import pytest
import shop
from lessons import printed
from tables import number, table

NAME = "07-state.ipynb"


@pytest.fixture(scope="module")
def cells(executed):
    return executed(NAME)


@pytest.fixture(scope="module")
def files(folder):
    return shop.read(folder / "data" / "clicks")


@pytest.fixture(scope="module")
def clicks(files):
    return [row for file in files for row in file]


@pytest.fixture(scope="module")
def payments(folder):
    return shop.rows(folder / "data" / "payments")


def test_totals(cells, payments):
    amounts, numbers = Counter(), Counter(row["user_id"] for row in payments)
    for row in payments:
        amounts[row["user_id"]] += row["amount"]
    shown = [(row["user_id"], number(row["payments"]), number(row["total_amount"])) for row in table(cells["totals-top"])]
    assert shown == [(user, numbers[user], amount) for user, amount in amounts.most_common(5)]
    assert f"`numRowsTotal` is {len(amounts)}" in cells["totals-after"].source


def test_clicks_that_were_sent_twice(cells, clicks):
    different = len({row["event_id"] for row in clicks})
    [row] = table(cells["twice-count"])
    assert (number(row["rows"]), number(row["clicks"])) == (len(clicks), different)
    assert f"all {different:,} clicks" in cells["endless-after"].source


def test_how_the_state_of_distinct_rises_and_falls(cells, files):
    sizes = shop.distinct_state(files, timedelta(minutes=10))
    assert f"at most {max(sizes)} clicks, and {sizes[-1]} at the end" in cells["bounded-after"].source


def test_each_payment_is_joined_with_each_copy_of_its_click(cells, clicks, payments):
    copies = Counter(row["event_id"] for row in clicks)
    [row] = table(cells["join-count"])
    assert number(row["rows"]) == sum(copies[row["event_id"]] for row in payments)
    assert number(row["amount"]) == sum(copies[row["event_id"]] * row["amount"] for row in payments)


def test_the_first_copy_of_a_click_comes_through(cells):
    text = printed(cells["dedup-rust-cell"])
    assert re.search(r"clicks: \d+", text) and "state: [" in text

