# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Boolean expressions of Liberty: functions of outputs, conditions of power."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from accel.errors import QCLIFError

Value = TypeVar("Value")

_TOKEN = re.compile(r"\s*(?:([A-Za-z_][\w\[\]]*)|([01])|(.))")

# Operators from the loosest to the tightest; `and` may also be nothing between two operands.
_LEVELS = (("or", "|+"), ("and", "&*"), ("xor", "^"))


@dataclass(frozen=True)
class Expression:
    """An expression as a tree.

    Attributes
    ----------
    kind : "pin", "constant", "not", "and", "or" or "xor".
    name : of a pin; of a constant "0" or "1".
    parts : operands: one of "not", two of the others.
    """
    kind:  str
    name:  str = ""
    parts: tuple["Expression", ...] = ()

    def pins(self) -> frozenset[str]:
        """Names of the pins and states in the expression."""
        return frozenset({self.name} if self.kind == "pin" else set().union(*(part.pins() for part in self.parts)))

    def fold(self, pin: Callable[[str], Value], join: Mapping[str, Callable[..., Value]]) -> Value:
        """Value of the tree: pin() gives that of a pin, or of the constants "0" and "1", join those of operators."""
        if self.kind in ("pin", "constant"):
            return pin(self.name)
        return join[self.kind](*(part.fold(pin, join) for part in self.parts))

    def verilog(self) -> str:
        """The expression in Verilog."""
        return self.fold(lambda name: f"1'b{name}" if name in "01" else name, {
            "not": lambda a: f"(~{a})",
            "and": lambda a, b: f"({a} & {b})",
            "or":  lambda a, b: f"({a} | {b})",
            "xor": lambda a, b: f"({a} ^ {b})",
        })

    def holds(self, values: Mapping[str, bool]) -> bool:
        """Whether the expression is true for these values of its pins and states."""
        return self.fold(lambda name: name == "1" if name in "01" else values[name], {
            "not": lambda a: not a,
            "and": lambda a, b: a and b,
            "or":  lambda a, b: a or b,
            "xor": lambda a, b: a != b,
        })

    def table(self, names: Sequence[str]) -> tuple[bool, ...]:
        """Whether the expression is true for all levels of its pins and states, those of the last name next to each
        other."""
        return tuple(self.holds(dict(zip(names, levels, strict=True)))
            for levels in product((False, True), repeat=len(names)))

    def replaced(self, others: Mapping[str, "Expression"]) -> "Expression":
        """The expression with others in the place of some of its pins."""
        return self.fold(lambda name: others.get(name) or Expression("constant" if name in "01" else "pin", name),
            {kind: functools.partial(_operation, kind) for kind in ("not", "and", "or", "xor")})


LOW, HIGH = Expression("constant", "0"), Expression("constant", "1")


def _operation(kind: str, *parts: Expression) -> Expression:
    return Expression(kind, parts=parts)


@functools.cache
def parse_expression(text: str) -> Expression:
    """Tree of a Liberty expression.

    Raises
    ------
    QCLIFError : it is none.
    """
    tokens = [match.group().strip() for match in _TOKEN.finditer(text) if match.group().strip()]
    tree   = _Parser(tokens, text)
    result = tree.level(0)
    if tree.tokens:
        raise tree.error()
    return result


class _Parser:
    """Tokens that are left."""
    def __init__(self, tokens: list[str], text: str):
        self.tokens = tokens
        self.text   = text

    def error(self) -> QCLIFError:
        rest = f" at {self.tokens[0]!r}" if self.tokens else ", it ends too early"
        return QCLIFError(f"{self.text!r} is no Liberty expression{rest}: fetch the Liberty file again")

    def level(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self.operand()
        kind, marks = _LEVELS[level]
        result = self.level(level + 1)
        while self.tokens:
            if self.tokens[0] in marks:
                self.tokens.pop(0)
            elif kind != "and" or not (self.tokens[0] in "!(" or self.tokens[0][0].isalnum()):
                break
            result = _operation(kind, result, self.level(level + 1))
        return result

    def operand(self) -> Expression:
        token = self.tokens.pop(0) if self.tokens else ""
        if token == "!":
            return _operation("not", self.operand())
        if token == "(":
            result = self.level(0)
            if not self.tokens or self.tokens.pop(0) != ")":
                raise self.error()
        elif token in ("0", "1"):
            result = Expression("constant", token)
        elif re.match(r"[A-Za-z_]", token):
            result = Expression("pin", token)
        else:
            raise self.error()
        while self.tokens and self.tokens[0] == "'":
            self.tokens.pop(0)
            result = _operation("not", result)
        return result
