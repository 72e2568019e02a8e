"""What a batch run (nbclient, nbconvert) keeps: the final state of every card and chart, red cells
for everything that failed, nothing of what came between two cells."""

import json
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import nbclient
import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

from client import eventually

COUNTS = "SELECT k, count(*) AS n, sum(v) AS total FROM events GROUP BY k"
ROWS = [{"k": "a", "v": 1}, {"k": "b", "v": 2}, {"k": "a", "v": 3}]


class Notebook:
    """A notebook that grows cell by cell in one batch run."""

    def __init__(self, client: nbclient.NotebookClient):
        self.client = client

    def run(self, code: str) -> nbformat.NotebookNode:
        cells = self.client.nb.cells
        cells.append(new_code_cell(code))
        return self.client.execute_cell(cells[-1], len(cells) - 1)

    def fails(self, code: str) -> str:
        with pytest.raises(CellExecutionError) as error:
            self.run(code)
        assert [o.output_type for o in self.outputs(-1)].count("error") == 1
        return str(error.value)

    def outputs(self, cell: int) -> list[nbformat.NotebookNode]:
        return self.client.nb.cells[cell].outputs

    def shown(self, cell: int, mime: str = "text/plain") -> str:
        """What the first output of a cell shows now."""
        first = self.outputs(cell)[0]
        assert first.output_type == "display_data", first
        return first.data[mime]


@contextmanager
def batch_run(folder: Path, **options):
    client = nbclient.NotebookClient(
        new_notebook(), kernel_name="tidebook", resources={"metadata": {"path": str(folder)}},
        **options,
    )
    with client.setup_kernel():
        yield Notebook(client)


@pytest.fixture
def notebook(tmp_path):
    with batch_run(tmp_path) as notebook:
        yield notebook


def rows_of(notebook: Notebook, query: str) -> list[list[str]]:
    """The rows of a query, without the heading."""
    text = notebook.run(f"%%sql\n{query}").outputs[0].data["text/plain"]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return rows


def figure(card: str, label: str) -> str:
    """What a card says under a label."""
    [value] = re.findall(rf"^  {re.escape(label)} +(.+)$", card, re.MULTILINE)
    return value


def test_updates_during_a_later_cell_reach_the_first(notebook, events):
    events.arrive(*ROWS)
    notebook.run(events.source())
    notebook.run(f"%%stream counts --mode complete\n{COUNTS}")
    notebook.run("%process counts")
    assert figure(notebook.shown(1), "rows in") == "3"
    events.arrive(*ROWS, *ROWS)
    notebook.run("%process counts")
    assert figure(notebook.shown(1), "rows in") == "9", "the card of cell 2 follows the query"


def test_what_changed_between_cells_is_shown_by_the_next(notebook, events):
    events.arrive(*ROWS)
    notebook.run(events.source())
    notebook.run(f"%%stream counts --mode complete\n{COUNTS}")
    notebook.run("%process counts")
    chart = notebook.run("%chart counts --x k --y n")
    before = chart.outputs[0].data["image/svg+xml"]
    events.arrive({"k": "c", "v": 4})

    def changed():
        # Any cell will do: it flushes what has changed since.
        notebook.run("%echo")
        return chart.outputs[0].data["image/svg+xml"] != before

    eventually(changed)


def test_a_cell_that_waits_ends_with_the_final_card(notebook, events):
    events.arrive(*ROWS)
    events.arrive(*ROWS)
    notebook.run(events.source("--max-files-per-trigger", "1"))
    notebook.run(f"%%stream counts --mode complete --until available-now\n{COUNTS}")
    card = notebook.shown(1)
    assert card.splitlines()[0] == "counts ✔ finished"
    assert figure(card, "rows in") == "6"
    assert rows_of(notebook, "SELECT * FROM counts ORDER BY k") == [["a", "4", "8"], ["b", "2", "4"]]


def test_a_chart_waits_for_a_query_that_is_due_to_end(notebook, events):
    for _ in range(20):
        events.arrive(*ROWS)
    notebook.run(events.source("--max-files-per-trigger", "1"))
    notebook.run(f"%%stream counts --mode complete --trigger available-now\n{COUNTS}")
    chart = notebook.run("%chart counts --x k --y n")
    final = chart.outputs[0].data["image/svg+xml"]
    assert set(chart.outputs[0].data) == {"image/svg+xml", "image/png", "text/plain"}
    notebook.run("%await counts")
    assert chart.outputs[0].data["image/svg+xml"] == final


