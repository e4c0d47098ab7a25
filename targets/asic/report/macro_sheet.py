#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Figures of SRAM macros, as a record has them, and the table that shows macros beside each other."""

from collections.abc import Iterable, Mapping

from targets.asic.platform.macros import Macro
from targets.asic.platform.openram_liberty import CELL_NW, OPENRAM_CELL_NW
from targets.asic.report.sheet import Sheet, number

FAKERAM = "fakeram45"
OPENRAM = "openram45"

NOTES = {
    FAKERAM: "fakeram45: estimates by CACTI in the flow scripts' Liberty files; no layout.",
    OPENRAM: f"openram45: layouts by OpenRAM. Area and delays are its own, and so is the energy of an access, by an "
        f"analytical model with round capacitances. Its leakage is {OPENRAM_CELL_NW:g} nW for every bit cell and gate, "
        f"a placeholder: here they have the {CELL_NW:g} nW that ngspice gives for its bit cell. Data come after the "
        f"falling edge: the access is half of the shortest period, and the delay.",
}
BOTH = "An access is a read or a write: both models charge the same."


def macro_figures(macro: Macro) -> dict[str, object]:
    """What a record tells of a macro; figures that its files do not have are left out."""
    figures = {"words": macro.depth, "bits": macro.width, "area_um2": macro.area_um2, "leakage_nw": macro.leakage_nw,
        "access_pj": macro.energy_pj, "access_ns": macro.access_ns, "min_period_ns": macro.min_period_ns}
    return {name: value for name, value in figures.items() if value is not None}


def macros_sheet(macros: Mapping[str, Mapping[str, object]], title: str) -> Sheet:
    """Macros by size.

    Parameters
    ----------
    macros : macro_figures() by name.
    """
    ordered = sorted(macros.items(), key=lambda item: (item[1]["words"], item[1]["bits"], item[0]))
    return Sheet(title, ("macro", "area, um2", "um2 a bit", "leakage, uW", "nW a bit", "access, pJ", "fJ a bit",
        "access time, ns", "shortest period, ns"), [_row(name, each) for name, each in ordered], _notes(macros))


def _row(name: str, each: Mapping[str, object]) -> tuple[str, ...]:
    bits = each["words"]*each["bits"]
    return (name, number(each["area_um2"]), number(each["area_um2"]/bits), number(each["leakage_nw"]*1e-3),
        number(each["leakage_nw"]/bits), number(each["access_pj"]), number(each["access_pj"]/each["bits"]*1e3),
        number(each.get("access_ns")), number(each.get("min_period_ns")))


def _notes(names: Iterable[str]) -> tuple[str, ...]:
    return (BOTH, *(text for kind, text in NOTES.items() if any(name.startswith(kind) for name in names)))
