"""Compares two answers to a statement: names, types, rows; doubles to 1e-12."""

import re
from collections import Counter

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:E[+-]?\d+)?")
TOLERANCE = 1e-12
RIGHT, NAMES, TYPES, ROWS, REFUSED, ACCEPTED = "right", "names", "types", "rows", "refused", "accepted"
KINDS = (RIGHT, NAMES, TYPES, ROWS, REFUSED, ACCEPTED)


def verdict(spark, ours, statement):
    """How our answer stands to Spark's: one of KINDS."""
    if "error" in spark:
        return RIGHT if "error" in ours and not broken(ours) else ACCEPTED if "error" not in ours else REFUSED
    if "error" in ours:
        return REFUSED
    if not same_rows(spark, ours, ordered(statement)):
        return ROWS
    if spark["types"] != ours["types"]:
        return TYPES
    return RIGHT if spark["names"] == ours["names"] else NAMES


def broken(answer):
    """Whether the engine did not refuse, but fell."""
    return answer.get("condition") in ("PANIC", "CRASH", "HANG")


def loose(name):
    """A name without case, blanks and quotes."""
    return re.sub(r"[\s`'\"]", "", name).lower()


def loosely_same_names(spark, ours):
    """Whether names differ at most in case, blanks and quotes."""
    return [loose(name) for name in spark["names"]] == [loose(name) for name in ours["names"]]


def ordered(statement):
    """Whether the statement's own result has an order: ORDER BY outside all brackets."""
    depth, quote, outside = 0, None, []
    for char in statement:
        if quote:
            quote = None if char == quote else quote
        elif char in "'\"`":
            quote = char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif depth == 0:
            outside.append(char)
    return re.search(r"\border\s+by\b", "".join(outside), re.IGNORECASE) is not None


def same_rows(spark, ours, in_order):
    """Whether both have the same rows, in order where there is one."""
    left, right = spark["rows"], ours["rows"]
    if len(left) != len(right):
        return False
    if not in_order:
        left, right = sorted(left, key=_rough), sorted(right, key=_rough)
    floating = [re.search(r"\b(double|float)\b", kind) is not None for kind in spark["types"]]
    return all(_same_row(a, b, floating) for a, b in zip(left, right))


def _rough(row):
    return [NUMBER.sub(lambda found: f"{float(found[0]):.8g}", cell) for cell in row]


def _same_row(left, right, floating):
    if len(left) != len(right):
        return False
    return all(a == b or (is_float and _near(a, b)) for a, b, is_float in zip(left, right, floating))


def _near(left, right):
    if NUMBER.sub("#", left) != NUMBER.sub("#", right):
        return False
    pairs = zip(NUMBER.findall(left), NUMBER.findall(right))
    return all(abs(float(a) - float(b)) <= TOLERANCE * max(abs(float(a)), abs(float(b))) for a, b in pairs)


def told(spark, ours, statement):
    """A difference in full."""
    lines = [f"> {statement}"]
    for who, answer in (("spark", spark), ("ours ", ours)):
        if "error" in answer:
            lines.append(f"  {who} [{answer['condition']}] {answer['error']}")
            continue
        rows = answer["rows"]
        more = f" … {len(rows)} rows" if len(rows) > 20 else ""
        lines.append(f"  {who} {_text(rows[:20])}{more}")
        if answer.get("names") is not None:
            lines.append(f"        {', '.join(answer['types'])} | {', '.join(answer['names'])}")
    return "\n".join(lines).replace("\0", "\\0")


def _text(rows):
    return " ".join("(" + " | ".join(row) + ")" for row in rows) or "no rows"


def cause(kind, spark, ours):
    """What a difference has in common with others of its cause, in a line."""
    if kind == REFUSED:
        said = ours["error"].removeprefix(f"[{ours['condition']}]").strip().split("\n")[0]
        said = re.sub(r" \(line \d+, column \d+\)$", "", said)
        masked = said if "does not exist" in said else re.sub(r"['`\"].*?['`\"]|\d+", "…", said)
        return f"refused: [{ours['condition']}] {masked[:90]}"
    if kind == ACCEPTED:
        return f"accepted: Spark says [{spark['condition']}]"
    if kind == TYPES:
        pairs = [f"{a} is {b}" for a, b in zip(spark["types"], ours["types"]) if a != b]
        return f"types: {(pairs or ['another number of columns'])[0]}"
    if kind == NAMES:
        pairs = [f"{a} is {b}" for a, b in zip(spark["names"], ours["names"]) if a != b]
        return "names: " + re.sub(r"\d+", "…", (pairs or [""])[0])[:90]
    if len(spark["rows"]) != len(ours["rows"]):
        return f"rows: {len(spark['rows'])} are {len(ours['rows'])}"
    pairs = list(zip(spark["types"], zip(*spark["rows"]), zip(*ours["rows"])))
    other = dict.fromkeys(name for name, a, b in pairs if sorted(a) != sorted(b))
    return f"rows: values of {', '.join(other)}" if other else "rows: the same values in other rows"


class Tally:
    """How many answers are of each kind, and the causes that differences have most."""

    def __init__(self):
        self.kinds = Counter()
        self.causes = Counter()
        self.reasons = Counter()

    def add(self, kind, spark, ours, reason=None):
        """Counts one statement; whether it differs without a reason."""
        self.kinds[kind] += 1
        self.kinds["refused by Spark"] += "error" in spark
        if kind == RIGHT:
            return False
        if reason:
            self.reasons[reason] += 1
            return False
        self.causes[cause(kind, spark, ours)] += 1
        return True

    def show(self, most=40):
        """Prints the counts."""
        for text, count in self.causes.most_common(most):
            print(f"{count:5} {text}")
        for text, count in self.reasons.most_common():
            print(f"{count:5} meant: {text}")
        print(f"{self.causes.total()} differ without a reason")
        print(", ".join(f"{kind} {self.kinds[kind]}" for kind in (*KINDS, "refused by Spark")))
