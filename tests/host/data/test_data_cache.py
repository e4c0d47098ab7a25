# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Event sets and their inputs come back from the cache as they went in."""

import numpy as np
import pytest

from accel.errors import QCLIFError
from host.data.batch import Batch
from host.data.batch_encoder import encode
from host.data.data_cache import cached_event_set, cached_inputs
from host.data.event_set import EventSet
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.sample import Sample

ENCODER = Encoder((8, 8), (4, 4), 2, 10, 1)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The cache is where each test looks for its entries."""
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path))


def samples(count=3, seed=0):
    rng = np.random.default_rng(seed)
    for number in range(count):
        events = np.zeros(50, EVENT)
        events["x"], events["y"], events["t"] = *rng.integers(0, 8, (2, 50)), np.sort(rng.integers(0, 300, 50))
        yield Sample(f"take {number}", events, label=number % 2, sensor_size=(8, 8))


def test_event_sets_come_back():
    wanted = EventSet.from_samples("takes", samples(), ("a", "b"))
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


def test_inputs_come_back(monkeypatch):
    eventset = EventSet.from_samples("takes", samples(), ("a", "b"))
    wanted   = encode(eventset, np.arange(3), ENCODER)
    cached_inputs(eventset, ENCODER)
    monkeypatch.setattr("host.data.data_cache.encode", lambda *_, **__: pytest.fail("encoded again"))
    batch = cached_inputs(eventset, ENCODER)
    assert isinstance(batch, Batch) and batch.to_steps() == wanted.to_steps()
    for name, array in vars(wanted).items():
        assert getattr(batch, name).dtype == array.dtype and type(getattr(batch, name)) is np.ndarray
        np.testing.assert_array_equal(getattr(batch, name), array)


def test_inputs_are_of_their_events_encoder_and_cut(tmp_path):
    sets     = [EventSet.from_samples("takes", samples(seed=seed), ("a", "b")) for seed in (0, 1)]
    encoders = [ENCODER, Encoder((8, 8), (4, 4), 2, 20, 1)]
    for eventset in sets:
        for encoder in encoders:
            for most in (None, 2):
                wanted = encode(eventset, np.arange(3), encoder, max_steps=most)
                assert cached_inputs(eventset, encoder, most).to_steps() == wanted.to_steps()
    assert len(list(tmp_path.iterdir())) == 8