def test_a_query_that_runs_on_is_pointed_out(notebook, events):
    notebook.run(events.source())
    cell = notebook.run(f"%%stream counts --mode complete\n{COUNTS}")
    assert cell.outputs[0].output_type == "display_data"
    assert "%stop counts" in cell.outputs[1].text


def test_the_card_comes_before_what_the_query_prints(tmp_path, events):
    # With streams before a display that is updated later, nbclient would lose count here.
    events.arrive(*ROWS)
    with batch_run(tmp_path, coalesce_streams=True) as notebook:
        notebook.run(events.source())
        cell = notebook.run(
            "%%stream seen --sink console --until available-now\nSELECT * FROM events"
        )
        card, console = cell.outputs
        assert card.output_type == console.output_type == "display_data"
        assert "seen" in card.data["text/plain"] and "Batch: 0" in console.data["text/plain"]


def test_until_rows_and_batches_end_the_query(notebook, events):
    for _ in range(30):
        events.arrive(*ROWS)
    notebook.run(events.source("--max-files-per-trigger", "1"))
    notebook.run("%%stream some --until rows=6\nSELECT * FROM events")
    assert rows_of(notebook, "SELECT count(*) AS n FROM some") == [["6"]]
    notebook.run("%%stream three --until batches=3\nSELECT * FROM events")
    assert rows_of(notebook, "SELECT count(*) AS n FROM three") == [["9"]]
    stopped = notebook.run("%stop three")
    assert "already ended" in stopped.outputs[0].text


def test_a_query_that_dies_turns_a_cell_red_once(notebook, events):
    events.arrive(*ROWS)
    notebook.run(events.source("--option", "mode=FAILFAST"))
    notebook.run("%%stream all\nSELECT * FROM events")
    notebook.run("%process all")
    events.arrive("this is not json")

    def red():
        try:
            notebook.run("%echo fine")
        except CellExecutionError as error:
            return error

    error = eventually(red)
    assert error.ename == "StreamingQueryException"
    notebook.run("%echo fine again")
    assert notebook.fails("%await all").find("StreamingQueryException") >= 0
    status = notebook.run("%status all").outputs
    assert any("StreamingQueryException" in o.get("text", "") for o in status)


def test_the_waiting_cell_fails_with_its_query(notebook, events):
    events.arrive("this is not json")
    notebook.run(events.source("--option", "mode=FAILFAST"))
    error = notebook.fails("%%stream all --until available-now\nSELECT * FROM events")
    assert "StreamingQueryException" in error
    assert notebook.outputs(-1)[0].output_type == "display_data", "the card stays"
    notebook.run("%echo fine")


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        ("%%stream c --modde update\nSELECT 1", "UsageError", "--mode update"),
        ("%%stream c --sink memry\nSELECT 1", "AnalysisException", "--sink memory"),
        ("%%stream c --sink kafka:t\nSELECT 1", "AnalysisException", "kafka"),
        ("%%stream c --trigger continuous\nSELECT * FROM events", "AnalysisException", "continuous"),
        ("%%source x --format jsn --path .\na INT", "AnalysisException", "json"),
        ("%%source x --path . --option mod=FAILFAST\na INT", "Exception", "mode"),
        ("%%source x --path /no/such/folder\na INT", "AnalysisException", "/no/such/folder"),
        ("%%source x --path .\na INTT", "AnalysisException", "INTT"),
        ("%%source x --path .\na INT b INT", "ParseException", "schema"),
        ("%%sql\nSELECT nothing FROM events", "AnalysisException", "nothing"),
        ("%%sql\nSELECT FROM WHERE", "ParseException", "line"),
        ("%%sql\nSELECT * FROM events", "AnalysisException", "%%stream"),
        ("%%stream c\nSELECT nothing FROM events", "AnalysisException", "nothing"),
        (f"%%stream c --mode append\n{COUNTS}", "AnalysisException", "watermark"),
        ("%%stream c --mode complete\nSELECT * FROM events", "AnalysisException", "complete"),
        (f"%%stream c --mode complete --sink parquet:out\n{COUNTS}", "AnalysisException", "complete"),
        ("%status nobody", "IllegalArgumentException", "nobody"),
    ],
)
def test_bad_input_is_red_and_named(notebook, events, code, name, said):
    events.arrive(*ROWS)
    notebook.run(events.source())
    error = notebook.fails(code)
    assert name in error and said in error


