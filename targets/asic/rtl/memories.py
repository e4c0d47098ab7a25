# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Memories of a design as SRAM macros or flip-flops: the files that describe and that simulate them; and those of the
core among its modules."""

from collections import Counter
from collections.abc import Mapping
from operator import attrgetter
from types import MappingProxyType

from litex.gen import LiteXModule
from migen import Cat, ClockDomain, ClockSignal, Constant, If, Instance, ResetSignal, Signal
from migen import Memory as Special

from accel.core import QCLIFCore
from accel.errors import QCLIFError
from accel.memory import SlicedMemory
from targets.asic.design import AsicConfig
from targets.asic.platform.pdk import Pdk
from targets.asic.platform.tiling import Memory
from targets.asic.rtl.flops import clock_gate_model
from targets.asic.rtl.hierarchy import Foreign, Gated, ports_of, split
from targets.asic.rtl.kinds import Made, make
from targets.asic.rtl.sram import macro_model_verilog

# Bits of a FIFO up to which flip-flops are smaller than two halves of macros.
SMALL_FIFO_BITS = 256

INPUTS  = ("read_adr", "read_en", "write_adr", "write_en", "write_data")
OUTPUTS = ("read_data",)


class MemoryFiles:
    """Verilog of memories, and of the models that simulate it.

    Parameters
    ----------
    pdk : its macros, to choose from, and its cells.

    Attributes
    ----------
    sources, models : texts so far, by module.
    counts : instances of each macro, by name.
    """
    def __init__(self, config: AsicConfig, pdk: Pdk) -> None:
        self.config = config
        self.pdk    = pdk
        self.counts:  Counter[str]   = Counter()
        self.sources: dict[str, str] = {}
        self.models:  dict[str, str] = {}

    # Memories -------------------------------------------------------------------------------------

    def add(self, memory: Memory, use: str = "plain") -> Made:
        """Write a memory's module.

        Parameters
        ----------
        use : of targets.asic.rtl.kinds.USES.

        Raises
        ------
        QCLIFError : too many bits for flip-flops, or no macros.
        """
        made = make(memory, use, self.config, self.pdk)
        gate = self.pdk.clock_gate
        self.sources[memory.name] = made.write()
        self.models |= {name: macro_model_verilog(self.pdk.macros[name]) for name in made.macros}
        self.models[gate.name] = clock_gate_model(gate)
        self.counts.update(made.macros)
        return made

    def in_place_of(self, sliced: SlicedMemory, memory: Memory, use: str = "plain",
            pairs: Mapping[str, Signal] = MappingProxyType({})) -> Foreign:
        """Write a memory's module, to take the place of a submodule; `pairs` are the inputs of pairs_verilog()."""
        made   = self.add(memory, use)
        inputs = {name: getattr(sliced, name) for name in INPUTS} | (dict(pairs) if made.kind == "pairs" else {})
        return Foreign(memory.name, inputs, {name: getattr(sliced, name) for name in OUTPUTS})

    # Memories of LiteX's modules ------------------------------------------------------------------

    def ram(self, name: str, special: Special) -> Instance:
        """Write the module of a memory of one port with a read enable, and give its instance."""
        port, = special.ports
        bits  = port.we_granularity or special.width
        self.add(Memory(name, special.depth, (bits,)*(special.width//bits), wide_data=True))
        return Instance(name, name=name,
            i_clk        = ClockSignal(),
            i_read_adr   = port.adr,
            i_read_en    = port.re,
            o_read_data  = port.dat_r,
            i_write_adr  = port.adr,
            i_write_en   = Constant(0, special.width//bits) if port.we is None else port.we,
            i_write_data = Constant(0, special.width) if port.dat_w is None else port.dat_w,
        )

    def fifo(self, name: str, special: Special) -> Instance:
        """Write the module of a FIFO's memory, and give its instance.

        Raises
        ------
        QCLIFError : a depth that has no two halves.
        """
        write, read = sorted(special.ports, key=lambda port: port.we is None)
        ports = dict(i_read_adr=read.adr, i_read_en=read.re, o_read_data=read.dat_r,
            i_write_adr=write.adr, i_write_en=write.we, i_write_data=write.dat_w)
        if self.config.sram == "flops" or special.width*special.depth <= SMALL_FIFO_BITS:
            self.add(Memory(name, special.depth, (special.width,)), "fifo")
            return Instance(name, name=name, i_clk=ClockSignal(), **ports)
        if special.depth % 2:
            raise QCLIFError(f"{name} has {special.depth} words: SRAM macros need an even number; choose another size")
        memory = FIFOMemory(special.width, special.depth, name)
        memory.cd_sys = ClockDomain("sys")
        halves = Memory(f"{name}_halves", special.depth//2, (special.width,), banks=2, hold=True)
        self.sources |= split(memory, name, ports_of(memory, (*INPUTS, *OUTPUTS)),
            {"halves": self.in_place_of(memory.halves, halves)})
        return Instance(name, name=name, i_sys_clk=ClockSignal(), i_sys_rst=ResetSignal(), **ports)

# FIFO Memory --------------------------------------------------------------------------------------

class FIFOMemory(LiteXModule):
    """Memory of a FIFO in two single-port halves: words of even and of odd addresses.

    Reads go through consecutive addresses, and writes do. Where both want the same half, the write
    waits in a register. While it waits, the next read is of the other half; of a write that waits and
    one that arrives, one can always be done, and what waits is never what is read.

    Parameters
    ----------
    width, depth : of the FIFO; an even depth, 4 or more.
    name : of its halves in the Verilog.

    Attributes
    ----------
    read_adr, read_en, read_data : read port, as a SlicedMemory's.
    write_adr, write_en, write_data : write port.
    halves : the memory; the highest bit of its addresses is the FIFO's lowest.
    """
    def __init__(self, width, depth, name):
        if depth < 4 or depth % 2:
            raise ValueError(f"FIFO memory {name} has {depth} words: an even number from 4 up is needed")
        self.read_adr   = Signal(max=depth)
        self.read_en    = Signal()
        self.read_data  = Signal(width)
        self.write_adr  = Signal(max=depth)
        self.write_en   = Signal()
        self.write_data = Signal(width)
        self.halves     = halves = SlicedMemory([width], 2**len(self.read_adr), name)

        # # #

        def place(address):
            """Address in the halves."""
            return Cat(address[1:], address[0])

        waits    = Signal()
        adr      = Signal(len(self.write_adr))
        data     = Signal(width)
        blocked  = Signal() # What waits.
        conflict = Signal() # What arrives.
        self.comb += [
            blocked.eq(self.read_en & (self.read_adr[0] == adr[0])),
            conflict.eq(self.read_en & (self.read_adr[0] == self.write_adr[0])),
            halves.read_adr.eq(place(self.read_adr)),
            halves.read_en.eq(self.read_en),
            self.read_data.eq(halves.read_data),
            If(waits & ~blocked,
                halves.write_adr.eq(place(adr)),
                halves.write_data.eq(data),
                halves.write_en.eq(1),
            ).Else(
                halves.write_adr.eq(place(self.write_adr)),
                halves.write_data.eq(self.write_data),
                halves.write_en.eq(self.write_en & ~conflict),
            ),
        ]
        self.sync += If(~waits | ~blocked,
            waits.eq(self.write_en & (waits | conflict)),
            adr.eq(self.write_adr),
            data.eq(self.write_data),
        )

# Core ---------------------------------------------------------------------------------------------

# Path of the submodule: its Verilog module, and what it is.
MODULES = {
    "events":               ("qclif_events",     "list of events"),
    "walker":               ("qclif_walker",     "walk of rows and groups"),
    "synapses":             ("qclif_synapses",   "sums of the lanes"),
    "population":           ("qclif_population", "currents, states and spikes of the neurons"),
    "population.pipeline0": ("qclif_pipeline",   "neuron: AC, MU, SC, TC"),
}

# Those of split sums, each behind a clock gate.
SUMS = {
    "synapses.sums_soma":   ("qclif_sums_soma",   "somatic sums"),
    "synapses.sums_apical": ("qclif_sums_apical", "apical sums"),
}

MEMORIES = {
    "synapses.soma":            ("qclif_weights_soma",   "somatic weights"),
    "synapses.apical":          ("qclif_weights_apical", "apical weights"),
    "population.parameters":    ("qclif_parameters",     "parameters of the neurons"),
    "population.states":        ("qclif_states",         "V_a and V_s"),
    "population.outlet.memory": ("qclif_spike_list",     "memory of the spikes"),
    "events.lists":             ("qclif_event_list",     "memory of the events"),
}

DESCRIPTIONS = {"qclif_core": "memory port and counters"} | {name: text
    for parts in (MODULES, SUMS, MEMORIES) for name, text in parts.values()}


def core_parts(core: QCLIFCore, files: MemoryFiles) -> dict[str, str | Foreign | Gated]:
    """Modules that the core is split into, for targets.asic.rtl.hierarchy.split(); writes those of its memories.

    Weights and parameters are written by software only, while the core is idle. Of the two lists of events, and of
    spikes, one is written while the other one is read. States are read and written in the same clock. Several neurons
    a clock are parts of the population, and have no list of spikes; memories of one word are registers of it.
    """
    config = core.config
    # Words of a list; the memory's own depth is a power of two.
    lists  = {
        "population.outlet.memory": dict(depth=config.neurons, banks=2),
        # A list is given back while its last entry is on its way to the walker, which may be made to wait.
        "events.lists":             dict(depth=config.step_events, banks=2, hold=True),
    }
    absent = ("population.pipeline0", "population.outlet.memory") if config.updates > 1 else ()
    parts: dict[str, str | Foreign | Gated] = {path: name for path, (name, _) in MODULES.items() if path not in absent}
    if core.frugal:
        parts |= {path: Gated(name, files.pdk.clock_gate, attrgetter(path)(core).ce)
            for path, (name, _) in SUMS.items()}
    for place in (place for place in MEMORIES if place not in absent):
        path, (name, _) = place, MEMORIES[place]
        sliced: SlicedMemory = attrgetter(path)(core)
        if sliced.depth == 1:
            continue
        if core.protect != "none": # Check bits are the core's: the memory within is wider.
            path   = f"{path}.{sliced.name}_words"
            sliced = getattr(sliced, f"{sliced.name}_words")
        shape  = {"depth": sliced.depth, **lists.get(place, {})}
        memory = Memory(name, slices=sliced.widths, **shape)
        if place == "population.states":
            parts[path] = files.in_place_of(sliced, memory, "in turn",
                {"in_turn": core.busy, "last": core.population.step_done})
        else:
            parts[path] = files.in_place_of(sliced, memory)
    return parts
