"""A generated statement as a tree of texts, and how it can be made smaller."""

from dataclasses import dataclass, field

FIXED, LIST, OPTIONAL, EXPRESSION = "fixed", "list", "optional", "expression"
# What may stand where an expression stood.
SMALL = ("NULL", "1")


@dataclass
class Node:
    """Texts and nodes in a row. A list can lose items, an optional node can go, an expression can shrink."""

    kind: str
    parts: list = field(default_factory=list)
    separator: str = ""

    def __str__(self):
        return self.separator.join(str(part) for part in self.parts)


def fixed(*parts):
    """What must stay as it is, but for its parts."""
    return Node(FIXED, list(parts))


def listed(parts, separator=", "):
    """A list that needs one item."""
    return Node(LIST, list(parts), separator)


def optional(*parts):
    """A clause that can go."""
    return Node(OPTIONAL, list(parts))


def expression(*parts):
    """An expression; each of its sub-expressions could stand in its place."""
    return Node(EXPRESSION, list(parts))


def smaller(node):
    """Trees that are one step smaller, big steps first."""
    if node.kind == OPTIONAL and node.parts:
        yield Node(OPTIONAL)
    if node.kind == LIST and len(node.parts) > 1:
        for at in range(len(node.parts)):
            yield Node(LIST, node.parts[:at] + node.parts[at + 1 :], node.separator)
    if node.kind == EXPRESSION:
        yield from (part for part in node.parts if isinstance(part, Node) and part.kind == EXPRESSION)
        if len(str(node)) > 4:
            yield from (Node(EXPRESSION, [text]) for text in SMALL)
    for at, part in enumerate(node.parts):
        if isinstance(part, Node):
            for less in smaller(part):
                yield Node(node.kind, node.parts[:at] + [less] + node.parts[at + 1 :], node.separator)


def shrunk(tree, still_differs, tries=300):
    """The smallest tree found that still differs."""
    while True:
        for less in smaller(tree):
            if len(str(less)) >= len(str(tree)):
                continue
            tries -= 1
            if tries < 0:
                return tree
            if still_differs(str(less)):
                tree = less
                break
        else:
            return tree
