# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Modules of a design's Verilog; and the core in modules, with macros for its memories, against the golden model."""

import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from litex.gen import LiteXModule
from litex.gen.fhdl.verilog import convert
from migen import ClockDomain, If, Signal

from accel.config import SPACE_APICAL, SPACE_PARAMETERS, SPACE_SOMA, QCLIFConfig
from accel.errors import QCLIFError
from accel.image import memory_writes
from host.data import synthetic
from host.events.encoder import Encoder, poisson_context
from host.events.formats import read_files
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel
from host.network.random_network import random_network
from targets.asic.design import DESIGNS, AsicConfig
from targets.asic.platform.macros import Macro
from targets.asic.rtl.flops import clock_gate_model
from targets.asic.rtl.generate import generate
from targets.asic.rtl.hierarchy import Gated, split
from targets.netlist.comparison import BuiltCore
from targets.netlist.gates import build_design
from targets.netlist.steps import Steps, run_steps
from targets.sim.core import HARNESS
from tests.helpers.memory_checks import FLIPFLOP_UM2, GATE, blackbox_verilog
from tests.helpers.needs import needs_iverilog, needs_verilator, needs_yosys
from tests.helpers.strategies import random_network as uniform_network

# Sizes of macros that flow-scripts have.
SIZES  = ((32, 32), (64, 32), (64, 64), (256, 16), (256, 32), (256, 48), (512, 64), (1024, 32), (2048, 39))
MACROS = SimpleNamespace(clock_gate=GATE, flipflop_um2=FLIPFLOP_UM2,
    macros={f"fakeram45_{depth}x{width}": Macro(f"fakeram45_{depth}x{width}", depth, width, 500 + 0.5*depth*width,
        1000.0, 1.0, Path("x.lib"), Path("x.lef")) for depth, width in SIZES})


# Conflicts of a macro's one port stop the simulation.
CHECKED = ["-DQCLIF_CHECK"]

# Hierarchy ----------------------------------------------------------------------------------------

class Counter(LiteXModule):
    def __init__(self):
        self.enable = Signal()
        self.start  = Signal(4, reset=3) # Nobody drives it.
        self.value  = Signal(4)
        self.odd    = Signal()

        # # #

        self.comb += self.odd.eq(self.value[0])
        self.sync += If(self.enable, self.value.eq(self.value + self.start))


class Pair(LiteXModule):
    def __init__(self):
        self.enable = Signal()
        self.total  = Signal(5)
        self.first  = Counter()
        self.second = Counter()

        # # #

        self.comb += [
            self.first.enable.eq(self.enable),
            self.second.enable.eq(self.first.odd),
            self.total.eq(self.first.value + self.second.value),
        ]


class Top(LiteXModule):
    def __init__(self):
        self.cd_sys = ClockDomain("sys")
        self.go     = Signal()
        self.result = Signal(6)
        self.pair   = Pair()

        # # #

        self.comb += [
            self.pair.enable.eq(self.go),
            self.result.eq(self.pair.total + self.pair.second.odd), # A port of the inner module, through both.
        ]


PARTS = {"pair": "the_pair", "pair.second": "the_second"}


def split_top(parts=PARTS, top=None):
    top = top or Top()
    for name in ("go", "result"):
        getattr(top, name).name_override = name
    return split(top, "top", {top.go, top.result}, parts)


def ports(text):
    return set(re.findall(r"^ +(?:input|output) +(?:wire|reg) .*?(\w+),?$", text, re.MULTILINE))


def test_modules_and_ports():
    texts = split_top()
    assert list(texts) == ["top", "the_pair", "the_second"]
    assert ports(texts["top"]) == {"go", "result", "sys_clk", "sys_rst"}
    assert ports(texts["the_pair"]) == {"enable", "total", "odd", "sys_clk", "sys_rst"}
    assert ports(texts["the_second"]) == {"enable", "value", "odd", "sys_clk", "sys_rst"}
    assert texts == split_top()


def test_one_module_holds_all_where_none_is_taken_out():
    assert list(split_top({})) == ["top"]


