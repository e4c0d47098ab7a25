# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Power of a netlist from the activity of its simulation and the tables of its Liberty files.

    leakage    of each cell in its states, each as likely as the levels of its pins make it
    internal   of each cell, for each change of a pin: the mean of Liberty's energies for a rise and for a fall, at the
               slew and the load that the pin has
    switching  1/2 C V^2 for each change of a net; C are the pins at it, and its wire: as Liberty estimates it by the
               fanout, or as it was routed. What drives the inputs, the clock above all, is counted with the design.
    SRAM       an access for each pulse of a macro's clock, its other pins, its leakage. Liberty of fakeram45 has the
               energy of an access for the rising and once more for the falling edge of the clock: it is counted
               once.

Between clocks nothing happens, glitches are not known: see targets.netlist.toggles. The levels of different pins are
taken as independent.

OpenSTA is not asked, though it tells power, too. Its release of 2019, which Debian has, takes no activity of single
nets (set_power_activity -pins fails, and propagation replaces what is set); it counts the energies of a rise and of
a fall for each change; later ones count the mean, as here. All of them take the two outputs of a flip-flop as
independent, and count an SRAM's access twice.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from targets.asic.design import AsicConfig
from targets.asic.platform.macros import Macro
from targets.asic.platform.pdk import Corner, Pdk
from targets.asic.power.cell_energy import UNKNOWN, CellEnergy, Signals, extended, loads_and_slews
from targets.netlist.flat import Flat, flatten
from targets.liberty.power import CellPower, read_power
from targets.netlist.netlist import Module, Netlist
from targets.netlist.reader import read_netlist
from targets.netlist.toggles import Activity, clock_nets

# Under this name the power of nets is told that come from outside.
INPUTS = "inputs"


@dataclass(frozen=True)
class Power:
    """Mean power of runs, mW.

    Attributes
    ----------
    leakage_mw, internal_mw, switching_mw : of the logic.
    sram_mw, sram_leakage_mw : of the macros, all of it and their leakage.
    modules : all of the cells in each module, by its name, and of the nets from outside, by INPUTS.
    """
    leakage_mw:      float
    internal_mw:     float
    switching_mw:    float
    sram_mw:         float
    sram_leakage_mw: float
    modules:         dict[str, float] = field(default_factory=dict)

    @property
    def total_mw(self) -> float:
        """Power of logic and SRAM together."""
        return self.leakage_mw + self.internal_mw + self.switching_mw + self.sram_mw

    @property
    def standby_mw(self) -> float:
        """Power while the clock is stopped: the leakage of logic and SRAM."""
        return self.leakage_mw + self.sram_leakage_mw


def estimate(config: AsicConfig, netlist: Path, corner: str, activity: Activity, pdk: Pdk, spef: Path | None = None
        ) -> Power:
    """Power of a netlist at the configuration's frequency.

    Parameters
    ----------
    netlist : Verilog of the stage synth or layout, module qclif_<design>.
    corner : of CORNERS; macros have one Liberty file, which is taken in all corners.
    activity : of a simulation of the netlist.
    spef : wires of a layout, None for the library's estimate.

    Raises
    ------
    QCLIFError : the corner or a cell is missing, or a Liberty file cannot be read.
    """
    return estimate_each(config, netlist, corner, {"": activity}, pdk, spef)[""]


def estimate_each(config: AsicConfig, netlist: Path, corner: str, activities: Mapping[str, Activity], pdk: Pdk,
        spef: Path | None = None) -> dict[str, Power]:
    """The same of several simulations, by the names of their activities."""
    parsed = read_netlist(netlist, f"qclif_{config.design}")
    wires  = None if spef is None else {(): wires_of(parsed.modules[parsed.top], read_spef(spef), spef)}
    loaded = loads_of(parsed, pdk.corner(corner), pdk.macros, wires)
    return {name: loaded.power(activity, config.period_ns) for name, activity in activities.items()}


