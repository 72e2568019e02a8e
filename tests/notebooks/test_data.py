"""The departures in the clone are what their script makes, in the order the lesson needs."""

import json
import subprocess
import sys
from datetime import datetime


def test_the_script_makes_the_files_of_the_clone(root, tmp_path):
    data = root / "notebooks" / "data"
    subprocess.run([sys.executable, data / "make_departures.py", "--out", tmp_path], check=True)
    assert contents(tmp_path) == contents(data / "departures")


def test_touch_puts_files_in_the_order_of_their_hours(folder):
    files = list((folder / "data" / "departures").glob("*.json"))
    assert len(files) == 41
    by_name = sorted(files)
    by_time = sorted(files, key=lambda file: file.stat().st_mtime_ns)
    assert by_time == by_name
    assert len({file.stat().st_mtime_ns for file in files}) == len(files)


def test_each_file_holds_the_departures_of_its_hour_in_order(folder):
    for file in (folder / "data" / "departures").glob("*.json"):
        departed = [datetime.fromisoformat(json.loads(line)["departed"]) for line in file.read_text().splitlines()]
        assert departed and departed == sorted(departed)
        assert {time.strftime("%Y-%m-%dT%H") for time in departed} == {file.stem}


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.glob("*.json")}
