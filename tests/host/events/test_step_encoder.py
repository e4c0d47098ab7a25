# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Events in pieces give the steps of the whole recording, wherever it is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.errors import QCLIFError
from host.events.encoder import STEPS_MAX, Encoder
from host.events.event_array import EVENT
from host.events.formats import read_files
from host.events.spike_train import SpikeTrain
from host.events.step_encoder import StepEncoder
from tests.helpers import naive_contract
from tests.helpers.recordings import joined


def events_of(*rows):
    return np.array(list(rows), EVENT)


@st.composite
def cut_recordings(draw):
    """An encoder, a recording of its sensor, and places to cut it; an empty piece is one, too."""
    encoder = Encoder((draw(st.integers(1, 9)), draw(st.integers(1, 9))), (draw(st.integers(1, 5)),
        draw(st.integers(1, 5))), draw(st.integers(1, 2)), draw(st.integers(1, 50)), draw(st.integers(1, 4)))
    gaps   = st.sampled_from([0, 0, 0, 1, 2, encoder.bin_us - 1, encoder.bin_us, 7*encoder.bin_us])
    times  = np.cumsum(draw(st.lists(gaps, min_size=1, max_size=60))) + draw(st.integers(-2**40, 2**40))
    # Few pixels, so that counts reach their threshold.
    pixel  = st.tuples(*(st.integers(0, min(1, size - 1)) for size in encoder.sensor_size), st.integers(0, 1))
    events = events_of(*((*draw(pixel), t) for t in times))
    cuts   = sorted(draw(st.lists(st.integers(0, len(events)), max_size=12)))
    return encoder, events, cuts

# Pieces -------------------------------------------------------------------------------------------

@settings(max_examples=400)
@given(cut_recordings())
def test_any_cutting_gives_the_steps_of_the_whole(case):
    encoder, events, cuts = case
    pieces = StepEncoder(encoder)
    trains = [pieces.push(piece) for piece in np.split(events, cuts)]
    assert pieces.number == sum(map(len, trains))
    found = joined([*trains, pieces.finish()])
    assert found == encoder.encode(events)
    assert [found.step(t).tolist() for t in range(len(found))] == naive_contract.encode(events, encoder)


@given(cut_recordings(), st.lists(st.integers(0, 200), max_size=12))
def test_time_that_passes_changes_no_spike(case, waits):
    encoder, events, cuts = case
    pieces, trains = StepEncoder(encoder), []
    parts = np.split(events, cuts)
    for number, part in enumerate(parts):
        trains.append(pieces.push(part))
        # Until an event of a step that is over would come.
        limit = next((int(later["t"][0]) for later in parts[number + 1:] if len(later)), 2**60)
        if pieces.start_us is not None and number < len(waits):
            trains.append(pieces.advance(min(limit, pieces.start_us + waits[number])))
    found, whole = joined([*trains, pieces.finish()]), encoder.encode(events)
    assert found.slice(0, len(whole)) == whole
    assert not len(found.slice(len(whole), len(found)).sources)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_real_recording_in_pieces(qclif_data, seed):
    sample = next(read_files([qclif_data/"nmnist"/"train1000.npz"]))
    encoder = Encoder((34, 34), (17, 17), bin_us=1000, count_threshold=2)
    cuts    = np.sort(np.random.default_rng(seed).integers(0, len(sample.events), 200))
    pieces  = StepEncoder(encoder)
    trains  = [pieces.push(piece) for piece in np.split(sample.events, cuts)]
    assert joined([*trains, pieces.finish()]) == encoder.encode(sample.events)


def test_two_recordings_after_another():
    encoder = Encoder(bin_us=10, count_threshold=1)
    pieces  = StepEncoder(encoder)
    first, second = events_of((0, 0, 0, 100), (0, 0, 1, 125)), events_of((0, 0, 1, 3), (0, 0, 0, 13))
    trains  = [pieces.push(first), pieces.finish(), pieces.finish(), pieces.push(second), pieces.finish()]
    assert joined(trains) == joined([encoder.encode(first), encoder.encode(second)])
    assert pieces.number == 5


def test_a_start_that_is_given():
    pieces = StepEncoder(Encoder(bin_us=10, count_threshold=1), start_us=100)
    assert [len(pieces.push(events_of((0, 0, 0, 125)))), len(pieces.finish())] == [2, 1]
    assert not len(StepEncoder(Encoder()).advance(10**9))

# What is refused ----------------------------------------------------------------------------------

@pytest.mark.parametrize("rows, text", [
    ([(0, 0, 0, 19)], "pixels: an event of 19 us, step 1 begins at 20 us: the pieces must come in order"),
    ([(0, 0, 0, 25), (0, 0, 0, 24)], "pixels: times go back at event 1, from 25 to 24 us"),
    ([(0, 0, 0, 25), (128, 0, 0, 26)], "pixels: x of event 1 is 128, the limits are 0 to 127"),
    ([(0, 0, 0, 20 + 10*STEPS_MAX)], f"are {STEPS_MAX + 1} steps of 10 us at once, the limit is {STEPS_MAX}"),
])
def test_refused_events_change_nothing(rows, text):
    pieces = StepEncoder(Encoder(bin_us=10, count_threshold=1))
    pieces.push(events_of((0, 0, 0, 10), (0, 0, 1, 20)))
    with pytest.raises(QCLIFError) as error:
        pieces.push(events_of(*rows), "pixels")
    assert text in str(error.value)
    assert pieces.finish() == SpikeTrain.from_lists([[1]])


def test_a_silence_without_end_is_refused():
    pieces = StepEncoder(Encoder(bin_us=10), start_us=0)
    with pytest.raises(QCLIFError, match="at once, the limit is"):
        pieces.advance(10*STEPS_MAX)
