"""Read and answer a condition without any of our own code or the parser's: what the compiled rules are held to."""

import re
from decimal import Decimal

WORD = re.compile(r"\s*('(?:[^']|'')*'|[A-Za-z_]\w*|\d+(?:\.\d+)?|<>|<=|>=|[-+*/=<>(),])")
ORDERS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}  # each with what differs from it at the limit alone


def read(text: str) -> tuple:
    """The condition as nested tuples: ("and", a, b), ("<", a, b), ("name", "far"), ("value", Decimal) …"""
    words, offset = [], 0
    while text[offset:].strip():
        found = WORD.match(text, offset)
        assert found, f"nobody can read {text[offset:]!r}"
        words.append(found[1])
        offset = found.end()
    reader = _Reader(words)
    tree = reader.any_of()
    assert not reader.words, reader.words
    return tree


class _Reader:
    def __init__(self, words):
        self.words = words

    def sees(self, *wanted) -> bool:
        return bool(self.words) and self.words[0].upper() in wanted

    def takes(self, *wanted) -> str:
        return self.words.pop(0).upper() if self.sees(*wanted) else ""

    def any_of(self):
        found = self.all_of()
        while self.takes("OR"):
            found = ("or", found, self.all_of())
        return found

    def all_of(self):
        found = self.negated()
        while self.takes("AND"):
            found = ("and", found, self.negated())
        return found

    def negated(self):
        return ("not", self.negated()) if self.takes("NOT") else self.compared()

    def compared(self):
        left = self.sum()
        if op := self.takes("=", "<>", "<", "<=", ">", ">="):
            return (op, left, self.sum())
        if self.takes("IS"):
            absent = not self.takes("NOT")
            assert self.takes("NULL")
            return ("null", left) if absent else ("not", ("null", left))
        negated = self.takes("NOT")
        found = left
        if self.takes("BETWEEN"):
            low = self.sum()
            assert self.takes("AND")
            found = ("and", (">=", left, low), ("<=", left, self.sum()))
        elif self.takes("IN"):
            assert self.takes("(")
            items = [self.sum()]
            while self.takes(","):
                items.append(self.sum())
            assert self.takes(")")
            found = ("in", left, *items)
        return ("not", found) if negated else found

    def sum(self):
        found = self.product()
        while op := self.takes("+", "-"):
            found = (op, found, self.product())
        return found

    def product(self):
        found = self.one()
        while op := self.takes("*", "/"):
            found = (op, found, self.one())
        return found

    def one(self):
        if self.takes("("):
            found = self.any_of()
            assert self.takes(")")
            return found
        if self.takes("-"):
            return ("-", ("value", Decimal(0)), self.one())
        word = self.words.pop(0)
        if word[0] == "'":
            return ("value", word[1:-1].replace("''", "'"))
        if word[0].isdigit():
            return ("value", Decimal(word))
        if word.upper() in ("TRUE", "FALSE"):
            return ("value", word.upper() == "TRUE")
        return ("name", word)


def answer(tree: tuple, known: dict):
    """True, False or None; `known` has measures (None: unknown) and parameters, a list among them as a tuple."""
    kind, *rest = tree
    if kind == "value":
        return rest[0]
    if kind == "name":
        return known[rest[0]]
    if kind in ("and", "or"):
        decisive = kind == "or"
        verdicts = [answer(one, known) for one in rest]
        if decisive in verdicts:
            return decisive
        return None if None in verdicts else not decisive
    if kind == "not":
        verdict = answer(rest[0], known)
        return None if verdict is None else not verdict
    if kind == "null":
        return answer(rest[0], known) is None
    if kind == "in":
        value, items = answer(rest[0], known), []
        for one in rest[1:]:
            item = answer(one, known)
            items += item if isinstance(item, tuple) else [item]
        if not items:
            return False
        return None if value is None else value in items
    left, right = answer(rest[0], known), answer(rest[1], known)
    if left is None or right is None:
        return None
    return {
        "=": lambda: left == right,
        "<>": lambda: left != right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left / right if right else None,
    }[kind]()


def names(tree: tuple):
    """Every name of the condition, in its order."""
    if tree[0] == "name":
        yield tree[1]
    for one in tree[1:]:
        if isinstance(one, tuple):
            yield from names(one)


def comparisons(tree: tuple):
    """Every (op, left, right) of the condition, and the lists of IN."""
    if tree[0] in ("=", "<>", "<", "<=", ">", ">=", "in"):
        yield tree
    for one in tree[1:]:
        if isinstance(one, tuple):
            yield from comparisons(one)


def limit(comparison: tuple, measure: str, known: dict) -> Decimal:
    """Where the two sides are equal, both being linear in the one measure."""

    def difference(value: int):
        given = known | {measure: Decimal(value)}
        return answer(comparison[1], given) - answer(comparison[2], given)

    at_zero, slope = difference(0), difference(1) - difference(0)
    return -at_zero / slope


def neighbours(tree: tuple):
    """The condition with one order made its neighbour (< for <=, …), once for each order in it."""
    for place, one in enumerate(tree):
        if place and isinstance(one, tuple):
            for changed in neighbours(one):
                yield (*tree[:place], changed, *tree[place + 1 :])
    if tree[0] in ORDERS:
        yield (ORDERS[tree[0]], *tree[1:])
