# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Damaged files of every format: events or one line, never another exception, nothing that lasts, nothing that grows.

Here for seconds; QCLIF_FUZZ_MINUTES=60 python -m pytest -n 0 tests/host/events/test_fuzz.py does it for an hour.
"""

import gc
import io
import os
import resource
import tempfile
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.common import decoding_process
from host.events.event_array import EVENT
from host.events.formats import FORMATS, read_files
from host.events.reading import Reading
from tests.helpers import camera_files

MINUTES = float(os.environ.get("QCLIF_FUZZ_MINUTES", 0))

# Files of a format here; and what one may take: much less than the limits, so that a slow machine is none of it.
EXAMPLES, SECONDS, BYTES = 60, 20, 2**30

ROWS = [(n*7 % 34, n*5 % 34, n % 3 % 2, 1_000_000 + 1013*n) for n in range(60)]

X, Y, P, T = (np.array(column) for column in zip(*ROWS, strict=True))

READINGS = [Reading(), Reading(sensor_size=(34, 34)), Reading(sensor_size=(346, 260), repair_us=10**6),
    Reading(time_unit="us", sensor_size=(128, 128)), Reading(time_unit="s", sensor_size=(34, 34)),
    Reading(camera=1, sensor_size=(34, 34)), Reading(chip="DAVIS346", repair_us=1)]


def compressed(kind):
    """An AEDAT 4 file as faery writes it."""
    import faery

    events = np.zeros(len(ROWS), faery.EVENTS_DTYPE)
    for name, column in (("t", T), ("x", X), ("y", Y), ("on", P)):
        events[name] = column
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.aedat4")
        faery.events_stream_from_array(events, (34, 34)).to_file(path, compression=kind)
        return path.read_bytes()


def saved(save, *arguments, **arrays):
    file = io.BytesIO()
    save(file, *arguments, **arrays)
    return file.getvalue()


def hdf5(**options):
    file = io.BytesIO()
    with h5py.File(file, "w") as content:
        for name, column in (("x", X), ("y", Y), ("p", P), ("t", T)):
            content.create_dataset(f"events/{name}", data=column, **options)
        content.attrs["geometry"] = "34x34"
    return file.getvalue()


@cache
def seeds(name):
    """Whole files of a format."""
    array = np.empty(len(T), EVENT)
    for field, column in (("x", X), ("y", Y), ("p", P), ("t", T)):
        array[field] = column
    plain = np.stack([X, Y, P, T/1e6], axis=1)
    header, size = camera_files.raw_header, (34, 34)
    return {
        "npz": lambda: [saved(np.savez, events=array, sensor_size=size, label=3, context=[[1, 0]]),
            saved(np.savez_compressed, x=X, y=Y, p=P, t=T),
            saved(np.savez, events=array, offsets=[0, 20, 60], labels=[1, 2], context=[[1, 0, 0]])],
        "npy": lambda: [saved(np.save, array), saved(np.save, plain)],
        "AEDAT 2": lambda: [camera_files.aedat2(ROWS), camera_files.aedat2(ROWS, None),
            camera_files.aedat2(ROWS, "DAVIS346")],
        "AEDAT 3": lambda: [camera_files.aedat3(camera_files.aedat3_packet(ROWS[:30], capacity=40),
            camera_files.aedat3_packet(ROWS[30:], source=2))],
        "AEDAT 4": lambda: [camera_files.aedat4([(0, ROWS[:30]), (0, ROWS[30:])], size), compressed(("lz4", 1)),
            compressed(("zstd", 3))],
        "ES": lambda: [camera_files.es(ROWS, size)],
        "HDF5": lambda: [hdf5(), hdf5(compression="gzip", chunks=(16,), shuffle=True, fletcher32=True)],
        "DAT": lambda: [camera_files.dat(ROWS, size), camera_files.dat(ROWS, size, 1, 0)],
        "RAW": lambda: [header(2, size) + camera_files.evt2(ROWS), header("2.1", size) + camera_files.evt21(ROWS),
            header("2.1", size) + camera_files.evt21(ROWS, True), header(3, size) + camera_files.evt3(ROWS),
            header(3, size) + camera_files.evt3_vectors(3, 7, 1, 5000, [(0xFFF, 12), (0x81, 8)])*3],
        "N-MNIST": lambda: [camera_files.nmnist(ROWS), camera_files.nmnist([(5, 240, 1, 9)]*50 + ROWS)],
        "text": lambda: [camera_files.text(ROWS), camera_files.text(ROWS, None, " "),
            camera_files.text([(x, y, p, t/1e6) for x, y, p, t in ROWS], "t [s];x;y;polarity", ";")],
    }[name]()


@st.composite
def damaged(draw, name):
    """A whole file, with bytes changed, taken out, put in, doubled or cut off; changes at its head are likelier."""
    data = bytearray(draw(st.sampled_from(seeds(name))))
    for _ in range(draw(st.integers(1, 6))):
        if not data:
            break
        place = draw(st.integers(0, min(len(data), draw(st.sampled_from([64, 400, 10**6]))) - 1))
        match draw(st.sampled_from(["byte", "bit", "word", "cut", "take", "put", "double", "digits"])):
            case "byte":
                data[place] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x23, 0x25, *range(256)]))
            case "bit":
                data[place] ^= 1 << draw(st.integers(0, 7))
            case "word":
                value = draw(st.sampled_from([0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]))
                width = draw(st.sampled_from([2, 4, 8]))
                data[place:place + width] = (value % 2**(8*width)).to_bytes(width, draw(st.sampled_from(["little",
                    "big"])))
            case "cut":
                del data[place:]
            case "take":
                del data[place:place + draw(st.integers(1, 40))]
            case "put":
                data[place:place] = draw(st.binary(max_size=40))
            case "double":
                data[place:place] = data[place:place + 200]*draw(st.integers(1, 20))
            case "digits":
                data[place:place] = draw(st.sampled_from([b"9"*30, b"-1", b"1e400", b"nan", b"0x10", b",", b"\n",
                    b"\r\n", b"\0", b"#", b"% end\n", b"'", b'"', b"(", b"(1,)*9", "\N{SUPERSCRIPT TWO}".encode()]))
    return bytes(data)


@contextmanager
def little_memory():
    """No more address space than BYTES beside what is used now."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used   = int(Path("/proc/self/statm").read_text().split()[0])*resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def cpu_seconds():
    """Of this process and of those that it has waited for: on a busy machine a file takes no more of them. One that
    hangs is ended by the reader's own limit."""
    return sum(os.times()[:4])


