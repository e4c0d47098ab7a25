# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Numbers that tables and plots take out of a record: by name, None where the record has none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from targets.asic.platform.pdk import CORNERS
from targets.asic.report.record import Record


@dataclass(frozen=True)
class Quantity:
    """A quantity of a run.

    Attributes
    ----------
    text : its name, with the unit.
    of : the value in a record, None where it has none.
    """
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


def _over(value: Callable[[Record], float | None], by: Callable[[Record], float | None], factor: float = 1.0
        ) -> Callable[[Record], float | None]:
    def find(record: Record) -> float | None:
        top, bottom = value(record), by(record)
        return None if top is None or not bottom else factor*top/bottom
    return find


def _one(record: Record) -> float:
    return 1.0


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


QUANTITIES = {
    "area_mm2":         Quantity("area, mm2", _over(at("area_um2"), _one, 1e-6)),
    "area_per_neuron":  Quantity("area a neuron, um2", _over(at("area_um2"), at("config", "neurons"))),
    "area_logic_mm2":   Quantity("logic, mm2", _over(at("area_logic_um2"), _one, 1e-6)),
    "area_sram_mm2":    Quantity("SRAM, mm2", _over(at("area_sram_um2"), _one, 1e-6)),
    "slack_ns":         Quantity("slack, ns", at("slack_ns")),
    "fmax_mhz":         Quantity("highest clock, MHz", at("fmax_mhz")),
    "power_mw":         Quantity("power, mW", at("power_mw", "total")),
    "leakage_mw":       Quantity("leakage, mW", at("power_mw", "standby")),
    "sram_mw":          Quantity("SRAM, mW", at("power_mw", "sram")),
    "sram_dynamic_mw":  Quantity("SRAM's accesses, mW", sram_dynamic),
    "step_pj":          Quantity("energy a step, pJ", at("energy_pj", "step")),
    "neuron_update_pj": Quantity("energy a neuron update, pJ", at("energy_pj", "neuron_update")),
    "spike_pj":         Quantity("energy an output spike, pJ", at("energy_pj", "spike")),
    "sop_pj":           Quantity("energy a SOP, pJ", at("energy_pj", "sop")),
    "sop_logic_pj":     Quantity("logic's energy a SOP, pJ", at("energy_logic_pj", "sop")),
    "inference_nj":     Quantity("energy an inference, nJ", _over(at("energy_pj", "inference"), _one, 1e-3)),
    "real_time_nj":     Quantity("energy a step in real time, nJ", _over(at("real_time", "step_pj"), _one, 1e-3)),
    "clocks_per_step":  Quantity("clocks a step", _over(at("gatesim", "clocks"), at("gatesim", "steps"))),
    "spike_rate":       Quantity("neurons that fire in a step, %", _over(at("gatesim", "spikes"),
        at("gatesim", "neuron_updates"), 100)),
    **{f"slack_{name}_ns": Quantity(f"slack {name}, ns", at("timing", name, "slack_ns")) for name in CORNERS},
    **{f"fmax_{name}_mhz": Quantity(f"highest clock {name}, MHz", at("timing", name, "fmax_mhz")) for name in CORNERS},
}
