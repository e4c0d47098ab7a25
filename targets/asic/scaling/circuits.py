# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The cells that matter, simulated with their transistors: delay, energy and leakage of each in one condition.

A cell is driven by two inverters of the library and has the load of the flow's outputs, so that its input has the slew
that such a gate gives it, at any supply. The netlists are the library's own, without the wires within cells.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from accel.errors import QCLIFError
from targets.asic.scaling.ngspice import delays, mean_watts, slew, transient

# The netlists name transistors of a low threshold; delays and leakage of the library's Liberty are those of the
# general-purpose ones: a falling inverter takes 10.0 ns there, 10.3 with these and 7.9 with the others.
NAMED, MODELS = "MOS_VTL", "MOS_VTG"

# Period of the input in ns, and its first edge. The first period settles what flip-flops hold.
PERIOD_NS, EDGE_NS, EDGE_PS = 2.0, 0.5, 20

# Periods that are measured.
MEASURED = 2

STEP_PS = 25

# A circuit at rest stays as it is.
REST_NS = 0.1

DRIVER = "INV_X1"


@dataclass(frozen=True)
class Arc:
    """A way through a cell.

    Attributes
    ----------
    levels : of the other inputs: True, False, or the name of the output that an input is connected to.
    cycles : periods of the input that make the output rise and fall once.
    """
    cell:   str
    input:  str
    output: str
    levels: Mapping[str, bool | str] = field(default_factory=dict)
    cycles: int = 1

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.cell}, {self.input} to {self.output}"


ARCS = (
    Arc("INV_X1",   "A",  "ZN"),
    Arc("NAND2_X1", "A1", "ZN", {"A2": True}),
    Arc("NOR2_X1",  "A1", "ZN", {"A2": False}),
    Arc("XOR2_X1",  "A",  "Z",  {"B": False}),
    Arc("FA_X1",    "CI", "CO", {"A": True, "B": False}),
    Arc("FA_X1",    "A",  "S",  {"B": True, "CI": False}),
    # Its data are what it does not hold.
    Arc("DFF_X1",   "CK", "Q",  {"D": "QN"}, cycles=2),
)

# Nets within a cell that hold its bit, and whether they hold it as it is or inverted, for all levels of the clock.
HELD = {"DFF_X1": (("z3", False), ("z9", True))}

CELLS = tuple(dict.fromkeys(arc.cell for arc in ARCS))


@dataclass(frozen=True)
class Condition:
    """Where a cell is: process "nom", "ss" or "ff", V, degrees C."""
    process:     str
    voltage:     float
    temperature: float


@dataclass(frozen=True)
class Subcircuit:
    """Transistors of a cell: its ports, in the order of the netlist, and the netlist's lines."""
    ports: tuple[str, ...]
    lines: tuple[str, ...]

    def instance(self, name: str, nets: Mapping[str, str]) -> str:
        """An instance with its ports at nets; supplies are named vdd and 0 unless told."""
        all_nets = {"VDD": "vdd", "VSS": "0"} | dict(nets)
        return f"X{name} {' '.join(all_nets[port] for port in self.ports)} {self.lines[0].split()[1]}"


def read_netlists(path: Path, cells: Sequence[str] = CELLS) -> dict[str, Subcircuit]:
    """Transistors of cells, by name, from a CDL file.

    Raises
    ------
    QCLIFError : it cannot be read, or lacks a cell.
    """
    try:
        text = path.read_text(errors="replace").replace(NAMED, MODELS)
    except OSError as error:
        raise QCLIFError(f"{path}: cannot be read ({error.strerror}): name another --pdk") from error
    found = {}
    for match in re.finditer(r"^\.SUBCKT\s+(\S+)\s+(.*?)$.*?^\.ENDS", text, re.MULTILINE | re.DOTALL | re.IGNORECASE):
        found[match[1]] = Subcircuit(tuple(match[2].split()), tuple(match[0].splitlines()))
    if missing := [name for name in cells if name not in found]:
        raise QCLIFError(f"{path} has no {missing[0]}: Nangate's NangateOpenCellLibrary.cdl of the flow scripts is "
            f"needed")
    return {name: found[name] for name in cells}


