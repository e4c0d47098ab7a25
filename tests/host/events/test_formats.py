# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Readers of recordings: files of every format written byte by byte, real ones, and damaged ones."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.events.event_array import EVENT
from host.events.formats import DATASETS, SUFFIXES, read_dataset, read_files
from host.events.reading import Reading
from tests.helpers import camera_files

ROWS = [(3, 5, 1, 1000), (127, 0, 0, 1000), (0, 126, 1, 1063), (64, 9, 0, 1064), (64, 8, 1, 70_000), (1, 2, 1, 130_001)]

SIZE = (128, 128)

# Format: suffix, bytes of rows of a sensor of SIZE.
KINDS = {
    "AEDAT 2":  (".aedat",  camera_files.aedat2),
    "AEDAT 3":  (".aedat",  lambda rows: camera_files.aedat3(camera_files.aedat3_packet(rows))),
    "AEDAT 4":  (".aedat4", lambda rows: camera_files.aedat4([(0, rows)])),
    "EVT2":     (".raw",    lambda rows: camera_files.raw_header(2, SIZE) + camera_files.evt2(rows)),
    "EVT2.1":   (".raw",    lambda rows: camera_files.raw_header("2.1", SIZE) + camera_files.evt21(rows)),
    "EVT3":     (".raw",    lambda rows: camera_files.raw_header(3, SIZE) + camera_files.evt3(rows)),
    "DAT":      (".dat",    lambda rows: camera_files.dat(rows, SIZE)),
    "ES":       (".es",     camera_files.es),
    "text":     (".csv",    lambda rows: camera_files.text(rows, "t,x@128,y@128,p")),
}


def write(folder, name, content):
    path = folder/name
    path.write_bytes(content)
    return path


def read(*paths, **reading):
    samples = list(read_files(paths, Reading(**reading)))
    for sample in samples:
        assert sample.events.dtype == EVENT and sample.steps is None
    return samples


def rows_of(sample):
    return [tuple(event) for event in sample.events.tolist()]


def refuse(path, text, reader=read, **reading):
    with pytest.raises(QCLIFError) as error:
        reader(path, **reading)
    message = str(error.value)
    assert text in message and str(path) in message and "\n" not in message


def structured(rows):
    return np.array([tuple(row) for row in rows], [("x", "<i2"), ("y", "<i2"), ("p", "?"), ("t", "<i8")])


# Cameras' formats ---------------------------------------------------------------------------------

@pytest.mark.parametrize("name", KINDS)
def test_format(tmp_path, name):
    suffix, encode = KINDS[name]
    sample, = read(write(tmp_path, f"take{suffix}", encode(ROWS)))
    assert rows_of(sample) == ROWS
    assert (sample.name, sample.label, sample.context, sample.sensor_size) == ("take", -1, None, SIZE)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("suffix", [".aedat", ".raw", ".dat", ""])
def test_content_tells_the_format(tmp_path, name, suffix):
    """Whatever a file is called."""
    sample, = read(write(tmp_path, f"take{suffix}", KINDS[name][1](ROWS)))
    assert rows_of(sample) == ROWS


@pytest.mark.parametrize("name", KINDS)
def test_more_events_than_are_decoded_at_once(tmp_path, monkeypatch, name):
    for module in ("found", "prophesee", "text"):
        monkeypatch.setattr(f"host.events.formats.{module}.CHUNK", 3)
    rows = [(n % 128, n % 61, n % 2, 40*n) for n in range(400)]
    suffix, encode = KINDS[name]
    assert rows_of(*read(write(tmp_path, f"take{suffix}", encode(rows)))) == rows


@settings(max_examples=40)
@given(st.data())
def test_formats_keep_every_event(tmp_path_factory, data):
    suffix, encode = KINDS[data.draw(st.sampled_from(list(KINDS)))]
    coordinate = st.integers(0, 127)
    rows = data.draw(st.lists(st.tuples(coordinate, coordinate, st.integers(0, 1), st.integers(0, 2**24 - 1)),
        min_size=1, max_size=30))
    rows.sort(key=lambda row: row[3])
    sample, = read(write(tmp_path_factory.mktemp("take"), f"a{suffix}", encode(rows)))
    assert rows_of(sample) == rows


