# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Picture of a layout whose macros and cells are coloured by the module of the netlist that they come from."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from host.plots.style import COLOURS, WIDTH, new_figure, save, styled
from targets.asic.layout.placement import Box, Placement, read_placement
from targets.asic.report.record import Record
from targets.netlist.netlist import Netlist
from targets.netlist.reader import read_netlist

# A colour for each of the largest modules; Okabe and Ito's, then those of Tol's that differ from them.
MODULES = (*COLOURS, "#f0e442", "#882255", "#999933", "#44aa99", "#332288", "#aa4466")
OTHERS  = "#b8b8b8"

# Cells that the netlist before the layout has not.
ADDED, ADDED_TEXT = "#202020", "clock tree and buffers of the layout"

# Inches that the picture's height has at most, and what the legend takes a row.
TALLEST, ROW = 11.0, 0.18

# Columns of the legend.
COLUMNS = 3


def draw_modules(record: Record, title: str, path: Path) -> Path:
    """Draw a record's layout.

    Raises
    ------
    QCLIFError : KLayout's package is missing, a file of the layout cannot be read, or the picture cannot be written.
    """
    layout = record["layout"]
    placed = read_placement(Path(layout["layout_def"]), [Path(lef) for lef in layout["lefs"]])
    owners = owners_of(read_netlist(Path(layout["hierarchy"]), placed.top))
    save(floor(placed, owners, {module["name"]: module["text"] for module in record.get("modules", ())}, title), path)
    return path


def owners_of(netlist: Netlist) -> dict[str, str]:
    """The module of each cell and macro, by the path of its instance."""
    return {"/".join((*path, each.name)): module.name for path, module in netlist.paths()
        for each in module.instances if each.cell not in netlist.modules}


@styled
def floor(placement: Placement, owners: Mapping[str, str], texts: Mapping[str, str], title: str) -> Figure:
    """Each cell and macro in the colour of its module; macros have an edge.

    Parameters
    ----------
    owners : module by the path of an instance; cells without one are the layout's own.
    texts : what modules are called, by their names.
    """
    areas: dict[str, float] = {}
    for name, box, _ in placement.cells:
        if name in owners:
            areas[owners[name]] = areas.get(owners[name], 0.0) + (box[2] - box[0])*(box[3] - box[1])
    ranked  = sorted(areas, key=lambda module: -areas[module])
    colours = dict(zip(ranked, MODULES, strict=False))
    named   = {texts.get(module, module): colour for module, colour in colours.items()}
    if len(ranked) > len(colours):
        named["all others"] = OTHERS
    if any(name not in owners for name, _, _ in placement.cells):
        named[ADDED_TEXT] = ADDED

    left, bottom, right, top = placement.die
    legend = ROW*-(-len(named)//COLUMNS)
    figure = new_figure(min(TALLEST, WIDTH*(top - bottom)/(right - left)) + legend + 0.5, title)
    axes   = figure.subplots()
    for macro in (False, True):
        drawn = [each for each in placement.cells if each.macro == macro]
        faces = [colours.get(owners[each.name], OTHERS) if each.name in owners else ADDED for each in drawn]
        axes.add_collection(PolyCollection([_corners(each.box) for each in drawn], facecolors=faces,
            edgecolors="#303030" if macro else "none", linewidths=0.4, antialiaseds=macro))
    axes.set(xlim=(left, right), ylim=(bottom, top), xlabel="um", aspect="equal")
    axes.grid(False)
    figure.legend(handles=[Patch(color=colour, label=text) for text, colour in named.items()],
        loc="outside lower center", ncols=COLUMNS)
    return figure


def _corners(box: Box) -> list[tuple[float, float]]:
    left, bottom, right, top = box
    return [(left, bottom), (right, bottom), (right, top), (left, top)]
