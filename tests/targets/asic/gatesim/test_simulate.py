# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Netlists against the golden model; their activity; and whether a changed cell is noticed."""

import numpy as np
import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.data import synthetic
from host.events.encoder import Encoder
from host.events.formats import read_files
from host.events.spike_train import SpikeTrain
from host.network.random_network import random_network
from targets.asic.design import AsicConfig
from targets.asic.gatesim import simulate as gatesim
from targets.asic.gatesim.simulate import simulate
from targets.asic.gatesim.spatial import is_wiring
from targets.asic.rtl.generate import generate
from targets.asic.synth.recipes import RECIPES
from targets.asic.synth.synthesis import map_design
from targets.netlist.reader import parse_netlist, read_netlist
from targets.tools.eda import find_yosys
from tests.helpers.gate_netlists import NEURON, SIZES, synthesised
from tests.helpers.mutation import choose, mutate
from tests.helpers.needs import needs_verilator
from tests.helpers.strategies import random_network as uniform_network

SPATIAL = AsicConfig("spatial", SIZES, product_shift=3)


@pytest.fixture(scope="module")
def neuron(pdk, tmp_path_factory):
    return synthesised(NEURON, pdk, tmp_path_factory.mktemp("neuron"))


@pytest.fixture(scope="module")
def spatial(pdk, tmp_path_factory):
    return synthesised(SPATIAL, pdk, tmp_path_factory.mktemp("spatial"))


def small_inputs(steps=60, seed=0, style="excited"):
    """A network of SIZES and steps for it."""
    counts = np.random.default_rng(seed).integers(0, 2, (steps, SIZES.inputs + SIZES.contexts))
    return uniform_network(SIZES, seed, style, product_shift=3), [SpikeTrain.from_dense(counts)]

# Designs -------------------------------------------------------------------------------------------

@needs_verilator
def test_neuron_in_100000_cases(pdk, neuron, tmp_path):
    """For several values that registers start with."""
    runs = [simulate(NEURON, neuron, pdk, None, (), tmp_path, seed=seed) for seed in (1, 2)]
    for run in runs:
        assert run.mismatches == run.state_mismatches == 0
        assert run.steps == run.neuron_updates >= 100_000 and run.states == 2*run.clocks and run.spikes > 10_000
        assert run.sops is None
    module = read_netlist(neuron, "qclif_neuron").modules["qclif_neuron"]
    nets   = {module.name_of(net): net for net in range(len(module.nets))}
    assert runs[0].activity.toggles[()][nets["sys_clk"]] == 2*runs[0].clocks
    assert runs[0].activity.ones[()][nets["spike"]] == pytest.approx(runs[0].spikes, abs=1)


@needs_verilator
def test_spatial_netlist(pdk, spatial, tmp_path, monkeypatch):
    """Neuron by neuron, and as a whole: the same spikes, states and activity; with buffers in the top, too."""
    network, samples = small_inputs()
    spatial = buffered(spatial, tmp_path)
    single = simulate(SPATIAL, spatial, pdk, network, samples, tmp_path)
    assert is_wiring(read_netlist(spatial, "qclif_spatial"), pdk.corner("typ").library, SPATIAL)
    monkeypatch.setattr(gatesim, "is_wiring", lambda netlist, library, config: False)
    whole = simulate(SPATIAL, spatial, pdk, network, samples, tmp_path, seed=5)
    for run in (single, whole):
        assert run.mismatches == run.state_mismatches == 0 and run.spikes > 20
        assert (run.steps, run.clocks, run.neuron_updates, run.states) == (60, 60, 180, 360)
    assert single.sops == whole.sops > 0
    assert single.activity.toggles.keys() == whole.activity.toggles.keys()
    for path, toggles in whole.activity.toggles.items():
        assert np.array_equal(single.activity.toggles[path], toggles), path
        assert np.array_equal(single.activity.ones[path], whole.activity.ones[path]), path


def buffered(spatial, folder):
    """The netlist with two buffers, one behind another, before an input of a neuron and the clock of another."""
    netlist = read_netlist(spatial, "qclif_spatial")
    edits   = {}
    for each, net in zip(netlist.modules["qclif_spatial"].instances, ("step", "sys_clk"), strict=False):
        text = netlist.text[slice(*each.span)]
        assert f".{net}({net})" in text
        edits[each.span] = f"wire {net}_1, {net}_2; BUF_X1 {net}_b (.A({net}), .Z({net}_1)); " \
            f"CLKBUF_X1 {net}_c (.A({net}_1), .Z({net}_2)); " + text.replace(f".{net}({net})", f".{net}({net}_2)")
    (folder/"buffered.v").write_text(netlist.edited(edits))
    return folder/"buffered.v"


def test_what_is_not_only_wiring(pdk, spatial, tmp_path):
    text, library = spatial.read_text(), pdk.corner("typ").library
    top  = read_netlist(spatial, "qclif_spatial")
    assert is_wiring(top, library, SPATIAL)
    assert is_wiring(read_netlist(buffered(spatial, tmp_path), "qclif_spatial"), library, SPATIAL)
    first, second = top.modules["qclif_spatial"].instances[:2]
    swapped = top.edited({first.span: text[slice(*first.span)].replace("threshold[4:0]", "threshold[9:5]")})
    assert swapped != text
    assert not is_wiring(parse_netlist(swapped, "qclif_spatial"), library, SPATIAL)
    extra = top.edited({(second.span[0], second.span[0]): "wire w; INV_X1 i (.A(sys_clk), .ZN(w));\n"})
    assert not is_wiring(parse_netlist(extra, "qclif_spatial"), library, SPATIAL)


