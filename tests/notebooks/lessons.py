"""The lessons of the course: which notebooks there are, and what is in them."""

import json
import re
from pathlib import Path

import nbformat
from tables import parse

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
ENGLISH = sorted(path.name for path in NOTEBOOKS.glob("[0-9]*.ipynb"))
CHINESE = [f"zh-TW/{name}" for name in ENGLISH]


def read(name):
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    nbformat.validate(notebook)
    return notebook


def renew(name, cells, folder):
    """Writes the outputs of executed cells into a notebook: pictures as SVG alone, and no paths of this machine."""
    notebook = read(name)
    for cell in code(notebook.cells):
        executed = cells[cell.id]
        text = json.dumps(executed.outputs, ensure_ascii=False).replace(str(folder), "/home/learner/notebooks")
        cell.outputs = [nbformat.from_dict(output) for output in json.loads(text)]
        cell.execution_count = executed.execution_count
        for output in cell.outputs:
            if "image/svg+xml" in output.get("data", {}):
                output.data.pop("image/png", None)
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True)
    (NOTEBOOKS / name).write_text(text + "\n", encoding="utf-8")


def code(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def prose(cells):
    return [cell for cell in cells if cell.cell_type == "markdown"]


def outputs(cell, output_type):
    return [output for output in cell.outputs if output.output_type == output_type]


def printed(cell):
    return "".join(output.text for output in outputs(cell, "stream"))


def shown(cell):
    """All text that a cell's outputs show."""
    texts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            texts.append(output.text)
        elif output.output_type == "error":
            texts.append(output.evalue)
        else:
            texts.append(output.data.get("text/plain", ""))
            texts.append(re.sub(r"<[^>]*>", " ", output.data.get("text/html", "")))
            texts.append(" ".join(re.findall(r"<text[^>]*>([^<]*)", output.data.get("image/svg+xml", ""))))
    return "\n".join(texts)


def tables(cell):
    """The rows of each table in a cell's outputs, as lists of texts."""
    found = []
    for output in cell.outputs:
        if output.output_type in ("display_data", "execute_result"):
            found += parse(output.data.get("text/html", ""))
    return found


def sections(cells):
    """The cells of a notebook, cut before each heading of the second level."""
    found = [[]]
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            found.append([])
        found[-1].append(cell)
    return found


def numbers(text):
    """The numbers in a text, without separators of thousands: 1,773 → 1773, 12:07, 2.5."""
    found = re.findall(r"(?<![\w.])\d+(?:[.,:]\d+)*", text)
    return [re.sub(r",(?=\d{3}\b)", "", number) for number in found]


def said(text):
    """The numbers that prose tells, without those in code, links, pictures, headings and the line of lessons."""
    text = re.sub(r"```.*?```|`[^`]*`|!?\[[^\]]*\]\([^)]*\)", " ", text, flags=re.S)
    text = re.sub(r"\*\*(?:Step \d\.|第 \d 步。)\*\*|^#.*$|^Lesson .*$|^第 \d+ 課，共 .*$", " ", text, flags=re.M)
    return numbers(text)
