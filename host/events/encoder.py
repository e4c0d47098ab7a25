# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""From DVS events to the inputs of a network: downsampling, binning, thresholding, exactly as the contract."""

from dataclasses import asdict, dataclass

import numpy as np

from accel.errors import QCLIFError, check_integer
from host.events.event_array import COORDINATE_MAX, check_coordinates, normalise
from host.events.spike_train import SpikeTrain

# A recording of more steps than this has a wrong time unit or a jump in its times.
STEPS_MAX = 2**24

# Default rates of a context cue: of the source that is cued and of the others, in spikes a second.
CUE_HZ        = 200.0
BACKGROUND_HZ = 10.0

SIZE_MAX      = COORDINATE_MAX + 1
BIN_MAX       = 2**31 - 1
THRESHOLD_MAX = 2**16 - 1


@dataclass(frozen=True)
class Encoder:
    """Mapping of events to sensory sources.

    Parameters
    ----------
    sensor_size : (W, H) in pixels.
    grid : (GW, GH), pixels after downsampling.
    polarities : 2 keeps ON and OFF apart, 1 merges them.
    bin_us : microseconds of a step.
    count_threshold : events that a source collects in a step in order to fire.

    Raises
    ------
    QCLIFError : a value out of its limits.
    """
    sensor_size:     tuple[int, int] = (128, 128)
    grid:            tuple[int, int] = (16, 16)
    polarities:      int = 2
    bin_us:          int = 5000
    count_threshold: int = 3

    def __post_init__(self) -> None:
        for name, high in (("sensor_size", SIZE_MAX), ("grid", SIZE_MAX)):
            pair = getattr(self, name)
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise QCLIFError(f"encoder: {name} is {pair!r}: two integers, width and height, are needed")
            for value in pair:
                check_integer(f"encoder: {name}", value, 1, high)
            object.__setattr__(self, name, tuple(pair))
        for name, high in (("polarities", 2), ("bin_us", BIN_MAX), ("count_threshold", THRESHOLD_MAX)):
            check_integer(f"encoder: {name}", getattr(self, name), 1, high)

    @classmethod
    def from_dict(cls, values: object) -> "Encoder":
        """The encoder of a decoded JSON object; raises QCLIFError for missing and unknown keys."""
        names = set(cls.__dataclass_fields__)
        if not isinstance(values, dict) or set(values) != names:
            keys = ", ".join(sorted(values)) if isinstance(values, dict) else repr(values)
            raise QCLIFError(f"encoder: the keys are {keys}: {', '.join(sorted(names))} are needed")
        return cls(**values)

    def to_dict(self) -> dict[str, int | list[int]]:
        """Fields by name, as JSON takes them."""
        return {name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()}

    @property
    def inputs(self) -> int:
        """Sensory sources I."""
        return self.grid[0]*self.grid[1]*self.polarities

    def sources_of(self, events: np.ndarray) -> np.ndarray:
        """Source int64 [n] of each event [n] of dtype EVENT, all of which lie in the sensor."""
        (width, height), (grid_width, grid_height) = self.sensor_size, self.grid
        source = (events["y"].astype(np.int64)*grid_height//height)*grid_width
        source = (source + events["x"].astype(np.int64)*grid_width//width)*self.polarities
        if self.polarities == 2:
            source += events["p"]
        return source

    def fired(self, steps: np.ndarray, sources: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Step and source of each spike, in order of step, then source, from those [n] of each event."""
        # One key for a source of a step; sorted keys are in that order.
        keys, counts = np.unique(steps*self.inputs + sources, return_counts=True)
        return np.divmod(keys[counts >= self.count_threshold], self.inputs)

    def encode(self, events: np.ndarray, context: np.ndarray | None = None, contexts: int | None = None,
            what: str = "events") -> SpikeTrain:
        """Inputs of a network for one recording.

        Parameters
        ----------
        events : structured array [n] with fields x, y, p and t (us, not decreasing), as normalise() gives it.
        context : integer rows [m, 2] of (step, context source), a row a spike; None for no context.
        contexts : C, context sources of the network; None does not limit them.
        what : how an error names the recording.

        Returns
        -------
        SpikeTrain : (t_last - t_first)//bin_us + 1 steps; source (gy*GW + gx)*polarities + p, context k at I + k.

        Raises
        ------
        QCLIFError : the recording is empty or a value out of its range.
        """
        events = normalise(events, what)
        check_coordinates(events, self.sensor_size, what)
        elapsed = events["t"] - events["t"][0]
        length  = int(elapsed[-1])//self.bin_us + 1
        if length > STEPS_MAX:
            raise QCLIFError(f"{what}: {int(elapsed[-1])} us are {length} steps of {self.bin_us} us, the limit "
                f"is {STEPS_MAX}: check that t is in microseconds, or cut the recording")
        steps, sources = self.fired(elapsed//self.bin_us, self.sources_of(events))
        if context is not None:
            context = check_context(context, length, contexts, what)
            steps   = np.concatenate([steps,   context[:, 0]])
            sources = np.concatenate([sources, context[:, 1] + self.inputs])
        return SpikeTrain.from_pairs(steps, sources, length)


# Default encoders by sensor size: the contract's for DVS128 and N-MNIST; the 700 units of SHD, which all fire ON,
# are taken five by five.
ENCODERS = {encoder.sensor_size: encoder for encoder in (
    Encoder(),
    Encoder(sensor_size=(34, 34), grid=(17, 17), bin_us=10000, count_threshold=2),
    Encoder(sensor_size=(700, 1), grid=(140, 1), polarities=1, bin_us=10000, count_threshold=1),
)}


def default_encoder_for(sensor_size: tuple[int, int]) -> Encoder:
    """The contract's encoder for a sensor (W, H); another sensor is mapped to the default grid."""
    width, height = Encoder.grid
    return ENCODERS.get(sensor_size) or Encoder(sensor_size=sensor_size,
        grid=(min(width, sensor_size[0]), min(height, sensor_size[1])))


def check_context(context: np.ndarray, steps: int, contexts: int | None, what: str) -> np.ndarray:
    """Context rows (step, source) as int64 [m, 2]; raises QCLIFError where one is out of its range."""
    context = np.asarray(context)
    if context.ndim != 2 or context.shape[1] != 2 or context.dtype.kind not in "iu":
        raise QCLIFError(f"{what}: context is an array {list(context.shape)} of {context.dtype}: "
            f"integer rows (step, source) are needed")
    high = (steps - 1, None if contexts is None else contexts - 1)
    for column, name, limit in zip(context.T, ("step", "source"), high, strict=True):
        bad = np.flatnonzero((column < 0) | (False if limit is None else column > limit))
        if len(bad):
            limits = "0 up" if limit is None else f"0 to {limit}" if limit >= 0 else "none: no context sources"
            raise QCLIFError(f"{what}: {name} of context row {bad[0]} is {int(column[bad[0]])}, the limits are "
                f"{limits}: correct the row, or take a network that has this context")
    return context.astype(np.int64)


def poisson_context(steps: int, source: int, rate_hz: float = CUE_HZ, background_hz: float = BACKGROUND_HZ,
        bin_us: int = 5000, contexts: int = 10, seed: int = 0) -> np.ndarray:
    """Context rows of a constant cue: seeded Poisson spikes.

    Parameters
    ----------
    steps : length of the recording in steps of bin_us microseconds.
    source : context source that is cued, 0 to contexts - 1.
    rate_hz, background_hz : spikes a second of that source and of each other one.

    Returns
    -------
    int64 [m, 2] : rows (step, source) in order, a row a spike.

    Raises
    ------
    QCLIFError : source or a rate out of its range.
    """
    if not 0 <= source < contexts:
        limits = f"0 to {contexts - 1}" if contexts else "none: the network has no context sources"
        raise QCLIFError(f"context source {source}, the limits are {limits}: choose another --context, or a "
            f"network with this source")
    for name, rate in (("rate", rate_hz), ("background rate", background_hz)):
        if not 0 <= rate <= 1e6:
            raise QCLIFError(f"context {name} is {rate} Hz, the limits are 0 to 1000000: choose another")
    rates = np.full(contexts, background_hz)
    rates[source] = rate_hz
    counts = np.random.default_rng(seed).poisson(rates*bin_us*1e-6, (steps, contexts))
    rows   = np.argwhere(counts)
    return np.repeat(rows, counts[tuple(rows.T)], axis=0)
