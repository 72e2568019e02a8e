"""Notebooks are executed in a copy, as nbconvert would, so that the tests leave the clone as it is."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
LEFT_BEHIND = shutil.ignore_patterns(".executed", ".ipynb_checkpoints", "out")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A copy of notebooks/ whose data files have their times."""
    copy = tmp_path_factory.mktemp("book") / "notebooks"
    shutil.copytree(NOTEBOOKS, copy, symlinks=True, ignore=LEFT_BEHIND)
    for script in ("make_departures.py", "make_shop.py"):
        subprocess.run([sys.executable, copy / "data" / script, "--touch"], check=True)
    return copy


@pytest.fixture(scope="session")
def executed(folder):
    """Execute a notebook of the folder, once in a session; gives its cells by id."""
    done = {}

    def run(name):
        if name not in done:
            notebook = nbformat.read(folder / name, as_version=4)
            where = (folder / name).parent
            shutil.rmtree(where / "out", ignore_errors=True)
            NotebookClient(notebook, timeout=600, startup_timeout=600, resources={"metadata": {"path": str(where)}}).execute()
            done[name] = {cell.id: cell for cell in notebook.cells}
        return done[name]

    return run


