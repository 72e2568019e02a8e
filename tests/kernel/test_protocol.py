"""The Jupyter protocol: the conformance suite without a single skip, and what it does not cover."""

import json
import os
import signal
import socket
import subprocess
import time

import jupyter_kernel_test as suite
import pytest
import zmq
from jupyter_client.manager import KernelManager

from client import TIMEOUT, Client

# The suite skips what has no sample; here that is a failure.
suite.SkipTest = AssertionError


class ConformanceTests(suite.KernelTests):
    kernel_name = "tidebook"
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = '%echo "hello, world"'
    code_stderr = "%echo --stderr careful"
    completion_samples = [
        {"text": "%sta", "matches": {"%state", "%status"}},
        {"text": "%%s", "matches": {"%%source", "%%sql", "%%stream"}},
        {"text": "%%stream counts --mo", "matches": {"--mode"}},
        {"text": "%%stream counts --mode u", "matches": {"update"}},
    ]
    complete_code_samples = ["%lsmagic", "%%sql\nSELECT 1\n\n", "let x = 1;"]
    incomplete_code_samples = ["%%", "%%sql\nSELECT 1", "fn f() {"]
    invalid_code_samples = ["%status 'counts", "f(]"]
    code_page_something = "stream?"
    code_generate_error = "%%stream counts --mode updte\nSELECT 1"
    code_execute_result = [
        {"code": "%%sql\nSELECT 1 AS one", "mime": "text/html"},
        {"code": "%%sql\nSELECT 2 AS two", "mime": "text/plain"},
    ]
    code_display_data = [
        {"code": "%lsmagic", "mime": "text/html"},
        {"code": "%help stream", "mime": "text/markdown"},
    ]
    code_history_pattern = "%%sql?SELECT 1*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "%%stream"
    code_clear_output = "%clear"


class WelcomeTests(suite.IopubWelcomeTests):
    kernel_name = "tidebook"
    support_iopub_welcome = True


def test_execution_is_counted_from_one(kernel: Client):
    assert kernel.ok("%echo a").reply["content"]["execution_count"] == 1
    assert kernel.ok("%echo b").reply["content"]["execution_count"] == 2
    silent = kernel.execute("%echo c", silent=True)
    assert silent.types == [], "a silent cell says nothing"
    assert kernel.execute("%echo d", store_history=False).reply["content"]["execution_count"] == 2
    assert kernel.ok("%echo e").reply["content"]["execution_count"] == 3


def test_an_empty_cell_is_fine(kernel: Client):
    assert kernel.ok("").types == []
    assert kernel.ok("-- only a comment").types == []


def test_lines_of_magics_run_in_order(kernel: Client):
    assert kernel.ok("%echo one\n\n%echo two").text() == "one\ntwo\n"
    executed = kernel.execute("%echo one\n%nonsense\n%echo two")
    assert executed.status == "error" and executed.text() == "one\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("%%strem c\nSELECT 1", "use %%stream"),
        ("%sql SELECT 1", "write %%sql"),
        ("%%stream c --modde update\nSELECT 1", "%%stream c --mode update"),
        ("%%stream c --until rows\nSELECT 1", "--until rows=100"),
        ("%%stream c --sink parquet\nSELECT 1", "--sink parquet:DIR"),
        ("%%stream c --trigger hourly\nSELECT 1", "--trigger \"1 second\""),
        ("%%stream c", "no query below"),
        ("%%source s\na INT", "--path DIR"),
        ("%%source s --path . --watermark ts\na INT", "ts 10 minutes"),
        ("%status", "no query was started yet"),
        ("%stop", "%stop --all"),
        ("%await --timeout soon", "no query was started yet"),
        ("%status 'a", "quote is not closed"),
        ("nothing?", "no magic, variable, view or query named 'nothing'"),
    ],
)
def test_mistakes_come_with_what_to_write(kernel: Client, code: str, said: str):
    error = kernel.fails(code)
    assert error.splitlines()[0].find("UsageError") >= 0, error
    assert said in error


def test_cells_behind_a_failed_one_are_aborted(kernel: Client):
    failing, behind = kernel.send("%nonsense"), kernel.send("%echo never")
    assert kernel.collect(failing).status == "error"
    assert kernel.collect(behind).status == "aborted"
    assert kernel.ok("%echo again").text() == "again\n"
    failing = kernel.send("%nonsense", stop_on_error=False)
    behind = kernel.send("%echo on")
    assert kernel.collect(failing).status == "error"
    assert kernel.collect(behind).text() == "on\n"


def test_text_in_a_row_is_one_message(kernel: Client):
    executed = kernel.ok("\n".join(f"%echo {n}" for n in range(100)))
    assert executed.types == ["stream"]
    assert executed.text() == "".join(f"{n}\n" for n in range(100))


def test_idle_interrupts_are_harmless(kernel: Client):
    for _ in range(3):
        assert kernel.request("interrupt_request", {}, "control")["content"] == {"status": "ok"}
    assert kernel.ok("%echo alive").text() == "alive\n"


def test_a_request_that_makes_no_sense_is_answered(kernel: Client):
    for msg_type in ("execute_request", "complete_request", "history_request", "odd_request"):
        reply = kernel.request(msg_type, {"silly": True})
        assert reply["msg_type"] == msg_type.replace("_request", "_reply")
        assert reply["content"]["status"] == "error"
    assert kernel.ok("%echo alive").text() == "alive\n"


def test_unknown_comms_are_closed(kernel: Client):
    session = kernel.channels.session
    opening = session.msg("comm_open", {"comm_id": "c1", "target_name": "t", "data": {}})
    kernel.channels.shell_channel.send(opening)
    messages = list(kernel.broadcasts(opening["header"]["msg_id"]))
    assert [m["content"]["comm_id"] for m in messages if m["msg_type"] == "comm_close"] == ["c1"]
    assert kernel.request("comm_info_request", {})["content"] == {"status": "ok", "comms": {}}


