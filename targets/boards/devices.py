# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What FPGAs hold, as their place and route tools count it, and the memories of a SoC, from its configuration alone.

devices.csv has a row for each FPGA of a board that can be built for: its name, a regular expression that the names of
platforms' devices are searched for (the first row counts), its family in SHAPES, its cells, and where their numbers are
from: nextpnr's reports, or the maker's data sheet. The LFE5U-12F is a 25F that was sold as less: the open tools use all
of it.
"""

import csv
import functools
import importlib.resources
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from accel.config import QCLIFConfig
from accel.layouts import index_bits
from accel.memory import bank_depths
from firmware.sizes import send_bytes
from soc.flash import RAM_BITS, RAM_BYTES, RAM_WORDS
from soc.frames.common import QUEUE
from soc.frames.receiver import verdict_layout
from soc.frames.sender import order_layout

# Shapes of a block RAM (words, bits), for each family.
_SHAPES_18K = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
SHAPES = {
    "ecp5":    _SHAPES_18K,
    "gowin":   _SHAPES_18K,
    "xilinx7": _SHAPES_18K,
    "nexus":   _SHAPES_18K,
    "ice40":   ((2048, 2), (1024, 4), (512, 8), (256, 16)),
    "m9k":     ((8192, 1), (4096, 2), (2048, 4), (1024, 9), (512, 18), (256, 36)),
    "m10k":    ((8192, 1), (4096, 2), (2048, 5), (1024, 10), (512, 20), (256, 40)),
}

# Patterns of the names of small memories of the accelerator that waste a block RAM each: on families with TABLES_BITS
# they are made of tables.
IN_TABLES = ("parameters*", "states0", "spike_list0")

# Yosys makes memories of tables by itself up to about this many bits.
TABLES_BITS = {"ecp5": 1024, "gowin": 1536}

# What one more row costs for each bit of a word, in block RAMs, as Yosys was seen to weigh it.
SELECTION = 1/256


@dataclass(frozen=True)
class Device:
    """An FPGA.

    Attributes
    ----------
    name : as boards name it.
    family : of SHAPES.
    lut : 4-input look-up tables, or 6-input ones in `xilinx7`, which stands for all of its vendor.
    ff : flip-flops.
    bram : block RAMs of the shapes of the family.
    dsp : multipliers of 18 x 18 bits or more (16 x 16 in `ice40`); 0 where there are none.
    spram : large RAMs of one port, 16384 words of 16 bits.
    """
    name:   str
    family: str
    lut:    int
    ff:     int
    bram:   int
    dsp:    int
    spram:  int = 0


@functools.cache
def _devices() -> dict[re.Pattern, Device]:
    """The table: what a name is searched for, and the device."""
    numbers = ("lut", "ff", "bram", "dsp", "spram")
    with importlib.resources.files(__package__).joinpath("devices.csv").open(newline="") as table:
        return {re.compile(row["pattern"], re.IGNORECASE): Device(row["name"], row["family"],
            **{name: int(row[name]) for name in numbers}) for row in csv.DictReader(table)}


def find_device(name: str) -> Device | None:
    """The device that a platform or an option names, as in find_device("LFE5U-25F-6BG381C"); None where nothing is
    known of it."""
    return next((device for pattern, device in _devices().items() if pattern.search(name)), None)

# Memories -----------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Shape:
    """A memory: name in the Verilog or what it is for, words, bits, and bits that are written at a time (0: all)."""
    name:        str
    depth:       int
    width:       int
    granularity: int = 0


def core_memories(config: QCLIFConfig, banked: bool = True) -> list[Shape]:
    """Memories of the accelerator and its peripheral; `banked`: the weights in banks, as of a registered core."""
    lanes  = [min(config.slice_lanes, config.word_lanes - first)
        for first in range(0, config.word_lanes, config.slice_lanes)]
    slices = [count*config.weight_bits for count in lanes]
    banks  = (lambda depth: bank_depths(depth, slices)) if banked else lambda depth: [depth]
    row    = index_bits(max(config.inputs, config.contexts))
    neuron = index_bits(config.neurons)
    state, weight = config.state_bits, config.weight_bits
    halves = config.pipelines*[2*state, state + 2*weight]
    shapes = [
        *[Shape(f"weights_soma{n}", depth, width) for depth in banks(config.soma_words)
            for n, width in enumerate(slices)],
        *[Shape(f"weights_apical{n}", depth, width) for depth in banks(config.apical_words)
            for n, width in enumerate(slices)],
        *[Shape(f"parameters{n}", config.neuron_words, width) for n, width in enumerate(halves)],
        Shape("states0", config.neuron_words, config.pipelines*2*state),
        Shape("event_list0", 2**(index_bits(config.step_events) + 1), 1 + row),
        *([Shape("spike_list0", 2**(neuron + 1), neuron)] if config.updates == 1 else []),
        # A stream FIFO keeps its `first` and `last` beside the neuron and the flag of a spike.
        Shape("spike FIFO", config.spike_fifo, neuron + 3),
    ]
    return [shape for shape in shapes if shape.depth > 1] # One word is registers.


def uncontested(top: str) -> str:
    """Command of Yosys: of the core's memories no word is read while it is written, which tests/formal proves. So
    nothing has to be built for what is read then."""
    names = ("weights_*", "parameters*", "states0", "event_list0", "spike_list0")
    return f"setattr -set no_rw_check 1 {' '.join(f'{top}/m:{name}' for name in names)}"


def in_tables(shape: Shape, family: str) -> bool:
    """Whether a memory is made of look-up tables, not of block RAM."""
    return family in TABLES_BITS and (any(fnmatchcase(shape.name, each) for each in IN_TABLES) or
        shape.depth*shape.width <= TABLES_BITS[family])


def large_memories(config: QCLIFConfig, count: int) -> dict[Shape, int]:
    """Memories in the large RAMs of an iCE40 UltraPlus, and how many each takes: the CPU's, and of the weights, which
    one port is enough for, as many as fit."""
    cpu   = [Shape(f"ram{n}", RAM_WORDS, RAM_BITS, 8) for n in range(RAM_BYTES//RAM_WORDS*8//RAM_BITS)]
    large = {}
    for shape in [*cpu, *(shape for shape in core_memories(config, banked=False) if shape.name.startswith("weights"))]:
        needed = -(-shape.depth//RAM_WORDS)*-(-shape.width//RAM_BITS)
        if sum(large.values()) + needed <= count:
            large[shape] = needed
    return large


def soc_memories(config: QCLIFConfig, rom_bytes: int, sram_bytes: int) -> list[Shape]:
    """Memories of the SoC but for those of CPU and accelerator; no bytes: none of that."""
    return [
        *([Shape("ROM", rom_bytes//4, 32)] if rom_bytes else []),
        *([Shape("SRAM", sram_bytes//4, 32, 8)] if sram_bytes else []),
        Shape("frames_received", config.uart_fifo//4, 32, 8),
        Shape("frames_to_send", send_bytes(config)//4, 32, 8),
        *[Shape("queue of frames", QUEUE, sum(bits for _, bits in layout) + 2) for layout in (
            verdict_layout(config.frame_bytes), order_layout(send_bytes(config), config.frame_bytes))],
    ]


def blocks(shape: Shape, family: str) -> int:
    """Block RAMs that a memory becomes: as few as possible, unless that takes many rows of them to choose from."""
    def cost(words: int, bits: int) -> tuple[float, int, int]:
        rows = -(-shape.depth//words)
        if shape.granularity:
            # What is written by itself takes whole columns.
            columns = shape.width//shape.granularity
            across  = -(-columns//max(1, bits//shape.granularity))*-(-shape.granularity//bits)
        else:
            across  = -(-shape.width//bits)
        return rows*across + SELECTION*shape.width*(rows - 1), rows, rows*across
    return min(cost(words, bits) for words, bits in SHAPES[family])[2]
