"""Read back the tables a cell shows."""

from html.parser import HTMLParser


def table(cell):
    """The rows of the one HTML table in a cell's outputs, as dictionaries of strings."""
    found = [
        parsed
        for output in cell.outputs
        if output.output_type in ("display_data", "execute_result")
        for parsed in parse(output.data.get("text/html", ""))
    ]
    assert len(found) == 1, f"{len(found)} tables in cell '{cell.id}'"
    head, *rows = found[0]
    return [dict(zip(head, row, strict=True)) for row in rows]


def number(text):
    """A number as shown, with or without separators of thousands."""
    return int(text.replace(",", "").replace("\u202f", "").replace("\u2009", ""))


def parse(html):
    parser = _Tables()
    parser.feed(html)
    return parser.tables


class _Tables(HTMLParser):
    """Each table as a list of rows, each row a list of cell texts."""

    def __init__(self):
        super().__init__()
        self.tables = []
        self.cell = None

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.cell = []

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            self.tables[-1][-1].append("".join(self.cell).strip())
            self.cell = None
