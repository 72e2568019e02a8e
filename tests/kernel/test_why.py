"""`%why`: silent queries, each with the reason in words and the figures behind it."""

import json
import os
from pathlib import Path

import pytest

from client import Client

CLICKS = '%%source clicks --format memory --watermark "ts 10 minutes"\nuser STRING, ts TIMESTAMP'
VIEWS = '%%source views --format memory --watermark "at 5 minutes"\nwho STRING, at TIMESTAMP'
WINDOWS = "SELECT window(ts, '5 minutes') AS w, count(*) AS n FROM clicks GROUP BY window(ts, '5 minutes')"


def feed(stream: str, *rows: dict) -> str:
    return f"%%feed {stream}\n" + "\n".join(json.dumps(row) for row in rows)


def click(minute: int, user: str = "ann") -> dict:
    return {"user": user, "ts": f"2024-01-01 12:{minute:02}:00"}


def why(kernel: Client, name: str = "q") -> str:
    [shown] = kernel.ok(f"%why {name}").contents("display_data")
    assert "<div" in shown["data"]["text/html"]
    return shown["data"]["text/plain"]


def answer(text: str) -> str:
    """The first reason."""
    return text.splitlines()[1]


def start(kernel: Client, query: str, flags: str = "", name: str = "q") -> None:
    kernel.ok(f"%%stream {name} {flags}\n{query}")


@pytest.fixture
def clicks(kernel: Client) -> Client:
    kernel.ok(CLICKS)
    return kernel


def test_append_waits_for_windows_to_close(clicks: Client):
    start(clicks, WINDOWS)
    clicks.ok(feed("clicks", click(1), click(7)))
    said = why(clicks)
    assert said.splitlines()[0] == "query 'q': waiting, 2 rows read, last batch 1 wrote 0 rows, append mode", said
    assert answer(said) == (
        "The 2 rows of batch 0 are counted but not written yet: append writes a window when it is closed, and 2 windows are still open; "
        "the next closes when an event at or after 2024-01-01 12:15:00 arrives."
    ), said
    assert "next to close: 2024-01-01 12:00:00 – 2024-01-01 12:05:00" in said
    assert "the watermark is 2024-01-01 11:57:00 (latest event time 2024-01-01 12:07:00 − delay 10 min)" in said
    # The card says so too, and the event that was named closes the window.
    card = clicks.ok("%status q").contents("display_data")[-1]["data"]["text/plain"]
    assert "why: The 2 rows of batch 0 are counted but not written yet: append writes" in card, card
    clicks.ok(feed("clicks", click(15)))
    said = why(clicks)
    assert "wrote 1 row: the query is not silent" in said
    assert said.splitlines()[0].endswith(", 3 rows read, last batch 3 wrote 1 row, append mode"), said


def test_what_is_no_count_is_not_counted(clicks: Client):
    start(clicks, WINDOWS.replace("count(*)", "max(user)"))
    start(clicks, "SELECT user, ts, count(*) AS n FROM clicks GROUP BY user, ts", name="times")
    sessions = "SELECT user, session_window(ts, '5 minutes') AS w, count(*) AS n FROM clicks GROUP BY ALL"
    start(clicks, sessions, name="sessions")
    clicks.ok(feed("clicks", click(1), click(1), click(7)))
    said = answer(why(clicks))
    assert said.startswith("The 3 rows of batch 0 are aggregated but not written yet: append writes a window when"), said
    said = answer(why(clicks, "times"))
    assert "append writes a group when it is complete, and 2 groups are still open; the next is complete when an event at or after 2024-01-01 12:11:00 arrives." in said, said
    said = answer(why(clicks, "sessions"))
    assert "append writes a session when it is over, and 2 sessions are still open; the next is over when" in said, said


