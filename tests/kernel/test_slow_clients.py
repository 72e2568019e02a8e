"""A client of the broadcast channel that reads slowly, or not at all, holds up nobody; what is kept
for it is bounded."""

import time
from pathlib import Path

import pytest
import zmq
from jupyter_client.session import Session

from client import TIMEOUT, Client

# A short cell whose output is two megabytes, and how often it is run.
MUCH = "%%sql --max-rows 1000\nSELECT repeat('x', 900) AS much FROM range(900)"
CELLS = 200


class Subscriber:
    """A client of the broadcast channel alone, with little room of its own."""

    def __init__(self, kernel: Client, context: zmq.Context):
        self.session = Session(key=kernel.channels.session.key)
        self.socket = context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.RCVHWM, 1)
        self.socket.setsockopt(zmq.RCVBUF, 4096)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVTIMEO, TIMEOUT * 1000)
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        info = kernel.manager.get_connection_info()
        self.socket.connect(f"tcp://{info['ip']}:{info['iopub_port']}")
        assert self.read()["msg_type"] == "iopub_welcome"

    def read(self) -> dict:
        _, frames = self.session.feed_identities(self.socket.recv_multipart())
        return self.session.deserialize(frames)

    def read_until(self, text: str) -> None:
        while self.read()["content"].get("text") != text:
            pass


@pytest.fixture
def subscribe(kernel: Client):
    context = zmq.Context()
    yield lambda: Subscriber(kernel, context)
    context.destroy()


def test_clients_that_do_not_read_hold_up_nobody(kernel: Client, subscribe):
    deaf = [subscribe() for _ in range(3)]
    before = peak_bytes(kernel)
    started = time.monotonic()
    sent = 0
    for _ in range(CELLS):
        [shown] = kernel.ok(MUCH).contents("execute_result")
        sent += sum(len(text) for text in shown["data"].values())
    took = time.monotonic() - started
    grown = peak_bytes(kernel) - before
    print(f"{sent / 1e6:.0f} MB were sent, the kernel grew by {grown / 1e6:.0f} MB in {took:.1f} s")
    assert sent > 300e6 and grown < 150e6, f"{sent / 1e6:.0f} MB were sent, the kernel grew by {grown / 1e6:.0f} MB"
    assert took < TIMEOUT, "each cell was held up"

    # Who starts to read again gets what comes then, without having to connect anew.
    for text in ("still here\n", "and now\n"):
        kernel.ok(f"%echo {text}")
        for client in deaf:
            client.read_until(text)


def test_a_client_that_reads_misses_nothing_however_much_it_is(kernel: Client, subscribe):
    slow = subscribe()
    cells = [kernel.send(MUCH) for _ in range(CELLS)]
    for cell in cells:
        types = []
        while True:
            told = slow.read()
            if told["parent_header"].get("msg_id") == cell:
                types.append(told["msg_type"])
                if told["content"].get("execution_state") == "idle":
                    break
        assert types == ["status", "execute_input", "execute_result", "status"]


def test_the_newest_batch_that_a_query_prints_arrives_in_full(kernel: Client, events):
    rows = [{"k": f"{number:06} {'x' * 500}", "v": number} for number in range(2_000)]
    for _ in range(3):
        events.arrive(*rows)
    kernel.ok(events.source("--max-files-per-trigger", "1"))
    executed = kernel.ok(
        "%%stream all --sink console --option numRows=100000 --option truncate=false --until available-now\n"
        "SELECT k FROM events"
    )
    shown = [*executed.contents("display_data"), *executed.contents("update_display_data")]
    texts = [content["data"]["text/plain"] for content in shown]
    [printed] = [text for text in texts if "Batch: 2" in text]
    assert len(printed) > 1e6 and printed.startswith("2 earlier batches")
    for row in rows:
        assert printed.count(row["k"]) == 1


def peak_bytes(kernel: Client) -> int:
    """The most memory the kernel has had so far."""
    status = Path(f"/proc/{kernel.manager.provisioner.process.pid}/status").read_text()
    [kilobytes] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return 1024 * int(kilobytes)
