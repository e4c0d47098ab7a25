#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The flow: Verilog, gates, timing, simulation of the gates, power, layout; each stage from the results before it."""

import dataclasses
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from accel.errors import QCLIFError
from host.common.folders import build_root
from targets.asic.design import AsicConfig, Rtl, Synthesis
from targets.asic.gatesim.inputs import Inputs
from targets.asic.gatesim.simulate import GateSim, simulate
from targets.asic.layout.layout import layout_tools, missing_tool, prepare
from targets.asic.layout.layout import run as run_layout
from targets.asic.layout.metrics import Layout
from targets.asic.platform.macros import Macro
from targets.asic.platform.openram import openram_pdk
from targets.asic.platform.pdk import CORNERS, Pdk
from targets.asic.power.power import Power, estimate
from targets.asic.rtl.generate import generate
from targets.asic.sta.timing import Timing, time
from targets.asic.stages import DONE, STAGES, Done, stage
from targets.asic.synth.synthesis import synthesise
from targets.sim.build import PACKAGES
from targets.tools.builds import file_digest
from targets.tools.eda import Tool, find_sta, find_yosys, has_sta
from targets.tools.programs import tool_version

# What a stage works on, as an Outcome names it.
NEEDS = {"sta": ("synthesis",), "gatesim": ("synthesis",), "power": ("synthesis", "gatesim"), "layout": ("synthesis",)}

# Stages that need inputs to run on, and designs that cannot be run, with the reason.
SIMULATED   = ("gatesim", "power")
UNSIMULATED = {"soc": "the gates of the soc are not simulated, those of its accelerator are"}


def _verilator() -> str:
    version = tool_version("verilator")
    if not version:
        raise QCLIFError("verilator is missing: sudo apt-get install verilator")
    return version


# Tools of the stages by name, with their versions; raises a QCLIFError where there is none.
TOOLS: Mapping[str, Callable[[], dict[str, str]]] = {
    "synth":   lambda: {"yosys": _version(find_yosys())} | (
        # Without it, synthesis takes the recipe of the least area.
        {"opensta": _version(find_sta())} if has_sta() else {}),
    "sta":     lambda: {"opensta": _version(find_sta())},
    "gatesim": lambda: {"verilator": _verilator()},
}


def _version(tool: Tool) -> str:
    return f"{tool.version} ({tool.kind})"


@dataclass(frozen=True, eq=False)
class Request:
    """What a run is to do.

    Attributes
    ----------
    until : last stage, of STAGES.
    inputs : of the simulation; None for the neuron, which gets random cases, and where no simulation is asked for.
    strict_tools : a missing tool is an error; else the flow does what it can without.
    """
    config:       AsicConfig
    pdk:          Pdk
    until:        str
    inputs:       Inputs | None = None
    strict_tools: bool = True


@dataclass
class Outcome:
    """What the stages of a run gave; None where one did not run.

    Attributes
    ----------
    synthesis : the netlist, and what it is made of.
    spef : wires of this netlist, where it comes from a layout.
    timings, powers : by corner.
    missing : for each stage that did not run for want of a tool: which tool, and how to get it.
    tools : versions of those that were used, by name.
    macros : what memories can be made of, by name.
    done : the stages that ran, by name.
    layout_command : what runs the layout, where it was only prepared.
    routed : what timing, simulation and power of the layout's netlist gave.
    """
    request:        Request
    rtl:            Rtl | None = None
    synthesis:      Synthesis | None = None
    spef:           Path | None = None
    timings:        dict[str, Timing] = dataclasses.field(default_factory=dict)
    gatesim:        GateSim | None = None
    powers:         dict[str, Power] = dataclasses.field(default_factory=dict)
    layout:         Layout | None = None
    layout_command: str | None = None
    macros:         dict[str, Macro] = dataclasses.field(default_factory=dict)
    routed:         "Outcome | None" = None
    missing:        dict[str, str] = dataclasses.field(default_factory=dict)
    tools:          dict[str, str] = dataclasses.field(default_factory=dict)
    done:           dict[str, Done] = dataclasses.field(default_factory=dict)


def run_flow(request: Request, progress: Callable[[str], None] = lambda text: None) -> Outcome:
    """Run the stages up to the last one that is asked for.

    Parameters
    ----------
    progress : called with the name of each stage as it begins.

    Raises
    ------
    QCLIFError : a stage failed.
    """
    return _Flow(request, progress).run()


