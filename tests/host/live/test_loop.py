# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The live run on the firmware, compiled for the host, behind a socket: every step once, and equal."""

import dataclasses
import threading
from contextlib import ExitStack

import numpy as np
import pytest

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.data.synthetic import record
from host.events.encoder import Encoder
from host.events.formats import read_files
from host.events.reading import Reading
from host.live import live_device, loop
from host.live.connection import Connection
from host.live.control import Control
from host.live.cue import Cue
from host.live.loop import LiveRun
from host.live.recorder import Recordings
from host.live.sources.files import FileSource
from host.live.sources.live_steps import LiveSteps
from host.network.golden import GoldenModel
from host.network.random_network import random_network
from host.network.stream import GoldenStream
from tests.helpers import firmware_servers
from tests.helpers.firmware_port import FirmwareDevice
from tests.helpers.live_sources import StandingClock

CONTEXTS, DECAY = 3, 4
CONFIG  = QCLIFConfig(neurons=20, contexts=CONTEXTS, outputs=3)
ENCODER = Encoder()
STEPS   = 60


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """A file of a gesture."""
    path = tmp_path_factory.mktemp("live")/"gesture.npz"
    np.savez(path, events=record(0, duration_us=STEPS*ENCODER.bin_us).events, sensor_size=(128, 128))
    return path


@pytest.fixture(scope="module")
def network(events):
    sample, = read_files([events])
    return random_network(CONFIG, ENCODER, [ENCODER.encode(sample.events)], rate=0.1, classes=("a", "b", "c"))


class Bench:
    """A run whose source plays a file, with all of its frames; `between` is called before each turn with their number.

    Attributes: run, control, frames, server (the context of the device's port).
    """
    def __init__(self, stack, network, events, folder, between=lambda bench, steps: None, golden=True, encode="host",
            late="wait", cue=-1, clip=None, patience=5.0):
        self.network, self.frames, self._between = network, [], between
        self.server  = ExitStack()
        port = stack.enter_context(self.server).enter_context(firmware_servers.tcp(FirmwareDevice(CONFIG)))
        self.port    = int(port.rpartition(":")[2])
        self.stop    = threading.Event()
        connection   = Connection(network, CONFIG, f"socket://{port}", 1_000_000, "cpu", encode, DECAY)
        self.control = Control(network.neurons, CONTEXTS)
        self.cue     = Cue(CONTEXTS, ENCODER.bin_us, cue, seed=3)
        golden       = {True: GoldenStream(network, DECAY), False: None}.get(golden, golden)
        self.recordings = Recordings(folder, ENCODER.bin_us, ENCODER.sensor_size, clip)
        self.run     = stack.enter_context(LiveRun(connection, self.control, self.frames.append, self.cue, golden,
            self.recordings, self.stop, patience))
        source     = FileSource(events, ENCODER, Reading(), 1.0, False, CONTEXTS, ())
        self.steps = stack.enter_context(LiveSteps(source, ENCODER, late, 1e6, clock=StandingClock()))
        take       = self.steps.take

        def taken(most, wait_s):
            """Steps are due when they are asked for, one at a time."""
            self._between(self, self.run.meter.steps)
            return take(1, wait_s)
        self.steps.take = taken

    def go(self):
        self.run.run(self.steps)
        return self.frames

    def all(self, name):
        """Of all steps, in order."""
        return [each for frame in self.frames for each in getattr(frame, name)]


@pytest.fixture
def bench(network, events, tmp_path):
    with ExitStack() as stack:
        yield lambda **options: Bench(stack, network, events, tmp_path, **options)


def whole(network, events, context=None):
    """Inputs and spikes, step by step, of the whole recording in the golden model."""
    sample, = read_files([events])
    train   = ENCODER.encode(sample.events, context, CONTEXTS)
    result  = GoldenModel(network).run([train], states=True)[0]
    return [train.step(t).tolist() for t in range(len(train))], \
        [result.spikes.step(t).tolist() for t in range(len(train))], result


