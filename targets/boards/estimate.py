# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a configuration takes of an FPGA, before anything is built, and the largest one that fits.

Block RAM is counted memory by memory. Logic is a sum of parts that were measured on ECP5 (`python -m targets.ulx3s
--build`), and scaled for FPGAs whose tables have more inputs, or on iCE40 (`python -m targets.icebreaker --build`).
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from accel.errors import QCLIFError
from targets.boards.board import BoardOptions
from targets.boards.devices import TABLES_BITS, Device, blocks, core_memories, in_tables, large_memories, soc_memories

# Cells, as they are told of.
NAMES = {"lut": "look-up tables", "ff": "flip-flops", "bram": "block RAMs", "dsp": "multipliers",
    "spram": "large RAMs"}

# A device is full before its last table is used: routing, and what the estimate does not know.
USABLE = {"lut": 0.9, "ff": 0.9}

# Of an iCE40, whose estimate comes closer and which was seen to be routed with more.
USABLE_ICE40 = {"lut": 0.95, "ff": 0.95}

# Sizes that are tried where the user leaves them open, the preferred ones first. More lanes than this make a step
# shorter than the CPU and the UART make it. Fewer inputs are a coarser grid: 8 x 8 and two polarities are 128. With
# fewer than 64 neurons a network is of little use: a coarser grid comes first.
INPUTS  = (512, 256, 128, 64)
NEURONS = ((200, 192, 176, 160, 144, 128, 112, 96, 80, 64), (48, 32))
LANES   = (16, 8, 4, 2, 1)

# The CPU only moves bytes: one without data cache and multiplier comes before a network of little use.
SPARED_CPUS = ({}, {"cpu_variant": "lite"})

# Capacities that follow from the sizes; 0 computes them anew.
FOLLOWING = ("step_events", "spike_fifo", "frame_bytes")

# What costs nothing that a user would notice, where block RAM is short: link buffers, and classes of the readout
# beyond those of the gestures.
SAVINGS = ({}, {"frame_window": 4, "outputs": 11}, {"frame_window": 2, "outputs": 11})


@dataclass(frozen=True)
class Cells:
    """Cells that a part takes: tables, flip-flops, block RAMs, multipliers."""
    lut:  float
    ff:   float
    bram: int = 0
    dsp:  int = 0


# CPUs that were measured; others are taken for the largest of them.
CPUS = {
    "vexriscv standard": Cells(3600, 1850, 8, 4),
    "vexriscv lite":     Cells(3300, 1280, 2, 0),
    "vexriscv minimal":  Cells(1830,  920, 0, 0),
    "serv standard":     Cells( 350,  250, 1, 0),
}

# LiteDRAM and its bridge to the bus.
SDRAM = Cells(850, 450)

# Block RAMs of a CPU's registers, where these are not made of tables; SERV's always are in block RAM.
REGISTER_FILE = 2

# Bits of a memory that one table of 4 inputs holds: 16, less what selects and writes them.
TABLE_BITS = 8

# Registers, bus, frames, timer, LEDs and the accelerator without its lanes.
BASE = Cells(3900, 1900, 0, 1)

# The same of an iCE40 without timer, controller and tables for memories; a cell there is a table and a flip-flop.
BASE_ICE40 = Cells(4297, 0, 0, 1)

# Of each bit of a lane's two sums: adder, register that holds it, and its share of the selection of lanes and words.
SUM_BIT       = Cells(5.7, 2.5)
SUM_BIT_ICE40 = Cells(4.4, 0)

# Of each neuron pipeline beyond the first, with states of 8 and currents of 12 bits; and of each neuron of the vector
# that the spikes are in where several neurons are updated a clock: Yosys for an ECP5, P = 16, Q = 1 to 8.
PIPELINE  = Cells(330, 424, 0, 1)
SPIKE_BIT = Cells(8.5, 4.2)

# Of each bit that the banks of the weights hold in registers: the register, and its share of the choice among banks.
BANK_BIT = Cells(0.7, 1)

# A table of 6 inputs does the work of so many of 4.
LUT6 = 1.6