def examine(path, content, reading):
    """Read a file: what comes out is whole events, or one line."""
    path.write_bytes(content)
    start = cpu_seconds()
    try:
        with little_memory():
            for sample in read_files([path], reading):
                events = sample.events
                assert events.dtype == EVENT and len(events) and (np.diff(events["t"]) >= 0).all()
                assert all(events[axis].max() < size for axis, size in zip("xy", sample.sensor_size, strict=True))
    except QCLIFError as error:
        assert "\n" not in str(error) and str(path) in str(error) and "MemoryError" not in str(error)
        assert "the memory is too small" not in str(error)
    assert cpu_seconds() - start < SECONDS


def fuzz(strategy, path):
    """Examples of a strategy, or as many as MINUTES shared by all formats allow."""
    def run(content, reading):
        examine(path, content, reading)

    test = settings(max_examples=EXAMPLES if not MINUTES else 1000, deadline=None, database=None,
        suppress_health_check=list(HealthCheck))(given(strategy, st.sampled_from(READINGS))(run))
    end = time.monotonic() + 60*MINUTES/(2*len(FORMATS))
    test()
    while time.monotonic() < end:
        test()
    gc.collect()


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files(tmp_path, name):
    path = tmp_path/f"a{FORMATS[name].suffixes[0]}"
    for content in seeds(name):
        for reading in READINGS:
            examine(path, content, reading)
    fuzz(damaged(name), path)
    child = decoding_process._child
    if child is not None:
        peak = next(line for line in Path(f"/proc/{child.pid}/status").read_text().splitlines() if "VmHWM" in line)
        assert int(peak.split()[1])*1024 < BYTES

# Whole files of anything --------------------------------------------------------------------------

NAMES = st.sampled_from(["x", "y", "p", "t", "ts", "t_ns", "pol", "events", "offsets", "label", "labels", "context",
    "sensor_size", "width", "height", "on", "time (s)", ""])

DTYPES = st.sampled_from(["u1", "i1", "<i4", ">u8", "<i8", "f4", "<f8", "?", "U3", "S2", "m8[us]", "M8[ns]", "M8",
    "c16",
    [("x", "i2"), ("y", "i2"), ("p", "i1"), ("t", "i8")], [("x", "f8"), ("y", "f8"), ("p", "f8"), ("t", "f8")],
    [("x", "i2"), ("x2", "i2")], [("t", "i8", (3,)), ("x", "U2"), ("y", "i2"), ("p", "i1")], "V0", "V9"])

SHAPES = st.sampled_from([(), (0,), (1,), (2,), (7,), (20,), (0, 4), (7, 4), (20, 4), (7, 3), (2, 2, 2)])

FILLINGS = st.sampled_from(["zeros", "ones", "count", "back", "max", "bytes"])


