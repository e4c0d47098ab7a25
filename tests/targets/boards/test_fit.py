# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Fit of configurations to FPGAs: the memories of the real SoC, block RAMs, and what is chosen or refused."""

import re

import pytest
from migen import Memory

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.sizes import SRAM_BESIDE_SDRAM
from targets import icebreaker, ulx3s
from targets.boards.board import BoardOptions, board_config
from targets.boards.devices import (
    SHAPES,
    Device,
    Shape,
    blocks,
    core_memories,
    find_device,
    large_memories,
    soc_memories,
)
from targets.boards.estimate import estimate, excess, fit

CONFIGS = {
    "default": QCLIFConfig(uart_fifo=2048),
    "single":  QCLIFConfig(neurons=1, inputs=1, contexts=0, lanes=1),
    "narrow":  QCLIFConfig(neurons=37, lanes=9, weight_bits=4, state_bits=12, contexts=0),
    "wide":    QCLIFConfig(neurons=128, inputs=578, contexts=12, lanes=32, weight_bits=3, spike_fifo=130),
}


def options(config: QCLIFConfig, device: str = "LFE5U-85F", **soc) -> BoardOptions:
    return BoardOptions("ulx3s", device, "trellis", 50_000_000, 1_000_000, config, soc)


@pytest.mark.parametrize("name", CONFIGS)
def test_memories_are_those_of_the_soc(name):
    from targets.boards.elaborate import make_soc
    request = options(CONFIGS[name], ident="")
    soc     = make_soc(ulx3s.BOARD, request)
    soc.finalize()
    real = sorted((memory.depth, memory.width) for memory in soc._fragment.specials if isinstance(memory, Memory))
    told = [*core_memories(request.config), *soc_memories(request.config, request.rom_bytes, request.sram_bytes)]
    assert real == sorted((max(2, shape.depth), shape.width) for shape in told)


def test_memories_are_those_of_a_soc_with_large_rams():
    from targets.boards.elaborate import make_soc
    pytest.importorskip("pythondata_cpu_serv", reason="needs SERV: pip install -e '.[boards]'")
    board   = icebreaker.BOARD
    config  = QCLIFConfig(neurons=64, lanes=4, **board.sizes)
    request = BoardOptions(board.name, "iCE40-UP5K", "icestorm", 24_000_000, 1_000_000, config, board.soc_options,
        flash_offset=board.flash_offset)
    soc = make_soc(board, request)
    soc.finalize()
    real  = sorted((memory.depth, memory.width) for memory in soc._fragment.specials if isinstance(memory, Memory))
    large = large_memories(config, 4)
    told  = [*core_memories(config, banked=False), *soc_memories(config, 0, 0)]
    assert real == sorted([(16384, 16)]*2 + [(each.depth, each.width) for each in told])
    # Four lanes of 8 bits take two, and leave none for the apical weights.
    assert list(map(int, large.values())) == [1, 1, 2] and [each.name for each in large] == ["ram0", "ram1",
        "weights_soma0"]


@pytest.mark.parametrize("neurons, inputs, lanes, weight_bits, expected", (
    (64, 256, 2, 8, {"ram0": 1, "ram1": 1, "weights_soma0": 1, "weights_apical0": 1}),
    (96, 256, 2, 8, {"ram0": 1, "ram1": 1, "weights_soma0": 2}),
    (96, 256, 4, 4, {"ram0": 1, "ram1": 1, "weights_soma0": 1, "weights_apical0": 1}),
    (64, 512, 8, 8, {"ram0": 1, "ram1": 1, "weights_soma0": 2}),
    (200, 512, 2, 8, {"ram0": 1, "ram1": 1, "weights_apical0": 2}),
))
def test_what_large_rams_hold(neurons, inputs, lanes, weight_bits, expected):
    config = QCLIFConfig(neurons=neurons, inputs=inputs, lanes=lanes, weight_bits=weight_bits)
    assert {shape.name: count for shape, count in large_memories(config, 4).items()} == expected


