"""Random values and expressions of a type over the columns of a scope."""

from dataclasses import dataclass
from random import Random

from tree import expression, fixed, optional
from vocabulary import EXTREME, FUNCTIONS, NUMBERS, ORDINARY, PLAIN


@dataclass(frozen=True)
class Column:
    """What an expression can name: how it is written and its type (see `ORDINARY`, `array<…>`, `map`, `struct`)."""

    text: str
    kind: str


class Expressions:
    """Makes expressions from one seed."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.tables = []
        self.deep = 0

    def chance(self, percent):
        """True that often."""
        return self.random.random() * 100 < percent

    def pick(self, items):
        """One of them."""
        return self.random.choice(items)

    def literal(self, kind):
        """A value of a type."""
        if kind.startswith("array<"):
            inner = kind[6:-1]
            return f"array({', '.join(self.literal(inner) for _ in range(self.random.randint(1, 3)))})"
        if kind == "map":
            return f"map('a', {self.literal('string')}, 'b', {self.literal('string')})"
        if kind == "struct":
            return f"named_struct('f', {self.literal('int')}, 'G', {self.literal('string')})"
        if kind.startswith("decimal") and kind not in ORDINARY:
            kind = self.pick(["decimal(10,2)", "decimal(38,18)"])
        if self.chance(12):
            return f"CAST(NULL AS {kind.upper()})" if kind in ORDINARY else "NULL"
        return self.pick(EXTREME[kind] if self.chance(8) and kind in EXTREME else ORDINARY[kind])

    def expression(self, kind, scope, depth=3):
        """An expression of a type over a scope's columns."""
        fitting = [column.text for column in scope if fits(column.kind, kind)]
        if fitting and self.chance(55 if depth > 1 else 80):
            return expression(self.pick(fitting))
        if depth <= 0 or kind not in FUNCTIONS or self.chance(15):
            return expression(self.plain_literal(kind))
        if self.chance(8):
            return self.conditional(kind, scope, depth)
        if self.chance(3) and self.tables and kind in ("int", "bigint", "string"):
            return self.scalar_subquery(kind, scope)
        return self.filled(self.pick(FUNCTIONS[kind]), scope, depth)

    def plain_literal(self, kind):
        """A literal for what templates call a type."""
        words = {"array": "array<int>", "ints": "array<int>", "strings": "array<string>", "decimal": "decimal(10,2)"}
        if kind == "interval":
            return self.pick(["INTERVAL 1 DAY", "INTERVAL '1 02:03:04.5' DAY TO SECOND", "INTERVAL 3 MONTHS"])
        return self.literal(words.get(kind, kind))

    def conditional(self, kind, scope, depth):
        """CASE in both forms."""
        value = lambda: self.expression(kind, scope, depth - 1)
        otherwise = optional(" ELSE ", value()) if self.chance(60) else ""
        if self.chance(50):
            when = self.expression("boolean", scope, depth - 1)
            return expression("CASE WHEN ", when, " THEN ", value(), otherwise, " END")
        subject = self.expression("int", scope, depth - 1)
        return expression("CASE ", subject, " WHEN 1 THEN ", value(), " WHEN NULL THEN ", value(), otherwise, " END")

    def scalar_subquery(self, kind, scope):
        """`(SELECT max(…) FROM t WHERE …)`, correlated at times."""
        name, columns = self.pick(self.tables)
        inner = [Column(f"q.{column.text}", column.kind) for column in columns if column.kind in ORDINARY]
        aggregate = {"int": "max({int})", "bigint": "count({any})", "string": "min({string})"}[kind]
        where = optional(" WHERE ", self.correlation(inner, scope)) if self.chance(50) else ""
        return expression("(SELECT ", self.filled(aggregate, inner, 1), f" FROM {name} AS q", where, ")")

    def correlation(self, inner, outer):
        """An equality of an inner and an outer column, or something about the inner ones."""
        pairs = [(a.text, b.text) for a in inner for b in outer if a.kind == b.kind and a.kind in ORDINARY]
        if pairs and self.chance(80):
            left, right = self.pick(pairs)
            return expression(f"{left} = {right}")
        return self.expression("boolean", inner, 1)

    def filled(self, template, scope, depth):
        """A template with arguments in its slots."""
        same = self.kind_of_scope(scope, NUMBERS + ["string", "date", "timestamp", "int", "string"])
        element = self.pick(["int", "string"])
        parts, rest = [], template
        while "{" in rest:
            before, _, rest = rest.partition("{")
            slot, _, rest = rest.partition("}")
            parts += [before, self.slot(slot, scope, depth - 1, same, element)]
        if " " in template and template[0] == "{" and self.chance(80):
            return expression("(", *parts, rest, ")")
        return expression(*parts, rest)

    def slot(self, slot, scope, depth, same, element):
        """One argument."""
        if slot.startswith("lambda:"):
            return self.lambda_of(slot[7:], scope, depth, element)
        if slot in ("same", "same2"):
            near = self.pick(NUMBERS) if slot == "same2" and same in NUMBERS and self.chance(30) else same
            return self.expression(base(near), scope, depth)
        if slot == "element":
            return self.expression(element, scope, depth)
        if slot == "array":
            return self.expression("ints" if element == "int" else "strings", scope, depth)
        if slot == "any":
            slot = self.kind_of_scope(scope, PLAIN + ["ints", "strings", "struct", "map"])
        elif slot == "plain":
            slot = self.kind_of_scope(scope, PLAIN)
        elif slot == "number":
            slot = self.pick(NUMBERS)
        elif slot in ("string", "double", "date") and self.chance(4):
            slot = {"string": "int", "double": "decimal", "date": "string"}[slot]
        return self.expression(base(slot), scope, depth)

    def kind_of_scope(self, scope, kinds):
        """A type, mostly one that a column of the scope has."""
        had = [column.kind for column in scope if column.kind in kinds]
        return self.pick(had) if had and self.chance(70) else self.pick(kinds)

    def lambda_of(self, kind, scope, depth, element):
        """A lambda whose variable shadows a column at times."""
        plain = [column.text for column in scope if column.text.isidentifier()]
        name = self.pick(plain) if plain and self.chance(40) else self.pick(["x", "X", "e"])
        seen = [column for column in scope if column.text.lower() != name.lower()] + [Column(name, element)] * 3
        return fixed(f"{name} -> ", self.expression(kind, seen, min(depth, 2)))


def base(kind):
    """What templates call a type."""
    return "decimal" if kind.startswith("decimal") else kind


def fits(kind, wanted):
    """Whether a column of a type can stand where a template wants one."""
    arrays = {"array<int>": ("ints", "array"), "array<string>": ("strings",)}
    return base(kind) == wanted or wanted in arrays.get(kind, ())