def test_aedat2_frames_and_other_samples_are_no_events(tmp_path):
    other = bytes.fromhex("80000000 000003e8 00000400 000003e8")
    sample, = read(write(tmp_path, "a.aedat", camera_files.aedat2(ROWS, "DAVIS346") + other))
    assert rows_of(sample) == ROWS


def test_aedat3_packets(tmp_path):
    # Other types of packet, unused capacity and invalid events carry nothing; times go on over an overflow.
    late = [(1, 1, 1, 3)]
    sample, = read(write(tmp_path, "a.aedat", camera_files.aedat3(camera_files.aedat3_packet(ROWS[:2], kind=0),
        camera_files.aedat3_packet(ROWS[:2], capacity=5), camera_files.aedat3_packet(ROWS[:1], valid=0),
        camera_files.aedat3_packet(ROWS[2:]), camera_files.aedat3_packet(late, overflow=2))))
    assert rows_of(sample) == [*ROWS, (1, 1, 1, 3 + 2*2**31)]


def test_aedat4_packets(tmp_path):
    sample, = read(write(tmp_path, "a.aedat4", camera_files.aedat4([(0, ROWS[:4]), (0, ROWS[4:])], (346, 260))))
    assert rows_of(sample) == ROWS and sample.sensor_size == (346, 260)


@pytest.mark.parametrize("style", ["evt", "format"])
@pytest.mark.parametrize("version, encode", [(2, camera_files.evt2), (3, camera_files.evt3)])
def test_raw_headers(tmp_path, version, encode, style):
    sample, = read(write(tmp_path, "a.raw", camera_files.raw_header(version, (640, 480), style) + encode(ROWS)))
    assert rows_of(sample) == ROWS and sample.sensor_size == (640, 480)


@pytest.mark.parametrize("lines, legacy", [("", False), ("", True), ("% endianness little\n", False),
    ("% endianness legacy\n", True), ("% system_ID 64\n", False), ("% system_ID 49\n", True),
    ("% format EVT21;endianness=legacy;height=128;width=128\n", True),
    ("% camera_integrator_name other\n% system_ID 49\n", False)])
def test_evt21_halves(tmp_path, lines, legacy):
    """Their order is the header's, else that of the camera, else where a high time comes first."""
    head = f"% evt 2.1\n{lines}% geometry 128x128\n% end\n".encode()
    rows = [(10, 20, 1, 70), (11, 20, 1, 70), (41, 20, 1, 70), (11, 20, 0, 71), (127, 127, 0, 10**9)]
    assert rows_of(*read(write(tmp_path, "a.raw", head + camera_files.evt21(rows, legacy)))) == rows


def test_evt21_halves_that_nothing_tells(tmp_path):
    head = camera_files.raw_header("2.1", SIZE)
    refuse(write(tmp_path, "a.raw", head + camera_files.evt21(ROWS)[8:]), "in the order that its header does not tell")


def test_evt3_vectors(tmp_path):
    content = camera_files.evt3_vectors(100, 7, 1, 5000, [(0b100000000101, 12), (0b10000001, 8), (1, 12)])
    content += camera_files.evt3([(3, 4, 0, 5001)])
    sample, = read(write(tmp_path, "a.raw", camera_files.raw_header(3, SIZE) + content))
    assert rows_of(sample) == [*((x, 7, 1, 5000) for x in (100, 102, 111, 112, 119, 120)), (3, 4, 0, 5001)]


def test_evt3_times(tmp_path):
    def words(*values):
        return np.array(values, "<u2").tobytes()

    # Before the first high time nothing counts; a repeated high time keeps the low one, a new one starts at 0; the
    # high time wraps after 2**24 us.
    content = words(0x0002, 0x2001, 0x8FFF, 0x6005, 0x2002, 0x8FFF, 0x2003, 0x8000, 0x2004, 0x6001, 0x2805)
    sample, = read(write(tmp_path, "a.raw", camera_files.raw_header(3, SIZE) + content))
    assert rows_of(sample) == [(2, 2, 0, 0xFFF005), (3, 2, 0, 0xFFF005), (4, 2, 0, 2**24), (5, 2, 1, 2**24 + 1)]


