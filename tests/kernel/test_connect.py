"""`%connect`: the notebook's cells on a server of Spark Connect, our own and, with SPARK_HOME, Spark's."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

from client import Client, eventually
from cluster import SPARK_HOME, Proxy, own_server, spark_server


@pytest.fixture(scope="module", params=["tidebook", *(["spark"] if SPARK_HOME else [])])
def server(request, tidebook, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    server = own_server(tidebook, folder) if request.param == "tidebook" else spark_server(folder)
    yield server
    server.end()


@pytest.fixture
def own(tidebook, tmp_path):
    """Servers of our own with arguments of their own."""
    servers = []

    def start(*arguments: str):
        servers.append(own_server(tidebook, tmp_path / f"server{len(servers)}", *arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


@pytest.fixture
def flights(tmp_path) -> Path:
    """Files of departures."""
    folder = tmp_path / "flights"
    folder.mkdir()
    for file in range(3):
        rows = [
            {"origin": origin, "delay": 10.0 * file + i, "ts": f"2024-01-01T10:{20 * file + 5 * i:02}:00Z"}
            for i, origin in enumerate(["JFK", "EWR", "JFK"])
        ]
        path = folder / f"{file}.json"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        os.utime(path, (1700000000 + file, 1700000000 + file))
    return folder


COLUMNS = "origin STRING, delay DOUBLE, ts TIMESTAMP"
LESSON = [
    "%%sql\nCREATE OR REPLACE TEMPORARY VIEW flights ({columns}) USING json OPTIONS (path '{path}')",
    "%%sql\nSELECT origin, delay, ts FROM flights ORDER BY ts",
    "%%source departures --format json --path {path} --max-files-per-trigger 1 --watermark \"ts 10 minutes\"\n{columns}",
    "%%stream late --until available-now\nSELECT origin, delay FROM departures WHERE delay > 10",
    "%%sql\nSELECT * FROM late ORDER BY delay",
    "%%stream files --sink parquet:{out} --checkpoint session:files --until available-now\nSELECT origin, delay FROM departures",
    "%%sql\nSELECT count(*) AS n, max(delay) AS longest FROM parquet.`{out}`",
    "%%stream per_origin --mode complete --until available-now\nSELECT origin, count(*) AS n FROM departures GROUP BY origin",
    "%%sql\nSELECT origin, n FROM per_origin ORDER BY origin",
    "%%stream per_window --until available-now\nSELECT window(ts, '15 minutes') AS window, count(*) AS n "
    "FROM departures GROUP BY window(ts, '15 minutes')",
    "%%sql\nSELECT window.start, n FROM per_window ORDER BY 1",
    "%%sql\nSELECT f.origin, f.n AS by_batch, s.n AS by_stream FROM (SELECT origin, count(*) AS n FROM flights GROUP BY origin) f "
    "JOIN per_origin s ON s.origin = f.origin ORDER BY f.origin",
]


def tables(kernel: Client, cells: "list[str]") -> "list[str]":
    results = [kernel.ok(cell).contents("execute_result") for cell in cells]
    return [result["data"]["text/plain"] for shown in results for result in shown]


def value_of(executed) -> str:
    [result] = executed.contents("execute_result")
    return result["data"]["text/plain"]


def plain(executed) -> str:
    return "\n".join(content["data"].get("text/plain", "") for content in executed.contents("display_data"))


def test_a_lesson_ends_in_the_same_tables_here_and_there(kernel, server, flights, tmp_path):
    def lesson(out: str) -> "list[str]":
        return [cell.format(path=flights, columns=COLUMNS, out=tmp_path / out) for cell in LESSON]

    here = tables(kernel, lesson("here"))
    said = kernel.ok(f"%connect {server.address}").text()
    assert server.address in said and "relative path are the cluster's" in said
    there = tables(kernel, lesson("there"))
    assert there == here
    assert len(there) == 6
    assert "queries run in this process" in kernel.ok("%connect local").text()
    assert tables(kernel, [LESSON[8]]) == [here[3]]


def test_a_running_query_is_seen_awaited_and_stopped(kernel, server):
    kernel.ok(f"%connect {server.address}")
    kernel.ok("%%source ticks --format rate --option rowsPerSecond=50")
    card = plain(kernel.ok("%%stream seen --trigger \"200 milliseconds\"\nSELECT value FROM ticks"))
    assert server.address in card and "append mode" in card and "every 200 ms" in card
    eventually(lambda: "numInputRows" in plain(kernel.ok("%progress seen")))
    assert "isTriggerActive" in plain(kernel.ok("%status seen"))
    assert "seen" in plain(kernel.ok("%queries"))
    assert "still running" in kernel.ok("%await seen --timeout 100ms").text()
    eventually(lambda: int(tables(kernel, ["%%sql\nSELECT count(*) FROM seen"])[0].split("|")[3]) > 0)
    chart = kernel.ok("%chart seen --y value --last 20").contents("display_data")[0]
    assert {"image/png", "image/svg+xml"} & set(chart["data"])
    assert "running already" in kernel.fails("%%stream seen\nSELECT value FROM ticks")
    # Left and come back to, it is found again.
    assert server.address in kernel.ok("%connect local").text()
    assert "query 'seen' runs there" in kernel.ok(f"%connect {server.address}").text()
    assert kernel.ok("%stop seen").text() == "query 'seen' was stopped\n"
    assert "has ended" in kernel.ok("%await seen").text()
    assert "stopped" in plain(kernel.ok("%status seen"))
    kernel.ok("%%stream some --until batches=2\nSELECT value FROM ticks")
    assert "batches" in plain(kernel.ok("%status some"))


def test_errors_are_the_servers(kernel, server, flights):
    kernel.ok(f"%connect {server.address}")
    error = kernel.fails("%%sql\nSELECT nothing FROM range(3)")
    assert "AnalysisException" in error and "[UNRESOLVED_COLUMN" in error
    assert "ParseException" in kernel.fails("%%sql\nSELEC 1")
    assert "there is no query 'nobody'" in kernel.fails("%status nobody")
    kernel.ok(f"%%source departures --path {flights}\n{COLUMNS}")
    failed = kernel.fails(
        "%%stream dies --until available-now\nSELECT CAST(concat(origin, 'x') AS INT) AS n FROM departures"
    )
    assert "StreamingQueryException" in failed
    # Told once.
    kernel.ok("%connect")
    assert "failed" in plain(kernel.ok("%queries"))


def test_rust_cells_run_there(kernel, server, flights, tmp_path):
    kernel.ok(f"%connect {server.address}")
    kernel.ok(
        f'let departures = spark.read_stream().format("json").option("maxFilesPerTrigger", "1")\n'
        f'    .schema("{COLUMNS}").load(Some("{flights}"));\n'
        'departures.create_or_replace_temp_view("departures_there")?;'
    )
    assert "isStreaming true" in kernel.ok('println!("isStreaming {}", spark.table("departures_there")?.is_streaming());').text()
    kernel.ok(
        'let late = departures.filter("delay > 10").select(["origin", "delay"])\n'
        '    .write_stream().format("memory").query_name("late_there").trigger(Trigger::AvailableNow).start("")?;\n'
        "late.await_termination(None)?;"
    )
    card = plain(kernel.ok("%status late_there"))
    assert server.address in card
    text = kernel.ok('spark.sql("SELECT * FROM late_there ORDER BY delay")?.show(2)?;').text()
    assert "|origin|delay|" in text and "only showing top 2 rows" in text, text
    assert value_of(kernel.ok('spark.sql("SELECT * FROM late_there")?.count()?')) == "5"
    said = kernel.ok('println!("{} batches, active {}", late.recent_progress()?.len(), late.is_active()?);').text()
    assert "active false" in said and not said.startswith("0 batches")
    # Errors are the server's, the engine's own abilities are refused by name.
    assert "[UNRESOLVED_COLUMN" in kernel.fails('spark.sql("SELECT nothing FROM late_there")?.show(20)?;')
    refused = kernel.fails('spark.udf().register("twice", |x: i64| x * 2)?;')
    assert "UnsupportedOperationException" in refused and server.address in refused and "%connect local" in refused
    # A query is the same one wherever the notebook is now.
    kernel.ok("%connect local")
    assert "active false" in kernel.ok('println!("active {}", late.is_active()?);').text()
    assert "[TABLE_OR_VIEW_NOT_FOUND]" in kernel.fails('spark.sql("SELECT * FROM late_there")?.show(20)?;')


def test_what_only_this_process_can_do_is_refused_by_name(kernel, server):
    kernel.ok(f"%connect {server.address}")
    for cell in ["%%feed clicks\n{}", "%clock", "%why", "%state", "%alert q \"n > 1\"", "%serve", "%who"]:
        error = kernel.fails(cell)
        assert "UnsupportedOperationException" in error and server.address in error, error
        assert "%connect local" in error
    assert "fed by hand" in kernel.fails("%%source c --format memory\na INT")
    kernel.ok("%%source ticks --format rate")
    assert "moved by hand" in kernel.fails("%%stream q --clock manual\nSELECT * FROM ticks")
    kernel.ok("%connect local")
    kernel.ok("%clock")


def test_a_relative_path_is_the_clusters(kernel, server):
    folder = server.folder / "arriving"
    folder.mkdir(exist_ok=True)
    (folder / "a.json").write_text('{"a": 1}\n')
    kernel.ok(f"%connect {server.address}")
    said = kernel.ok("%%source arriving --path arriving\na INT").text()
    assert f"'arriving' is a path of {server.address}" in said
    kernel.ok("%%stream arrived --until available-now\nSELECT * FROM arriving")
    assert "| 1" in tables(kernel, ["%%sql\nSELECT a FROM arrived"])[0].replace("|1", "| 1")


def test_what_another_session_wrote_gives_way(kernel, server, flights, tmp_path):
    out = tmp_path / "written"
    cells = [
        f"%%source departures --path {flights}\n{COLUMNS}",
        f"%%stream files --sink json:{out} --checkpoint session:files --overwrite --until available-now\nSELECT origin, delay FROM departures",
        f"%%sql\nSELECT count(*) AS n, max(delay) AS longest FROM json.`{out}`",
    ]
    sessions = [str(uuid.uuid4()) for _ in range(2)]
    for session in [sessions[0], sessions[0], sessions[1]]:
        kernel.ok(f'%connect "{server.address}/;session_id={session}"')
        for cell in cells[:2]:
            kernel.ok(cell)
        assert "|9|" in tables(kernel, cells[2:])[0].replace(" ", "")
    kernel.ok("%connect local")


def test_nobody_there_is_said_at_once(kernel, own):
    server = own()
    server.end()
    error = kernel.fails(f"%connect {server.address}")
    assert "SparkConnectGrpcException" in error and server.address in error and "refused" in error
    kernel.ok("%%sql\nSELECT 1")
    for address in ["localhost:15002", "sc://h/path", "sc://example.com/;token=secret", "sc://h/;secret"]:
        error = kernel.fails(f'%connect "{address}"')
        assert "INVALID_CONNECT_URL" in error and "secret" not in error


def test_a_broken_connection_is_taken_up_again(kernel, own):
    proxy = Proxy(own().port)
    kernel.ok(f"%connect {proxy.address}")
    before = proxy.sent
    cell = kernel.send("%%sql\nSELECT count(*) AS n FROM range(20000) a CROSS JOIN range(20000) b WHERE a.id + b.id > 10")
    eventually(lambda: proxy.sent > before)
    proxy.cut()
    executed = kernel.collect(cell)
    assert executed.status == "ok", executed.error
    assert "399999934" in executed.contents("execute_result")[0]["data"]["text/plain"]
    proxy.end()


def test_a_server_that_went_is_said_and_a_new_one_is_a_new_session(kernel, own):
    server = own()
    kernel.ok(f"%connect {server.address}")
    kernel.ok("%%source ticks --format rate")
    kernel.ok("%%stream seen\nSELECT value FROM ticks")
    server.end()
    error = kernel.fails("%%sql\nSELECT 1")
    assert "SparkConnectGrpcException" in error and "cannot be reached" in error and "%connect as before" in error
    server.start()
    # The query went with its server: a cell is told, or the one that connects.
    eventually(lambda: kernel.execute(f"%connect {server.address}").status == "ok")
    assert "1" in tables(kernel, ["%%sql\nSELECT 1"])[0]
    assert "seen" not in plain(kernel.ok("%queries"))


def test_another_notebook_finds_the_session_by_its_id(kernel, own, tmp_path):
    server = own()
    said = kernel.ok(f"%connect {server.address}").text()
    session = said.split("session ")[1].split(";")[0]
    kernel.ok("%%source ticks --format rate")
    kernel.ok("%%stream seen\nSELECT value FROM ticks")
    address = f"{server.address}/;session_id={session}"
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path), env={**os.environ, "TIDEBOOK_CONNECT": address})
    other = Client(manager, channels)
    assert "seen" in plain(other.ok("%queries"))
    other.ok("%stop seen")
    channels.stop_channels()
    manager.shutdown_kernel(now=True)
    eventually(lambda: "has ended" in kernel.ok("%await seen --timeout 1s").text())


def test_a_token_lets_in_and_is_not_shown(kernel, own):
    server = own("--token", "very-secret")
    executed = kernel.execute(f"%connect {server.address}")
    assert executed.status == "error" and "does not let this client in" in executed.error
    wrong = kernel.fails(f'%connect "{server.address}/;token=not-secret"')
    assert "does not let this client in" in wrong and "not-secret" not in wrong
    executed = kernel.ok(f'%connect "{server.address};token=very-secret"')
    assert "very-secret" not in executed.text()
    assert "very-secret" not in kernel.ok("%connect").text()
    assert "1" in tables(kernel, ["%%sql\nSELECT 1"])[0]


def test_the_way_there_can_be_encrypted(own, tmp_path):
    certificate = tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "public.pem"],
        check=True, capture_output=True,
    )
    certificate.write_text((tmp_path / "key.pem").read_text() + (tmp_path / "public.pem").read_text())
    proxy = Proxy(own("--token", "very-secret").port, certificate)
    environment = {**os.environ, "SSL_CERT_FILE": str(tmp_path / "public.pem")}
    environment.pop("SSL_CERT_DIR", None)
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path), env=environment)
    kernel = Client(manager, channels)
    try:
        kernel.ok(f'%connect "{proxy.address}/;use_ssl=true;token=very-secret"')
        assert "1" in tables(kernel, ["%%sql\nSELECT 1"])[0]
        assert "cannot be reached" in kernel.fails(f'%connect "sc://127.0.0.1:{proxy.port}/;use_ssl=true;token=very-secret"')
    finally:
        channels.stop_channels()
        manager.shutdown_kernel(now=True)
        proxy.end()


def test_a_cluster_reads_and_writes_the_notebooks_broker(kernel, own):
    kernel.ok("%kafka up")
    kernel.ok("%kafka create words")
    kernel.ok("%kafka create shouts")
    kernel.ok('%%produce words\n{"word": "hello"}\n{"word": "world"}')
    kernel.ok(f"%connect {own().address}")
    for topic in ("words", "shouts"):
        kernel.ok(f"%%source {topic} --format kafka --option subscribe={topic} --option startingOffsets=earliest")
    kernel.ok("%%stream loud --sink kafka:shouts --checkpoint session:loud --until available-now\nSELECT upper(CAST(value AS STRING)) AS value FROM words")
    kernel.ok("%%stream heard --until available-now\nSELECT CAST(value AS STRING) AS said FROM shouts")
    [said] = tables(kernel, ["%%sql\nSELECT said FROM heard ORDER BY said"])
    assert "HELLO" in said and "WORLD" in said
