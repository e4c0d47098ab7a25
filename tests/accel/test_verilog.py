# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The core as Verilog: linted, with values at power-up, and at real sizes under Verilator against the golden model."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from accel import verilog
from accel.config import PROTECTIONS, QCLIFConfig
from host.data import synthetic
from host.events.encoder import Encoder, poisson_context
from host.events.formats import read_files
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel
from host.network.random_network import random_network
from host.runs.synaptic_operations import bound_clocks, rows_per_step, step_bounds
from targets.sim.core import CoreSimulator
from tests.helpers.needs import needs_verilator
from tests.helpers.strategies import random_network as uniform_network

BUILDS = {
    "default": QCLIFConfig(),
    "single":  QCLIFConfig(neurons=1, inputs=8, contexts=0, lanes=1),
    "narrow":  QCLIFConfig(neurons=37, lanes=8, weight_bits=4, state_bits=12, contexts=0),
    "wide":    QCLIFConfig(lanes=32),
    "words":   QCLIFConfig(lanes=32, updates=4),
    "whole":   QCLIFConfig(neurons=60, inputs=128, lanes=64, updates=64, weight_bits=4),
    "odd":     QCLIFConfig(neurons=50, inputs=128, lanes=7, weight_bits=5, state_bits=16, current_bits=20),
}


# Clocks from the end of a step in to the end of its output beyond the bound, where the core was idle before: neurons of
# the last group, and the pipelines; of Q neurons a clock, the spikes as well, which leave behind them.
def latency_overhead(config, spikes):
    return config.update_clocks + 14 + (2 + np.diff(spikes.offsets) if config.updates > 1 else 0)


@pytest.mark.parametrize(("name", "registered"),
    [*((name, False) for name in BUILDS), ("default", True), ("odd", True), ("words", True)])
@needs_verilator
def test_verilated_core_equals_golden_model(name, registered):
    config = BUILDS[name]
    grid   = {512: (16, 16), 128: (8, 8), 8: (2, 2)}[config.inputs]
    encoder, steps = Encoder(grid=grid), []
    for sample in synthetic.recordings(3):
        context = poisson_context(200, 0, contexts=config.contexts) if config.contexts else None
        steps.append(encoder.encode(sample.events, context))
    network = random_network(config, encoder, steps)
    core    = CoreSimulator(config, registered)
    for each, golden in zip(steps, GoldenModel(network).run(steps, states=True), strict=True):
        run = core.run(network, each, states=True)
        assert run.spikes == golden.spikes
        assert np.array_equal(run.v_a, golden.v_a) and np.array_equal(run.v_s, golden.v_s)
        run   = core.run(network, each)
        bound = bound_clocks(each, golden.spikes, network.neurons, config)
        assert run.spikes == golden.spikes
        assert run.counters["busy"] <= 1.10*bound + 64*len(each)
        assert run.counters["overflows"] == 0


@pytest.mark.parametrize("style", ["uniform", "extreme", "excited"])
@needs_verilator
def test_extreme_networks(style):
    """Saturations, clamps and all sources at once, at widths where Verilog's rules for signs matter."""
    rng = np.random.default_rng(1)
    for config in (QCLIFConfig(neurons=9, inputs=30, contexts=3, lanes=4),
            QCLIFConfig(neurons=9, inputs=30, contexts=3, lanes=4, weight_bits=2, state_bits=4, current_bits=4),
            QCLIFConfig(neurons=9, inputs=30, contexts=3, lanes=4, weight_bits=8, state_bits=16, current_bits=20)):
        core = CoreSimulator(config)
        for seed in range(6):
            network = uniform_network(config, seed, style, apical_shift=seed % 3, product_shift=2*seed)
            steps   = SpikeTrain.from_dense(rng.integers(0, 3, (60, 33))*rng.integers(0, 2, (60, 1)))
            run     = core.run(network, steps, states=True)
            golden  = GoldenModel(network).run([steps], states=True)[0]
            assert run.spikes == golden.spikes
            assert np.array_equal(run.v_a, golden.v_a) and np.array_equal(run.v_s, golden.v_s)


