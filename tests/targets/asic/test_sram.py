# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Memories of macros and of flip-flops: what they are cut into, and that they do what the memories they replace do."""

import itertools
import math
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accel.errors import QCLIFError
from targets.asic.design import AsicConfig
from targets.asic.platform.macros import OPENRAM_PORTS, Macro
from targets.asic.platform.tiling import BIT_UM2, GATE_UM2, Memory, tile
from targets.asic.rtl.flops import FLOPS_LIMIT, clock_gate_model, flops_verilog
from targets.asic.rtl.kinds import make
from targets.asic.rtl.memories import MemoryFiles
from targets.asic.rtl.pairs import pairs_of, pairs_verilog
from targets.asic.rtl.sram import macro_model_verilog, wrapper_verilog
from targets.liberty.library import read_liberty
from tests.helpers.memory_checks import (
    FLIPFLOP_UM2,
    GATE,
    accesses,
    blackbox_verilog,
    clocked,
    expected,
    in_turn,
    simulate,
)
from tests.helpers.needs import needs_iverilog, needs_verilator


def macro(depth, width, area=None, energy=1.0, leakage=1000.0, mask=True, **more):
    area = 100 + 0.5*depth*width if area is None else area
    return Macro(f"ram_{depth}x{width}{'' if mask else '_whole'}", depth, width, area, leakage, energy,
        Path("x.lib"), Path("x.lef"), mask=mask, **more)


def by_name(*macros):
    return {each.name: each for each in macros}


SMALL = by_name(macro(8, 8), macro(16, 16), macro(32, 4), macro(32, 24))
WHOLE = by_name(macro(16, 12, mask=False, ports=OPENRAM_PORTS), macro(8, 5, mask=False, ports=OPENRAM_PORTS))

# Choice --------------------------------------------------------------------------------------------

macros_strategy = st.lists(st.builds(macro, st.sampled_from((4, 8, 16, 32)), st.integers(1, 20), st.floats(1, 500),
    st.floats(0.1, 10), st.floats(0, 1e6), st.booleans()), min_size=1, max_size=5)
memories = st.builds(Memory, st.just("memory"), st.integers(1, 100), st.lists(st.integers(1, 12), min_size=1,
    max_size=4).map(tuple), st.sampled_from((1, 2)))


@given(memories, macros_strategy, st.sampled_from(("area", "energy")))
def test_tiles_hold_every_bit_once(memory, macros, objective):
    tiling = tile(memory, by_name(*macros), objective)
    edges  = set(itertools.accumulate(memory.slices))
    held   = set()
    for each in tiling.tiles:
        assert each.first % each.macro.depth == 0 and 0 < each.words <= each.macro.depth
        assert 0 < each.bits <= each.macro.width
        if not each.macro.mask:
            assert not any(each.low < edge < each.low + each.bits for edge in edges)
        here = set(itertools.product(range(each.first, each.first + each.words), range(each.low, each.low + each.bits)))
        assert not here & held
        held |= here
    assert held == set(itertools.product(range(memory.depth), range(memory.width)))
    assert sum(tiling.macros.values()) == memory.banks*len(tiling.tiles)


def cheapest(depth, width, macros):
    """Least area of all ways to cut a word into columns and a column into macros, by trying them."""
    def columns(bits):
        best = {}
        for words in range(depth + max(each.depth for each in macros) + 1):
            best[words] = 0 if not words else min((each.area_um2 + GATE_UM2 + BIT_UM2*(each.address_bits + bits)
                + best[max(0, words - each.depth)] for each in macros if each.width >= bits), default=math.inf)
        return best[depth]
    costs = {0: 0}
    for total in range(1, width + 1):
        costs[total] = min(columns(bits) + costs[total - bits] for bits in range(1, total + 1))
    return costs[width]


@given(st.integers(1, 70), st.integers(1, 24), macros_strategy)
def test_least_area(depth, width, macros):
    # Several of one size, too.
    macros = [Macro(f"ram_{n}", each.depth, each.width, each.area_um2, 0, 1, each.liberty, each.lef)
        for n, each in enumerate(macros)]
    tiling = tile(Memory("memory", depth, (width,)), by_name(*macros))
    cost   = sum(each.macro.area_um2 + GATE_UM2 + BIT_UM2*(each.macro.address_bits + each.bits)
        for each in tiling.tiles)
    assert cost == pytest.approx(cheapest(depth, width, macros))


