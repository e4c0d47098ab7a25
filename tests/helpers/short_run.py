# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A run of short recordings, in memory and in files, for the tests of what draws it."""

import dataclasses

import numpy as np
from PIL import Image

from accel.config import QCLIFConfig
from host.data import synthetic
from host.events.encoder import Encoder, poisson_context
from host.network.golden import GoldenModel
from host.network.random_network import random_network
from host.runs.result import Result

CONTEXTS = 3
NEURONS  = 20
CLASSES  = ("clap $1", "wave", "turn")


def differences(result, other):
    """Names of the arrays of two Results that differ; empty where both are the same, integer for integer."""
    return [field.name for field in dataclasses.fields(result)
        if not np.array_equal(getattr(result, field.name), getattr(other, field.name))]


def save_recordings(path, samples):
    """One .npz of many recordings."""
    np.savez(path, events=np.concatenate([each.events for each in samples]), sensor_size=(128, 128),
        offsets=np.cumsum([0] + [len(each.events) for each in samples]), labels=[each.label for each in samples])


class Run:
    """Three short recordings, a network, and what the golden model makes of them, in files, too."""

    def __init__(self, folder):
        encoder = Encoder()
        self.samples  = list(synthetic.recordings(len(CLASSES), duration_us=200_000))
        self.inputs   = [encoder.encode(each.events, poisson_context(40, each.label, contexts=CONTEXTS), CONTEXTS)
            for each in self.samples]
        self.labels   = np.array([each.label for each in self.samples])
        self.network  = random_network(QCLIFConfig(neurons=NEURONS, contexts=CONTEXTS), encoder, self.inputs, rate=0.1,
            classes=CLASSES)
        self.results  = GoldenModel(self.network).run(self.inputs, states=True)
        assert all(len(each.spikes.sources) > 20 for each in self.results)
        self.file     = Result.collect(self.samples, self.inputs, [each.spikes for each in self.results],
            [each.logits for each in self.results])
        self.path, self.net, self.events = folder/"run.npz", folder/"net.npz", folder/"events.npz"
        self.file.save(self.path)
        self.network.save(self.net)
        save_recordings(self.events, self.samples)
        self.counts = np.array([each.spikes.dense(NEURONS).sum(axis=0) for each in self.results])


def gif_frames(path):
    """Milliseconds and RGB pixels of each frame."""
    with Image.open(path) as gif:
        for index in range(gif.n_frames):
            gif.seek(index)
            yield gif.info["duration"], np.asarray(gif.convert("RGB"))


def marks(axes):
    """Points (x, y) of the first line or cloud of marks in the axes."""
    return axes.lines[0].get_xydata().tolist()
