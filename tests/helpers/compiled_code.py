# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Migen's expressions and statements as lines of Python, with Migen's meaning: numbers of any size until they are
assigned."""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator

from migen import Case, Cat, ClockSignal, Constant, If, Replicate, ResetSignal, Signal
from migen.fhdl.bitcontainer import value_bits_sign
from migen.fhdl.structure import _ArrayProxy, _Assign, _Operator, _Part, _Slice, _Statement, _Value

# In Migen's names: what stands in Python between two operands.
OPERATORS = {">>>": ">>", "<<<": "<<", **{name: name for name in ("+", "-", "*", "&", "^", "|")}}
COMPARISONS = ("<", "<=", "==", "!=", ">", ">=")
# Operands of these need no parentheses to their left: Python takes two hundred of them inside each other.
CHAINED = ("+", "*", "&", "^", "|")


class Code:
    """Lines of Python for statements: what they read, and where they leave what they assign.

    A value is text and the least and the greatest number that it can be (None: not known), so that only what can be
    out of range is cut.

    Attributes
    ----------
    lines : of Python, with their indentation.
    reads : numbers (DUID) of the signals that are read.
    tables : by name, numbers of signals that are selected by an index.
    """
    def __init__(self, domains, names: Iterator[int]):
        self.domains, self.names = domains, names
        self.lines, self.reads, self.tables = [], set(), {}
        self.indent = 1

    # Where signals are ----------------------------------------------------------------------------

    def read(self, duid: int) -> str:
        """A signal's value."""
        raise NotImplementedError

    def read_assigned(self, duid: int) -> str:
        """What was assigned to it already, or its value."""
        raise NotImplementedError

    def write(self, duid: int, value: str) -> None:
        raise NotImplementedError

    # Text -----------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        self.lines.append("    "*self.indent + text)

    def temporary(self, text: str) -> str:
        name = f"t{next(self.names)}"
        self.line(f"{name} = {text}")
        return name

    def table(self, signals: Iterable[Signal]) -> str:
        name = f"T{next(self.names)}"
        self.tables[name] = tuple(signal.duid for signal in signals)
        return name

    # Values ---------------------------------------------------------------------------------------

    def value(self, node) -> tuple[str, int | None, int | None]:
        """Text, least, greatest."""
        if isinstance(node, Constant):
            return (str(node.value) if node.value >= 0 else f"({node.value})"), node.value, node.value
        if isinstance(node, Signal):
            self.reads.add(node.duid)
            return self.read(node.duid), *_range(node)
        if isinstance(node, _Operator):
            return self.operation(node)
        if isinstance(node, _Slice):
            text, low, high = self.value(node.value)
            width = node.stop - node.start
            if node.start:
                text, low, high = f"({text} >> {node.start})", _shifted(low, node.start), _shifted(high, node.start)
            return self.masked((text, low, high), width)
        if isinstance(node, _Part):
            text, offset = self.value(node.value)[0], self.value(node.offset)[0]
            return self.masked((f"({text} >> {offset})", None, None), node.width)
        if isinstance(node, Cat):
            parts, shift = [], 0
            for element in node.l:
                width = len(element)
                text  = self.masked(self.value(element), width)[0]
                parts.append(f"({text} << {shift})" if shift else text)
                shift += width
            return f"({' | '.join(parts) or '0'})", 0, (1 << shift) - 1
        if isinstance(node, Replicate):
            width  = len(node.v)
            factor = sum(1 << width*i for i in range(node.n))
            text   = self.masked(self.value(node.v), width)[0]
            return f"({text}*{factor})", 0, (1 << width*node.n) - 1
        if isinstance(node, _ArrayProxy):
            return self.selected(node)
        if isinstance(node, (ClockSignal, ResetSignal)):
            return self.value(self.domain_signal(node))
        raise NotImplementedError(node)

    def domain_signal(self, node):
        domain = self.domains[node.cd]
        if isinstance(node, ClockSignal):
            return domain.clk
        if domain.rst is None and not node.allow_reset_less:
            raise ValueError(f"domain {node.cd} has no reset")
        return Constant(0) if domain.rst is None else domain.rst

    def masked(self, value, width: int) -> tuple[str, int, int]:
        """Its low bits, as a number without a sign."""
        text, low, high = value
        top = (1 << width) - 1
        if low is not None and high is not None and 0 <= low and high <= top:
            return value
        return f"({text} & {top})", 0, top

    def cut(self, value, width: int, signed: bool) -> str:
        """As a signal of this width and sign keeps it."""
        text, low, high = value
        if not signed:
            return self.masked(value, width)[0]
        half = 1 << width >> 1
        if low is not None and high is not None and -half <= low and high < half:
            return text
        return f"((({text}) + {half} & {(1 << width) - 1}) - {half})"

    def operation(self, node: _Operator) -> tuple[str, int | None, int | None]:
        op, operands = node.op, [self.value(each) for each in node.operands]
        (a, a_low, a_high), known = operands[0], all(None not in each for each in operands)
        if op == "~":
            return f"(~{a})", *((~a_high, ~a_low) if known else (None, None))
        if op == "-" and len(operands) == 1:
            return f"(-{a})", *((-a_high, -a_low) if known else (None, None))
        b, b_low, b_high = operands[1]
        if op == "m":
            c, c_low, c_high = operands[2]
            bounds = (min(b_low, c_low), max(b_high, c_high)) if known else (None, None)
            return f"({b} if {a} else {c})", *bounds
        if op in COMPARISONS:
            return f"({a} {op} {b})", 0, 1
        if op in CHAINED and isinstance(node.operands[0], _Operator) and node.operands[0].op == op:
            a = a[1:-1]
        text = f"({a} {OPERATORS[op]} {b})"
        if not known:
            return text, None, None
        return text, *_bounds(op, (a_low, a_high), (b_low, b_high))

    def index(self, node: _ArrayProxy) -> str:
        last = len(node.choices) - 1
        text, low, high = self.value(node.key)
        return text if low is not None and 0 <= low and high is not None and high <= last else f"min({last}, {text})"

    def selected(self, node: _ArrayProxy) -> tuple[str, int | None, int | None]:
        if all(isinstance(each, Signal) for each in node.choices):
            self.reads.update(each.duid for each in node.choices)
            ranges = [_range(each) for each in node.choices]
            table  = self.table(node.choices)
            return (f"s[{table}[{self.index(node)}]]", min(low for low, _ in ranges), max(high for _, high in ranges))
        choices = [self.value(each) for each in node.choices]
        known   = all(None not in each for each in choices)
        bounds  = (min(each[1] for each in choices), max(each[2] for each in choices)) if known else (None, None)
        return f"({', '.join(each[0] for each in choices)},)[{self.index(node)}]", *bounds

    # Statements -----------------------------------------------------------------------------------

    def assigned(self, node) -> str:
        """What a target holds that is assigned in part."""
        if isinstance(node, Signal):
            return self.read_assigned(node.duid)
        if isinstance(node, _Slice):
            return f"({self.assigned(node.value)} >> {node.start} & {(1 << node.stop - node.start) - 1})"
        if isinstance(node, (ClockSignal, ResetSignal)):
            return self.assigned(self.domain_signal(node))
        raise NotImplementedError(node)

    def inserted(self, text: str, value, start: int, stop: int) -> tuple[str, None, None]:
        """A number with other bits from start to stop - 1."""
        top = (1 << stop - start) - 1
        return f"({text} & {~(top << start)} | {self.masked(value, stop - start)[0]} << {start})", None, None

    def assign(self, node, value) -> None:
        if isinstance(node, Signal):
            self.write(node.duid, self.cut(value, node.nbits, node.signed))
        elif isinstance(node, Cat):
            name, start = self.temporary(value[0]), 0
            for element in node.l:
                width = len(element)
                self.assign(element, self.masked((f"({name} >> {start})", None, None), width))
                start += width
        elif isinstance(node, _Slice):
            self.assign(node.value, self.inserted(self.assigned(node.value), value, node.start, node.stop))
        elif isinstance(node, _ArrayProxy):
            self.assign_selected(node, value)
        elif isinstance(node, (ClockSignal, ResetSignal)):
            self.assign(self.domain_signal(node), value)
        else:
            raise NotImplementedError(node)

    def assign_selected(self, node: _ArrayProxy, value) -> None:
        index, text = self.temporary(self.index(node)), self.temporary(value[0])
        for number, choice in enumerate(node.choices):
            self.line(f"{'el' if number else ''}if {index} == {number}:")
            self.indented(lambda choice=choice: self.assign(choice, (text, *value[1:])))

    def indented(self, write: Callable[[], None]) -> None:
        self.indent += 1
        before = len(self.lines)
        write()
        if len(self.lines) == before:
            self.line("pass")
        self.indent -= 1

    def statements(self, nodes) -> None:
        for node in nodes:
            self.statement(node)

    def statement(self, node) -> None:
        if isinstance(node, _Assign):
            self.assign(node.l, self.value(node.r))
        elif isinstance(node, If):
            self.line(f"if {self.masked(self.value(node.cond), len(node.cond))[0]}:")
            self.indented(lambda: self.statements(node.t))
            if node.f:
                self.line("else:")
                self.indented(lambda: self.statements(node.f))
        elif isinstance(node, Case):
            test  = self.temporary(self.cut(self.value(node.test), *value_bits_sign(node.test)))
            cases = [(key, body) for key, body in node.cases.items() if isinstance(key, Constant)]
            for number, (key, body) in enumerate(cases):
                self.line(f"{'el' if number else ''}if {test} == {key.value}:")
                self.indented(lambda body=body: self.statements(body))
            if "default" in node.cases:
                self.line("else:" if cases else "if True:")
                self.indented(lambda: self.statements(node.cases["default"]))
        elif not isinstance(node, (_Statement, _Value)):
            self.statements(node)
        else:
            raise NotImplementedError(node)


