"""Every operator and cast on every pair of plain types, on NULLs: what the result's type is, or that Spark refuses."""

from itertools import product

TYPES = [
    "BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(5,2)", "DECIMAL(38,10)", "STRING",
    "BINARY", "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "INTERVAL DAY TO SECOND", "INTERVAL YEAR TO MONTH", "VOID",
]  # fmt: skip
NESTED = ["ARRAY<INT>", "MAP<STRING, INT>", "STRUCT<a: INT>"]
OPERATORS = [
    "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / {1}", "{0} % {1}", "{0} DIV {1}", "{0} = {1}", "{0} < {1}",
    "{0} || {1}", "coalesce({0}, {1})", "CASE WHEN true THEN {0} ELSE {1} END", "{0} IN ({1})", "{0} & {1}",
    "greatest({0}, {1})", "array({0}, {1})",
]  # fmt: skip
FUNCTIONS = [
    "-{0}", "~{0}", "NOT {0}", "abs({0})", "sum({0})", "avg({0})", "max({0})", "count({0})", "stddev({0})",
    "collect_list({0})", "round({0})", "ceil({0})", "floor({0})", "length({0})", "upper({0})", "year({0})",
    "hour({0})", "concat({0}, {0})", "hex({0})", "to_json(struct({0}))", "hash({0})", "min_by({0}, 1)",
    "percentile({0}, 0.5)", "median({0})", "bit_and({0})", "sqrt({0})", "size({0})", "typeof({0})",
    "substring({0}, 1)", "date_add({0}, 1)", "lag({0}) OVER (ORDER BY 1)", "sum({0}) OVER ()",
]  # fmt: skip


def statements():
    """(theme, statement) of all."""
    null = {kind: "NULL" if kind == "VOID" else f"CAST(NULL AS {kind})" for kind in TYPES + NESTED}
    for operator, left, right in product(OPERATORS, TYPES, TYPES):
        yield f"operators {operator}", f"SELECT {operator.format(null[left], null[right])} AS v"
    for left, right in product(TYPES + NESTED, TYPES + NESTED):
        if right != "VOID":
            yield "casts", f"SELECT CAST({null[left]} AS {right}) AS v"
    for function, kind in product(FUNCTIONS, TYPES + NESTED):
        yield f"functions {function}", f"SELECT {function.format(null[kind])} AS v"
