# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The core and the neuron as models to prove: their Verilog with the properties of core.sv and neuron.sv."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from litex.gen.fhdl.verilog import convert
from migen import ClockDomain

import accel.core
import accel.population
import accel.verilog
from accel.config import SHIFT_BITS, QCLIFConfig
from accel.neuron import NeuronPipeline
from host.common.folders import ROOT
from tests.formal.prover import Model, assertions_model, run_yosys

HERE = Path(__file__).parent

# For Yosys: the neuron as gates and flip-flops, and nothing else.
SYNTHESIS = """
synth -flatten -top neuron
select -assert-none t:$* t:$_* %d t:$scopeinfo %d
"""

# For Yosys: what may keep a state, and flip-flops that keep it while `ce` is low.
STATEFUL = "t:$*ff t:$*ffe t:$*ffce t:$*ffsr* t:$*latch* t:$sr t:$_*FF*_ t:$_*LATCH* t:$mem*"
HELD     = ("t:$dffe t:$sdffce %u r:EN_POLARITY=1 %i t:$_DFFE_?P_ %u t:$_SDFFCE_???P_ %u "
    "w:ce %co1:+[EN,E] %i")

# Mutations ----------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Mutation:
    """One text of a module of accel/ in the place of another one, which is there once."""
    module: str
    old:    str
    new:    str

    def load(self) -> types.ModuleType:
        """The module as it is then."""
        path, text = ROOT/"accel"/f"{self.module}.py", (ROOT/"accel"/f"{self.module}.py").read_text()
        assert text.count(self.old) == 1, f"accel/{self.module}.py has not once: {self.old}"
        module = types.ModuleType(f"accel.{self.module}")
        exec(compile(text.replace(self.old, self.new), str(path), "exec"), module.__dict__)
        return module


def core_verilog(config: QCLIFConfig, registered: bool, mutation: Mutation | None) -> str:
    """The core's Verilog, from sources with a mutation."""
    if mutation is None:
        return accel.verilog.core_verilog(config, registered=registered)
    module = mutation.load()
    if mutation.module == "core":
        with mock.patch.object(accel.verilog, "QCLIFCore", module.QCLIFCore):
            return accel.verilog.core_verilog(config, registered=registered)
    # The module that makes them of its class.
    user    = accel.population if mutation.module == "spikes" else accel.core
    classes = {name: each for name, each in vars(module).items() if name in vars(user)
        and getattr(each, "__module__", None) == module.__name__}
    with mock.patch.multiple(user, **classes):
        return accel.verilog.core_verilog(config, registered=registered)

# Core ---------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Core:
    """A build of the core that a proof is made for; of its sizes, those are small that states are counted by.

    Attributes
    ----------
    name : of files.
    from_power_up : its first state is that of power-up; else it may be any, and all is told from the first soft reset
        on.
    in_order : with the property that neurons are updated in order; of many groups its proof takes too long.
    """
    name:          str
    config:        QCLIFConfig
    registered:    bool = False
    from_power_up: bool = True
    in_order:      bool = True

    @property
    def clocks(self) -> int:
        """Clocks of a step whose lists are full, behind the one before, while the spikes are taken."""
        rows = self.config.step_events + self.config.neurons
        return self.config.groups*max(rows, self.config.update_clocks) + 14 + 2*self.registered

    def model(self, folder: Path, mutation: Mutation | None = None, clocks: int | None = None) -> Model:
        """Model with the properties of core.sv, where all neurons spike when they like.

        Parameters
        ----------
        clocks : bound of a step in the property about it, which is left out without one.
        """
        config = self.config
        text   = core_verilog(config, self.registered, mutation)
        end    = text.rindex("endmodule")
        checks = (HERE/"core.sv").read_text()
        values = parameters({
            "NEURONS":       config.neurons,
            "STEP_EVENTS":   config.step_events,
            "SOMA_WORDS":    config.soma_words,
            "APICAL_WORDS":  config.apical_words,
            "CLOCKS":        clocks or 0,
            "FROM_POWER_UP": int(self.from_power_up),
            "IN_ORDER":      int(self.in_order),
        })
        # The stages of the neurons, the last one lowest: their number is the pipeline's.
        stages = range(1 + NeuronPipeline.latency)
        values += f"localparam STAGES = {len(stages)};\n"
        for name, width in (("valid", "1"), ("last", "1"), ("neuron", "$bits(population_word)")):
            tokens  = ", ".join(f"population_token{n}_{'word' if name == 'neuron' else name}" for n in stages)
            values += f"wire [STAGES*{width}-1:0] proof_stage_{name} = {{{tokens}}};\n"
        if self.registered:
            values += "`define REGISTERED\n"
        source = folder/f"{self.name}.sv"
        # A name that is gone from the gateware is an error, not a signal without a driver.
        source.write_text(f"`default_nettype none\n{text[:end]}{values}\n{checks}\n{text[end:]}")
        # The neurons' decision is free, and with it all that leads to it is gone.
        return assertions_model(source, "qclif_core", "cutpoint w:population_fires" +
            ("" if self.from_power_up else "\nsetattr -unset init w:* w:proof_* %d"))


