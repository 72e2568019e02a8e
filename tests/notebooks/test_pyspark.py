"""PySpark beside SQL: the chapter's own code, executed."""

import os
import sys

from lessons import outputs, printed, tables

NAME = "pyspark.ipynb"

# The kernel of the tests has PySpark in the environment of the tests.
os.environ.setdefault("TIDEBOOK_PYTHON", sys.executable)


def cell(cells, text):
    """The one cell whose source has this text."""
    [found] = [cell for cell in cells.values() if text in cell.source and cell.cell_type == "code"]
    return found


def test_no_cell_fails_and_all_languages_see_the_same(executed):
    cells = executed(NAME)
    assert not [cell.id for cell in cells.values() if cell.cell_type == "code" and outputs(cell, "error")]
    [rows] = tables(cell(cells, "FROM counts"))
    assert [row[1:] for row in rows[-3:]] == [["3", "23.5"], ["1", "20.0"], ["1", "1.5"]]
    assert any("image/svg+xml" in output.data for output in outputs(cell(cells, "%chart"), "display_data"))


def test_functions_run_and_what_they_print_is_seen(executed):
    cells = executed(NAME)
    said = printed(cell(cells, "foreachBatch"))
    assert "batch 0 has 1 rows" in said
    [rows] = tables(cell(cells, "initials('ann')"))
    assert rows[-1] == ["A.", "B."]


def test_the_program_prints_what_spark_prints(executed, root):
    said = printed(cell(executed(NAME), "%run"))
    expected = (root / "tests" / "connect" / "streaming_basics.txt").read_text()
    assert [line for line in said.splitlines() if line] == [line for line in expected.splitlines() if line]


def test_kafka_without_a_broker_to_install(executed):
    said = printed(cell(executed(NAME), "kafka_query"))
    assert "| ann|  7|" in said and "| bob|  5|" in said
