# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What stands beside each other: our designs and the paper's, layouts and the netlists before them, SRAM macros."""

from collections.abc import Iterator, Mapping, Sequence

from targets.asic.platform.macros import Macro
from targets.asic.platform.openram import CELL_NW, OPENRAM_CELL_NW
from targets.asic.platform.pdk import CORNERS
from targets.asic.report import paper
from targets.asic.report.record import QUANTITIES, Record, after_layout, area_of, at, energy_of, power_of
from targets.asic.report.sheet import ABSENT, UNKNOWN, Sheet, errors, mm2, number, slack

# The paper ------------------------------------------------------------------------------------------

_COLUMNS = ("design", "N", "synapses", "bits", "mm2", "um2/N", "slack, ns", "mW", "pJ/update", "pJ/spike", "pJ/SOP",
    "nJ/inference", "routed, mm2", "routed slack, ns", "routed, mW", "routed, pJ/update")


def compare_sheets(records: Sequence[Record]) -> Iterator[Sheet]:
    """One table without the memory of the weights, as the paper seems to count, and one with it."""
    quoted    = {name: number(value) for name, value in paper.QUOTED.items()}
    paper_row = ("paper", number(paper.NEURONS), quoted["synapses"], str(paper.BITS), quoted["area_mm2"],
        quoted["per_neuron_um2"], UNKNOWN, UNKNOWN, *[f"{quoted['spike_pj']} ?"]*3, UNKNOWN, *[ABSENT]*4)
    yield Sheet(f"Without the memory of the weights, as it seems to be in the paper ({paper.CITATION})", _COLUMNS,
        [paper_row, *(_our_row(record, False) for record in records)], (
        "update: of one neuron in one step. I: sensory inputs, P: lanes; with I = 1 the core has the paper's synapses.",
        *paper.NOTES)).without_empty()
    yield Sheet("With the memory of the weights", _COLUMNS, [_our_row(record, True) for record in records],
        ("core: SRAM macros. spatial: all weights are read at once, which no SRAM gives: a latch a bit is added, its "
        "area and leakage; this part is an estimate.",)).without_empty()


def _our_row(record: Record, counted: bool) -> tuple[str, ...]:
    config = record["config"]
    area   = area_of(record, counted)
    energies = [energy_of(record, name, counted) for name in ("neuron_update", "spike", "sop", "inference")]
    energies[-1] = None if energies[-1] is None else energies[-1]/1e3
    routed = after_layout(record) or {}
    placed = area_of(routed, counted)
    name   = record["design"] if record["design"] != "core" else f"core, I = {config['inputs']}, P = {config['lanes']}"
    return (name, number(config["neurons"]), number(record["synapses"]), str(config["weight_bits"]),
        mm2(area), number(None if area is None else area/config["neurons"]),
        slack(record.get("slack_ns")), number(power_of(record, counted)), *map(number, energies),
        mm2(placed), slack(routed.get("slack_ns")),
        number(power_of(routed, counted)), number(energy_of(routed, "neuron_update", counted)))

# Layouts -------------------------------------------------------------------------------------------

# What both netlists have: name, where it is, how it is shown.
_BOTH = (
    ("area of cells and macros, um2", at("area_um2"), number),
    ("cells", at("cells"), number),
    *((f"{text} {corner}, ns", at("timing", corner, name), slack) for name, text in (("slack_ns", "slack"),
        ("hold_slack_ns", "hold slack")) for corner in CORNERS),
    *((f"highest clock {corner}, MHz", at("timing", corner, "fmax_mhz"), number) for corner in CORNERS),
    ("power, mW", QUANTITIES["power_mw"].of, number),
    ("energy a neuron update, pJ", QUANTITIES["neuron_update_pj"].of, number),
    ("spikes", at("gatesim", "spikes"), number),
    ("spikes that the golden model has not, or alone", at("gatesim", "mismatches"), errors),
    ("states that are not the golden model's", at("gatesim", "state_mismatches"), errors),
)

# What only a layout has.
_ONLY_ROUTED = (
    ("core, um2", at("core_um2"), number),
    ("die, um2", at("die_um2"), number),
    ("part of the core that is filled", at("utilisation"), number),
    ("wire, um", at("wire_um"), number),
    ("DRC errors", at("drc_errors"), errors),
    ("errors by KLayout's rules", at("rule_errors"), errors),
    ("antenna errors", at("antennas"), errors),
    ("pins with too large a load", at("overloads"), errors),
    ("pins with too slow an edge", at("slow_edges"), errors),
    ("power at the activity that OpenROAD assumes, mW", at("default_power_mw", "total"), number),
    ("and then the worst IR drop of VDD, mV", at("vdd_drop_mv"), number),
    ("and of VSS, mV", at("vss_drop_mv"), number),
)