def lists(arrays):
    return [array.tolist() for array in arrays]


@pytest.mark.parametrize("encode", ["host", "device"])
@pytest.mark.parametrize("golden", [True, False])
def test_frames_have_every_step_once(bench, network, events, golden, encode):
    ours = bench(golden=golden, encode=encode)
    ours.control.ask("watch", [2, 5, 6])
    frames = ours.go()
    inputs, spikes, result = whole(network, events)
    assert lists(ours.all("inputs")) == inputs and lists(ours.all("spikes")) == spikes and sum(map(len, spikes)) > 50
    assert [frame.first for frame in frames] == np.cumsum([0] + [len(frame.inputs) for frame in frames])[:-1].tolist()
    assert frames[-1].status == "ended" and frames[-1].machine.mismatches == 0
    assert frames[-1].machine.steps == STEPS and frames[-1].machine.compared == STEPS*golden
    # Windowed logits and states of each step.
    expected = GoldenStream(network, DECAY).run(inputs)
    assert lists(ours.all("logits")) == [step.logits.tolist() for step in expected]
    for neuron in (2, 5, 6):
        states = np.concatenate([frame.states[neuron] for frame in frames if len(frame.inputs)])
        assert states.tolist() == [[step.v_a[neuron], step.v_s[neuron]] for step in expected]
        assert states[:, 0].tolist() == result.v_a[:, neuron].tolist()
    # Each event is in one picture.
    sample, = read_files([events])
    total = sum(frame.picture.astype(int) for frame in frames)
    assert total.sum() == 2*np.count_nonzero(sample.events["p"]) - len(sample.events)


def test_pause_single_step_and_reset(bench, network, events):
    asked = []

    def between(ours, steps):
        if steps == 10 and not asked:
            ours.control.ask("pause")
            asked.append(steps)
        elif len(asked) == 1 and ours.steps.paused:
            ours.control.ask("step")
            asked.append(steps)
        elif len(asked) == 2 and steps == asked[1] + 1:
            ours.control.ask("reset")
            ours.control.ask("resume")
            asked.append(steps)
    ours = bench(between=between)
    ours.go()
    assert len(asked) == 3
    # The network begins again where it was reset; what the source shows goes on.
    inputs, _, _ = whole(network, events)
    assert lists(ours.all("inputs")) == inputs
    golden = GoldenStream(network, DECAY)
    again  = asked[2]
    first  = [step.spikes.tolist() for step in golden.run(inputs[:again])]
    golden.reset()
    assert lists(ours.all("spikes")) == first + [step.spikes.tolist() for step in golden.run(inputs[again:])]
    assert ours.frames[-1].machine.mismatches == 0


def test_a_cue_is_context(bench, network, events):
    def between(ours, steps):
        if steps in (20, 40):
            ours.control.ask("cue", 1 if steps == 20 else -1)
    ours = bench(between=between)
    ours.go()
    cued = [[source - ENCODER.inputs for source in step if source >= ENCODER.inputs]
        for step in lists(ours.all("inputs"))]
    assert not any(cued[:20] + cued[42:]) and sum(step.count(1) for step in cued[20:42]) > 5
    assert ours.frames[-1].machine.mismatches == 0
    rows = [(t, source) for t, step in enumerate(cued) for source in step]
    assert lists(ours.all("spikes")) == whole(network, events, np.array(rows))[1]


def test_a_difference_is_named_and_stays_until_a_reset(bench, network, monkeypatch):
    # A frame a step, however fast they are.
    monkeypatch.setattr(loop, "FRAME_HZ", 1e9)
    threshold = network.threshold.copy()
    threshold[7] = 1
    other = dataclasses.replace(network, threshold=threshold)

    def between(ours, steps):
        if steps == 50:
            ours.control.ask("reset")
    frames = bench(between=between, golden=GoldenStream(other, DECAY)).go()
    wrong  = next(frame for frame in frames if frame.status == "mismatch")
    assert "neuron 7: it came 0 times, expected 1" in wrong.notice and wrong.machine.mismatches
    after = frames[frames.index(wrong):]
    assert any(frame.status == "running" for frame in after if frame.notice.startswith("states and logits"))
    assert frames[-1].machine.mismatches >= frames[-1].machine.compared//4


