"""The table of the chapter's parts: each leads to cells that are there, in both languages."""

import re

import pytest
from lessons import NOTEBOOKS, read

TABLE = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+) \| \[\d+\]\(([^)]+)\) \| (.+) \|$", TABLE, flags=re.M)


def test_every_row_is_read():
    assert len(ROWS) == TABLE.count("\n| ") - 1 > 40


@pytest.mark.parametrize("folder", ["", "zh-TW/"])
def test_every_cell_that_is_named_is_in_its_lesson(folder):
    for part, lesson, cells in ROWS:
        there = {cell.id for cell in read(folder + lesson).cells}
        missing = set(re.findall(r"`([^`]+)`", cells)) - there
        assert not missing, f"{part}: lesson {lesson} has no {missing}"
