# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A run of the flow as data: what it is to do, and what its stages gave."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from targets.asic.design import AsicConfig, Rtl, Synthesis
from targets.asic.gatesim.chip_run import ChipRun
from targets.asic.gatesim.simulate import Inputs
from targets.asic.layout.drc import RuleCheck
from targets.asic.layout.results import Layout
from targets.asic.platform.macros import Macro
from targets.asic.platform.pdk import Pdk
from targets.asic.power.power import Power
from targets.asic.sta.timing import Timing
from targets.asic.stages import Done
from targets.asic.synth.equivalence import Proof
from targets.netlist.comparison import NetlistRun


@dataclass(frozen=True, eq=False)
class Request:
    """What a run is to do.

    Attributes
    ----------
    until : last stage, of STAGES.
    inputs : of the simulation; None for the neuron, which gets random cases, and where no simulation is asked for.
    strict_tools : a missing tool is an error; else the flow does what it can without.
    equivalence : the netlist is proven equal to its Verilog, too.
    variables : of the layout's flow scripts, besides those of the flow.
    docker : the layout is made in the flow scripts' container.
    drc : its GDS is checked by KLayout, too.
    """
    config:       AsicConfig
    pdk:          Pdk
    until:        str
    inputs:       Inputs | None = None
    strict_tools: bool = True
    equivalence:  bool = False
    variables:    Mapping[str, str | Path] = dataclasses.field(default_factory=dict)
    docker:       bool = False
    drc:          bool = False


@dataclass
class FlowResult:
    """What the stages of a run gave; None where one did not run.

    Attributes
    ----------
    synthesis : the netlist, and what it is made of.
    proofs : of its modules.
    spef : wires of this netlist, where it comes from a layout.
    timings, powers : by corner.
    phases : power of each phase of a chip, by its name, in the corner that is asked for.
    missing : for each stage that did not run for want of a tool: which tool, and how to get it.
    tools : versions of those that were used, by name.
    macros : what memories can be made of, by name.
    done : the stages that ran, by name.
    rules : what of the layout breaks KLayout's rules; None where it was not asked.
    layout_command : what runs the layout, where it was only prepared.
    routed : what timing, simulation and power of the layout's netlist gave.
    """
    request:        Request
    rtl:            Rtl | None = None
    synthesis:      Synthesis | None = None
    proofs:         tuple[Proof, ...] = ()
    spef:           Path | None = None
    timings:        dict[str, Timing] = dataclasses.field(default_factory=dict)
    gatesim:        NetlistRun | ChipRun | None = None
    powers:         dict[str, Power] = dataclasses.field(default_factory=dict)
    phases:         dict[str, Power] = dataclasses.field(default_factory=dict)
    layout:         Layout | None = None
    rules:          RuleCheck | None = None
    layout_command: str | None = None
    macros:         dict[str, Macro] = dataclasses.field(default_factory=dict)
    routed:         "FlowResult | None" = None
    missing:        dict[str, str] = dataclasses.field(default_factory=dict)
    tools:          dict[str, str] = dataclasses.field(default_factory=dict)
    done:           dict[str, Done] = dataclasses.field(default_factory=dict)
