"""Whole programs of PySpark: streaming_basics prints what it prints on Spark 4.3.0 (`python PROGRAM "local[2]"` with
`pyspark[connect]`)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "kafka-broker"))

from real_broker import real_broker


def test_streaming_basics_prints_what_spark_prints(server):
    program = ROOT / "notebooks" / "pyspark" / "streaming_basics.py"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", program, server.address], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == (Path(__file__).parent / "streaming_basics.txt").read_text()


def test_kafka_streaming_prints_what_was_read(server, tmp_path):
    program = ROOT / "notebooks" / "pyspark" / "kafka_streaming.py"
    with real_broker(tmp_path / "kafka") as brokers:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", program, server.address, brokers], capture_output=True, text=True, timeout=120
        )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == (Path(__file__).parent / "kafka_streaming.txt").read_text()
