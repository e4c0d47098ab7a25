# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""AEDAT 2: whose address words a file has, what is no event in it, and times that begin again."""

import struct

import pytest

from accel.errors import QCLIFError
from host.events.formats import read_files
from host.events.reading import Reading
from tests.helpers.camera_files import DAVIS, aedat2, aedat2_header, aedat2_words

ROWS = [(3, 5, 1, 1000), (127, 0, 0, 1000), (0, 126, 1, 1063), (64, 9, 0, 1064), (64, 8, 1, 70_000), (1, 2, 1, 130_001)]


@pytest.fixture
def read(tmp_path):
    def read(content, **reading):
        path = tmp_path/"take.aedat"
        path.write_bytes(content)
        sample, = read_files([path], Reading(**reading))
        return sample
    return read


def rows_of(sample):
    return [tuple(event) for event in sample.events.tolist()]


def corners(size):
    """Rows in each corner of a sensor."""
    return [(x, y, p, 10*t) for t, (x, y, p) in enumerate((x, y, p) for x in (0, size[0] - 1) for y in (0, size[1] - 1)
        for p in (0, 1))]


@pytest.mark.parametrize("chip, size", [("DVS128", (128, 128)), ("Tmpdiff128", (128, 128)), (None, (128, 128)),
    *DAVIS.items()])
def test_chips(read, chip, size):
    rows   = corners(size)
    sample = read(aedat2(rows, chip))
    assert rows_of(sample) == rows and sample.sensor_size == size


@pytest.mark.parametrize("chip, fits", [("Davis240C", "DAVIS240, DAVIS346, DAVIS640"), ("DAVIS640", "DAVIS640")])
def test_words_of_another_chip_are_refused(read, chip, fits):
    """Simulators name none; the chips that would fit are named, and never taken unasked."""
    rows    = corners(DAVIS[chip])
    content = aedat2_header(None) + aedat2_words(rows, chip)
    with pytest.raises(QCLIFError, match=rf"beyond DVS128.*\({fits} would fit\)"):
        read(content)
    for reading in ({"chip": fits.split(",")[0]}, {"sensor_size": DAVIS[chip]}):
        sample = read(content, **reading)
        assert rows_of(sample) == rows and sample.sensor_size == DAVIS[chip]


def test_a_size_that_no_known_chip_has(read):
    # Simulators take any.
    DAVIS["other"] = (300, 200)
    try:
        content = aedat2_header(None) + aedat2_words(corners((300, 200)), "other")
    finally:
        del DAVIS["other"]
    sample = read(content, sensor_size=(300, 200))
    assert rows_of(sample) == corners((300, 200))
    with pytest.raises(QCLIFError, match=r"addresses up to x 299, y 199, beyond --sensor-size \(299x200\)"):
        read(content, sensor_size=(299, 200))


def test_words_of_no_chip(read):
    with pytest.raises(QCLIFError, match="none that is known would fit"):
        read(aedat2_header(None) + struct.pack(">II", 0x7FFFF800, 5))


def test_a_chip_that_is_named_is_not_overruled(read):
    with pytest.raises(QCLIFError, match=r"recorded by .*DVS128, --chip DAVIS346 is another: leave the option out"):
        read(aedat2(ROWS), chip="DAVIS346")
    with pytest.raises(QCLIFError, match="the file is of 128x128 pixels, 346x260 were asked for"):
        read(aedat2(ROWS), sensor_size=(346, 260))
    assert rows_of(read(aedat2(ROWS), chip="DVS128", sensor_size=(128, 128))) == ROWS


def test_a_chip_that_is_not_known(read):
    content = aedat2_header("DAVI346") + aedat2_words(ROWS, "DAVIS346")
    with pytest.raises(QCLIFError, match=r"recorded by .*DAVI346, known chips are DVS128, .*: give --chip"):
        read(content)
    assert rows_of(read(content, chip="DAVIS346")) == ROWS


def test_frames_and_other_samples_are_no_events(read):
    other = bytes.fromhex("80000000 000003e8 00000400 000003e8")
    assert rows_of(read(aedat2(ROWS, "DAVIS346") + other)) == ROWS
    external = struct.pack(">IIII", 0x8000, 130_002, 0x80000000, 130_003)
    assert rows_of(read(aedat2(ROWS) + external)) == ROWS


def test_two_cameras(read):
    """A stereo pair is neither halved nor mixed: one is asked for."""
    left  = [(n, n, 1, 10*n) for n in range(20)]
    right = [(n, 100, 0, 10*n + 5) for n in range(20)]
    words = b"".join(sorted((aedat2_words([row], second=second) for rows, second in ((left, False), (right, True))
        for row in rows), key=lambda word: word[4:]))
    for chip in ("DVS128StereoPair", "DVS128", None):
        content = aedat2_header(chip) + words
        with pytest.raises(QCLIFError, match=r"of two cameras, .*: choose one with --camera 0 \(left\) or --camera 1"):
            read(content)
        assert rows_of(read(content, camera=0)) == left and rows_of(read(content, camera=1)) == right
        with pytest.raises(QCLIFError, match="--camera 2, there are 0"):
            read(content, camera=2)
    with pytest.raises(QCLIFError, match="of one camera, --camera 1 is not there"):
        read(aedat2(ROWS), camera=1)


# The first byte of an address with y = 140 is "#". All eight bytes of the second are those of a line of text: only
# jAER's last line tells.
@pytest.mark.parametrize("rows, end", [
    ([(0, 140, 0, 5), (344, 257, 1, 9)], ""),
    ([(0, 140, 0, 5), (344, 257, 1, 9)], "#End Of ASCII Header"),
    ([(0x222, 0x8C, 0, 0x2020200A)], "#End Of ASCII Header"),
    ([(0x222, 0x8C, 0, 0x2020200A)], "# End of ASCII Header"),
])
def test_a_first_event_that_begins_like_a_header(read, rows, end):
    words = aedat2_words(rows, "DAVIS640")
    assert words[:1] == b"#"
    assert rows_of(read(aedat2_header(None, end) + words, sensor_size=(640, 480))) == rows


def test_times_go_on_where_32_bits_end(read):
    start = 2**32 - 2000
    rows  = [(1, 2, 1, start), (3, 4, 0, 2**32 - 1), (5, 6, 1, 2**32), (7, 8, 0, 2**32 + 1000)]
    assert rows_of(read(aedat2(rows))) == rows
    # Two rounds, most of them silent.
    later = [*rows, (4, 4, 0, 2**32 + 2**31), (1, 2, 1, 2*2**32 - 5), (9, 9, 1, 2*2**32 + 7)]
    assert rows_of(read(aedat2(later))) == later


def test_disorder_where_32_bits_end(read):
    rows = [(1, 2, 1, 2**32 - 9), (3, 4, 0, 2**32 + 1), (5, 6, 1, 2**32 - 3), (7, 8, 0, 2**32 + 5)]
    with pytest.raises(QCLIFError, match="times go back at event 2, from 4294967297 to 4294967293"):
        read(aedat2(rows))
    assert rows_of(read(aedat2(rows), repair_us=10)) == sorted(rows, key=lambda row: row[3])


def test_times_that_begin_anew_are_no_end_of_32_bits(read):
    with pytest.raises(QCLIFError, match="times go back at event 1, from 3000000000 to 5 us"):
        read(aedat2([(1, 2, 1, 3*10**9), (3, 4, 0, 5)]))
