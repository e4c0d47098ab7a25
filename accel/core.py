#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.config import SHIFT_BITS, SPACE_APICAL, SPACE_PARAMETERS, SPACE_SHIFT, SPACE_SOMA, SPACE_STATE, WORD_BITS
from accel.events import EventList, event_layout
from accel.population import Population, spike_layout
from accel.synapses import SynapseArray
from accel.walker import Walker

# Memory Port --------------------------------------------------------------------------------------

memory_port_layout = [
    ("space",   2), # SPACE_*: somatic weights, apical weights, parameters, states (read only).
    ("address", SPACE_SHIFT),
    ("write",   1), # While idle: one word, stored at once.
    ("data_w",  WORD_BITS),
    ("read",    1), # While idle: data_r in the next clock (weights of a registered core: one later), until the next.
    ("data_r",  WORD_BITS),
]

# Counters -----------------------------------------------------------------------------------------

# Pulses (and `sops`, a number a clock) of the core that the peripheral counts.
core_counters = {
    "steps":     "time steps computed",
    "events":    "events taken (all sources)",
    "rows":      "active rows: events and recurrent spikes",
    "sops":      "synaptic operations: weights added",
    "spikes":    "output spikes",
    "busy":      "clocks with a step in work",
    "stalls":    "clocks in which spikes waited for the output",
    "overflows": "events dropped: list full or no such source",
}

# Core ---------------------------------------------------------------------------------------------

