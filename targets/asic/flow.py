# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The flow: Verilog, gates, timing, simulation of the gates, power, layout; each stage from the results before it."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_type_hints

import firmware
from accel.errors import QCLIFError
from host.common.folders import build_root
from targets.asic.chip.firmware import COMPILER
from targets.asic.gatesim.chip_run import ChipRun, activity_file, simulate_chip
from targets.asic.gatesim.simulate import ACTIVITY, simulate
from targets.asic.layout.drc import RuleCheck, check_rules, rule_tools, rule_versions
from targets.asic.layout.flow_files import SCRIPTS
from targets.asic.layout.layout import prepare
from targets.asic.layout.layout import run as run_layout
from targets.asic.layout.results import Layout
from targets.asic.layout.tools import layout_tools, missing_tool, scripts_digest
from targets.asic.layout.variables import identity
from targets.asic.platform.openram import openram_pdk
from targets.asic.platform.pdk import CORNERS
from targets.asic.power.power import estimate, estimate_each
from targets.asic.request import FlowResult, Request
from targets.asic.rtl.generate import generate
from targets.asic.sta.timing import time
from targets.asic.stages import DONE, STAGES, stage
from targets.asic.synth.equivalence import prove
from targets.asic.synth.synthesis import synthesise
from targets.netlist.toggles import Activity
from targets.tools.builds import digest, file_digest, folder_digest
from targets.tools.eda import find_sta, find_yosys, has_sta
from targets.tools.process import check_programs, version_of
from targets.tools.progress import StageProgress, no_stage
from targets.tools.verilator import generator_versions

# What a stage works on, as a FlowResult names it.
NEEDS = {"sta": ("synthesis",), "gatesim": ("synthesis",), "power": ("synthesis", "gatesim"), "layout": ("synthesis",)}


def _tools(stage: str, design: str, docker: bool) -> dict[str, str]:
    """Versions of a stage's tools by name.

    Raises
    ------
    QCLIFError : one is missing.
    """
    tools = []
    if stage == "synth":
        # Without OpenSTA, synthesis takes the recipe of the least area.
        tools = [find_yosys(), *([find_sta()] if has_sta() else [])]
    elif stage == "sta":
        tools = [find_sta()]
    elif stage == "gatesim":
        # The chip runs its firmware.
        programs = ["verilator", *([COMPILER] if design == "soc" else [])]
        check_programs(programs)
        return {program: version_of(program, "--version") for program in programs}
    elif stage == "layout" and design == "soc" and (missing := missing_tool(docker)):
        # Told before the chip is simulated, which may take hours.
        raise QCLIFError(missing)
    return {tool.name.lower(): f"{tool.version} ({tool.kind})" for tool in tools}


def run_flow(request: Request, progress: StageProgress = no_stage) -> FlowResult:
    """Run the stages up to the last one that is asked for.

    Parameters
    ----------
    progress : called with the name of each stage as it begins.

    Raises
    ------
    QCLIFError : a stage failed.
    """
    flow  = _Flow(request, progress)
    names = list(STAGES)[:list(STAGES).index(request.until) + 1]
    flow.find_tools(names)
    flow.run(names, flow.result)
    return flow.result