def test_a_second_query_of_the_same_name_is_refused(notebook, events):
    notebook.run(events.source())
    notebook.run("%%stream all\nSELECT * FROM events")
    assert "all" in notebook.fails("%%stream all\nSELECT * FROM events")
    notebook.run("%stop all")
    notebook.run("%%stream all\nSELECT * FROM events")


def test_nbconvert_goes_red_and_green(tmp_path, events):
    events.arrive(*ROWS)

    def convert(*cells: str) -> subprocess.CompletedProcess:
        path = tmp_path / "nb.ipynb"
        metadata = {"kernelspec": {"name": "tidebook", "display_name": "Tidebook"}}
        nbformat.write(new_notebook(cells=[new_code_cell(c) for c in cells], metadata=metadata), path)
        command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--stdout"]
        return subprocess.run([*command, path], capture_output=True, text=True)

    green = convert(events.source(), "%%stream all --until available-now\nSELECT * FROM events")
    assert green.returncode == 0, green.stderr
    running = convert(events.source(), "%%stream all\nSELECT * FROM events", "%process all")
    assert running.returncode == 0 and "%await all" in running.stderr
    red = convert(events.source(), "%%stream all --mode complete\nSELECT * FROM events")
    assert red.returncode == 1 and "AnalysisException" in red.stderr


def test_a_checkpoint_that_cannot_be_used_is_red_and_named(notebook, events, tmp_path):
    events.arrive(*ROWS)
    notebook.run(events.source())
    file = tmp_path / "file"
    file.write_text("")
    error = notebook.fails(f"%%stream c --mode update --checkpoint {file}/below\n{COUNTS}")
    assert str(file) in error and "--checkpoint" in error
    used = tmp_path / "used"
    notebook.run(f"%%stream first --mode update --sink noop --checkpoint {used} --until available-now\n{COUNTS}")
    error = notebook.fails(f"%%stream second --sink noop --checkpoint {used} --until available-now\nSELECT * FROM events")
    assert "belongs to another query" in error and "--checkpoint" in error


def test_progress_has_sparks_fields_in_sparks_order(notebook, events):
    events.arrive({"k": "a", "v": 1, "ts": "2024-01-01 00:00:00"}, {"k": "a", "v": 2, "ts": "2024-01-01 00:01:00"})
    notebook.run(f"%%source timed --path {events.folder} --watermark \"ts 10 seconds\"\nk STRING, v BIGINT, ts TIMESTAMP")
    notebook.run("%%stream w --mode update --trigger once\n"
                 "SELECT window(ts, '10 seconds') AS w, count(*) AS n FROM timed GROUP BY window(ts, '10 seconds')")
    notebook.run("%await w")
    cell = notebook.run("%progress w")
    [text] = [output.data["text/plain"] for output in cell.outputs if "data" in output]
    progress = json.loads(text)
    assert list(progress) == [
        "id", "runId", "name", "timestamp", "batchId", "batchDuration", "numInputRows", "inputRowsPerSecond",
        "processedRowsPerSecond", "durationMs", "eventTime", "stateOperators", "sources", "sink",
    ]
    assert list(progress["durationMs"]) == [
        "addBatch", "commitOffsets", "getBatch", "latestOffset", "queryPlanning", "triggerExecution", "walCommit",
    ]
    assert list(progress["eventTime"]) == ["avg", "max", "min", "watermark"]
    assert list(progress["stateOperators"][0]) == [
        "operatorName", "numRowsTotal", "numRowsUpdated", "allUpdatesTimeMs", "numRowsRemoved", "allRemovalsTimeMs",
        "commitTimeMs", "memoryUsedBytes", "numRowsDroppedByWatermark", "numShufflePartitions", "numStateStoreInstances",
    ]
    assert list(progress["sources"][0]) == [
        "description", "startOffset", "endOffset", "latestOffset", "numInputRows", "inputRowsPerSecond",
        "processedRowsPerSecond",
    ]
    assert list(progress["sink"]) == ["description", "numOutputRows"]
