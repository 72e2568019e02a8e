"""Notebooks are executed in a copy, as nbconvert would, so that the tests leave the clone as it is."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A copy of notebooks/ whose data files have their times."""
    copy = tmp_path_factory.mktemp("book") / "notebooks"
    shutil.copytree(NOTEBOOKS, copy, symlinks=True, ignore=shutil.ignore_patterns(".executed", ".ipynb_checkpoints", "out"))
    for script in ("make_departures.py", "make_shop.py"):
        subprocess.run([sys.executable, copy / "data" / script, "--touch"], check=True)
    return copy


@pytest.fixture(scope="session")
def execute(folder):
    """Execute a notebook of the folder; gives its cells by id. `added` puts cells after others: id → (new id, text)."""

    def run(name, added=None):
        notebook = nbformat.read(folder / name, as_version=4)
        for after, (new_id, text) in (added or {}).items():
            cell = new_code_cell(text)
            cell.id = new_id
            place = [existing.id for existing in notebook.cells].index(after)
            notebook.cells.insert(place + 1, cell)
        NotebookClient(notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
        return {cell.id: cell for cell in notebook.cells}

    return run
