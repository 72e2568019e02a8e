"""Reads stream scripts (`tests/streaming/**/*.stream`); tests/src/script.rs reads the same format."""

import re
from dataclasses import dataclass, field

HEADER = ("no-restart", "no-kill", "one-partition", "not-recorded")


@dataclass
class Step:
    """One block of a script: a verb line, body lines and, after `----`, what is expected."""

    verb: str
    args: str
    body: list
    expected: list | None
    line: int
    # Line indices (from 0) of the expected block, for rewriting it.
    expected_span: tuple | None = None
    differs: str | None = None

    @property
    def input(self):
        """What the step does, without what it expects: kept in the recording to notice edits."""
        return "\n".join([f"{self.verb} {self.args}".strip(), *self.body])


@dataclass
class Script:
    """A whole script."""

    name: str
    lines: list
    steps: list = field(default_factory=list)
    header: dict = field(default_factory=dict)


def parse(name, text):
    """Splits a script into steps; a block ends at an empty line."""
    lines = text.split("\n")
    script = Script(name, lines)
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        start = at
        while at < len(lines) and lines[at].strip():
            at += 1
        _block(script, start, at)
    return script


def _block(script, start, end):
    lines = script.lines
    differs = None
    while start < end and (lines[start].startswith("#") or _is_header(lines[start])):
        if not lines[start].startswith("#"):
            key, _, value = lines[start].partition(":")
            if key == "spark-differs":
                differs = value.strip()
            else:
                script.header[key] = value.strip()
        start += 1
    if start == end:
        return
    verb, _, args = lines[start].strip().partition(" ")
    split = next((i for i in range(start + 1, end) if lines[i] == "----"), None)
    body = [line.rstrip() for line in lines[start + 1 : split if split is not None else end]]
    expected = None if split is None else [line.rstrip() for line in lines[split + 1 : end]]
    span = None if split is None else (split + 1, end)
    script.steps.append(Step(verb, args.strip(), body, expected, start, span, differs))


def _is_header(line):
    key = line.partition(":")[0]
    return ":" in line and (key in HEADER or key == "spark-differs")


def split_top(text, separator=","):
    """Splits at separators that stand outside quotes and brackets."""
    parts, depth, quote, current = [], 0, None, ""
    for char in text:
        if quote:
            quote = None if char == quote else quote
        elif char in "'`":
            quote = char
        elif char in "([{<" and not (char == "<" and separator != ","):
            depth += 1
        elif char in ")]}>" and not (char == ">" and separator != ","):
            depth -= 1
        if char == separator and depth == 0 and not quote:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    parts.append(current.strip())
    return parts


def words(text):
    """Splits at blanks outside quotes; quotes are dropped."""
    found = re.findall(r"(?:[^\s']|'[^']*')+", text)
    return [word.replace("'", "") for word in found]


@dataclass
class SourceArgs:
    """`NAME(schema) [watermark COL 'delay'] [option k=v]… [path P] [format F]`"""

    name: str
    schema: str
    watermark: tuple | None
    options: dict
    path: str | None
    format: str


def source_args(args):
    """Takes a `source` or `static` line apart."""
    open_at = args.index("(")
    close_at = args.rindex(")", 0, _rest_at(args, open_at))
    name, schema, rest = args[:open_at].strip(), args[open_at + 1 : close_at], words(args[close_at + 1 :])
    result = SourceArgs(name, schema, None, {}, None, "json")
    while rest:
        word = rest.pop(0)
        if word == "watermark":
            result.watermark = (rest.pop(0), rest.pop(0))
        elif word == "option":
            key, _, value = rest.pop(0).partition("=")
            result.options[key] = value
        elif word == "path":
            result.path = rest.pop(0)
        elif word == "format":
            result.format = rest.pop(0)
        else:
            raise ValueError(f"unknown word in source: {word}")
    return result


def _rest_at(args, open_at):
    depth = 0
    for i in range(open_at, len(args)):
        depth += {"(": 1, ")": -1}.get(args[i], 0)
        if depth == 0:
            return i + 1
    return len(args)


def columns(schema):
    """`a int, b decimal(5,2)` as [(name, type)]."""
    pairs = []
    for part in split_top(schema):
        name, _, kind = part.strip().partition(" ")
        pairs.append((name.strip("`"), kind.strip().lower()))
    return pairs
