"""Where people who are new here stumble: each is typed as they typed it, and the answer helps."""

import json
import re
import shutil
import subprocess

import pytest
from client import Client, eventually

EVENTS = "user_id STRING, event_id STRING, category STRING, amount DOUBLE, ts TIMESTAMP"
GROUPED = "SELECT category, count(*) AS n FROM ev GROUP BY category"


@pytest.fixture
def ev(kernel: Client, tmp_path):
    """A folder of events, as the stream `ev`."""
    folder = tmp_path / "in"
    folder.mkdir()
    row = {"user_id": "u1", "event_id": "e1", "category": "books", "amount": 1.5, "ts": "2024-01-01 10:00:00"}
    (folder / "1.json").write_text(json.dumps(row) + "\n")
    kernel.ok(f"%%source ev --format json --path in\n{EVENTS}")
    return folder


def offered(kernel: Client, code: str) -> list[str]:
    """What Tab offers at the end of a cell, in its order."""
    reply = kernel.request("complete_request", {"code": code, "cursor_pos": len(code)})
    return reply["content"]["matches"]


def told(kernel: Client, code: str) -> str:
    """What Shift-Tab tells at the end of a cell."""
    reply = kernel.request("inspect_request", {"code": code, "cursor_pos": len(code), "detail_level": 0})
    return reply["content"]["data"].get("text/plain", "")


def status(kernel: Client, name: str) -> str:
    """What %status shows at first: the status and the card."""
    return "\n".join(content["data"]["text/plain"] for content in kernel.ok(f"%status {name}").contents("display_data"))


def plain(executed) -> str:
    shown = [*executed.contents("display_data"), *executed.contents("update_display_data")]
    return "\n".join(content["data"]["text/plain"] for content in shown)


@pytest.mark.usefixtures("ev")
@pytest.mark.parametrize("code, message, hint", [
    ("%%stream d\nSELECT DISTINCT user_id, event_id FROM ev", "append needs a watermark", '--watermark "ts 10 minutes" to %%source ev'),
    ("%%stream g --mode complete\nSELECT category, count(*) FROM ev", "column 'category' is neither in GROUP BY nor in an aggregate", "add GROUP BY"),
    ("%%sql\nSELECT * FROM json.`in` WHERE amount == 1 && amount > 1", "'&&' means nothing here", "write AND"),
    ("%%sql\nSELECT cuont(1)", "function 'cuont' does not exist", "did you mean 'count'?"),
    ("%%source s --format json --path in --max-files-per-trigger 0\na INT", "a number from 1 up", "%help source"),
    ("%%source s --format json --path in --watermark ts 10 minutes\nts TIMESTAMP", "10", '--watermark "ts 10 minutes"'),
    (f"%%stream t --trigger 10 seconds\n{GROUPED}", "10", '--trigger "10 seconds"'),
    ("%%sql\nSELECT * FROM json.`nowhere`", "path 'nowhere' does not exist", "relative paths start at"),
])
def test_a_refusal_names_the_thing_and_the_way_out(kernel: Client, code, message, hint):
    error = kernel.fails(code)
    assert message in error and hint in error.split("hint:")[1], error


@pytest.mark.usefixtures("ev")
def test_a_column_that_is_not_there_gets_each_column_once(kernel: Client):
    error = kernel.fails(f"%%stream o --mode complete\nSELECT * FROM ({GROUPED}) ORDER BY nosuch")
    assert error.endswith("the columns are category, n") and "did you mean" not in error, error


@pytest.mark.usefixtures("ev")
def test_no_guess_where_nothing_is_near_and_types_have_sparks_names(kernel: Client):
    assert "did you mean" not in kernel.fails("%%sql\nSELECT nosuch(1)")
    error = kernel.fails("%%sql\nSELECT array(1.5D) + 1")
    assert "ARRAY<DOUBLE>" in error and "Float64" not in error


@pytest.mark.usefixtures("ev")
def test_files_are_a_table_by_format_and_path(kernel: Client):
    [result] = kernel.ok("%%sql\nSELECT event_id FROM json.`in`").contents("execute_result")
    assert "e1" in result["data"]["text/plain"]


def test_a_folder_that_is_gone_is_told(kernel: Client, ev):
    kernel.ok("%%stream all\nSELECT * FROM ev")
    kernel.ok("%process all")
    assert "is gone" not in status(kernel, "all")
    away = ev.with_name("away")
    shutil.move(ev, away)
    gone = f"Waiting for data to arrive: '{ev}' is gone"
    # In the status and on the card, which are looked at one after the other.
    eventually(lambda: status(kernel, "all").count(gone) == 2)
    shutil.move(away, ev)
    eventually(lambda: "is gone" not in status(kernel, "all"))


