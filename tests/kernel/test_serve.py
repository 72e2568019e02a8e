"""A client of Spark Connect in the notebook's own session."""

import re

from pyspark.sql.connect.session import SparkSession


def test_a_client_and_the_notebook_see_the_same(kernel):
    said = kernel.ok("%serve").text()
    address = re.search(r'remote\("(sc://[^"]+)"\)', said).group(1)
    assert "already" in kernel.ok("%serve").text()
    kernel.ok("%%sql\nCREATE TEMPORARY VIEW here AS SELECT 41 AS x")
    spark = SparkSession.builder.remote(address).create()
    assert spark.table("here").first().x == 41
    spark.range(3).createOrReplaceTempView("there")
    assert "there" in kernel.ok("%views").text() + str(kernel.ok("%views").messages)
    query = spark.readStream.format("rate").load().writeStream.format("memory").queryName("ticks").start()
    assert query.isActive
    kernel.ok("%status ticks")
    kernel.ok("%stop ticks")
    assert not query.isActive
    spark.stop()
    assert address.removeprefix("sc://") in kernel.ok("%serve down").text()
    assert "no door" in kernel.ok("%serve down").text()


def test_a_port_in_use_is_refused(kernel):
    address = re.search(r"sc://[\d.]+:(\d+)", kernel.ok("%serve").text()).group(1)
    kernel.ok("%serve down")
    kernel.ok(f"%serve --port {address}")
    assert "down first" in kernel.fails("%serve --port 1")
    assert "down first" in kernel.fails("%serve --token x")
