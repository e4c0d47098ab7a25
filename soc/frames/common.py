# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What receiver and sender have in common."""

from migen import *

# COBS: most bytes behind one length byte. Such a block stands for no zero.
BLOCK_MAX = 254

# Frames that wait: good ones have room for as long as their memory has, bad ones take none of it.
QUEUE = 32

# CRC-32 -------------------------------------------------------------------------------------------

# zlib's: its polynomial, bits reversed; what it starts from; what it is behind a right one, before it is inverted.
POLYNOMIAL, START, RESIDUE = 0xedb88320, 0xffffffff, 0xdebb20e3

def crc32_next(crc, byte):
    """The CRC after one more byte, as an expression of each bit."""
    bits = [crc[n] for n in range(32)]
    for n in range(8):
        out  = bits[0] ^ byte[n]
        bits = [bits[k + 1] ^ out if POLYNOMIAL >> k & 1 else bits[k + 1] for k in range(31)] + [out]
    return Cat(*bits)

# Memories -----------------------------------------------------------------------------------------

def one_port(module, words, name):
    """The only port of a memory of frames: one is what large RAMs and SRAM macros have. Both sides take turns."""
    # No attribute of the module, of which LiteX would make a second port, on the bus of registers.
    memory = Memory(32, words, name=name)
    port   = memory.get_port(write_capable=True, we_granularity=8, has_re=True, mode=NO_CHANGE)
    module.specials += memory, port
    return port

def byte_lane(address, big_endian):
    """Place in its word of the byte at an address."""
    return address[:2] ^ (3 if big_endian else 0)
