"""`kill -9` of the kernel in the middle of checkpointed queries that write Parquet: started again,
they end with the output of a run that nothing disturbed.

`KILLS=100 ./tests/run kernel` kills so many times; `SEED=…` repeats a run's data and its choice of
moments.
"""

import json
import os
import random
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlparse

from client import TIMEOUT, Client

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("SEED") or time.time_ns())
FILES = 80
LAST_FILES = 6
ROWS_PER_FILE = 150
# Every tenth file is so large that it is read, and its state is changed, on all cores.
ROWS_PER_LARGE_FILE = 5_000
START = datetime(2024, 1, 1, 12)

# Grouped and written in append mode, with state; and row by row, without.
QUERIES = {
    "windows": "SELECT window.start AS start, k, count(*) AS n, sum(v) AS total, max(id) AS last\n"
    "FROM events GROUP BY window(t, '10 seconds'), k",
    "rows": "SELECT id, k, v * 2 AS twice FROM events WHERE v % 7 <> 0",
}


class Run:
    """Both queries over the same input, with output and checkpoints in a folder of their own."""

    # How many batches both make together; known after the undisturbed run.
    all_batches = 0

    def __init__(self, kernel: Client, events: Path, folder: Path):
        self.kernel = kernel
        self.folder = folder
        folder.mkdir()
        self.source = (
            f"%%source events --path {events} --watermark \"t 10 seconds\" --max-files-per-trigger 1\n"
            "id BIGINT, t TIMESTAMP, k STRING, v BIGINT"
        )

    def start(self) -> str:
        """Starts both queries, as far as they have not ended before; gives the last cell's message id."""
        self.kernel.ok(self.source)
        for name, sql in QUERIES.items():
            self.kernel.send(
                f"%%stream {name} --mode append --trigger available-now "
                f"--sink parquet:{self.output(name)} --checkpoint {self.checkpoint(name)}\n{sql}"
            )
        return self.kernel.send("\n".join(f"%await {name}" for name in QUERIES))

    def to_end(self) -> None:
        executed = self.kernel.collect(self.start())
        assert executed.status == "ok", executed.error

    def killed(self, batches: int, seconds: float) -> None:
        """Starts both queries, kills the kernel so long after that many batches (or after the end, if
        that comes first), and starts it again."""
        before = self.batches()
        ended = self.start()
        while self.batches() < before + batches and not self.has_replied(ended):
            pass
        moment = time.monotonic() + seconds
        while time.monotonic() < moment:
            pass
        process = self.kernel.manager.provisioner.process
        process.kill()
        process.wait()
        self.kernel.manager.restart_kernel(now=True)
        self.kernel.channels.wait_for_ready(timeout=TIMEOUT)

    def has_replied(self, msg_id: str) -> bool:
        if not self.kernel.channels.shell_channel.msg_ready():
            return False
        reply = self.kernel.channels.get_shell_msg(timeout=TIMEOUT)
        assert reply["content"]["status"] == "ok", reply["content"]
        return reply["parent_header"].get("msg_id") == msg_id

    def batches(self) -> int:
        return sum(len(numbers(self.checkpoint(name) / "commits")) for name in QUERIES)

    def output(self, name: str) -> Path:
        return self.folder / name

    def checkpoint(self, name: str) -> Path:
        return self.folder / f"checkpoint-{name}"

    def rows(self, name: str) -> list[str]:
        """All rows of an output, in order, as lines of text."""
        files = committed_files(self.output(name) / "_spark_metadata")
        assert len(files) == len(set(files)), "a file is in the log twice"
        assert all(file.is_file() for file in files), "a file of the log is missing"
        view = f"CREATE OR REPLACE TEMPORARY VIEW written USING parquet OPTIONS (path '{self.output(name)}')"
        self.kernel.ok(f"%%sql\n{view}")
        shown = self.kernel.ok("%%sql --max-rows 1000000\nSELECT * FROM written ORDER BY 1, 2")
        [result] = shown.contents("execute_result")
        _, *rows = [line for line in result["data"]["text/plain"].splitlines() if line.startswith("|")]
        return rows


