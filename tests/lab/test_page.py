"""The executed lesson 3 as an HTML page: table, card and chart are on it, in their final state."""

import subprocess
import sys
from pathlib import Path

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "03-watermarks.ipynb"


def test_the_executed_notebook_is_a_page(page, tmp_path):
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", "--output-dir", tmp_path, NOTEBOOK]
    subprocess.run(command, check=True, capture_output=True)
    page.goto((tmp_path / "03-watermarks.html").as_uri())
    outputs = page.locator(".jp-OutputArea-output")
    assert "stopped" in " ".join(outputs.all_text_contents()), "the card is final"
    rows = outputs.locator("table tr")
    assert rows.count() > 10, "a table of windows and counts"
    assert "EWR" in " ".join(rows.all_text_contents())
    pictures = outputs.locator("img, svg")
    widths = pictures.evaluate_all("pictures => pictures.map(p => p.naturalWidth ?? p.getBoundingClientRect().width)")
    assert any(width > 300 for width in widths), f"a chart that is drawn: {widths}"
    pictures.last.scroll_into_view_if_needed()
