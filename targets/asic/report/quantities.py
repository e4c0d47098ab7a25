#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Figures that tables and plots take out of a record: by name, None where the record has none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from targets.asic.platform.pdk import CORNERS
from targets.asic.report.result import Record


@dataclass(frozen=True)
class Figure:
    """A figure of a record.

    Attributes
    ----------
    text : its name, with the unit.
    of : the value in a record, None where it has none.
    """
    text: str
    of:   Callable[[Record], float | None]


def at(*path: str) -> Callable[[Record], object]:
    """What is in a record at a path of keys; None where a key is missing."""
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


def weights_area(counted: bool) -> Callable[[Record], float | None]:
    """Area, um2, with the memory of the weights or without, whether the design holds them or not."""
    def find(record: Record) -> float | None:
        area, inside = record.get("area_um2"), at("weights", "in_design")(record)
        if inside is None:
            return None if counted else area
        weights = 0 if inside == counted else at("weights", "area_um2")(record)
        if area is None or weights is None:
            return None
        return area + weights if counted else area - weights
    return find


def weights_energy(energy: str, counted: bool) -> Callable[[Record], float | None]:
    """Energy, pJ, with the memory of the weights or without."""
    def find(record: Record) -> float | None:
        inside = at("weights", "in_design")(record)
        if inside is None:
            return None if counted else at("energy_pj", energy)(record)
        key = "energy_pj" if inside == counted else f"energy_{'with' if counted else 'without'}_weights_pj"
        return at(key, energy)(record)
    return find


def sram_dynamic(record: Record) -> float | None:
    """Power of the SRAM macros' accesses, mW: without their leakage."""
    power = record.get("power_mw", {})
    return power["sram"] - power["sram_leakage"] if power.get("sram") else None


def clocks_per_step(record: Record) -> float | None:
    """Clocks that a time step takes."""
    return _over(at("gatesim", "clocks"), at("gatesim", "steps"))(record)


def spike_rate(record: Record) -> float | None:
    """Spikes of a neuron in a step, percent."""
    return _over(at("gatesim", "spikes"), at("gatesim", "neuron_updates"), 100)(record)


FIGURES = {
    "area_mm2":         Figure("area, mm2", _over(at("area_um2"), _one, 1e-6)),
    "area_per_neuron":  Figure("area a neuron, um2", _over(at("area_um2"), at("config", "neurons"))),
    "area_logic_mm2":   Figure("logic, mm2", _over(at("area_logic_um2"), _one, 1e-6)),
    "area_sram_mm2":    Figure("SRAM, mm2", _over(at("area_sram_um2"), _one, 1e-6)),
    "slack_ns":         Figure("slack, ns", at("slack_ns")),
    "fmax_mhz":         Figure("highest clock, MHz", at("fmax_mhz")),
    "power_mw":         Figure("power, mW", at("power_mw", "total")),
    "leakage_mw":       Figure("leakage, mW", at("power_mw", "standby")),
    "sram_mw":          Figure("SRAM, mW", at("power_mw", "sram")),
    "sram_dynamic_mw":  Figure("SRAM's accesses, mW", sram_dynamic),
    "step_pj":          Figure("energy a step, pJ", at("energy_pj", "step")),
    "neuron_update_pj": Figure("energy a neuron update, pJ", at("energy_pj", "neuron_update")),
    "spike_pj":         Figure("energy an output spike, pJ", at("energy_pj", "spike")),
    "sop_pj":           Figure("energy a SOP, pJ", at("energy_pj", "sop")),
    "sop_logic_pj":     Figure("logic's energy a SOP, pJ", at("energy_logic_pj", "sop")),
    "inference_nj":     Figure("energy an inference, nJ", _over(at("energy_pj", "inference"), _one, 1e-3)),
    "real_time_nj":     Figure("energy a step in real time, nJ", _over(at("real_time", "step_pj"), _one, 1e-3)),
    "clocks_per_step":  Figure("clocks a step", clocks_per_step),
    "spike_rate":       Figure("neurons that fire in a step, %", spike_rate),
    **{f"slack_{name}_ns": Figure(f"slack {name}, ns", at("timing", name, "slack_ns")) for name in CORNERS},
    **{f"fmax_{name}_mhz": Figure(f"highest clock {name}, MHz", at("timing", name, "fmax_mhz")) for name in CORNERS},
}