class QCLIFCore(LiteXModule):
    """Recurrent network of qCLIF neurons, event-driven and output-stationary.

    A step costs close to groups*max(rows, lanes) clocks: for each group of `lanes` neurons the list
    of active rows is walked, one weight word a clock and compartment, while the neurons of the group
    before are updated one a clock.

    Parameters
    ----------
    config : QCLIFConfig.
    registered, single_port : as the synapse array's.

    Attributes
    ----------
    sink : source events {source, event}, `last` ends a step.
    source : spikes {neuron, spike}, `last` ends a step's output.
    memory : port of software to weights, parameters and states.
    neurons, apical_shift, product_shift : of the loaded network; to be changed while idle.
    reset_state : pulse while idle.
    ready : a step may be sent (its events and `last`) without a wait.
    busy : a step is in work.
    event_full, event_unknown : pulses; an event was dropped in the clock before.
    pulses : {name: signal} of `core_counters`, of the clock before.
    """
    def __init__(self, config, registered=False, single_port=False):
        self.config        = config
        self.sink          = stream.Endpoint(event_layout(config))
        self.source        = stream.Endpoint(spike_layout(config))
        self.memory        = Record(memory_port_layout)
        self.neurons       = Signal(max=config.neurons + 1, reset=config.neurons)
        self.apical_shift  = Signal(SHIFT_BITS)
        self.product_shift = Signal(SHIFT_BITS, reset=6)
        self.reset_state   = Signal()
        self.ready         = Signal()
        self.busy          = Signal()
        self.event_full    = Signal()
        self.event_unknown = Signal()

        # # #

        self.events     = events     = EventList(config)
        self.walker     = walker     = Walker(config)
        self.synapses   = synapses   = SynapseArray(config, registered, single_port)
        self.population = population = Population(config, synapses.soma_sums, synapses.apical_sums)

        # Events -> Walker -> Synapses -> Population.
        # -------------------------------------------
        self.comb += [
            self.sink.connect(events.sink),
            self.ready.eq(events.sink.ready),
            walker.ce.eq(synapses.ce),
            walker.neurons.eq(self.neurons),
            # Lists.
            walker.events_valid.eq(events.valid),
            walker.events_count.eq(events.count),
            walker.events_apical.eq(events.apical),
            walker.events_row.eq(events.row),
            events.index.eq(walker.events_index),
            events.ce.eq(walker.events_read),
            events.release.eq(walker.events_release),
            walker.spikes_valid.eq(population.spikes_valid),
            walker.spikes_count.eq(population.spikes_count),
            walker.spikes_neuron.eq(population.spikes_neuron),
            population.spikes_index.eq(walker.spikes_index),
            population.spikes_ce.eq(walker.spikes_read),
            population.taken.eq(walker.spikes_taken),
            # Words.
            synapses.walk_valid.eq(walker.valid),
            synapses.walk_first.eq(walker.first),
            synapses.walk_last.eq(walker.last),
            synapses.walk_step_last.eq(walker.step_last),
            synapses.walk_soma.eq(walker.soma_en),
            synapses.walk_apical.eq(walker.apical_en),
            synapses.walk_lanes.eq(walker.lanes),
            # Neurons.
            population.valid.eq(synapses.valid),
            population.last.eq(synapses.last),
            population.lanes.eq(synapses.lanes),
            synapses.ready.eq(population.ready),
            population.apical_shift.eq(self.apical_shift),
            population.product_shift.eq(self.product_shift),
            population.reset_state.eq(self.reset_state),
            population.source.connect(self.source),
        ]

        # Steps in work: received, not yet through.
        # -----------------------------------------
        steps    = Signal(max=4)
        received = Signal()
        self.comb += [
            received.eq(self.sink.valid & self.sink.ready & self.sink.last),
            self.busy.eq(steps != 0),
        ]
        self.sync += steps.eq(steps + received - population.step_done)

        # Counters: registers, so that no path goes through the core from a handshake to a counter.
        # -----------------------------------------------------------------------------------------
        self.pulses = {name: Signal(len(synapses.sops) if name == "sops" else 1, name=f"count_{name}")
            for name in core_counters}
        self.sync += [
            self.event_full.eq(events.full),
            self.event_unknown.eq(events.unknown),
            self.pulses["steps"].eq(population.step_done),
            self.pulses["events"].eq(events.accepted),
            self.pulses["rows"].eq(walker.first_group),
            self.pulses["sops"].eq(synapses.sops),
            self.pulses["spikes"].eq(self.source.valid & self.source.ready & self.source.spike),
            self.pulses["busy"].eq(self.busy),
            self.pulses["stalls"].eq(population.stall),
            self.pulses["overflows"].eq(events.full | events.unknown),
        ]

        # Memory Port.
        # ------------
        self.add_memory_port()

    def add_memory_port(self):
        """Writes have ports of their own; reads borrow the core's. Both while it is idle, and at the same address: a
        memory may be one single-port macro."""
        config, port = self.config, self.memory
        idle         = Signal()
        write        = Signal()
        column       = port.address[:config.slice_bits] if config.slice_bits else Constant(0)
        word         = port.address[config.slice_bits:]
        space        = Signal(2)  # Of the last read.
        shift        = Signal(max=max(2, config.slices))
        self.comb += [
            idle.eq(~self.busy),
            write.eq(port.write & idle),
        ]
        self.sync += If(port.read,
            space.eq(port.space),
            shift.eq(column),
        )

        # Weights.
        # --------
        views = {}
        self.sync += self.synapses.fetch.eq(port.read & idle)
        for number, memory, enable, address in (
            (SPACE_SOMA,   self.synapses.soma,   self.walker.soma_en,   self.walker.soma_adr),
            (SPACE_APICAL, self.synapses.apical, self.walker.apical_en, self.walker.apical_adr),
        ):
            slices  = [memory.read_data[n:n + config.slice_lanes*config.weight_bits]
                for n in range(0, len(memory.read_data), config.slice_lanes*config.weight_bits)]
            views[number] = Array(slices)[shift] if len(slices) > 1 else slices[0]
            self.comb += [
                memory.write_adr.eq(word),
                memory.write_data.eq(port.data_w),
                *[memory.write_en[n].eq(write & (port.space == number) & (column == n if config.slice_bits else 1))
                    for n in range(config.slices)],
                memory.read_adr.eq(Mux(idle, word, address)),
                memory.read_en.eq(Mux(idle, port.read & (port.space == number), enable)),
            ]

        # Parameters.
        # -----------
        memory = self.population.parameters
        half   = Signal()
        low    = len(self.population.pipeline.inputs.threshold) + len(self.population.pipeline.inputs.leak_soma)
        views[SPACE_PARAMETERS] = Mux(half, memory.read_data[low:], memory.read_data[:low])
        self.sync += If(port.read, half.eq(port.address[0]))
        self.comb += [
            memory.write_adr.eq(port.address[1:]),
            memory.write_data.eq(port.data_w),
            *[memory.write_en[n].eq(write & (port.space == SPACE_PARAMETERS) & (port.address[0] == n))
                for n in range(2)],
        ]

        # States: V_a in the low half, V_s in the high half of the word; zeros after a reset.
        # -----------------------------------------------------------------------------------
        states = self.population.states
        word32 = Signal(WORD_BITS)
        self.comb += If(~self.population.fresh,
            word32[:config.state_bits].eq(states.read_data[:config.state_bits]),
            word32[16:16 + config.state_bits].eq(states.read_data[config.state_bits:]),
        )
        views[SPACE_STATE] = word32

        # The neurons' read ports.
        # ------------------------
        ce = self.population.pipeline.ce & self.population.active
        for number, memory, address in (
            (SPACE_PARAMETERS, self.population.parameters, port.address[1:]),
            (SPACE_STATE,      self.population.states,     port.address),
        ):
            self.comb += [
                memory.read_adr.eq(Mux(idle, address, self.population.neuron)),
                memory.read_en.eq(Mux(idle, port.read & (port.space == number), ce)),
            ]
        self.comb += Case(space, {number: port.data_r.eq(view) for number, view in views.items()})
