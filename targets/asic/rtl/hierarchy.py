# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Verilog with a hierarchy: LiteX flattens a design into one module, the flow tells area and power by module.

A submodule that becomes a Verilog module of its own is taken out of its parent, which gets an Instance in its
place. Ports are the signals that cross the boundary: driven on one side and used on the other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from litex.gen import LiteXContext
from litex.gen.fhdl.verilog import convert
from migen import Constant, Instance, Memory, Module, Signal
from migen.fhdl.structure import _Fragment
from migen.fhdl.tools import list_clock_domains, list_signals, list_special_ios, list_targets

from accel.verilog import PRAGMAS
from targets.liberty.library import Cell


@dataclass(frozen=True)
class Foreign:
    """A Verilog module from elsewhere, clocked by its port `clk`, in the place of a submodule, whose contents go.

    Attributes
    ----------
    name : of the Verilog module.
    inputs, outputs : signals of the submodule by the names of the module's ports.
    """
    name:    str
    inputs:  Mapping[str, Signal]
    outputs: Mapping[str, Signal]


@dataclass(frozen=True)
class Gated:
    """A Verilog module whose clock has a gate.

    Attributes
    ----------
    name : of the Verilog module.
    gate : the PDK's cell that gates a clock.
    enable : signal of the submodule that is driven from outside, and without which none of its registers changes:
        they have no reset.
    """
    name:   str
    gate:   Cell
    enable: Signal


def ports_of(module: Module, names: Iterable[str]) -> set[Signal]:
    """Signals of these attributes, as ports of the same names."""
    signals = {name: getattr(module, name) for name in names}
    for name, signal in signals.items():
        signal.name_override = name
    return set(signals.values())


Replacement = Callable[[Memory], Instance | None]


def split(top: Module, name: str, ios: set[Signal], parts: Mapping[str, str | Foreign | Gated],
        replace: Replacement = lambda memory: None) -> dict[str, str]:
    """Verilog of a design and of those of its submodules that are to be modules of their own.

    Parameters
    ----------
    top : design, not finalized, with its clock domains.
    name : of its Verilog module.
    ios : its ports, named by their name_override, besides clocks and resets that the design does not drive.
    parts : path of a submodule's attributes ("population.pipeline"): name of its Verilog module, which may have a gate
        at its clock, or the module that takes its place.
    replace : gives what takes the place of a memory that is in none of the foreign modules, None: it stays.

    Returns
    -------
    Texts by module, the top first. Foreign modules are not among them.

    Raises
    ------
    ValueError : a signal is driven on both sides of a boundary.
    """
    return _Splitter(top, name, ios, parts, replace).texts


class _Part:
    """A Verilog module to be: what it holds itself, and the parts below it.

    Parameters
    ----------
    name, instance : of its Verilog module, and of it in its parent.
    contents : what it holds itself, or the module that takes its place.
    gated : None where its clock has no gate.

    Attributes
    ----------
    mentioned, driven : signals of its own contents.
    domains : names of its clock domains.
    """
    def __init__(self, name: str, instance: str, contents: _Fragment | Foreign, gated: Gated | None = None) -> None:
        self.name      = name
        self.instance  = instance
        self.gated     = gated
        self.children: list[_Part] = []
        self.foreign   = contents if isinstance(contents, Foreign) else None
        self.fragment  = _Fragment() if self.foreign else contents
        if self.foreign:
            self.driven    = set(contents.outputs.values())
            self.mentioned = self.driven | set(contents.inputs.values())
            self.domains   = {"sys"}
        else:
            self.mentioned = list_signals(contents) | list_special_ios(contents, ins=True, outs=True, inouts=True)
            self.driven    = list_targets(contents) | list_special_ios(contents, ins=False, outs=True, inouts=True)
            self.domains   = list_clock_domains(contents)

    def subtree(self) -> Iterator["_Part"]:
        """This part and all below it."""
        yield self
        for child in self.children:
            yield from child.subtree()


def _all(parts: Iterable[_Part], kind: str) -> set:
    """All `mentioned` or `driven` signals, or `domains`, of parts."""
    return set().union(*(getattr(part, kind) for part in parts))


def _by_age(signals: set[Signal]) -> list[Signal]:
    """Signals in the order in which they were made: Verilog must not depend on the order of a set."""
    return sorted(signals, key=lambda signal: signal.duid)


