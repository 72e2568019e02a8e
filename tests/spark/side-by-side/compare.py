"""Runs lessons and programs against our engine and against Spark's server; prints which cells and lines are equal."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "kafka-broker"))

from real_broker import real_broker

NOTEBOOKS = ROOT / "notebooks"
WHAT = ["01-streaming-basics.ipynb", "06-kafka.ipynb", "pyspark/streaming_basics.py", "pyspark/kafka_streaming.py"]
# Magics that only the engine in the kernel's process has.
OWN = ("%%check", "%alert")
# A query whose rows have numbers by which order they came to Kafka in: an aggregation leaves that order open.
NUMBERED = "SELECT offset, value FROM written"
TIDEBOOK = os.environ.get("TIDEBOOK_BIN") or shutil.which("tidebook")


@contextmanager
def server(command, started, stream, folder):
    """A server that works in a folder; its address."""
    running = subprocess.Popen(command, cwd=folder, text=True, **{stream: subprocess.PIPE})
    pipe = getattr(running, stream)
    try:
        found = next((found for line in pipe if (found := re.search(started, line))), None)
        assert found, f"{command[0]} did not start"
        # Whoever logs must not be held up.
        threading.Thread(target=pipe.read, daemon=True).start()
        yield f"sc://127.0.0.1:{found.group(1)}"
    finally:
        running.kill()
        running.wait()


def ours(folder):
    return server([TIDEBOOK, "serve", "--port", "0"], r"sc://[^:]+:(\d+)", "stdout", folder)


def sparks(folder):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.port": port,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": 2,
    }
    command = [
        Path(os.environ["SPARK_HOME"]) / "bin" / "spark-submit", "--master", "local[2]",
        "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
        "--jars", ",".join(str(jar) for jar in sorted(Path(os.environ["SPARK_KAFKA_JARS"]).glob("*.jar"))),
        *(part for key, value in settings.items() for part in ("--conf", f"{key}={value}")), "spark-internal",
    ]
    return server(command, r"server started at:?.*?:(\d+)", "stderr", folder)


def lesson(name, folder, address):
    """The cells of a lesson after it has run in a folder, at an address or in the kernel."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    environment = {key: value for key, value in os.environ.items() if key != "TIDEBOOK_CONNECT"}
    if address:
        environment["TIDEBOOK_CONNECT"] = address
    NotebookClient(
        notebook, kernel_name="tidebook", allow_errors=True, timeout=300, resources={"metadata": {"path": str(folder)}}
    ).execute(env=environment)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def rows(cell):
    """What a cell gives as its table, or the error that it ends with."""
    for output in cell.outputs:
        if output.output_type == "error":
            return f"{output.ename}: {output.evalue}".splitlines()
    given = [output.data.get("text/plain", "") for output in cell.outputs if output.output_type == "execute_result"]
    return "\n".join(given).splitlines()


def compared(cell, here, there):
    """How the two compare, and what one should see of it if they differ."""
    if not here and not there:
        return "no table", ""
    if cell.source.startswith(OWN) and there and there[0].startswith("UnsupportedOperationException"):
        return "refused on Spark", ""
    if here == there:
        return "equal", ""
    if NUMBERED in cell.source and unnumbered(here) == unnumbered(there):
        return "equal but for offsets", ""
    if not re.search(r"\bORDER\s+BY\b", cell.source, re.IGNORECASE) and sorted(here) == sorted(there):
        return "equal, in another order", ""
    return "DIFFERENT", "\n".join([*(f"      here  {line}" for line in here), *(f"      Spark {line}" for line in there)])


def unnumbered(lines):
    """The rows without their first column, in one order."""
    return sorted(re.sub(r"^\|\d+ *\|", "|", line) for line in lines)


def compare_lesson(name, base):
    folders = [base / side / Path(name).stem for side in ("here", "there")]
    for folder in folders:
        shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns("out"))
    here = lesson(name, folders[0], None)
    with sparks(folders[1]) as address:
        there = lesson(name, folders[1], address)
    different = 0
    for number, (one, other) in enumerate(zip(here, there, strict=True), 1):
        verdict, difference = compared(one, rows(one), rows(other))
        first = one.source.splitlines()[0] if one.source else ""
        print(f"{name}  cell {number:2}  {verdict:24} {first[:60]}", *([difference] if difference else []), sep="\n", flush=True)
        different += verdict == "DIFFERENT"
    return different


def printed(program, address, brokers):
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", program, address, *brokers], capture_output=True, text=True, timeout=300
    )
    if ran.returncode == 0:
        return ran.stdout
    # What went wrong, without the frames of the JVM.
    said = [line for line in ran.stderr.splitlines() if not re.match(r"\s+(at |File |\.\.\. )|\s*$", line)]
    return "\n".join([ran.stdout, f"exit {ran.returncode}", *said[-12:]])


def compare_program(name, base):
    program = NOTEBOOKS / name
    with real_broker(base / f"{program.stem}-kafka") as broker:
        brokers = [broker] if "kafka" in program.stem else []
        with ours(base) as address:
            here = printed(program, address, brokers)
        with sparks(base) as address:
            there = printed(program, address, brokers)
    recorded = base / f"{program.stem}.txt"
    recorded.write_text(there)
    known = ROOT / "tests" / "connect" / recorded.name
    print(f"{name}  {len(there.splitlines())} lines  {'equal' if here == there else 'DIFFERENT'}")
    print(f"{name}  the recording in tests/connect  {'equal' if known.read_text() == there else 'DIFFERENT'}", flush=True)
    if here != there:
        print("--- here", here, "--- Spark", there, sep="\n")
    return (here != there) + (known.read_text() != there)


def main(names):
    assert TIDEBOOK, "TIDEBOOK_BIN names the binary"
    with tempfile.TemporaryDirectory(prefix="side-by-side-") as folder:
        base = Path(folder)
        subprocess.run([TIDEBOOK, "install", "--prefix", base / "prefix"], check=True, stdout=subprocess.DEVNULL)
        os.environ["JUPYTER_PATH"] = str(base / "prefix" / "share" / "jupyter")
        # Functions of the programs run on either server by the Python that has PySpark.
        for worker in ("TIDEBOOK_PYTHON", "PYSPARK_PYTHON"):
            os.environ.setdefault(worker, sys.executable)
        different = 0
        for name in names:
            compare = compare_lesson if name.endswith(".ipynb") else compare_program
            different += compare(name, base)
    print(f"{different} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or WHAT))