def parameters(values: Mapping[str, int]) -> str:
    """Verilog of constants."""
    return "".join(f"localparam {name} = {value};\n" for name, value in values.items())

# Neuron -------------------------------------------------------------------------------------------

def neuron_verilog(config: QCLIFConfig, mutation: Mutation | None = None) -> str:
    """The neuron pipeline as a module `neuron`, whose ports are its attributes."""
    pipeline = (mutation.load().NeuronPipeline if mutation else NeuronPipeline)(config)
    pipeline.cd_sys = ClockDomain("sys")
    ios = {name: getattr(pipeline, name) for name in ("ce", "apical_shift", "product_shift", "v_soma", "v_apical",
        "spike")}
    ios |= {f"inputs_{name}": getattr(pipeline.inputs, name) for name, *_ in pipeline.inputs.layout}
    for name, signal in ios.items():
        signal.name_override = name
    return str(convert(pipeline, ios={*ios.values(), pipeline.cd_sys.clk, pipeline.cd_sys.rst}, name="neuron",
        regular_comb=False))


@dataclass(frozen=True)
class Neuron:
    """A neuron pipeline that a proof is made for.

    Attributes
    ----------
    name : of files.
    gates : as a netlist, which Yosys and ABC have made of it; else as its source has it.
    """
    name:   str
    config: QCLIFConfig
    gates:  bool = False

    @property
    def clocks(self) -> int:
        """Clocks after which nothing of the first state is left."""
        return NeuronPipeline.latency + 1

    def model(self, folder: Path, mutation: Mutation | None = None) -> Model:
        """Model with one output: whether the pipeline differs from the contract for what went in `latency` clocks
        before."""
        config, source = self.config, folder/f"{self.name}.sv"
        self._write(folder, mutation)
        source.write_text(parameters({
            "ACCUMULATOR_BITS": config.accumulator_bits,
            "WEIGHT_BITS":      config.weight_bits,
            "STATE_BITS":       config.state_bits,
            "CURRENT_BITS":     config.current_bits,
            "SHIFT_BITS":       SHIFT_BITS,
            "LATENCY":          NeuronPipeline.latency,
            "SUM_MAX":          (config.step_events + config.neurons) << (config.weight_bits - 1),
        }) + (HERE/"neuron.sv").read_text())
        run_yosys(f"""
read_verilog {self.name}_pipeline.v
{SYNTHESIS if self.gates else ""}
read_verilog -formal -sv {source.name}
prep -flatten -top proof
wreduce
opt -full
setattr -unset init w:*
techmap
dffunmap
aigmap
opt_clean
write_aiger {self.name}.aig
""", folder, self.name)
        return Model(source.with_suffix(".aig"))

    def stands_still(self, folder: Path, mutation: Mutation | None = None) -> bool:
        """Whether no register can change while `ce` is low: all of them are flip-flops of which it is the enable."""
        self._write(folder, mutation)
        others = folder/f"{self.name}.others"
        run_yosys(f"""
read_verilog {self.name}_pipeline.v
{SYNTHESIS if self.gates else "prep -top neuron; opt_dff; opt_clean"}
select -set stateful {STATEFUL}
select -set held {HELD}
select -assert-min 1 @held
tee -o {others.name} select -list @stateful @held %d
""", folder, f"{self.name}_ce")
        return not others.read_text().strip()

    def _write(self, folder: Path, mutation: Mutation | None) -> None:
        (folder/f"{self.name}_pipeline.v").write_text(neuron_verilog(self.config, mutation))
