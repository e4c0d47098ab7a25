# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The core as cells of FPGAs: against the golden model and the RTL, with mutants; and the cell models of ours alone."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.events.formats import read_files
from host.network.golden import GoldenModel
from host.network.random_network import random_network
from targets import post_synthesis
from targets.fpga.families import FAMILIES
from targets.fpga.netlist import build, cell_models, luts, share, synthesise
from targets.netlist.comparison import BuiltCore, NetlistProgram, run_core
from targets.sim.core import CoreSimulator
from targets.tools.eda import find_yosys, run_tool
from tests.helpers.needs import needs_verilator

# All kinds of cells, with more neurons than lanes, in a netlist that is compiled in seconds.
SIZES   = QCLIFConfig(neurons=12, inputs=32, contexts=2, lanes=2, weight_bits=4, state_bits=6, current_bits=8)
ENCODER = Encoder(grid=(4, 4))
STEPS   = 60
MUTANTS = 12
SEED    = 0


@pytest.fixture(scope="module")
def yosys():
    try:
        return find_yosys()
    except QCLIFError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=FAMILIES)
def netlist(yosys, request):
    return synthesise(SIZES, yosys, family=FAMILIES[request.param])


@pytest.fixture(scope="module")
def program(netlist):
    return build(netlist, luts(netlist, MUTANTS, SEED))


@pytest.fixture(scope="module")
def recording(qclif_data, tmp_path_factory):
    """File with the first steps of a real gesture."""
    sample = next(read_files([qclif_data/"dvs128_gesture"/"00_hand_clapping.npz"]))
    events = sample.events[sample.events["t"] - sample.events["t"][0] < STEPS*ENCODER.bin_us]
    path   = tmp_path_factory.mktemp("recording")/"clapping.npz"
    np.savez(path, events=events, sensor_size=(128, 128))
    return path


@pytest.fixture(scope="module")
def steps(recording):
    return next(read_files([recording])).encoded(ENCODER, SIZES.contexts).steps

# Netlist ------------------------------------------------------------------------------------------

# Of each family: carry chain, block RAM, table, multiplier, memory of tables or large RAM, flip-flop.
KINDS = {
    "ecp5":  {"CCU2C", "DP16KD", "LUT4", "MULT18X18D", "TRELLIS_DPR16X4", "TRELLIS_FF"},
    "gowin": {"ALU", "DPX9B", "LUT4", "MULT9X9", "RAM16SDP4", "DFFE"},
    "ice40": {"SB_CARRY", "SB_RAM40_4K", "SB_LUT4", "SB_MAC16", "SB_SPRAM256KA", "SB_DFFE"},
}


def test_all_kinds_of_cells(netlist):
    assert KINDS[netlist.family.name] <= set(netlist.cells)
    flip_flop, = {"TRELLIS_FF", "DFFE", "SB_DFFE"} & KINDS[netlist.family.name]
    assert netlist.cells[flip_flop] > 100


@needs_verilator
def test_real_recording_step_by_step(netlist, program, steps):
    """Spikes and states are the golden model's, and clocks and counters those of the RTL."""
    network = random_network(SIZES, ENCODER, [steps], rate=0.1)
    golden  = GoldenModel(network).run([steps], states=True)[0]
    clocks  = CoreSimulator(SIZES, "registered" in netlist.family.core).run(network, steps, states=True).counters
    assert len(golden.spikes.sources) > 20
    # Whatever memories start with.
    for seed in (1, 2, 3):
        run = BuiltCore(SIZES, program, {"QCLIF_SEED": str(seed)}).run(network, steps, states=True)
        assert run.spikes == golden.spikes
        assert (run.v_a == golden.v_a).all() and (run.v_s == golden.v_s).all()
        assert run.counters == clocks