@pytest.mark.parametrize("version, encode", [(2, camera_files.evt2), (3, camera_files.evt3)])
def test_events_that_begin_like_a_header(tmp_path, version, encode):
    # The low byte of the first word, a high time, is a "%"; a line's end comes later.
    rows = [(10, 10, 1, t) for t in range(0x25 << (6 if version == 2 else 12), 300_000, 77)]
    assert encode(rows)[:1] == b"%" and b"\n" in encode(rows)
    whole = camera_files.raw_header(version, SIZE)
    for header in (whole, whole.replace(b"% end\n", b"")):
        assert rows_of(*read(write(tmp_path, "a.raw", header + encode(rows)))) == rows


def test_evt2_equals_expelliarmus(tmp_path):
    from expelliarmus import Wizard

    rng  = np.random.default_rng(1)
    rows = [(int(x), int(y), int(p), int(t)) for x, y, p, t in zip(rng.integers(0, 1280, 500),
        rng.integers(0, 720, 500), rng.integers(0, 2, 500), np.sort(rng.integers(0, 10**9, 500)), strict=True)]
    header = camera_files.raw_header(2, (1280, 720))
    path = write(tmp_path, "a.raw", header + camera_files.evt2([(0, 0, 0, 64), *rows]))
    sample, = read(path)
    theirs  = Wizard(encoding="evt2").read(path)
    assert rows_of(sample) == [tuple(event) for event in theirs[["x", "y", "p", "t"]].tolist()]


def test_nmnist_bin(tmp_path):
    rows = [(33, 0, 1, 0), (2, 33, 0, 300_000)]
    sample, = read(write(tmp_path, "00002.bin", camera_files.nmnist(rows)))
    assert rows_of(sample) == rows and sample.label == -1 and sample.sensor_size == (34, 34)
    (tmp_path/"7").mkdir()
    assert read(write(tmp_path/"7", "00002.bin", camera_files.nmnist(rows)))[0].label == 7


# Numpy files --------------------------------------------------------------------------------------

def test_npy(tmp_path):
    np.save(tmp_path/"a.npy", structured(ROWS))
    sample, = read(tmp_path/"a.npy", sensor_size=SIZE)
    assert rows_of(sample) == ROWS and sample.sensor_size == SIZE


def test_npz_of_one(tmp_path):
    context = np.array([[0, 3]])
    np.savez(tmp_path/"a.npz", events=structured(ROWS), label=4, context=context, sensor_size=[128, 128, 2])
    np.savez_compressed(tmp_path/"b.npz", events=structured(ROWS))
    first, second = read(tmp_path/"a.npz", tmp_path/"b.npz", sensor_size=SIZE)
    assert rows_of(first) == rows_of(second) == ROWS
    assert (first.label, first.sensor_size) == (4, (128, 128)) and first.context.tolist() == [[0, 3]]
    assert (second.name, second.label, second.sensor_size, second.context) == ("b", -1, SIZE, None)


def test_npz_of_many(tmp_path):
    events = structured(ROWS + ROWS)
    np.savez(tmp_path/"a.npz", events=events, offsets=[0, 6, 8, 12], labels=[1, 0, 2],
        context=[[2, 0, 1], [0, 5, 0], [2, 1, 1]], sensor_size=[128, 128])
    samples = read(tmp_path/"a.npz")
    assert [rows_of(sample) for sample in samples] == [ROWS, ROWS[:2], ROWS[2:]]
    assert [sample.label for sample in samples] == [1, 0, 2]
    assert [sample.context.tolist() for sample in samples] == [[[5, 0]], [], [[0, 1], [1, 1]]]
    assert [sample.name for sample in samples] == ["a[0]", "a[1]", "a[2]"]


