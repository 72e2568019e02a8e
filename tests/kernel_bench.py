"""How long the kernel takes to be ready and to show a first row, and what it weighs.

Everything is measured on raw sockets from this side, without the polling of a notebook client.
ipykernel, from the same .venv, is measured in the same way and in turn with ours.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import zmq
from jupyter_client.session import Session

BIN = Path(sys.executable).parent
KERNELS = {
    "tidebook": [str(BIN / "tidebook"), "kernel", "-f"],
    "ipykernel": [sys.executable, "-m", "ipykernel_launcher", "-f"],
}
RUNS = 15
KEY = "0" * 32
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


def main():
    ready = {name: [] for name in KERNELS}
    resident = {name: [] for name in KERNELS}
    first_row, round_trip = [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for run in range(RUNS):
            for name in KERNELS:
                with Kernel(name, folder) as kernel:
                    ready[name].append(kernel.ready_after)
                    # An empty cell is answered when everything a cell needs has been made.
                    kernel.request("execute_request", cell(""))
                    resident[name].append(kernel.resident_bytes())
                    if name == "tidebook":
                        round_trip.append(kernel.warm_round_trip("%%sql\nSELECT 1"))
                        first_row.append(kernel.first_row_after(folder, run))
    row("spawn to kernel_info_reply", ready, 1000, "ms", "aim 150 ms")
    row("resident memory when idle", resident, 1 / 1e6, "MB", "aim 60 MB")
    row("%%sql SELECT 1, round trip", {"tidebook": round_trip}, 1000, "ms", "aim 10 ms")
    row("%%stream cell to first row", {"tidebook": first_row}, 1000, "ms", "aim 100 ms")
    print(f"(median of {RUNS} runs, the lowest and the highest in brackets)")


def row(what, values, factor, unit, aim):
    shown = [f"{name} {spread(times, factor)} {unit}" for name, times in values.items()]
    if len(values) == 2:
        ours, other = (median(times) for times in values.values())
        shown.append(f"ratio {ours / other:.2f}")
    print(f"  {what:<28} {', '.join(shown)}  ({aim})")


def spread(values, factor):
    low, middle, high = (factor * value for value in (min(values), median(values), max(values)))
    digits = 0 if middle >= 10 else 2
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


class Kernel:
    """A kernel that has just answered its first kernel_info_request."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.session = Session(key=KEY.encode(), signature_scheme="hmac-sha256")
        self.context = zmq.Context()

    def __enter__(self):
        file, ports = connection_file(self.folder)
        self.shell = self.context.socket(zmq.DEALER)
        # The client must be there as soon as the kernel listens: try again every millisecond.
        self.shell.reconnect_ivl = 1
        self.shell.linger = 0
        self.shell.connect(f"tcp://127.0.0.1:{ports['shell_port']}")
        spawned = time.perf_counter()
        self.process = subprocess.Popen([*KERNELS[self.name], file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.request("kernel_info_request", {})
        except BaseException:
            self.__exit__()
            raise
        self.ready_after = time.perf_counter() - spawned
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.shell.close()
        self.context.term()

    def request(self, kind, content, patience=30):
        """Send a request and wait for its reply, for up to so many seconds."""
        self.session.send(self.shell, kind, content)
        return self.reply(patience)

    def reply(self, patience=30):
        if not self.shell.poll(1000 * patience):
            raise SystemExit(f"{self.name} does not answer")
        _, frames = self.session.feed_identities(self.shell.recv_multipart())
        reply = self.session.deserialize(frames)["content"]
        if reply.get("status") == "error":
            raise SystemExit(f"{self.name}: {reply['ename']}: {reply['evalue']}")
        return reply

    def resident_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
        return 1024 * int(kilobytes)

    def warm_round_trip(self, text):
        """From sending a cell until its reply, the best of a few: the first one warms up."""
        times = []
        for _ in range(10):
            sent = time.perf_counter()
            self.request("execute_request", cell(text))
            times.append(time.perf_counter() - sent)
        return min(times)

    def first_row_after(self, folder, run):
        """From sending a %%stream cell until all of its rows, ten in one file, can be selected."""
        data = folder / f"rows-{run}"
        data.mkdir()
        lines = [json.dumps({"k": i % 3, "ts": f"2013-01-01 05:00:{i:02}"}) for i in range(10)]
        (data / "0.json").write_text("\n".join(lines) + "\n")
        self.request("execute_request", cell(f"%%source events --format json --path {data}\nk INT, ts TIMESTAMP"))
        sent = time.perf_counter()
        stream = (
            "%%stream q --mode complete\n"
            "SELECT window(ts, '10 seconds') AS w, k, count(*) AS n FROM events GROUP BY window(ts, '10 seconds'), k"
        )
        for text in (stream, "%process q"):
            self.session.send(self.shell, "execute_request", cell(text))
        for _ in range(2):
            self.reply()
        return time.perf_counter() - sent


def cell(text):
    return {
        "code": text,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": True,
        "stop_on_error": True,
    }


def connection_file(folder):
    with free_ports(len(CHANNELS)) as free:
        ports = {f"{channel}_port": port for channel, port in zip(CHANNELS, free, strict=True)}
    file = Path(tempfile.mkstemp(suffix=".json", dir=folder)[1])
    file.write_text(
        json.dumps({"ip": "127.0.0.1", "transport": "tcp", "key": KEY, "signature_scheme": "hmac-sha256"} | ports)
    )
    return file, ports


@contextmanager
def free_ports(count):
    """Ports that nobody uses; they are free again when the block ends."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        yield [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


if __name__ == "__main__":
    main()
