#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The paper's table beside ours: sizes and widths of its architecture and of the event-driven core."""

from collections.abc import Iterator, Sequence

from targets.asic.report import paper
from targets.asic.report.quantities import FIGURES, at, weights_area, weights_energy
from targets.asic.report.result import Record, after_layout
from targets.asic.report.sheet import ABSENT, UNKNOWN, Sheet, number, slack

_COLUMNS = ("design", "N", "synapses", "bits", "mm2", "um2/N", "slack, ns", "mW", "pJ/update", "pJ/spike", "pJ/SOP",
    "nJ/inference", "routed, mm2", "routed slack, ns", "routed, mW", "routed, pJ/update")


def compare_sheets(records: Sequence[Record]) -> Iterator[Sheet]:
    """One table without the memory of the weights, as the paper seems to count, and one with it."""
    yield Sheet(f"Without the memory of the weights, as it seems to be in the paper ({paper.CITATION})", _COLUMNS,
        [_paper_row(), *(_row(record, False) for record in records)], (
        "update: of one neuron in one step. I: sensory inputs, P: lanes; with I = 1 the core has the paper's synapses.",
        *paper.NOTES)).without_empty()
    yield Sheet("With the memory of the weights", _COLUMNS, [_row(record, True) for record in records],
        ("core: SRAM macros. spatial: all weights are read at once, which no SRAM gives: a latch a bit is added, its "
        "area and leakage; this part is an estimate.",)).without_empty()


def _paper_row() -> tuple[str, ...]:
    figures = paper.FIGURES
    return ("paper", number(paper.NEURONS), number(figures["synapses"].value), str(paper.BITS),
        number(figures["area_mm2"].value), number(figures["per_neuron_um2"].value), UNKNOWN, UNKNOWN,
        *[f"{number(figures['spike_pj'].value)} ?"]*3, UNKNOWN, *[ABSENT]*4)


def _row(record: Record, counted: bool) -> tuple[str, ...]:
    config = record["config"]
    area   = weights_area(counted)(record)
    energies = {name: weights_energy(name, counted)(record) for name in ("neuron_update", "spike", "sop", "inference")}
    energies["inference"] = None if energies["inference"] is None else energies["inference"]/1e3
    routed = after_layout(record) or {}
    placed = weights_area(counted)(routed)
    name   = record["design"] if record["design"] != "core" else f"core, I = {config['inputs']}, P = {config['lanes']}"
    return (name, number(config["neurons"]), number(record["synapses"]), str(config["weight_bits"]),
        number(None if area is None else area/1e6), number(None if area is None else area/config["neurons"]),
        slack(record.get("slack_ns")), number(_power(record, counted)), *(number(value) for value in energies.values()),
        number(None if placed is None else placed/1e6), slack(routed.get("slack_ns")),
        number(_power(routed, counted)), number(weights_energy("neuron_update", counted)(routed)))


def _power(record: Record, counted: bool) -> float | None:
    """Power, mW, with the memory of the weights or without."""
    power, added = FIGURES["power_mw"].of(record), at("weights", "power_mw")(record)
    if power is None or at("weights", "in_design")(record) == counted:
        return power
    return None if added is None else power + (added if counted else -added)
