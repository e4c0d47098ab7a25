# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The table of formats in host/README.md: every word in it is a file that is made, and read or refused, here."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import h5py
import numpy as np
import pytest

from accel.errors import QCLIFError
from host.common.folders import ROOT
from host.events.formats import FORMATS, read_files
from host.events.reading import Reading
from tests.helpers.camera_files import (
    aedat2,
    aedat2_header,
    aedat2_words,
    aedat3,
    aedat3_packet,
    aedat4,
    dat,
    es,
    evt2,
    evt3,
    evt21,
    nmnist,
    npz_of_zeros,
    raw_header,
    text,
)

SIZE = (34, 34)

ROWS = [(3, 5, 1, 1_700_013), (33, 0, 0, 1_700_013), (0, 33, 1, 1_700_077), (6, 9, 0, 1_791_064), (6, 8, 1, 1_870_003)]

X, Y, P, T = (np.array(column) for column in zip(*ROWS, strict=True))

# Where files do not tell the sensor's size.
ASKED = {"sensor_size": SIZE}



def array(**columns):
    names = {"x": X, "y": Y, "p": P, "t": T} | columns
    made  = np.empty(len(T), [(name, column.dtype) for name, column in names.items()])
    for name, column in names.items():
        made[name] = column
    return made


def npy(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def columns(**changes):
    return {"x": X, "y": Y, "p": P, "t": T} | changes


def hdf5(write):
    file = io.BytesIO()
    with h5py.File(file, "w") as content:
        write(content)
    return file.getvalue()


def group(name="events", attributes=None, **changes):
    def write(file):
        for key, column in columns(**changes).items():
            file[f"{name}/{key}"] = column
        file.attrs.update(attributes or {})
    return write


def stereo(file):
    group("left")(file)
    group("right")(file)


@dataclass
class Kind:
    """A format's row of the table.

    Parameters
    ----------
    suffix : of its files.
    reads : what is read, each a file that holds ROWS and what it is read with.
    size : what tells the sensor's size, each a file without which it would be asked for, and the size.
    asks : a file that does not tell it; None where there is none.
    unit : of its times, in words.
    refused : what is refused, each a file, a word of the line, and what it is read with.
    """
    suffix:  str
    reads:   dict[str, tuple[bytes, dict]]
    size:    dict[str, tuple[bytes, tuple[int, int]]]
    asks:    bytes | None
    unit:    str
    refused: dict[str, tuple[bytes, str, dict]]


def in_range(rows, size):
    """Rows of a small sensor at the far corner of another."""
    return [(x + size[0] - SIZE[0], y + size[1] - SIZE[1], p, t) for x, y, p, t in rows]


def raw(version, encode, **more):
    return raw_header(version, SIZE) + encode(ROWS, **more)


def prophesee(lines):
    return f"% evt 3.0\n{lines}% end\n".encode() + evt3(ROWS)


NANOSECONDS = np.arange(40)*10_007_000

SPARSE = {"x": np.zeros(40, int), "y": np.zeros(40, int), "p": np.ones(40, int)}

KINDS = {
    "npz": Kind(".npz", {
            "one recording: `events` (structured array), optional `label`, `context` rows (step, source)":
                (npz(events=array(), label=3, context=[[0, 1]]), ASKED),
            "or arrays x, y, p, t": (npz(**columns()), ASKED),
            "many recordings: `events`, `offsets` (recording i is `events[offsets[i]:offsets[i+1]]`), optional "
            "`labels`, `context` rows (sample, step, source)":
                (npz(events=array(), offsets=[0, 5], labels=[3], context=[[0, 0, 1]]), ASKED)},
        {"`sensor_size`": (npz(events=array(), sensor_size=SIZE), SIZE),
            "`width` and `height`": (npz(**columns(), width=34, height=34), SIZE)},
        npz(events=array()), "us, or recognised (below)", {
            "Python objects": (npz(events=np.array([{}])), "Object arrays", ASKED),
            "arrays of another size than their header tells":
                (npz_of_zeros(5, 9), "257 bytes, 309 by its header", ASKED)}),
    "npy": Kind(".npy", {
            "structured array of x, y, p, t": (npy(array()), ASKED),
            "[n, 4] in the order t, x, y, p, or x, y, p, t, or x, y, t, p":
                (npy(np.stack([T/1e6, X, Y, P], axis=1)), ASKED)},
        {}, npy(array()), "us, or recognised (below); asked for in [n, 4] of integers", {
            "another shape": (npy(np.zeros((5, 3))), "a one-dimensional structured array", ASKED),
            "Python objects": (npy(np.array([{}])), "not a readable .npy file", ASKED)}),
    "AEDAT 2": Kind(".aedat", {
            "pixels' events of DVS128": (aedat2(ROWS), {}),
            "of DAVIS (frames, IMU samples and external inputs are passed over)":
                (aedat2(ROWS, "DAVIS346") + bytes.fromhex("80000000000003e8"), {}),
            "one of a stereo pair (`--camera`)":
                (aedat2_header("DVS128StereoPair") + aedat2_words(ROWS), {"camera": 0})},
        {"`AEChip`": (aedat2(in_range(ROWS, (346, 260)), "DAVIS346"), (346, 260)),
            "without it DVS128, where all words fit": (aedat2(in_range(ROWS, (128, 128)), None), (128, 128))},
        None, "us, continued where 32 bits end", {
            "words that the chip cannot have, as without `AEChip` those of a DAVIS (`--chip`)":
                (aedat2_header(None) + aedat2_words(in_range(ROWS, (346, 260)), "DAVIS346"), "give --chip", {}),
            "unknown chips": (aedat2_header("Cochlea"), "known chips are", {}),
            "stereo without a choice": (aedat2_header("DVS128StereoPair") + aedat2_words(ROWS), "of two cameras", {})}),
    "AEDAT 3": Kind(".aedat", {
            "valid polarity events of 3.1": (aedat3(aedat3_packet(ROWS[:2], valid=0), aedat3_packet(ROWS)), {}),
            "trials of DVS128 Gesture, by the `_labels.csv` beside it": (aedat3(aedat3_packet([(1, 1, 1, 5), *ROWS])),
                {"table": "class,startTime_usec,endTime_usec\n3,1000000,2000000\n"}),
            "one of several sources (`--camera`)":
                (aedat3(aedat3_packet(ROWS, source=2), aedat3_packet(ROWS[:2])), {"camera": 1})},
        {"the name of the source": (aedat3(aedat3_packet(ROWS), sources=["DAVIS240C"]), (240, 180))},
        aedat3(aedat3_packet(ROWS), sources=["Camera"]), "us", {
            "several sources without a choice":
                (aedat3(aedat3_packet(ROWS, source=2), aedat3_packet(ROWS)), "of 2 cameras", {})}),
    "AEDAT 4": Kind(".aedat4", {
            "the stream of events": (aedat4([(0, ROWS)], SIZE), {}),
            "one of several (`--camera`)": (aedat4([(0, ROWS[:1]), (1, ROWS)], SIZE, ["EVTS", "EVTS"]), {"camera": 1})},
        {"the stream": (aedat4([(0, ROWS)], (346, 260)), (346, 260))}, None, "us", {
            "several streams without a choice":
                (aedat4([(0, ROWS), (1, ROWS)], SIZE, ["EVTS", "EVTS"]), "2 streams of events", {}),
            "files without events": (aedat4([], SIZE, ["TRIG"]), "no stream of events", {})}),
    "ES": Kind(".es", {"events of type DVS": (es(ROWS, SIZE), {})},
        {"the header": (es(ROWS, (346, 260)), (346, 260))}, None, "us", {
            "types color and generic": (b"Event Stream" + bytes((2, 0, 0, 0, 0, 0)), "cannot be decoded", {})}),
    "HDF5": Kind(".h5", {
            "a table of x, y, p, t": (hdf5(lambda file: file.create_dataset("CD/events", data=array())), ASKED),
            "arrays side by side": (hdf5(group()), ASKED),
            "`events` [n, 4], as npy":
                (hdf5(lambda file: file.create_dataset("a/events", data=np.stack([X, Y, T/1e6, P], axis=1))), ASKED),
            "one of several recordings (`--camera`)": (hdf5(stereo), {"camera": 1, **ASKED})},
        {"attributes `width` and `height`": (hdf5(group(attributes={"width": 34, "height": 34})), SIZE),
            "`geometry`": (hdf5(group(attributes={"geometry": "34x34"})), SIZE)},
        hdf5(group()), "attribute `units`, or us, or recognised (below)", {
            "several recordings without a choice": (hdf5(stereo), "2 recordings", ASKED),
            "arrays that the file's size makes implausible":
                (hdf5(lambda file: [file.create_dataset(name, (2**40,), "i8", chunks=(64,)) for name in "xypt"]),
                "are plausible", ASKED)}),
    "DAT": Kind(".dat", {"pixels' events of version 1": (dat(ROWS, SIZE, 1, 0), {}),
        "those of version 2": (dat(ROWS, SIZE), {})},
        {"`Width` and `Height`": (dat(ROWS, SIZE), SIZE)}, dat(ROWS), "us, continued where 32 bits end", {
            "triggers": (dat(ROWS, SIZE, kind=0x0E), "type 0x0e", {})}),
    "RAW": Kind(".raw", {
            "EVT2": (raw(2, evt2), {}), "EVT2.1 (both orders of its halves)": (raw("2.1", evt21, legacy=True), {}),
            "EVT3 (padding words 0x9999 are passed over and counted)":
                (raw(3, evt3).replace(evt3(ROWS[:1]), evt3(ROWS[:1]) + b"\x99\x99"*9), {})},
        {"`format`": (raw_header(3, SIZE, "format") + evt3(ROWS), SIZE), "`geometry`": (raw(3, evt3), SIZE),
            "`system_ID`": (prophesee("% system_ID 21\n"), (640, 480)),
            "`plugin_name`": (prophesee("% plugin_name hal_plugin_imx636_evk4\n"), (1280, 720)),
            "`sensor_name`": (prophesee("% sensor_name GenX320\n"), (320, 320))},
        prophesee(""), "us, continued where their bits end", {
            "words of unknown types": (raw(3, evt3) + b"\x11\x11", "is of no type of EVT3", {}),
            "other encodings": (raw(4, evt3), "EVT4", {})}),
    "N-MNIST": Kind(".bin", {"N-MNIST": (nmnist(ROWS), {}), "N-Caltech101 (`--sensor-size`)": (nmnist(ROWS), ASKED)},
        {"34 x 34, as nothing tells it": (nmnist(ROWS), SIZE)}, None, "us", {
            "other sensors without `--sensor-size`": (nmnist(in_range(ROWS, (240, 180))), "give --sensor-size", {})}),
    "text": Kind(".csv", {
            "columns by their names (x, y, p, pol, polarity, t, ts, time, timestamp ...)":
                (text(ROWS, "ts,x,y,pol"), ASKED),
            "or four in an order as npy; separated by commas, semicolons, tabs or blanks":
                (text(ROWS, None, " "), {"time_unit": "us", **ASKED})},
        {"a first line `W H`": (b"34 34\n" + text(ROWS, None, " "), SIZE),
            "names `x@W`, `y@H`": (text(ROWS, "t,x@34,y@34,p"), SIZE)},
        text(ROWS), "us, or recognised (below); asked for in integers without names", {
            "an order that is not sure": (text([(1, 1, 1, 1)], None), "may be", ASKED)}),
}


@pytest.fixture
def read(tmp_path):
    def read(name, content, **reading):
        path = tmp_path/f"a{KINDS[name].suffix}"
        path.write_bytes(content)
        return list(read_files([path], Reading(**reading)))
    return read


def entries(field):
    """(format, words, entry) of all formats."""
    return [pytest.param(name, *(entry if isinstance(entry, tuple) else (entry,)), id=f"{name}: {words}")
        for name, kind in KINDS.items() for words, entry in getattr(kind, field).items()]


def test_every_format_is_there():
    assert list(KINDS) == list(FORMATS)
    assert all(kind.suffix in FORMATS[name].suffixes for name, kind in KINDS.items())


@pytest.mark.parametrize("name, content, reading", entries("reads"))
def test_what_is_read(read, tmp_path, name, content, reading):
    reading = dict(reading)
    if table := reading.pop("table", None):
        (tmp_path/"a_labels.csv").write_text(table)
    sample, = read(name, content, **reading)
    assert [tuple(event) for event in sample.events.tolist()] == ROWS


@pytest.mark.parametrize("name, content, size", entries("size"))
def test_what_tells_the_size(read, name, content, size):
    unit = {"time_unit": "us"} if "time_unit" in FORMATS[name].takes else {}
    sample, = read(name, content, **unit)
    assert sample.sensor_size == size
    other = (size[0] + 1, size[1])
    if name == "N-MNIST":
        # Nothing tells it: the answer counts.
        assert read(name, content, sensor_size=other)[0].sensor_size == other
        return
    with pytest.raises(QCLIFError, match="were asked for: leave --sensor-size out"):
        read(name, content, sensor_size=other, **unit)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.asks is not None])
