# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Writers of the formats that cameras record, byte by byte from their definitions; for the tests of the readers.

Each takes rows (x, y, p, t) with integers, t in microseconds.
"""

import struct


def aedat2(rows, chip="DVS128"):
    """jAER's AEDAT 2.0: big-endian address and time; x from the right, y from the bottom."""
    header = b"#!AER-DAT2.0\r\n# This is a raw AE data file\r\n"
    if chip:
        header += f"# AEChip: ch.unizh.ini.jaer.chip.retina.{chip}\r\n".encode()
    words = []
    for x, y, p, t in rows:
        address = {"DVS128": (127 - x) << 1 | (127 - y) << 8 | 1 - p, None: (127 - x) << 1 | (127 - y) << 8 | 1 - p,
            "Davis240C": (239 - x) << 12 | (179 - y) << 22 | p << 11,
            "DAVIS346": (345 - x) << 12 | (259 - y) << 22 | p << 11}[chip]
        words.append(struct.pack(">II", address, t))
    return header + b"".join(words)


def aedat3_packet(rows, kind=1, overflow=0, capacity=None, valid=1):
    """A packet of polarity events, its header first."""
    capacity = len(rows) if capacity is None else capacity
    header = struct.pack("<hhiiiiii", kind, 1, 8, 4, overflow, capacity, len(rows), len(rows)*valid)
    events = [struct.pack("<II", x << 17 | y << 2 | p << 1 | valid, t) for x, y, p, t in rows]
    return header + b"".join(events) + bytes(8*(capacity - len(rows)))


def aedat3(*packets):
    """cAER's AEDAT 3.1."""
    return b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n" + b"".join(packets)


def aedat4(packets, size=(128, 128), kind="EVTS"):
    """DV's AEDAT 4.0 without compression: packets of (stream, rows). Flatbuffers by hand: root, vtable, table."""
    info = (f'<dv version="2.0"><node name="outInfo" path="/"><node name="0" path="/0/"><attr key="typeIdentifier" '
        f'type="string">{kind}</attr><node name="info" path="/0/info/"><attr key="sizeX" type="int">{size[0]}</attr>'
        f'<attr key="sizeY" type="int">{size[1]}</attr></node></node></node></dv>').encode()
    # Fields compression and position keep their defaults: none, and data up to the file's end.
    header = (struct.pack("<I", 20) + b"IOHE" + struct.pack("<5H2x", 10, 8, 0, 0, 4) + struct.pack("<iI", 12, 4)
        + struct.pack("<I", len(info)) + info + b"\0")
    file = b"#!AER-DAT4.0\r\n" + struct.pack("<I", len(header)) + header
    for stream, rows in packets:
        packet = (struct.pack("<I", 16) + b"EVTS" + struct.pack("<3H2x", 6, 8, 4) + struct.pack("<iI", 8, 4)
            + struct.pack("<I", len(rows)) + b"".join(struct.pack("<qhh?3x", t, x, y, p) for x, y, p, t in rows))
        packet = struct.pack("<I", len(packet)) + packet
        file += struct.pack("<II", stream, len(packet)) + packet
    return file


def raw_header(version, geometry=None, style="evt"):
    """The text in front of Prophesee's events, in its older and newer style."""
    if style == "format":
        size = f";height={geometry[1]};width={geometry[0]}" if geometry else ""
        return f"% format EVT{version}{size}\n% end\n".encode()
    size = f"% geometry {geometry[0]}x{geometry[1]}\n" if geometry else ""
    return f"% date 2024-01-01 00:00:00\n% evt {version}.0\n{size}% end\n".encode()


def evt2(rows):
    """EVT 2.0: words of 32 bits, the high part of the time in words of its own."""
    words, high = [], None
    for x, y, p, t in rows:
        if t >> 6 != high:
            high = t >> 6
            words.append(8 << 28 | high)
        words.append(p << 28 | (t & 63) << 22 | x << 11 | y)
    return struct.pack(f"<{len(words)}I", *words)


def evt3(rows):
    """EVT 3.0: words of 16 bits, each changing one of time, y and x; the high time comes often, changed or not."""
    words = []
    for x, y, p, t in rows:
        words += [8 << 12 | t >> 12 & 0xFFF, 6 << 12 | t & 0xFFF, y, 2 << 12 | p << 11 | x]
    return struct.pack(f"<{len(words)}H", *words)


def evt3_vectors(x, y, p, t, masks):
    """One row of EVT 3.0 events from a base x: masks of (bits, 12 or 8 wide)."""
    words = [8 << 12 | t >> 12 & 0xFFF, 6 << 12 | t & 0xFFF, y, 3 << 12 | p << 11 | x]
    words += [(4 if width == 12 else 5) << 12 | bits for bits, width in masks]
    return struct.pack(f"<{len(words)}H", *words)


def nmnist(rows):
    """N-MNIST: 5 bytes an event, 23 bits of time."""
    return b"".join(bytes([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255]) for x, y, p, t in rows)