@pytest.mark.parametrize("depth, width, granularity, expected", (
    (512, 36, 0, 1), (513, 36, 0, 2), (2048, 9, 0, 1), (9256, 32, 0, 20), (1280, 32, 0, 3),
    (2730, 32, 0, 6), (6656, 32, 8, 13), (10240, 32, 8, 20), (200, 16, 0, 1),
    (1024, 32, 8, 2), (2048, 32, 8, 4), (4096, 32, 8, 8), (16384, 32, 8, 32), (16384, 1, 0, 1), (1, 1, 0, 1),
))
def test_block_rams_of_a_memory(depth, width, granularity, expected):
    assert blocks(Shape("", depth, width, granularity), "ecp5") == expected


@pytest.mark.parametrize("family", SHAPES)
def test_no_block_holds_more_than_its_bits(family):
    for words, bits in SHAPES[family]:
        assert blocks(Shape("", words, bits), family) == 1
        assert blocks(Shape("", words + 1, bits), family) == 2 or blocks(Shape("", words + 1, bits), family) == 1
    capacity = max(words*bits for words, bits in SHAPES[family])
    for depth, width in ((10_000, 17), (333, 333), (70_000, 3)):
        assert blocks(Shape("", depth, width), family)*capacity >= depth*width


def test_devices():
    assert find_device("LFE5U-12F-6BG381C").name == "LFE5U-12F"
    assert find_device("lfe5um5g-85f-8bg756c").bram == 208
    assert find_device("xc7a35ticsg324-1L").dsp == 90
    assert find_device("ice40-up5k-sg48").lut == 5280
    assert find_device("GW2AR-LV18QN88C8/I7").bram == 46
    assert find_device("XC7S15-ftgb196").bram == 20
    assert find_device("xc6slx9-tqg144-2").lut == 5720 and find_device("xczu2cg-sfvc784-1-e").name == "XCZU2"
    assert find_device("GW1N-LV1QN48C6/I5").bram == 4 and find_device("GW5AST-LV138FPG676AES").dsp == 298
    assert find_device("unheard-of") is None


def test_a_coarser_grid_comes_before_a_network_of_little_use():
    chosen = fit(options(board_config({})), find_device("GW2AR-18"), {}).config
    assert (chosen.neurons, chosen.inputs) == (64, 256)
    standard = options(board_config({}), cpu_variant="standard")
    assert fit(standard, find_device("GW2AR-18"), {"inputs": 512}).config.neurons == 48


def test_a_smaller_cpu_comes_before_a_network_of_little_use():
    chosen = fit(options(board_config({})), find_device("GW2AR-18"), {"inputs": 512})
    assert (chosen.config.neurons, chosen.config.inputs, chosen.cpu) == (64, 512, "vexriscv lite")
    named = fit(options(board_config({}), cpu_variant="minimal"), find_device("GW2AR-18"), {"inputs": 512})
    assert named.cpu == "vexriscv minimal" and named.config.neurons >= 64
    assert fit(options(board_config({})), find_device("EP4CE15"), {}).cpu == "vexriscv lite"
    assert fit(options(board_config({})), find_device("LFE5U-25F"), {}).cpu == "vexriscv standard"


def test_the_default_network_is_chosen_where_it_fits():
    chosen = fit(options(QCLIFConfig()), find_device("LFE5U-85F"), {}).config
    assert (chosen.neurons, chosen.inputs, chosen.contexts) == (200, 512, 10) and chosen.lanes >= 16


@pytest.mark.parametrize("device", ("LFE5U-25F", "LFE5U-45F", "XC7A35T", "GW2AR-18", "XC7A100T"))
def test_what_is_chosen_fits_and_the_next_larger_does_not(device):
    device  = find_device(device)
    request = options(QCLIFConfig(inputs=128), cpu_variant="standard")
    chosen  = fit(request, device, {"inputs": 128})
    assert not excess(chosen, device) and chosen.config.inputs == 128
    neurons = chosen.config.neurons
    if neurons < 200:
        assert fit_or_none(request, device, {"inputs": 128, "neurons": neurons + 16}) is None


def fit_or_none(request, device, fixed):
    try:
        return fit(request, device, fixed)
    except QCLIFError:
        return None


