# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from accel.config import SPACE_APICAL, SPACE_PARAMETERS, SPACE_SHIFT, SPACE_SOMA, SPACE_STATE, WORD_BITS
from accel.neuron import parameter_layout

# Memory Window ------------------------------------------------------------------------------------

class MemoryWindow(LiteXModule):
    """The accelerator's memories as software sees them: an address, and the word that stands there.

    The word is fetched in the clock of the access that changes the address, and kept where the core's own reads cannot
    change it. It is there one or two clocks later, as the core's port has it: LiteX's bridges access a register every
    second clock at most. A write goes to the memory a clock later, so that the port is free for the next word's
    fetch; what a faster bus asks for meanwhile is fetched as soon as the port is free, and flagged if read before.

    Parameters
    ----------
    config : QCLIFConfig.
    port : the core's memory port.
    clocks : from a read at the port to its word, 1 or 2: the core's `port_clocks`.

    Attributes
    ----------
    busy : a step is in work, or the core is being reset: nothing may be changed.
    reset : the core is being reset: states become 0.
    neurons : of the loaded network: others have no state.
    seek, target : pulse; go to this address.
    advance : pulse; go to the next word.
    write, data_w : pulse; store, and go to the next word.
    read : pulse; the word is being read.
    address : where it is: space and address, as the register has them.
    data : the word there.
    refused : {flag: pulse}; what could not be done, of this clock.
    """
    def __init__(self, config, port, clocks=1):
        self.busy    = Signal()
        self.reset   = Signal()
        self.neurons = Signal(max=config.neurons + 1)
        self.seek    = Signal()
        self.target  = Signal(WORD_BITS)
        self.advance = Signal()
        self.write   = Signal()
        self.data_w  = Signal(WORD_BITS)
        self.read    = Signal()
        self.address = address = Signal(WORD_BITS)
        self.data    = Signal(WORD_BITS)
        self.refused = {flag: Signal(name=f"refused_{flag}")
            for flag in ("busy", "address", "read_only", "reserved", "early")}

        # # #

        # What is asked for, and whether it can be done.
        # ----------------------------------------------
        space      = address[SPACE_SHIFT:]
        in_states  = Signal()
        inside     = Signal()
        found      = Signal() # The target is a word.
        onward     = Signal() # The next word's address is taken.
        store      = Signal()
        changed    = Signal()
        self.comb += [
            in_states.eq(space == SPACE_STATE),
            inside.eq(self.has_word(config, address)),
            found.eq(self.has_word(config, self.target)),
            store.eq(self.write & ~self.busy & inside & ~in_states),
            onward.eq(store | (self.advance & ~self.busy & inside)),
            changed.eq((self.seek & ~self.busy & found) | onward),
        ]

        # Next word: a word of weights has slices, and the addresses up to the next power of two none.
        # --------------------------------------------------------------------------------------------
        gap        = 2**config.slice_bits - config.slices + 1
        last_slice = (address[:config.slice_bits] == config.slices - 1) if config.slice_bits else Constant(1)
        following  = Signal(SPACE_SHIFT)
        self.comb += following.eq(address[:SPACE_SHIFT] + Mux((space < SPACE_PARAMETERS) & last_slice, gap, 1))
        self.sync += [
            If(onward, address[:SPACE_SHIFT].eq(following)),
            If(self.seek & ~self.busy & found, address.eq(self.target)),
        ]

        # Port: the write of the clock before, else a fetch.
        # --------------------------------------------------
        stored  = Signal()
        place   = Signal(WORD_BITS, reset_less=True)
        word    = Signal(WORD_BITS, reset_less=True)
        flight  = Signal(clocks) # Clocks since a fetch.
        held    = Signal()       # The word is in `kept`.
        kept    = Signal(WORD_BITS, reset_less=True)
        asked   = Signal()
        fetch   = Signal()
        there   = Signal()
        absent  = Signal()
        landing = flight[-1]
        self.sync += [
            stored.eq(store),
            If(store,
                place.eq(address),
                word.eq(self.data_w),
            ),
        ]
        self.comb += [
            asked.eq(self.seek | self.advance | self.write),
            fetch.eq(~stored & ~self.busy & (changed | (~asked & ~held & (flight == 0)))),
            port.write.eq(stored),
            port.data_w.eq(word),
            port.read.eq(fetch),
            Cat(port.address, port.space).eq(address[:SPACE_SHIFT + len(port.space)]),
            If(stored,
                Cat(port.address, port.space).eq(place),
            ).Elif(self.seek,
                Cat(port.address, port.space).eq(self.target),
            ).Elif(self.advance | self.write,
                port.address.eq(following),
            ),
        ]

        # The word: as it comes, then kept. States change with a step, and are 0 after a reset.
        # -------------------------------------------------------------------------------------
        leaves = Signal()
        self.comb += [
            absent.eq(~inside | (in_states & (address[:SPACE_SHIFT] >= self.neurons))),
            leaves.eq(changed | (in_states & self.busy)),
            there.eq((held | landing) & ~(in_states & self.busy)),
            If(there & ~absent, self.data.eq(Mux(held, kept, port.data_r))),
        ]
        self.sync += [
            flight.eq(Mux(leaves, 0, flight << 1) | fetch),
            If(landing & ~held, kept.eq(port.data_r)),
            held.eq((held | landing) & ~leaves),
            If(in_states & self.reset,
                kept.eq(0),
                held.eq(1),
            ),
        ]

        # Refusals.
        # ---------
        excess = Signal()
        self.comb += [
            excess.eq((self.data_w & self.no_memory(config, address)) != 0),
            If(self.busy,
                # Also a write that was accepted in the clock in which another source ended a step.
                self.refused["busy"].eq(asked | stored),
            ).Else(
                self.refused["address"].eq((self.seek & ~found) | ((self.advance | self.write) & ~inside)),
                self.refused["read_only"].eq(self.write & inside & in_states),
                self.refused["reserved"].eq(store & excess),
            ),
            If(self.read & ~absent & ~there,
                If(self.busy, self.refused["busy"].eq(1)).Else(self.refused["early"].eq(1)),
            ),
        ]

    @staticmethod
    def has_word(config, address):
        """Whether an address, a signal, is that of a word."""
        space, at = address[SPACE_SHIFT:], address[:SPACE_SHIFT]
        weights   = at[:config.slice_bits] < config.slices if config.slice_bits else 1
        return (
            ((space == SPACE_SOMA)       & weights & (at[config.slice_bits:] < config.soma_words)) |
            ((space == SPACE_APICAL)     & weights & (at[config.slice_bits:] < config.apical_words)) |
            ((space == SPACE_PARAMETERS) & (at < 2*config.neurons)) |
            ((space == SPACE_STATE)      & (at < config.neurons))
        )

    @staticmethod
    def no_memory(config, address):
        """Bits of the word at an address, a signal, for which there is no memory."""
        def above(bits):
            return Constant(2**WORD_BITS - 2**bits, WORD_BITS)
        last       = config.word_lanes - (config.slices - 1)*config.slice_lanes
        parameters = [above(sum(bits for _, bits in half)) for half in parameter_layout(config)]
        weights    = above(last*config.weight_bits)
        if config.slice_bits:
            weights = Mux(address[:config.slice_bits] == config.slices - 1, weights,
                above(config.slice_lanes*config.weight_bits))
        return Mux(address[SPACE_SHIFT:] == SPACE_PARAMETERS, Mux(address[0], parameters[1], parameters[0]), weights)
