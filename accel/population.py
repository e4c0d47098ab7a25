# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.config import SHIFT_BITS
from accel.layouts import spike_layout, spike_list_layout, sums_layout
from accel.memory import word_memory
from accel.neuron import NeuronPipeline, parameter_layout

# Population ---------------------------------------------------------------------------------------

class Population(LiteXModule):
    """All neurons: takes a group's sums, updates one neuron a clock, keeps states and spikes.

    The sums of a group are held while its neurons are updated, so that the next group is summed
    meanwhile. Spikes leave in ascending order and are listed, double-buffered, as the recurrent rows
    of the next step.

    Parameters
    ----------
    config : QCLIFConfig.
    protect : of PROTECTIONS, check bits of the memories.

    Attributes
    ----------
    sink : sums of the groups.
    source : spikes; `last` ends the step (on the last neuron's beat, spike or not).
    fresh : there was no step since the reset: states are zeros, whatever their memory holds.
    spikes : list of the spikes of the step before.
    step_done : pulse; the last neuron of a step is updated, its beat leaves or is set aside.
    active : there is a neuron to be read, `neuron`.
    stall : pulse; the source was not ready.
    parameters, states : memories; their read ports are the neurons' while they are updated.
    lists : memory of both lists of spikes; the highest bit of an address is the list's.
    """
    def __init__(self, config, protect="none"):
        self.sink          = sink   = stream.Endpoint(sums_layout(config))
        self.source        = source = stream.Endpoint(spike_layout(config))
        self.apical_shift  = Signal(SHIFT_BITS)
        self.product_shift = Signal(SHIFT_BITS)
        self.spikes        = spikes = Record(spike_list_layout(config))
        self.step_done     = Signal()
        self.stall         = Signal()
        self.fresh         = Signal(reset=1)
        self.active        = Signal()
        self.neuron        = Signal(max=max(2, config.neurons)) # Neuron that is read.
        self.parameters    = word_memory([sum(bits for _, bits in fields) for fields in parameter_layout(config)],
            config.neurons, "parameters", protect=protect)
        self.states        = word_memory([2*config.state_bits], config.neurons, "states", protect=protect)
        self.pipeline      = pipeline = NeuronPipeline(config)

        # # #

        # A beat that cannot leave is set aside, and the pipeline stands still in the next clock: no path goes through
        # the core from the source's ready.
        # ------------------------------------------------------------------------------------------------------------
        self.output = output = stream.PipeReady(spike_layout(config))
        ce          = pipeline.ce
        self.comb += [
            ce.eq(output.sink.ready),
            output.source.connect(source),
            self.stall.eq(source.valid & ~source.ready),
            pipeline.apical_shift.eq(self.apical_shift),
            pipeline.product_shift.eq(self.product_shift),
        ]

        # Held sums: one lane a clock.
        # ----------------------------
        bits      = (config.accumulator_bits, True)
        sums      = {"soma": sink.soma.flatten(), "apical": sink.apical.flatten()}
        held      = {name: [Signal(bits, name=f"held_{name}{n}", reset_less=True) for n in range(config.lanes)]
            for name in sums}
        remaining = Signal(max=config.lanes + 1)
        lane      = Signal(max=max(2, config.lanes), reset_less=True)
        step_last = Signal(reset_less=True)
        remains   = Signal.like(remaining) # In the next clock,
        moves     = Signal()               # in which the pipeline does.
        takes     = Signal(reset=1)
        self.comb += [
            sink.ready.eq(takes),
            self.active.eq(remaining != 0),
            remains.eq(remaining - (self.active & ce)),
            If(sink.valid & sink.ready, remains.eq(sink.lanes)),
            moves.eq(~self.stall),
        ]
        self.sync += [
            remaining.eq(remains),
            # Known a clock before: what stands still until sums are taken follows from a register.
            takes.eq((remains == 0) | ((remains == 1) & moves)),
            If(self.active & ce,
                lane.eq(lane + 1),
                self.neuron.eq(self.neuron + 1),
                If(step_last & (remaining == 1), self.neuron.eq(0)),
            ),
            If(sink.valid & sink.ready,
                lane.eq(0),
                step_last.eq(sink.last),
                *[register.eq(total) for name in sums for register, total in zip(held[name], sums[name], strict=True)],
            ),
        ]

        # Neuron inputs.
        # --------------
        selected = Record([("soma", bits), ("apical", bits)], reset_less=True)
        self.sync += If(ce & self.active,
            selected.soma.eq(Array(held["soma"])[lane]),
            selected.apical.eq(Array(held["apical"])[lane]),
        )
        parameters = [field for fields in parameter_layout(config) for field in fields]
        v_apical   = self.states.read_data[:config.state_bits]
        v_soma     = self.states.read_data[config.state_bits:]
        self.comb += [
            Cat(*[getattr(pipeline.inputs, name) for name, _ in parameters]).eq(self.parameters.read_data),
            pipeline.inputs.soma.eq(selected.soma),
            pipeline.inputs.apical.eq(selected.apical),
            If(~self.fresh,
                pipeline.inputs.v_apical.eq(v_apical),
                pipeline.inputs.v_soma.eq(v_soma),
            ),
        ]
        if protect != "none":
            self.comb += self.states.ignore.eq(self.fresh)

        # Along the pipeline: which neuron.
        # ---------------------------------
        token = [("last", 1), ("neuron", len(self.neuron))]
        head  = Record(token)
        tail  = head
        valid = [self.active]
        self.comb += [
            head.last.eq(step_last & (remaining == 1)),
            head.neuron.eq(self.neuron),
        ]
        for n in range(1 + pipeline.latency):
            register = Record(token, name=f"token{n}", reset_less=True)
            occupied = Signal(name=f"token{n}_valid")
            self.sync += If(ce,
                register.eq(tail),
                occupied.eq(valid[-1]),
            )
            tail = register
            valid.append(occupied)

        # Outputs: states, spikes, list of spikes.
        # ----------------------------------------
        self.lists = lists = word_memory([len(self.neuron)], 2**(len(self.neuron) + 1), "spike_list", protect=protect)
        write_list = Signal()
        fill       = Signal(max=config.neurons + 1)
        count      = Signal(max=config.neurons + 1)
        listed     = Signal(reset=1) # The walker still needs the list.
        done       = Signal()
        self.comb += [
            done.eq(valid[-1] & ce),
            self.step_done.eq(done & tail.last),
            output.sink.valid.eq(valid[-1] & (pipeline.spike | tail.last)),
            output.sink.neuron.eq(tail.neuron),
            output.sink.spike.eq(pipeline.spike),
            output.sink.last.eq(tail.last),
            self.states.write_adr.eq(tail.neuron),
            self.states.write_data.eq(Cat(pipeline.v_apical, pipeline.v_soma)),
            self.states.write_en.eq(done),
            lists.write_adr.eq(Cat(fill[:len(self.neuron)], write_list)),
            lists.write_data.eq(tail.neuron),
            lists.write_en.eq(done & pipeline.spike),
            count.eq(fill + (done & pipeline.spike)),
            lists.read_adr.eq(Cat(spikes.index, ~write_list)),
            lists.read_en.eq(spikes.read),
            spikes.valid.eq(listed),
            spikes.neuron.eq(lists.read_data),
        ]
        self.sync += [
            fill.eq(count),
            If(spikes.release, listed.eq(0)),
            If(self.step_done,
                fill.eq(0),
                write_list.eq(~write_list),
                spikes.count.eq(count),
                listed.eq(1),
                self.fresh.eq(0),
            ),
        ]
