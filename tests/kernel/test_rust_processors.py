"""`transform_with_state` in a Rust cell: state, timers and an initial state through a running query."""

import pytest
from jupyter_client.manager import start_new_kernel

from client import Client

PROCESSOR = """
#[derive(Deserialize)]
struct Click { page: String }

#[derive(Deserialize)]
struct Before { n: i64 }

#[derive(Default)]
struct Visits { handle: StatefulProcessorHandle, clicks: ValueState<i64>, pages: MapState<String, i64> }

impl StatefulProcessor for Visits {
    type Key = String;
    type Row = Click;
    type Output = (String, String, i64);

    fn init(&mut self, handle: &StatefulProcessorHandle) {
        self.handle = handle.clone();
        self.clicks = handle.value_state("clicks", TtlConfig::NONE);
        self.pages = handle.map_state("pages", TtlConfig::NONE);
    }

    fn handle_input_rows(&mut self, user: &String, rows: Vec<Click>, times: &TimerValues) -> Result<Vec<Self::Output>> {
        self.clicks.update(self.clicks.get().unwrap_or(0) + rows.len() as i64);
        for click in rows {
            if click.page == "bad" { return Err(Error::new("a bad page")); }
            self.pages.update_value(click.page.clone(), self.pages.get_value(&click.page).unwrap_or(0) + 1);
        }
        if self.handle.list_timers().is_empty() {
            self.handle.register_timer(times.current_watermark_ms().max(1_704_110_400_000) + 600_000);
        }
        Ok(vec![(user.clone(), "clicks".into(), self.clicks.get().unwrap_or(0))])
    }

    fn handle_expired_timer(&mut self, user: &String, _: &ExpiredTimerInfo, _: &TimerValues) -> Result<Vec<Self::Output>> {
        let pages = self.pages.keys().len() as i64;
        self.clicks.clear();
        self.pages.clear();
        Ok(vec![(user.clone(), "pages".into(), pages)])
    }
}

impl StatefulProcessorWithInitialState for Visits {
    type InitialState = Before;

    fn handle_initial_state(&mut self, _: &String, before: Before, _: &TimerValues) -> Result<()> {
        Ok(self.clicks.update(before.n))
    }
}
"""
START = """
let before = spark.sql("SELECT * FROM VALUES ('ann', 10L) AS t(user, n)")?.group_by(["user"]);
let visits = spark.table("clicks")?.group_by(["user"]).transform_with_initial_state(
    Visits::default(), TimeMode::EventTime, OutputMode::Append, "user STRING, what STRING, n BIGINT", &before)?;
visits.write_stream().format("memory").query_name("visits").start("")?;
"""


@pytest.fixture
def rust(tmp_path):
    manager, channels = start_new_kernel(kernel_name="tidebook", cwd=str(tmp_path))
    yield Client(manager, channels, timeout=300)
    channels.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_processor_in_a_cell(rust: Client):
    rust.ok('%%source clicks --format memory --watermark "ts 1 minute"\nuser STRING, page STRING, ts TIMESTAMP')
    rust.ok(PROCESSOR)
    rust.ok(START)
    feed(rust, ("ann", "a", "12:00"), ("ann", "b", "12:01"), ("bob", "a", "12:01"))
    assert rows(rust) == [["ann", "clicks", "12"], ["bob", "clicks", "1"]]
    feed(rust, ("bob", "c", "12:11"))
    assert rows(rust)[2:] == [["bob", "clicks", "2"], ["ann", "pages", "2"], ["bob", "pages", "2"]]
    untimed = START.replace("TimeMode::EventTime", "TimeMode::None").replace('"visits"', '"untimed"')
    error = rust.fails(untimed.replace('.start("")?;', '.start("")?.process_all_available()?;'))
    assert "needs a time mode" in error
    error = rust.fails('%%feed clicks\n{"user": "ann", "page": "bad", "ts": "2024-01-01 12:12:00"}')
    assert "a bad page" in error


def feed(kernel: Client, *clicks):
    lines = [f'{{"user": "{user}", "page": "{page}", "ts": "2024-01-01 {at}:00"}}' for user, page, at in clicks]
    kernel.ok("%%feed clicks\n" + "\n".join(lines))
    kernel.ok("%process visits")


def rows(kernel: Client) -> list[list[str]]:
    [result] = kernel.ok("%%sql\nSELECT * FROM visits").contents("execute_result")
    lines = [line for line in result["data"]["text/plain"].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
