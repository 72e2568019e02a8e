"""From an example `SELECT f(…)`, calls of the function at its edges: NULLs, empty values, extremes, other types."""

import re

EDGES = [
    (r"'.*'|\".*\"", ["''", "' é😀 '"]),
    (r"-?\d+", ["0", "-1", "2147483647", "-9223372036854775808L", "2.5", "'2'"]),
    (r"-?\d*\.\d+(BD)?", ["0.0", "-1.5D", "double('NaN')", "double('Infinity')", "3"]),
    (r"date\s*'.*'", ["DATE'0001-01-01'", "DATE'9999-12-31'", "TIMESTAMP'1582-10-10 23:59:59.999999'", "'2024-02-29'"]),
    (
        r"timestamp(_ntz|_ltz)?\s*'.*'",
        ["TIMESTAMP'0001-01-01 00:00:00'", "TIMESTAMP_NTZ'9999-12-31 23:59:59.999999'", "DATE'2024-02-29'"],
    ),
    (r"array\(.*\)", ["array()", "CAST(NULL AS ARRAY<INT>)", "array(NULL, NULL)", "array(double('NaN'), 1D, NULL)"]),
    (r"map\(.*\)", ["map()", "CAST(NULL AS MAP<STRING, INT>)"]),
    (r"x\s*'.*'", ["X''", "'abc'"]),
]
# Functions whose result would be as long as the number says.
LONG = ("repeat", "space", "lpad", "rpad", "sequence", "array_repeat", "array_insert", "stack", "format_number")
FEW = ("0", "-1", "2.5", "'2'")


def edges(statement):
    """(what is at the edge, call): calls that differ from the example's in one argument."""
    call = re.fullmatch(r"SELECT (\w+)\((.*)\)", statement, re.IGNORECASE | re.DOTALL)
    if not call or re.search(r"\bFROM\b|->|\bIN\b", statement, re.IGNORECASE):
        return
    name, arguments = call[1], split(call[2])
    if arguments is None or "" in arguments:
        return
    for at, argument in enumerate(arguments):
        for other in ["NULL", *others(argument)]:
            harmless = name.lower() not in LONG or not re.fullmatch(r"\d+", argument) or other in FEW
            if other != argument and harmless:
                changed = ", ".join(arguments[:at] + [other] + arguments[at + 1 :])
                yield (name.lower(), len(arguments), at, other), f"SELECT {name}({changed})"


def others(argument):
    """What may stand where an argument stood."""
    return next((found for pattern, found in EDGES if re.fullmatch(pattern, argument, re.IGNORECASE)), [])


def split(text):
    """Arguments between commas outside quotes and brackets; `None` if brackets close too early."""
    parts, depth, quote, current = [], 0, None, ""
    for char in text:
        if quote:
            quote = None if char == quote and not current.endswith("\\") else quote
        elif char in "'\"`":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                return None
        if char == "," and depth == 0 and not quote:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return [*parts, current.strip()]
