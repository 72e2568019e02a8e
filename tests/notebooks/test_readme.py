"""The README's tables of magics and formats are the program's own, and what it links to is there.

`UPDATE=1 ./tests/run notebooks` writes the tables anew.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from lessons import ENGLISH

import pytest


@pytest.mark.parametrize("name, command, known", [
    ("magics", ["magics", "--markdown"], "%%stream"),
    ("formats", ["formats"], "--format json"),
])
def test_the_tables_are_those_of_the_kernel(root, name, command, known):
    begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->\n"
    readme = root / "README.md"
    text = readme.read_text()
    before, rest = text.split(begin)
    _, after = rest.split(end)
    tidebook = Path(sys.executable).parent / "tidebook"
    table = subprocess.run([tidebook, *command], check=True, capture_output=True, text=True).stdout
    assert known in table
    current = f"{before}{begin}\n{table.strip()}\n\n{end}{after}"
    if os.environ.get("UPDATE") == "1":
        readme.write_text(current)
    assert text == current, "the README's tables are old: UPDATE=1 ./tests/run notebooks"


def test_it_leads_to_the_first_lesson_and_lists_all_ten(root):
    text = (root / "README.md").read_text()
    first_screen = text[: text.index("## What you need")]
    rows = re.findall(r"^\| \[(\d+) · [^\]]+\]\(notebooks/([^)]+)\) \| (.+) \|$", first_screen, flags=re.M)
    assert [name for _, name, _ in rows] == ENGLISH
    assert [int(number) for number, _, _ in rows] == list(range(1, 11))
    assert f"[1 · Streaming basics](notebooks/{ENGLISH[0]})" in first_screen[: first_screen.index("## The course")]


def test_every_link_leads_somewhere(root):
    text = (root / "README.md").read_text()
    links = re.findall(r"\]\(([^)#:\s]+)\)|src=\"([^\":]+)\"", text)
    assert links
    missing = [link for pair in links for link in pair if link and not (root / link).exists()]
    assert missing == []
    anchors = {re.sub(r"[^\w\- ]", "", line.lstrip("# ")).lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")}
    assert [anchor for anchor in re.findall(r"\]\(#([^)]+)\)", text) if anchor not in anchors] == []