def estimate(options: BoardOptions, device: Device) -> dict[str, int]:
    """Cells that a request needs on a device, by name."""
    config    = options.config
    cpu       = CPUS.get(options.cpu, CPUS["vexriscv standard"])
    large     = large_memories(config, device.spram) if options.flash_offset else {}
    sizes     = (0, 0) if options.flash_offset else (options.rom_bytes, options.sram_bytes)
    core      = core_memories(config, banked=not options.flash_offset)
    memories  = [each for each in (*core, *soc_memories(config, *sizes)) if each not in large]
    base, bit = (BASE_ICE40, SUM_BIT_ICE40) if device.family == "ice40" else (BASE, SUM_BIT)
    sum_bits  = 2*config.word_lanes*config.accumulator_bits
    pipelines = config.pipelines - 1
    vector    = config.neurons if config.updates > 1 else 0
    bank_bits = 0 if options.flash_offset else sum(each.width for each in core if each.name.startswith("weights"))
    tables    = [memory for memory in memories if in_tables(memory, device.family)]
    sdram     = SDRAM if options.with_sdram else Cells(0, 0)
    lut       = base.lut + cpu.lut + sdram.lut + bit.lut*sum_bits + BANK_BIT.lut*bank_bits + \
        PIPELINE.lut*pipelines + SPIKE_BIT.lut*vector + sum(m.depth*m.width for m in tables)/TABLE_BITS
    register  = 0 if device.family in TABLES_BITS or options.cpu.startswith("serv") else REGISTER_FILE
    needed    = {
        "lut":  round(lut/(LUT6 if device.family in ("xilinx7", "m10k") else 1)),
        "ff":   round(base.ff + cpu.ff + sdram.ff + bit.ff*sum_bits + BANK_BIT.ff*bank_bits + PIPELINE.ff*pipelines +
            SPIKE_BIT.ff*vector),
        "bram": cpu.bram + register + sum(blocks(m, device.family) for m in memories if m not in tables),
        "dsp":  base.dsp + cpu.dsp + PIPELINE.dsp*pipelines if device.dsp else 0,
    }
    if device.family == "ice40":
        del needed["ff"]
    if large:
        needed["spram"] = sum(large.values())
    return needed


def excess(options: BoardOptions, device: Device) -> dict[str, tuple[int, int]]:
    """Cells that are short for a request: name to (needed, usable)."""
    share  = USABLE_ICE40 if device.family == "ice40" else USABLE
    usable = {name: int(getattr(device, name)*share.get(name, 1)) for name in NAMES}
    return {name: (need, usable[name]) for name, need in estimate(options, device).items() if need > usable[name]}


def candidates(options: BoardOptions, fixed: dict[str, int]) -> Iterator[BoardOptions]:
    """Requests with other sizes than `fixed` ones, those that are preferred first."""
    def choices(name: str, values: Iterable[int]) -> Iterable[int]:
        return (fixed[name],) if name in fixed else values

    follow = {name: 0 for name in FOLLOWING if name not in fixed}
    cpus   = ({},) if {"cpu_type", "cpu_variant"} & options.soc.keys() else SPARED_CPUS
    for group in ((fixed["neurons"],),) if "neurons" in fixed else NEURONS:
        for cpu, inputs, neurons, lanes, saving in itertools.product(cpus, choices("inputs", INPUTS), group,
                choices("lanes", LANES), SAVINGS):
            if lanes % options.config.updates:
                continue
            saved  = {name: value for name, value in saving.items() if name not in fixed}
            config = dataclasses.replace(options.config, inputs=inputs, neurons=neurons, lanes=lanes, **saved,
                **follow)
            yield dataclasses.replace(options, config=config, soc={**options.soc, **cpu})


def fit(options: BoardOptions, device: Device, fixed: dict[str, int], sdram: bool = False) -> BoardOptions:
    """The preferred request of those that fit.

    Parameters
    ----------
    options : what was asked for, with defaults.
    device : where it has to fit.
    fixed : sizes that the user named, which are kept.
    sdram : the board has some for the firmware's variables; what fits without does without.

    Raises
    ------
    QCLIFError : none fits; it says what is short and by how much, and what would fit.
    """
    with_sdram = dataclasses.replace(options, soc={**options.soc, "with_sdram": True})
    for request in (options, with_sdram) if sdram else (options,):
        for candidate in candidates(request, fixed):
            if not excess(candidate, device):
                return candidate
    # What the user named is told of as it is; of nothing, the smallest that was tried. With SDRAM where there is some.
    first, *_, last = candidates(request, fixed)
    short = first if fixed.keys() & {"neurons", "inputs", "lanes"} else last
    texts = [f"{need} {NAMES[name]} for {usable} ({need - usable} too many)" for name, (need, usable) in
        excess(short, device).items()]
    raise QCLIFError(f"{short.config.neurons} neurons, {short.config.inputs} inputs, {short.config.lanes} lanes need "
        f"{' and '.join(texts)} on {device.name}: {_remedy(request, device, fixed)}")


def _remedy(options: BoardOptions, device: Device, fixed: dict[str, int]) -> str:
    chosen = ("neurons", "lanes", "inputs")
    # The fewer of the user's sizes have to change the better.
    for freed in (("lanes",), ("lanes", "neurons"), chosen):
        kept = {name: value for name, value in fixed.items() if name not in freed}
        for candidate in candidates(options, kept) if kept != fixed else ():
            if not excess(candidate, device):
                sizes = " ".join(f"--{name} {getattr(candidate.config, name)}" for name in chosen)
                return f"{sizes} would fit, or choose a larger --device"
    return ("lower --weight-bits or --neurons, take a smaller CPU (--cpu-variant minimal, --cpu-type serv), or "
        "choose a larger --device")