class _Flow:
    """One run of the flow."""
    def __init__(self, request: Request, progress: Callable[[str], None]) -> None:
        self.config   = request.config
        self.pdk      = openram_pdk(request.pdk) if request.config.sram == "openram" else request.pdk
        self.corners  = [name for name in CORNERS if name in self.pdk.corners]
        self.outcome  = Outcome(request, macros=dict(self.pdk.macros))
        self.progress = progress

    def run(self) -> Outcome:
        names = list(STAGES)
        names = names[:names.index(self.outcome.request.until) + 1]
        self._find_tools(names)
        for name in names:
            ready = all(getattr(self.outcome, before) is not None for before in NEEDS.get(name, ()))
            if ready and name not in self.outcome.missing:
                self.progress(f"{name}: {STAGES[name][0]}")
                getattr(self, f"_{name}")()
        return self.outcome

    def _find_tools(self, names: Sequence[str]) -> None:
        """Find the tools of all stages, before any of them runs."""
        for name in names:
            try:
                if name in SIMULATED and self.config.design in UNSIMULATED:
                    raise QCLIFError(f"{UNSIMULATED[self.config.design]}: --until sta, or --design core")
                self.outcome.tools |= TOOLS[name]() if name in TOOLS else {}
            except QCLIFError as error:
                if self.outcome.request.strict_tools:
                    raise
                self.outcome.missing[name] = str(error)

    def _stage(self, name: str, module: str, inputs: list[object], work: Callable[[Path], object]) -> object:
        inputs = [str(build_root()), self.pdk.identity, *inputs]
        done   = stage(name, f"targets.asic.{module}", inputs, work, self.progress)
        self.outcome.done[name] = done
        return done.result

    # Stages ---------------------------------------------------------------------------------------

    def _rtl(self) -> None:
        config = self.config
        inputs = [config.design, config.sram, config.sram_objective, config.apical_shift, config.product_shift,
            config.sizes.to_dict(), *(f"{name} {metadata.version(name)}" for name in PACKAGES)]
        self.outcome.rtl = self._stage("rtl", "rtl", inputs, lambda folder: generate(config, self.pdk, folder))

    def _synth(self) -> None:
        rtl = self.outcome.rtl
        self.outcome.synthesis = self._stage("synth", "synth", [rtl.top, rtl.clock, self.config.period_ns,
            self.config.corner, *map(file_digest, rtl.sources), self.outcome.tools["yosys"],
            self.outcome.tools.get("opensta", "")],
            lambda folder: synthesise(self.config, rtl, self.pdk, folder))

    def _sta(self) -> None:
        self._time(self.outcome)

    def _gatesim(self) -> None:
        self._simulate(self.outcome)

    def _power(self) -> None:
        self._estimate(self.outcome)

    def _layout(self) -> None:
        """Not in the stage's own folder: the flow scripts go on where they were interrupted."""
        synthesis = self.outcome.synthesis
        missing   = missing_tool()
        tools     = {} if missing else layout_tools()
        digest    = hashlib.sha256("".join(map(str, [*self._netlist(self.outcome), self.config.period_ns, tools,
            os.environ.get("FLOW_HOME")])).encode()).hexdigest()
        inputs    = prepare(self.config, self.outcome.rtl, synthesis.netlist, synthesis.area_logic_um2, self.pdk,
            build_root()/"asic"/"layout"/digest[:20])
        if missing:
            self.outcome.missing["layout"] = missing
            self.outcome.layout_command    = inputs.command
            return
        self.outcome.tools |= tools
        def work(folder: Path) -> Layout:
            return run_layout(inputs, lambda text, done, total: self.progress(f"{text} ({done + 1}/{total})"))
        layout = self._stage("layout", "layout", [digest], work)
        if not all(path.is_file() for path in layout.files):
            # Its folder, which is not the stage's, has been cleared.
            (self.outcome.done["layout"].folder/DONE).unlink()
            layout = self._stage("layout", "layout", [digest], work)
        self.outcome.layout = layout
        if layout.netlist is not None and layout.spef is not None:
            self._check_routed(layout)

    def _check_routed(self, layout: Layout) -> None:
        """What was told of the netlist, of the layout's."""
        routed = Outcome(self.outcome.request, self.outcome.rtl, dataclasses.replace(self.outcome.synthesis,
            netlist=layout.netlist, excerpt=None, loads={}), layout.spef, done=self.outcome.done)
        self.outcome.routed = routed
        for name, work in (("sta", self._time), ("gatesim", self._simulate), ("power", self._estimate)):
            if name not in self.outcome.missing and (name != "power" or routed.gatesim is not None):
                self.progress(f"layout: {STAGES[name][0]}")
                work(routed)

    # The netlist, and the layout's ------------------------------------------------------------------

    def _time(self, outcome: Outcome) -> None:
        for corner in self.corners:
            outcome.timings[corner] = self._stage(f"{_label(outcome)}sta-{corner}", "sta", [*self._netlist(outcome),
                corner, self.config.period_ns, self.outcome.tools["opensta"]],
                lambda folder, corner=corner: time(self.config, outcome.synthesis, self.pdk, folder, corner,
                    spef=outcome.spef))

    def _simulate(self, outcome: Outcome) -> None:
        inputs = outcome.request.inputs
        # What cells do is the same in all corners and at all clocks.
        config = dataclasses.replace(self.config, corner="typ", frequency_mhz=100.0)
        outcome.gatesim = self._stage(f"{_label(outcome)}gatesim", "gatesim", [*self._netlist(outcome),
            config.sizes.to_dict(), config.product_shift, inputs.identity if inputs else "",
            self.outcome.tools["verilator"]],
            lambda folder: simulate(config, outcome.synthesis.netlist, self.pdk,
                inputs.network if inputs else None, inputs.samples if inputs else (), folder))

    def _estimate(self, outcome: Outcome) -> None:
        simulated = outcome.done[f"{_label(outcome)}gatesim"].key
        for corner in self.corners:
            outcome.powers[corner] = self._stage(f"{_label(outcome)}power-{corner}", "power",
                [*self._netlist(outcome), simulated, corner, self.config.period_ns],
                lambda folder, corner=corner: estimate(self.config, outcome.synthesis.netlist, corner,
                    outcome.gatesim.activity, self.pdk, spef=outcome.spef))

    @staticmethod
    def _netlist(outcome: Outcome) -> list[object]:
        """What the netlist is, for the keys of what is made from it."""
        wires = [] if outcome.spef is None else [file_digest(outcome.spef)]
        return [outcome.rtl.top, outcome.rtl.clock, file_digest(outcome.synthesis.netlist), *wires]


def _label(outcome: Outcome) -> str:
    """How names of stages begin."""
    return "" if outcome.spef is None else "routed-"