@pytest.mark.usefixtures("ev")
def test_tab_offers_what_can_stand_there(kernel: Client):
    assert offered(kernel, "%%sql\nSELECT * FROM ")[0] == "ev"
    assert {"user_id", "amount"} <= set(offered(kernel, "%%sql\nSELECT e. FROM ev e"[:14]) + offered(kernel, "%%sql\nSELECT * FROM ev WHERE ev."))
    assert any(match.startswith("date_format") for match in offered(kernel, "%%sql\nSELECT date_fo"))
    kernel.ok(f"%%stream counts --mode complete --until available-now\n{GROUPED}")
    for flag in ("x", "y", "by"):
        assert set(offered(kernel, f"%chart counts --{flag} ")) >= {"category", "n"}, flag
    assert any(match.strip('"').startswith("ts") for match in offered(kernel, '%%stream counts2 --option x=1\nSELECT t'))


@pytest.mark.usefixtures("ev")
def test_shift_tab_tells_of_functions_columns_and_magics(kernel: Client):
    assert "window(time, duration" in told(kernel, "%%sql\nSELECT window")
    assert "date_format" in told(kernel, "%%sql\nSELECT date_format")
    assert "TIMESTAMP" in told(kernel, "%%sql\nSELECT * FROM ev WHERE ts")
    assert "window(" in plain_payload(kernel, "?window")


def plain_payload(kernel: Client, code: str) -> str:
    executed = kernel.ok(code)
    payload = executed.reply["content"].get("payload", [])
    return executed.text() + plain(executed) + json.dumps([part["data"] for part in payload])


def test_the_first_query_of_a_session_has_a_card_in_rust(kernel: Client, ev):
    kernel.timeout = 300
    query = f'spark.read_stream().format("json").schema("{EVENTS}").load(Some("{ev}")).write_stream().format("memory")'
    first = kernel.ok(f'{query}.query_name("first").start("")?')
    again = kernel.ok(f'{query}.query_name("again").start("")?')
    for executed, name in ((first, "first"), (again, "again")):
        shown = [*executed.contents("display_data"), *executed.contents("execute_result")]
        assert any(f"{name} " in content["data"]["text/plain"] and "batches" in content["data"]["text/plain"] for content in shown), name


# What the chapter writes in Python, and what each cell of it is told to write here.
PYTHON = {
    'streaming_df = spark.readStream.format("json").schema(schema).option("path", input_path).load()': "%%source NAME",
    'kafka_df = (spark\n    .readStream\n    .format("kafka")\n    .load())': "%%source NAME",
    'processed_df = streaming_df.filter(col("status") == "active").withColumn("processed_time", current_timestamp())': ".with_column(…)",
    'aggregated_df = streaming_df.groupBy("category").agg(count("*").alias("count"))': "GROUP BY",
    'query = processed_df.writeStream.outputMode("append").format("console").start()': "%%stream NAME",
    'streaming_df.groupBy(window(col("timestamp"), "5 minutes")).agg(count("*").alias("count"))': "GROUP BY",
    'deduped_df = streaming_df.withWatermark("timestamp", "1 hour").dropDuplicates(["user_id", "event_id"])': "--watermark",
    "query.lastProgress['inputRowsPerSecond']": "%progress NAME",
    "query.awaitTermination()": "%await NAME",
    'def on_query_progress(event):\n    print(f"Batch: {event.progress.batchId}")': "%%pyspark",
    "from pyspark.sql import SparkSession": "%%pyspark",
    "print('hello')": "%%pyspark",
    "# a comment": "%%pyspark",
}


@pytest.mark.parametrize("code", PYTHON)
def test_the_chapters_python_gets_a_sentence_before_anything_is_compiled(kernel: Client, code):
    error = kernel.fails(code)
    assert error.count("\n") == 1 and "this looks like Python; a cell without a magic is Rust" in error
    assert PYTHON[code] in error.split("hint:")[1], error


@pytest.mark.parametrize("code", ["show tables", "insert into t values (1)", "select * from ev", "explain select 1"])
def test_sql_without_its_magic_is_told_however_it_is_written(kernel: Client, code):
    assert "put %%sql" in kernel.fails(code)


def test_a_new_variable_begins_with_let(kernel: Client):
    assert "let x = …" in kernel.fails("x = 5")


@pytest.mark.usefixtures("ev")
@pytest.mark.parametrize("condition", ["amount > 1 || amount < 0", "user_id = 'u1' || user_id = 'u2'", "(amount > 1) || (amount < 0)"])
def test_or_is_told_where_texts_would_be_joined(kernel: Client, condition):
    for cell in ("%%sql\nSELECT * FROM json.`in` WHERE ", "%%stream o --sink noop --until available-now\nSELECT * FROM ev WHERE "):
        assert "write OR" in kernel.fails(cell + condition).split("hint:")[1]