def test_a_silent_stream_holds_the_watermark_back(clicks: Client):
    clicks.ok(VIEWS)
    both = "SELECT ts AS t FROM clicks UNION ALL SELECT at AS t FROM views"
    start(clicks, f"SELECT window(t, '5 minutes') AS w, count(*) AS n FROM ({both}) GROUP BY window(t, '5 minutes')")
    clicks.ok(feed("clicks", click(1), click(59)))
    said = why(clicks)
    assert "'views' holds the watermark back: it has brought no row yet, and of several" in said, said
    assert "Meanwhile no window closes." in said, said
    assert "All 2 rows that were added to 'clicks' were read, and none was added to 'views' yet; %%feed adds more." in said, said
    assert "the next closes when an event arrives at or after 2024-01-01 12:10:00 from 'views'" in said, said
    assert "of several streams the slowest decides" in said
    # It speaks; then it is slow.
    clicks.ok(feed("views", {"who": "bob", "at": "2024-01-01 12:02:00"}))
    said = why(clicks)
    assert "'views' holds the watermark back: its latest event time is 2024-01-01 12:02:00" in said, said


def test_an_event_time_that_is_null_moves_no_watermark(clicks: Client):
    start(clicks, WINDOWS)
    start(clicks, "SELECT user, ts, count(*) AS n FROM clicks GROUP BY user, ts", name="keys")
    clicks.ok(feed("clicks", {"user": "ann", "ts": None}, {"user": "bob", "ts": None}))
    said = answer(why(clicks))
    assert said.startswith("The event time 'ts' is NULL in all 2 rows of 'clicks'"), said
    assert "such a row belongs to no window and moves no watermark." in said, said
    said = answer(why(clicks, "keys"))
    assert said.startswith("The event time 'ts' is NULL in all 2 rows of 'clicks'"), said
    assert said.endswith("so the watermark does not move and no group is complete."), said


def test_all_rows_came_too_late(clicks: Client):
    start(clicks, WINDOWS, "--mode update")
    clicks.ok(feed("clicks", click(30)))
    clicks.ok(feed("clicks", click(31)))
    clicks.ok(feed("clicks", click(1), click(2), click(11)))
    said = why(clicks)
    assert answer(said).startswith("All 3 rows of batch") and answer(said).endswith("came too late, so they were dropped."), said
    assert "2 groups of rows" in said and "window.start = 2024-01-01 12:00:00 ended at 2024-01-01 12:05:00" in said, said
    assert "16 min too late" in said and "the watermark was at 2024-01-01 12:21:00 already." in said, said
    assert "batch 2 had read ts = 2024-01-01 12:31:00 from 'clicks', and the delay is 10 min" in said, said
    assert "a delay of more than 26 min in the watermark of 'clicks' would have kept them" in said, said


def test_the_delay_that_is_named_keeps_late_rows(kernel: Client):
    for delay, kept in (("26 minutes", 0), ("27 minutes", 1)):
        kernel.ok(CLICKS.replace("10 minutes", delay))
        start(kernel, WINDOWS, "--mode update")
        for minutes in ((30,), (31,), (1,)):
            kernel.ok(feed("clicks", *map(click, minutes)))
        assert ("came too late" in why(kernel)) == (kept == 0)
        kernel.ok("%stop q")


def test_a_filter_takes_all(clicks: Client):
    start(clicks, "SELECT user FROM clicks WHERE user = 'zoe'")
    clicks.ok(feed("clicks", click(1), click(2)))
    said = why(clicks)
    assert answer(said)== "The filter let none of the 2 rows of batch 0 pass: user = 'zoe'", said
    assert "rows in: 2, rows out: 0" in said


def test_a_join_with_a_table_finds_no_partner(clicks: Client):
    clicks.ok("%%sql\nCREATE TEMPORARY VIEW people AS SELECT 'bob' AS user, 41 AS age")
    start(clicks, "SELECT clicks.user, age FROM clicks JOIN people ON clicks.user = people.user")
    clicks.ok(feed("clicks", click(1), click(2)))
    said = why(clicks)
    assert answer(said) == "The join found no partner for any of the 2 rows of batch 0.", said
    assert "rows of the stream: 2, rows of the table: 1, rows out: 0" in said


