"""Triggers whose rows leave as they come, in cells: `--trigger "continuous 1 second"` and `--trigger real-time`."""

import json

import pytest

from client import Client, eventually
from test_lessons import plain, rows

SOURCE = "%%source clicks --format memory\nk STRING, v BIGINT"
FILTER = "SELECT k FROM clicks WHERE v > 1"
COUNTS = "SELECT k, count(*) AS n FROM clicks GROUP BY k"


def feed(*pairs: tuple[str, int]) -> str:
    lines = [f"{key},{value}" for key, value in pairs]
    return "\n".join(["%%feed clicks --format csv", "k,v", *lines])


@pytest.mark.parametrize(
    ("trigger", "mode", "query", "expected"),
    [
        ("continuous 1 second", "append", FILTER, [["b"], ["c"]]),
        ("real-time", "append", FILTER, [["b"], ["c"]]),
        ("real-time 1 hour", "complete", COUNTS, [["a", "1"], ["b", "1"], ["c", "1"]]),
    ],
)
def test_rows_are_there_at_once(kernel: Client, trigger: str, mode: str, query: str, expected: list):
    kernel.ok(SOURCE)
    card = plain(kernel.ok(f'%%stream out --mode {mode} --trigger "{trigger}"\n{query}'))
    assert "committed every" in card, card
    kernel.ok(feed(("a", 1), ("b", 2)))
    kernel.ok(feed(("c", 3)))
    kernel.ok("%process out")
    columns = "*" if query is FILTER else "k, n"
    assert rows(kernel, f"SELECT {columns} FROM out ORDER BY k") == expected
    if "hour" not in trigger:
        # Its batches end every second, whether there are rows or not.
        eventually(lambda: len(progress(kernel)) > 1)
    status = shown(kernel, "%status out")
    assert status["message"].startswith(("Committing epoch", "Processing new data", "Waiting for data to arrive")), status
    kernel.ok("%stop out")
    # What it had shown is committed when it is stopped.
    assert sum(batch["numInputRows"] for batch in progress(kernel)) == 3
    assert shown(kernel, "%status out")["message"] == "Stopped"


def shown(kernel: Client, code: str) -> dict | list:
    """What a cell shows first; a card that has changed may come behind it."""
    contents = kernel.ok(code).contents("display_data")
    return json.loads(contents[0]["data"]["text/plain"]) if contents else []


def progress(kernel: Client) -> list[dict]:
    """What the batches did that the query has finished."""
    batches = shown(kernel, "%progress out --recent 50")
    return batches if isinstance(batches, list) else [batches]


def test_what_cannot_be_is_red(kernel: Client):
    kernel.ok(SOURCE)
    error = kernel.fails(f'%%stream out --mode complete --trigger "continuous 1 second"\n{COUNTS}')
    assert "Continuous processing does not support Aggregate operations." in error
    assert "--trigger real-time" in error
    error = kernel.fails(f'%%stream out --trigger "real-time -1 second"\n{FILTER}')
    assert "the interval of trigger should not be negative" in error
    error = kernel.fails(f"%%stream out --trigger realtim\n{FILTER}")
    assert "--trigger real-time" in error
