"""Random SQL over random schemas: names in all cases, nested types, NULLs, extremes, all shapes of scopes."""

from expressions import Column, Expressions, base
from tree import expression, fixed, listed, optional
from vocabulary import AGGREGATES, FRAMELESS, FRAMES, FUNCTIONS, JOINS, NAMES, NUMBERS, ORDINARY, PLAIN, TABLES, WINDOWS


class Queries(Expressions):
    """One statement from one seed."""

    def statement(self):
        """A whole statement: tables, then a query over them."""
        ctes = []
        for name in self.random.sample(TABLES, self.random.randint(1, 2)):
            columns = self.schema()
            ctes.append(fixed(f"{name} AS (", self.values(columns), ")"))
            self.tables.append((name, columns))
        query, _ = self.query(top=True)
        return fixed("WITH ", listed(ctes), " ", query)

    def schema(self):
        """Columns of a table, told apart by more than case, mostly."""
        columns, seen = [], set()
        for name in self.random.sample(NAMES, self.random.randint(2, 5)):
            if name.lower() in seen and not self.chance(3):
                continue
            seen.add(name.lower())
            nested = ["array<int>", "array<string>", "map", "struct", "struct"]
            kinds = PLAIN * 2 + ["int", "string", "int", "string"] * 3 + nested
            columns.append(Column(name, self.pick(kinds)))
        return columns

    def values(self, columns):
        """`SELECT * FROM VALUES …` with a first row that fixes the types."""
        rows = [f"({', '.join(self.certain(c.kind) for c in columns)})"]
        for _ in range(self.random.randint(0, 4)):
            rows.append(f"({', '.join(self.literal(c.kind) for c in columns)})")
        names = ", ".join(column.text for column in columns)
        return fixed("SELECT * FROM VALUES ", listed(rows), f" AS d({names})")

    def certain(self, kind):
        """A value whose type is certain: cast, or nested and not NULL."""
        if kind in ORDINARY:
            return f"CAST({self.literal(kind)} AS {kind.upper()})"
        while (text := self.literal(kind)) == "NULL":
            pass
        return text

    def query(self, top=False):
        """A query and the columns it gives."""
        self.deep += 1
        shape = self.random.random()
        if shape < 0.12 and self.deep < 3:
            made = self.set_operation()
        elif shape < 0.38:
            made = self.grouped()
        else:
            made = self.plain()
        self.deep -= 1
        text, columns = made
        if top and columns and self.chance(30) and all(column.kind not in ("map", "interval") for column in columns):
            ways = ["", " DESC", " NULLS LAST", " DESC NULLS FIRST"]
            ordinals = [f"{at + 1}{self.pick(ways)}" for at in range(len(columns))]
            limit = optional(f" LIMIT {self.random.randint(1, 3)}") if self.chance(50) else ""
            text = fixed(text, optional(" ORDER BY ", ", ".join(ordinals), limit))
        return text, columns

    def relation(self):
        """A FROM item: its text and the columns in scope."""
        left, scope = self.one_table(0)
        if not self.chance(40):
            return left, scope
        right, other = self.one_table(1)
        there = {last(column.text).lower() for column in other}
        if not self.chance(5):
            scope = [qualified(c) if last(c.text).lower() in there else c for c in scope]
        how = self.pick(JOINS)
        common = [(a, b) for a in scope for b in other if like(a, b)]
        if how == "CROSS JOIN":
            return fixed(left, optional(" CROSS JOIN ", right)), scope + other
        half = "SEMI" in how or "ANTI" in how
        if common and self.chance(60):
            name = last(self.pick(common)[0].text)
            if self.chance(50):
                name = name.upper() if name.isidentifier() else name
            kept = [c for c in scope + ([] if half else other) if last(c.text).lower() != name.lower()]
            kind = [c.kind for c in scope if last(c.text).lower() == name.lower()][0]
            return fixed(left, optional(f" {how} ", right, f" USING ({name})")), [Column(name, kind)] + kept
        if common:
            a, b = self.pick(common)
            condition = expression(f"{a.text} = {b.text}")
            if self.chance(30):
                condition = expression(condition, " AND ", self.expression("boolean", scope + other, 1))
        else:
            condition = self.expression("boolean", scope + other, 2)
        return fixed(left, optional(f" {how} ", right, " ON ", condition)), scope + ([] if half else other)

    def one_table(self, at):
        """A table under an alias, or a subquery; columns are named with it, or bare."""
        name, columns = self.pick(self.tables)
        alias = ["l", "R"][at]
        if self.chance(20) and self.deep < 3:
            query, columns = self.query()
            columns = [c for c in columns if c.text]
            if not columns:
                return self.one_table(at)
            source = fixed("(", query, f") AS {alias}")
        else:
            source = fixed(f"{name} AS {alias}")
        spelled = lambda: alias if self.chance(80) else alias.swapcase()
        scope = [Column(f"{spelled()}.{self.cased(c.text)}", c.kind) for c in columns]
        if at == 0 and self.chance(40):
            scope = [Column(self.cased(c.text), c.kind) for c in columns]
        if not self.chance(5):
            scope = list({column.text.lower(): column for column in scope}.values())
        structs = [column for column in scope if column.kind == "struct"]
        for name, kind in (("f", "int"), ("G", "string")):
            scope += [Column(f"{column.text}.{self.cased(name)}", kind) for column in structs]
        return source, scope

    def cased(self, name):
        """A name in other letters at times."""
        return name.swapcase() if self.chance(10) else name

    def where(self, scope):
        """A WHERE clause, at times with a subquery."""
        if not self.chance(35):
            return ""
        if self.chance(8):
            return optional(" WHERE ", self.of_all_rows())
        if self.chance(25):
            name, columns = self.pick(self.tables)
            inner = [Column(f"q.{c.text}", c.kind) for c in columns if c.kind in ORDINARY]
            outer = [c for c in scope if c.kind in ORDINARY]
            pairs = [(a, b) for a in inner for b in outer if a.kind == b.kind]
            if pairs and self.chance(60):
                a, b = self.pick(pairs)
                negated = "NOT " if self.chance(30) else ""
                more = optional(" WHERE ", self.correlation(inner, scope)) if self.chance(30) else ""
                chosen = f"{b.text} {negated}IN (SELECT {a.text} FROM {name} AS q"
                return optional(" WHERE ", expression(chosen, more, ")"))
            negated = "NOT " if self.chance(40) else ""
            begin = f"{negated}EXISTS (SELECT 1 FROM {name} AS q WHERE "
            return optional(" WHERE ", expression(begin, self.correlation(inner, scope), ")"))
        return optional(" WHERE ", self.expression("boolean", scope, 3))

    def of_all_rows(self):
        """A condition that is the same for all rows, and known only when the query runs."""
        name, columns = self.pick(self.tables)
        inner = [Column(f"q.{c.text}", c.kind) for c in columns if c.kind in ORDINARY]
        value = self.filled(self.pick(AGGREGATES["bigint"]), inner, 1)
        return expression("(SELECT ", value, f" FROM {name} AS q) {self.pick(['>', '<', '='])} 1")

    def plain(self):
        """SELECT without groups: expressions, stars, windows, generators, lateral aliases."""
        source, scope = self.relation()
        lateral = ""
        if self.chance(8):
            outer = self.pick(["", " OUTER"])
            lateral = optional(f" LATERAL VIEW{outer} explode(", self.expression("ints", scope, 2), ") lv AS el")
            scope = scope + [Column("el", "int")]
        where = self.where(scope)
        items, given = [], []
        if self.chance(12):
            items.append("*")
        if self.chance(6) and not items:
            items.append(self.pick(["l.*", "L.*"]))
        starred = bool(items)
        seen = list(scope)
        for at in range(self.random.randint(1, 4)):
            item, column = self.item(seen, scope, at)
            items.append(item)
            given.append(column)
            if column.text and self.chance(25):
                seen = seen + [column]
        distinct = self.pick(["", "", "", "", "", "DISTINCT "])
        if any(column.kind == "map" for column in given) or starred:
            distinct = ""
        query = fixed(f"SELECT {distinct}", listed(items), " FROM ", source, lateral, where)
        return query, [] if starred else given

    def item(self, scope, relation, at):
        """One item of a SELECT list and the column it gives; windows see no lateral aliases."""
        if self.chance(10):
            kind = self.pick(list(WINDOWS))
            value = self.window(kind, relation)
        else:
            kind = base(self.kind_of_scope(scope, list(FUNCTIONS) + PLAIN))
            value = self.expression(kind, scope, 3)
        if self.chance(65):
            name = self.pick(NAMES) if self.chance(50) else f"c{at}"
            return fixed(value, f" AS {name}"), Column(name, kind_of(kind))
        return value, Column("", kind_of(kind))

    def window(self, kind, scope):
        """A window function with a total order where its value needs one."""
        partition = fixed("PARTITION BY ", self.expression("int", scope, 1), " ") if self.chance(50) else ""
        plain = [c.text for c in scope if c.kind in ORDINARY]
        order = ", ".join(dict.fromkeys(plain)) or "1"
        frame = self.pick(FRAMES)
        function = self.pick(WINDOWS[kind])
        if function.split("(")[0] in FRAMELESS:
            frame = ""
        return expression(self.filled(function, scope, 1), " OVER (", partition, f"ORDER BY {order}{frame})")

    def grouped(self):
        """SELECT with GROUP BY: keys as expressions, ordinals, aliases or ALL; HAVING."""
        source, scope = self.relation()
        where = self.where(scope)
        keys, items, given, groups = [], [], [], []
        for at in range(self.random.randint(0, 2)):
            kind = self.kind_of_scope(scope, PLAIN)
            key = self.expression(base(kind), scope, 2)
            keys.append(Column(str(key), base(kind)))
            alias = f"k{at}" if self.chance(40) else self.pick(NAMES) if self.chance(30) else ""
            items.append(fixed(key, f" AS {alias}") if alias else key)
            given.append(Column(alias, base(kind)))
            groups.append(self.pick([str(key), str(key), str(at + 1), alias or str(key)]))
        for at in range(self.random.randint(1, 3)):
            kind = self.pick(list(AGGREGATES))
            value = self.aggregate(kind, scope)
            if self.chance(20) and kind in ("int", "bigint", "double"):
                value = expression(value, " + ", self.expression("int", [c for c in keys if c.kind == "int"], 1))
            alias = f"g{at}" if self.chance(60) else ""
            items.append(fixed(value, f" AS {alias}") if alias else value)
            given.append(Column(alias, kind_of(kind)))
        group = ""
        if groups:
            wrap = self.pick(["{}"] * 6 + ["ROLLUP({})", "CUBE({})", "ALL"])
            if wrap == "ALL":
                group = " GROUP BY ALL"
            else:
                group = f" GROUP BY {wrap.format(', '.join(groups))}"
        having = ""
        if self.chance(20):
            named = [c for c in given if c.text and c.kind in ("int", "bigint")]
            if named and self.chance(50):
                having = optional(f" HAVING {self.pick(named).text} > 0")
            elif self.chance(25):
                having = optional(" HAVING ", self.of_all_rows())
            else:
                having = optional(" HAVING ", self.aggregate("bigint", scope), " > 0")
        return fixed("SELECT ", listed(items), " FROM ", source, where, group, having), given

    def aggregate(self, kind, scope):
        """An aggregate, at times with FILTER."""
        value = self.filled(self.pick(AGGREGATES[kind]), scope, 2)
        if self.chance(10) and kind in ("int", "bool", "date"):
            return expression(value, optional(" FILTER (WHERE ", self.expression("boolean", scope, 1), ")"))
        return value

    def set_operation(self):
        """Two SELECTs of like columns."""
        source, scope = self.relation()
        other, other_scope = self.relation()
        kinds = [self.pick(PLAIN) for _ in range(self.random.randint(1, 3))]
        left = [self.expression(base(kind), scope, 2) for kind in kinds]
        shifted = [self.pick(NUMBERS) if kind in NUMBERS and self.chance(30) else kind for kind in kinds]
        right = [self.expression(base(kind), other_scope, 2) for kind in shifted]
        names = [f"s{at}" if self.chance(60) else "" for at in range(len(kinds))]
        spelled = [fixed(value, f" AS {name}") if name else value for value, name in zip(left, names)]
        operator = self.pick(["UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL", "MINUS"])
        left, right = together(spelled), together(right)
        query = fixed("SELECT ", left, " FROM ", source, f" {operator} SELECT ", right, " FROM ", other)
        return query, [Column(name, base(kind)) for name, kind in zip(names, kinds)]


def together(nodes):
    """Nodes with commas between them, none of which can go."""
    return fixed(*[part for at, node in enumerate(nodes) for part in ([", "] if at else []) + [node]])


def kind_of(slot):
    """The type of what a template gives."""
    return {"ints": "array<int>", "strings": "array<string>", "array": "array<?>", "struct": "struct?"}.get(slot, slot)


def last(text):
    """The last part of a name: `l.a` gives `a`, a quoted one with dots stays whole."""
    if text.endswith("`"):
        return text[text.rindex("`", 0, -1) :]
    return text.rpartition(".")[2]


def qualified(column):
    """A bare column of the left table with its alias."""
    bare = "." not in column.text.split("`")[0] and not column.text.startswith(("l.", "L."))
    return Column(f"l.{column.text}", column.kind) if bare else column


def like(left, right):
    """Whether two columns (no fields of structs) have the same name and type, so that they can be joined on."""
    fields = ("f", "g")
    same = last(left.text).lower() == last(right.text).lower() not in fields
    return same and left.kind == right.kind and left.kind in ORDINARY


def statement(seed):
    """The statement of a seed, as a tree."""
    return Queries(seed).statement()