@pytest.mark.parametrize("arrays, text", [
    ({}, "array events is missing"),
    ({"events": structured([])}, "the recording is empty"),
    ({"events": structured(ROWS[::-1])}, "times go back at event 1, from 130001 to 70000 us"),
    ({"events": structured(ROWS), "label": "three"}, "label is an array"),
    ({"events": structured(ROWS), "sensor_size": [128]}, "sensor_size is an array [1]"),
    ({"events": structured(ROWS), "offsets": [0, 5]}, "offsets must ascend from 0 to the number of events, 6"),
    ({"events": structured(ROWS), "offsets": [0, 4, 2, 6]}, "offsets must ascend"),
    ({"events": structured(ROWS), "offsets": [0, 0, 6]}, "recording 0: the recording is empty"),
    ({"events": structured(ROWS), "offsets": [0, 6], "labels": [1, 2]}, "2 labels for 1 recordings"),
    ({"events": structured(ROWS), "offsets": [0, 6], "context": [[0, 1]]}, "context has 2 columns"),
    ({"events": structured(ROWS), "offsets": [0, 6], "context": [[1, 0, 0]]}, "context names sample 1"),
])
def test_bad_npz(tmp_path, arrays, text):
    np.savez(tmp_path/"a.npz", **arrays)
    refuse(tmp_path/"a.npz", text)


# Files that are none ------------------------------------------------------------------------------

@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"\0", b"nothing of the kind\n"*7, b"\xff"*1001])
def test_any_other_content_is_refused(tmp_path, suffix, content):
    refuse(write(tmp_path, f"a{suffix}", content), "")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_file(tmp_path, suffix):
    refuse(tmp_path/f"a{suffix}", "No such file")


# Whether a text is whole, nothing tells.
@pytest.mark.parametrize("name", [name for name in KINDS if name != "text"])
def test_cut_file(tmp_path, name):
    suffix, encode = KINDS[name]
    refuse(write(tmp_path, f"a{suffix}", encode(ROWS)[:-1]), "")


@pytest.mark.parametrize("name", KINDS)
def test_file_without_events(tmp_path, name):
    suffix, encode = KINDS[name]
    refuse(write(tmp_path, f"a{suffix}", encode([])), "empty")


@pytest.mark.parametrize("name, content, text", [
    ("a.es", b"", "the file is empty: files of npz, npy, AEDAT 2, "),
    ("a", b"nothing", "no known format begins with 'nothing'"),
    ("a.aedat", b"#!AER-DAT1.0\r\n", "no known format begins with '#!AER-DAT1.0"),
    ("a.aedat", b"#!AER-DAT2.0\r\n# AEChip: x.y.Cochlea\r\n", "recorded by x.y.Cochlea, known chips are DVS128"),
    ("a.aedat4", camera_files.aedat4([], kinds=["TRIG"]), "it has no stream of events, only triggers"),
    ("a.aedat4", camera_files.aedat4([]), "the recording is empty"),
    # A header of 4 GiB.
    ("a.aedat4", b"#!AER-DAT4.0\r\n" + b"\xff"*40, "it cannot be decoded"),
    ("a.raw", camera_files.raw_header(2, SIZE) + b"\x33"*4, "word 0x33333333 is of no type of EVT2"),
    ("a.raw", camera_files.raw_header(3, SIZE) + b"\x11"*2, "word 0x1111 is of no type of EVT3"),
    ("a.raw", camera_files.raw_header(3, SIZE) + b"\x98\x99", "word 0x9998 is of no type of EVT3"),
    ("a.aedat", camera_files.aedat3(camera_files.aedat3_packet(ROWS)[:20]), "ends inside a packet's header"),
    ("a.aedat", camera_files.aedat3(camera_files.aedat3_packet(ROWS)[:-3]), "ends inside a packet of 6 events"),
    ("a.raw", camera_files.raw_header(4) + bytes(8), "EVT4"),
    ("a.raw", b"% geometry 640x480\n% end\n" + bytes(8), "encoding not named in the header"),
    ("a.raw", b"% evt 2.0\n% geometry 0x480\n% end\n" + camera_files.evt2(ROWS), "a sensor of 0 x 480 pixels"),
    ("a.raw", b"% evt 2.1\n% endianness big\n% end\n" + camera_files.evt21(ROWS), "in the order big"),
    ("a.dat", camera_files.dat(ROWS, kind=0x0E), "events of type 0x0e"),
    ("a.dat", camera_files.dat(ROWS, version=3), "DAT version 3: 1 and 2 can be read"),
    ("a.bin", bytes(6), "6 bytes of events, not a multiple of 5"),
    ("a.bin", b"\x22\0\0\0\0", "x up to 34, N-MNIST has 34x34 pixels: give --sensor-size W H"),
])
def test_what_is_wrong_is_said(tmp_path, name, content, text):
    refuse(write(tmp_path, name, content), text)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path/"a.npz")
    refuse(tmp_path/"a.npz", "no regular file")


