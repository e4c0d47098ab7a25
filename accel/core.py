#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.config import CORE_COUNTERS, SHIFT_BITS, SPACE_APICAL, SPACE_PARAMETERS, SPACE_SOMA, SPACE_STATE, WORD_BITS
from accel.events import EventList
from accel.layouts import event_layout, memory_port_layout, spike_layout
from accel.population import Population
from accel.synapses import SynapseArray
from accel.walker import Walker

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
    pulses : {name: signal} of `CORE_COUNTERS`, of the clock before.
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
        self.population = population = Population(config)

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
            population.reset_state.eq(self.reset_state),
            self.ready.eq(self.sink.ready),
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
            for name in CORE_COUNTERS}
        self.sync += [
            self.event_full.eq(events.full),
            self.event_unknown.eq(events.unknown),
            self.pulses["steps"].eq(population.step_done),
            self.pulses["events"].eq(events.accepted),
            self.pulses["rows"].eq(walker.new_row),
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
        write        = Signal(name="write")
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
        rows  = self.synapses.sink
        views = {}
        self.sync += self.synapses.fetch.eq(port.read & idle)
        for number, memory, enable, address in (
            (SPACE_SOMA,   self.synapses.soma,   rows.soma,   rows.soma_adr),
            (SPACE_APICAL, self.synapses.apical, rows.apical, rows.apical_adr),
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
