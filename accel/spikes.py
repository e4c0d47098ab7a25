# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Spikes of a step on their two ways: out of the core, and back as the recurrent rows of the next step."""

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.layouts import spike_layout, spike_list_layout, updates_layout
from accel.memory import word_memory

# Spike Outlet -------------------------------------------------------------------------------------

class SpikeOutlet(LiteXModule):
    """The ports of what takes the spikes of updated neurons, as SpikeList and SpikeVector have them.

    Attributes
    ----------
    valid, update, spikes : a word of Q neurons is at the end of the pipelines; which one; a bit for each neuron.
    ending : the last word of a step is there, or in the stage before.
    ce : the word is taken, and the pipelines advance: known from registers.
    moves : they will in the next clock. Where that is not sure, it is low.
    done, step_done : pulses; a word is taken, and the last one of a step.
    source : spikes in ascending order; `last` ends the step, with its last spike or alone.
    stall : pulse; the source was not ready.
    list : spikes of the step before, for the walker.
    """
    def __init__(self, config):
        self.valid     = Signal()
        self.update    = Record(updates_layout(config))
        self.spikes    = Signal(config.pipelines)
        self.ending    = Signal()
        self.ce        = Signal()
        self.moves     = Signal()
        self.done      = Signal()
        self.step_done = Signal()
        self.source    = stream.Endpoint(spike_layout(config))
        self.stall     = Signal()
        self.list      = Record(spike_list_layout(config))

        # # #

        self.comb += [
            self.done.eq(self.valid & self.ce),
            self.step_done.eq(self.done & self.update.last),
            self.stall.eq(self.source.valid & ~self.source.ready),
        ]

# Spike List ---------------------------------------------------------------------------------------

class SpikeList(SpikeOutlet):
    """Spikes of one neuron a clock: they leave as they come, and are listed in a memory, double-buffered.

    Parameters
    ----------
    config : QCLIFConfig, with Q = 1.
    protect : of PROTECTIONS, check bits of the memory.

    Attributes
    ----------
    memory : both lists; the highest bit of an address is the list's.
    """
    def __init__(self, config, protect="none"):
        SpikeOutlet.__init__(self, config)
        update, spikes = self.update, self.list

        # # #

        # A beat that cannot leave is set aside, and the pipeline stands still in the next clock: no path goes through
        # the core from the source's ready.
        # ------------------------------------------------------------------------------------------------------------
        self.output = output = stream.PipeReady(spike_layout(config))
        self.comb += [
            self.ce.eq(output.sink.ready),
            self.moves.eq(~self.stall),
            output.sink.valid.eq(self.valid & (self.spikes | update.last)),
            output.sink.neuron.eq(update.word),
            output.sink.spike.eq(self.spikes),
            output.sink.last.eq(update.last),
            output.source.connect(self.source),
        ]

        # Lists.
        # ------
        bits        = len(update.word)
        self.memory = memory = word_memory([bits], 2**(bits + 1), "spike_list", protect=protect)
        write_list  = Signal()
        fill        = Signal(max=config.neurons + 1)
        entries     = Signal(max=config.neurons + 1)
        count       = Signal(max=config.neurons + 1)
        listed      = Signal(reset=1) # The walker still needs the list.
        self.comb += [
            memory.write_adr.eq(Cat(fill[:bits], write_list)),
            memory.write_data.eq(update.word),
            memory.write_en.eq(self.done & self.spikes),
            entries.eq(fill + (self.done & self.spikes)),
            memory.read_adr.eq(Cat(spikes.index, ~write_list)),
            memory.read_en.eq(spikes.read),
            spikes.valid.eq(listed),
            spikes.empty.eq(count == 0),
            spikes.end.eq(spikes.after == count),
            spikes.neuron.eq(memory.read_data),
        ]
        self.sync += [
            fill.eq(entries),
            If(spikes.release, listed.eq(0)),
            If(self.step_done,
                fill.eq(0),
                write_list.eq(~write_list),
                count.eq(entries),
                listed.eq(1),
            ),
        ]

# Spike Encoder ------------------------------------------------------------------------------------

