"""Lesson 5: how many micro-batches each trigger made of the same files, and that the answer is the same."""

import json
import re
from collections import Counter

import pytest
import shop
from lessons import read, shown
from tables import number, table

NAME = "05-triggers.ipynb"
LANGUAGES = (NAME, f"zh-TW/{NAME}")


@pytest.fixture(scope="module")
def cells(executed):
    return executed(NAME)


@pytest.fixture(scope="module")
def files(folder):
    return shop.read(folder / "data" / "clicks")


@pytest.mark.parametrize(("id", "batches"), [("default-progress", 30), ("interval-progress", 30), ("available-await", 30), ("once-await", 1)])
def test_the_number_of_micro_batches(cells, files, id, batches):
    assert len(files) == 30
    reports = progress(cells[id])
    with_rows = [report for report in reports if report["numInputRows"]]
    assert with_rows[-1]["batchId"] == batches - 1
    assert with_rows[-1]["numInputRows"] == (len(files[-1]) if batches > 1 else sum(map(len, files)))


def test_the_answer_is_the_same(cells, files):
    counts = Counter(row["category"] for file in files for row in file)
    names = ("at_once", "five_a_second", "one_batch", "now")
    assert {row["category"]: {number(row[name]) for name in names} for row in table(cells["compare"])} == {
        category: {count} for category, count in counts.items()
    }


def test_the_manual_clock_lets_one_micro_batch_take_both_rows(cells):
    text = shown(cells["clock-query"])
    assert text.count("Batch: 0") >= 1 and "Batch: 1" not in text
    for row in ("came at 12:00:03", "came at 12:00:07", "2026-03-02 12:00:10"):
        assert row[:16] in text, text


def test_rows_of_a_continuous_query_are_there_at_once(cells):
    assert table(cells["continuous-table"]) == [{"id": "a", "button": "BUY"}, {"id": "b", "button": "LIKE"}]
    (refusal,) = cells["continuous-refused"].outputs
    assert "Aggregate" in refusal.evalue and "--trigger real-time" in refusal.traceback[-1]


def test_rows_of_a_real_time_query_are_there_before_its_batch_is_over(cells):
    assert table(cells["real-time-table"]) == [{"choice": "tea", "n": "1"}, {"choice": "tea", "n": "2"}]
    assert "finished no batch yet" in shown(cells["real-time-progress"])


def test_the_interval_takes_the_seconds_that_are_told(cells, files):
    milliseconds = int(re.search(r'--trigger "(\d+) milliseconds"', cells["interval"].source)[1])
    for name in LANGUAGES:
        told = prose(name)["interval-after"]
        assert re.search(rf"{len(files)} ", told) and re.search(rf"{len(files) * milliseconds // 1000} (?:seconds|秒)", told), name


def test_the_first_batch_of_a_continuous_query_has_the_rows_that_were_fed(cells):
    fed = [json.loads(line) for line in cells["continuous-feed"].source.splitlines()[1:]]
    [report] = progress(cells["continuous-stop"])
    assert (report["batchId"], report["numInputRows"], report["sink"]["numOutputRows"]) == (0, len(fed), len(fed))
    assert f"{len(fed)} rows added" in shown(cells["continuous-feed"])
    for cell in ("continuous-feed", "real-time-feed-1", "real-time-feed-2"):
        assert "has taken them; its batch goes on" in shown(cells[cell])


def test_each_vote_brings_the_count_that_is_told(cells):
    votes = [cells[cell].source.splitlines()[1:] for cell in ("real-time-feed-1", "real-time-feed-2")]
    counts = [len(votes[0]), len(votes[0]) + len(votes[1])]
    assert [number(row["n"]) for row in table(cells["real-time-table"])] == counts
    for name, told in zip(LANGUAGES, ("first {}, then {}", "先是 {}，再是 {}"), strict=True):
        assert told.format(*counts) in prose(name)["real-time-after"]


def prose(name):
    return {cell.id: cell.source for cell in read(name).cells}


def progress(cell):
    """The reports of a cell that shows progress, oldest first."""
    texts = [output.data["text/plain"] for output in cell.outputs if "data" in output]
    found = json.loads(texts[-1])
    return found if isinstance(found, list) else [found]
