# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The record of a run of the flow, as JSON takes it: what a stage did not compute is absent from it.

Below: the numbers that tables and plots take out of it by name, None where it has none.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import NamedTuple

from accel.config import QCLIFConfig
from targets.asic.design import AsicConfig
from targets.asic.platform.pdk import CORNERS

Record = dict[str, object]

# Modules of the core that hold weights.
WEIGHT_MODULES = ("qclif_weights_soma", "qclif_weights_apical")

# Energies, and what each is of.
ENERGIES = {
    "step":          "one time step of the whole network",
    "neuron_update": "one neuron's update in one time step: the energy of a step over N",
    "sop":           "one synaptic operation: a weight of a source that fired, added to a current; an event is N of "
                     "them, a spike of the step before 2 N (soma and apical). The energy of everything, over their "
                     "number",
    "spike":         "one output spike: the energy of everything, over the number of spikes",
    "inference":     "one recording, from its first to its last step",
}

# What the time of all these energies is.
COUNTED = ("Energies are the power, leakage included, times the time that the design computes: steps follow each other "
    "without a pause, and between recordings nothing counts.")


def energies(power_mw: float, gatesim: Record, period_ns: float) -> dict[str, float]:
    """Energy, pJ, of each of ENERGIES that was counted and happened.

    Parameters
    ----------
    power_mw : mean over the clocks.
    gatesim : a record's: the clocks, and how often each happened in them (steps, neuron_updates ...).
    """
    total = power_mw*gatesim["clocks"]*period_ns
    return {name: total/gatesim[f"{name}s"] for name in ENERGIES if gatesim.get(f"{name}s")}


def add_energies(record: Record) -> None:
    """Energies of a record that has power and a simulation: of all, of logic alone, and without the weights' memory."""
    power, gatesim = record.get("power_mw"), record.get("gatesim")
    if not power or not gatesim:
        return
    timed   = gatesim, 1000/record["frequency_mhz"]
    record["energy_pj"] = energies(power["total"], *timed)
    if power.get("sram"):
        record["energy_logic_pj"] = energies(power["total"] - power["sram"], *timed)
    if "step_us" in gatesim:
        # Steps at the pace of the recording: power stays on, the clock stops between steps. 1 mW is 1000 pJ a us.
        step_us = gatesim["step_us"]
        busy_us = gatesim["clocks"]/gatesim["steps"]*(1/record["frequency_mhz"])
        record["real_time"] = {"step_us": step_us, "busy": busy_us/step_us,
            "step_pj": record["energy_pj"]["step"] + 1000*power["standby"]*max(0.0, step_us - busy_us)}
    weights = record.get("weights", {})
    if "power_mw" in weights:
        sign   = -1 if weights["in_design"] else 1
        other  = energies(power["total"] + sign*weights["power_mw"], *timed)
        record["energy_without_weights_pj" if weights["in_design"] else "energy_with_weights_pj"] = other


def synapses(config: QCLIFConfig, design: str) -> int | None:
    """Weights that the design reads by itself, without biases; None for the neuron, which has none."""
    if design == "neuron":
        return None
    recurrent = config.neurons*(2*config.neurons + config.contexts)
    return recurrent if design == "spatial" else recurrent + config.neurons*config.inputs


def in_corner(record: Record, corner: str) -> Record:
    """What is told of the same netlist in another corner: its timing, power and energies."""
    same = {name: value for name, value in record.items() if name in ("design", "config", "frequency_mhz", "synapses",
        "gatesim", "timing", "powers_mw") or name.startswith("area")}
    seen = same | {"corner": corner}
    if corner in record.get("timing", {}):
        seen |= {name: value for name, value in record["timing"][corner].items() if name in ("slack_ns", "fmax_mhz")}
    if corner in record.get("powers_mw", {}):
        seen["power_mw"] = record["powers_mw"][corner]
    add_energies(seen)
    return seen


def after_layout(record: Record) -> Record | None:
    """What is told of the routed netlist: its area, timing, power and energies; None where nothing was routed."""
    layout = record.get("layout", {})
    if "area_um2" not in layout:
        return None
    seen = {name: record[name] for name in ("design", "config", "frequency_mhz", "corner", "synapses")
        if name in record} | layout
    if "weights" in record:
        # The layout has no modules any more, that could be told apart.
        seen["weights"] = {"in_design": True} if record["weights"]["in_design"] else record["weights"]
    add_energies(seen)
    return seen


def describe(config: AsicConfig) -> Record:
    """The part of a record that tells what was asked for: design, clock, corner, sizes and their synapses."""
    values = asdict(config)
    sizes  = values.pop("sizes")
    chip   = values.pop("chip")
    if config.design == "soc":
        values |= chip
    record = {"design": values.pop("design"), "frequency_mhz": values.pop("frequency_mhz"),
        "corner": values.pop("corner"), "config": sizes | values}
    if (count := synapses(config.sizes, config.design)) is not None:
        record["synapses"] = count
    return record

# Quantities ---------------------------------------------------------------------------------------

class Quantity(NamedTuple):
    """A quantity of a run: its name with the unit, and the value in a record, None where it has none."""
    text: str
    of:   Callable[[Record], float | None]


