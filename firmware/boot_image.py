# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The firmware as a chip loads it: an image that tells where it ends and whether it is whole.

On a chip without a ROM, soc/boot.py takes it from the SPI flash, or from the UART where the flash has none: see
soc/README.md.
"""

import struct
import zlib

from accel.errors import QCLIFError
from firmware.protocol import CRC

# How an image begins; its bytes in this order spell it.
MAGIC = b"qCLF"

# Magic and length.
HEADER_BYTES = 8

# What the loader says over the UART: that it waits for an image, because it has found none or a damaged one; that the
# firmware begins.
WAITING, STARTING = b"?", b"!"

# A program is whole words, and its length is one, in bytes.
WORD_BYTES = 4
_LENGTH    = struct.Struct("<I")


def pack_image(program: bytes) -> bytes:
    """The image of a program: MAGIC, its length as u32, its bytes, padded to whole words, and the CRC-32 of length and
    bytes. All integers are little-endian.

    Raises
    ------
    QCLIFError : there is no program.
    """
    if not program:
        raise QCLIFError("the program has no bytes: build the firmware first")
    words = program + bytes(-len(program) % WORD_BYTES)
    body  = _LENGTH.pack(len(words)) + words
    return MAGIC + body + CRC.pack(zlib.crc32(body))


def unpack_image(image: bytes, name: str = "image") -> bytes:
    """The program of an image; what is behind it does not count, as in a flash.

    Parameters
    ----------
    name : how an error calls it.

    Raises
    ------
    QCLIFError : it is none, or damaged.
    """
    if not image.startswith(MAGIC) or len(image) < HEADER_BYTES:
        raise QCLIFError(f"{name}: is no boot image, which begins with {MAGIC.decode()}: have one made with "
            "python -m targets.asic.image")
    length, = _LENGTH.unpack_from(image, len(MAGIC))
    end = HEADER_BYTES + length
    if not length or length % WORD_BYTES or len(image) < end + CRC.size:
        raise QCLIFError(f"{name}: {len(image)} bytes are there, its header tells of a program of {length}: have it "
            "made again")
    found, expected = zlib.crc32(image[len(MAGIC):end]), CRC.unpack_from(image, end)[0]
    if found != expected:
        raise QCLIFError(f"{name}: its CRC-32 is {found:08x}, {expected:08x} is said: have it made again")
    return image[HEADER_BYTES:end]
