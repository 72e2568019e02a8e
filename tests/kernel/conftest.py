"""Installs the kernelspec of the built binary into a folder of its own, for all tests here."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from client import Client

ROOT = Path(__file__).resolve().parents[2]


def built_binary() -> Path:
    """$TIDEBOOK_BIN, or the release binary of this workspace."""
    named = os.environ.get("TIDEBOOK_BIN")
    if named:
        return Path(named).absolute()
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"],
        cwd=ROOT, check=True, capture_output=True,
    )
    return Path(json.loads(metadata.stdout)["target_directory"]) / "release" / "tidebook"


@pytest.fixture(scope="session")
def tidebook() -> Path:
    binary = built_binary()
    assert binary.is_file(), f"'{binary}' is missing: cargo build --release --workspace --bin tidebook --bin tidebook-rust"
    return binary


@pytest.fixture(scope="session", autouse=True)
def kernelspec(tidebook: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the kernelspec; Jupyter finds it by JUPYTER_PATH."""
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run([tidebook, "install", "--prefix", prefix], check=True)
    jupyter = prefix / "share" / "jupyter"
    os.environ["JUPYTER_PATH"] = str(jupyter)
    return jupyter / "kernels" / "tidebook"


@pytest.fixture
def kernel(tmp_path: Path):
    """A kernel of its own, working in a folder of its own."""
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path))
    yield Client(manager, channels)
    channels.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def events(tmp_path: Path) -> "Events":
    return Events(tmp_path / "events")


class Events:
    """A folder in which files of events arrive."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.files = 0
        folder.mkdir()

    def arrive(self, *rows: "dict | str") -> None:
        """One more file; it appears whole. A string is written as it is."""
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        hidden = self.folder.parent / f"{self.files}.tmp"
        hidden.write_text("\n".join(lines) + "\n")
        hidden.rename(self.folder / f"{self.files:05}.json")
        self.files += 1

    def source(self, *flags: str) -> str:
        """The cell that registers the folder as the stream `events`."""
        return f"%%source events --path {self.folder} {' '.join(flags)}\nk STRING, v BIGINT"
