# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The cache: what was kept comes back, damaged entries are made again, and nothing half-written stays; event sets."""

import errno
import os
import resource

import numpy as np
import pytest

from accel.errors import QCLIFError
from host.common.folders import cache_folder
from host.data.data_cache import cached, cached_event_set
from host.events.event_array import EVENT
from host.events.sample import Sample
from tests.helpers.recordings import event_set


class Writer:
    """Writes two arrays, and counts how often."""

    def __init__(self, size=5):
        self.size, self.calls = size, 0

    def __call__(self, folder):
        self.calls += 1
        np.save(folder/"numbers.npy", np.arange(self.size))
        np.save(folder/"none.npy", np.zeros((0, 3), np.int32))
        return {"calls": self.calls}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The cache is where each test looks for its entries."""
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path))


def entry(folder):
    only, = folder.iterdir()
    return only


def test_entries_are_made_once(tmp_path):
    write = Writer()
    for _ in range(3):
        arrays, facts = cached("takes", {"a": 1}, write)
        assert arrays["numbers"].tolist() == [0, 1, 2, 3, 4] and arrays["none"].shape == (0, 3)
        assert facts == {"calls": 1}
        # A change stays in memory.
        arrays["numbers"][0] = 7
    cached("takes", {"a": 2}, write)
    cached("a/../other: set", {"a": 1}, write)
    assert write.calls == 3 and len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("name", ["numbers.npy", "none.npy", "entry.json"])
@pytest.mark.parametrize("damage", [lambda content: b"", lambda content: content[:-1], lambda content: content + b"x",
    lambda content: content[:-2] + bytes([content[-2] ^ 1]) + content[-1:], None, lambda content: b"[1]",
    lambda content: b'{"files": {"../entry.json": 1}, "facts": {}}'])
def test_damaged_entries_are_made_again(tmp_path, name, damage):
    write = Writer()
    cached("takes", {}, write)
    file = entry(tmp_path)/name
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage(file.read_bytes()))
    arrays, facts = cached("takes", {}, write)
    assert arrays["numbers"].tolist() == [0, 1, 2, 3, 4] and set(arrays) == {"numbers", "none"}
    assert facts == {"calls": 2} and os.listdir(tmp_path) == [entry(tmp_path).name]


def test_failed_entries_leave_nothing(tmp_path):
    def fail(folder):
        Writer()(folder)
        raise QCLIFError("take 3: it is damaged")

    for error in (fail, lambda folder: (Writer()(folder), (_ for _ in ()).throw(KeyboardInterrupt()))):
        with pytest.raises((QCLIFError, KeyboardInterrupt)):
            cached("takes", {}, error)
        assert list(tmp_path.iterdir()) == []


def test_full_disk_is_one_line(tmp_path):
    # No file may become larger than this, which a full disk's errors are like.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(QCLIFError) as error:
            cached("takes", {}, Writer(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    message = str(error.value)
    assert message.startswith(f"cache {tmp_path}: cannot be written (") and "set QCLIF_CACHE" in message
    assert "\n" not in message and list(tmp_path.iterdir()) == []


def test_folder_that_is_none(tmp_path, monkeypatch):
    (tmp_path/"file").write_text("")
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path/"file"/"cache"))
    with pytest.raises(QCLIFError, match=f"cache .*: cannot be written .{os.strerror(errno.ENOTDIR)}"):
        cached("takes", {}, Writer())


def test_entry_that_another_process_makes_meanwhile(tmp_path):
    def write(folder):
        theirs = cached("takes", {}, Writer())
        assert theirs[1] == {"calls": 1}
        return Writer()(folder)

    assert cached("takes", {}, write)[0]["numbers"].tolist() == [0, 1, 2, 3, 4]
    assert os.listdir(tmp_path) == [entry(tmp_path).name]


def test_usual_place(monkeypatch, tmp_path):
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path/"there"))
    cached("takes", {}, Writer())
    assert cache_folder() == tmp_path/"there" and entry(tmp_path/"there").name.startswith("takes-")
    monkeypatch.delenv("QCLIF_CACHE")
    assert cache_folder().parts[-2:] == ("build", "cache")

# Event sets ---------------------------------------------------------------------------------------

def samples(count=3, seed=0):
    rng = np.random.default_rng(seed)
    for number in range(count):
        events = np.zeros(50, EVENT)
        events["x"], events["y"], events["t"] = *rng.integers(0, 8, (2, 50)), np.sort(rng.integers(0, 300, 50))
        yield Sample(f"take {number}", events, label=number % 2, sensor_size=(8, 8))


def test_event_sets_come_back():
    wanted = event_set("takes", samples(), ("a", "b"))
    for recordings in (lambda: (samples(), ("a", "b")), lambda: pytest.fail("read again")):
        eventset = cached_event_set("takes", {}, recordings)
        for name in ("events", "offsets", "labels"):
            mine, theirs = getattr(eventset, name), getattr(wanted, name)
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)
        assert (eventset.name, eventset.sensor_size, eventset.classes) == ("takes", (8, 8), ("a", "b"))
        assert eventset.identity == wanted.identity == eventset.subset(np.arange(3)).identity


def test_bad_recordings_are_not_kept(tmp_path):
    with pytest.raises(QCLIFError, match="take 1: label 1, the limits are -1"):
        cached_event_set("takes", {}, lambda: (samples(), ("a",)))
    with pytest.raises(QCLIFError, match="takes: no recordings"):
        cached_event_set("takes", {}, lambda: ((), ("a",)))
    assert list(tmp_path.iterdir()) == []
