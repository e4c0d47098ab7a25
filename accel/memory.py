# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from accel.protection import Decoder, check_bits, encode

# Word Memory --------------------------------------------------------------------------------------

class WordMemory(LiteXModule):
    """The ports of a memory of wide words, as SlicedMemory and BankedMemory have them."""
    def __init__(self, widths, depth, name):
        if depth < 1 or not widths or min(widths) < 1:
            raise ValueError(f"memory {name}: {depth} words of slices {widths} cannot be built")
        self.name       = name
        self.widths     = tuple(widths)
        self.depth      = depth
        self.read_adr   = Signal(max=max(2, depth))
        self.read_en    = Signal()
        self.read_data  = Signal(sum(widths))
        self.write_adr  = Signal(max=max(2, depth))
        self.write_en   = Signal(len(widths))
        self.write_data = Signal(max(widths))

# Sliced Memory ------------------------------------------------------------------------------------

class SlicedMemory(WordMemory):
    """Memory of wide words, written in slices: one write port, one read port.

    The read port is the core's; software borrows it while the core is idle. One port a direction
    is what block RAMs, SRAM macros and synthesis tools infer without storing everything twice. A memory of one
    word is registers, which are read as they are: who reads it does not write it before he has used what he read.

    Parameters
    ----------
    widths : bits of each slice, lowest first; the word is their concatenation.
    depth : words.
    name : name of the memory in the Verilog.
    single_port : one port does both: `read_adr` is the address of writes, too, and a clock that writes does not read.

    Attributes
    ----------
    widths, depth : as given.
    read_adr, read_en, read_data : the word at `read_adr`, one clock after `read_en`; it stays until the next one.
    write_adr, write_en, write_data : `write_en` has one bit a slice; the data is the slice's.
    """
    def __init__(self, widths, depth, name, single_port=False):
        WordMemory.__init__(self, widths, depth, name)

        # # #

        if depth == 1:
            self.add_registers()
            return
        outputs = []
        for n, width in enumerate(widths):
            memory     = Memory(width, depth, name=f"{name}{n}")
            write_port = memory.get_port(write_capable=True, has_re=single_port,
                mode=NO_CHANGE if single_port else READ_FIRST)
            read_port  = write_port if single_port else memory.get_port(has_re=True, mode=READ_FIRST)
            self.specials += memory, write_port, read_port
            self.comb += [
                read_port.adr.eq(self.read_adr),
                read_port.re.eq(self.read_en),
                write_port.we.eq(self.write_en[n]),
                write_port.dat_w.eq(self.write_data[:width]),
            ]
            if not single_port:
                self.comb += write_port.adr.eq(self.write_adr)
            outputs.append(read_port.dat_r)
        self.comb += self.read_data.eq(Cat(*outputs))

    def add_registers(self):
        """The only word."""
        for n, width in enumerate(self.widths):
            first    = sum(self.widths[:n])
            register = Signal(width, name=f"{self.name}{n}", reset_less=True)
            self.sync += If(self.write_en[n], register.eq(self.write_data[:width]))
            self.comb += self.read_data[first:first + width].eq(register)

# Banked Memory ------------------------------------------------------------------------------------

# Words of a bank, and the bits that its slices have at least where it is many block RAMs side by side: what a block RAM
# of FPGAs mostly has, with the weight of 8 bits that it is for.
BANK_WORDS = 2048
BANK_BITS  = 9

def bank_depths(depth, widths):
    """Words of each bank of a memory with slices of these widths.

    Three block RAMs of a quarter of the words are less than four side by side, so synthesis tools take them for the
    rest of a memory; the choice among their slow outputs would be before the registers. Such a rest is two banks.
    """
    depths  = [min(BANK_WORDS, depth - first) for first in range(0, depth, BANK_WORDS)]
    half    = BANK_WORDS//2
    if half < depths[-1] <= half + half//2 and min(widths) > BANK_BITS:
        depths[-1:] = [half, depths[-1] - half]
    return depths

