"""What a front end sees that stays: updates after the cell, interrupts, answers while a cell runs."""

from jupyter_client.manager import start_new_kernel

from client import Client, TIMEOUT

ROWS = [{"k": "a", "v": 1}, {"k": "b", "v": 2}]


def test_interrupt_ends_the_cell_and_leaves_the_query(kernel: Client, events):
    events.arrive(*ROWS)
    kernel.ok(events.source())
    waiting = kernel.send("%%stream all --until rows=1000\nSELECT * FROM events")
    kernel.until(waiting, lambda message: message["msg_type"] == "display_data")
    assert kernel.request("interrupt_request", {}, "control")["content"]["status"] == "ok"
    reply = kernel.reply(waiting)["content"]
    assert reply["status"] == "error" and reply["ename"] == "KeyboardInterrupt"
    kernel.ok("%process all")
    assert "all" in kernel.ok("%stop all").text()


def test_questions_are_answered_while_a_cell_runs(kernel: Client, events):
    events.arrive(*ROWS)
    kernel.ok(events.source())
    waiting = kernel.send("%%stream all --until rows=1000\nSELECT * FROM events")
    kernel.until(waiting, lambda message: message["msg_type"] == "display_data")
    assert kernel.request("kernel_info_request", {})["content"]["status"] == "ok"
    code = "%status a"
    completed = kernel.request("complete_request", {"code": code, "cursor_pos": len(code)})
    assert completed["content"]["matches"] == ["all"]
    code = "%%sql\nSELECT v FROM eve"
    completed = kernel.request("complete_request", {"code": code, "cursor_pos": len(code)})
    assert completed["content"]["matches"] == ["events"]
    inspected = kernel.request(
        "inspect_request", {"code": "events", "cursor_pos": 2, "detail_level": 0}
    )
    view, *columns = inspected["content"]["data"]["text/plain"].splitlines()
    assert view == "stream 'events'" and [column.split()[0] for column in columns] == ["k", "v"]
    kernel.request("interrupt_request", {}, "control")
    assert kernel.reply(waiting)["content"]["status"] == "error"


def test_displays_are_updated_after_their_cell(kernel: Client, events):
    events.arrive(*ROWS)
    kernel.ok(events.source())
    shown = kernel.ok("%%stream all\nSELECT * FROM events")
    [card] = shown.contents("display_data")
    kernel.ok("%process all")
    last = kernel.send("%echo last")
    kernel.collect(last)
    events.arrive(*ROWS)
    update = kernel.until(last, lambda message: message["msg_type"] == "update_display_data")
    assert update["content"]["transient"] == card["transient"]
    assert set(update["content"]["data"]) == set(card["data"])


def test_a_cell_that_is_run_again_forgets_its_old_display(kernel: Client, events):
    events.arrive(*ROWS)
    kernel.ok(events.source())
    kernel.ok("%%stream counts --mode complete\nSELECT k, count(*) AS n FROM events GROUP BY k")
    kernel.ok("%process counts")

    def run_chart() -> str:
        session = kernel.channels.session
        content = {"code": "%chart counts", "silent": False, "store_history": True,
                   "user_expressions": {}, "allow_stdin": True, "stop_on_error": True}
        message = session.msg("execute_request", content, metadata={"cellId": "c1"})
        kernel.channels.shell_channel.send(message)
        executed = kernel.collect(message["header"]["msg_id"])
        [shown] = executed.contents("display_data")
        return shown["transient"]["display_id"]

    old, new = run_chart(), run_chart()
    events.arrive(*ROWS)
    executed = kernel.ok("%process counts")
    ended = kernel.ok("%stop counts")
    updated = [c["transient"]["display_id"]
               for e in (executed, ended) for c in e.contents("update_display_data")]
    assert new in updated and old not in updated


def test_what_the_console_sink_prints_reaches_the_notebook(kernel: Client, events):
    events.arrive(*ROWS)
    kernel.ok(events.source())
    shown = kernel.ok("%%stream all --sink console --until available-now\nSELECT * FROM events")
    assert shown.types[0] == "display_data" and shown.text() == ""
    last = [*shown.contents("display_data"), *shown.contents("update_display_data")]
    assert any("Batch: 0" in content["data"]["text/plain"] for content in last)


def test_a_running_query_does_not_hold_up_shutdown(tmp_path, events):
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path))
    kernel = Client(manager, channels)
    kernel.ok(events.source())
    kernel.ok("%%stream all\nSELECT * FROM events")
    reply = kernel.request("shutdown_request", {"restart": False}, "control")
    assert reply["content"]["status"] == "ok"
    assert manager.provisioner.process.wait(timeout=TIMEOUT) == 0
    channels.stop_channels()


def test_what_a_query_remembers_is_shown_batch_for_batch(kernel: Client, events):
    events.arrive(*ROWS)
    kernel.ok(events.source())
    kernel.ok("%%stream counts --mode update\nSELECT k, count(*) AS n FROM events GROUP BY k")
    kernel.ok("%process counts")
    events.arrive({"k": "a", "v": 3})
    kernel.ok("%process counts")

    def shown(line: str) -> str:
        [display] = kernel.ok(line).contents("display_data")
        assert set(display["data"]) == {"text/html", "text/plain"}
        return display["data"]["text/plain"]

    last = shown("%state counts")
    assert last.startswith("operator 0 (stateStoreSave), store default, after batch 1: 2 rows\n")
    assert "|a    |2          |0           |" in last
    assert "|a    |1          |0           |" in shown("%state counts --at-batch 0")
    assert ": 1 of 2 rows\n" in shown("%state counts --key k=b")
    assert "the columns of the key are k" in kernel.fails("%state counts --key c")
    assert "the batches 0 to 1 are retained" in kernel.fails("%state counts --at-batch 7")
    assert "there is 0 (stateStoreSave)" in kernel.fails("%state counts --operator 1")
    kernel.ok("%stop counts")
    assert shown("%state counts") == last
    kernel.ok("%%stream rows\nSELECT * FROM events")
    kernel.ok("%process rows")
    assert "it keeps no state" in kernel.fails("%state rows")
    assert "no query named" in kernel.fails("%state nobody")