def power_of(netlist: Netlist, corner: Corner, macros: Mapping[str, Macro], activity: Activity, period_ns: float,
        wires: Mapping[tuple[str, ...], np.ndarray] | None = None) -> Power:
    """Power of a parsed netlist, whatever its top is called; see estimate().

    Parameters
    ----------
    wires : capacitance fF of the wire at each net, [nets] for each instance of a module; None for the library's
        estimate.
    """
    return loads_of(netlist, corner, macros, wires).power(activity, period_ns)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A netlist's cells, what Liberty says of each kind, and loads and slews of its nets, as Signals have them."""
    flat:   Flat
    cells:  dict[str, CellPower]
    macros: Mapping[str, Macro]
    volts:  float
    load:   np.ndarray
    slew:   np.ndarray

    def signals(self, activity: Activity) -> Signals:
        """What its nets do."""
        toggles = extended(self.flat.gathered(activity.toggles))
        high    = extended(self.flat.gathered(activity.ones)/activity.clocks, UNKNOWN, 1.0, 0.0)
        return Signals(self.load, self.slew, toggles, high, 0.5*self.load.max(axis=0)*self.volts**2*toggles)

    def power(self, activity: Activity, period_ns: float) -> Power:
        """Mean power in the time of an activity."""
        flat, signals = self.flat, self.signals(activity)
        time_ns = activity.clocks*period_ns
        # Sums over all cells, from fJ in all the time and nW.
        kinds  = {name: np.zeros(len(flat.paths))
            for name in ("leakage", "internal", "switching", "sram", "sram_leakage")}
        for name, each in flat.cells.items():
            energy, macro = CellEnergy(each, self.cells[name], signals), self.macros.get(name)
            charged = energy.switching_fj()/time_ns*1e-3
            if macro is None:
                parts = {"leakage": energy.leakage_nw()*1e-6, "internal": energy.internal_fj()/time_ns*1e-3,
                    "switching": charged}
            else:
                # Accesses, which are pulses of the macro's clock, and whatever its other pins cost.
                clock   = macro.ports.clock
                inside  = energy.internal_fj(without=clock) + energy.toggles(clock)/2*macro.energy_pj*1e3
                leakage = np.full(len(each.owner), macro.leakage_nw)*1e-6
                parts   = {"sram": leakage + inside/time_ns*1e-3 + charged, "sram_leakage": leakage}
            for kind, power in parts.items():
                kinds[kind] += np.bincount(each.owner, power, len(flat.paths))
        inputs  = float(signals.charge[flat.inputs].sum())/time_ns*1e-3
        modules = {INPUTS: inputs}
        for name, power in zip(flat.modules, sum(kinds[kind] for kind in kinds if kind != "sram_leakage"),
                strict=True):
            modules[name] = modules.get(name, 0.0) + float(power)
        total   = {f"{kind}_mw": float(power.sum()) for kind, power in kinds.items()}
        total["switching_mw"] += inputs
        return Power(**total, modules=modules)


def loads_of(netlist: Netlist, corner: Corner, macros: Mapping[str, Macro],
        wires: Mapping[tuple[str, ...], np.ndarray] | None = None) -> Loaded:
    """A netlist with its loads; `wires` as power_of() has them."""
    used   = netlist.cells()
    tables = read_power(corner.liberty, used - macros.keys())
    cells  = tables.cells | {name: read_power(macros[name].liberty, {name}).cells[name]
        for name in sorted(used & macros.keys())}
    if missing := sorted(used - cells.keys()):
        raise QCLIFError(f"{corner.liberty} has no cell {missing[0]}: run the stage synth with this library")
    flat    = flatten(netlist)
    routed  = None if wires is None else extended(flat.gathered(wires))
    clocked = clock_nets(netlist, corner.library)
    clocks  = np.concatenate([ids[list(clocked[module])] for ids, module in zip(flat.ids, flat.modules, strict=True)])
    clocks  = clocks[clocks >= 0].astype(np.int64)
    load, slew = loads_and_slews(flat, cells, tables.wire_load if routed is None else lambda fanout: routed, clocks)
    return Loaded(flat, cells, macros, corner.library.voltage, load, slew)

# Routed wires -------------------------------------------------------------------------------------

# Units in fF.
_UNITS = {"PF": 1e3, "FF": 1.0}


def read_spef(path: Path) -> dict[str, float]:
    """Capacitance fF of each net's wire to ground and to its neighbours, by its name without backslashes.

    Raises
    ------
    QCLIFError : it cannot be read, or its capacitances are of no known unit, or include those of pins.
    """
    try:
        with open(path, errors="replace") as file:
            return _capacitances(file, path)
    except OSError as error:
        raise QCLIFError(f"{path}: cannot be read ({error.strerror}): run the stage layout again") from error
    except (ValueError, KeyError, IndexError) as error:
        raise QCLIFError(f"{path}: is no SPEF that can be read ({error}): run the stage layout again") from error


def _capacitances(lines: Iterable[str], path: Path) -> dict[str, float]:
    names, found, unit, mapped = {}, {}, None, False
    for line in lines:
        words = line.split()
        if not words:
            continue
        if words[0] == "*D_NET":
            name = names.get(words[1], words[1]).replace("\\", "")
            found[name] = float(words[2])*unit
        elif words[0] == "*C_UNIT":
            unit = float(words[1])*_UNITS[words[2].upper()]
        elif words[0] == "*DESIGN_FLOW" and "PIN_CAP NONE" not in line:
            raise QCLIFError(f"{path}: capacitances of pins are among those of wires: have it written without them")
        elif words[0] == "*NAME_MAP":
            mapped = True
        elif mapped and re.fullmatch(r"\*\d+", words[0]) and len(words) == 2:
            names[words[0]] = words[1]
        else:
            # Behind the names each net has a part of its own, whose lines begin likewise.
            mapped = mapped and words[0] != "*PORTS" and not found
    return found


def wires_of(module: Module, capacitances: dict[str, float], path: Path) -> np.ndarray:
    """Capacitance fF of the wire at each net of a flat netlist, [nets]; 0 where there is no wire.

    Raises
    ------
    QCLIFError : a wire that is no net of the netlist.
    """
    places = {module.name_of(net).replace("\\", ""): module.resolve(net) for net in range(len(module.nets))}
    if missing := sorted(capacitances.keys() - places.keys()):
        raise QCLIFError(f"{path}: {len(missing)} wires are of no net of {module.name} ({missing[0]} is the first): "
            f"run the stage layout again")
    wires = np.zeros(len(module.nets))
    for name, value in capacitances.items():
        if places[name] >= 0:
            wires[places[name]] += value
    # Nets that are the same have the same wire.
    return np.array([wires[same] if (same := module.resolve(net)) >= 0 else 0.0 for net in range(len(module.nets))])
