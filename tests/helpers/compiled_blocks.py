# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""All combinational statements of a design, and those of a clock, as one function of Python each."""

import itertools
import operator
from collections.abc import Callable, Iterator

from migen.fhdl.structure import _Statement
from migen.fhdl.tools import list_targets

from tests.helpers.compiled_code import CombCode, SyncCode


class Combinational:
    """All combinational statements as one function.

    Attributes
    ----------
    function : of the list of values by their signals' numbers, which it brings up to date.
    reads, targets : numbers of the signals that are read and assigned.
    """
    def __init__(self, statements, domains):
        names  = itertools.count()
        groups = _groups(statements)
        # Read from the list of values or from a variable, they read the same signals.
        reads  = []
        for _, body in groups:
            code = CombCode(domains, names, ())
            code.statements(body)
            reads.append(code.reads)
        self.targets = set().union(*(targets for targets, _ in groups))
        self.reads   = set().union(*reads)
        owner = {duid: number for number, (targets, _) in enumerate(groups) for duid in targets}
        needs = [sorted({owner[duid] for duid in each if duid in owner}) for each in reads]
        lines, tables, ready = [], {}, set()
        for members in _in_order(needs):
            circle  = len(members) > 1 or members[0] in needs[members[0]]
            targets = sorted(duid for member in members for duid in groups[member][0])
            held    = f"({', '.join(f's[{duid}]' for duid in targets)},)"
            if circle:
                lines += ["    while True:", f"        before = {held}"]
            for member in members:
                code = CombCode(domains, names, ready)
                code.indent += circle
                code.statements(groups[member][1])
                for duid in sorted(groups[member][0]):
                    code.line(f"s[{duid}] = v{duid}")
                lines += code.lines
                tables.update(code.tables)
            if circle:
                lines += [f"        if before == {held}:", "            break"]
            ready |= set(targets)
        self.function = _compiled("s", lines, tables)


def sync_function(statements, domains) -> Callable[[list[int], dict[int, int]], None]:
    """Statements of a clock: reads values, leaves what they become."""
    code = SyncCode(domains, itertools.count())
    code.statements(statements)
    return _compiled("s, m", code.lines, code.tables)


def _compiled(parameters: str, lines: list[str], tables: dict[str, tuple[int, ...]]) -> Callable[..., None]:
    names = dict(tables)
    exec("\n".join([f"def function({parameters}):", *(lines or ["    pass"])]), names)
    return names["function"]


def _groups(statements) -> list[tuple[set[int], list]]:
    """Statements that assign the same signals, in their order, with those signals' numbers."""
    group, members = {}, {}
    for order, statement in enumerate(_flat(statements)):
        targets = {signal.duid for signal in list_targets(statement)}
        found   = {group[duid] for duid in targets if duid in group}
        first   = min(found, default=order)
        merged  = members.setdefault(first, (set(), []))
        for other in found - {first}:
            more = members.pop(other)
            merged[0].update(more[0])
            merged[1].extend(more[1])
        merged[0].update(targets)
        merged[1].append((order, statement))
        for duid in merged[0] if len(found) > 1 else targets:
            group[duid] = first
    return [(targets, [statement for _, statement in sorted(body, key=operator.itemgetter(0))])
        for targets, body in members.values() if targets]


def _flat(statements) -> Iterator:
    for each in statements:
        if isinstance(each, _Statement):
            yield each
        else:
            yield from _flat(each)


def _in_order(needs: list[list[int]]) -> Iterator[list[int]]:
    """Nodes of a graph after those that they need; those of a circle together (Tarjan's components)."""
    number, lowest, stack, on_stack = {}, {}, [], set()
    for root in range(len(needs)):
        if root in number:
            continue
        path = [(root, iter(needs[root]))]
        number[root] = lowest[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while path:
            node, rest = path[-1]
            for other in rest:
                if other not in number:
                    number[other] = lowest[other] = len(number)
                    stack.append(other)
                    on_stack.add(other)
                    path.append((other, iter(needs[other])))
                    break
                if other in on_stack:
                    lowest[node] = min(lowest[node], number[other])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    at      = stack.index(node)
                    members = stack[at:]
                    del stack[at:]
                    on_stack.difference_update(members)
                    yield sorted(members)