def test_objectives():
    macros = by_name(macro(64, 8, area=1000, energy=4, leakage=0), macro(32, 8, area=600, energy=1, leakage=0))
    memory = Memory("memory", 64, (8,))
    assert tile(memory, macros).macros == {"ram_64x8": 1}
    assert tile(memory, macros, "energy").macros == {"ram_32x8": 2}
    # Two small ones leak twice as much, which counts as soon as it is more than what an access saves.
    for leakage, best in ((2e5, {"ram_32x8": 2}), (4e5, {"ram_64x8": 1})):
        leaky = {name: replace(each, leakage_nw=leakage) for name, each in macros.items()}
        assert tile(memory, leaky, "energy").macros == best
        # At half the clock, half the leakage is as much.
        slow = {name: replace(each, leakage_nw=leakage/2) for name, each in macros.items()}
        assert tile(memory, slow, "energy", 20.0).macros == best


@pytest.mark.parametrize("objective, count", [("area", {"ram_64x8": 1}), ("energy", {"ram_32x8": 2})])
def test_a_designs_memories_follow_its_objective(objective, count):
    macros = by_name(macro(64, 8, area=1000, energy=4, leakage=0), macro(32, 8, area=600, energy=1, leakage=0))
    pdk    = SimpleNamespace(macros=macros, clock_gate=GATE, flipflop_um2=FLIPFLOP_UM2)
    files  = MemoryFiles(AsicConfig(sram_objective=objective), pdk)
    files.add(Memory("memory", 64, (8,)))
    assert files.counts == count
    with pytest.raises(QCLIFError, match="choose another --sram-objective"):
        AsicConfig(sram_objective="beauty")


@pytest.mark.parametrize("call, text", [
    (lambda: tile(Memory("m", 8, (8,)), {}), "memory m: the PDK folder has no SRAM macros: choose --sram flops, or a "
        "folder that has"),
    (lambda: tile(Memory("m", 8, (8,)), SMALL, "time"), "objective is 'time': known are area, energy"),
    (lambda: Memory("m", 0, (8,)), "memory m: 0 words of slices (8,) cannot be built: at least one word, and one bit a "
        "slice, are needed"),
    (lambda: Memory("m", 8, (8, 0)), "memory m: 8 words of slices (8, 0) cannot be built: at least one word, and one "
        "bit a slice, are needed"),
    (lambda: Memory("m", 8, (8,), banks=3), "memory m: 3 banks cannot be built: choose 1 or 2"),
    (lambda: flops_verilog(Memory("m", 513, (32,)), GATE), "memory m has 16416 bits, flip-flops hold at most "
        f"{FLOPS_LIMIT}: choose --sram fakeram45, or smaller sizes"),
])
def test_errors(call, text):
    with pytest.raises(QCLIFError) as error:
        call()
    assert str(error.value) == text

# Behaviour -----------------------------------------------------------------------------------------

MEMORIES = {
    "single macro":        Memory("memory", 16, (16,)),
    "one bit, one word":   Memory("memory", 1, (1,)),
    "shallow and narrow":  Memory("memory", 5, (3,)),
    "deep":                Memory("memory", 100, (8,)),
    "wide":                Memory("memory", 20, (50,)),
    "slices":              Memory("memory", 37, (7, 7, 7, 5)),
    "unequal slices":      Memory("memory", 50, (20, 3)),
    "wide data":           Memory("memory", 37, (8, 8, 4), wide_data=True),
    "banks":               Memory("memory", 8, (8,), banks=2),
    "deep banks":          Memory("memory", 70, (11,), banks=2),
    "banks of slices":     Memory("memory", 19, (4, 9), banks=2),
    "one-word banks":      Memory("memory", 1, (6,), banks=2),
    "hold":                Memory("memory", 40, (9, 4), hold=True),
    "banks that hold":     Memory("memory", 33, (12,), banks=2, hold=True),
}


def check(memory, sequence, shown, kind):
    wanted = expected(memory, sequence, kind)
    assert any(value is not None for value in wanted)
    for clock, (value, text) in enumerate(zip(wanted, shown, strict=True)):
        assert value is None or (set(text) <= set("0123456789abcdef") and int(text, 16) == value), (clock,
            sequence[clock], text, value)


def check_macros(memory, macros, folder, change=lambda verilog: verilog):
    tiling   = tile(memory, macros)
    sequence = accesses(memory, 600, both=False)
    wanted   = clocked(tiling, sequence)
    gates    = sorted(set().union(*wanted))
    assert len(gates) == memory.banks*len(tiling.tiles)
    shown, pulses = simulate(memory, change(wrapper_verilog(tiling, GATE)), list(macros.values()), sequence, folder,
        gates)
    check(memory, sequence, shown, "macros")
    # One clock of hundreds: pytest takes minutes to tell two long lists apart.
    for clock, (pulse, gate) in enumerate(zip(pulses, wanted, strict=True)):
        assert pulse == gate, clock