@st.composite
def arrays(draw):
    """An array of any shape and type."""
    dtype, shape, filling = np.dtype(draw(DTYPES)), draw(SHAPES), draw(FILLINGS)
    count = int(np.prod(shape))
    if filling == "bytes":
        data = draw(st.binary(min_size=count*dtype.itemsize, max_size=count*dtype.itemsize))
        return np.frombuffer(data, dtype, count).reshape(shape) if dtype.itemsize else np.zeros(shape, dtype)
    values = {"zeros": 0, "ones": 1, "max": 2**62, "count": np.arange(count), "back": np.arange(count)[::-1]}[filling]
    array  = np.zeros(count, dtype)
    try:
        with np.errstate(all="ignore"):
            if dtype.names:
                for name in dtype.names:
                    array[name] = values if not array[name].ndim > 1 else 0
            else:
                array[...] = values
    except (ValueError, TypeError, OverflowError):
        # It stays as it is.
        pass
    return array.reshape(shape)


@st.composite
def archives(draw):
    return saved(draw(st.sampled_from([np.savez, np.savez_compressed])),
        **{name or "_": array for name, array in draw(st.dictionaries(NAMES, arrays(), max_size=6)).items()})


@st.composite
def trees(draw):
    """An HDF5 file of arrays and groups."""
    file = io.BytesIO()
    with h5py.File(file, "w") as content:
        for place in draw(st.lists(st.sampled_from(["", "events/", "a/b/"]), min_size=1, max_size=2, unique=True)):
            for name, array in draw(st.dictionaries(NAMES.filter(bool), arrays(), max_size=6)).items():
                try:
                    content[f"{place}{name}"] = array
                except (TypeError, ValueError, OSError):
                    # HDF5 has no such type.
                    pass
        for name, value in draw(st.dictionaries(st.sampled_from(["geometry", "width", "height", "units"]),
                st.sampled_from(["34x34", "x", 34, -1, 2**40, [1, 2], b"34x34", "ns"]), max_size=3)).items():
            content.attrs[name] = value
    return file.getvalue()


WORDS = st.one_of(st.integers(-3, 40).map(str), st.integers().map(str), st.floats().map(repr), st.sampled_from(["x",
    "y", "p", "t", "t_ns", "", "True", "OFF", "#", '"', "x@34", "\u00b2", "\u0663", "1_000", "+", "1e5", "0x1"]))


@st.composite
def texts(draw):
    separator = draw(st.sampled_from([",", ";", "\t", " ", ", "]))
    lines = draw(st.lists(st.lists(WORDS, min_size=1, max_size=5).map(separator.join), min_size=1, max_size=8))
    head  = draw(st.sampled_from(["t,x,y,p\n", "", "34 34\n", "# t x y p\n", "\ufeffx;y;p;ts\n"]))
    return (head + draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines)).encode()


@pytest.mark.parametrize("name, strategy", [("npy", arrays().map(lambda array: saved(np.save, array))),
    ("npz", archives()), ("HDF5", trees()), ("text", texts()),
    ("RAW", st.tuples(st.sampled_from([2, "2.1", 3]), st.binary(max_size=4000)).map(
        lambda parts: camera_files.raw_header(parts[0], (1280, 720)) + parts[1])),
    ("ES", st.binary(max_size=2000).map(lambda body: camera_files.es([], (34, 34)) + body)),
    ("N-MNIST", st.binary(max_size=2000)), ("DAT", st.binary(max_size=2000).map(
        lambda body: camera_files.dat([], (34, 34)) + body))], ids=str)
def test_any_content(tmp_path, name, strategy):
    fuzz(strategy, tmp_path/f"a{FORMATS[name].suffixes[0]}")


# Small files that would be large ------------------------------------------------------------------

def test_a_megabyte_does_not_become_a_gigabyte(tmp_path):
    zeros = camera_files.npz_of_zeros(2**25)
    assert len(zeros) < 2**20
    with pytest.raises(QCLIFError, match="array events has 436207808 bytes, the limit is"):
        examine(tmp_path/"a.npz", zeros, Reading())
        list(read_files([tmp_path/"a.npz"]))
    events = camera_files.evt3_vectors(0, 1, 1, 0, [(0xFFF, 12)]*400_000)
    examine(tmp_path/"a.raw", camera_files.raw_header(3, (1280, 720)) + events, Reading())
    words  = np.full(2**17 - 100, 0xFFFFFFFF, "<u8").tobytes()
    header = camera_files.raw_header("2.1", (1280, 720)) + camera_files.evt21(ROWS[:1])
    examine(tmp_path/"a.raw", header + words, Reading())
    examine(tmp_path/"a.bin", bytes([1, 240, 0, 0, 1])*200_000 + bytes(5), Reading())
    examine(tmp_path/"a.es", camera_files.es(ROWS[:1]) + b"\xff"*(2**20 - 100), Reading())
    examine(tmp_path/"a.aedat", camera_files.aedat3(camera_files.aedat3_packet([])*30_000), Reading())
    examine(tmp_path/"a.csv", b"t,x,y,p\n" + b"1,1,1,1\n"*120_000, Reading(sensor_size=(34, 34)))
    examine(tmp_path/"a.csv", b"t,x,y,p\n" + b"1"*2**20, Reading(sensor_size=(34, 34)))