_ROUTED_NOTE = ("Routed: timing and power with wires as they were extracted, and with the clock's tree; among the "
    "cells are those that tie the wells, and no fill. OpenROAD works for the typical corner alone.")


def layout_sheets(records: Sequence[Record]) -> Iterator[Sheet]:
    """What was routed beside the netlist before it, for each design that has a layout; how to run the others."""
    pairs = [(record, routed) for record in records if (routed := after_layout(record)) is not None]
    if pairs:
        yield _routed(pairs)
    ready = [(_short_name(record), command) for record in records if (command := at("layout", "command")(record))]
    if ready:
        yield Sheet("Layouts that are ready to run", ("design", "command"), ready, texts=(0, 1), prose=(1,))


def _routed(pairs: Sequence[tuple[Record, Record]]) -> Sheet:
    names   = [_short_name(record) for record, _ in pairs] if len(pairs) > 1 else ["synthesised"]
    columns = ["", *(column for name in names for column in (name, "routed"))]
    rows    = [(text, *(form(of(each)) for pair in pairs for each in pair)) for text, of, form in _BOTH]
    rows   += [(text, *(cell for _, routed in pairs for cell in (ABSENT, form(of(routed)))))
        for text, of, form in _ONLY_ROUTED]
    broken  = [f"KLayout's rules, {where}: {rule}: {count}" for _, routed in pairs for where, kind in
        (("the design", "errors"), ("the library's own cells", "in_cells"))
        for rule, count in routed.get("rules", {}).get(kind, {}).items()]
    files   = [f"GDS: {routed['gds']}" for _, routed in pairs if "gds" in routed]
    return Sheet("Layout", tuple(columns), [row for row in rows if set(row[2::2]) != {ABSENT}], (_ROUTED_NOTE, *broken,
        *files))


def _short_name(record: Record) -> str:
    return record["design"] if record["design"] == "neuron" else \
        f"{record['design']}, N = {record['config']['neurons']}"

# Macros --------------------------------------------------------------------------------------------

MACRO_NOTES = {
    "fakeram45": "fakeram45: estimates by CACTI in the flow scripts' Liberty files; no layout.",
    "openram45": f"openram45: layouts by OpenRAM. Area and delays are its own, and so is the energy of an access, by "
        f"an analytical model with round capacitances. Its leakage is {OPENRAM_CELL_NW:g} nW for every bit cell and "
        f"gate, a placeholder: here they have the {CELL_NW:g} nW that ngspice gives for its bit cell. Data come after "
        f"the falling edge: the access is half of the shortest period, and the delay.",
}
MACRO_NOTE = "An access is a read or a write: both models charge the same."


def macro_values(macro: Macro) -> dict[str, object]:
    """What a record tells of a macro; what its files do not have is left out."""
    values = {"words": macro.depth, "bits": macro.width, "area_um2": macro.area_um2, "leakage_nw": macro.leakage_nw,
        "access_pj": macro.energy_pj, "access_ns": macro.access_ns, "min_period_ns": macro.min_period_ns}
    return {name: value for name, value in values.items() if value is not None}


def macros_sheet(macros: Mapping[str, Mapping[str, object]], title: str) -> Sheet:
    """Macros by size.

    Parameters
    ----------
    macros : macro_values() by name.
    """
    rows = []
    for name, each in sorted(macros.items(), key=lambda item: (item[1]["words"], item[1]["bits"], item[0])):
        bits = each["words"]*each["bits"]
        rows.append((name, number(each["area_um2"]), number(each["area_um2"]/bits), number(each["leakage_nw"]*1e-3),
            number(each["leakage_nw"]/bits), number(each["access_pj"]), number(each["access_pj"]/each["bits"]*1e3),
            number(each.get("access_ns")), number(each.get("min_period_ns"))))
    return Sheet(title, ("macro", "area, um2", "um2 a bit", "leakage, uW", "nW a bit", "access, pJ", "fJ a bit",
        "access time, ns", "shortest period, ns"), rows,
        (MACRO_NOTE, *(text for kind, text in MACRO_NOTES.items() if any(name.startswith(kind) for name in macros))))
