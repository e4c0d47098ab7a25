# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.config import SHIFT_BITS
from accel.layouts import index_bits, sums_layout, updates_layout
from accel.memory import word_memory
from accel.neuron import NeuronPipeline, parameter_layout
from accel.spikes import SpikeList, SpikeVector

# Population ---------------------------------------------------------------------------------------

class Population(LiteXModule):
    """All neurons: takes a group's sums, updates Q neurons a clock, keeps states and spikes.

    The sums of a group are held while its neurons are updated, so that the next group is summed meanwhile; where all
    of a group are updated at once, they go straight to the neurons. States and parameters are in words of Q neurons.

    Parameters
    ----------
    config : QCLIFConfig.
    protect : of PROTECTIONS, check bits of the memories.
    frugal : as NeuronPipeline's.

    Attributes
    ----------
    sink : sums of the groups.
    source, spikes, stall, step_done : as SpikeOutlet's.
    fresh : there was no step since the reset: states are zeros, whatever their memory holds.
    ce : the pipelines advance.
    active : there is a word of neurons to be read, `word`. With Q = 1 that is the neuron.
    parameters, states : memories; their read ports are the neurons' while they are updated.
    outlet : of the spikes.
    memories : all that the neurons keep things in.
    """
    def __init__(self, config, protect="none", frugal=False):
        self.sink          = sink   = stream.Endpoint(sums_layout(config))
        self.apical_shift  = Signal(SHIFT_BITS)
        self.product_shift = Signal(SHIFT_BITS)
        self.fresh         = Signal(reset=1)
        self.active        = Signal()
        self.word          = Signal(index_bits(config.neuron_words))
        halves             = [sum(bits for _, bits in fields) for fields in parameter_layout(config)]
        self.parameters    = word_memory(config.pipelines*halves, config.neuron_words, "parameters", protect=protect)
        self.states        = word_memory([config.pipelines*2*config.state_bits], config.neuron_words, "states",
            protect=protect)
        self.outlet        = outlet = SpikeList(config, protect) if config.updates == 1 else SpikeVector(config)
        self.memories      = [self.parameters, self.states, *([outlet.memory] if config.updates == 1 else [])]
        self.source        = outlet.source
        self.spikes        = outlet.list
        self.stall         = outlet.stall
        self.step_done     = outlet.step_done
        self.ce            = ce = outlet.ce

        # # #

        # Held sums: those of Q lanes a clock.
        # ------------------------------------
        bits      = (config.accumulator_bits, True)
        sums      = {"soma": sink.soma.flatten(), "apical": sink.apical.flatten()}
        final     = Signal() # The group's last word is read,
        step_last = Signal(reset_less=True) # and is the step's.
        count     = Signal(max=config.updates + 1, reset_less=True) # Neurons of that word.
        if config.updates == 1 or config.word_lanes > config.updates:
            chosen = self.hold(config, sums, final, step_last, count)
        else:
            chosen = sums
            self.comb += [
                sink.ready.eq(ce),
                self.active.eq(sink.valid),
                final.eq(1),
                step_last.eq(sink.last),
                count.eq(sink.lanes),
            ]
        self.sync += If(self.active & ce,
            self.word.eq(self.word + 1),
            If(step_last & final, self.word.eq(0)),
        )

        # Neurons.
        # --------
        self.pipelines = [NeuronPipeline(config, frugal) for _ in range(config.pipelines)]
        for n, pipeline in enumerate(self.pipelines):
            self.add_module(name=f"pipeline{n}", module=pipeline)
            selected = Record([("soma", bits), ("apical", bits)], name=f"selected{n}", reset_less=True)
            self.sync += If(ce & self.active,
                *[getattr(selected, name).eq(chosen[name][n]) for name in chosen],
            )
            parameters = [field for fields in parameter_layout(config) for field in fields]
            first      = n*sum(halves)
            states     = self.states.read_data[2*n*config.state_bits:2*(n + 1)*config.state_bits]
            self.comb += [
                pipeline.ce.eq(ce),
                pipeline.apical_shift.eq(self.apical_shift),
                pipeline.product_shift.eq(self.product_shift),
                Cat(*[getattr(pipeline.inputs, name) for name, _ in parameters]).eq(
                    self.parameters.read_data[first:first + sum(halves)]),
                pipeline.inputs.soma.eq(selected.soma),
                pipeline.inputs.apical.eq(selected.apical),
                If(~self.fresh,
                    pipeline.inputs.v_apical.eq(states[:config.state_bits]),
                    pipeline.inputs.v_soma.eq(states[config.state_bits:]),
                ),
            ]

        # Along the pipelines: which neurons.
        # -----------------------------------
        head  = Record(updates_layout(config), name="head")
        tail  = head
        valid = [self.active]
        last  = [head.last]
        self.comb += [
            head.last.eq(step_last & final),
            head.word.eq(self.word),
        ]
        if config.updates > 1:
            self.comb += head.count.eq(Mux(final, count, config.updates))
        if protect != "none":
            self.comb += self.states.ignore.eq(self.fresh)
            if config.updates > 1:
                # What nobody has written, nobody scrubs.
                absent = [self.active & (head.count <= n) for n in range(config.pipelines)]
                self.comb += self.parameters.ignore.eq(Cat(*[Replicate(each, len(halves)) for each in absent]))
        for n in range(1 + NeuronPipeline.latency):
            register = Record(updates_layout(config), name=f"token{n}", reset_less=True)
            occupied = Signal(name=f"token{n}_valid")
            self.sync += [
                If(ce & valid[-1] if frugal else ce, register.eq(tail)),
                If(ce, occupied.eq(valid[-1])),
            ]
            tail = register
            valid.append(occupied)
            last.append(register.last)
        if frugal:
            self.comb += [pipeline.occupied.eq(Cat(*valid[1:-1])) for pipeline in self.pipelines]

        # States and spikes.
        # ------------------
        self.comb += [
            outlet.valid.eq(valid[-1]),
            outlet.update.eq(tail),
            outlet.spikes.eq(Cat(*[pipeline.spike for pipeline in self.pipelines])),
            outlet.ending.eq((valid[-1] & last[-1]) | (valid[-2] & last[-2])),
            self.states.write_adr.eq(tail.word),
            self.states.write_data.eq(Cat(*[Cat(pipeline.v_apical, pipeline.v_soma) for pipeline in self.pipelines])),
            self.states.write_en.eq(outlet.done),
        ]
        self.sync += If(self.step_done, self.fresh.eq(0))

    def hold(self, config, sums, final, step_last, count):
        """Registers of a group's sums; returns those of the Q lanes that are read, by compartment."""
        sink, ce  = self.sink, self.ce
        lanes     = range(config.word_lanes)
        slots     = -(-config.word_lanes//config.updates)
        held      = {name: [Signal((config.accumulator_bits, True), name=f"held_{name}{n}", reset_less=True)
            for n in lanes] for name in sums}
        slot      = Signal(max=max(2, slots), name="slot", reset_less=True)
        words     = Signal(max=config.update_clocks + 1) # Of the sums that are offered.
        remaining = Signal(max=config.update_clocks + 1) # Of those that are held, to be read.
        remains   = Signal.like(remaining)               # In the next clock.
        takes     = Signal(reset=1)
        self.comb += [
            sink.ready.eq(takes),
            self.active.eq(remaining != 0),
            final.eq(remaining == 1),
            words.eq(sink.lanes[config.update_bits:]),
            remains.eq(remaining - (self.active & ce)),
            If(sink.valid & sink.ready, remains.eq(words)),
        ]
        if config.updates > 1:
            rest = sink.lanes[:config.update_bits]
            self.comb += words.eq(sink.lanes[config.update_bits:] + (rest != 0))
            self.sync += If(sink.valid & sink.ready, count.eq(Mux(rest == 0, config.updates, rest)))
        self.sync += [
            remaining.eq(remains),
            # Known a clock before: what stands still until sums are taken follows from a register.
            takes.eq((remains == 0) | ((remains == 1) & self.outlet.moves)),
            If(self.active & ce, slot.eq(slot + 1)),
            If(sink.valid & sink.ready,
                slot.eq(0),
                step_last.eq(sink.last),
                *[register.eq(total) for name in sums for register, total in zip(held[name], sums[name], strict=True)],
            ),
        ]
        # The last word may be of fewer lanes.
        return {name: [Array([held[name][lane] for lane in lanes[n::config.updates]])[slot]
            for n in range(config.pipelines)] for name in held}
