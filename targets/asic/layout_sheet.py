#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The table of a layout: what was routed beside the netlist before it."""

from targets.asic.design import CORNERS
from targets.asic.figures import FIGURES, at
from targets.asic.result import Record, after_layout
from targets.asic.sheet import ABSENT, Sheet, errors, number, slack

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


def layout_sheet(record: Record) -> Sheet | None:
    """The table, or how to run a layout that is only prepared; None where there is none of both."""
    if "command" in record.get("layout", {}):
        return Sheet("Layout", ("", ""), [("to run it", record["layout"]["command"])])
    routed = after_layout(record)
    if routed is None:
        return None
    rows  = [(text, form(of(record)), form(of(routed))) for text, of, form in _BOTH]
    rows += [(text, ABSENT, form(of(routed))) for text, of, form in _ROUTED]
    return Sheet("Layout", ("", "synthesised", "routed"), [row for row in rows if row[-1] != ABSENT],
        (_NOTE, *([f"GDS: {routed['gds']}"] if "gds" in routed else [])))
