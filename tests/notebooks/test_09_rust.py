"""Lesson 9: what its Rust cells show, and that its mistakes are red."""

import json
import re
from collections import Counter
from datetime import datetime, timedelta

import departures
import pytest
from lessons import outputs, printed, read
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
        "session_window(": "AnalysisException",
        "join_using(": "AnalysisException",
        "first_only": "SparkRuntimeException",
        "Duration": "RustCompileError[E0277]",
        "abort()": "RustProcessDied",
    }
    for text, ename in named_so.items():
        [error] = outputs(named(cells, text), "error")
        assert error.ename == ename, error.evalue
    [error] = outputs(named(cells, "first_only"), "error")
    assert "returned a list of length 1 for" in error.evalue and "first_only" in error.evalue
    for text, what in {"session_window(": "session window alone", "join_using(": "needs a watermark"}.items():
        [error] = outputs(named(cells, text), "error")
        assert what in error.evalue
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


def test_a_timeout_lets_the_state_of_a_group_go(cells, folder):
    let_go = timed_out(departures.read(folder / "data" / "departures"), timedelta(hours=2))
    [row] = table(named(cells, "EventTimeTimeout"))
    assert row == {"groups": str(len(let_go)), "flights": str(sum(let_go))}


def timed_out(files, wait):
    """The flights of each group that had none for so long, eight files a micro-batch, by the book."""
    watermark = latest = departures.LONG_AGO
    states, let_go = {}, []
    for first in range(0, len(files) + 8, 8):
        groups = {}
        for event in (event for file in files[first : first + 8] for event in file):
            groups.setdefault((event["carrier"], event["origin"]), []).append(datetime.fromisoformat(event["scheduled"]))
        for key, times in groups.items():
            flights = states.get(key, (0, None))[0] + len(times)
            states[key] = flights, max(*times, watermark) + wait
        gone = [key for key, (_, timeout) in states.items() if key not in groups and timeout < watermark]
        let_go += [states.pop(key)[0] for key in gone]
        latest = max([latest, *(time for times in groups.values() for time in times)])
        watermark = max(watermark, latest - timedelta(hours=2))
    return let_go


def test_a_processor_reports_the_day_that_is_over_and_keeps_the_other(cells, root):
    files = (root / "notebooks" / "data" / "departures").glob("*.json")
    events = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    first, second = ([e for e in events if e["scheduled"].startswith(day)] for day in ("2013-01-01", "2013-01-02"))
    flights = Counter(e["carrier"] for e in first)
    [row] = table(named(cells, "AS airlines"))
    assert row == {"airlines": str(len(flights)), "flights": str(len(first))}
    worst = lambda carrier: max(0.0, *(e["delay"] or 0.0 for e in first if e["carrier"] == carrier))
    reported = [(row["carrier"], int(row["flights"]), float(row["worst"])) for row in table(named(cells, "FROM days ORDER BY"))]
    assert reported == [(carrier, count, worst(carrier)) for carrier, count in flights.most_common(5)]
    [kept] = outputs(named(cells, "%state days"), "display_data")
    assert str(sum(e["carrier"] == "UA" for e in second)) in re.findall(r"\d+", kept.data["text/plain"]), kept.data["text/plain"]
    for name in (NAME, f"zh-TW/{NAME}"):
        prose = {cell.id: cell.source for cell in read(name).cells}["processor-after"]
        assert {str(len(flights)), str(len(first))} <= set(re.findall(r"\d+", prose))


def test_a_query_is_found_by_its_name(cells):
    text = printed(named(cells, "streams().get"))
    assert "failed: false" in text and "StateStoreSaveExec" in text


def test_what_is_written_is_read_again(cells):
    total = sum(int(row["departures"]) for row in table(named(cells, "sum(departures) AS departures FROM")))
    assert value(named(cells, "overwrite")) == f"[Row(departures={total})]"


def test_a_query_is_asked_waited_for_and_stopped(cells, root):
    cell = named(cells, "very_late.stop()?")
    assert "Waiting" in printed(cell) and " batches" in printed(cell)
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


def test_a_type_keeps_its_arguments(cells):
    [shown] = outputs(named(cells, ":type kept"), "execute_result")
    assert shown.data == {"text/plain": "kept: Vec<i32>"}


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
