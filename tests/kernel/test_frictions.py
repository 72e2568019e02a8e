"""Where people who are new here stumble: each is typed as they typed it, and the answer helps."""

import json
import shutil

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
    said = eventually(lambda: [text for text in [status(kernel, "all")] if "is gone" in text])
    assert said[0].count(f"Waiting for data to arrive: '{ev}' is gone") == 2, "in the status and on the card"
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