class _Splitter:
    """One design on its way to Verilog: parts, then what crosses their boundaries, then texts from below."""
    def __init__(self, top: Module, name: str, ios: set[Signal], parts: Mapping[str, str | Foreign | Gated],
            replace: Replacement) -> None:
        self.root    = self._detach(top, name, parts, replace)
        self.parts   = list(self.root.subtree())
        self.domains = self.root.fragment.clock_domains
        driven       = _all(self.parts, "driven")
        clocks       = {signal for domain in self.domains for signal in (domain.clk, domain.rst)} - {None}
        self.outside = ios | (clocks - driven)
        self.texts   = {}
        # What nobody drives gets its reset value, as Migen has it: no register has an initial value.
        for part in (each for each in self.parts if not each.foreign):
            foreign = {signal for child in part.children if child.foreign for signal in child.foreign.inputs.values()}
            for signal in _by_age((part.mentioned | foreign) - driven - self.outside - clocks):
                part.fragment.comb.append(signal.eq(signal.reset))
        self._emit(self.root, self.outside)
        self.texts = dict(reversed(self.texts.items()))

    @staticmethod
    def _detach(top: Module, name: str, parts: Mapping[str, str | Foreign | Gated], replace: Replacement) -> _Part:
        """Take the submodules out of their parents, and make parts of all."""
        modules = {"": top}
        for path in sorted(parts):
            module = top
            for attribute in path.split("."):
                parent, module = module, getattr(module, attribute)
            parent._submodules = [(label, each) for label, each in parent._submodules if each is not module]
            modules[path] = module
        made = {}
        for path, module in modules.items(): # A parent's path sorts before its children's.
            above, _, instance = path.rpartition(".")
            what = parts.get(path, name)
            if isinstance(what, Foreign):
                part = _Part(what.name, instance, what)
            else:
                fragment = module.get_fragment()
                for memory in sorted(fragment.specials, key=lambda special: special.duid):
                    if isinstance(memory, Memory) and (instead := replace(memory)) is not None:
                        fragment.specials -= {memory, *memory.ports}
                        fragment.specials.add(instead)
                gated = what if isinstance(what, Gated) else None
                part  = _Part(gated.name if gated else what, instance, fragment, gated)
            while path and above not in made:
                above = above.rpartition(".")[0]
            if path:
                made[above].children.append(part)
            made[path] = part
        return made[""]

    def _emit(self, part: _Part, ios: set[Signal]) -> dict[str, Signal]:
        """Write a part's Verilog, those of its children first; ports by name."""
        for child in part.children:
            part.fragment.specials.add(self._instance(part, child))
        if part is not self.root:
            part.fragment.clock_domains.extend(domain for domain in self.domains
                if domain.name in _all(part.subtree(), "domains"))
        overrides = {signal: signal.name_override for signal in ios}
        if part is not self.root:
            # What ports are called in the design, numbered where names meet.
            taken: dict[str, int] = {}
            for signal in _by_age(ios):
                name   = signal.name_override or signal.backtrace[-1][0]
                number = taken[name] = taken.get(name, -1) + 1
                signal.name_override = f"{name}{number}" if number else name
        LiteXContext.top = None # The last SoC of this process, whose tree LiteX would print into any module.
        output = convert(part.fragment, ios=ios, name=part.name, regs_init=False)
        text   = str(output)
        # Without the generator's dated header and trailer: equal designs give equal texts.
        end    = "endmodule\n"
        self.texts[part.name] = PRAGMAS + text[text.index("`timescale"):text.rindex(end)] + end
        ports  = {output.ns.get_name(signal): signal for signal in ios}
        for signal, override in overrides.items():
            signal.name_override = override
        return ports

    def _instance(self, part: _Part, child: _Part) -> Instance:
        """What stands in a part for its child."""
        inputs, outputs = self._boundary(child)
        if child.foreign is not None:
            clock = next(domain.clk for domain in self.domains if domain.name == "sys")
            ports = {"i_clk": clock}
            ports.update({f"i_{name}": signal for name, signal in child.foreign.inputs.items()})
            ports.update({f"o_{name}": signal for name, signal in child.foreign.outputs.items()})
        else:
            nets = {}
            if child.gated is not None:
                nets    = self._gate(part, child)
                inputs -= {child.gated.enable}
            named = self._emit(child, inputs | outputs)
            ports = {f"{'i' if signal in inputs else 'o'}_{name}": nets.get(signal, signal)
                for name, signal in sorted(named.items())}
        return Instance(child.name, name=child.instance, **ports)

    def _gate(self, part: _Part, child: _Part) -> dict[Signal, Signal]:
        """Put a gate before a child's clock, by which it gets another one; within, its enable is 1 for ever."""
        clock = next(domain.clk for domain in self.domains if domain.name == "sys")
        gated = Signal(name=f"{child.instance}_clk")
        nets  = {"clock": clock, "enable": child.gated.enable, "test": Constant(0, 1), "out": gated}
        part.fragment.specials.add(Instance(child.gated.gate.name, name=f"gate_{child.instance}",
            **{f"{'o' if pin.gate == 'out' else 'i'}_{pin.name}": nets[pin.gate]
                for pin in child.gated.gate.pins.values() if pin.gate}))
        child.fragment.comb.append(child.gated.enable.eq(1))
        return {clock: gated}

    def _boundary(self, part: _Part) -> tuple[set[Signal], set[Signal]]:
        """Inputs and outputs of a part with all below it."""
        inside  = list(part.subtree())
        others  = [each for each in self.parts if each not in inside]
        driven  = _all(inside, "driven")
        if both := _by_age(driven & _all(others, "driven")):
            raise ValueError(f"{part.name}: {', '.join(signal.backtrace[-1][0] for signal in both)} is driven inside "
                "and outside: it cannot be a port")
        domains = _all(inside, "domains")
        clocks  = {signal for domain in self.domains if domain.name in domains for signal in (domain.clk, domain.rst)}
        inputs  = (_all(inside, "mentioned") - driven) & (_all(others, "driven") | self.outside) | (clocks - {None})
        return inputs, driven & (_all(others, "mentioned") | self.outside)
