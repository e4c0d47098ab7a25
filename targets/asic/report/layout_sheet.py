#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The table of a layout: what was routed beside the netlist before it."""

from collections.abc import Iterator, Sequence

from targets.asic.platform.pdk import CORNERS
from targets.asic.report.quantities import FIGURES, at
from targets.asic.report.result import Record, after_layout
from targets.asic.report.sheet import ABSENT, Sheet, errors, number, slack

# What both netlists have: name, where it is, how it is shown.
_BOTH = (
    ("area of cells and macros, um2", at("area_um2"), number),
    ("cells", at("cells"), number),
    *((f"{text} {corner}, ns", at("timing", corner, name), slack) for name, text in (("slack_ns", "slack"),
        ("hold_slack_ns", "hold slack")) for corner in CORNERS),
    *((f"highest clock {corner}, MHz", at("timing", corner, "fmax_mhz"), number) for corner in CORNERS),
    ("power, mW", FIGURES["power_mw"].of, number),
    ("energy a neuron update, pJ", FIGURES["neuron_update_pj"].of, number),
    ("spikes", at("gatesim", "spikes"), number),
    ("spikes that the golden model has not, or alone", at("gatesim", "mismatches"), errors),
    ("states that are not the golden model's", at("gatesim", "state_mismatches"), errors),
)

# What only a layout has.
_ROUTED = (
    ("core, um2", at("core_um2"), number),
    ("die, um2", at("die_um2"), number),
    ("part of the core that is filled", at("utilisation"), number),
    ("wire, um", at("wire_um"), number),
    ("DRC errors", at("drc_errors"), errors),
    ("power at the activity that OpenROAD assumes, mW", at("default_power_mw", "total"), number),
)

_NOTE = ("Routed: timing and power with wires as they were extracted, and with the clock's tree; among the cells are "
    "those that tie the wells, and no fill. OpenROAD works for the typical corner alone.")


def layout_sheets(records: Sequence[Record]) -> Iterator[Sheet]:
    """What was routed beside the netlist before it, for each design that has a layout; how to run the others."""
    pairs = [(record, routed) for record in records if (routed := after_layout(record)) is not None]
    if pairs:
        yield _routed(pairs)
    ready = [(_name(record), command) for record in records if (command := at("layout", "command")(record))]
    if ready:
        yield Sheet("Layouts that are ready to run", ("design", "command"), ready, texts=(0, 1))


def _routed(pairs: Sequence[tuple[Record, Record]]) -> Sheet:
    names   = [_name(record) for record, _ in pairs] if len(pairs) > 1 else ["synthesised"]
    columns = ["", *(column for name in names for column in (name, "routed"))]
    rows    = [(text, *(form(of(each)) for pair in pairs for each in pair)) for text, of, form in _BOTH]
    rows   += [(text, *(cell for _, routed in pairs for cell in (ABSENT, form(of(routed)))))
        for text, of, form in _ROUTED]
    files   = [f"GDS: {routed['gds']}" for _, routed in pairs if "gds" in routed]
    return Sheet("Layout", tuple(columns), [row for row in rows if set(row[2::2]) != {ABSENT}], (_NOTE, *files))


def _name(record: Record) -> str:
    return record["design"] if record["design"] == "neuron" else \
        f"{record['design']}, N = {record['config']['neurons']}"
