#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.memory import SlicedMemory

# Layouts ------------------------------------------------------------------------------------------

def currents_layout(config):
    """Layout of a group's currents: I_s and I_a of its lanes without biases, lane 0 in the low bits."""
    return [
        ("soma",   config.lanes*config.accumulator_bits),
        ("apical", config.lanes*config.accumulator_bits),
        ("lanes",  bits_for(config.lanes)),
    ]

def weight_memory(config, depth, name):
    """Memory of weight words, one weight a lane, cut to 32-bit slices for software."""
    lanes  = [min(config.slice_lanes, config.lanes - n*config.slice_lanes) for n in range(config.slices)]
    return SlicedMemory([count*config.weight_bits for count in lanes], depth, name)

# Synapse Array ------------------------------------------------------------------------------------

class SynapseArray(LiteXModule):
    """P lanes that sum the weights of the walked rows into I_s and I_a, a group at a time.

    The somatic and the apical memory are read side by side, so that a recurrent row costs one
    clock. A group's sums leave with its last row; while the `source` is not ready `ce` is low.

    Attributes
    ----------
    soma, apical : the weight memories; their read ports belong to the walker while it walks.
    walk_* : the walker's words, one clock before their weights arrive.
    source : currents of a group, `last` with the step's last group.
    ce : everything before and here advances.
    sops : synaptic operations of this clock.
    """
    def __init__(self, config):
        self.soma           = weight_memory(config, config.soma_words,   "weights_soma")
        self.apical         = weight_memory(config, config.apical_words, "weights_apical")
        self.walk_valid     = Signal()
        self.walk_first     = Signal()
        self.walk_last      = Signal()
        self.walk_step_last = Signal()
        self.walk_soma      = Signal()
        self.walk_apical    = Signal()
        self.walk_lanes     = Signal(max=config.lanes + 1)
        self.source         = source = stream.Endpoint(currents_layout(config))
        self.ce             = Signal()
        self.sops           = Signal(max=2*config.lanes + 1)

        # # #

        valid     = Signal()
        first     = Signal()
        last      = Signal()
        step_last = Signal()
        lanes     = Signal(len(self.walk_lanes))
        hits      = [Signal(name="soma_hit"), Signal(name="apical_hit")]
        self.comb += [
            self.ce.eq(~source.valid | source.ready),
            source.valid.eq(valid & last),
            source.last.eq(step_last),
            source.lanes.eq(lanes),
        ]
        self.sync += If(self.ce,
            valid.eq(self.walk_valid),
            first.eq(self.walk_first),
            last.eq(self.walk_last),
            step_last.eq(self.walk_step_last),
            lanes.eq(self.walk_lanes),
            hits[0].eq(self.walk_soma),
            hits[1].eq(self.walk_apical),
        )
        self.comb += If(valid & self.ce,
            self.sops.eq(Mux(hits[0], lanes, 0) + Mux(hits[1], lanes, 0)),
        )

        bits = config.accumulator_bits
        for memory, hit, sums in zip((self.soma, self.apical), hits, (source.soma, source.apical), strict=True):
            for lane in range(config.lanes):
                weight      = Signal((config.weight_bits, True), name="weight")
                accumulator = Signal((bits, True), name="accumulator")
                total       = Signal((bits, True), name="total")
                offset      = lane*config.weight_bits
                self.comb += [
                    weight.eq(memory.read_data[offset:offset + config.weight_bits]),
                    total.eq(Mux(first, 0, accumulator) + Mux(hit, weight, 0)),
                    sums[lane*bits:(lane + 1)*bits].eq(total),
                ]
                self.sync += If(self.ce & valid & (first | hit), accumulator.eq(total))