class Circuits:
    """Simulations in one condition.

    Parameters
    ----------
    technology : folder technology/freepdk45 of OpenRAM.
    netlists : transistors of all cells.
    load_ff : at each output.
    """
    def __init__(self, technology: Path, netlists: Mapping[str, Subcircuit], condition: Condition, load_ff: float):
        self.netlists   = netlists
        self.condition  = condition
        self.volts      = condition.voltage
        self.load_ff    = load_ff
        self.technology = technology
        models = technology/"models"/"tran_models"/f"models_{condition.process}"
        self.common = [*(f".include {models/f'{kind}{MODELS}.inc'}" for kind in "NP"),
            f".temp {condition.temperature:g}", f"Vdd vdd 0 {self.volts:g}"]

    def _pulse(self, net: str, first_ns: float, high_ns: float) -> str:
        """A source that is low, then high as long, and so on, its first edge after a time."""
        edge = EDGE_PS*1e-3
        return f"V{net} {net} 0 pulse(0 {self.volts:g} {first_ns:g}n {edge:g}n {edge:g}n {high_ns - edge:g}n " \
            f"{2*high_ns:g}n)"

    def arc(self, arc: Arc, leakage_nw: float) -> tuple[tuple[float, float], float, float]:
        """(delay of the output's rise and of its fall, ps), slew at the input, ps, and energy of a rise and a fall of
        the output with its load, fJ, without the leakage meanwhile."""
        cell  = self.netlists[arc.cell]
        ties  = {True: "own", False: "0"}
        nets  = {port: port.lower() for port in cell.ports} | {arc.input: "in", "VDD": "own", "VSS": "0"}
        nets |= {pin: ties[level] if isinstance(level, bool) else nets[level] for pin, level in arc.levels.items()}
        outputs = [nets[port] for port in cell.ports if port not in (arc.input, "VDD", "VSS", *arc.levels)]
        driver  = self.netlists[DRIVER]
        circuit = [*self.common, *driver.lines, *(cell.lines if cell is not driver else ()),
            # Its own supply, so that its energy is told from that of what drives it.
            f"Vown own 0 {self.volts:g}", self._pulse("source", EDGE_NS, PERIOD_NS/2),
            driver.instance("first", {"A": "source", "ZN": "between"}),
            driver.instance("second", {"A": "between", "ZN": "in"}), cell.instance("cell", nets),
            *(f"C{net} {net} 0 {self.load_ff:g}f" for net in dict.fromkeys(["in", *outputs]))]
        start = PERIOD_NS + EDGE_NS/2
        stop  = start + MEASURED*PERIOD_NS
        target = f"v({nets[arc.output]})"
        waves  = transient(circuit, ["v(in)", target, "v(own)", "i(Vown)"], stop, STEP_PS)
        inside, outside = waves.values["v(in)"], waves.values[target]
        edges  = delays(waves.seconds, inside, outside, self.volts/2, start*1e-9)
        watts  = mean_watts(waves, [("Vown", "own")], start*1e-9, stop*1e-9) - leakage_nw*1e-9
        return tuple(edge*1e12 for edge in edges), slew(waves.seconds, inside, self.volts)*1e12, \
            watts*PERIOD_NS*arc.cycles*1e6

    def leakage_nw(self, name: str) -> float:
        """Power of a cell at rest, nW: the mean over the levels of its inputs, and over what it holds."""
        cell    = self.netlists[name]
        inputs  = sorted({pin for arc in ARCS if arc.cell == name for pin in (arc.input, *arc.levels)})
        held    = HELD.get(name, ())
        circuit = [*self.common, *cell.lines]
        states  = list(product((False, True), repeat=len(inputs) + bool(held)))
        for place, levels in enumerate(states):
            nets = {port: f"{port.lower()}{place}" for port in cell.ports if port not in ("VDD", "VSS")}
            nets |= {pin: "vdd" if high else "0" for pin, high in zip(inputs, levels, strict=False)}
            circuit.append(cell.instance(f"cell{place}", nets))
            circuit += [f".nodeset v(xcell{place}.{net})={self.volts*(levels[-1] == high):g}" for net, high in held]
        return self._rest_nw(circuit)/len(states)

    def bit_cell_nw(self) -> float:
        """Power of OpenRAM's bit cell that holds a bit, its bit lines charged and its word line off, nW."""
        circuit = [*self.common, f".include {self.technology/'sp_lib'/'cell_1rw.sp'}", "Xcell vdd vdd 0 vdd 0 cell_1rw",
            f".nodeset v(xcell.q)=0 v(xcell.q_bar)={self.volts:g}"]
        return self._rest_nw(circuit)

    def _rest_nw(self, circuit: list[str]) -> float:
        """Power of the supply of a circuit without a change, nW."""
        waves = transient(circuit, ["v(vdd)", "i(Vdd)"], REST_NS, STEP_PS)
        return mean_watts(waves, [("Vdd", "vdd")], 0.0, REST_NS*1e-9)*1e9
