"""Drive JupyterLab as a person does: open a notebook, run all cells, look at what they show."""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / ".out"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# A headless browser on loopback: no sandbox (it may run as root), no GPU, and none of the calls home.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# How long to wait for something to happen before it is said not to, in milliseconds: a busy machine
# may need long for a browser, and a test that passes waits for none of it.
PATIENCE = 300_000
ERROR = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']"
STDERR = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']"


def copy_of_notebooks(folder):
    """A copy of notebooks/ to run in, its data files in order."""
    copy = folder / "notebooks"
    left_behind = shutil.ignore_patterns(".executed", ".ipynb_checkpoints", "out")
    shutil.copytree(ROOT / "notebooks", copy, symlinks=True, ignore=left_behind)
    for script in ("make_departures.py", "make_shop.py"):
        subprocess.run([sys.executable, copy / "data" / script, "--touch"], check=True)
    return copy


class Lab:
    """A JupyterLab server on a free port of the loopback interface, with settings of its own."""

    def __init__(self, notebooks, home):
        self.notebooks = notebooks
        self.home = home
        self.token = secrets.token_hex(16)

    def __enter__(self):
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        }
        settings = self.home / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False})
        )
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                "--no-browser",
                "--allow-root",
                "--expose-app-in-browser",
                "--ServerApp.ip=127.0.0.1",
                "--ServerApp.port=0",
                f"--IdentityProvider.token={self.token}",
                f"--ServerApp.root_dir={self.notebooks}",
            ],
            env=os.environ | {name: str(self.home / folder) for name, folder in folders.items()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        log = []
        for line in self.process.stderr:
            log.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+/lab", line):
                self.url = found.group()
                break
        else:
            raise RuntimeError("JupyterLab did not start:\n" + "".join(log))
        # The server goes on writing: read it, or it would stop when the pipe is full.
        OUT.mkdir(parents=True, exist_ok=True)
        self.log = threading.Thread(target=self._keep_log, args=(log,), daemon=True)
        self.log.start()
        return self

    def _keep_log(self, lines):
        with open(OUT / "jupyterlab.log", "w", encoding="utf-8") as file:
            file.writelines(lines)
            for line in self.process.stderr:
                file.write(line)
                file.flush()

    def __exit__(self, *_):
        # SIGTERM ends the server and the kernels it started.
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=PATIENCE / 1000)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def open(self, page: Page, name):
        """Open a notebook and wait until its kernel is ready."""
        page.goto(f"{self.url}/tree/{name}?token={self.token}&reset", timeout=PATIENCE)
        page.wait_for_selector(".jp-NotebookPanel .jp-Notebook .jp-CodeCell", timeout=PATIENCE)
        # What the page shows says `idle` also before it has a kernel, and cells run then ask for one.
        page.wait_for_function(
            """() => {
                 const session = window.jupyterapp.shell.currentWidget?.sessionContext?.session;
                 return session?.kernel?.connectionStatus === 'connected' && session.kernel.status === 'idle';
               }""",
            timeout=PATIENCE,
        )
        return Notebook(page)


class Notebook:
    """The notebook on a page. Cells are found by a part of their text."""

    def __init__(self, page: Page):
        self.page = page

    def run_all(self):
        self.page.click(".lm-MenuBar-itemLabel:text-is('Run')")
        self.page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")

    def run_cell(self, text):
        """Run one cell, as Ctrl+Enter in it does, and wait for it."""
        before = self.prompt(text)
        self.cell(text).locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")
        self._wait_for_prompt(text, before)

    def wait_for_done(self, text, past_errors=False):
        """Wait until a cell has run, or never will because another one has failed.

        With `past_errors`, cells may fail that are meant to.
        """
        self._wait_for_prompt(text, "", past_errors)

    def _wait_for_prompt(self, text, before, past_errors=False):
        self.page.wait_for_function(
            """([cell, before, error]) => {
                 if (error && document.querySelector(error)) return true;
                 const prompt = cell.querySelector('.jp-InputPrompt').textContent.trim();
                 return prompt !== before && /\\d/.test(prompt);
               }""",
            arg=[self.cell(text).element_handle(), before, "" if past_errors else ERROR],
            timeout=PATIENCE,
        )

    def scroll_to(self, text):
        """Bring a cell to the top of the page."""
        self.cell(text).evaluate("cell => cell.scrollIntoView({block: 'start'})")

    def cell(self, text):
        """The first cell with this text in its input: a card below another may name the same magic."""
        typed = self.page.locator(".jp-Cell-inputArea", has_text=text)
        return self.page.locator(".jp-Notebook .jp-CodeCell", has=typed).first

    def prompt(self, text):
        """What stands before a cell: `[ ]:` not run, `[*]:` waiting or running, `[7]:` done."""
        return self.cell(text).locator(".jp-InputPrompt").text_content().strip()

    def picture(self, text):
        return self.cell(text).locator(".jp-OutputArea-output img").get_attribute("src")

    def errors(self):
        """The texts of all error outputs and of what was written to stderr."""
        marked = self.page.locator(f"{ERROR}, {STDERR}")
        # Not the inner texts: JupyterLab hides what is scrolled away.
        return marked.all_text_contents()

    def watch(self, text, other):
        """Note each picture a cell shows from now on, with its prompt and another cell's at that moment.

        The notes are made in the page itself, by a MutationObserver, so no frame is missed.
        """
        self.cell(text).evaluate(
            """(cell, other) => {
                 const frames = window.frames_seen = [];
                 const prompt = cell => cell.querySelector('.jp-InputPrompt').textContent.trim();
                 const look = () => {
                   const picture = cell.querySelector('.jp-OutputArea-output img');
                   if (!picture || picture.src === (frames.at(-1) || {}).src) return;
                   frames.push({
                     src: picture.src,
                     prompt: prompt(cell),
                     other: prompt(other),
                     outputs: cell.querySelectorAll('.jp-OutputArea-output').length,
                   });
                 };
                 new MutationObserver(look).observe(cell, {subtree: true, childList: true, attributes: true});
                 look();
               }""",
            self.cell(other).element_handle(),
        )

    def frames(self):
        return self.page.evaluate("window.frames_seen")


@contextmanager
def browser(profile, width=1280, height=960):
    """A headless Chromium with an empty profile."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            headless=True,
            args=CHROMIUM_FLAGS,
            viewport={"width": width, "height": height},
            timeout=PATIENCE,
        )
        context.set_default_timeout(PATIENCE)
        try:
            yield context
        finally:
            context.close()
