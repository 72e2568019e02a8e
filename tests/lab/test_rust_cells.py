"""Lesson 9, of Rust cells, in JupyterLab: it runs through, past the cells that are meant to fail."""

NAME = "09-rust.ipynb"
LAST = 'spark.table("per_hour")?.count()'
MEANT = [
    "RustPanic",
    "RustError",
    "RustCompileError[E0308]",
    "AnalysisException",
    "AnalysisException",
    "AnalysisException",
    "SparkRuntimeException",
    "SparkRuntimeException",
    "RustCompileError[E0277]",
    "RustProcessDied",
]


def test_the_notebook_runs_through(lab, page):
    notebook = lab.open(page, NAME)
    notebook.run_all()
    notebook.wait_for_done(LAST, past_errors=True)
    errors = notebook.errors()
    assert [error.strip().split(":")[0] for error in errors] == MEANT, errors
    card = notebook.cell('query_name("per_hour")')
    assert "finished" in card.text_content(), "the card went on after its cell had ended"
    notebook.scroll_to("let bar = ProgressBar")