def test_columns_are_compared_and_joined_by_methods_in_rust(kernel: Client):
    kernel.timeout = 300
    assert ".eq(1)" in kernel.fails('lit(1).alias("a") == lit(2)')
    assert ".or(" in kernel.fails('lit(true) || lit(false)')


@pytest.mark.usefixtures("ev")
def test_a_stopped_query_is_not_said_to_have_caught_up(kernel: Client):
    kernel.ok("%%stream all\nSELECT * FROM ev")
    kernel.ok("%%stream other\nSELECT * FROM ev")
    assert "'other' has processed" in kernel.ok("%process").text()
    kernel.ok("%stop other")
    assert "'all' has processed" in kernel.ok("%process").text(), "one that runs comes first"
    kernel.ok("%stop all")
    assert "has ended" in kernel.ok("%process").text()
    assert plain(kernel.ok("%queries")).count("stopped") == 2


@pytest.mark.usefixtures("ev")
def test_a_console_tells_how_to_see_what_it_cuts(kernel: Client):
    query = "SELECT current_timestamp() AS at, window(ts, '5 minutes') AS w FROM ev"
    cut = plain(kernel.ok(f"%%stream cut --sink console --until available-now\n{query}"))
    assert "...|" in cut and "values are cut after 20 characters: --option truncate=false" in cut
    whole = plain(kernel.ok(f"%%stream whole --sink console --option truncate=false --until available-now\n{query}"))
    assert "{2024-01-01 10:00:00, 2024-01-01 10:05:00}" in whole and "..." not in whole


def test_a_resumed_query_counts_batches_and_rows_from_the_same_start(kernel: Client, ev):
    start = "%%stream kept --sink noop --checkpoint session:kept --until available-now\nSELECT * FROM ev"
    kernel.ok(start)
    row = {"user_id": "u2", "event_id": "e2", "category": "food", "amount": 2.5, "ts": "2024-01-01 10:01:00"}
    (ev / "2.json").write_text(json.dumps(row) + "\n" + json.dumps(row) + "\n")
    last = plain(kernel.ok(start)).split("kept ")[-1].split()
    assert last[last.index("batches") + 1] == "1" and last[last.index("rows") + 2] == "2", last


@pytest.mark.usefixtures("ev")
def test_a_card_does_not_go_on_waiting_when_its_kernel_has_ended(kernel: Client):
    kernel.ok("%%stream all\nSELECT * FROM ev")
    [waiting] = [c for c in kernel.ok("%status all").contents("display_data") if "transient" in c and c["transient"].get("display_id")]
    assert "as of" in waiting["data"]["text/plain"], "a card that may change says when it was true"
    kernel.channels.shutdown()
    last = kernel.shown_at_last(waiting["transient"]["display_id"])
    assert "stopped" in last and "as of" not in last


def test_no_colours_of_another_language_lie_over_magics(kernel: Client):
    language = kernel.request("kernel_info_request", {})["content"]["language_info"]
    assert (language["codemirror_mode"], language["pygments_lexer"]) == ("text/plain", "text")


@pytest.mark.usefixtures("ev")
def test_errors_are_readable_on_every_ground(kernel: Client):
    error = kernel.fails("%%sql\nSELECT nosuch FROM json.`in`")
    codes = set(re.findall(r"\x1b\[([0-9;]*)m", error))
    assert codes <= {"0", "1"}, "bold, and no colour"


def test_doctor_looks_beside_itself_first(tidebook, tmp_path):
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "tidebook").symlink_to(tidebook)
    (bin / "jupyter").write_text("#!/bin/sh\n")
    subprocess.run([bin / "tidebook", "install", "--prefix", tmp_path], check=True, capture_output=True)
    elsewhere = {"PATH": "/nowhere", "HOME": str(tmp_path / "home")}
    said = subprocess.run([bin / "tidebook", "doctor"], capture_output=True, text=True, env=elsewhere).stdout
    assert f"jupyter      {bin / 'jupyter'}" in said and f"{bin}/../share/jupyter/kernels/tidebook" in said, said


@pytest.mark.usefixtures("ev")
def test_the_panel_of_a_silent_batch_leads_to_why(kernel: Client):
    kernel.ok("%%stream none --until available-now\nSELECT * FROM ev WHERE amount > 100")
    [shown] = kernel.ok("%progress none").contents("display_data")
    assert "%why none says why" in shown["data"]["text/html"] and "nodes" not in shown["data"]["text/html"]