def test_a_join_of_streams_waits_for_the_other_side(clicks: Client):
    clicks.ok(VIEWS)
    start(clicks, "SELECT user, at FROM clicks JOIN views ON user = who")
    clicks.ok(feed("clicks", click(1), click(2)))
    said = why(clicks)
    assert answer(said) == "2 rows of 'clicks' wait for a partner: the join holds no row of 'views'.", said
    assert "join: INNER JOIN ON clicks.user = views.who" in said, said
    assert "rows in: 2 of 'clicks' and 0 of 'views'; rows out: 0" in said, said
    assert "In this mode no row waits for the watermark: it only decides how long the state is kept." in said, said
    clicks.ok(feed("views", {"who": "bob", "at": "2024-01-01 12:02:00"}))
    assert "2 rows of 'clicks' and 1 of 'views' wait for a partner: so far none of them match." in why(clicks)


def test_an_outer_join_waits_for_the_watermark(clicks: Client):
    clicks.ok(VIEWS)
    start(clicks, "SELECT user, at FROM clicks LEFT JOIN views ON user = who AND at BETWEEN ts AND ts + INTERVAL 5 MINUTES")
    clicks.ok(feed("clicks", click(1), click(59)))
    said = why(clicks)
    assert "join: LEFT JOIN ON" in said and "come out alone, with NULLs, when" in said, said
    assert "'views' holds the watermark back" in said and "Meanwhile no row comes out without a partner." in said, said


def test_a_join_of_a_stream_with_itself(clicks: Client):
    start(clicks, "SELECT a.user FROM clicks AS a JOIN clicks AS b ON a.user = b.user AND a.ts < b.ts")
    clicks.ok(feed("clicks", click(1)))
    said = why(clicks)
    assert "1 row of the left stream and 1 of the right stream wait for a partner" in said, said
    assert said.count("was added to 'clicks'") == 1, said


def test_a_trigger_is_not_due(clicks: Client):
    clicks.ok('%clock set "2024-01-01 12:00:00"')
    start(clicks, "SELECT user FROM clicks", '--clock manual --trigger "10 seconds"')
    clicks.ok(feed("clicks", click(1)))
    said = why(clicks)
    assert answer(said) == "Not yet: 1 row waits for the next trigger, which is due at 2024-01-01 12:00:10.", said
    clock = 'which stands at 2024-01-01 12:00:00: %clock advance "10 seconds" makes it due'
    assert clock in said, said
    clicks.ok('%clock advance "10 seconds"')
    assert "wrote 1 row" in why(clicks)


def test_a_query_that_ran_once_is_done(clicks: Client):
    start(clicks, "SELECT user FROM clicks", "--trigger once")
    clicks.ok("%await q")
    said = why(clicks)
    assert "its trigger once asks for and has ended" in answer(said), said
    assert "No row was added to 'clicks' yet." in said, said
    start(clicks, "SELECT user FROM clicks LIMIT 1", name="one")
    clicks.ok(feed("clicks", click(1)))
    clicks.ok(feed("clicks", click(2)))
    said = why(clicks, "one")
    assert "The LIMIT is reached" in answer(said) and "All 2 rows that were added to 'clicks' were read." in said, said


def test_update_and_complete_are_told_apart_from_append(clicks: Client):
    start(clicks, WINDOWS, "--mode update")
    start(clicks, WINDOWS, "--mode complete", name="all")
    clicks.ok(feed("clicks", click(1)))
    assert "wrote 1 row" in why(clicks, "all")
    assert "update writes a window each time a batch changes it" in why(clicks)


def test_queries_that_stopped_failed_or_never_were(clicks: Client):
    assert "no query was started yet" in clicks.fails("%why")
    start(clicks, "SELECT user FROM clicks")
    error = clicks.fails("%why nosuch")
    assert "there is no query named 'nosuch'" in error and "q" in error
    clicks.ok("%stop q")
    assert "The query was stopped" in answer(why(clicks))
    start(clicks, "SELECT raise_error(user) AS e FROM clicks", name="f")
    assert "USER_RAISED_EXCEPTION" in clicks.fails(feed("clicks", click(1)))
    said = answer(why(clicks, "f"))
    assert said.startswith("The query has failed, so nothing more comes: [USER_RAISED_EXCEPTION]"), said