def test_what_is_named_is_kept_or_refused():
    device = find_device("LFE5U-25F")
    config = QCLIFConfig(neurons=200, lanes=8)
    with pytest.raises(QCLIFError, match=r"^200 neurons, 512 inputs, 8 lanes need \d+ block RAMs for 56 "
            r"\(\d+ too many\) on LFE5U-25F: --neurons \d+ --lanes \d+ --inputs 512 would fit, or "):
        fit(options(config), device, {"neurons": 200, "lanes": 8})
    kept = fit(options(QCLIFConfig(neurons=24, lanes=3, inputs=64)), device, {"neurons": 24, "lanes": 3, "inputs": 64})
    assert (kept.config.neurons, kept.config.lanes, kept.config.inputs) == (24, 3, 64)


def test_sdram_is_taken_where_what_is_named_fits_only_so():
    device  = find_device("LFE5U-45F")
    named   = {"neurons": 200, "inputs": 512, "lanes": 8}
    request = options(board_config(named), "LFE5U-45F")
    with pytest.raises(QCLIFError, match="need 131 block RAMs for 108 "):
        fit(request, device, named)
    chosen = fit(request, device, named, sdram=True)
    assert (chosen.with_sdram, chosen.cpu, chosen.sram_bytes) == (True, "vexriscv lite", SRAM_BESIDE_SDRAM)
    assert estimate(chosen, device)["bram"] == 108 and chosen.config.frame_window == 2
    for spare, fixed in (("LFE5U-85F", named), ("LFE5U-45F", {}), ("LFE5U-45F", {"neurons": 128})):
        assert not fit(request, find_device(spare), fixed, sdram=True).with_sdram


def test_a_refusal_knows_of_the_sdram():
    named, device = {"neurons": 200, "inputs": 512}, find_device("LFE5U-12F")
    request = options(board_config(named), "LFE5U-12F")
    with pytest.raises(QCLIFError, match=r"--neurons \d+ --lanes \d+ --inputs 512 would fit") as caught:
        fit(request, device, named, sdram=True)
    sizes  = {name: int(value) for name, value in re.findall(r"--(\w+) (\d+)", str(caught.value))}
    chosen = fit(request, device, sizes, sdram=True)
    assert chosen.with_sdram and not excess(chosen, device)
    with pytest.raises(QCLIFError):
        fit(request, device, sizes)


def test_nothing_fits_on_next_to_nothing():
    tiny = Device("tiny", "ecp5", 1000, 1000, 4, 0)
    with pytest.raises(QCLIFError, match=r"look-up tables for 900 .* flip-flops for 900 .* block RAMs for 4 .*: lower "
            r"--weight-bits or --neurons, take a smaller CPU \(--cpu-variant minimal, --cpu-type serv\), or choose a "
            "larger --device"):
        fit(options(QCLIFConfig()), tiny, {})


def test_capacities_follow_the_chosen_sizes():
    chosen = fit(options(QCLIFConfig(inputs=128)), find_device("LFE5U-25F"), {"inputs": 128}).config
    given  = {name: getattr(chosen, name) for name in ("neurons", "lanes", "frame_window", "outputs")}
    assert chosen == QCLIFConfig(inputs=128, **given)


# Look-up tables (a carry of two bits is two, a memory of 16 x 4 bits is four) and flip-flops of `targets.fpga.alone
# --lanes 16 --updates Q` after Yosys' synth_ecp5.
ALONE = {1: (5639, 3229), 2: (7146, 4494), 4: (8138, 5341), 8: (9109, 7036)}


@pytest.mark.parametrize("updates", [2, 4, 8])
def test_what_more_pipelines_cost(updates):
    device = find_device("LFE5U-85F")
    one, many = (estimate(options(QCLIFConfig(lanes=16, updates=each)), device) for each in (1, updates))
    assert many["lut"] - one["lut"] == pytest.approx(ALONE[updates][0] - ALONE[1][0], rel=0.15)
    assert many["ff"] - one["ff"] == pytest.approx(ALONE[updates][1] - ALONE[1][1], rel=0.02)
    assert many["dsp"] - one["dsp"] == updates - 1
