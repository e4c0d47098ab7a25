#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Synthesis: the smallest netlist that meets the clock, else the fastest one."""

from collections.abc import Callable
from pathlib import Path

from targets.asic.design import AsicConfig, Rtl
from targets.asic.platform.pdk import Pdk
from targets.asic.sta import timing as sta
from targets.asic.synth.mapping import ModuleArea, Synthesis, map_design
from targets.asic.synth.recipes import RECIPES
from targets.tools.eda import find_yosys, has_sta

__all__ = ["ModuleArea", "Synthesis", "synthesise"]


def synthesise(config: AsicConfig, rtl: Rtl, pdk: Pdk, folder: Path,
    progress: Callable[[str], None] = lambda stage: None) -> Synthesis:
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
    for recipe in RECIPES:
        synthesis = map_design(config, rtl, pdk, folder, tool, recipe, progress)
        if not has_sta():
            return synthesis
        slack     = sta.time(config, synthesis, pdk, folder/recipe.name, config.corner, progress).slack_ns
        if slack >= 0:
            return synthesis
        tried.append((slack, synthesis))
    return max(tried, key=lambda each: each[0])[1]