def at(*path: str) -> Callable[[Record], object]:
    """A function that finds what is in a record at a path of keys, None where a key is missing.

    at("layout", "slack_ns")(record) is record["layout"]["slack_ns"], where there is such.
    """
    def find(record: Record) -> object:
        value: object = record
        for key in path:
            if not isinstance(value, Mapping) or key not in value:
                return None
            value = value[key]
        return value
    return find


def _over(value: Callable[[Record], float | None], by: Callable[[Record], float | None] = lambda record: 1.0,
        factor: float = 1.0) -> Callable[[Record], float | None]:
    def find(record: Record) -> float | None:
        top, bottom = value(record), by(record)
        return None if top is None or not bottom else factor*top/bottom
    return find


def area_of(record: Record, weights: bool) -> float | None:
    """Area, um2, with the memory of the weights or without, whether the design holds them or not."""
    return _with_weights(record, weights, record.get("area_um2"), "area_um2")


def power_of(record: Record, weights: bool) -> float | None:
    """Power, mW, with the memory of the weights or without."""
    return _with_weights(record, weights, at("power_mw", "total")(record), "power_mw")


def energy_of(record: Record, energy: str, weights: bool) -> float | None:
    """Energy, pJ, of one of ENERGIES, with the memory of the weights or without."""
    inside = at("weights", "in_design")(record)
    if inside is None:
        return None if weights else at("energy_pj", energy)(record)
    key = "energy_pj" if inside == weights else f"energy_{'with' if weights else 'without'}_weights_pj"
    return at(key, energy)(record)


def _with_weights(record: Record, weights: bool, whole: float | None, key: str) -> float | None:
    """The design's own value, with that of the memory of the weights added or taken away where it needs to be."""
    inside = at("weights", "in_design")(record)
    if inside is None:
        return None if weights else whole
    memory = 0 if inside == weights else at("weights", key)(record)
    if whole is None or memory is None:
        return None
    return whole + memory if weights else whole - memory


def sram_dynamic(record: Record) -> float | None:
    """Power of the SRAM macros' accesses, mW: without their leakage."""
    power = record.get("power_mw", {})
    return power["sram"] - power["sram_leakage"] if power.get("sram") else None


def _density(record: Record) -> float | None:
    """Synaptic operations in a second that the activity of the run comes to at the highest clock, 1e9 a mm2."""
    values = [QUANTITIES[name].of(record) for name in ("sops_per_clock", "fmax_mhz", "area_mm2")]
    return None if None in values else values[0]*values[1]*1e-3/values[2]


QUANTITIES = {
    "area_mm2":         Quantity("area, mm2", _over(at("area_um2"), factor=1e-6)),
    "area_per_neuron":  Quantity("area a neuron, um2", _over(at("area_um2"), at("config", "neurons"))),
    "area_logic_mm2":   Quantity("logic, mm2", _over(at("area_logic_um2"), factor=1e-6)),
    "area_sram_mm2":    Quantity("SRAM, mm2", _over(at("area_sram_um2"), factor=1e-6)),
    "slack_ns":         Quantity("slack, ns", at("slack_ns")),
    "fmax_mhz":         Quantity("highest clock, MHz", at("fmax_mhz")),
    "voltage_v":        Quantity("supply, V", at("voltage_v")),
    "power_mw":         Quantity("power, mW", at("power_mw", "total")),
    "leakage_mw":       Quantity("leakage, mW", at("power_mw", "standby")),
    "sram_mw":          Quantity("SRAM, mW", at("power_mw", "sram")),
    "sram_dynamic_mw":  Quantity("SRAM's accesses, mW", sram_dynamic),
    "step_pj":          Quantity("energy a step, pJ", at("energy_pj", "step")),
    "neuron_update_pj": Quantity("energy a neuron update, pJ", at("energy_pj", "neuron_update")),
    "fastest_update_pj": Quantity("the same at the highest clock, pJ", at("fastest", "energy_pj", "neuron_update")),
    "spike_pj":         Quantity("energy an output spike, pJ", at("energy_pj", "spike")),
    "sop_pj":           Quantity("energy a SOP, pJ", at("energy_pj", "sop")),
    "sop_logic_pj":     Quantity("logic's energy a SOP, pJ", at("energy_logic_pj", "sop")),
    "inference_nj":     Quantity("energy an inference, nJ", _over(at("energy_pj", "inference"), factor=1e-3)),
    "real_time_nj":     Quantity("energy a step in real time, nJ", _over(at("real_time", "step_pj"), factor=1e-3)),
    "synapse_um2":      Quantity("area a synapse, um2", _over(at("area_um2"), at("synapses"))),
    "sops_per_clock":   Quantity("SOPs a clock", _over(at("gatesim", "sops"), at("gatesim", "clocks"))),
    "gsops_per_mm2":    Quantity("GSOP/s a mm2, at the highest clock", _density),
    "clocks_per_step":  Quantity("clocks a step", _over(at("gatesim", "clocks"), at("gatesim", "steps"))),
    "spike_rate":       Quantity("neurons that fire in a step, %", _over(at("gatesim", "spikes"),
        at("gatesim", "neuron_updates"), 100)),
    **{f"slack_{name}_ns": Quantity(f"slack {name}, ns", at("timing", name, "slack_ns")) for name in CORNERS},
    **{f"fmax_{name}_mhz": Quantity(f"highest clock {name}, MHz", at("timing", name, "fmax_mhz")) for name in CORNERS},
}
