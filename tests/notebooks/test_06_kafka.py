"""The Kafka lesson: what it says of its outputs is true, on the lesson's broker and on Apache Kafka's own."""

import json
import re
import sys
from collections import Counter

import nbformat
import pytest
from nbclient import NotebookClient

from tables import table


def clicks(cells, *names):
    """The messages that the notebook produces, by its own text."""
    lines = [line for name in names for line in cells[name].source.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def window(click):
    hour, minute = re.search(r" (\d+):(\d+)", click["ts"]).groups()
    return f"{hour}:{int(minute) // 5 * 5:02}"


def plain(cell):
    """All texts a cell has shown."""
    shown = [output for output in cell.outputs if output.output_type in ("display_data", "execute_result")]
    streams = [output.text for output in cell.outputs if output.output_type == "stream"]
    return "\n".join([*(output.data["text/plain"] for output in shown), *streams])


def check(cells):
    first = clicks(cells, "produce")
    more = clicks(cells, "produce", "more")
    assert f"{len(first)} messages to 'clicks'" in plain(cells["produce"])
    raw = table(cells["raw-rows"])
    assert Counter(row["value"] for row in raw) == Counter(json.dumps(click) for click in first)
    for user in {click["user"] for click in first}:
        assert len({row["partition"] for row in raw if row["key"] == user}) == 1, user
    chart = cells["chart"].outputs[0].data["text/plain"]
    assert "clicks per 5 min window, by page" in chart
    assert Counter(map(window, first))["12:00"] == 5
    # Update mode over one batch: each window and page once, with its count.
    written = [json.loads(row["value"]) for row in table(cells["written-rows"])]
    expected = Counter((window(click), click["page"]) for click in more)
    assert {(row["start"][11:16], row["page"]): row["clicks"] for row in written} == expected
    progress = json.loads(cells["progress"].outputs[0].data["text/plain"])
    progress = progress if isinstance(progress, list) else [progress]
    [read] = [batch for batch in progress if batch["numInputRows"] > 0]
    assert read["numInputRows"] == len(clicks(cells, "restart-produce"))
    start, end = (read["sources"][0][name]["clicks"] for name in ("startOffset", "endOffset"))
    assert sum(end.values()) - sum(start.values()) == read["numInputRows"]
    assert sum(start.values()) == len(more)


@pytest.fixture
def broker(root, tmp_path):
    """The address of Apache Kafka's own broker."""
    sys.path.insert(0, str(root / "tests" / "kafka-broker"))
    from real_broker import real_broker

    with real_broker(tmp_path / "kafka") as address:
        yield address


def test_the_lesson_runs_on_its_own_broker(executed):
    check(executed("06-kafka.ipynb"))


def test_the_lesson_runs_on_apache_kafka_by_one_changed_line(folder, broker):
    notebook = nbformat.read(folder / "06-kafka.ipynb", as_version=4)
    [chosen] = [cell for cell in notebook.cells if cell.id == "broker"]
    chosen.source = f"%kafka use {broker}"
    NotebookClient(
        notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": str(folder)}}
    ).execute()
    check({cell.id: cell for cell in notebook.cells})
