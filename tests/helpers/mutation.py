# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Netlists with one cell changed: whether the comparison with the golden model notices.

All changed cells are in one program; an environment variable says which of them is at work.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.network.network import Network
from targets.asic.design import AsicConfig
from targets.asic.gatesim.simulate import memory_models, run_design, simulated
from targets.asic.platform.pdk import Pdk
from targets.liberty.expression import parse_expression
from targets.liberty.library import Cell, Library
from targets.netlist.comparison import NetlistProgram
from targets.netlist.gates import build_netlist
from targets.netlist.netlist import Instance, Module, Netlist, escaped
from targets.netlist.reader import read_netlist
from targets.netlist.toggles import CLOCK


@dataclass(frozen=True)
class Mutant:
    """A cell that is another one.

    Attributes
    ----------
    output : of the cell that is wrong.
    other : what it is instead: name of a cell with the same inputs, or "inverted".
    function : this output's, as Verilog over the cell's inputs and outputs.
    caught : whether the comparison noticed it, None before it was run.
    excited : whether the output was ever another one than it should be.
    """
    number:   int
    module:   str
    instance: Instance
    output:   str
    other:    str
    function: str
    caught:   bool | None = None
    excited:  bool | None = None

    def __str__(self) -> str:
        return f"{self.module}/{self.instance.name} {self.instance.cell}.{self.output} -> {self.other}"


def mutate(config: AsicConfig, netlist: Path, pdk: Pdk, networks: Sequence[Network | None],
        samples: Sequence[SpikeTrain], folder: Path, count: int = 20, seed: int = 1, cases: int = 10_000
        ) -> list[Mutant]:
    """Run netlists with one cell changed, chosen at random among those with inputs whose outputs lead somewhere.

    Parameters
    ----------
    networks : all run the samples, until one makes a difference; [None] for the neuron.
    netlist, samples, cases : as simulate() has them; all steps' states are compared.
    folder : for a file.
    count : of mutants; fewer where the netlist has fewer cells.

    Returns
    -------
    Mutants; those that are not caught are equivalent, or the inputs never made a difference visible; `excited` tells
    whether they made one at the cell itself.

    Raises
    ------
    QCLIFError : as simulate(), or the netlist is wrong as it is.
    """
    parsed  = read_netlist(netlist, f"qclif_{config.design}")
    library = pdk.corner(config.corner).library
    harness, part = simulated(config, parsed, library)
    chosen  = choose(part, library, count, seed)
    edits, models = mutated(part, library, chosen)
    program = build_netlist(harness, part, library, memory_models(pdk.macros), edits, models)
    gates   = NetlistProgram(program, seed, None, parsed, library)

    def differs(gates: NetlistProgram, network: Network | None) -> bool:
        try:
            result = run_design(config, gates, network, samples, cases, max(map(len, samples), default=0))
        except QCLIFError:
            # It does not end.
            return True
        return result.mismatches + result.state_mismatches > 0

    if any(differs(gates, network) for network in networks):
        raise QCLIFError(f"{netlist} is not equal to the golden model as it is: run the stage gatesim first")
    file, results = folder/"excited.txt", []
    for mutant in chosen:
        file.unlink(missing_ok=True)
        one    = replace(gates, mutant=mutant.number, excited=file)
        caught = any(differs(one, network) for network in networks)
        results.append(replace(mutant, caught=caught, excited=file.exists()))
    return results

# Mutants -------------------------------------------------------------------------------------------

def choose(netlist: Netlist, library: Library, count: int, seed: int) -> list[Mutant]:
    """Mutants of a netlist, of cells that are not the same ones."""
    rng   = random.Random(seed)
    cells = [(module, each, outputs) for module in netlist.modules.values() for each, outputs in _used(module, library)]
    found = []
    for number, (module, instance, outputs) in enumerate(rng.sample(cells, min(count, len(cells)))):
        output = rng.choice(outputs)
        other, function = _change(library, library.cells[instance.cell], output, rng)
        found.append(Mutant(number, module.name, instance, output, other, function))
    return found


def _used(module: Module, library: Library) -> Iterator[tuple[Instance, list[str]]]:
    """Cells, and those of their outputs that lead somewhere."""
    fanout  = module.fanout()
    leaving = {module.resolve(net) for direction, nets in module.ports.values() for net in nets
        if direction == "output"}
    for each in module.instances:
        cell = library.cells.get(each.cell)
        if cell is None or cell.is_macro or all(name in cell.outputs for name in cell.pins):
            continue
        outputs = [pin for pin in cell.outputs if each.pins.get(pin)]
        nets    = {pin: module.resolve(each.pins[pin][0]) for pin in outputs}
        if used := [pin for pin in outputs if nets[pin] in leaving or len(fanout.get(nets[pin], ())) > 1]:
            yield each, used


def _change(library: Library, cell: Cell, output: str, rng: random.Random) -> tuple[str, str]:
    """Another cell with these inputs that is not the same function, and its function; else the inverse."""
    inputs = {name for name, pin in cell.pins.items() if pin.direction == "input"}
    others = {}
    if not cell.is_sequential:
        table = parse_expression(cell.outputs[output].function).table(sorted(inputs))
        for other in library.cells.values():
            names = {name for name, pin in other.pins.items() if pin.direction == "input"}
            for pin in other.outputs if names == inputs and not other.is_sequential else ():
                if other.outputs[pin].function and not other.outputs[pin].three_state:
                    function = parse_expression(other.outputs[pin].function)
                    if (row := function.table(sorted(inputs))) != table:
                        others.setdefault(row, (other.name, function.verilog()))
    return rng.choice(list(others.values())) if others else ("inverted", f"~right_{output}")


def mutated(netlist: Netlist, library: Library, mutants: Sequence[Mutant]) -> tuple[dict[tuple[int, int], str], str]:
    """Edits of the netlist's text that put the mutants in, and their modules; none is at work unless it is named."""
    top   = escaped(netlist.top)
    edits = {(begin := mutant.instance.span[0], begin + len(mutant.instance.cell)): f"qclif_mutant_{mutant.number}"
        for mutant in mutants}
    end   = netlist.modules[netlist.top].end
    edits[end, end] = f"""
    import "DPI-C" function void qclif_clock();
    import "DPI-C" function int qclif_mutant();
    int qclif_chosen;
    initial qclif_chosen = qclif_mutant();
    always @(posedge {CLOCK}) qclif_clock();
"""
    return edits, "".join(_model(library.cells[mutant.instance.cell], mutant, top) for mutant in mutants)


def _model(cell: Cell, mutant: Mutant, top: str) -> str:
    pins   = {name: pin for name, pin in cell.pins.items() if pin.direction != "internal"}
    inside = [f".{name}({'right_' if name in cell.outputs else ''}{name})" for name in pins]
    lines  = [
        f"module qclif_mutant_{mutant.number} ({', '.join(f'{pin.direction} {name}' for name, pin in pins.items())});",
        '    import "DPI-C" function void qclif_excited();',
        *(f"    wire right_{name};" for name in cell.outputs),
        f"    {cell.name} right ({', '.join(inside)});",
        f"    wire chosen = {top}.qclif_chosen == {mutant.number};",
        f"    wire wrong  = {mutant.function};",
        f"    always @(posedge {top}.{CLOCK}) if (chosen & (wrong ^ right_{mutant.output})) qclif_excited();",
        *(f"    assign {name} = {'chosen ? wrong : ' if name == mutant.output else ''}right_{name};"
            for name in cell.outputs),
        "endmodule", ""]
    return "\n".join(lines)
