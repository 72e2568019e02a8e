"""A door of Spark Connect, and an unchanged PySpark client behind it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(os.environ.get("TIDEBOOK", Path(__file__).parents[2] / ".venv" / "bin" / "tidebook"))


class Server:
    """`tidebook serve` on a free port."""

    def __init__(self, *arguments, **settings):
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            # Functions of clients run by the Python of the tests, which has PySpark.
            env={"TIDEBOOK_PYTHON": sys.executable, **os.environ, **settings},
        )
        self.first_line = self.process.stdout.readline()
        self.address = self.first_line.split(" on ")[1].split("/;")[0].strip()

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="session")
def server():
    server = Server()
    yield server
    server.end()


@pytest.fixture
def spark(server):
    from pyspark.sql.connect.session import SparkSession

    session = SparkSession.builder.remote(server.address).create()
    # Functions like col() ask the session that was used last, which may be one that has been stopped.
    SparkSession._default_session = session
    SparkSession._active_session.session = session
    yield session
    session.stop()


@pytest.fixture
def serve():
    """Starts servers with arguments of their own."""
    servers = []

    def start(*arguments, **settings):
        servers.append(Server(*arguments, **settings))
        return servers[-1]

    yield start
    for server in servers:
        server.end()