def test_a_killed_kernel_loses_and_doubles_nothing(kernel: Client, tmp_path: Path):
    print(f"SEED={SEED} KILLS={KILLS}")
    chance = random.Random(SEED)
    events = tmp_path / "input"
    kept = write_input(events, chance)

    undisturbed = Run(kernel, events, tmp_path / "undisturbed")
    started = time.monotonic()
    undisturbed.to_end()
    took = time.monotonic() - started
    wanted = {name: undisturbed.rows(name) for name in QUERIES}
    assert len(wanted["rows"]) == kept and len(wanted["windows"]) > 100
    Run.all_batches = undisturbed.batches()
    assert Run.all_batches == 2 * FILES

    done, running = 0, 0
    while done < KILLS:
        run = Run(kernel, events, tmp_path / f"killed-{done}")
        for _ in range(min(chance.randint(1, 3), KILLS - done)):
            left = Run.all_batches - run.batches()
            if chance.randrange(4) and left > 1:
                run.killed(chance.randrange(1, left), chance.uniform(0, took / 50))
            else:
                run.killed(0, chance.uniform(0, took))
            done += 1
            running += run.batches() < Run.all_batches
            print(f"kill {done} came after {run.batches()} of {Run.all_batches} batches")
        run.to_end()
        for name in QUERIES:
            rows = run.rows(name)
            assert rows == wanted[name], f"{name} differs after a kill (SEED={SEED}); {difference(rows, wanted[name])}"
    assert running >= KILLS // 2, f"only {running} of {KILLS} kills came before the queries had ended"


def write_input(folder: Path, chance: random.Random) -> int:
    """Files of events; gives how many rows the query without state keeps.

    A kill between the source's log and the offset log puts two files into one batch, as in Spark, and
    a restart runs no batch without data. So that all runs must have the same output none the less,
    times run forward with some disorder but nothing is late, and the last files move no watermark.
    """
    folder.mkdir()
    number, kept = 0, 0
    for file in range(FILES):
        lines = []
        for _ in range(ROWS_PER_LARGE_FILE if file % 10 == 5 else ROWS_PER_FILE):
            forward = 2_000 * min(file, FILES - LAST_FILES)
            spread = 8_000 if file < FILES - LAST_FILES else 4_000
            time_of_event = START + timedelta(milliseconds=forward + chance.randrange(spread) - 3_000)
            value = chance.randrange(1_000)
            kept += value % 7 != 0
            lines.append(json.dumps({"id": number, "t": time_of_event.isoformat(sep=" ", timespec="milliseconds"),
                                     "k": f"k{chance.randrange(10)}", "v": value}))
            number += 1
        path = folder / f"{file:05}.json"
        path.write_text("\n".join(lines) + "\n")
        os.utime(path, (1_700_000_000 + file, 1_700_000_000 + file))
    return kept


def numbers(log: Path) -> list[int]:
    return sorted(int(name) for name in os.listdir(log) if name.isdigit()) if log.is_dir() else []


def committed_files(log: Path) -> list[Path]:
    """What the newest compacted log and those after it name."""
    plain = numbers(log)
    compacted = sorted(int(file.stem) for file in log.glob("*.compact") if file.stem.isdigit())
    first = compacted[-1] if compacted else -1
    later = [number for number in plain if number > first]
    assert later == list(range(first + 1, first + 1 + len(later))), f"gaps in the log: {plain}, {compacted}"
    logs = [log / f"{first}.compact"] if compacted else []
    files = []
    for entry in [*logs, *(log / str(number) for number in later)]:
        version, *lines = entry.read_text().splitlines()
        assert version == "v1"
        files += [Path(unquote(urlparse(json.loads(line)["path"]).path)) for line in lines if line]
    return files


def difference(rows: list[str], wanted: list[str]) -> str:
    extra = sorted((Counter(rows) - Counter(wanted)).elements())[:5]
    missing = sorted((Counter(wanted) - Counter(rows)).elements())[:5]
    return f"not wanted: {extra}, missing: {missing}"
