# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Reads netlists: structural Verilog as Yosys and OpenROAD write it."""

import re
from collections.abc import Iterator
from pathlib import Path

from accel.errors import QCLIFError
from targets.netlist.netlist import NOTHING, ONE, ZERO, Instance, Module, Netlist

_TOKEN = re.compile(r"""
    (?P<space>(?:\s+|//[^\n]*|/\*.*?\*/|\(\*(?!\)).*?\*\))+)
  | (?P<name>\\\S+|[A-Za-z_][\w$]*)
  | (?P<number>\d*\s*'s?[bodhBODH][0-9a-fA-FxzXZ_?]+|\d+)
  | (?P<mark>[()\[\]{},;:.=])
    """, re.VERBOSE | re.DOTALL)

_BASES = {"b": 1, "o": 3, "h": 4}


def read_netlist(path: Path, top: str) -> Netlist:
    """Read the netlist of a file.

    Raises
    ------
    QCLIFError : it cannot be read, is not structural, or lacks the top; the line is named.
    """
    try:
        text = Path(path).read_text()
    except OSError as error:
        raise QCLIFError(f"{path}: cannot be read ({error.strerror}): run the stage synth first") from error
    return parse_netlist(text, top, str(path))


def parse_netlist(text: str, top: str, source: str = "netlist") -> Netlist:
    """Read the netlist of a text; `source` is named in errors."""
    modules = {module.name: module for module in _Parser(text, source).modules()}
    if top not in modules:
        raise QCLIFError(f"{source}: no module {top}, there are {', '.join(sorted(modules)) or 'none'}: run the stage "
            f"synth again")
    return Netlist(text, top, modules)


class _Parser:
    """Tokens of a text, one ahead, and what they declare."""
    def __init__(self, text: str, source: str):
        self.text   = text
        self.source = source
        self.tokens = self._scan()
        self.place  = 0
        self._next()

    # Tokens.
    # -------
    def _scan(self) -> Iterator[tuple[str, str, int]]:
        place, match = 0, _TOKEN.match
        while found := match(self.text, place):
            place = found.end()
            if found.lastgroup != "space":
                yield found.lastgroup, found.group(), found.start()
        if place < len(self.text):
            raise self._error(place, f"{self.text[place]!r} is not expected in a netlist")
        yield "end", "", place

    def _next(self) -> str:
        """The token at hand; the one after it comes up."""
        token = getattr(self, "token", "")
        self.last = self.place
        self.kind, self.token, self.place = next(self.tokens)
        return token

    def _take(self, *expected: str) -> str:
        if self.token not in expected:
            raise self._error(self.place, f"{' or '.join(expected)} is expected, not {self.token!r}")
        return self._next()

    def _name(self) -> str:
        if self.kind != "name":
            raise self._error(self.place, f"a name is expected, not {self.token!r}")
        return self._next().removeprefix("\\")

    def _error(self, place: int, what: str) -> QCLIFError:
        line = self.text.count("\n", 0, place) + 1
        return QCLIFError(f"{self.source}:{line}: {what}: only structural Verilog can be read, run the stage synth "
            f"again")

    # Modules.
    # --------
    def modules(self) -> Iterator[Module]:
        while self.kind != "end":
            self._take("module")
            yield self._module(self._name())

    def _module(self, name: str) -> Module:
        self.module  = module = Module(name)
        self.vectors = {}
        while self._next() != ";": # The list of ports: declared again below.
            pass
        while self.token != "endmodule":
            if self.token in ("input", "output", "inout", "wire", "reg"):
                self._declaration()
            elif self.token == "assign":
                self._assign()
            else:
                self._instance()
        module.end = self.place
        self._next()
        return module

    def _declaration(self) -> None:
        kind   = self._next()
        span   = self._range()
        module = self.module
        while True:
            name = self._name()
            if name not in self.vectors:
                indices = [None] if span is None else span
                first   = len(module.nets)
                module.nets += [(name, index) for index in indices]
                module.alias += range(first, len(module.nets))
                self.vectors[name] = {index: first + place for place, index in enumerate(indices)}
            if kind in ("input", "output", "inout"):
                module.ports[name] = (kind, tuple(self.vectors[name].values()))
            if self._take(",", ";") == ";":
                return

    def _range(self) -> range | None:
        """Indices in brackets, of the lowest bit first; None where there are none."""
        if self.token != "[":
            return None
        self._next()
        first = last = int(self._next())
        if self._take(":", "]") == ":":
            last = int(self._next())
            self._take("]")
        step = 1 if first >= last else -1
        return range(last, first + step, step)

    def _assign(self) -> None:
        self._take("assign")
        left = self._value()
        self._take("=")
        right = self._value()
        self._take(";")
        if len(left) != len(right):
            raise self._error(self.last, f"{len(left)} bits are assigned {len(right)}")
        for net, value in zip(left, right, strict=True):
            root = self.module.resolve(net)
            if root < 0:
                raise self._error(self.last, f"{self.module.name_of(net)} is assigned twice")
            self.module.alias[root] = self.module.resolve(value)

    def _instance(self) -> None:
        start = self.place
        cell  = self._name()
        name  = self._name()
        pins  = {}
        self._take("(")
        while self.token != ")":
            self._take(".")
            pin = self._name()
            self._take("(")
            pins[pin] = () if self.token == ")" else self._value()
            self._take(")")
            if self.token != ")":
                self._take(",")
        self._next()
        self._take(";")
        self.module.instances.append(Instance(name, cell, pins, (start, self.last + 1)))

    # Values.
    # -------
    def _value(self) -> tuple[int, ...]:
        """Nets of an expression, lowest bit first."""
        if self.token == "{":
            self._next()
            parts = [self._value()]
            while self._take(",", "}") == ",":
                parts.append(self._value())
            return tuple(net for part in reversed(parts) for net in part)
        if self.kind == "number":
            return self._constant()
        place, name = self.place, self._name()
        vector, span = self.vectors.get(name), self._range()
        if vector is None:
            raise self._error(place, f"{name} is not declared")
        if span is None:
            return tuple(vector.values())
        try:
            return tuple(vector[index] for index in span)
        except KeyError as error:
            raise self._error(place, f"{name} has no bit {error}") from error

    def _constant(self) -> tuple[int, ...]:
        width, _, digits = self._next().partition("'")
        base, digits = digits.lstrip("sS")[0].lower(), digits.lstrip("sS")[1:].lower().replace("_", "")
        count = int(width or 32)
        if base == "d":
            digits, base = f"{int(digits):b}", "b"
        bits = "".join(digit*_BASES[base] if digit in "xz?" else f"{int(digit, 16):0{_BASES[base]}b}"
            for digit in digits).rjust(count, "0")[-count:]
        return tuple({"0": ZERO, "1": ONE}.get(bit, NOTHING) for bit in reversed(bits))