class Folder:
    def __init__(self, kernel: Client, path: Path):
        self.kernel, self.path = kernel, path
        path.mkdir()

    def write(self, name: str, row: dict, age: int = 0) -> None:
        path = self.path / name
        path.write_text(json.dumps(row) + "\n")
        time = 1_700_000_000 - age
        os.utime(path, (time, time))

    def start(self, flags: str = "", path: str = "") -> None:
        self.kernel.ok(f"%%source files --path {path or self.path} {flags}\nv BIGINT")
        start(self.kernel, "SELECT v FROM files")
        self.kernel.ok("%process q")


@pytest.fixture
def folder(kernel: Client, tmp_path: Path) -> Folder:
    return Folder(kernel, tmp_path / "in")


def test_an_empty_folder(folder: Folder):
    folder.start()
    assert "is empty: a file is read when it appears there." in answer(why(folder.kernel))
    card = folder.kernel.ok("%status q").contents("display_data")[-1]["data"]["text/plain"]
    assert "why: The folder" in card, card


def test_hidden_files_and_folders(folder: Folder):
    folder.write("_a.json", {"v": 1})
    folder.write(".b.json", {"v": 1})
    (folder.path / "more").mkdir()
    folder.start()
    said = why(folder.kernel)
    assert "2 names in" in answer(said) and "are hidden: names that begin with _ or . are not read." in answer(said)
    assert "_a.json" in said and "recursiveFileLookup" in said, said


def test_files_that_are_too_old(folder: Folder):
    folder.write("new.json", {"v": 1})
    folder.start("--option maxFileAge=1h")
    folder.write("old.json", {"v": 2}, age=7200)
    folder.kernel.ok("%process q")
    said = why(folder.kernel)
    assert "is too old: a file may be at most 1 h older than the newest that was read (maxFileAge)." in said, said
    assert "old.json" in said


def test_a_file_that_is_written_again(folder: Folder):
    folder.write("a.json", {"v": 1}, age=60)
    folder.start()
    folder.write("a.json", {"v": 2})
    folder.kernel.ok("%process q")
    said = why(folder.kernel)
    assert "was written again after it had been read, and a name is read once" in said, said


def test_names_that_do_not_match(folder: Folder):
    folder.write("a.txt", {"v": 1})
    folder.start("--option pathGlobFilter=*.json")
    said = why(folder.kernel)
    assert "1 file is not read: the name does not match pathGlobFilter '*.json'." in answer(said), said
    assert "a.txt" in said


def test_a_path_that_matches_nothing(folder: Folder):
    folder.write("a.txt", {"v": 1})
    folder.start(path=str(folder.path / "*.json"))
    assert "the name does not match the path" in answer(why(folder.kernel))


def test_the_progress_holds_the_facts(clicks: Client):
    start(clicks, "SELECT user FROM clicks WHERE user = 'zoe'")
    clicks.ok(feed("clicks", click(1)))
    progress = json.loads(clicks.ok("%progress q").contents("display_data")[0]["data"]["text/plain"])
    [node] = progress["why"]["nodes"]
    assert node["node"] == "filter" and node["inputs"] == [{"numRows": 1, "isStream": True, "sources": [0]}]
    assert list(progress)[-2:] == ["sink", "why"]


def test_completion_and_help(clicks: Client):
    start(clicks, WINDOWS, name="counts")
    reply = clicks.request("complete_request", {"code": "%why c", "cursor_pos": 6})
    assert reply["content"]["matches"] == ["counts"]
    assert "holds the watermark back" in clicks.ok("%help why").contents("display_data")[0]["data"]["text/plain"]
