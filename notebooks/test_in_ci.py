"""What the README says about notebooks in CI: exit codes, files written, names of errors."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

WRONG = {
    "AnalysisException": "%%sql\nSELECT no_such_column FROM (SELECT 1 AS a)",
    "ParseException": "%%sql\nSELEC 1",
    "UsageError": "%no_such_magic",
}


@pytest.fixture
def convert(tmp_path):
    """Run nbconvert over cells; gives its exit status, the executed notebook if there is one, and stderr."""

    def run(cells, *options):
        notebook = new_notebook(
            cells=[new_code_cell(text) for text in cells],
            metadata={"kernelspec": {"name": "tidebook", "display_name": "Tidebook", "language": "rust"}},
        )
        nbformat.write(notebook, tmp_path / "in.ipynb")
        done = subprocess.run(
            [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", *options]
            + ["--output", "out.ipynb", tmp_path / "in.ipynb"],
            capture_output=True,
            text=True,
        )
        out = tmp_path / "out.ipynb"
        return done.returncode, nbformat.read(out, as_version=4) if out.exists() else None, done.stderr

    return run


def test_a_notebook_that_runs_through_gives_0_and_its_file(convert):
    status, executed, _ = convert(["%%sql\nSELECT 1 AS one"])
    assert status == 0
    assert executed.cells[0].outputs


@pytest.mark.parametrize("ename", WRONG)
def test_an_error_gives_1_and_no_file_and_its_name(convert, ename):
    status, executed, stderr = convert([WRONG[ename], "%%sql\nSELECT 1 AS one"])
    assert status == 1
    assert executed is None
    assert ename in stderr


def test_allow_errors_gives_0_and_the_error_in_the_file(convert):
    status, executed, _ = convert([*WRONG.values(), "%%sql\nSELECT 1 AS one"], "--allow-errors")
    assert status == 0
    *wrong, right = executed.cells
    assert [[output.ename for output in cell.outputs] for cell in wrong] == [[ename] for ename in WRONG]
    assert right.outputs[0].output_type != "error"