@needs_yosys
def test_modules_do_what_the_flat_design_does(tmp_path):
    """A formal proof over 12 clocks, from reset on; the flat one is LiteX's own."""
    top   = Top()
    texts = {"split": "".join(split_top().values()),
        "flat": str(convert(top, ios={top.go, top.result, top.cd_sys.clk, top.cd_sys.rst}, name="top"))}
    commands = []
    for name, text in texts.items():
        (tmp_path/f"{name}.v").write_text(text)
        commands += [f"read_verilog {tmp_path}/{name}.v", "hierarchy -check -top top", "proc", "flatten", "opt",
            f"rename top {name}", f"design -stash {name}"]
    commands += ["design -copy-from flat flat", "design -copy-from split split",
        "miter -equiv -flatten flat split miter",
        "sat -verify -seq 12 -set-at 1 in_sys_rst 1 -prove-skip 1 -prove trigger 0 miter"]
    done = subprocess.run(["yosys", "-q", "-p", "; ".join(commands)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


class Holder(LiteXModule):
    def __init__(self):
        self.enable = Signal()
        self.data   = Signal(8)
        self.value  = Signal(8, reset_less=True)

        # # #

        self.sync += If(self.enable, self.value.eq(self.data))


class Held(LiteXModule):
    def __init__(self):
        self.cd_sys = ClockDomain("sys")
        self.go     = Signal()
        self.result = Signal(8)
        self.holder = Holder()
        count       = Signal(8)

        # # #

        self.sync += count.eq(count + 1)
        self.comb += [
            self.holder.enable.eq(self.go | (count == 0)),
            self.holder.data.eq(count),
            self.result.eq(self.holder.value),
        ]


@needs_iverilog
def test_a_gate_before_a_clock_changes_nothing(tmp_path):
    """Random inputs, with a register that is clocked where it changes, and without."""
    shown = []
    for gated in (False, True):
        top   = Held()
        texts = split_top({"holder": Gated("held", GATE, top.holder.enable) if gated else "held"}, top)
        assert ports(texts["held"]) - {"enable"} == {"data", "value", "sys_clk", "sys_rst"}
        assert ("enable" not in ports(texts["held"])) == gated
        (tmp_path/"all.v").write_text("\n".join([*texts.values(), clock_gate_model(GATE), """
            module bench;
                reg clk = 0, rst = 1, go = 0;
                wire [7:0] result;
                integer n;
                top top (.sys_clk(clk), .sys_rst(rst), .go(go), .result(result));
                initial for (n = 0; n < 400; n = n + 1) begin
                    #5 clk = 1;
                    #1 rst = n < 2;
                    go = $random;
                    #4 clk = 0;
                    #1 if (n > 4) $display("%b", result);
                end
            endmodule"""]))
        for command in (["iverilog", "-g2005", "-o", "sim", "-s", "bench", "all.v"], ["vvp", "-n", "sim"]):
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        shown.append(done.stdout.splitlines())
    assert shown[0] == shown[1] and len(set(shown[0])) > 100


def test_two_drivers_are_refused():
    top = Top()
    top.comb += top.pair.second.odd.eq(1)
    with pytest.raises(ValueError, match=r"^the_pair: odd is driven inside and outside: it cannot be a port$"):
        split_top(top=top)

# Core ---------------------------------------------------------------------------------------------

def built(sizes, folder, harness=HARNESS, sram="fakeram45", frugal=True):
    """Core with macros, as a program."""
    rtl = generate(AsicConfig("core", sizes, sram=sram, frugal=frugal), MACROS, folder)
    return build_design(harness, rtl.top, (*rtl.sources, *rtl.models), CHECKED)


def agree(core, network, samples, **options):
    for steps, golden in zip(samples, GoldenModel(network).run(samples, states=True), strict=True):
        run = core.run(network, steps, states=True, **options)
        assert run.spikes == golden.spikes
        assert np.array_equal(run.v_a, golden.v_a) and np.array_equal(run.v_s, golden.v_s)
        run = core.run(network, steps, **options)
        assert run.spikes == golden.spikes and run.counters["overflows"] == 0


@pytest.mark.parametrize("sizes, sram", [
    (QCLIFConfig(), "fakeram45"),
    (QCLIFConfig(neurons=37, lanes=7, weight_bits=5, state_bits=16, current_bits=20), "fakeram45"),
], ids=["default", "odd"])
@needs_verilator
def test_core_equals_golden_model(sizes, sram, tmp_path):
    samples = [Encoder().encode(each.events, poisson_context(200, n, contexts=10))
        for n, each in enumerate(synthetic.recordings(2))]
    network = random_network(sizes, Encoder(), samples)
    agree(BuiltCore(sizes, built(sizes, tmp_path, sram=sram)), network, samples)


@pytest.mark.parametrize("sizes, sram, frugal", [
    (QCLIFConfig(neurons=9, inputs=30, contexts=3, lanes=4, weight_bits=3, state_bits=4, current_bits=5), "fakeram45",
        True),
    (QCLIFConfig(neurons=9, inputs=30, contexts=3, lanes=4), "flops", False),
    (QCLIFConfig(neurons=1, inputs=8, contexts=0, lanes=1), "fakeram45", True),
    (QCLIFConfig(neurons=75, inputs=30, contexts=3, lanes=2, state_bits=16), "fakeram45", True),
], ids=["macros", "flops", "single", "pairs"])
@needs_verilator
def test_extreme_networks(sizes, sram, frugal, tmp_path):
    """All sources at once, steps without any, and a receiver that makes the core wait: the macros' one port does."""
    rng  = np.random.default_rng(1)
    core = BuiltCore(sizes, built(sizes, tmp_path, sram=sram, frugal=frugal))
    for seed in range(6):
        network = uniform_network(sizes, seed, ("uniform", "extreme", "excited")[seed % 3], product_shift=2*seed)
        steps   = SpikeTrain.from_dense(rng.integers(0, 3, (60, sizes.sources))*rng.integers(0, 2, (60, 1))
            * (rng.random((60, sizes.sources)) < rng.choice([0.03, 1], (60, 1))))
        for gap in (0, 1, 5, 40):
            agree(core, network, [steps], source_gap=gap)


@needs_verilator
def test_lists_are_given_back_in_time(tmp_path):
    """Steps of a few events and hardly any spikes: the next step is written while the walker's last row waits."""
    sizes   = QCLIFConfig(neurons=12, inputs=30, contexts=0, lanes=4)
    rng     = np.random.default_rng(4)
    core    = BuiltCore(sizes, built(sizes, tmp_path))
    steps   = SpikeTrain.from_lists([rng.choice(30, count, replace=False) for count in np.repeat(np.arange(1, 9), 100)])
    encoder = Encoder(sensor_size=(30, 1), grid=(30, 1), polarities=1)
    network = random_network(sizes, encoder, [steps], rate=0.02)
    for gap in (0, 1, 2, 7):
        agree(core, network, [steps], source_gap=gap)


@needs_verilator
def test_real_gestures(qclif_data, tmp_path):
    """The first half of one, in steps of 1 ms."""
    sizes   = QCLIFConfig()
    encoder = Encoder(bin_us=1000, count_threshold=1)
    paths   = sorted((qclif_data/"dvs128_gesture").glob("*.npz"))[:1]
    samples = [encoder.encode(each.events).slice(0, 700) for each in read_files(paths)]
    agree(BuiltCore(sizes, built(sizes, tmp_path)), random_network(sizes, encoder, samples), samples)


@needs_verilator
def test_memories_read_back(tmp_path):
    """Through the port of software, every word that a network has, in another order than it was written in."""
    sizes   = QCLIFConfig(neurons=37, inputs=100, contexts=5, lanes=7, weight_bits=5)
    program = built(sizes, tmp_path, Steps((), ("sys_rst", "memory_write", "memory_read", "memory_space",
        "memory_address", "memory_data_w"), ("memory_data_r",)))
    network = uniform_network(sizes, 5)
    writes  = np.array([(0, 1, 0, *write) for write in memory_writes(network, sizes)])
    assert set(writes[:, 3]) == {SPACE_SOMA, SPACE_APICAL, SPACE_PARAMETERS}
    rng     = np.random.default_rng(2)
    writes  = rng.permutation(writes)
    reads   = rng.permutation(writes)
    # A reset first; a read is no write, and its data are of no interest.
    steps   = np.concatenate([[[1, 0, 0, 0, 0, 0]], writes, [0, 0, 1, 0, 0, 0] + reads*[0, 0, 0, 1, 1, 1]])
    assert np.array_equal(run_steps(program, (), steps)[-len(reads):, 0], reads[:, 5])


def test_what_a_core_is_made_of(tmp_path):
    rtl = generate(AsicConfig("core"), MACROS, tmp_path)
    assert rtl.top == "qclif_core" and rtl.sources[0].name == "qclif_core.v"
    assert {path.stem for path in rtl.sources} == set(rtl.modules)
    used = "".join(path.read_text() for path in rtl.sources)
    for name, count in rtl.macros.items():
        assert len(re.findall(rf"^ +{name} macro_", used, re.MULTILINE)) == count
    assert {path.stem for path in rtl.models} == {*rtl.macros, GATE.name}
    again = generate(AsicConfig("core"), MACROS, tmp_path/"again")
    assert [path.read_text() for path in again.sources] == [path.read_text() for path in rtl.sources]


@pytest.mark.parametrize("design", DESIGNS)
@needs_yosys
def test_yosys_takes_the_verilog(design, tmp_path):
    config = AsicConfig(design, QCLIFConfig(neurons=4, inputs=16, contexts=2, lanes=2, frame_bytes=128, uart_fifo=512))
    rtl    = generate(config, MACROS, tmp_path)
    boxes  = tmp_path/"boxes.v"
    boxes.write_text("".join(blackbox_verilog(MACROS.macros[name]) for name in rtl.macros)
        + "(* blackbox *) module CLKGATE_X1 (input CK, input E, output GCK); endmodule\n"
        + "(* blackbox *) module DLH_X1 (input D, input G, output Q); endmodule\n")
    files  = " ".join(map(str, (*rtl.sources, boxes)))
    done   = subprocess.run(["yosys", "-q", "-p",
        f"read_verilog {files}; hierarchy -check -top {rtl.top}; proc; check -assert qclif_*"], capture_output=True,
        text=True)
    assert done.returncode == 0 and not done.stderr.strip(), done.stdout + done.stderr


def test_errors(tmp_path):
    with pytest.raises(QCLIFError, match=r"^memory qclif_weights_soma has \d+ bits, flip-flops hold at most"):
        generate(AsicConfig("core", sram="flops"), MACROS, tmp_path)
    (tmp_path/"file").touch()
    with pytest.raises(QCLIFError, match=r"^cannot write to .*file: .*; choose another --output-dir$"):
        generate(AsicConfig("neuron"), MACROS, tmp_path/"file")