def test_what_was_recorded_replays(bench, network, events, tmp_path):
    def between(ours, steps):
        if steps in (15, 45):
            ours.control.ask("record", steps == 15)
    ours = bench(between=between, cue=2)
    frames = ours.go()
    path, = tmp_path.glob("live-*.npz")
    assert any(str(path) == frame.recording for frame in frames)
    assert any(frame.notice == f"recorded {path}" for frame in frames)
    first  = next(frame.first for frame in frames if frame.recording and frame.inputs)
    sample, = read_files([path])
    train  = ENCODER.encode(sample.events, sample.context, CONTEXTS)
    inputs = lists(ours.all("inputs"))
    assert len(train) > 20
    # From the reset at its beginning on.
    start = next(at for at in range(first, STEPS) if [train.step(t).tolist() for t in range(len(train))] ==
        inputs[at:at + len(train)])
    again = GoldenModel(network).run([train])[0].spikes
    assert [again.step(t).tolist() for t in range(len(train))] == lists(ours.all("spikes"))[start:start + len(train)]


def test_clips(bench, tmp_path):
    ours = bench(clip=20)
    ours.control.ask("record", True)
    ours.go()
    lengths = [int(sample.events["t"][-1])//ENCODER.bin_us + 1 for sample in
        read_files(sorted(tmp_path.glob("live-*.npz"), key=lambda path: path.stat().st_mtime_ns))]
    assert len(lengths) == 3 and lengths[:2] == [20, 20]


def test_a_device_that_is_lost_comes_again(bench, network, events, monkeypatch):
    monkeypatch.setattr(live_device, "RETRY_EVERY", 0.01)
    killed = []

    def between(ours, steps):
        if steps == 20 and not killed:
            killed.append(steps)
            ours.server.close()
            # Some tries later, without a network.
            def back():
                device = FirmwareDevice(CONFIG)
                ours.server.enter_context(firmware_servers.tcp(device, ours.port))
            threading.Timer(0.3, back).start()
    ours   = bench(between=between)
    frames = ours.go()
    assert {frame.status for frame in frames} == {"running", "lost", "ended"}
    lost = frames[-1].machine
    assert lost.resets >= 1 and ours.run.meter.lost_steps == 1 and lost.dropped_steps == 1
    assert lost.steps == lost.compared == STEPS - 1 and lost.mismatches == 0
    inputs, _, _ = whole(network, events)
    assert lists(ours.all("inputs")) == inputs[:20] + inputs[21:]
    golden = GoldenStream(network, DECAY)
    spikes = [step.spikes.tolist() for step in golden.run(inputs[:20])]
    golden.reset()
    assert lists(ours.all("spikes")) == spikes + [step.spikes.tolist() for step in golden.run(inputs[21:])]


def test_a_device_that_stays_away(bench, monkeypatch):
    monkeypatch.setattr(live_device, "RETRY_EVERY", 0.01)
    ours = bench(between=lambda ours, steps: ours.server.close() if steps == 5 else None, patience=0.05)
    with pytest.raises(QCLIFError, match="cannot open port"):
        ours.go()
    assert ours.frames[-1].status == "failed" and "cannot open port" in ours.frames[-1].notice


def test_a_device_that_fails_again_and_again(bench, monkeypatch):
    monkeypatch.setattr(live_device, "RETRY_EVERY", 0.01)
    ours = bench()

    def fails(inputs):
        raise QCLIFError("device: it cannot do that")
    connect = ours.run.device._connect

    def connect_and_fail():
        connect()
        ours.run.device._session.run = fails
    ours.run.device._connect = connect_and_fail
    ours.run.device._session.run = fails
    with pytest.raises(QCLIFError, match="it cannot do that"):
        ours.go()
    assert ours.run.device.losses == live_device.LOSSES_MAX + 1
