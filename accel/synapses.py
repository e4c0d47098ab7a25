#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from accel.memory import BankedMemory, SlicedMemory

# Weight Memory ------------------------------------------------------------------------------------

def weight_memory(config, depth, name, registered=False, single_port=False):
    """Memory of weight words, one weight a lane, cut to 32-bit slices for software."""
    lanes  = [min(config.slice_lanes, config.lanes - n*config.slice_lanes) for n in range(config.slices)]
    memory = BankedMemory if registered else SlicedMemory
    return memory([count*config.weight_bits for count in lanes], depth, name, single_port)

# Synapse Array ------------------------------------------------------------------------------------

class SynapseArray(LiteXModule):
    """P lanes that sum the weights of the walked rows into I_s and I_a, a group at a time.

    The somatic and the apical memory are read side by side, so that a recurrent row costs one clock.
    A group's sums stand for one clock, or until they are taken: `ce` is low meanwhile.

    Parameters
    ----------
    config : QCLIFConfig.
    registered : weight memories in banks with registers behind them: one clock more a step, and a higher
        clock on FPGAs.
    single_port : weight memories of one port, as the large RAMs of some FPGAs have: clocks and results stay the same.

    Attributes
    ----------
    soma, apical : the weight memories; their read ports belong to the walker while it walks.
    fetch : software has read a word, which `registered` memories take to their registers.
    walk_* : the walker's words, one clock before their weights arrive.
    soma_sums, apical_sums : I_s and I_a of the lanes, without biases.
    valid, ready, last, lanes : handshake of a group's sums; `last` group of the step, neurons in the group.
    ce : everything before and here advances.
    sops : synaptic operations of this clock.
    """
    def __init__(self, config, registered=False, single_port=False):
        bits = (config.accumulator_bits, True)
        self.soma           = weight_memory(config, config.soma_words,   "weights_soma",   registered, single_port)
        self.apical         = weight_memory(config, config.apical_words, "weights_apical", registered, single_port)
        self.fetch          = Signal()
        self.walk_valid     = Signal()
        self.walk_first     = Signal()
        self.walk_last      = Signal()
        self.walk_step_last = Signal()
        self.walk_soma      = Signal()
        self.walk_apical    = Signal()
        self.walk_lanes     = Signal(max=config.lanes + 1)
        self.soma_sums      = [Signal(bits, name=f"soma_sum{n}",   reset_less=True) for n in range(config.lanes)]
        self.apical_sums    = [Signal(bits, name=f"apical_sum{n}", reset_less=True) for n in range(config.lanes)]
        self.valid          = Signal()
        self.ready          = Signal()
        self.last           = Signal(reset_less=True)
        self.lanes          = Signal(max=config.lanes + 1, reset_less=True)
        self.ce             = Signal()
        self.sops           = Signal(max=2*config.lanes + 1)

        # # #

        # Along with the weights.
        # -----------------------
        word      = Signal()
        first     = Signal(reset_less=True)
        last      = Signal(reset_less=True)
        step_last = Signal(reset_less=True)
        lanes     = Signal(len(self.walk_lanes), reset_less=True)
        hits      = [Signal(name="soma_hit", reset_less=True), Signal(name="apical_hit", reset_less=True)]
        self.comb += self.ce.eq(~self.valid | self.ready)
        self.sync += If(self.ce & (self.walk_valid | word),
            word.eq(self.walk_valid),
            first.eq(self.walk_first),
            last.eq(self.walk_last),
            step_last.eq(self.walk_step_last),
            lanes.eq(self.walk_lanes),
            hits[0].eq(self.walk_soma),
            hits[1].eq(self.walk_apical),
        )

        # Along with the registers of the weights.
        # ----------------------------------------
        if registered:
            before = [first, last, step_last, lanes, *hits]
            after  = [Signal(len(signal), name="taken", reset_less=True) for signal in before]
            taken  = Signal()
            move   = Signal()
            self.comb += [
                move.eq(self.ce & (word | taken)),
                self.soma.take.eq(move | self.fetch),
                self.apical.take.eq(move | self.fetch),
            ]
            self.sync += If(move,
                taken.eq(word),
                *[new.eq(old) for new, old in zip(after, before, strict=True)],
            )
            word, (first, last, step_last, lanes, *hits) = taken, after

        # Sums.
        # -----
        for memory, hit, sums in zip((self.soma, self.apical), hits, (self.soma_sums, self.apical_sums), strict=True):
            for lane, total in enumerate(sums):
                weight = Signal((config.weight_bits, True), name="weight")
                offset = lane*config.weight_bits
                self.comb += weight.eq(memory.read_data[offset:offset + config.weight_bits])
                self.sync += If(self.ce & word,
                    If(hit,
                        total.eq(Mux(first, 0, total) + weight),
                    ).Elif(first,
                        total.eq(0),
                    ),
                )
        self.sync += If(self.ce,
            self.valid.eq(word & last),
            If(word & last,
                self.last.eq(step_last),
                self.lanes.eq(lanes),
            ),
        )
        self.comb += If(self.ce & word,
            self.sops.eq(Mux(hits[0], lanes, 0) + Mux(hits[1], lanes, 0)),
        )
