# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Arrays, text and HDF5 of other programs: names and order of columns, polarity, units of time, and what is asked."""

import h5py
import numpy as np
import pytest

from accel.errors import QCLIFError
from host.events.formats import read_files
from host.events.reading import Reading
from tests.helpers.camera_files import text

# Times of a camera: a microsecond is its tick.
ROWS = [(n*7 % 64, n*5 % 48, n % 3 % 2, 1013*n + n % 7) for n in range(40)]
SIZE = (64, 48)

X, Y, P, T = (np.array(column) for column in zip(*ROWS, strict=True))


@pytest.fixture
def read(tmp_path):
    def read(name, content, **reading):
        path = tmp_path/name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, dict):
            np.savez(path, **content)
        elif isinstance(content, np.ndarray):
            np.save(path, content)
        elif callable(content):
            with h5py.File(path, "w") as file:
                content(file)
        else:
            path.write_bytes(content)
        sample, = read_files([path], Reading(**{"sensor_size": SIZE} | reading))
        return sample
    return read


def rows_of(sample):
    return [tuple(event) for event in sample.events.tolist()]


def structured(**columns):
    array = np.empty(len(T), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        array[name] = column
    return array

# Names and orders ---------------------------------------------------------------------------------

@pytest.mark.parametrize("x, y, p, t", [("x", "y", "p", "t"), ("x", "y", "pol", "ts"), ("x", "y", "polarity", "time"),
    ("xs", "ys", "ps", "ts"), ("X", "Y", "on", "timestamp"), ("x", "y", "polarities", "timestamps")])
def test_names(read, x, y, p, t):
    columns = {p: P, y: Y, t: T, x: X}
    for file, content in (("a.npz", columns), ("b.npz", {"events": structured(**columns)}),
            ("c.npy", structured(**columns)), ("d.csv", text(ROWS, f"{t},{x},{y},{p}")),
            ("e.h5", lambda h5: [h5.create_dataset(name, data=column) for name, column in columns.items()]),
            ("f.h5", lambda h5: h5.create_dataset("some/table", data=structured(**columns)))):
        assert rows_of(read(file, content)) == ROWS, file


def test_two_names_for_one(read):
    for name, content in (("a.npz", {"x": X, "y": Y, "p": P, "t": T, "ts": T}),
            ("b.npy", structured(x=X, y=Y, p=P, t=T, ts=T)),
            ("c.csv", b"t,x,y,p,ts\n1,2,3,0,1\n")):
        with pytest.raises(QCLIFError, match=f"{name}: t and ts may both be t: rename or remove one"):
            read(name, content)


@pytest.mark.parametrize("missing", "xypt")
def test_one_is_missing(read, missing):
    columns = {name: column for name, column in (("x", X), ("y", Y), ("p", P), ("t", T)) if name != missing}
    with pytest.raises(QCLIFError, match="array events is missing, there are"):
        read("a.npz", columns)
    with pytest.raises(QCLIFError, match=f"b.npy: {missing} is missing, there are"):
        read("b.npy", structured(**columns))
    with pytest.raises(QCLIFError, match="no events in it"):
        read("c.h5", lambda file: [file.create_dataset(f"events/{name}", data=column) for name, column in
            columns.items()])


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", ", "])
@pytest.mark.parametrize("order", ["txyp", "xypt", "xytp"])
def test_orders_without_names(read, order, separator):
    content = text(ROWS, None, separator, order)
    assert rows_of(read("a.txt", content, time_unit="us")) == ROWS
    assert rows_of(read("a.npy", np.loadtxt(content.decode().splitlines(), np.int64,
        delimiter=separator.strip() or None), time_unit="us")) == ROWS


def test_integers_without_names_are_of_no_sure_unit(read):
    """DVS128 Gesture as tonic has it keeps milliseconds in such an array."""
    for name, content in (("a.txt", text(ROWS, None)), ("a.npy", np.stack([X, Y, P, T], axis=1))):
        with pytest.raises(QCLIFError, match="from 0 to 39511 may be in us, ms or ns: say which with --time-unit"):
            read(name, content)
    assert rows_of(read("a.npy", np.stack([X, Y, P, T], axis=1), time_unit="ms"))[1][3] == T[1]*1000


def test_an_order_that_is_not_sure(read):
    ambiguous = [(n, 1, 1, n) for n in range(5)]
    with pytest.raises(QCLIFError, match="columns without names may be t, x, y, p or x, y, p, t or x, y, t, p: name"):
        read("a.txt", text(ambiguous, None, order="txyp"), time_unit="us")
    with pytest.raises(QCLIFError, match="columns without names may be no order of x, y, p and t: name them"):
        read("a.npy", np.stack([X, Y, P + 5, T[::-1]], axis=1), time_unit="us")
    with pytest.raises(QCLIFError, match="5 columns without names, four are needed"):
        read("a.txt", b"1 2 3 0 7\n")


def test_texts_of_programs(read):
    # E2VID: the sensor's size in a line of its own, seconds.
    lines  = "".join(f"{t/1e6:.9f} {x} {y} {p}\n" for x, y, p, t in ROWS)
    sample = read("events.txt", f"64 48\n{lines}".encode(), sensor_size=None)
    assert rows_of(sample) == ROWS and sample.sensor_size == SIZE
    # faery: the size behind the names.
    sample = read("a.csv", text(ROWS, "t,x@64,y@48,on"), sensor_size=None)
    assert rows_of(sample) == ROWS and sample.sensor_size == SIZE
    # pandas: an index without a name; quotes, words for polarities, a mark of the encoding at the start.
    quoted = "".join(f'{n},"{x}",{y},{bool(p)},{t}\r\n' for n, (x, y, p, t) in enumerate(ROWS))
    assert rows_of(read("b.csv", f'\ufeff"","x",y,polarity,timestamp\r\n{quoted}'.encode())) == ROWS
    # Comments, also in between; names in a comment.
    with_comments = text(ROWS, "# made by hand\n# t x y p", " ")
    with_comments = with_comments.replace(b"\n", b"\n\n", 9).replace(b"\n", b"\n# more\n", 4)
    assert rows_of(read("c.txt", with_comments)) == ROWS


@pytest.mark.parametrize("content, why", [
    (b"t,x,y,p\n5,1,2\n", "no known format"), (b"t,x,y,p\n5,1,2,0\n6,1,2\n", "not a readable text"),
    (b"t,x,y,p\n5,1,2,0\n6,1,2,maybe\n", "not a readable text"),
    (b"t,x,y,p\n5,1,2,True\n6,1,2,maybe\n", "polarity maybe"),
    (b"t,x,y,p\n5,1,2,0\n6,\xff,2,1\n", "no known format"), (b"t,x,y,p\n5,1,2,0\n6,nan,2,1\n", "x of event 1 is nan"),
    (b"t,x,y,p\n" + b"5,1,2,0\n"*4000 + b"6,\xff,2,1\n", "not a readable text"),
    (b"t,x,y,p\n5,1,2,0\n6,1,2,3\n", "p is 3"), (b"t,x,y,p\n5,1,2,0\nnan,1,2,1\n", "t of event 1 is no number"),
    (b"t,x,y,p\n5,1,2,0\n1e30,1,2,1\n", "too large"), (b"t,x,y,p\n5,1,2,0\n6,1.5,2,1\n", "x has fractions"),
    (b"t,x,y,p\n", "the recording is empty"), (b"t,x,y\n5,1,2\n", "no known format"),
    (b"name,start,end,note\nwalk,1,2,3\n", "no known format"),
    (b"t,x,y,p\n99999999999999999999,1,2,0\n", "too large"),
])
def test_texts_that_are_none(read, content, why):
    with pytest.raises(QCLIFError, match=why):
        read("a.csv", content)

# Polarity and coordinates -------------------------------------------------------------------------

def test_polarities(read):
    for p in (P, P.astype(bool), 2*P - 1, (2*P - 1).astype(np.int8), P.astype(float), P.astype(np.uint8)):
        assert rows_of(read("a.npz", {"x": X, "y": Y, "p": p, "t": T})) == ROWS
    # ON alone is ON either way.
    assert {row[2] for row in rows_of(read("a.npz", {"x": X, "y": Y, "p": np.ones(40), "t": T}))} == {1}


@pytest.mark.parametrize("p, why", [(P + 1, "p is 2: 0 and 1, or -1 and 1"), (P.astype(str), "p is of type <U21"),
    (np.arange(40) % 3 - 1, "p is -1, 0 and 1: map OFF to 0"), (P/2, "p is 0.5"), (P*255, "p is 255")])
def test_polarities_that_are_none(read, p, why):
    with pytest.raises(QCLIFError, match=why):
        read("a.npz", {"x": X, "y": Y, "p": p, "t": T})


@pytest.mark.parametrize("x, why", [(X + 0.5, "x has fractions"), (X - 1, "x of event 0 is -1"),
    (X*10**6, r"x of event 1 is 7000000, the limits are 0 to 32767"), (X[:5], r"x \[5\], y \[40\]"),
    (X.reshape(4, 10), r"x \[4, 10\]"), (X.astype(complex), "x is of type complex128"),
    (X + 60, "x of event 1 is 67, the limits are 0 to 63")])
def test_coordinates_that_are_none(read, x, why):
    with pytest.raises(QCLIFError, match=why):
        read("a.npz", {"x": x, "y": Y, "p": P, "t": T})

# Units of time ------------------------------------------------------------------------------------

# What is sure: the times, and the name that they have.
SURE = {
    "us":                    (T, "t"),
    "us, whole floats":      (T.astype(float), "t"),
    "us, unsigned":          (T.astype(np.uint64), "t"),
    "us since 1970":         (T + 1_700_000_000_000_000, "t"),
    "s":                     (T/1e6, "t"),
    "s since 1970":          (T/1e6 + 1_700_000_000.0, "ts"),
    "ns since 1970":         (T*1000 + 1_700_000_000_000_000_000, "t"),
    "ns, named":             (T*1000, "t_ns"),
    "ns, in brackets":       (T*1000, "timestamp [ns]"),
    "ms, named":             (T/1e3, "ts_ms"),
    "us, named":             (T, "time_us"),
    "s, named":              (T/1e6, "time (s)"),
    "ns of numpy":           (T.astype("m8[us]").astype("m8[ns]"), "t"),
    "dates of numpy":        (T.astype("M8[us]"), "t"),
}


def from_first(rows):
    return [(x, y, p, t - rows[0][3]) for x, y, p, t in rows]


@pytest.mark.parametrize("name", SURE)
def test_units_that_are_sure(read, name):
    times, column = SURE[name]
    assert from_first(rows_of(read("a.npy", structured(x=X, y=Y, p=P, **{column: times})))) == ROWS
    if times.dtype.kind not in "mM":
        with_text = [(x, y, p, repr(t)) for x, y, p, t in zip(X, Y, P, times.tolist(), strict=True)]
        assert from_first(rows_of(read("a.csv", text(with_text, f"{column},x,y,p")))) == ROWS
    assert from_first(rows_of(read("b.npz", {"x": X, "y": Y, "p": P, column: times}))) == ROWS


# What is not: ns look like us of whole ms, or of a recording that lasts for hours; a few digits may be s or ms.
UNSURE = {
    "ns of a camera":        (T*1000, "us or ns"),
    "ns that were rounded":  (T*1000 + np.arange(40) % 3 + np.arange(40)*100_000_000, "us or ns"),
    "three digits":          (T//1000/1e3, "s or ms"),
}


@pytest.mark.parametrize("name", UNSURE)
def test_units_that_are_asked_for(read, name):
    times, units = UNSURE[name]
    content = {"x": X, "y": Y, "p": P, "t": times}
    with pytest.raises(QCLIFError, match=f"may be in {units}: say which with --time-unit"):
        read("a.npz", content)
    for unit, scale in (("s", 10**6), ("ms", 1000), ("us", 1), ("ns", 0.001)):
        got = [row[3] for row in rows_of(read("a.npz", content, time_unit=unit))]
        assert got == np.rint(np.asarray(times, float)*scale).astype(np.int64).tolist()


@pytest.mark.parametrize("times", [np.array([0, 2**64 - 1], np.uint64), np.array([-2**63, 0]), np.array([0, 1e300]),
    np.array(["NaT", "2020-01-01"], "M8[us]")])
@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_times_that_are_too_large(read, times, unit):
    with pytest.raises(QCLIFError, match="are too large for --time-unit"):
        read("a.npz", {"x": X[:2], "y": Y[:2], "p": P[:2], "t": times}, time_unit=unit)


def test_many_events_of_whole_milliseconds_are_us(read):
    """As recordings of frames have them: sure, since most times hold many events."""
    times = np.repeat(np.arange(4)*1000, 10)
    assert [row[3] for row in rows_of(read("a.npz", {"x": X, "y": Y, "p": P, "t": times}))] == times.tolist()


def test_units_in_attributes(read):
    def content(unit):
        def write(file):
            for name, column in (("x", X), ("y", Y), ("p", P), ("t", T*1000)):
                file.create_dataset(f"events/{name}", data=column)
            file["events/t"].attrs["units"] = unit
        return write

    for unit in ("ns", "nanoseconds", b"nanoseconds"):
        assert rows_of(read("a.h5", content(unit))) == ROWS
    with pytest.raises(QCLIFError, match="us or ns"):
        read("a.h5", content("whatever"))


def test_the_unit_of_other_formats_is_known(read):
    from tests.helpers.camera_files import dat
    with pytest.raises(QCLIFError, match="--time-unit has no effect on DAT files, which tell it: leave the option out"):
        read("a.dat", dat(ROWS), time_unit="ns")

# HDF5 ---------------------------------------------------------------------------------------------

def test_hdf5_layouts(read):
    def dsec(file):
        for name, column in (("x", X.astype("<u2")), ("y", Y.astype("<u2")), ("p", P.astype("u1")), ("t", T)):
            file.create_dataset(f"events/{name}", data=column, compression="gzip", chunks=(16,))
        file["ms_to_idx"], file["t_offset"] = np.arange(5), 7

    def mvsec(file):
        file["davis/left/events"]    = np.stack([X, Y, 1.6e9 + T/1e6, 2*P - 1], axis=1)
        file["davis/left/image_raw"] = np.zeros((2, 4))

    def metavision(file):
        file["CD/events"] = structured(x=X.astype("<u2"), y=Y.astype("<u2"), p=P.astype("<i2"), t=T)
        file.attrs["geometry"] = "64x48"

    def named(file):
        file["events"] = structured(x=X, y=Y, p=P, t=T)
        file["events"].attrs["width"], file["events"].attrs["height"] = 64, 48

    for write, size in ((dsec, SIZE), (metavision, None), (named, None)):
        sample = read("a.h5", write, sensor_size=size)
        assert rows_of(sample) == ROWS and sample.sensor_size == SIZE
        assert rows_of(read("a", write, sensor_size=size)) == ROWS
    assert from_first(rows_of(read("a.h5", mvsec))) == ROWS


def test_hdf5_of_two_cameras(read):
    def stereo(file):
        for camera, number in (("left", 0), ("right", 1)):
            file[f"davis/{camera}/events"] = structured(x=X, y=Y, p=P if number else 1 - P, t=T)

    with pytest.raises(QCLIFError, match="2 recordings, davis/left/events, davis/right/events: choose one with --cam"):
        read("a.h5", stereo)
    assert rows_of(read("a.h5", stereo, camera=1)) == ROWS
    with pytest.raises(QCLIFError, match="--camera 2 is not there: give 0 to 1"):
        read("a.h5", stereo, camera=2)


def test_hdf5_with_a_filter_that_is_not_there(read):
    def blosc(file):
        for name, column in (("x", X), ("y", Y), ("p", P), ("t", T)):
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_chunk((40,))
            # Of no plugin that there is.
            properties.set_filter(51_234, h5py.h5z.FLAG_OPTIONAL)
            data = h5py.h5d.create(file.id, name.encode(), h5py.h5t.NATIVE_INT64, h5py.h5s.create_simple((40,)),
                properties)
            data.write_direct_chunk((0,), column.astype(np.int64).tobytes())

    with pytest.raises(QCLIFError, match=r"cannot be unpacked .*: install the plugin of its filter"):
        read("a.h5", blosc)


@pytest.mark.parametrize("write, why", [
    (lambda file: file.create_dataset("spikes/times", data=T), "no events in it"),
    (lambda file: [file.create_dataset(name, data=T if name == "t" else 5) for name in "xypt"], r"x \[\], y \[\]"),
    (lambda file: [file.create_group(name) for name in "xypt"], "is no array"),
    # Nothing is stored of it.
    (lambda file: [file.create_dataset(name, (2**40,), "i8", chunks=(64,)) for name in "xypt"], "a file of this size"),
])
def test_hdf5_that_is_none(read, write, why):
    with pytest.raises(QCLIFError, match=why):
        read("a.h5", write)

# Repair -------------------------------------------------------------------------------------------

def test_disorder_is_refused_and_repaired_only_when_asked(read):
    late  = T.copy()
    late[[5, 17]] = late[[6, 18]] + [3, 900]
    rows  = [(x, y, p, int(t)) for (x, y, p, _), t in zip(ROWS, late, strict=True)]
    notes = []
    content = {"x": X, "y": Y, "p": P, "t": late}
    with pytest.raises(QCLIFError, match=r"times go back at event 6, from \d+ to \d+ us: .*--repair"):
        read("a.npz", content)
    with pytest.raises(QCLIFError, match=r"event 18 comes 900 us late, --repair sorts within 899: give --repair 900"):
        read("a.npz", content, repair_us=899)
    sample = read("a.npz", content, repair_us=900, note=notes.append)
    assert rows_of(sample) == sorted(rows, key=lambda row: row[3])
    assert len(notes) == 1 and notes[0].endswith("2 of 40 events came late, sorted by their times (--repair)")
    # Nothing to sort, nothing to say.
    assert rows_of(read("a.npz", {"x": X, "y": Y, "p": P, "t": T}, repair_us=1000, note=notes.append)) == ROWS
    assert len(notes) == 1


def test_repair_keeps_the_order_of_equal_times(read):
    content = {"x": np.array([1, 2, 3, 4]), "y": np.zeros(4, int), "p": np.ones(4, int), "t": np.array([5, 7, 5, 7])}
    assert [row[0] for row in rows_of(read("a.npz", content, repair_us=2))] == [1, 3, 2, 4]
