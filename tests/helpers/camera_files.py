# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Writers of the formats that cameras record, byte by byte from their definitions; for the tests of the readers.

Each takes rows (x, y, p, t) with integers, t in microseconds.
"""

import io
import struct
import zipfile

import numpy as np

from host.events.event_array import EVENT

# Pixels of cameras with the DAVIS' address words, by the names that jAER's classes have.
DAVIS = {"Davis240C": (240, 180), "SBret10": (240, 180), "DAVIS346": (346, 260), "DAVIS640": (640, 480),
    "Davis208PixelParade": (208, 192), "DAVIS128": (128, 128)}


def aedat2_header(chip="DVS128", end=""):
    """The text in front of AEDAT 2.0, as jAER writes it; `end` is one more line."""
    lines = ["#!AER-DAT2.0", "# This is a raw AE data file", *([f"# AEChip: ch.unizh.ini.jaer.chip.retina.{chip}"]
        if chip else []), *([end] if end else [])]
    return "".join(f"{line}\r\n" for line in lines).encode()


def aedat2_words(rows, chip="DVS128", second=False):
    """Big-endian address and time. Times have 32 bits."""
    words = []
    for x, y, p, t in rows:
        address = x << 12 | y << 22 | p << 11 if chip in DAVIS else second << 15 | x << 1 | y << 8 | p
        words.append(struct.pack(">II", address, t % 2**32))
    return b"".join(words)


def aedat2(rows, chip="DVS128"):
    """jAER's AEDAT 2.0."""
    return aedat2_header(chip) + aedat2_words(rows, chip)


def aedat3_packet(rows, kind=1, overflow=0, capacity=None, valid=1, source=1):
    """A packet of polarity events, its header first."""
    capacity = len(rows) if capacity is None else capacity
    header = struct.pack("<hhiiiiii", kind, source, 8, 4, overflow, capacity, len(rows), len(rows)*valid)
    events = [struct.pack("<II", x << 17 | y << 2 | p << 1 | valid, t) for x, y, p, t in rows]
    return header + b"".join(events) + bytes(8*(capacity - len(rows)))


def aedat3(*packets, sources=("DVS128",)):
    """cAER's AEDAT 3.1; sources are numbered from 1."""
    named = "".join(f"#Source {number}: {name}\r\n" for number, name in enumerate(sources, 1))
    return f"#!AER-DAT3.1\r\n#Format: RAW\r\n{named}#!END-HEADER\r\n".encode() + b"".join(packets)


def aedat4(packets, size=(128, 128), kinds=("EVTS",)):
    """DV's AEDAT 4.0 without compression: packets of (stream, rows). Flatbuffers by hand: root, vtable, table."""
    nodes = "".join(f'<node name="{number}" path="/outInfo/{number}/"><attr key="compression" type="string">NONE</attr>'
        f'<attr key="originalModuleName" type="string">capture</attr><attr key="originalOutputName" type="string">'
        f'events</attr><attr key="typeDescription" type="string">Array of events.</attr><attr key="typeIdentifier" '
        f'type="string">{kind}</attr><node name="info" path="/outInfo/{number}/info/"><attr key="sizeX" type="int">'
        f'{size[0]}</attr><attr key="sizeY" type="int">{size[1]}</attr><attr key="source" type="string">camera</attr>'
        f'</node></node>' for number, kind in enumerate(kinds))
    info = f'<dv version="2.0"><node name="outInfo" path="/outInfo/">{nodes}</node></dv>'.encode()
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
    version = version if isinstance(version, str) else f"{version}.0"
    return f"% date 2024-01-01 00:00:00\n% evt {version}\n{size}% end\n".encode()


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


def evt21(rows, legacy=False):
    """EVT 2.1: words of 64 bits, the lower half a bit for each of 32 pixels; neighbours of one time share a word."""
    words, high, latest = [], None, None
    for x, y, p, t in rows:
        if t >> 6 != high:
            high = t >> 6
            words.append((8 << 28 | high) << 32)
            latest = None
        word = p << 28 | (t & 63) << 22 | (x & ~31) << 11 | y
        # Bits ascend, or the order of the rows would change.
        if latest is None or latest[0] != word or latest[1] >= x % 32:
            words.append(word << 32)
        words[-1] |= 1 << x % 32
        latest = word, x % 32
    if legacy:
        words = [word >> 32 | (word & 0xFFFFFFFF) << 32 for word in words]
    return struct.pack(f"<{len(words)}Q", *words)


def dat(rows, geometry=None, version=2, kind=0x0C):
    """Prophesee's DAT: time, then address, of 32 bits each."""
    size = "% Width {}\n% Height {}\n".format(*geometry) if geometry else ""
    header = f"% Data file containing CD events.\n% Version {version}\n{size}".encode() + bytes((kind, 8))
    if version == 2:
        return header + b"".join(struct.pack("<II", t % 2**32, p << 28 | y << 14 | x) for x, y, p, t in rows)
    return header + b"".join(struct.pack("<II", t % 2**32, p << 17 | y << 9 | x) for x, y, p, t in rows)


def es(rows, size=(128, 128)):
    """Event Stream of type DVS: y from the bottom, differences of times, 127 us in each overflow byte."""
    data, before = b"Event Stream" + bytes((2, 0, 0, 1)) + struct.pack("<HH", *size), 0
    for x, y, p, t in rows:
        more, less = divmod(t - before, 127)
        data += b"\xff"*more + bytes((less << 1 | p,)) + struct.pack("<HH", x, size[1] - 1 - y)
        before = t
    return data


def text(rows, header="t,x,y,p", separator=",", order="txyp"):
    """A line an event."""
    lines = [header] if header else []
    lines += [separator.join(str(dict(zip("xypt", row, strict=True))[each]) for each in order) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode()


def npz_of_zeros(events, told=None):
    """A small .npz file of so many events, which are never all there; `told`: how many its header tells."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("events.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": np.lib.format.dtype_to_descr(EVENT),
            "fortran_order": False, "shape": (told or events,)})
        left = events*EVENT.itemsize
        while left:
            left -= member.write(bytes(min(left, 2**22)))
    return file.getvalue()


def nmnist(rows):
    """N-MNIST: 5 bytes an event, 23 bits of time."""
    return b"".join(bytes([x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255]) for x, y, p, t in rows)
