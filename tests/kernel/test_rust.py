"""Rust cells: what they show, how they fail, what survives. One kernel serves many tests: evcxr starts once."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

import client
from client import Client, eventually

# Compiles for hours.
ENDLESS = "#[allow(long_running_const_eval)] const X: u64 = { let mut i = 0; while i < 1 << 40 { i += 1 } i }; X"


@pytest.fixture(scope="module")
def rust(tmp_path_factory: pytest.TempPathFactory):
    """A kernel whose compiler has started."""
    folder = tmp_path_factory.mktemp("rust")
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(folder))
    kernel = Client(manager, channels, timeout=300)
    kernel.ok("let warm = 1;")
    yield kernel
    channels.stop_channels()
    manager.shutdown_kernel(now=True)


def value(executed: client.Executed) -> str:
    [result] = executed.contents("execute_result")
    return result["data"]["text/plain"]


def test_the_last_expression_is_shown(rust: Client):
    assert value(rust.ok("21 * 2")) == "42"
    assert value(rust.ok('vec!["a", "b"]')) == '["a", "b"]'
    assert rust.ok("21 * 2;").types == []
    assert rust.ok('println!("x")').types == ["stream"], "the unit value is not shown"


def test_variables_and_items_live_on(rust: Client):
    rust.ok("let mut total = 40;\nfn twice(x: i32) -> i32 { x * 2 }")
    rust.ok("total += twice(1);")
    assert value(rust.ok("total")) == "42"
    shown = rust.ok("%who").contents("display_data")[0]["data"]["text/plain"]
    assert "total" in shown and "i32" in shown and "twice" in shown


def test_evcxr_commands_work(rust: Client):
    rust.ok("let price = 1.5;")
    assert "price: f64" in value(rust.ok(":vars"))
    assert value(rust.ok(":type price")) == "price: f64"


def test_a_panic_is_an_error_and_variables_survive(rust: Client):
    rust.ok("let kept = vec![1, 2];")
    error = rust.fails("let a = 1;\nlet b = kept[7];")
    assert "RustPanic" in error and "index is 7" in error and "line 2 of the cell" in error
    assert value(rust.ok("kept.len()")) == "2"
    assert rust.execute('panic!("once")').types == ["error"]


def test_an_error_passed_on_by_the_question_mark_is_an_error(rust: Client):
    executed = rust.execute('eprintln!("before");\n"x1".parse::<i32>()?;')
    assert executed.status == "error"
    assert executed.text("stderr") == "before\n", "the error's text is not printed beside the error"
    assert executed.reply["content"]["ename"] == "RustError"
    assert "invalid digit found in string" in executed.error


def test_a_compile_error_is_one_error_with_its_code_and_place(rust: Client):
    executed = rust.execute('let ok = 1;\nlet s: String = 5;\nlet n: i32 = "é";')
    assert executed.types == ["error"]
    content = executed.reply["content"]
    assert content["ename"] == "RustCompileError[E0308]"
    assert "mismatched types" in content["evalue"] and "one more" in content["evalue"]
    shown = "\n".join(content["traceback"])
    assert "let s: String = 5;" in plain(shown) and "\x1b[" in shown


def test_sql_without_a_magic_is_pointed_out(rust: Client):
    assert "%%sql" in rust.fails("SELECT 1")


def test_text_is_shown_at_once_and_in_order(rust: Client):
    msg_id = rust.send(
        'print!("a"); std::thread::sleep(std::time::Duration::from_secs(2)); println!("b");'
    )
    first = rust.until(msg_id, lambda m: m["msg_type"] == "stream")
    assert first["content"]["text"] == "a", "text without a newline does not wait"
    rust.collect(msg_id)
    executed = rust.ok('println!("1"); display(html("<b>2</b>")); println!("3");')
    assert executed.types == ["stream", "display_data", "stream"]


def test_threads_print_between_cells_and_block_nobody(rust: Client):
    rust.ok(
        "let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));\n"
        "let told = done.clone();\n"
        "std::thread::spawn(move || {\n"
        '    for i in 0..20_000 { println!("line {i} {}", "x".repeat(20)); }\n'
        "    told.store(true, std::sync::atomic::Ordering::SeqCst);\n"
        "});"
    )
    eventually(lambda: value(rust.ok("done.load(std::sync::atomic::Ordering::SeqCst)")) == "true")


def test_evcxr_content_is_shown_each_time(rust: Client):
    show = 'println!("EVCXR_BEGIN_CONTENT text/html\\n<i>{}</i>\\nEVCXR_END_CONTENT", "x");\n'
    executed = rust.ok(show + show + 'println!("end");')
    assert executed.types == ["display_data", "display_data", "stream"]


def test_large_output(rust: Client):
    executed = rust.ok('for _ in 0..10_000 { println!("{}", "y".repeat(1023)); }')
    assert len(executed.text()) == 10_000 * 1024


def test_displays_are_updated_by_id(rust: Client):
    executed = rust.ok(
        'let shown = display(html("<b>0</b>"));\n'
        'for i in 1..4 { shown.update(html(format!("<b>{i}</b>"))); }'
    )
    [first] = executed.contents("display_data")
    updates = executed.contents("update_display_data")
    assert updates[-1]["data"]["text/html"] == "<b>3</b>"
    ids = {c["transient"]["display_id"] for c in [first, *updates]}
    assert len(ids) == 1


def test_an_interrupt_ends_an_await_and_keeps_variables(rust: Client):
    rust.ok("let before = 7;")
    rust.ok("%%source nothing --path .\nk STRING")
    rust.ok("%%stream endless --sink noop\nSELECT k FROM nothing")
    error = interrupted(rust, 'spark.streams().get("endless")?.unwrap().await_termination(None::<f64>)?;')
    assert "KeyboardInterrupt" in error and "lost" not in error
    assert value(rust.ok("before")) == "7"
    assert "waiting" in rust.ok("%queries").contents("display_data")[0]["data"]["text/plain"]
    rust.ok("%stop endless")


def test_an_interrupt_ends_a_spinning_cell_and_says_what_is_lost(rust: Client):
    rust.ok("let gone = 7;")
    error = interrupted(rust, "loop { std::hint::spin_loop(); }")
    assert "KeyboardInterrupt" in error and "gone" in error and "lost" in error
    assert "E0425" in rust.fails("gone")
    assert value(rust.ok("1 + 1")) == "2", "the next cell runs in a new process"


def test_a_dead_process_is_an_error(rust: Client):
    rust.ok("let doomed = 1;")
    error = rust.fails("std::process::abort();")
    assert "RustProcessDied" in error and "signal 6" in error and "doomed" in error
    assert value(rust.ok("2 + 2")) == "4"


def test_a_function_that_never_returns_can_be_stopped(rust: Client):
    rust.ok('udf("forever", |x: i64| -> i64 { loop { std::thread::sleep(std::time::Duration::from_millis(5)); } })?;')
    msg_id = rust.send("%%sql\nSELECT forever(1)")
    rust.until(msg_id, lambda m: m["msg_type"] == "execute_input")
    rust.request("interrupt_request", {}, channel="control")
    assert "KeyboardInterrupt" in rust.collect(msg_id).error
    rust.ok(
        "std::fs::create_dir_all(\"endless\")?;\n"
        'std::fs::write("endless/0.json", "{\\"n\\": 1}\\n")?;\n'
        'let stuck = spark.read_stream().schema("n BIGINT").json("endless").write_stream()\n'
        "    .foreach_batch(|_batch: DataFrame, id: i64| while id >= 0 { std::thread::sleep(std::time::Duration::from_millis(5)); })\n"
        '    .query_name("stuck").start("")?;'
    )
    rust.ok("%stop stuck")
    assert value(rust.ok("stuck.is_active()?")) == "false"


def test_a_query_outlives_the_process_and_fails_only_when_it_needs_it(rust: Client):
    rust.ok('std::fs::create_dir_all("digits")?; std::fs::write("digits/0.json", "{\\"n\\": 1}\\n")?;')
    rust.ok("%%source digits --path digits\nn BIGINT")
    rust.ok('udf("twice", |n: i64| n * 2)?;')
    rust.ok("%%stream plain --sink noop\nSELECT n FROM digits")
    rust.ok("%%stream doubled --sink noop\nSELECT twice(n) AS n FROM digits")
    rust.ok("%process doubled")
    assert "RustProcessDied" in rust.fails("std::process::abort();")
    rust.ok('std::fs::write("digits/1.json", "{\\"n\\": 2}\\n")?;')
    # It turns a cell red once, whichever runs next.
    error = eventually(lambda: (e := rust.execute("%process plain")).status == "error" and e.error)
    rust.ok("%process plain")
    assert "StreamingQueryException" in error and "twice" in error and "its code is gone" in error
    assert "run the cell that defines it again" in error
    rust.ok("%stop plain")


def test_a_panic_in_a_function_fails_its_query_alone(rust: Client):
    rust.ok('udf("picky", |n: i64| -> i64 {\n    if n > 1 { panic!("not {n}") }\n    n\n})?;')
    error = rust.fails("%%sql\nSELECT picky(5)")
    assert "FAILED_EXECUTE_UDF" in error and "not 5 (line 2 of cell [" in error
    assert rust.ok("%%sql\nSELECT picky(1)").types == ["execute_result"]


def test_a_failure_without_a_name_is_told_although_another_query_follows(rust: Client):
    rust.ok('std::fs::create_dir_all("plums")?; std::fs::write("plums/0.json", "{\\"n\\": 1}\\n")?;')
    error = rust.fails(
        'let plums = spark.read_stream().schema("n BIGINT").json("plums");\n'
        "let failing = plums.write_stream()\n"
        "    .foreach_batch(|_batch: DataFrame, _id: i64| -> Result<()> { Err(Error::new(\"a bad plum\")) })\n"
        '    .start("")?;\n'
        "while failing.is_active()? { std::thread::yield_now(); }\n"
        'let following = plums.write_stream().format("noop").start("")?;'
    )
    assert "StreamingQueryException" in error and "a bad plum" in error
    rust.ok("%stop --all")


def test_a_listener_whose_process_is_gone_says_so_once(rust: Client):
    rust.ok('std::fs::create_dir_all("pears")?; std::fs::write("pears/0.json", "{\\"n\\": 1}\\n")?;')
    rust.ok("%%source pears --path pears\nn BIGINT")
    heard = (
        "struct Ended;\n"
        "impl StreamingQueryListener for Ended {\n"
        '    fn on_query_terminated(&self, _: &QueryTerminatedEvent) { println!("heard"); }\n'
        "}\n"
        "spark.streams().add_listener(Ended)?;"
    )
    rust.ok(heard)
    assert "RustProcessDied" in rust.fails("std::process::abort();")
    query = "%%stream eaten --sink noop --until available-now\nSELECT n FROM pears"
    rust.hears("its code is gone", rust.ok(query).text())
    rust.ok(heard)
    told = rust.hears("heard", rust.ok(query).text())
    assert "its code is gone" not in told


def test_a_question_about_a_variable(rust: Client):
    rust.ok('let pages = 12; let missing: std::result::Result<i32, Error> = Err(Error::new("no book"));')
    [page] = rust.ok("pages?").reply["content"]["payload"]
    assert page["data"]["text/plain"] == "variable 'pages': i32\n"
    assert "no book" in rust.fails("missing?")


def test_completion_and_inspection(rust: Client):
    rust.ok("let numbers: Vec<f64> = vec![1.0];")
    matches = complete(rust, "numbers.le")
    assert "len" in matches
    assert "spark" in complete(rust, "spa")
    rust.ok("%%source clicks --path .\nuser_id STRING, amount DOUBLE")
    assert complete(rust, 'spark.table("cli') == ["clicks"]
    assert "user_id" in complete(rust, 'col("use')
    found = rust.request("inspect_request", {"code": "numbers", "cursor_pos": 3, "detail_level": 0})
    assert found["content"]["found"] and "f64" in found["content"]["data"]["text/plain"]


def test_questions_are_answered_while_a_cell_runs(rust: Client):
    rust.ok("let visible = 1;")
    msg_id = rust.send("std::thread::sleep(std::time::Duration::from_secs(3));")
    rust.until(msg_id, lambda m: m["msg_type"] == "execute_input")
    began = time.monotonic()
    assert "visible" in complete(rust, "visi")
    rust.request("kernel_info_request", {})
    assert time.monotonic() - began < 2.5
    rust.collect(msg_id)


def test_without_a_toolchain_everything_else_works(tidebook: Path, tmp_path: Path):
    manager, channels = start_new_kernel(
        kernel_name="tidebook", cwd=str(tmp_path), env={"PATH": "/nonexistent", "HOME": str(tmp_path)}
    )
    kernel = Client(manager, channels)
    error = kernel.fails("1 + 1")
    assert "RustCellsNotAvailable" in error and "rustup.rs" in error
    assert kernel.ok("%%sql\nSELECT 1 AS one").types == ["execute_result"]
    channels.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("moment", ["programs run", "rust-analyzer reads"])
def test_an_interrupt_ends_the_waiting_for_the_compilers_start(tmp_path: Path, moment: str):
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path))
    kernel = Client(manager, channels, timeout=300)
    msg_id = kernel.send("21 * 2")
    pid = manager.provisioner.pid
    eventually(lambda: below(pid, "cargo"))
    if moment == "rust-analyzer reads":
        # The first program is compiled, the dependencies are named, and the kernel is alone again.
        eventually(lambda: below(pid, "rustc", "--crate-name ctx"))
        eventually(lambda: not below(pid, "cargo") and not below(pid, "rustc"))
    began = time.monotonic()
    kernel.request("interrupt_request", {}, channel="control")
    executed = kernel.collect(msg_id)
    assert executed.status == "error" and "KeyboardInterrupt" in executed.error
    assert time.monotonic() - began < 2
    assert value(kernel.ok("21 * 2")) == "42", "the start went on"
    channels.stop_channels()
    manager.shutdown_kernel(now=True)


def test_an_interrupt_ends_a_compiler(rust: Client):
    rust.ok("let before_compiling = 5;")
    msg_id = rust.send(ENDLESS)
    pid = rust.manager.provisioner.pid
    compilers = eventually(lambda: below(pid, "rustc"))
    began = time.monotonic()
    rust.request("interrupt_request", {}, channel="control")
    executed = rust.collect(msg_id)
    assert executed.status == "error" and "KeyboardInterrupt" in executed.error
    assert time.monotonic() - began < 2
    assert eventually(lambda: not any(is_alive(pid) for pid in compilers)), "no compiler is left behind"
    assert rust.ok("before_compiling").types == ["execute_result"]


def test_a_killed_compiler_takes_nothing_with_it(rust: Client, tmp_path: Path):
    (tmp_path / "0.json").write_text('{"n": 1}\n')
    rust.ok(f"%%source numbers --path {tmp_path}\nn BIGINT")
    rust.ok("%%stream outlives\nSELECT n FROM numbers")
    rust.ok("let lost = 1;")
    msg_id = rust.send(ENDLESS)
    compilers = eventually(lambda: below(rust.manager.provisioner.pid, "rustc"))
    os.kill(compiler(rust), signal.SIGKILL)
    executed = rust.collect(msg_id)
    assert executed.reply["content"]["ename"] == "RustProcessDied"
    assert "signal 9 (killed): the variable" in executed.error and "lost" in executed.error
    assert eventually(lambda: not any(is_alive(pid) for pid in compilers)), "what it had started ends too"
    (tmp_path / "1.json").write_text('{"n": 2}\n')
    rust.ok("%process outlives")
    rows = value(rust.ok("%%sql\nSELECT sum(n) AS total FROM outlives"))
    assert "3" in rows
    rust.ok("%stop outlives")
    assert value(rust.ok("21 * 2")) == "42", "the compiler starts anew"
    assert "cannot find" in rust.fails("lost")


def test_a_compiler_that_hangs_is_ended_by_an_interrupt(rust: Client):
    rust.ok("let gone = 1;")
    os.kill(compiler(rust), signal.SIGSTOP)
    msg_id = rust.send("gone")
    rust.until(msg_id, lambda m: m["msg_type"] == "execute_input")
    began = time.monotonic()
    rust.request("interrupt_request", {}, channel="control")
    executed = rust.collect(msg_id)
    assert time.monotonic() - began < 15
    assert "KeyboardInterrupt" in executed.error and "did not stop" in executed.error
    assert "gone" in executed.error and "lost" in executed.error
    assert value(rust.ok("21 * 2")) == "42"


def test_a_program_that_is_not_built_yet_is_pointed_out(tidebook: Path, tmp_path: Path, monkeypatch):
    alone = tmp_path / "bin" / "tidebook"
    alone.parent.mkdir()
    shutil.copy(tidebook, alone)
    subprocess.run([alone, "install", "--prefix", tmp_path], check=True)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path))
    kernel = Client(manager, channels)
    error = kernel.fails("1 + 1")
    assert "RustCellsNotAvailable" in error and "not built" in error and "./install.sh" in error
    with open(alone.with_name("tidebook-rust.progress"), "w") as progress:
        fcntl.flock(progress, fcntl.LOCK_EX)
        progress.write("12 of 480 crates\n")
        progress.flush()
        error = kernel.fails("1 + 1")
        assert "RustCellsNotAvailable" in error and "12 of 480 crates" in error
    assert "not built" in kernel.fails("1 + 1"), "nobody builds it any more"
    assert kernel.ok("%%sql\nSELECT 1 AS one").types == ["execute_result"]
    channels.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("how", ["shutdown", "kill"])
def test_the_end_of_the_kernel_ends_the_compiler(tmp_path: Path, how: str):
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path))
    kernel = Client(manager, channels, timeout=300)
    kernel.ok("let warm = 1;")
    pid = compiler(kernel)
    pids = below(pid, "tidebook-rust")
    assert len(pids) == 4, "the compiler, its cleaner, the relay, user code"
    folder = command(pid)[1]
    assert Path(folder, "target").is_dir()
    kernel.send(ENDLESS)
    pids += eventually(lambda: below(pid, "rustc"))
    channels.stop_channels()
    manager.shutdown_kernel(now=how == "kill")
    assert eventually(lambda: not any(is_alive(pid) for pid in pids)), pids
    assert eventually(lambda: not Path(folder, "target").exists())


def compiler(kernel: Client) -> int:
    """The process that compiles the cells of a kernel."""
    [pid] = [pid for pid in below(kernel.manager.provisioner.pid, "tidebook-rust")
             if parent(pid) == kernel.manager.provisioner.pid]
    return pid


def is_alive(pid: int) -> bool:
    return Path("/proc", str(pid), "exe").exists()


def parent(pid: int) -> int:
    return int(Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()[1])


def command(pid: int) -> list[str]:
    return Path("/proc", str(pid), "cmdline").read_text().split("\0")


def below(pid: int, program: str, arguments: str = "") -> list[int]:
    """The processes below another one that run a program, with these words among its arguments."""
    parents, commands = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = stat.read_text().split("(", 1)[1].rsplit(")", 1)
            command = stat.with_name("cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        parents[int(stat.parent.name)], commands[int(stat.parent.name)] = int(rest.split()[1]), (name, command)

    def is_below(process: int) -> bool:
        while process not in (0, pid):
            process = parents.get(process, 0)
        return process == pid

    return [process for process, (name, command) in commands.items()
            if name == program and arguments in command and is_below(process)]


def complete(kernel: Client, code: str) -> list[str]:
    content = {"code": code, "cursor_pos": len(code)}
    return kernel.request("complete_request", content)["content"]["matches"]


def interrupted(kernel: Client, code: str) -> str:
    """Interrupts a cell once its code runs; gives the error, which must come within two seconds."""
    msg_id = kernel.send('println!("on");\n' + code)
    kernel.until(msg_id, lambda m: m["msg_type"] == "stream")
    began = time.monotonic()
    kernel.request("interrupt_request", {}, channel="control")
    executed = kernel.collect(msg_id)
    assert executed.status == "error", executed.messages
    assert time.monotonic() - began < 2
    return executed.error


def plain(text: str) -> str:
    """Text without its colours."""
    return re.sub("\x1b\\[[0-9;]*m", "", text)
