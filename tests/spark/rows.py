"""Rows of scripts as NDJSON, and values as the text that scripts show; the twin of tests/src/{rows,cell}.rs."""

import datetime
import decimal
import json
import re
import struct

from script import columns

DAY = "2024-01-01"
BARE = re.compile(r"[A-Za-z0-9_.:+/%@-]+")


def ndjson(schema, body):
    """The text of the file that an `add-data` block stands for."""
    return "".join(_line(columns(schema), line) + "\n" for line in body)


def _line(cols, line):
    if line.startswith("{"):
        return line
    cells = re.findall(r'"(?:[^"\\]|\\.)*"|\S+', line)
    if len(cells) != len(cols):
        raise ValueError(f"{len(cells)} values for {len(cols)} columns: {line}")
    pairs = (f"{json.dumps(name)}:{_value(kind, cell)}" for (name, kind), cell in zip(cols, cells))
    return "{" + ",".join(pairs) + "}"


def _value(kind, cell):
    if cell == "null":
        return "null"
    if kind.startswith("timestamp"):
        return json.dumps(timestamp_in(cell))
    if kind in ("string", "date") or kind.startswith("varchar"):
        return cell if cell.startswith('"') else json.dumps(cell, ensure_ascii=False)
    return cell


def timestamp_in(cell):
    """`12:05` is 12:05:00 on the scripts' day, `2024-01-02T00:00` names another one."""
    day, _, time = cell.rpartition("T")
    if time.count(":") == 1:
        time += ":00"
    return f"{day or DAY} {time}"


def cell(value, kind):
    """One value as text; `kind` is its pyspark type."""
    name = kind.typeName()
    if value is None:
        return "null"
    if name in ("timestamp", "timestamp_ntz"):
        return timestamp_out(value)
    if name == "time":
        return str(value).rstrip("0") if value.microsecond else str(value)
    if name == "boolean":
        return str(value).lower()
    if name == "double":
        return _float(repr(value))
    if name == "float":
        return _float(_shortest_f32(value))
    if name == "decimal":
        return format(value, "f") if isinstance(value, decimal.Decimal) else str(value)
    if name == "binary":
        return "0x" + bytes(value).hex()
    if name == "struct":
        fields = kind.fields
        if [f.name for f in fields] == ["start", "end"] and value[0] is not None:
            return f"[{cell(value[0], fields[0].dataType)},{cell(value[1], fields[1].dataType)})"
        return "{" + ",".join(cell(v, f.dataType) for v, f in zip(value, fields)) + "}"
    if name == "array":
        return "[" + ",".join(cell(v, kind.elementType) for v in value) + "]"
    if name == "map":
        pairs = sorted((cell(k, kind.keyType), cell(v, kind.valueType)) for k, v in value.items())
        return "{" + ",".join(f"{k}:{v}" for k, v in pairs) + "}"
    if name == "string":
        bare = BARE.fullmatch(value) and value not in ("null", "batch", "error")
        return value if bare else json.dumps(value, ensure_ascii=False)
    return str(value)


def timestamp_out(value):
    text = value.strftime("%H:%M") if isinstance(value, datetime.datetime) else str(value)
    if value.second or value.microsecond:
        text += value.strftime(":%S")
    if value.microsecond:
        text += f".{value.microsecond:06d}".rstrip("0")
    day = f"{value.year:04d}-{value.month:02d}-{value.day:02d}"
    return text if day == DAY else f"{day}T{text}"


def iso_out(text):
    """A progress timestamp (`2024-01-01T12:05:00.000Z`) as scripts write it."""
    return timestamp_out(datetime.datetime.fromisoformat(text.removesuffix("Z")))


def _shortest_f32(value):
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return repr(float(text))
    return repr(value)


def _float(text):
    text = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text, text)
    return re.sub(r"e([+-])0*(\d)", lambda m: "e" + m[1].strip("+") + m[2], text)


def row(values, fields):
    """One row as text."""
    return " ".join(cell(value, f.dataType) for value, f in zip(values, fields))
