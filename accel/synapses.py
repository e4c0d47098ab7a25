# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.layouts import sums_layout, walk_layout
from accel.memory import word_memory
from accel.split_sums import SplitSums

# Weight Memory ------------------------------------------------------------------------------------

def weight_memory(config, depth, name, registered=False, single_port=False, protect="none"):
    """Memory of weight words, one weight a lane that has a neuron, cut to 32-bit slices for software."""
    lanes = [min(config.slice_lanes, config.word_lanes - n*config.slice_lanes) for n in range(config.slices)]
    return word_memory([count*config.weight_bits for count in lanes], depth, name, registered, single_port, protect)

# Synapse Array ------------------------------------------------------------------------------------

class SynapseArray(LiteXModule):
    """P lanes that sum the weights of the walked rows into I_s and I_a, a group at a time.

    The somatic and the apical memory are read side by side, so that a recurrent row costs one clock.
    A group's sums stand for one clock, or until they are taken: the sink is not ready meanwhile, and
    everything before stands still.

    Parameters
    ----------
    config : QCLIFConfig.
    registered : weight memories in banks with registers before and behind them: two clocks more a step, and a higher
        clock on FPGAs.
    single_port : weight memories of one port, as the large RAMs of some FPGAs have: clocks and results stay the same.
    protect : of PROTECTIONS, check bits of the weights.
    frugal : sums in two halves, of which the upper one moves where the low one has a carry: see SplitSums. They are
        sums_base() more than those of the weights.

    Attributes
    ----------
    soma, apical : the weight memories; their read ports belong to the walker while it walks.
    fetch : software has read a word, which `registered` memories take to their registers.
    sink : the walker's rows, one clock before their weights arrive.
    reads : {soma, soma_adr, apical, apical_adr}, what the rows read in this clock: the sink's, or a clock later, and
        then {soma_banks, apical_banks}, in which banks.
    source : sums of the groups.
    sops : synaptic operations of this clock.
    """
    def __init__(self, config, registered=False, single_port=False, protect="none", frugal=False):
        kind        = (registered, single_port, protect)
        self.soma   = weight_memory(config, config.soma_words,   "weights_soma",   *kind)
        self.apical = weight_memory(config, config.apical_words, "weights_apical", *kind)
        self.fetch  = Signal()
        self.sink   = sink   = stream.Endpoint(walk_layout(config), name="sink")
        self.source = source = stream.Endpoint(sums_layout(config))
        self.sops   = Signal(max=2*config.lanes + 1)

        # Of the sums nothing but their handshake needs a reset.
        stream.set_reset_less(source.payload)

        # # #

        ce = sink.ready
        self.comb += ce.eq(~source.valid | source.ready)

        # Before the weights: the way to the many block RAMs of a memory takes a clock.
        # -----------------------------------------------------------------------------
        self.reads = rows = sink
        if registered:
            rows       = stream.Endpoint(walk_layout(config))
            self.reads = Record([
                *[(name, len(getattr(sink, name))) for name in ("soma", "soma_adr", "apical", "apical_adr")],
                ("soma_banks",   len(self.soma.read_banks)),
                ("apical_banks", len(self.apical.read_banks)),
            ])
            banks = Record([(name, len(getattr(self.reads, name))) for name in ("soma_banks", "apical_banks")])
            self.sync += If(ce,
                banks.soma_banks.eq(Replicate(sink.soma, len(banks.soma_banks)) & self.soma.banks_of(sink.soma_adr)),
                banks.apical_banks.eq(Replicate(sink.apical, len(banks.apical_banks)) &
                    self.apical.banks_of(sink.apical_adr)),
                rows.valid.eq(sink.valid),
                rows.first.eq(sink.first),
                rows.last.eq(sink.last),
                rows.payload.eq(sink.payload),
            )
            self.comb += [
                self.reads.eq(rows),
                self.reads.soma.eq(ce & rows.soma),
                self.reads.apical.eq(ce & rows.apical),
                self.reads.soma_banks.eq(Replicate(ce, len(banks.soma_banks)) & banks.soma_banks),
                self.reads.apical_banks.eq(Replicate(ce, len(banks.apical_banks)) & banks.apical_banks),
            ]

        # Along with the weights.
        # -----------------------
        flags = [("first", 1), ("last", 1), ("step_last", 1), ("lanes", len(sink.lanes)), ("soma", 1), ("apical", 1)]
        word  = Signal()
        beat  = Record(flags, reset_less=True)
        self.sync += If(ce & (rows.valid | word),
            word.eq(rows.valid),
            beat.eq(rows),
        )

        # Along with the registers of the weights.
        # ----------------------------------------
        if registered:
            taken      = Signal()
            taken_beat = Record(flags, reset_less=True)
            move       = Signal()
            self.comb += [
                move.eq(ce & (word | taken)),
                self.soma.take.eq(move | self.fetch),
                self.apical.take.eq(move | self.fetch),
            ]
            self.sync += If(move,
                taken.eq(word),
                taken_beat.eq(beat),
            )
            word, beat = taken, taken_beat

        # Sums.
        # -----
        for name, memory, hit, sums in (
            ("soma",   self.soma,   beat.soma,   source.soma),
            ("apical", self.apical, beat.apical, source.apical),
        ):
            if frugal:
                split = SplitSums(config, f"{name}_sum")
                self.add_module(name=f"sums_{name}", module=split)
                self.comb += [
                    split.ce.eq(ce & word & (hit | beat.first)),
                    split.first.eq(beat.first),
                    split.hit.eq(hit),
                    split.weights.eq(memory.read_data),
                    *[total.eq(each) for total, each in zip(sums.flatten(), split.sums, strict=True)],
                ]
                continue
            for lane, total in enumerate(sums.flatten()):
                weight = Signal((config.weight_bits, True), name=f"{name}_weight{lane}")
                offset = lane*config.weight_bits
                self.comb += weight.eq(memory.read_data[offset:offset + config.weight_bits])
                self.sync += If(ce & word,
                    If(hit,
                        total.eq(Mux(beat.first, 0, total) + weight),
                    ).Elif(beat.first,
                        total.eq(0),
                    ),
                )
        self.sync += If(ce,
            source.valid.eq(word & beat.last),
            If(word & beat.last,
                source.last.eq(beat.step_last),
                source.lanes.eq(beat.lanes),
            ),
        )
        self.comb += If(ce & word,
            self.sops.eq(Mux(beat.soma, beat.lanes, 0) + Mux(beat.apical, beat.lanes, 0)),
        )
