# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""One recording on its way through: raw events, context, label and the inputs they give."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.events.spike_train import SpikeTrain

UNKNOWN = -1


@dataclass(frozen=True, eq=False)
class Sample:
    """A recording, and once encoded the inputs of a network.

    Parameters
    ----------
    name : how tables and errors call it.
    events : array of dtype EVENT (x, y, p, t in us), as event_array.normalise() gives it; None where only steps
        are known.
    context : integer rows (step, source) or None.
    label : class, -1 where unknown.
    sensor_size : (W, H) where the source of the recording names it, else None.
    steps : encoded inputs, None before encoded().
    """
    name:        str
    events:      np.ndarray | None = None
    context:     np.ndarray | None = None
    label:       int = UNKNOWN
    sensor_size: tuple[int, int] | None = None
    steps:       SpikeTrain | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(W, H); raises QCLIFError where it is not known: what the events' coordinates ask for is no answer, since it
        differs between recordings of one sensor."""
        if self.sensor_size is None:
            raise QCLIFError(f"{self.name}: the sensor's size is not known: give --sensor-size W H")
        return self.sensor_size

    def encoded(self, encoder: Encoder, contexts: int) -> "Sample":
        """This sample with its steps, for a network with this encoder and C = contexts.

        Raises
        ------
        QCLIFError : another sensor than the encoder's, or events or context that it cannot take.
        """
        if self.sensor_size is not None and self.sensor_size != encoder.sensor_size:
            raise QCLIFError(f"{self.name}: recorded with {self.sensor_size[0]}x{self.sensor_size[1]} pixels, "
                f"the network is for {encoder.sensor_size[0]}x{encoder.sensor_size[1]}: take a network for "
                f"this sensor")
        steps = encoder.encode(self.events, self.context, contexts, self.name)
        return dataclasses.replace(self, steps=steps)
