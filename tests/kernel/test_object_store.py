"""A query whose input, output, checkpoint and state are in a store of objects that speaks S3."""

import json
import os
import signal
from collections import Counter
from pathlib import Path

import boto3
import pytest
from jupyter_client.manager import start_new_kernel
from moto.server import ThreadedMotoServer

from client import Client

FILES = 12
ROWS_PER_FILE = 40
QUERY = (
    "%%stream counts --mode append --sink parquet:s3://lake/out --checkpoint s3://lake/checkpoint {options}\n"
    "SELECT window.start AS start, k, count(*) AS n FROM events GROUP BY window(t, '10 seconds'), k"
)
SOURCE = (
    '%%source events --path s3://lake/in --watermark "t 0 seconds" --max-files-per-trigger 1\n'
    "id BIGINT, t TIMESTAMP, k STRING"
)


@pytest.fixture
def lake(monkeypatch):
    """An empty bucket; what a kernel needs to find it is in the environment."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT": f"http://{host}:{port}", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "learner", "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    store = boto3.client(
        "s3", endpoint_url=settings["AWS_ENDPOINT"], region_name="us-east-1",
        aws_access_key_id="learner", aws_secret_access_key="not-a-secret",
    )
    store.create_bucket(Bucket="lake")
    yield store
    server.stop()


@pytest.fixture
def kernels(tmp_path: Path):
    """Starts kernels, and ends those that are left."""
    started = []

    def start() -> Client:
        kernel = Client(*start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path)))
        started.append(kernel)
        return kernel

    yield start
    for kernel in started:
        kernel.channels.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


def kill(kernel: Client) -> None:
    os.kill(kernel.manager.provisioner.process.pid, signal.SIGKILL)
    kernel.manager.provisioner.process.wait()


def put(lake, number: int) -> Counter:
    """Puts a file into the bucket; gives how many of its rows are in each window of each key."""
    lines, counts = [], Counter()
    for row in range(ROWS_PER_FILE):
        second = number * 10 + row % 10
        key = "abc"[(number + row) % 3]
        time = f"2024-01-01T12:{second // 60:02}:{second % 60:02}Z"
        lines.append(json.dumps({"id": number * ROWS_PER_FILE + row, "t": time, "k": key}))
        counts[f"12:{second // 60:02}:{second // 10 * 10 % 60:02}", key] += 1
    lake.put_object(Bucket="lake", Key=f"in/{number:03}.json", Body="\n".join(lines).encode())
    return counts


def rows(kernel: Client) -> Counter:
    shown = kernel.ok(
        "%%sql\nSELECT date_format(start, 'HH:mm:ss') AS s, k, CAST(sum(n) AS BIGINT) AS n\n"
        "FROM parquet.`s3://lake/out` GROUP BY ALL ORDER BY s, k LIMIT 1000"
    )
    [result] = shown.contents("execute_result")
    lines = result["data"]["text/plain"].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return Counter({(start, key): int(count) for start, key, count in cells[1:]})


def test_a_query_that_is_killed_goes_on_from_the_store(lake, kernels):
    expected = Counter()
    for number in range(FILES):
        expected += put(lake, number)
        kernel = kernels()
        kernel.ok(SOURCE)
        # It takes what has come and waits for more; or it is killed on the way.
        kernel.ok(QUERY.format(options=""))
        if number % 2:
            kernel.ok("%process counts")
        kill(kernel)
    kernel = kernels()
    kernel.ok(SOURCE)
    kernel.ok(QUERY.format(options="--trigger available-now"))
    kernel.ok("%await counts")
    # The watermark is in the last window, which stays open.
    open_window = max(start for start, _ in expected)
    closed = Counter({key: count for key, count in expected.items() if key[0] != open_window})
    assert rows(kernel) == closed


def test_the_checkpoint_is_one_querys(lake, kernels):
    put(lake, 0)
    first, second = kernels(), kernels()
    for kernel in (first, second):
        kernel.ok(SOURCE)
    first.ok(QUERY.format(options=""))
    error = second.fails(QUERY.format(options=""))
    process = first.manager.provisioner.process.pid
    assert f"'s3://lake/checkpoint' is in use by a query of process {process}" in error, error
    assert "stop that query first" in error
    # One that was killed on this machine is known to be gone: nobody waits for its claim to lapse.
    kill(first)
    second.ok(QUERY.format(options=""))
    second.ok("%stop counts")
    third = kernels()
    third.ok(SOURCE)
    third.ok(QUERY.format(options="--trigger available-now"))
    third.ok("%await counts")
