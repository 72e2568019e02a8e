"""Apache Kafka's own broker for tests in Python, on free ports of loopback."""

import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "run"


@contextmanager
def real_broker(folder):
    """Its address; it ends with its standard input, whatever becomes of the test."""
    ports = [str(port) for port in free_ports(2)]
    running = subprocess.Popen(
        [SCRIPT, *ports, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        said = [running.stdout.readline().strip() for _ in range(2)]
        assert said[1] == "ready", said
        yield f"127.0.0.1:{ports[0]}"
    finally:
        running.stdin.close()
        running.wait(timeout=60)


def free_ports(count):
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for bound in sockets:
        bound.bind(("127.0.0.1", 0))
    ports = [bound.getsockname()[1] for bound in sockets]
    for bound in sockets:
        bound.close()
    return ports
