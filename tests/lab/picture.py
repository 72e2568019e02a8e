#!/usr/bin/env python3
"""Make the picture of the README: lesson 3 in JupyterLab, executed, in headless Chromium.

    ./tests/run lab                              once, for what it installs
    .venv/bin/python tests/lab/picture.py        writes notebooks/images/
"""

import tempfile
from pathlib import Path

from lab import ROOT, Lab, browser, copy_of_notebooks

NAME = "03-watermarks.ipynb"
PICTURE = "windowed-counts.png"
IMAGES = ROOT / "notebooks" / "images"


def main():
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with (
            Lab(copy_of_notebooks(folder), folder / "home") as lab,
            browser(folder / "chromium", width=1200, height=1000) as window,
        ):
            page = window.new_page()
            notebook = lab.open(page, NAME)
            # Without the file browser the notebook has the whole width.
            page.keyboard.press("Control+b")
            page.wait_for_selector("#jp-left-stack", state="hidden")
            notebook.run_all()
            # To the end: as long as cells run, JupyterLab scrolls to the one that does.
            notebook.wait_for_done("%%check watermarks-lose-nothing")
            if errors := notebook.errors():
                raise SystemExit("\n".join(errors))
            notebook.scroll_to("%%stream per_hour")
            # JupyterLab renders what comes into view, and what is above it moves.
            notebook.cell("%chart per_hour").locator(".jp-OutputArea-output img").first.wait_for()
            notebook.scroll_to("%%stream per_hour")
            page.screenshot(path=IMAGES / PICTURE)


if __name__ == "__main__":
    main()
