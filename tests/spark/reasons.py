"""Differences from Spark that are meant: what kind of difference, and why it stays."""

import re

from differences import ACCEPTED, NAMES, REFUSED, ROWS, TYPES, same_rows

# What fails with the values that it meets, and not for what it says.
OF_VALUES = re.compile(
    r"CAST_INVALID_INPUT|CAST_OVERFLOW|DIVIDE_BY_ZERO|REMAINDER_BY_ZERO|ARITHMETIC_OVERFLOW"
    r"|BINARY_ARITHMETIC_OVERFLOW|INTERVAL_.*|NUMERIC_VALUE_OUT_OF_RANGE.*|INVALID_ARRAY_INDEX.*"
    r"|CANNOT_PARSE_TIMESTAMP|DATETIME_OVERFLOW|VALUE_NOT_IN_RANGE|COLLECTION_SIZE_LIMIT_EXCEEDED.*"
)


def reason(kind, spark, ours, statement):
    """Why a difference stays, or `None`."""
    if kind == ACCEPTED and OF_VALUES.fullmatch(spark["condition"] or "") and needs_no_value(ours):
        return "Spark computes what is constant, and what stands in a condition, also where no row asks for it"
    if kind == REFUSED and OF_VALUES.fullmatch(ours["condition"] or "") and needs_no_value(spark):
        return "Spark leaves an operand out where the other one decides: beside NULL, and where nothing can be true"
    if kind == ACCEPTED and (spark["condition"] or "").startswith("UNRESOLVED_COLUMN"):
        named = re.search(r"with name `((?:[^`]|``)+)` cannot be resolved", spark["error"])
        if named and re.search(rf"AS `{re.escape(named[1])}`.* GROUP BY .*`{re.escape(named[1])}`", statement):
            return "an alias that must be quoted cannot be grouped by in Spark, and can here"
    if kind == NAMES and is_automatic(spark["names"], ours["names"]):
        return "the automatic name of a nested expression is written otherwise"
    if kind == ROWS and any("\ufffd" in cell for row in spark["rows"] for cell in row):
        return "a STRING of bytes that are no UTF-8 has them in Spark, and marks in their place here"
    if kind in (TYPES, ROWS) and differ_in_fields(spark, ours):
        return "the type of an interval has all fields here, and in Spark those that were written"
    return None


def is_automatic(spark, ours):
    """Whether names differ only where Spark made them of calls."""
    return len(spark) == len(ours) and all(one == other or "(" in one for one, other in zip(spark, ours))


def differ_in_fields(spark, ours):
    """Whether answers differ only in the fields of intervals."""
    pairs = list(zip(spark["types"], ours["types"]))
    others = [at for at, (one, other) in enumerate(pairs) if one == other]
    if len(others) == len(pairs) or any(whole(one) != other for one, other in pairs):
        return False
    return same_rows(only(spark, others), only(ours, others), False)


def only(answer, columns):
    """Some columns of an answer."""
    return {
        "types": [answer["types"][at] for at in columns],
        "rows": [[row[at] for at in columns] for row in answer["rows"]],
    }


def whole(kind):
    """A type whose intervals have all fields."""
    kind = re.sub(r"interval (year|month)( to month)?", "interval year to month", kind)
    times = r"interval (hour|minute|second|day to hour|day to minute|hour to \w+|minute to second)(?! to)"
    return re.sub(times, "interval day to second", kind)


def needs_no_value(answer):
    """Whether an answer has no rows, or in one of its columns nothing but NULL: what failed was not needed for it."""
    rows = answer["rows"]
    return not rows or any(all(cell == "NULL" for cell in column) for column in zip(*rows))
