"""Lesson 9: what its Rust cells show, and that its mistakes are red."""

import json

import pytest
from lessons import outputs, printed
from tables import table

NAME = "09-rust.ipynb"


@pytest.fixture(scope="module")
def cells(executed):
    return list(executed(NAME).values())


def named(cells, text):
    """The code cell that contains a text."""
    [cell] = [cell for cell in cells if cell.cell_type == "code" and text in cell.source]
    return cell


def value(cell):
    [result] = outputs(cell, "execute_result")
    return result.data["text/plain"]


def test_each_mistake_has_its_name(cells):
    named_so = {
        "kept[7]": "RustPanic",
        '"twelve"': "RustError",
        "let wrong": "RustCompileError[E0308]",
        "no_such_table": "AnalysisException",
        "strict(-1.0)": "SparkRuntimeException",
        "first_only": "SparkRuntimeException",
        "Duration": "RustCompileError[E0277]",
        "abort()": "RustProcessDied",
    }
    for text, ename in named_so.items():
        [error] = outputs(named(cells, text), "error")
        assert error.ename == ename, error.evalue
    [error] = outputs(named(cells, "first_only"), "error")
    assert "returned a list of length 1 for" in error.evalue and "first_only" in error.evalue
    [error] = outputs(named(cells, "Duration"), "error")
    told = "\n".join(error.traceback)
    assert "cannot take `Duration`" in told and "allowed are bool, i8" in told, told
    [error] = outputs(named(cells, "strict(-1.0)"), "error")
    assert "negative: -1" in error.evalue and "strict" in error.evalue
    assert value([cell for cell in cells if cell.source == "kept"][0]) == "[1, 2, 3]", "variables survive all of it"


def test_the_card_is_final(cells):
    [card] = outputs(named(cells, 'query_name("per_hour")'), "display_data")
    assert "finished" in card.data["text/plain"]


def test_sql_and_structs_see_the_rows_of_the_query(cells):
    totals = table(named(cells, "sum(departures)"))
    assert [row["origin"] for row in totals] == ["EWR", "JFK", "LGA"]
    assert value(named(cells, "struct Hour")).count("Hour {") == 3


def test_functions_are_called(cells):
    assert {row["punctuality"] for row in table(named(cells, "SELECT how_late"))} <= {"on time", "late", "very late", "unknown"}
    assert "worst_hours" in value(named(cells, "minutes_to_hours"))


def test_batches_and_listeners_see_the_same_batches(cells):
    batches = value(named(cells, "foreach_batch"))
    heard = [line for cell in cells if cell.cell_type == "code" for line in printed(cell).splitlines() if line.startswith("batch ") and " read " in line]
    assert "[" + ", ".join(f"({line.split()[1]}, {line.split()[3]})" for line in heard) + "]" == batches


def test_state_is_kept_from_batch_to_batch(cells, root):
    text = printed(named(cells, "let worst = flights"))
    last = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if len(parts) == 3 and parts[1].isdigit():
            last[parts[0]] = int(parts[1])
    lines = sum(len(file.read_text().splitlines()) for file in (root / "notebooks" / "data" / "departures").glob("*.json"))
    assert sum(last.values()) == lines, "every departure is counted once"


def test_a_timeout_lets_the_state_of_a_group_go(cells):
    [row] = table(named(cells, "EventTimeTimeout"))
    assert 0 < int(row["groups"]) <= int(row["flights"]) < 1773


def test_a_query_is_found_by_its_name(cells):
    text = printed(named(cells, "streams().get"))
    assert "failed: false" in text and "StateStoreSaveExec" in text


def test_what_is_written_is_read_again(cells):
    total = sum(int(row["departures"]) for row in table(named(cells, "sum(departures) AS departures FROM")))
    assert value(named(cells, "overwrite")) == f"[Row(departures={total})]"


def test_a_query_is_asked_waited_for_and_stopped(cells, root):
    cell = named(cells, "very_late.stop()?")
    assert "Waiting" in printed(cell) and "true" in printed(cell)
    files = (root / "notebooks" / "data" / "departures").glob("*.json")
    events = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    late = {(e["carrier"], e["flight"], e["scheduled"]) for e in events if (e.get("delay") or 0) > 60}
    assert value(cell) == str(len(late))
    assert [row["initial"] for row in table(named(cells, "fn initial"))] == ["E", "J", "L"]


def test_threads_and_pictures_are_shown(cells):
    cell = named(cells, "said by a thread")
    assert printed(cell) == "said by a thread\n"
    [picture] = outputs(cell, "execute_result")
    assert picture.data["image/png"].startswith("iVBOR")


def test_plotters_draws(cells):
    [figure] = outputs(named(cells, "evcxr_figure((480"), "execute_result")
    assert "<svg" in figure.data["text/html"] and "<polyline" in figure.data["text/html"]


def test_after_its_process_has_died_the_rows_are_still_there(cells):
    assert int(value(named(cells, 'spark.table("per_hour")?.count()?'))) > 0


def test_displays_show_their_last_state(cells):
    bar, shown = outputs(named(cells, "ProgressBar"), "display_data")
    assert "3 / 3" in bar.data["text/plain"]
    assert shown.data["text/html"] == "<b>second</b>"
    [picture] = outputs(named(cells, "svg("), "execute_result")
    assert picture.data["image/svg+xml"].startswith("<svg")