class SyncCode(Code):
    """Clocked statements, f(s, m): they read values s and leave what they assign in m, by their signals' numbers."""
    def read(self, duid: int) -> str:
        return f"s[{duid}]"

    def read_assigned(self, duid: int) -> str:
        return f"m.get({duid}, s[{duid}])"

    def write(self, duid: int, value: str) -> None:
        self.line(f"m[{duid}] = {value}")

    def assign_selected(self, node: _ArrayProxy, value) -> None:
        # Words of a memory, or the same bytes of them: of the same shape, and many.
        choices = node.choices
        parts   = {(each.start, each.stop) if isinstance(each, _Slice) else None for each in choices}
        part    = parts.pop()
        signals = choices if part is None else [each.value for each in choices]
        shapes  = {_shape(each) if isinstance(each, Signal) else None for each in signals}
        if parts or None in shapes or len(shapes) > 1:
            super().assign_selected(node, value)
            return
        duid = self.temporary(f"{self.table(signals)}[{self.index(node)}]")
        if part is not None:
            value = self.inserted(f"m.get({duid}, s[{duid}])", value, *part)
        self.line(f"m[{duid}] = {self.cut(value, *shapes.pop())}")


class CombCode(Code):
    """Combinational statements, f(s): a signal is a variable of Python while it is assigned, then in s, too.

    Parameters
    ----------
    variables : numbers of signals that are read from their variables, as they have been assigned before.
    """
    def __init__(self, domains, names, variables: Collection[int]):
        super().__init__(domains, names)
        self.variables = variables

    def read(self, duid: int) -> str:
        return f"v{duid}" if duid in self.variables else f"s[{duid}]"

    def read_assigned(self, duid: int) -> str:
        return f"v{duid}"

    def write(self, duid: int, value: str) -> None:
        self.line(f"v{duid} = {value}")


def _shape(signal: Signal) -> tuple[int, bool]:
    return signal.nbits, signal.signed


def _range(signal: Signal) -> tuple[int, int]:
    half = 1 << signal.nbits >> 1
    return (-half, half - 1) if signal.signed else (0, (1 << signal.nbits) - 1)


def _shifted(number: int | None, places: int) -> int | None:
    return None if number is None else number >> places


def _bounds(op: str, a: tuple[int, int], b: tuple[int, int]) -> tuple[int | None, int | None]:
    """Least and greatest of what an operator makes of two numbers between these."""
    if op in ("+", "-", "*"):
        corners = [getattr(operator, {"+": "add", "-": "sub", "*": "mul"}[op])(x, y) for x in a for y in b]
        return min(corners), max(corners)
    if op == "&" and (a[0] >= 0 or b[0] >= 0):
        return 0, min(high for low, high in (a, b) if low >= 0)
    if op in ("&", "|", "^"):
        width = max(abs(each).bit_length() for each in (*a, *b))
        return (0 if a[0] >= 0 and b[0] >= 0 else -1 << width), (1 << width) - 1
    if op == ">>>" and a[0] >= 0:
        return 0, a[1] >> max(b[0], 0)
    return None, None