@pytest.mark.parametrize("macros", [SMALL, WHOLE], ids=["mask", "whole"])
@pytest.mark.parametrize("name", MEMORIES)
@needs_iverilog
def test_macros(name, macros, tmp_path):
    check_macros(MEMORIES[name], macros, tmp_path)


@pytest.mark.parametrize("only", SMALL)
@needs_iverilog
def test_each_macro_alone(only, tmp_path):
    check_macros(Memory("memory", 70, (11, 2), banks=2), {only: SMALL[only]}, tmp_path)


@needs_iverilog
def test_macros_of_the_pdk(pdk, tmp_path):
    check_macros(Memory("event_list", 522, (11,), banks=2), pdk.macros, tmp_path)


def test_ports_are_those_of_the_pdk(pdk):
    for each in pdk.macros.values():
        pins   = read_liberty(each.liberty).cells[each.name].pins
        ports  = each.ports
        widths = {ports.clock: 1, ports.enable: 1, ports.write: 1, ports.address: each.address_bits,
            ports.write_data: each.width, ports.mask: each.width, ports.read_data: each.width}
        assert {name: 1 if pin.bits is None else pin.bits[0] - pin.bits[1] + 1 for name, pin in pins.items()} == widths
        assert [name for name, pin in pins.items() if pin.direction == "output"] == [ports.read_data]
        assert each.name == f"fakeram45_{each.depth}x{each.width}"


@pytest.mark.parametrize("name", MEMORIES)
@needs_iverilog
def test_flops(name, tmp_path):
    memory   = MEMORIES[name]
    sequence = accesses(memory, 600, both=True)
    shown, _ = simulate(memory, flops_verilog(memory, GATE), [], sequence, tmp_path)
    check(memory, sequence, shown, "flops")


@pytest.mark.parametrize("kind", ["macros", "flops"])
@needs_verilator
def test_under_verilator(kind, tmp_path):
    """Gated clocks without a race in the other simulator, too."""
    memory   = MEMORIES["banks of slices"]
    sequence = accesses(memory, 600, both=kind != "macros")
    verilog  = flops_verilog(memory, GATE) if kind == "flops" else wrapper_verilog(tile(memory, SMALL), GATE)
    shown, _ = simulate(memory, verilog, [] if kind == "flops" else list(SMALL.values()), sequence, tmp_path,
        verilator=True)
    check(memory, sequence, shown, kind)


def check_pairs(depth, bits, latency, macros, folder, change=lambda verilog: verilog):
    memory   = Memory("memory", depth, (bits,))
    sequence = in_turn(memory, 60, latency)
    verilog  = pairs_verilog(memory) + wrapper_verilog(tile(pairs_of(memory), macros), GATE)
    shown, _ = simulate(memory, change(verilog), list(macros.values()), sequence, folder, pairs=True)
    check(memory, sequence, shown, "pairs")


@pytest.mark.parametrize("latency", [2, 3, 9, 10])
@pytest.mark.parametrize("depth, bits", [(2, 1), (3, 5), (16, 6), (41, 9)])
@needs_iverilog
def test_pairs(depth, bits, latency, tmp_path):
    """Words that are read and written in turn, in macros that stop the simulation where both want their port."""
    check_pairs(depth, bits, latency, SMALL, tmp_path)


@pytest.mark.parametrize("old, new", [
    ("(~read_adr[0] | ~in_turn)", "1'b1"),                        # both want the port
    ("(~read_adr[0] | ~in_turn)", "~read_adr[0]"),                # an odd word alone
    ("(write_adr[0] | last)", "write_adr[0]"),                    # a last word that is even
    ("waits <= writes & reads", "waits <= 1'b0"),                 # a write that is lost
    ("waits ? odd_adr : ", ""),                                   # another place
    ("{waits ? odd_word : write_data", "{write_data"),            # another word
    ("waits | write_adr[0] ? even_word", "write_adr[0] ? even_word"),
    ("{waits | writes & ~reads & write_adr[0],", "{waits | writes & ~reads,"), # an odd word beside the last one
    ("assign read_data = odd", "assign read_data = read_adr[0]"), # not the word that was read
])
@needs_iverilog
def test_wrong_pairs_are_noticed(old, new, tmp_path):
    def change(verilog):
        assert old in verilog
        return verilog.replace(old, new)
    with pytest.raises(AssertionError):
        for latency in (2, 3, 9, 10):
            check_pairs(41, 9, latency, SMALL, tmp_path, change)


