"""Lesson 3 in JupyterLab: the chart moves while the query runs, also after its cell has ended."""

import re

NAME = "03-watermarks.ipynb"
CHART = "%chart per_hour"
WAITS_FOR_THE_QUERY = "%process per_hour"
LAST = "%%check watermarks-lose-nothing"


def test_the_chart_is_live_and_the_notebook_runs_through(lab, page):
    notebook = lab.open(page, NAME)
    notebook.watch(CHART, WAITS_FOR_THE_QUERY)
    notebook.run_all()
    notebook.wait_for_done(LAST)
    assert notebook.errors() == []
    frames = notebook.frames()

    # The chart's own cell ends at once. It moves, and moves again, while the query runs on, which a
    # later cell waits for.
    moved = [frame for frame in frames if re.search(r"\d", frame["prompt"]) and frame["other"] == "[*]:"]
    assert len(moved) >= 7, [(frame["prompt"], frame["other"]) for frame in frames]
    pictures = [frame["src"] for frame in frames]
    assert all(src.startswith("data:image/") for src in pictures)
    assert len(set(pictures)) == len(pictures), "a frame came back: updates arrive out of order"
    assert {frame["outputs"] for frame in frames} == {1}, "an update must replace the chart, not add another"

    # Drawn anew from what the query has written, it is the same picture: the last frame was the final one.
    notebook.run_cell(CHART)
    assert notebook.picture(CHART) == pictures[-1]
