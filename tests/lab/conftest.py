"""A JupyterLab of its own and a headless Chromium, both ended with the tests."""

import pytest
from lab import OUT, Lab, browser, copy_of_notebooks


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    with Lab(copy_of_notebooks(folder), folder / "home") as running:
        yield running


@pytest.fixture
def page(request, tmp_path):
    """A page of a new browser. Its last picture and its console stay in tests/.out/, named after the test."""
    with browser(tmp_path / "chromium") as window:
        page = window.new_page()
        console = []
        page.on("console", lambda message: console.append(f"{message.type}: {message.text}"))
        yield page
        page.screenshot(path=OUT / f"{request.node.name}.png")
        (OUT / f"{request.node.name}.console.txt").write_text("\n".join(console))