@pytest.mark.parametrize(("lanes", "updates"), [(64, 1), (256, 8)])
@needs_verilator
def test_largest_build(lanes, updates):
    """1024 neurons, 4096 inputs and 64 contexts; all sources at once among the steps."""
    config  = QCLIFConfig(neurons=1024, inputs=4096, contexts=64, lanes=lanes, updates=updates)
    random  = np.random.default_rng(0).random((8, config.sources))
    steps   = SpikeTrain.from_dense(np.concatenate([random < 0.02, random < 2]))
    network = random_network(config, Encoder(grid=(64, 32)), [steps])
    run     = CoreSimulator(config).run(network, steps, states=True)
    golden  = GoldenModel(network).run([steps], states=True)[0]
    assert len(golden.spikes.sources) > 0 and run.spikes == golden.spikes
    assert np.array_equal(run.v_a, golden.v_a) and np.array_equal(run.v_s, golden.v_s)
    # Steps that are alone: the spikes are out as soon as can be.
    bound = step_bounds(rows_per_step(steps, golden.spikes), config.neurons, config)
    most  = bound + latency_overhead(config, golden.spikes)
    assert (run.latency[:, 1] >= bound).all() and (run.latency[:, 1] <= most).all()
    assert (run.latency[:, 0] <= run.latency[:, 1]).all()


@needs_verilator
def test_real_gestures(qclif_data):
    config  = QCLIFConfig()
    encoder = Encoder(bin_us=1000, count_threshold=1)
    samples = [encoder.encode(s.events) for s in read_files(sorted((qclif_data/"dvs128_gesture").glob("*.npz")))]
    network = random_network(config, encoder, samples)
    core    = CoreSimulator(config)
    for steps, golden in zip(samples, GoldenModel(network).run(samples), strict=True):
        run = core.run(network, steps)
        assert run.spikes == golden.spikes
        assert run.counters["busy"] <= 1.10*bound_clocks(steps, golden.spikes, 200, config) + 64*len(steps)


@pytest.mark.parametrize("options", [
    [],
    ["--neurons", "1", "--inputs", "1", "--contexts", "0", "--lanes", "1"],
    ["--neurons", "37", "--weight-bits", "4", "--state-bits", "12", "--contexts", "0"],
    ["--neurons", "1024", "--inputs", "4096", "--contexts", "64", "--lanes", "64"],
    ["--neurons", "37", "--lanes", "16", "--updates", "4"],
    ["--neurons", "37", "--lanes", "64", "--updates", "64"],
], ids=["default", "single", "narrow", "largest", "words", "whole"])
def test_verilog_is_lint_clean(options, tmp_path):
    for tool in ("verilator", "yosys"):
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}: ./qclif setup")
    path = tmp_path/"qclif_core.v"
    subprocess.run([sys.executable, "-m", "accel.verilog", "--output", path, *options], check=True)
    for command in (
        ["verilator", "--lint-only", "-Wall", path],
        ["yosys", "-q", "-p", f"read_verilog {path}; hierarchy -check -top qclif_core; proc; check -assert"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stdout.strip() and not done.stderr.strip(), done.stdout + done.stderr


def without_power_up(text):
    """Registers that have no value before the first clock; those of memories, which follow a read, are left out."""
    clocked  = re.findall(r"^always @\(posedge sys_clk\) begin\n(.*?)^end$", text, re.MULTILINE | re.DOTALL)
    written  = {name for block in clocked for name in re.findall(r"^\s*(\w+)(?:\[.*?\])? <= ", block, re.MULTILINE)}
    memories = set(re.findall(r"^reg \[.*?\] (\w+)\[", text, re.MULTILINE))
    started  = set(re.findall(r"^reg\b[^;=]*?(\w+) = ", text, re.MULTILINE))
    assert len(written) > 50 and memories
    return {name for name in written - started - memories if re.sub(r"_dat\d$", "", name) not in memories}


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("protect", PROTECTIONS)
def test_every_register_has_a_value_at_power_up(protect, registered):
    text = verilog.core_verilog(QCLIFConfig(neurons=5, inputs=4, contexts=2, lanes=2), registered=registered,
        protect=protect)
    assert without_power_up(text) == set()


def test_a_register_that_is_a_port_is_found(monkeypatch):
    monkeypatch.setattr(verilog, "core_ios", lambda core: {core.walker.source.ready, core.events.fill})
    text = verilog.core_verilog(QCLIFConfig(neurons=5, inputs=4, contexts=2, lanes=2))
    assert [name.split("_")[-1] for name in without_power_up(text)] == ["fill"]