@needs_verilator
def test_core_on_a_gesture(pdk, qclif_data, tmp_path):
    """32 neurons with their macros, from the first to the last step of a real recording.

    Slow: to compile the simulator of so many gates takes most of a minute, whatever it simulates.
    """
    config  = AsicConfig("core", QCLIFConfig(neurons=32, lanes=2))
    sample  = next(iter(read_files(sorted((qclif_data/"dvs128_gesture").glob("*.npz")))))
    steps   = Encoder().encode(sample.events)
    network = random_network(config.sizes, Encoder(), [steps])
    netlist = synthesised(config, pdk, tmp_path)
    for seed in (1, 2):
        run = simulate(config, netlist, pdk, network, [steps], tmp_path, seed=seed, state_steps=20)
        assert run.mismatches == run.state_mismatches == 0 and run.spikes > 100
        assert (run.steps, run.neuron_updates, run.states) == (len(steps), 32*len(steps), 2*32*20)
        assert run.sops > run.clocks/10 and set(run.activity.toggles) == {path for path, _
            in read_netlist(netlist, "qclif_core").paths()}

@needs_verilator
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_spatial_design_of_each_recipe(pdk, recipe, tmp_path):
    """As the flow maps it, with the paper's widths. Carry chains within vectors look like loops.

    Slow: each recipe's netlist is synthesised, and its simulator compiled.
    """
    sizes   = QCLIFConfig(neurons=4, current_bits=8)
    samples = [Encoder().encode(each.events) for each in synthetic.recordings(1)]
    network = random_network(sizes, Encoder(), samples)
    config  = AsicConfig("spatial", sizes, product_shift=network.product_shift)
    netlist = map_design(config, generate(config, pdk, tmp_path), pdk, tmp_path, find_yosys(), recipe).netlist
    run     = simulate(config, netlist, pdk, network, samples, tmp_path)
    assert run.mismatches == run.state_mismatches == 0 and run.spikes > 10

# Mutation ------------------------------------------------------------------------------------------

@needs_verilator
def test_changed_cells_of_the_neuron_are_noticed(pdk, neuron, tmp_path):
    mutants = mutate(NEURON, neuron, pdk, [None], (), tmp_path, count=60)
    assert len({mutant.instance.name for mutant in mutants}) == 60
    assert all(each.caught and each.excited for each in mutants), [str(each) for each in mutants if not each.caught]


@needs_verilator
def test_changed_cells_of_the_spatial_design_are_noticed(pdk, spatial, tmp_path):
    """Nearly all: some cells matter for values only that a few networks do not reach."""
    networks, samples = zip(*(small_inputs(120, seed, style) for seed, style in ((0, "excited"), (1, "extreme"),
        (2, "uniform"), (3, "excited"), (4, "extreme"))), strict=True)
    mutants = mutate(SPATIAL, spatial, pdk, networks, samples[0], tmp_path, count=40)
    assert sum(mutant.caught for mutant in mutants) >= 37, [str(each) for each in mutants if not each.caught]
    assert all(mutant.excited for mutant in mutants if mutant.caught)


def test_mutants_are_other_functions(pdk, neuron):
    library = pdk.corner("typ").library
    netlist = read_netlist(neuron, "qclif_neuron")
    mutants = choose(netlist, library, 10_000, 1)
    assert len({mutant.instance.name for mutant in mutants}) == len(mutants)
    changes = {(mutant.instance.cell, mutant.other) for mutant in mutants}
    assert ("INV_X1", "BUF_X1") in changes and ("DFF_X1", "inverted") in changes
    assert all(cell.split("_")[0] != other.split("_")[0] for cell, other in changes)
    assert choose(netlist, library, 10, 1) == choose(netlist, library, 10, 1) != choose(netlist, library, 10, 2)

# Errors --------------------------------------------------------------------------------------------

def test_netlists_that_are_not_simulated(pdk, neuron, tmp_path):
    with pytest.raises(QCLIFError, match=r"missing\.v: cannot be read"):
        simulate(NEURON, tmp_path/"missing.v", pdk, None, (), tmp_path)
    with pytest.raises(QCLIFError, match="no module qclif_core, there are qclif_neuron"):
        simulate(AsicConfig("core"), neuron, pdk, None, (), tmp_path)
    other = tmp_path/"other.v"
    other.write_text(neuron.read_text().replace("INV_X1 ", "INV_X9 "))
    with pytest.raises(QCLIFError, match="has no cell INV_X9"):
        simulate(NEURON, other, pdk, None, (), tmp_path)
    other.write_text("module qclif_soc (sys_clk); input sys_clk; endmodule")
    with pytest.raises(QCLIFError, match="a netlist of design soc has no steps"):
        simulate(AsicConfig("soc"), other, pdk, None, (), tmp_path)