def test_messages_with_a_wrong_signature_are_dropped(kernel: Client):
    session = kernel.channels.session
    key, session.key = session.key, b"not the key"
    kernel.channels.execute("%echo forged")
    session.key = key
    assert kernel.ok("%echo signed").text() == "signed\n"
    assert kernel.ok("%echo 2").reply["content"]["execution_count"] == 2


def test_kernel_info_is_that_of_protocol_5_5(kernel: Client):
    content = kernel.request("kernel_info_request", {})["content"]
    assert content["protocol_version"] == "5.5"
    assert isinstance(content["language_info"]["codemirror_mode"], str)
    assert content["debugger"] is False and content["help_links"]


def test_control_answers_kernel_info_too(kernel: Client):
    assert kernel.request("kernel_info_request", {}, "control")["content"]["status"] == "ok"


def test_cursor_positions_are_code_points(kernel: Client):
    code = "%echo \U0001F30A\n%sta"
    content = kernel.request("complete_request", {"code": code, "cursor_pos": len(code)})["content"]
    assert content["matches"] == ["%status", "%state"]
    assert code[content["cursor_start"]:content["cursor_end"]] == "%sta"


def test_shutdown_is_answered_and_the_process_ends(kernel: Client):
    started = time.monotonic()
    reply = kernel.request("shutdown_request", {"restart": False}, "control")
    assert reply["content"] == {"status": "ok", "restart": False}
    kernel.manager.provisioner.process.wait(timeout=TIMEOUT)
    assert time.monotonic() - started < 2.5, "Jupyter would have sent SIGTERM"


def test_sigterm_ends_the_process_in_order(kernel: Client):
    process = kernel.manager.provisioner.process
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=TIMEOUT) == 0


def test_restart_gives_a_fresh_kernel(kernel: Client):
    kernel.ok("%echo a")
    kernel.manager.restart_kernel()
    kernel.channels.wait_for_ready(timeout=TIMEOUT)
    assert kernel.ok("%echo b").reply["content"]["execution_count"] == 1


def test_a_client_that_vanishes_harms_nobody(kernel: Client):
    other = kernel.manager.client()
    other.start_channels()
    other.wait_for_ready(timeout=TIMEOUT)
    other.execute("%echo gone")
    other.stop_channels()
    assert kernel.ok("%echo alive").text() == "alive\n"


def test_help_is_where_one_looks_for_it(kernel: Client):
    for code in ("%help stream", "%%stream --help", "%%stream counts -h\nSELECT 1"):
        [shown] = kernel.ok(code).contents("display_data")
        assert shown["data"]["text/plain"].startswith("%%stream NAME")


def test_a_client_that_sends_rubbish_harms_nobody(kernel: Client):
    info = kernel.manager.get_connection_info()
    for port in ("shell_port", "control_port", "stdin_port", "iopub_port", "hb_port"):
        with socket.create_connection((info["ip"], info[port])) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n" * 10)
    assert kernel.ok("%echo alive").text() == "alive\n"
    assert kernel.channels.hb_channel.is_beating()


def test_unix_sockets_work(tmp_path):
    manager = KernelManager(kernel_name="tidebook", transport="ipc", ip=str(tmp_path / "k"))
    manager.start_kernel(cwd=str(tmp_path))
    channels = manager.client()
    channels.start_channels()
    try:
        channels.wait_for_ready(timeout=TIMEOUT)
        assert Client(manager, channels).ok("%echo ipc").text() == "ipc\n"
        os.kill(manager.provisioner.process.pid, signal.SIGKILL)
        manager.restart_kernel(now=True)
        channels.wait_for_ready(timeout=TIMEOUT)
        assert Client(manager, channels).ok("%echo again").text() == "again\n"
    finally:
        channels.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_missing_connection_file_is_named(tidebook, tmp_path):
    missing = tmp_path / "no.json"
    ended = subprocess.run([tidebook, "kernel", "-f", missing], capture_output=True, text=True)
    assert ended.returncode != 0
    assert str(missing) in ended.stderr


def test_the_kernelspec_is_complete(kernelspec):
    spec = json.loads((kernelspec / "kernel.json").read_text())
    assert spec["display_name"] == "Tidebook"
    assert spec["interrupt_mode"] == "message"
    assert spec["metadata"] == {"debugger": False}
    assert os.path.isabs(spec["argv"][0])
    for logo in ("logo-32x32.png", "logo-64x64.png", "logo-svg.svg"):
        assert (kernelspec / logo).stat().st_size > 0


def test_an_installed_link_stays_a_link(tidebook, tmp_path):
    link = tmp_path / "bin" / "tidebook"
    link.parent.mkdir()
    link.symlink_to(tidebook)
    subprocess.run([link, "install", "--prefix", tmp_path], check=True)
    spec = tmp_path / "share" / "jupyter" / "kernels" / "tidebook" / "kernel.json"
    assert json.loads(spec.read_text())["argv"][0] == str(link)


def test_doctor_says_what_is_missing(tidebook, tmp_path):
    poor = {"PATH": str(tmp_path), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    ended = subprocess.run([tidebook, "doctor"], capture_output=True, text=True, env=poor)
    assert ended.returncode == 0, ended.stdout
    assert "missing  rust" in ended.stdout and "disables Rust cells" in ended.stdout
    broken = {**poor, "TMPDIR": str(tmp_path / "none")}
    ended = subprocess.run([tidebook, "doctor"], capture_output=True, text=True, env=broken)
    assert ended.returncode == 1 and str(tmp_path / "none") in ended.stdout
