# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Files of others that were read wrongly, or refused for the wrong reason: each with the events that it holds.

They lie in $QCLIF_CASES/events; of each kind, other tests make a second instance.
"""

import csv

import pytest

from accel.errors import QCLIFError
from host.events.formats import read_files
from host.events.formats.chips import CHIPS
from host.events.reading import Reading
from tests.helpers import naive_decoders

VGA, HD = (640, 480), (1280, 720)

# File: what it is read with, and the sensor that comes out.
FILES = {
    "aedat2_dvs128.aedat2":               ({}, (128, 128)),
    "aedat2_dvs128_wraps_at_2_32.aedat":  ({}, (128, 128)),
    "aedat2_dvs346_no_chip.aedat":        ({"chip": "DAVIS346"}, (346, 260)),
    "evt2_gen3_640x480_no_geometry_a.raw": ({}, VGA),
    "evt2_gen3_640x480_no_geometry_b.raw": ({}, VGA),
    "evt3_gen41_padded_9999.raw":         ({}, HD),
    "ncaltech101_face.bin":               ({"sensor_size": (240, 180)}, (240, 180)),
    "ncars.dat":                          ({"sensor_size": (120, 100)}, (120, 100)),
}


def read(path, **reading):
    sample, = read_files([path], Reading(**reading))
    return sample


def rows_of(sample):
    return [tuple(event) for event in sample.events.tolist()]


def told(path):
    """Rows of the .csv beside a file."""
    with open(f"{path}.csv", newline="") as file:
        return [tuple(int(row[name]) for name in "xypt") for row in csv.DictReader(file)]


def body(path, header_lines):
    data = path.read_bytes()
    for _ in range(header_lines):
        data = data.partition(b"\n")[2]
    return data


def test_every_file_is_here(qclif_cases):
    assert {path.name for path in (qclif_cases/"events").iterdir() if path.suffix != ".csv"} == set(FILES)


@pytest.mark.parametrize("name", ["aedat2_dvs128.aedat2", "aedat2_dvs128_wraps_at_2_32.aedat",
    "aedat2_dvs346_no_chip.aedat"])
def test_aedat2(qclif_cases, name):
    reading, size = FILES[name]
    sample = read(qclif_cases/"events"/name, **reading)
    first  = int(sample.events["t"][0])
    assert sample.sensor_size == size
    assert [(x, y, p, t - first) for x, y, p, t in rows_of(sample)] == told(qclif_cases/"events"/name)


def test_aedat2_without_a_chip_is_asked_for(qclif_cases):
    path = qclif_cases/"events"/"aedat2_dvs346_no_chip.aedat"
    with pytest.raises(QCLIFError, match=r"beyond DVS128.*--chip \(DAVIS346, DAVIS640 would fit\) or --sensor-size"):
        read(path)
    assert rows_of(read(path, sensor_size=(346, 260))) == rows_of(read(path, chip="DAVIS346"))
    with pytest.raises(QCLIFError, match=r"addresses up to x 344, y 259, beyond DAVIS240 \(240x180\)"):
        read(path, chip="DAVIS240")
    for chip in CHIPS.keys() - {"DAVIS346", "DAVIS640"}:
        with pytest.raises(QCLIFError, match=f"beyond {chip}"):
            read(path, chip=chip)


@pytest.mark.parametrize("name", ["evt2_gen3_640x480_no_geometry_a.raw", "evt2_gen3_640x480_no_geometry_b.raw"])
def test_evt2_with_a_system_id(qclif_cases, name):
    path   = qclif_cases/"events"/name
    sample = read(path)
    assert sample.sensor_size == VGA and rows_of(sample) == naive_decoders.evt2(body(path, 5))


def test_order_of_files_does_not_matter(qclif_cases):
    paths = sorted((qclif_cases/"events").glob("evt2*.raw"))
    there = [(each.name, each.sensor_size, rows_of(each)) for each in read_files(paths)]
    back  = [(each.name, each.sensor_size, rows_of(each)) for each in read_files(paths[::-1])]
    assert len(there) == 2 and there == back[::-1]


def test_evt3_with_padding(qclif_cases):
    path, notes   = qclif_cases/"events"/"evt3_gen41_padded_9999.raw", []
    sample        = read(path, note=notes.append)
    rows, padding = naive_decoders.evt3(body(path, 5))
    assert sample.sensor_size == HD and rows_of(sample) == rows
    assert padding and notes == [f"{path}: {padding} padding words (0x9999) passed over"]


def test_evt_equals_faery(qclif_cases):
    """A second decoder, which others use."""
    import faery

    for path in sorted((qclif_cases/"events").glob("*.raw")):
        parts = list(faery.events_stream_from_file(path, dimensions_fallback=HD))
        theirs = [(int(x), int(y), int(p), int(t)) for part in parts for t, x, y, p in part.tolist()]
        assert rows_of(read(path)) == theirs


def test_ncaltech101(qclif_cases):
    path = qclif_cases/"events"/"ncaltech101_face.bin"
    with pytest.raises(QCLIFError, match=r"N-MNIST has 34x34 pixels: give --sensor-size W H \(N-Caltech101: 240 180\)"):
        read(path)
    assert rows_of(read(path, sensor_size=(240, 180))) == naive_decoders.nmnist(path.read_bytes())


def test_ncars(qclif_cases):
    path = qclif_cases/"events"/"ncars.dat"
    with pytest.raises(QCLIFError, match="does not tell its sensor's size: give --sensor-size W H"):
        read(path)
    # Its own header: three lines, then type and size of an event.
    assert rows_of(read(path, sensor_size=(120, 100))) == naive_decoders.dat2(body(path, 3)[2:])