@needs_verilator
def test_the_command_and_inverted_tables(recording, tmp_path, capsys, monkeypatch, program, netlist):
    sizes = [f"--{name.replace('_', '-')}={getattr(SIZES, name)}" for name in
        ("neurons", "inputs", "contexts", "lanes", "weight_bits", "state_bits", "current_bits")]
    assert post_synthesis.main([*sizes, "--family", netlist.family.name, "--network", "random", "--events",
        str(recording), "--mutants", str(MUTANTS), "--seed", str(SEED), "--json", str(tmp_path/"figures.json")]) == 0
    figures = json.loads((tmp_path/"figures.json").read_text())
    sample, = figures["samples"]
    assert sample["steps"] == STEPS and sample["spikes"] > 0 and sample["states"] == 2*STEPS*SIZES.neurons
    assert sample["mismatches"] == sample["state_mismatches"] == 0
    # Others only count, or are on ways that this recording does not take.
    assert figures["mutants"] == MUTANTS and figures["mutants_caught"] > MUTANTS//2
    assert "exact" in capsys.readouterr().out


@needs_verilator
def test_a_netlist_that_is_wrong_is_a_mismatch(program, steps, netlist):
    network = random_network(SIZES, ENCODER, [steps], rate=0.1)
    gates   = NetlistProgram(program, SEED + 1)
    right   = run_core(gates, SIZES, network, [steps])
    assert right.mismatches == right.state_mismatches == 0
    assert any(post_synthesis.caught(gates, SIZES, MUTANTS, network, [steps]))

# Models -------------------------------------------------------------------------------------------

@pytest.mark.skipif(not shutil.which("iverilog"), reason="needs Icarus Verilog: ./qclif setup")
@pytest.mark.parametrize("family, cells", (
    ("ecp5",  {"DP16KD": 6, "MULT18X18D": 2}),
    ("gowin", {"DPB": 3, "DPX9B": 2, "SDPX9B": 1, "MULT18X18": 2}),
))
def test_block_rams_of_all_widths_and_products(family, cells, yosys, tmp_path):
    """What Yosys makes of memories and products, with our models of its cells, beside the RTL."""
    family = FAMILIES[family]
    shutil.copy(Path(__file__).with_name("block_memories.v"), tmp_path/"memories.v")
    script = ["read_verilog memories.v", f"synth_{family.name} {family.options}-top top", "rename top netlist",
        "write_verilog -noattr netlist.v"]
    run_tool(yosys, "".join(f"{line}\n" for line in script), tmp_path, "memories.ys")
    text = "\n".join(line for line in (tmp_path/"netlist.v").read_text().splitlines() if ".INIT_RAM" not in line
        and "INITVAL" not in line)
    (tmp_path/"netlist.v").write_text(text)
    found = Counter(re.findall(r"^  ([A-Z]\w*) (?:#\($|\S+ +\($)", text, re.MULTILINE))
    assert {name: found[name] for name in cells} == cells
    # Icarus knows no $error of a generate block, which is in a cell that is not used.
    (tmp_path/"cells.v").write_text(re.sub(r"\$error\(.*\);", "", cell_models(family, yosys, list(found))))
    subprocess.run(["iverilog", "-g2012", "-DBENCH", "-s", "bench", "-o", "bench", "memories.v", "netlist.v",
        "cells.v"], cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(["vvp", "-n", "bench"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.strip().splitlines()[-1] == "4000 compared, 0 differ"


def test_a_cell_without_a_model(yosys):
    with pytest.raises(QCLIFError, match="cells EHXPLLL, of which there is no model"):
        cell_models(FAMILIES["ecp5"], yosys, ["LUT4", "EHXPLLL"])


def test_models_of_ours_are_in_the_place_of_black_boxes(yosys):
    text = cell_models(FAMILIES["ecp5"], yosys, ["CCU2C"])
    assert all(text.count(f"module {name}(") == 1 for name in ("CCU2C", "LUT4", "LUT2", "DP16KD"))
    assert (share(yosys)/"ecp5"/"cells_sim.v").exists()