# Datasets -----------------------------------------------------------------------------------------

def test_nmnist_dataset(tmp_path):
    for digit, stem, rows in ((7, "00002", [(1, 2, 1, 5)]), (0, "00010", [(3, 4, 0, 6)]), (7, "00001", [(5, 6, 1, 7)])):
        folder = tmp_path/"NMNIST"/"Test"/str(digit)
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, f"{stem}.bin", camera_files.nmnist(rows))
    samples = list(read_dataset("NMNIST", tmp_path, train=False))
    assert [(sample.name, sample.label, *rows_of(sample)) for sample in samples] == [
        ("0/00010", 0, (3, 4, 0, 6)), ("7/00001", 7, (5, 6, 1, 7)), ("7/00002", 7, (1, 2, 1, 5))]
    assert samples[0].sensor_size == (34, 34)


def test_dvs_gesture_dataset(tmp_path):
    for user in ("user02_led", "user01_natural"):
        folder = tmp_path/"DVSGesture"/"ibmGestureTrain"/user
        folder.mkdir(parents=True)
        # The dataset's own files: columns x, y, p and t in milliseconds.
        np.save(folder/"3.npy", np.array([[1, 2, 1, 4], [127, 0, 0, 5]]))
    samples = list(read_dataset("DVSGesture", tmp_path))
    assert [sample.name for sample in samples] == ["user01_natural/3", "user02_led/3"]
    assert rows_of(samples[0]) == [(1, 2, 1, 4000), (127, 0, 0, 5000)]
    assert (samples[0].label, samples[0].sensor_size) == (3, (128, 128))


@pytest.mark.parametrize("name", DATASETS)
def test_nothing_is_downloaded_unless_asked(tmp_path, monkeypatch, name):
    monkeypatch.setattr("tonic.dataset.download_and_extract_archive", lambda *_, **__: pytest.fail("a download"))
    refuse(tmp_path/name, "or ask for the download", lambda _: list(read_dataset(name, tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_failed_download(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("File not found or corrupted.")

    monkeypatch.setattr("tonic.dataset.download_and_extract_archive", fail)
    refuse(tmp_path/"DVSGesture", "failed (File not found or corrupted.): fetch ibmGestureTrain.tar.gz",
        lambda _: list(read_dataset("DVSGesture", tmp_path, download=True)))


def test_damaged_recording_of_a_dataset(tmp_path):
    folder = tmp_path/"DVSGesture"/"ibmGestureTrain"/"user02_led"
    folder.mkdir(parents=True)
    path = write(folder, "3.npy", b"nothing")
    refuse(path, "not a recording of DVSGesture", lambda _: list(read_dataset("DVSGesture", tmp_path)))


def test_unknown_dataset(tmp_path):
    with pytest.raises(QCLIFError, match="dataset CIFAR10DVS: known are NMNIST, DVSGesture, SHD; give other"):
        list(read_dataset("CIFAR10DVS", tmp_path))


# Real recordings ----------------------------------------------------------------------------------

def test_real_files(qclif_data):
    samples = read(*sorted((qclif_data/"dvs128_gesture").glob("*.npz")))
    assert [sample.label for sample in samples] == [0, 4, 9]
    assert [sample.sensor_size for sample in samples] == [(128, 128)]*3
    digits = read_files([qclif_data/"nmnist"/"train1000.npz"])
    first  = next(digits)
    assert first.sensor_size == (34, 34) and 0 <= first.label <= 9 and first.name == "train1000[0]"
    assert sum(1 for _ in digits) == 999
