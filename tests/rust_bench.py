"""How long Rust cells take: the first one of a kernel, and those that follow; what functions of user code cost.

Measured on raw sockets as in kernel_bench.py, whose kernel this uses. evcxr_jupyter, which compiles
cells with the same evcxr, is measured in the same way; its cell that starts a query ends where ours
would reach the engine.
"""

import json
import re
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from kernel_bench import BIN, KERNELS, Kernel, cell, spread

ROOT = Path(__file__).resolve().parent.parent
EVCXR = ROOT / "tests/.out/evcxr/bin/evcxr_jupyter"
FIRST = 5
WARM = 15
ROWS = 4_000_000
LINES = 1_000_000
NESTED = 20

FRAME = """spark.read_stream().schema("k INT, ts TIMESTAMP").json("{data}")
    .group_by([window("ts", "10 seconds").alias("w"), col("k")]).count()
    .write_stream().format("memory").output_mode("complete").trigger(Trigger::Once).query_name("q{run}").start("")?;"""


def main():
    evcxr = shutil.which("evcxr_jupyter") or shutil.which(EVCXR)
    names = ["tidebook"]
    if evcxr:
        KERNELS["evcxr_jupyter"] = [evcxr, "--control_file"]
        names.append("evcxr_jupyter")
    else:
        print("  evcxr_jupyter is not here: cargo install evcxr_jupyter --locked --root tests/.out/evcxr")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "rows").mkdir()
        (folder / "rows/0.json").write_text(json.dumps({"k": 1, "ts": "2013-01-01 05:00:00"}) + "\n")
        first = {name: [] for name in names}
        spawned = {name: [] for name in names}
        for _ in range(FIRST):
            for name in names:
                with Kernel(name, folder) as kernel:
                    first[name].append(timed(kernel, "21 * 2"))
                    spawned[name].append(kernel.ready_after + first[name][-1])
        beside("first Rust cell, once ready", first, 1, "s", "aim 3 s")
        beside("the same, from spawn", spawned, 1, "s")
        warm = {}
        if evcxr:
            with Kernel("evcxr_jupyter", folder) as kernel:
                prelude = json.dumps(str(ROOT / "kernel/prelude"))
                execute(kernel, f":dep tidebook = {{ path = {prelude} }}", patience=600)
                execute(kernel, "use tidebook::prelude::*;")
                warm["evcxr_jupyter"] = warm_cells(kernel, folder)
        with Kernel("tidebook", folder) as kernel:
            execute(kernel, "21 * 2")
            warm = {"tidebook": warm_cells(kernel, folder)} | warm
            beside("warm cell that starts a query", warm, 1000, "ms", "aim 500 ms")
            functions(kernel, folder)
            sizes(kernel)


def warm_cells(kernel, folder):
    return [timed(kernel, FRAME.format(data=folder / "rows", run=run)) for run in range(WARM)]


def functions(kernel, folder):
    execute(kernel, 'udf("plus_one", |x: f64| x + 1.0)?; udf("same", |x: i64| x)?;')
    lines = folder / "lines"
    lines.mkdir()
    for file in range(8):
        text = "".join(f'{{"v":{file}.{row}}}\n' for row in range(LINES // 8))
        (lines / f"{file}.json").write_text(text)
    execute(kernel, f'spark.read().schema("v DOUBLE").json("{lines}").create_or_replace_temp_view("lines")?;')
    rows_per_second(kernel, "lines", LINES, "over JSON files", "aim 5 M rows/s, half of the above")
    values = f"SELECT CAST(value AS DOUBLE) AS v FROM range({ROWS}) AS t(value)"
    execute(kernel, f"%%sql\nCREATE OR REPLACE TEMPORARY VIEW numbers AS {values}")
    rows_per_second(kernel, "numbers", ROWS, "over range()", "nothing but the call")
    # A call of constants is made once, when the query is planned: so nested calls are round trips, one after
    # the other; what planning them takes is that of a built-in function.
    own, built_in = [nested(kernel, name) for name in ("same", "abs")]
    trips = [1e6 * (a - b) / NESTED for a, b in zip(own, built_in, strict=True)]
    show("one call of a UDF", trips, 1, "us", "aim 100 us")


def rows_per_second(kernel, table, rows, where, aim):
    built_in, own = [], []
    for _ in range(7):
        built_in.append(timed(kernel, f"%%sql\nSELECT sum(v + CAST(1 AS DOUBLE)) FROM {table}"))
        own.append(timed(kernel, f"%%sql\nSELECT sum(plus_one(v)) FROM {table}"))
    show(f"sum(v + 1) {where}", [rows / t / 1e6 for t in built_in], 1, "M rows/s", "")
    show("  sum(plus_one(v)), a UDF", [rows / t / 1e6 for t in own], 1, "M rows/s", aim)
    print(f"  {'':<32} ratio {median(built_in) / median(own):.2f}")


def nested(kernel, name):
    query = f"SELECT {NESTED * (name + '(')}CAST(1 AS BIGINT){NESTED * ')'} AS x"
    return [timed(kernel, f"%%sql\n{query}") for _ in range(5 * WARM)]


def sizes(kernel):
    for program in ("tidebook", "tidebook-rust"):
        print(f"  {'size of ' + program:<32} {(BIN / program).stat().st_size / 1e6:.0f} MB")
    for process, resident in memory(kernel.process.pid):
        print(f"  {'memory of ' + process:<32} {resident / 1e6:.0f} MB")


def memory(pid):
    """The kernel and the processes below it."""
    stats = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        fields = dict(re.findall(r"^(\w+):\s+(.*)$", status.read_text(), re.MULTILINE))
        stats[int(fields["Pid"])] = (int(fields["PPid"]), 1024 * int(fields.get("VmRSS", "0 kB").split()[0]))
    yield "kernel", stats[pid][1]
    process = pid
    for what in ("compiler", "relay", "user code"):
        children = [child for child, (parent, _) in stats.items() if parent == process]
        if not children:
            return
        process = children[0]
        yield what, stats[process][1]


def execute(kernel, text, patience=30):
    return kernel.request("execute_request", cell(text), patience)


def timed(kernel, text):
    began = time.perf_counter()
    execute(kernel, text)
    return time.perf_counter() - began


def beside(what, kernels, factor, unit, aim=""):
    for name, values in kernels.items():
        show(what if name == "tidebook" else f"  {name}", values, factor, unit, aim if name == "tidebook" else "")


def show(what, values, factor, unit, aim):
    print(f"  {what:<32} {spread(values, factor)} {unit}  {'(' + aim + ')' if aim else ''}".rstrip())


if __name__ == "__main__":
    main()