@pytest.mark.parametrize("memory, use, sram, kind, macros", [
    (Memory("weights", 712, (32, 32)), "plain", "fakeram45", "macros", None),
    (Memory("weights", 712, (8, )), "plain", "flops", "flops", {}),
    (Memory("states", 200, (16,)), "in turn", "fakeram45", "pairs", {"fakeram45_64x32": 2}),
    (Memory("states", 200, (16,)), "in turn", "flops", "flops", {}),
    (Memory("states", 4, (64,)), "in turn", "fakeram45", "flops", {}),
    (Memory("states", 1, (8,)), "in turn", "fakeram45", "flops", {}),
    (Memory("states", 400, (8, 8)), "in turn", "fakeram45", "flops", {}), # No pairs where slices are written alone.
    (Memory("queue", 16, (16,)), "fifo", "fakeram45", "flops", {}),
])
def test_the_smallest_is_taken(pdk, memory, use, sram, kind, macros):
    made = make(memory, use, AsicConfig(sram=sram), pdk)
    assert made.kind == kind
    assert macros is None or made.macros == macros


@needs_iverilog
def test_both_at_once_stops_the_simulation(tmp_path):
    memory   = Memory("memory", 16, (16,))
    sequence = [*accesses(memory, 0, both=False), *accesses(memory, 50, both=True)]
    with pytest.raises(AssertionError, match="memory: bank 0 is read and written in the same clock"):
        simulate(memory, wrapper_verilog(tile(memory, SMALL), GATE), list(SMALL.values()), sequence, tmp_path)


@pytest.mark.parametrize("name, old, new", [
    ("unequal slices", ".E(enable_0_0_32_0)", ".E(1'b1)"),               # clocked too often
    ("deep", ".E(enable_0_0_32_0)", ".E(enable_0_0_32_0 & ~write_0)"),   # too rarely
    ("deep", ".E((read_0 | write_0) & hit_0_0_32)", ".E(write_0)"),      # with its words too rarely
    ("deep", "adr_0[6:5] == 2'd1", "adr_0[6:5] == 2'd2"),                # another tile
    ("deep", "<= read_0 & hit_0_0_32;", "<= 1'b1;"),                     # two words at once
])
@needs_iverilog
def test_wrong_wrappers_are_noticed(name, old, new, tmp_path):
    def change(verilog):
        assert old in verilog
        return verilog.replace(old, new)
    with pytest.raises(AssertionError):
        check_macros(MEMORIES[name], SMALL, tmp_path, change)

# Verilog that tools take ---------------------------------------------------------------------------

@pytest.mark.parametrize("name", MEMORIES)
@needs_verilator
def test_lint(name, tmp_path):
    tiling = tile(MEMORIES[name], SMALL)
    models = [macro_model_verilog(each) for each in SMALL.values()]
    for kind, texts in (("macros", [wrapper_verilog(tiling, GATE), *models]),
            ("flops", [flops_verilog(MEMORIES[name], GATE)])):
        path = tmp_path/f"{kind}.v"
        path.write_text("\n".join([*texts, clock_gate_model(GATE)]))
        done = subprocess.run(["verilator", "--lint-only", "-Wall", "-Wno-DECLFILENAME", "-Wno-MULTITOP",
            "--top-module", "memory", str(path)], text=True, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("yosys"), reason="needs Yosys: apt-get install yosys")
def test_synthesis_sees_black_boxes(tmp_path):
    tiling = tile(MEMORIES["banks of slices"], SMALL)
    texts  = [wrapper_verilog(tiling, GATE), *(blackbox_verilog(each) for each in SMALL.values()),
        "(* blackbox *) module CLKGATE_X1 (input CK, input E, output GCK); endmodule"]
    (tmp_path/"all.v").write_text("\n".join(texts))
    done = subprocess.run(["yosys", "-p", "read_verilog all.v; hierarchy -check -top memory; proc; opt; check -assert; "
        "stat"], cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    counts = dict(line.split() for line in done.stdout.split("Number of cells:")[-1].splitlines()[1:]
        if len(line.split()) == 2)
    assert {name: int(counts[name]) for name in tiling.macros} == tiling.macros
    assert int(counts["CLKGATE_X1"]) == sum(tiling.macros.values())