class _Flow:
    """One run of the flow."""
    def __init__(self, request: Request, progress: StageProgress) -> None:
        self.config   = request.config
        self.pdk      = openram_pdk(request.pdk) if request.config.sram == "openram" else request.pdk
        self.corners  = [name for name in CORNERS if name in self.pdk.corners]
        self.result   = FlowResult(request, macros=dict(self.pdk.macros))
        self.progress = progress

    def run(self, names: Sequence[str], result: FlowResult, what: str = "") -> None:
        """Run those stages of a netlist that its results allow; `what` is told of it."""
        for name in names:
            ready = all(getattr(result, before) is not None for before in NEEDS.get(name, ()))
            if ready and name not in self.result.missing:
                self.progress(f"{what or name}: {STAGES[name][0]}")
                getattr(self, f"_{name}")(result)

    def find_tools(self, names: Sequence[str]) -> None:
        """Find the tools of all stages, before any of them runs."""
        for name in names:
            try:
                self.result.tools |= _tools(name, self.config.design, self.result.request.docker)
            except QCLIFError as error:
                if self.result.request.strict_tools:
                    raise
                self.result.missing[name] = str(error)

    def _stage(self, name: str, function: Callable, inputs: list[object], work: Callable[[Path], object]) -> object:
        """Run a stage that calls a function: its module's source counts, and it tells the kind of the result."""
        inputs = [str(build_root()), self.pdk.identity, *inputs]
        done   = stage(name, function.__module__, get_type_hints(function)["return"], inputs, work, self.progress)
        self.result.done[name] = done
        return done.result

    # Stages ---------------------------------------------------------------------------------------

    def _rtl(self, result: FlowResult) -> None:
        config = self.config
        inputs = [config.design, config.sram, config.sram_objective, config.protect, config.frugal,
            config.apical_shift, config.product_shift, config.sizes.to_dict(), *generator_versions(),
            *([config.frequency_mhz, dataclasses.asdict(config.chip)] if config.design == "soc" else [])]
        if config.sram_objective == "energy":
            # The leakage of a clock is part of it.
            inputs.append(config.period_ns)
        result.rtl = self._stage("rtl", generate, inputs, lambda folder: generate(config, self.pdk, folder))

    def _synth(self, result: FlowResult) -> None:
        rtl = result.rtl
        result.synthesis = self._stage("synth", synthesise, [rtl.top, rtl.clock, self.config.period_ns,
            self.config.corner, *map(file_digest, rtl.sources), self.result.tools["yosys"],
            self.result.tools.get("opensta", "")],
            lambda folder: synthesise(self.config, rtl, self.pdk, folder))
        if result.request.equivalence:
            result.proofs = self._stage("equivalence", prove, [*self._netlist(result), *map(file_digest, rtl.sources),
                self.result.tools["yosys"]],
                lambda folder: prove(rtl, result.synthesis.netlist, self.pdk, folder, self.progress))

    def _layout(self, result: FlowResult) -> None:
        """Lay out in a folder that is not the stage's own: there the flow scripts go on where they were interrupted."""
        synthesis = result.synthesis
        variables = result.request.variables
        docker    = result.request.docker
        missing   = missing_tool(docker)
        tools     = {} if missing else layout_tools(docker)
        scripts   = "" if missing or docker else scripts_digest(self.pdk.name)
        key       = digest("".join(map(str, [*self._netlist(result), self.config.period_ns, tools, scripts,
            *identity(variables)])))
        inputs    = prepare(self.config, result.rtl, synthesis.netlist, synthesis.area_logic_um2, self.pdk,
            build_root()/"asic"/"layout"/key[:20], variables)
        inputs    = dataclasses.replace(inputs, docker=docker)
        if missing:
            result.missing["layout"] = missing
            result.layout_command    = inputs.command
            return
        result.tools |= tools
        def work(folder: Path) -> Layout:
            if docker:
                self.progress(f"layout: {inputs.command}")
            return run_layout(inputs, lambda text, done, total: self.progress(f"{text} ({done + 1}/{total})"))
        depends = [key, *map(file_digest, sorted(SCRIPTS.glob("*.tcl")))]
        layout  = self._stage("layout", run_layout, depends, work)
        if not all(path.is_file() for path in layout.files):
            # Its folder, which is not the stage's, has been cleared.
            (result.done["layout"].folder/DONE).unlink()
            layout = self._stage("layout", run_layout, depends, work)
        result.layout = layout
        if result.request.drc and layout.gds is not None:
            result.rules = self._rules(layout.gds, result.rtl.top)
        if layout.netlist is not None and layout.spef is not None:
            # What was told of the netlist, of the layout's.
            result.routed = FlowResult(result.request, result.rtl, dataclasses.replace(synthesis,
                netlist=layout.netlist, excerpt=None, loads={}), spef=layout.spef, done=result.done)
            self.run(("sta", "gatesim", "power"), result.routed, "layout")

    def _rules(self, gds: Path, top: str) -> RuleCheck:
        klayout, deck = rule_tools(self.pdk.name)
        self.result.tools |= rule_versions(klayout)
        return self._stage("drc", check_rules, [file_digest(gds), rule_versions(klayout), file_digest(deck)],
            lambda folder: check_rules(gds, top, klayout, deck, folder, self.progress))

    # The netlist, and the layout's ------------------------------------------------------------------

    def _sta(self, result: FlowResult) -> None:
        for corner in self.corners:
            result.timings[corner] = self._stage(f"{_label(result)}sta-{corner}", time, [*self._netlist(result),
                corner, self.config.period_ns, self.result.tools["opensta"]],
                lambda folder, corner=corner: time(self.config, result.synthesis, self.pdk, folder, corner,
                    spef=result.spef))

    def _gatesim(self, result: FlowResult) -> None:
        inputs = result.request.inputs
        if self.config.design == "soc":
            # What its firmware does with a clock depends on it.
            config = dataclasses.replace(self.config, corner="typ")
            result.gatesim = self._stage(f"{_label(result)}gatesim", simulate_chip, [*self._netlist(result),
                config.sizes.to_dict(), config.frequency_mhz, dataclasses.asdict(config.chip), inputs.identity,
                folder_digest(firmware.FOLDER), self.result.tools["verilator"], self.result.tools[COMPILER]],
                lambda folder: simulate_chip(config, result.synthesis.netlist, self.pdk, inputs, folder,
                    progress=self.progress))
            return
        # What cells do is the same in all corners and at all clocks.
        config = dataclasses.replace(self.config, corner="typ", frequency_mhz=100.0)
        result.gatesim = self._stage(f"{_label(result)}gatesim", simulate, [*self._netlist(result),
            config.sizes.to_dict(), config.product_shift, inputs.identity if inputs else "",
            self.result.tools["verilator"]],
            # The activity is in a file of the stage's folder: a large one, which power alone asks for.
            lambda folder: dataclasses.replace(simulate(config, result.synthesis.netlist, self.pdk,
                inputs.network if inputs else None, inputs.samples if inputs else (), folder), activity=None))

    def _power(self, result: FlowResult) -> None:
        simulated = result.done[f"{_label(result)}gatesim"]
        for corner in self.corners:
            result.powers[corner] = self._stage(f"{_label(result)}power-{corner}", estimate,
                [*self._netlist(result), simulated.key, corner, self.config.period_ns],
                lambda folder, corner=corner: estimate(self.config, result.synthesis.netlist, corner,
                    Activity.load(simulated.folder/ACTIVITY), self.pdk, spef=result.spef))
        if isinstance(result.gatesim, ChipRun):
            names = [name for name, clocks in result.gatesim.phases.items() if clocks]
            result.phases = self._stage(f"{_label(result)}power-phases", estimate_each,
                [*self._netlist(result), simulated.key, self.config.corner, self.config.period_ns],
                lambda folder: estimate_each(self.config, result.synthesis.netlist, self.config.corner,
                    {name: Activity.load(simulated.folder/activity_file(name)) for name in names}, self.pdk,
                    spef=result.spef))

    @staticmethod
    def _netlist(result: FlowResult) -> list[object]:
        """What identifies the netlist in the keys of the stages that work on it."""
        wires = [] if result.spef is None else [file_digest(result.spef)]
        return [result.rtl.top, result.rtl.clock, file_digest(result.synthesis.netlist), *wires]


def _label(result: FlowResult) -> str:
    """How the names of a netlist's stages begin: the layout's is told from the one before it."""
    return "" if result.spef is None else "routed-"
