"""The data in the clone is what its scripts make, in the order the lessons need."""

import json
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

FOLDERS = {
    "make_departures.py": ("departures", "next-morning"),
    "make_shop.py": ("clicks", "payments", "broken"),
}


@pytest.mark.parametrize("script", FOLDERS)
def test_the_script_makes_the_files_of_the_clone(root, tmp_path, script):
    data = root / "notebooks" / "data"
    subprocess.run([sys.executable, data / script, "--out", tmp_path], check=True)
    for folder in FOLDERS[script]:
        assert contents(tmp_path / folder) == contents(data / folder)


@pytest.mark.parametrize("name", [name for names in FOLDERS.values() for name in names])
def test_touch_puts_files_in_the_order_of_their_names(folder, name):
    files = list((folder / "data" / name).glob("*.json"))
    by_name = sorted(files)
    by_time = sorted(files, key=lambda file: file.stat().st_mtime_ns)
    assert by_name and by_time == by_name
    assert len({file.stat().st_mtime_ns for file in files}) == len(files)


@pytest.mark.parametrize("name", FOLDERS["make_departures.py"])
def test_each_file_holds_the_departures_of_its_hour_in_order(folder, name):
    for file in (folder / "data" / name).glob("*.json"):
        departed = [datetime.fromisoformat(json.loads(line)["departed"]) for line in file.read_text().splitlines()]
        assert departed and departed == sorted(departed)
        assert {time.strftime("%Y-%m-%dT%H") for time in departed} == {file.stem}


@pytest.mark.parametrize("name", ["clicks", "payments"])
def test_no_row_arrives_before_it_happened(folder, name):
    for file in (folder / "data" / name).glob("*.json"):
        ends = datetime.strptime(file.stem, "%Y-%m-%dT%H-%M") + timedelta(minutes=5)
        for line in file.read_text().splitlines():
            assert datetime.fromisoformat(json.loads(line)["ts"]) < ends


def contents(folder):
    found = {file.name: file.read_bytes() for file in folder.glob("*.json")}
    assert found
    return found