class BankedMemory(WordMemory):
    """A SlicedMemory in banks, each with registers behind it: one clock more, and a higher clock on FPGAs.

    A deep memory is many block RAMs there, all over the device. Their outputs are slow, and the choice among
    them would come on top of it, and on top of that what is made of the word.

    Parameters
    ----------
    widths, depth, name, single_port : as SlicedMemory's.

    Attributes
    ----------
    read_adr, read_en, write_adr, write_en, write_data : as SlicedMemory's.
    read_banks : banks that read in this clock; with `read_en` that of `read_adr`, as banks_of() tells it, is among
        them. Whoever reads may know it earlier, and the way to the block RAMs is long.
    take : the word that was read goes to the registers.
    read_data : the word at `read_adr`, one clock after a `take` that comes one clock after `read_en`.
    """
    def __init__(self, widths, depth, name, single_port=False):
        WordMemory.__init__(self, widths, depth, name)
        self.depths     = depths = bank_depths(depth, widths)
        self.read_banks = Signal(len(depths))
        self.take       = Signal()

        # # #

        # Words of other banks become zeros, so that the choice is an OR.
        chosen = Signal(len(depths), reset_less=True)
        writes = Signal(len(depths))
        words  = []
        self.comb += writes.eq(self.banks_of(self.write_adr))
        self.sync += If(self.read_en, chosen.eq(self.banks_of(self.read_adr)))
        for n, words_of_bank in enumerate(depths):
            memory = SlicedMemory(widths, words_of_bank, f"{name}{n}_", single_port)
            word   = Signal(len(self.read_data), name=f"{name}_word", reset_less=True)
            self.add_module(name=f"bank{n}", module=memory)
            self.comb += [
                memory.read_adr.eq(self.read_adr),
                memory.read_en.eq(self.read_banks[n]),
                memory.write_adr.eq(self.write_adr),
                memory.write_data.eq(self.write_data),
                If(writes[n], memory.write_en.eq(self.write_en)),
            ]
            self.sync += If(self.take, word.eq(Mux(chosen[n], memory.read_data, 0)))
            words.append(word)
        self.comb += self.read_data.eq(Reduce("OR", words))

    def banks_of(self, address):
        """A bit for each bank: whether an address, a signal, is there."""
        bits  = log2_int(BANK_WORDS)
        count = -(-self.depth//BANK_WORDS)
        # Where there is only one, an address has no bits that choose it.
        banks = [address[bits:] == n for n in range(count)] if count > 1 else [Constant(1, 1)]
        if len(self.depths) > count:
            rest       = banks[-1]
            banks[-1:] = [rest & ~address[bits - 1], rest & address[bits - 1]]
        return Cat(*banks)

# Protected Memory ---------------------------------------------------------------------------------

class ProtectedMemory(WordMemory):
    """A memory whose slices have check bits: written with them, and checked, or corrected, where they are read.

    What is read is never slower by a clock; it is not written back.

    Parameters
    ----------
    kind : SlicedMemory or BankedMemory.
    widths, depth, name, single_port : as the memory's. Slices that are written together have the same width.
    protect : of PROTECTIONS, but "none".

    Attributes
    ----------
    <name>_words : the memory. Below the data of a slice are its check bits.
    read_adr, read_en, read_data, write_adr, write_en, write_data : as the memory's.
    take, read_banks, banks_of : as BankedMemory's, where the memory is one.
    ignore : a bit for each slice; of what is read in this clock, it counts for nothing, and is not checked.
    corrected, uncorrected : pulses, in the clock after the one in which the word is there: a slice of it was
        corrected; a slice of it is wrong.
    """
    def __init__(self, kind, widths, depth, name, single_port=False, protect="parity"):
        WordMemory.__init__(self, widths, depth, name)
        bits             = check_bits(max(widths), protect)
        memory           = kind([bits + width for width in widths], depth, name, single_port)
        self.ignore      = Signal(len(widths))
        self.corrected   = Signal()
        self.uncorrected = Signal()

        # # #

        # By its own name: where memories are modules, two of a parent must not be called the same.
        self.add_module(name=f"{name}_words", module=memory)

        # Writes.
        # -------
        check = Signal(bits)
        self.comb += [
            memory.read_adr.eq(self.read_adr),
            memory.read_en.eq(self.read_en),
            memory.write_adr.eq(self.write_adr),
            memory.write_en.eq(self.write_en),
            memory.write_data.eq(Cat(check, self.write_data)),
        ]
        for width in sorted(set(widths)):
            data    = Signal(width, name=f"write_data{width}")
            written = Cat(*[self.write_en[n] for n, each in enumerate(widths) if each == width])
            self.comb += [
                data.eq(self.write_data),
                If(written != 0, check.eq(encode(data, bits))),
            ]

        # Reads: each word is checked once.
        # ---------------------------------
        checked = Signal(len(widths))
        if hasattr(memory, "take"):
            self.take       = Signal()
            self.read_banks = memory.read_banks
            self.banks_of   = memory.banks_of
            read            = Signal(len(widths))
            self.comb += memory.take.eq(self.take)
            self.sync += [
                If(self.take, read.eq(0)),
                If(self.read_en, read.eq(~self.ignore)),
                checked.eq(Replicate(self.take, len(widths)) & read),
            ]
        else:
            self.sync += checked.eq(Replicate(self.read_en, len(widths)) & ~self.ignore)
        self.decoders = [Decoder(width, bits) for width in widths]
        self.submodules += self.decoders
        self.comb += [
            Cat(*[signal for each in self.decoders for signal in (each.check, each.stored)]).eq(memory.read_data),
            self.read_data.eq(Cat(*[each.data for each in self.decoders])),
        ]
        self.sync += [
            self.corrected.eq((checked & Cat(*[each.corrected for each in self.decoders])) != 0),
            self.uncorrected.eq((checked & Cat(*[each.uncorrected for each in self.decoders])) != 0),
        ]

def word_memory(widths, depth, name, banked=False, single_port=False, protect="none"):
    """A BankedMemory or a SlicedMemory, with check bits where they are asked for."""
    kind = BankedMemory if banked else SlicedMemory
    if protect == "none":
        return kind(widths, depth, name, single_port)
    return ProtectedMemory(kind, widths, depth, name, single_port, protect)