def test_where_the_size_is_asked_for(read, name):
    with pytest.raises(QCLIFError, match="does not tell its sensor's size: give --sensor-size W H"):
        read(name, KINDS[name].asks)
    assert read(name, KINDS[name].asks, **ASKED)[0].sensor_size == SIZE


@pytest.mark.parametrize("name, content, why, reading", entries("refused"))
def test_what_is_refused(read, name, content, why, reading):
    with pytest.raises(QCLIFError, match=why):
        read(name, content, **reading)


@pytest.mark.parametrize("name", KINDS)
def test_units(read, name):
    """A format with a unit of its own takes no other; the rest ask where ns and us are as likely."""
    first, reading = next(iter(KINDS[name].reads.values()))
    if "recognised" not in KINDS[name].unit:
        with pytest.raises(QCLIFError, match="--time-unit has no effect"):
            read(name, first, **reading, time_unit="us")
        return
    make: dict[str, Callable] = {"npz": lambda t: npz(**SPARSE, t=t), "npy": lambda t: npy(
        np.array(list(zip(*SPARSE.values(), t, strict=True)), [(each, t.dtype) for each in "xypt"])),
        "HDF5": lambda t: hdf5(lambda file: [file.create_dataset(each, data=column) for each, column in
        (SPARSE | {"t": t}).items()]), "text": lambda t: text(list(zip(*SPARSE.values(), t.tolist(), strict=True)))}
    with pytest.raises(QCLIFError, match="may be in us or ns: say which with --time-unit"):
        read(name, make[name](NANOSECONDS), **ASKED)
    for times, unit in ((NANOSECONDS//1000, None), (NANOSECONDS, "ns"), (NANOSECONDS/1e9, None)):
        sample, = read(name, make[name](times), **ASKED, time_unit=unit)
        assert sample.events["t"].tolist() == (NANOSECONDS//1000).tolist()


# Those of ES are differences that cannot be negative.
@pytest.mark.parametrize("name", [name for name in KINDS if name != "ES"])
def test_times_that_go_back_are_refused_and_repaired_when_asked(read, name):
    late  = [(1, 2, 1, 1_700_000), (3, 4, 0, 1_700_009), (5, 6, 1, 1_700_005), (7, 8, 0, 1_800_003)]
    x, y, p, t = (np.array(column) for column in zip(*late, strict=True))
    content = {
        "npz": lambda: npz(x=x, y=y, p=p, t=t), "npy": lambda: npy(np.stack([t/1e6, x, y, p], axis=1)),
        "AEDAT 2": lambda: aedat2(late), "AEDAT 3": lambda: aedat3(aedat3_packet(late)),
        "AEDAT 4": lambda: aedat4([(0, late)], SIZE), "DAT": lambda: dat(late, SIZE), "N-MNIST": lambda: nmnist(late),
        "HDF5": lambda: hdf5(group(x=x, y=y, p=p, t=t)), "RAW": lambda: raw_header(3, SIZE) + evt3(late),
        "text": lambda: text(late)}[name]()
    told, notes = {} if KINDS[name].asks is None or name in ("DAT", "RAW", "AEDAT 3") else ASKED, []
    if name == "npy":
        # Of columns without names, times that go back leave no order.
        with pytest.raises(QCLIFError, match="no order of x, y, p and t"):
            read(name, content, **told)
        return
    with pytest.raises(QCLIFError, match=r"times go back at event 2, from 1700009 to 1700005 us.*--repair"):
        read(name, content, **told)
    sample, = read(name, content, **told, repair_us=10, note=notes.append)
    assert [tuple(event) for event in sample.events.tolist()] == sorted(late, key=lambda row: row[3])
    assert len(notes) == 1 and "1 of 4 events came late" in notes[0]


def table():
    """The table, as it stands in the README."""
    def cell(*words):
        return "; ".join(word for word in words if word)

    lines = ["| format | reads | size known from | time unit | refused |", "| --- | --- | --- | --- | --- |"]
    for name, kind in KINDS.items():
        size = cell(", ".join(kind.size), "else `--sensor-size`" if kind.asks is not None and kind.size else
            "`--sensor-size`" if kind.asks is not None else "")
        suffixes = ", ".join(f"`{suffix}`" for suffix in FORMATS[name].suffixes)
        lines.append(f"| {name} ({suffixes}) | {cell(*kind.reads)} | {size} | {kind.unit} | {cell(*kind.refused)} |")
    return "\n".join(lines)


def test_the_readme_has_the_table():
    readme = (ROOT/"host"/"README.md").read_text()
    if table() not in readme:
        pytest.fail(f"the table of formats in host/README.md has to be:\n\n{table()}\n")
