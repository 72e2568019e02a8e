"""Lesson 7: totals, deduplication, the join and the state they keep, against plain Python."""

import re
from collections import Counter
from datetime import timedelta

import pytest
import shop
from lessons import printed, read, shown
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


def test_the_rows_of_the_state_are_those_that_are_told(cells, folder):
    files = shop.read(folder / "data" / "payments")
    user = re.search(r"--key user_id=(\w+)", cells["totals-state"].source)[1]
    assert user == table(cells["totals-top"])[0]["user_id"], "the customer at the top"
    batch = int(re.search(r"--at-batch (\d+)", cells["totals-state-before"].source)[1])
    at_the_end, before = of_customer(files, user), of_customer(files[: batch + 1], user)
    for cell, (customers, payments, amount) in (("totals-state", at_the_end), ("totals-state-before", before)):
        [row] = table(cells[cell])
        assert (number(row["value.count"]), number(row["value.sum"])) == (payments, amount)
        assert f"1 of {customers} rows" in shown(cells[cell])
    told = {"07-state.ipynb": "{1} and {2}", "zh-TW/07-state.ipynb": "{1} 與 {2}"}
    for name, pair in told.items():
        prose = {cell.id: cell.source for cell in read(name).cells}["totals-state-after"]
        assert pair.format(*at_the_end) in prose and pair.format(*before) in prose
        assert re.search(rf"{batch}\D.*{before[0]} (?:rows|列)", prose), name


def of_customer(files, user):
    """How many customers have paid, how often this one, and how much."""
    payments = [row for file in files for row in file]
    own = [row["amount"] for row in payments if row["user_id"] == user]
    return len({row["user_id"] for row in payments}), len(own), sum(own)


def test_three_clicks_in_a_row_are_an_offer(cells, files):
    offers, last = Counter(), {}
    for row in (row for file in files for row in file):
        category, in_a_row = last.get(row["user_id"], ("", 0))
        in_a_row = in_a_row + 1 if row["category"] == category else 1
        last[row["user_id"]] = row["category"], in_a_row
        offers[row["category"]] += in_a_row == 3
    assert {row["category"]: number(row["offers"]) for row in table(cells["own-table"])} == offers


def test_the_first_copy_of_a_click_comes_through_and_its_state_is_that_of_distinct(cells, files):
    text = printed(cells["dedup-rust-cell"])
    delay = timedelta(minutes=10)
    assert f"state: {shop.distinct_state(files, delay)[: len(files)]}" in text
    assert f"clicks: {shop.first_copies(files, delay)}\n" in text
