# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from itertools import accumulate

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.config import (
    CORE_COUNTERS,
    FAULTS,
    SHIFT_BITS,
    SPACE_APICAL,
    SPACE_PARAMETERS,
    SPACE_SOMA,
    SPACE_STATE,
    WORD_BITS,
    check_protection,
)
from accel.events import EventList
from accel.layouts import event_layout, memory_port_layout, spike_layout
from accel.population import Population
from accel.synapses import SynapseArray
from accel.walker import Walker

# Core ---------------------------------------------------------------------------------------------

class QCLIFCore(LiteXModule):
    """Recurrent network of qCLIF neurons, event-driven and output-stationary.

    A step costs close to groups*max(rows, lanes/updates) clocks: for each group of `lanes` neurons the list
    of active rows is walked, one weight word a clock and compartment, while the neurons of the group
    before are updated, `updates` of them a clock.

    Parameters
    ----------
    config : QCLIFConfig.
    registered, single_port : as the synapse array's.
    frugal : less energy where a clock has gates: the synapse array's, and the population's.
    protect : of PROTECTIONS, check bits of all memories: "none", "parity", "secded".

    Attributes
    ----------
    sink : source events {source, event}, `last` ends a step.
    source : spikes {neuron, spike}, `last` ends a step's output.
    memory : port of software to weights, parameters and states.
    port_clocks : from a read at the port to its word, clocks: 1, or 2 where the weights have registers behind them or
        several neurons a clock, and thus many memories, have one before the port.
    neurons, apical_shift, product_shift : of the loaded network; to be changed while idle.
    reset_state : pulse, at any time: V_a = V_s = z = 0, whatever is in work is dropped, and the next clock is idle.
        What enters in the same clock is lost.
    ready : a step may be sent (its events and `last`) without a wait.
    fill : events of the step that is not ended.
    busy : a step is in work.
    event_full, event_unknown : pulses; an event was dropped in the clock before.
    pulses : {name: signal} of `CORE_COUNTERS`, of the clock before.
    faults : {name: signal} of `FAULTS`: words that were read of the memories a few clocks before, and in which a bit
        was put right ("corrected"), or that are wrong ("uncorrected"). They are told of before a spike that follows
        from them leaves. Zeros without protection.
    """
    def __init__(self, config, registered=False, single_port=False, protect="none", frugal=False):
        check_protection(protect)
        self.config        = config
        self.registered    = registered
        self.protect       = protect
        self.frugal        = frugal
        self.sink          = stream.Endpoint(event_layout(config))
        self.source        = stream.Endpoint(spike_layout(config))
        self.memory        = Record(memory_port_layout)
        self.port_clocks   = 2 if registered or config.updates > 1 else 1
        self.neurons       = Signal(max=config.neurons + 1, reset=config.neurons)
        self.apical_shift  = Signal(SHIFT_BITS)
        self.product_shift = Signal(SHIFT_BITS, reset=6)
        self.reset_state   = Signal()
        self.ready         = Signal()
        self.busy          = Signal()
        self.event_full    = Signal()
        self.event_unknown = Signal()

        # # #

        stage = ResetInserter()
        self.events     = events     = stage(EventList(config, protect, registered))
        self.walker     = walker     = stage(Walker(config))
        self.synapses   = synapses   = stage(SynapseArray(config, registered, single_port, protect, frugal))
        self.population = population = stage(Population(config, protect, frugal))

        self.fill = events.fill

        # Events -> Walker -> Synapses -> Population.
        # -------------------------------------------
        self.comb += [
            self.sink.connect(events.sink),
            events.list.connect(walker.events),
            population.spikes.connect(walker.spikes),
            walker.source.connect(synapses.sink),
            synapses.source.connect(population.sink),
            population.source.connect(self.source),
            # Settings and status.
            walker.neurons.eq(self.neurons),
            population.apical_shift.eq(self.apical_shift),
            population.product_shift.eq(self.product_shift),
            *[module.reset.eq(self.reset_state) for module in (events, walker, synapses, population)],
            self.ready.eq(self.sink.ready),
        ]

        # Steps in work: received, not yet through. Two are listed, one is updated, the end of one waits at the source.
        # -------------------------------------------------------------------------------------------------------------
        steps    = Signal(max=5)
        left     = Signal.like(steps)
        in_work  = Signal() # Its own register: of a port, the Verilog would not have the value at power-up.
        received = Signal()
        through  = Signal()
        self.comb += [
            received.eq(self.sink.valid & self.sink.ready & self.sink.last),
            through.eq(self.source.valid & self.source.ready & self.source.last),
            left.eq(steps + received - through),
            If(self.reset_state, left.eq(0)),
        ]
        self.sync += [
            steps.eq(left),
            # left != 0, with little behind the handshakes.
            in_work.eq(~self.reset_state & (received | (steps > 1) | ((steps == 1) & ~through))),
        ]
        self.comb += self.busy.eq(in_work)

        # Counters: registers, so that no path goes through the core from a handshake to a counter. They have signals
        # of their own, as in_work has.
        # -----------------------------------------------------------------------------------------------------------
        self.pulses = {name: Signal(len(synapses.sops) if name == "sops" else 1, name=f"count_{name}")
            for name in CORE_COUNTERS}
        counted = {name: Signal(len(pulse), name=f"counted_{name}") for name, pulse in self.pulses.items()}
        full    = Signal()
        unknown = Signal()
        self.sync += [
            full.eq(events.full),
            unknown.eq(events.unknown),
            counted["steps"].eq(through),
            counted["events"].eq(events.accepted),
            counted["rows"].eq(walker.new_row),
            counted["sops"].eq(synapses.sops),
            counted["spikes"].eq(self.source.valid & self.source.ready & self.source.spike),
            counted["busy"].eq(self.busy),
            counted["stalls"].eq(population.stall),
            counted["overflows"].eq(events.full | events.unknown),
            If(self.reset_state, *[count.eq(0) for count in counted.values()]),
        ]
        self.comb += [
            self.event_full.eq(full),
            self.event_unknown.eq(unknown),
            *[pulse.eq(counted[name]) for name, pulse in self.pulses.items()],
        ]

        # Faults of memories.
        # -------------------
        memories    = (events.lists, synapses.soma, synapses.apical, *population.memories)
        self.faults = {name: Signal(max=len(memories) + 1, name=f"fault_{name}") for name in FAULTS}
        if protect != "none":
            found = {name: Signal(len(signal), name=f"found_{name}") for name, signal in self.faults.items()}
            for name, signal in self.faults.items():
                self.sync += found[name].eq(sum(getattr(memory, name) for memory in memories))
                self.comb += signal.eq(found[name])

        # Memory Port.
        # ------------
        self.add_memory_port()

    def add_memory_port(self):
        """Writes have ports of their own; reads borrow the core's. Both while it is idle, and at the same address: a
        memory may be one single-port macro."""
        config, port, population, rows = self.config, self.memory, self.population, self.synapses.reads
        idle   = Signal()
        write  = Signal()
        update = population.ce & population.active
        halves = 1 + config.update_bits # Bits that tell the slice of a word of parameters.
        space  = Signal(2)                                 # Of the last read,
        part   = Signal(max(halves, config.slice_bits))    # and the slice of its word.
        if config.updates > 1 and not self.registered:
            # A clock later, but as of the clock of the access: the first row of a step that is received meanwhile is
            # read some clocks behind it.
            late  = Record(memory_port_layout, name="late_memory")
            names = ("space", "address", "write", "data_w", "read")
            self.sync += [
                *[getattr(late, name).eq(getattr(port, name)) for name in names],
                idle.eq(~self.busy),
            ]
            self.comb += port.data_r.eq(late.data_r)
            port = late
        else:
            self.comb += idle.eq(~self.busy)
        self.comb += write.eq(port.write & idle)
        self.sync += [
            If(port.read,
                space.eq(port.space),
                part.eq(port.address),
            ),
            self.synapses.fetch.eq(port.read & idle),
        ]

        # Words: low bits of the address tell the slice, the others the word.
        # --------------------------------------------------------------------
        views = {}
        banks = {} # Of banked memories, those that the rows read.
        if self.registered:
            banks = {SPACE_SOMA: rows.soma_banks, SPACE_APICAL: rows.apical_banks}
        for number, memory, part_bits, enable, address in (
            (SPACE_SOMA,       self.synapses.soma,    config.slice_bits,  rows.soma,   rows.soma_adr),
            (SPACE_APICAL,     self.synapses.apical,  config.slice_bits,  rows.apical, rows.apical_adr),
            (SPACE_PARAMETERS, population.parameters, halves,             update,      population.word),
            (SPACE_STATE,      population.states,     config.update_bits, update,      population.word),
        ):
            word   = port.address[part_bits:]
            widths = memory.widths if number != SPACE_STATE else config.pipelines*[2*config.state_bits]
            ends   = accumulate(widths)
            slices = [memory.read_data[end - width:end] for end, width in zip(ends, widths, strict=True)]
            views[number] = Array(slices)[part[:part_bits]] if part_bits else slices[0]
            self.comb += [
                memory.read_adr.eq(Mux(idle, word, address)),
                memory.read_en.eq(Mux(idle, port.read & (port.space == number), enable)),
            ]
            if number in banks:
                # All of them while idle: what is not asked for is not taken, and the way to the block RAMs is short.
                self.comb += memory.read_banks.eq(banks[number] | Replicate(idle, len(banks[number])))
            if number != SPACE_STATE:
                chosen = write & (port.space == number)
                self.comb += [
                    memory.write_adr.eq(word),
                    memory.write_data.eq(port.data_w),
                    *[memory.write_en[n].eq(chosen & (port.address[:part_bits] == n if part_bits else 1))
                        for n in range(len(slices))],
                ]

        # States: V_a in the low half, V_s in the high half of the word; zeros after a reset.
        # -----------------------------------------------------------------------------------
        word32 = Signal(WORD_BITS)
        self.comb += If(~population.fresh,
            word32[:config.state_bits].eq(views[SPACE_STATE][:config.state_bits]),
            word32[16:16 + config.state_bits].eq(views[SPACE_STATE][config.state_bits:]),
        )
        views[SPACE_STATE] = word32
        self.comb += Case(space, {number: port.data_r.eq(view) for number, view in views.items()})
