# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A netlist: modules of instances, with named connections."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

# What stands for a net where a pin has a constant, or nothing.
ZERO, ONE, NOTHING = -1, -2, -3

_SIMPLE = re.compile(r"[A-Za-z_][\w$]*")


@dataclass(frozen=True)
class Instance:
    """An instance of a cell, or of another module, within a module.

    Attributes
    ----------
    pins : nets of each connected pin, lowest bit first: indices in the module, or ZERO, ONE, NOTHING.
    span : where its statement stands in the netlist's text.
    """
    name: str
    cell: str
    pins: dict[str, tuple[int, ...]]
    span: tuple[int, int]


@dataclass
class Module:
    """A module of a netlist.

    Attributes
    ----------
    ports : (direction, nets lowest bit first) by name.
    nets : (name, bit) of each net; without the backslash of an escaped name, and None where it has no bits.
    alias : for each net the one that it is the same as (itself, where `assign` names no other), or ZERO, ONE.
    end : where its `endmodule` stands in the netlist's text.
    """
    name:      str
    ports:     dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    nets:      list[tuple[str, int | None]] = field(default_factory=list)
    alias:     list[int] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    end:       int = 0

    def fanout(self) -> dict[int, list[tuple[Instance, str, int]]]:
        """(instance, pin, bit) of everything that is at a net, by the net that resolve() gives."""
        found: dict[int, list[tuple[Instance, str, int]]] = {}
        for each in self.instances:
            for pin, nets in each.pins.items():
                for bit, net in enumerate(nets):
                    if net >= 0:
                        found.setdefault(self.resolve(net), []).append((each, pin, bit))
        return found

    def name_of(self, net: int) -> str:
        """Name of a net, as tools print it."""
        name, bit = self.nets[net]
        return name if bit is None else f"{name}[{bit}]"

    def verilog_of(self, net: int) -> str:
        """The net in an expression within the module."""
        name, bit = self.nets[net]
        return escaped(name) + ("" if bit is None else f"[{bit}]")

    def resolve(self, net: int) -> int:
        """The net, or constant, that a net is the same as."""
        while net >= 0 and self.alias[net] != net:
            net = self.alias[net]
        return net


@dataclass(frozen=True)
class Netlist:
    """Modules, and the text that they were read from.

    Attributes
    ----------
    text : as it was read; instances know their place in it.
    modules : by name, without the backslash of an escaped one.
    """
    text:    str
    top:     str
    modules: dict[str, Module]

    def below(self, top: str) -> "Netlist":
        """The netlist of a module in it: the same text, and the modules that it needs."""
        needed, todo = {}, [top]
        while todo:
            module = self.modules[todo.pop()]
            needed[module.name] = module
            todo += {each.cell for each in module.instances} & self.modules.keys() - needed.keys()
        return Netlist(self.text, top, needed)

    def edited(self, edits: Mapping[tuple[int, int], str]) -> str:
        """The text with parts of it, (begin, end), replaced."""
        pieces, place = [], 0
        for (begin, end), text in sorted(edits.items()):
            pieces += [self.text[place:begin], text]
            place   = end
        return "".join([*pieces, self.text[place:]])

    def cells(self) -> set[str]:
        """Names of all cells that are no modules of the netlist."""
        return {each.cell for module in self.modules.values() for each in module.instances} - self.modules.keys()

    def paths(self) -> Iterator[tuple[tuple[str, ...], Module]]:
        """Each instance of each module, by the names of the instances on the way from the top, which is ()."""
        todo = [((), self.modules[self.top])]
        while todo:
            path, module = todo.pop()
            yield path, module
            todo += [((*path, each.name), self.modules[each.cell]) for each in reversed(module.instances)
                if each.cell in self.modules]


def escaped(name: str) -> str:
    """A name as Verilog takes it."""
    return name if _SIMPLE.fullmatch(name) else f"\\{name} "
