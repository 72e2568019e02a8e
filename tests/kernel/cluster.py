"""Servers of Spark Connect to connect to: our own, and Spark's where SPARK_HOME says that it is."""

import os
import re
import socket
import ssl
import subprocess
import threading
from pathlib import Path

SPARK_HOME = os.environ.get("SPARK_HOME")


class Server:
    """A server on a free port, working in a folder of its own."""

    def __init__(self, command: list, folder: Path, started: str, stream: str):
        self.command, self.folder, self.started, self.stream = command, folder, started, stream
        folder.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Starts it, the second time on the same port."""
        self.process = subprocess.Popen(self.command, cwd=self.folder, text=True, **{self.stream: subprocess.PIPE})
        pipe = getattr(self.process, self.stream)
        for line in pipe:
            found = re.search(self.started, line)
            if found:
                break
        else:
            raise AssertionError(f"{self.command[0]} did not start")
        self.port = int(found.group(1))
        # Whoever logs must not be held up.
        threading.Thread(target=pipe.read, daemon=True).start()

    @property
    def address(self) -> str:
        return f"sc://127.0.0.1:{self.port}"

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def own_server(tidebook: Path, folder: Path, *arguments: str) -> Server:
    return Server([tidebook, "serve", "--port", str(free_port()), *arguments], folder, r"sc://[^:]+:(\d+)", "stdout")


def spark_server(folder: Path) -> Server:
    """Spark's own; its JVM answers after some ten seconds."""
    command = [
        Path(SPARK_HOME) / "bin" / "spark-submit", "--master", "local[2]",
        "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
        "--conf", f"spark.connect.grpc.binding.port={free_port()}", "--conf", "spark.connect.grpc.binding.address=127.0.0.1",
        "--conf", "spark.ui.enabled=false", "--conf", "spark.sql.shuffle.partitions=2", "spark-internal",
    ]
    return Server(command, folder, r"server started at:?.*?:(\d+)", "stderr")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Proxy:
    """Stands between a client and a server; can break all connections, and speak TLS to the client."""

    def __init__(self, port: int, certificate: "Path | None" = None):
        self.target = port
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
            self.context.set_alpn_protocols(["h2"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sent = 0
        self.open: list[socket.socket] = []
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"sc://localhost:{self.port}"

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
                if self.context:
                    client = self.context.wrap_socket(client, server_side=True)
                server = socket.create_connection(("127.0.0.1", self.target))
            except ssl.SSLError:
                continue
            except OSError:
                return
            self.open += [client, server]
            threading.Thread(target=self.copy, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, False), daemon=True).start()

    def copy(self, source: socket.socket, target: socket.socket, is_sent: bool) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
                self.sent += len(data) if is_sent else 0
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self) -> None:
        """Breaks all connections; new ones may be made."""
        broken, self.open = self.open, []
        for end in broken:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def end(self) -> None:
        self.listener.close()
        self.cut()