class SpikeEncoder(LiteXModule):
    """Numbers of the bits that are set in a vector, ascending, one a clock: a priority encoder in two levels.

    The vector is cut into blocks. While the bits of one are told, the next one that has any is found, so that no clock
    is lost between two.

    Parameters
    ----------
    bits : of the vector.

    Attributes
    ----------
    load, vector : pulse; a new vector, whatever is left of the one before. The first number comes two clocks later.
    valid, number : a number, which stands until it is read.
    last : it is the last one.
    empty : there is none left. From the clock behind `load` on, it tells of the new vector.
    read : pulse; the next one.
    """
    def __init__(self, bits):
        self.load   = Signal()
        self.vector = Signal(bits)
        self.valid  = Signal()
        self.number = Signal(max=max(2, bits))
        self.last   = Signal()
        self.empty  = Signal()
        self.read   = Signal()

        # # #

        # Blocks as long as there are blocks, so that both levels are as deep.
        # --------------------------------------------------------------------
        low     = (len(self.number) + 1)//2
        size    = 2**low
        count   = -(-bits//size)
        stored  = Signal(bits, name="stored", reset_less=True)
        filled  = Signal(count)
        first   = Signal(count, name="first")    # The lowest block that is filled, as a bit.
        block   = Signal(size)
        place   = Signal(max=max(2, count), reset_less=True)
        rest    = Signal(size)                   # The block without the bit that is told.
        lowest  = Signal(size)
        onward  = Signal()
        blocks  = [stored[n*size:(n + 1)*size] for n in range(count)]
        self.comb += [
            first.eq(filled & ~(filled - 1)),
            rest.eq(block & (block - 1)),
            lowest.eq(block & ~rest),
            onward.eq(~self.valid | (self.read & (rest == 0))),
            self.empty.eq(~self.valid & (filled == 0)),
            self.last.eq((rest == 0) & (filled == 0)),
            self.number.eq(Cat(self.index_of(lowest, low), place)),
        ]
        self.sync += [
            If(onward,
                block.eq(Reduce("OR", [Mux(first[n], each, 0) for n, each in enumerate(blocks)])),
                place.eq(self.index_of(first, len(place))),
                filled.eq(filled & ~first),
                self.valid.eq(filled != 0),
            ).Elif(self.read,
                block.eq(rest),
            ),
            If(self.load,
                stored.eq(self.vector),
                filled.eq(Cat(*[self.vector[n*size:(n + 1)*size] != 0 for n in range(count)])),
                self.valid.eq(0),
            ),
        ]

    @staticmethod
    def index_of(bit, width):
        """Number of the only bit that is set in a signal."""
        return Cat(*[Reduce("OR", [bit[n] for n in range(len(bit)) if n >> each & 1] or [Constant(0, 1)])
            for each in range(width)])

# Spike Vector -------------------------------------------------------------------------------------

class SpikeVector(SpikeOutlet):
    """Spikes of Q neurons a clock: a step's are collected as a bit each, and told by a priority encoder for each way.

    They leave when the step is updated, at the same time as they are walked, so that whatever a step's output takes
    its successor takes as well.

    Parameters
    ----------
    config : QCLIFConfig.
    """
    def __init__(self, config):
        SpikeOutlet.__init__(self, config)
        update, spikes = self.update, self.list

        # # #

        # Bits of the step: those of the word that is taken, and of the words before.
        # ---------------------------------------------------------------------------
        words     = [min(config.updates, config.neurons - first) for first in range(0, config.neurons, config.updates)]
        fired     = Signal(len(self.spikes), name="fired")
        collected = [Signal(bits, name=f"collected{n}") for n, bits in enumerate(words[:-1])]
        vector    = Signal(config.neurons)
        here      = [update.word == n if len(words) > 1 else 1 for n in range(len(words))]
        self.comb += [
            # A group may be of fewer neurons.
            fired.eq(self.spikes & Cat(*[update.count > n for n in range(len(self.spikes))])),
            vector.eq(Cat(*[Mux(this, fired[:len(word)], word) for this, word in zip(here, collected, strict=False)],
                Mux(here[-1], fired[:words[-1]], 0))),
        ]
        for this, word in zip(here, collected, strict=False):
            self.sync += If(self.done, If(update.last, word.eq(0)).Elif(this, word.eq(fired)))

        # Out of the core. The neurons of the step behind wait at the end of theirs.
        # -------------------------------------------------------------------------
        self.outgoing = outgoing = SpikeEncoder(config.neurons)
        source        = self.source
        leaving       = Signal() # The end of a step has not left.
        moves         = Signal(reset=1)
        self.comb += [
            self.moves.eq(~(leaving & self.ending)),
            self.ce.eq(moves),
            outgoing.load.eq(self.step_done),
            outgoing.vector.eq(vector),
            outgoing.read.eq(source.valid & source.ready & outgoing.valid),
            source.valid.eq(leaving & (outgoing.valid | outgoing.empty)),
            source.spike.eq(outgoing.valid),
            source.neuron.eq(Mux(outgoing.valid, outgoing.number, 0)),
            source.last.eq(outgoing.last | ~outgoing.valid),
        ]
        self.sync += [
            moves.eq(self.moves),
            If(source.valid & source.ready & source.last, leaving.eq(0)),
            If(self.step_done, leaving.eq(1)),
        ]

        # To the walker, once for each group.
        # -----------------------------------
        self.walked = walked = SpikeEncoder(config.neurons)
        wanted      = Signal(reset=1) # The walker still needs the list.
        listing     = self.step_done
        self.comb += [
            walked.vector.eq(vector),
            walked.load.eq(listing),
        ]
        if config.groups > 1:
            kept    = Signal(config.neurons)
            listing = Signal()
            self.sync += [
                listing.eq(self.step_done),
                If(self.step_done, kept.eq(vector)),
            ]
            self.comb += [
                walked.vector.eq(kept),
                walked.load.eq(listing | (spikes.read & walked.last & ~spikes.release)),
            ]
        self.comb += [
            walked.read.eq(spikes.read),
            spikes.valid.eq(wanted & (walked.valid | walked.empty)),
            spikes.empty.eq(walked.empty),
            spikes.end.eq(walked.last),
        ]
        self.sync += [
            If(spikes.read, spikes.neuron.eq(walked.number)),
            If(spikes.release, wanted.eq(0)),
            If(listing, wanted.eq(1)),
        ]
