# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Synthesis: a design as cells of the library, the smallest netlist that meets the clock, else the fastest one."""

import json
from collections import Counter
from pathlib import Path

from accel.errors import QCLIFError
from targets.asic.design import AsicConfig, ModuleArea, Rtl, Synthesis
from targets.asic.platform.pdk import Pdk
from targets.asic.sta import timing as sta
from targets.asic.synth.buffers import BufferTrees
from targets.asic.synth.excerpt import excerpt
from targets.asic.synth.recipes import Recipe, recipes, script, write_files
from targets.liberty.library import Cell, read_liberty
from targets.liberty.power import read_power
from targets.tools.builds import write_text
from targets.tools.eda import Tool, find_yosys, has_sta, run_tool
from targets.tools.progress import StageProgress, no_stage

# Choice -----------------------------------------------------------------------------------------

def synthesise(config: AsicConfig, rtl: Rtl, pdk: Pdk, folder: Path,
    progress: StageProgress = no_stage) -> Synthesis:
    """Make a design of cells.

    Recipes are tried from the one for the least area to the one for the least delay; that of the first netlist that
    meets the frequency in the corner of `config` is taken, or that of the fastest netlist where none does. Without
    OpenSTA nobody knows, and the first one is taken.

    Parameters
    ----------
    folder : of scripts, logs and netlists; it is made where it does not exist.
    progress : called with the name of each stage.

    Raises
    ------
    QCLIFError : no Yosys, it or OpenSTA fails, a macro is not in the PDK, or the folder cannot be written.
    """
    tool  = find_yosys()
    tried = []
    for recipe in recipes(pdk):
        synthesis = map_design(config, rtl, pdk, folder, tool, recipe, progress)
        if not has_sta():
            return synthesis
        slack     = sta.time(config, synthesis, pdk, folder/recipe.name, config.corner, progress).slack_ns
        if slack >= 0:
            return synthesis
        tried.append((slack, synthesis))
    return max(tried, key=lambda each: each[0])[1]

# Mapping ------------------------------------------------------------------------------------------

def map_design(config: AsicConfig, rtl: Rtl, pdk: Pdk, folder: Path, tool: Tool, recipe: Recipe,
    progress: StageProgress = no_stage) -> Synthesis:
    """Synthesise with one recipe, for the corner of `config`.

    Raises
    ------
    QCLIFError : Yosys fails, a macro is not in the PDK, or the folder cannot be written.
    """
    corner  = pdk.corner(config.corner)
    missing = [name for name in rtl.macros if name not in pdk.macros]
    if missing:
        raise QCLIFError(f"macro {missing[0]} is not in {pdk.folder}: choose another --sram or --pdk")
    cells = corner.library.cells | {name: read_liberty(pdk.macros[name].liberty).cells[name] for name in rtl.macros}
    write_files(config, pdk, folder)
    run_tool(tool, script(tool, recipe, config, rtl, pdk, folder), folder, f"{recipe.name}.ys", progress=progress,
        stage=f"synthesising with Yosys: {recipe.what}")
    netlist = json.loads((folder/f"{recipe.name}.json").read_text())
    netlist["modules"] = {name: module for name, module in netlist["modules"].items() if name not in cells}
    if rtl.clock not in netlist["modules"][rtl.top]["ports"]:
        raise QCLIFError(f"{rtl.top} has no port {rtl.clock} for its clock: name another one in its Rtl")
    wires = read_power(corner.liberty, set()).wire_load
    trees = BufferTrees(netlist, cells, wires, pdk)
    # OpenSTA of 2019 knows no `signed`, and numbers mean nothing to cells.
    for module in netlist["modules"].values():
        for each in (*module["ports"].values(), *module["netnames"].values()):
            each.pop("signed", None)
    part  = excerpt(netlist, rtl.top, trees.ports, cells, wires, pdk)
    files = {"excerpt": None, "loads": {}}
    verilog = folder/f"{recipe.name}.v"
    todo    = [(netlist, verilog)]
    if part is not None:
        files = {"excerpt": folder/f"{recipe.name}_excerpt.v", "loads": part[1]}
        todo.append((part[0], files["excerpt"]))
    lines = []
    for content, path in todo:
        write_text(path.with_suffix(".json"), json.dumps(content))
        lines += ["design -reset", f'read_json "{tool.path(path.with_suffix(".json"))}"',
            f'write_verilog -noattr -nohex -nodec "{tool.path(path)}"']
    run_tool(tool, "\n".join([*lines, ""]), folder, f"{recipe.name}_write.ys", progress=progress,
        stage="writing the netlist")
    return _count(netlist, cells, rtl, verilog, files, trees.counts, recipe.name)

# Counting -----------------------------------------------------------------------------------------

def _count(netlist: dict, cells: dict[str, Cell], rtl: Rtl, verilog: Path, files: dict,
    buffers: Counter, recipe: str) -> Synthesis:
    """What a netlist is made of, from the cells' areas in the Liberty files."""
    modules   = netlist["modules"]
    kinds     = {name: Counter(cell["type"] for cell in module["cells"].values()) for name, module in modules.items()}
    hierarchy = {name: {instance: cell["type"] for instance, cell in module["cells"].items() if cell["type"] in modules}
        for name, module in modules.items()}
    instances = _instances(kinds, rtl.top)
    total     = Counter()
    parts     = []
    for name, count in instances.items():
        own   = Counter({kind: number for kind, number in kinds[name].items() if kind not in modules})
        logic = {kind: number for kind, number in own.items() if kind not in rtl.macros}
        parts.append(ModuleArea(name, rtl.modules.get(name, name), count,
            area_um2 = sum(cells[kind].area*number for kind, number in own.items()),
            cells    = sum(logic.values()),
            flops    = sum(number for kind, number in logic.items() if cells[kind].flipflops),
            macros   = own.total() - sum(logic.values())))
        for kind, number in own.items():
            total[kind] += number*count
    macros = {kind: number for kind, number in total.items() if kind in rtl.macros}
    area   = {kind: cells[kind].area*number for kind, number in total.items()}
    sram   = sum(area[kind] for kind in macros)
    return Synthesis(verilog, rtl.top, rtl.clock,
        area_um2       = sum(area.values()),
        area_logic_um2 = sum(area.values()) - sram,
        area_sram_um2  = sram,
        cells          = total.total() - sum(macros.values()),
        flops          = sum(number for kind, number in total.items() if cells[kind].flipflops),
        macros         = macros,
        modules        = tuple(parts),
        buffers        = sum(buffers[name]*count for name, count in instances.items()),
        **files,
        hierarchy      = hierarchy,
        recipe         = recipe)


def _instances(kinds: dict[str, Counter], top: str) -> Counter[str]:
    """Instances of each module in the whole design, the top first, then level by level."""
    counts, level = Counter(), Counter({top: 1})
    while level:
        counts += level
        below   = Counter()
        for name, number in level.items():
            below.update({kind: count*number for kind, count in kinds[name].items() if kind in kinds})
        level = below
    return counts
