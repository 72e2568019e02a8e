"""Every lesson, in both languages: it runs through, its outputs are committed, and its prose is true of them.

`UPDATE=1 ./tests/run notebooks` writes the outputs anew.
"""

import os
import re
from itertools import groupby

import facts
import pytest
from lessons import CHINESE, ENGLISH, NOTEBOOKS, code, outputs, prose, read, renew, said, sections, shown, tables

ALL = [*ENGLISH, *CHINESE]


def test_there_are_ten():
    assert [name[:2] for name in ENGLISH] == [f"{number:02}" for number in range(1, 11)]
    assert [f"zh-TW/{path.name}" for path in sorted((NOTEBOOKS / "zh-TW").glob("*.ipynb"))] == CHINESE


@pytest.mark.parametrize("name", ALL)
def test_only_the_cells_that_are_meant_to_fail_are_red(executed, name):
    for cell in code(executed(name).values()):
        errors = outputs(cell, "error")
        assert len(errors) == ("raises-exception" in cell.metadata.get("tags", [])), f"{cell.id}: {errors}"
        for output in cell.outputs:
            assert output.get("name") != "stderr", f"{cell.id}: {output.text}"


@pytest.mark.parametrize("name", ALL)
def test_its_committed_outputs_are_those_of_a_fresh_run(executed, folder, name):
    if os.environ.get("UPDATE") == "1":
        # The languages share the outputs, as they share the code.
        renew(name, executed(name.split("/")[-1]), folder)
    committed = {cell.id: cell for cell in code(read(name).cells)}
    counts = [cell.execution_count for cell in committed.values()]
    assert counts == list(range(1, len(counts) + 1)), "executed from top to bottom"
    fresh = executed(name)
    for id, cell in committed.items():
        assert kinds(cell) == kinds(fresh[id]), id
        if cell.source.startswith("%%sql"):
            assert lasting(tables(cell)) == lasting(tables(fresh[id])), f"{id}: run the lesson and commit its outputs"


def kinds(cell):
    """What its outputs are, whatever they show. Text may come in one piece or in several."""
    found = [(output.output_type, output.get("name"), output.get("ename")) for output in cell.outputs]
    return [kind for kind, _ in groupby(found)]


def lasting(found):
    """Tables without what is new in each run: the folder, and the time on the clock."""
    return [[[re.sub(r"file:\S*|\d{13}|[0-9a-f]{8}-[0-9a-f-]{27}", "…", text) for text in row] for row in rows] for rows in found]


@pytest.mark.parametrize("name", ALL)
def test_every_number_in_its_prose_is_seen_beside_it_or_counted_from_the_data(executed, folder, name):
    # A task tells what to do, not what is.
    known = facts.of(folder / "data").values()
    for section in sections(executed(name).values()):
        beside = "\n".join([*known, *(text for cell in code(section) for text in (cell.source, shown(cell)))])
        for cell in prose(section):
            if cell.id.startswith("task-"):
                continue
            unseen = [number for number in said(cell.source) if not is_seen(number, beside)]
            assert unseen == [], f"{name}, cell '{cell.id}'"


def is_seen(number, text):
    """Whether a text holds a number. One and two are words as often as figures."""
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    return number in ("0", "1", "2") or re.search(rf"(?<!\d){re.escape(number)}(?!\d)", text) is not None
