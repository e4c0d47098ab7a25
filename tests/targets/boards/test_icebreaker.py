# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The iCEBreaker: its SoC, simulated, streams a recording exactly; its bitstream, built, has the clock and fits."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from accel.config import QCLIFConfig
from accel.errors import EXIT_ERROR, QCLIFError
from host.data import synthetic
from host.events.encoder import Encoder, poisson_context
from host.events.sample import Sample
from host.network.random_network import random_network
from targets import icebreaker
from targets.boards import command
from targets.boards.board import ROM_BYTES
from targets.boards.build import BoardBuild
from targets.fpga.families import FAMILIES
from targets.fpga.netlist import build, synthesise
from targets.netlist.comparison import NetlistProgram, run_core
from targets.sim.options import PINS, SimOptions
from tests.helpers.needs import needs_compiler, needs_ice40, needs_verilator
from tests.helpers.short_stream import stream_exactly

BOARD = icebreaker.BOARD


# The estimate of cells, which are not counted but interpolated.
TOLERANCE = 0.05

# Simulated SoC ------------------------------------------------------------------------------------

def simulated(config: QCLIFConfig, baudrate: int) -> SimOptions:
    """The board's SoC in the simulator: CPU, flash and RAMs, and as many clocks a bit."""
    scaled = round(baudrate*SimOptions().sys_clk_freq/BOARD.default("sys_clk_freq"))
    return SimOptions(config=config, registered=True, soc={**BOARD.soc_options, "integrated_rom_size": ROM_BYTES,
        "flash_offset": BOARD.flash_offset, "uart_name": PINS, "uart_baudrate": scaled})


@needs_compiler
@needs_verilator
def test_the_simulated_soc_boots_from_its_flash_and_is_exact():
    config   = QCLIFConfig(neurons=16, inputs=64, contexts=0, lanes=4, **BOARD.sizes)
    counters = stream_exactly(simulated(config, BOARD.uart_baudrate))
    assert (counters.framing, counters.overruns) == (0, 0)

# Netlist ------------------------------------------------------------------------------------------

@needs_verilator
def test_the_netlist_is_exact_and_a_nibble_that_is_not_stored_is_noticed():
    config   = QCLIFConfig(neurons=12, inputs=32, contexts=2, lanes=2, state_bits=6, current_bits=8)
    encoder  = Encoder(grid=(4, 4))
    steps    = synthetic_steps(encoder, config.contexts)
    network  = random_network(config, encoder, [steps], rate=0.1)
    try:
        netlist = synthesise(config, family=FAMILIES["ice40"])
    except QCLIFError as error:
        pytest.skip(str(error))
    assert netlist.cells["SB_SPRAM256KA"] == 2 and netlist.cells["SB_MAC16"] == 1 and netlist.cells["SB_LUT4"] > 300
    right = run_core(NetlistProgram(build(netlist), 1), config, network, [steps])
    assert (right.mismatches, right.state_mismatches) == (0, 0)
    assert right.spikes > 20 and right.states == 2*config.neurons*len(steps)
    text, count = re.subn(r"\.MASKWREN\(\{ [^,]+,", ".MASKWREN({ 1'h0,", netlist.text)
    assert count == 2
    wrong = run_core(NetlistProgram(build(replace(netlist, text=text)), 1), config, network, [steps])
    assert wrong.state_mismatches > 0


def synthetic_steps(encoder, contexts):
    record  = synthetic.record(0, duration_us=300_000)
    context = poisson_context(60, 0, contexts=contexts)
    return Sample("clap", record.events, context, record.label, record.sensor_size).encoded(encoder, contexts).steps

# Bitstream ----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Figures of the default bitstream, as the command writes them."""
    pytest.importorskip("pythondata_cpu_serv", reason="needs SERV: pip install -e '.[boards]'")
    file = tmp_path_factory.mktemp("icebreaker")/"figures.json"
    assert icebreaker.main(["--build", "--non-interactive", "--json", str(file)]) == 0
    return json.loads(file.read_text())


@needs_compiler
@needs_ice40
def test_the_estimate_is_what_is_used(built):
    for name in ("bram", "dsp", "spram"):
        assert built[name] == built["estimate"][name]
    assert built["lut"] == pytest.approx(built["estimate"]["lut"], rel=TOLERANCE)
    assert built["available"] == {"lut": 5280, "bram": 30, "dsp": 8, "spram": 4}


@needs_compiler
@needs_ice40
def test_64_neurons_of_8_bits_and_the_clock(built):
    config = built["config"]
    assert config["neurons"] >= 64 and config["inputs"] == 512 and config["weight_bits"] == 8
    assert built["fmax_mhz"] >= built["sys_clk_mhz"] >= 12


@needs_compiler
@needs_ice40
def test_one_file_has_bitstream_and_firmware(built):
    bitstream, image = (Path(built[name]).read_bytes() for name in ("bitstream", "image"))
    firmware = (Path(built["directory"])/"software"/"bios"/"bios.bin").read_bytes()
    assert image[:len(bitstream)] == bitstream and image[BOARD.flash_offset:] == firmware
    assert set(image[len(bitstream):BOARD.flash_offset]) == {0xff}
    assert 8192 < len(firmware) <= ROM_BYTES

# Command ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, text", (
    (["--neurons", "200"], r"^200 neurons, 512 inputs, 16 lanes need \d+ look-up tables for 5016 \(\d+ too many\) and "
        r"\d+ block RAMs for 30 \(\d+ too many\) on iCE40-UP5K: --neurons 64 --lanes 2 --inputs 512 would fit, "),
    (["--cpu-type", "vexriscv"], r"look-up tables for 5016 \(\d+ too many\) on iCE40-UP5K: "),
    (["--integrated-sram-size", "8192"], r"^--integrated-sram-size has no effect on the boards' SoC: leave it out$"),
))
def test_what_cannot_be_had(arguments, text, capsys):
    assert icebreaker.main(arguments) == EXIT_ERROR
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and re.search(text, error[0].removeprefix("error: ")), error


@needs_compiler
@pytest.mark.parametrize("arguments, text", (
    (["--sys-clk-freq", "10e6"], r"1BitSquared iCEBreaker has no clock of 10 MHz \("),
    (["--neurons", "512", "--outputs", "64", "--frame-bytes", "1024", "--uart-fifo", "2048"],
        r"the firmware needs \d+ bytes of SRAM for these sizes, \d+ are there: lower --outputs, "),
))
def test_what_the_soc_cannot_have(arguments, text, tmp_path, capsys):
    assert icebreaker.main(["--build", "--no-compile-gateware", "--no-fit-check", "--non-interactive", "--output-dir",
        str(tmp_path), *arguments]) == EXIT_ERROR
    assert re.search(text, capsys.readouterr().err)


def test_loading_writes_bitstream_and_firmware(monkeypatch, tmp_path):
    loaded = []
    monkeypatch.setattr(command, "build_board", lambda board, options, *_: BoardBuild(options, tmp_path,
        tmp_path/"top.bin", None, 1.0, {}, tmp_path/"image.bin"))
    monkeypatch.setattr(command, "load", lambda *arguments: loaded.append(arguments[2:]))
    for option in ("--load", "--flash"):
        assert icebreaker.main([option, "--non-interactive"]) == 0
    assert loaded == [(tmp_path/"image.bin", True, None)]*2
