#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""All that decides how a training comes out: one object, from the command line or a sweep."""

import dataclasses
import json
from dataclasses import dataclass

from host.augment import MIRRORED_GESTURES, Augmentation
from host.datasets import DEFAULT_ENCODERS, NAMES, SYNTHETIC
from host.encoder import Encoder
from host.errors import QCLIFError
from host.training.architecture import LEAKS, NEURONS
from host.training.tasks import MODES

TASKS = ("classify", "context")

# What the shift of augmentation is by default, in pixels: a cell of the encoder's grid at most.
SHIFTS = {"nmnist": 2, "shd": 8}
GESTURE_SHIFT = 8


def _field(default: object, text: str, low: float | None = None, high: float | None = None,
        choices: tuple[str, ...] | None = None) -> dataclasses.Field:
    return dataclasses.field(default=default, metadata={"help": text, "low": low, "high": high, "choices": choices})


@dataclass(frozen=True)
class Settings:
    """Settings of a training; `python -m host.train --help` tells what each means, with its limits.

    Raises
    ------
    QCLIFError : a value out of its limits.
    """
    dataset:         str = _field(SYNTHETIC, "data set", choices=NAMES)
    task:            str = _field("classify", "class of a recording, or CLIF's context task", choices=TASKS)
    samples:         int = _field(0, "recordings to train with; 0: all (1100 synthetic ones)", 0)
    neuron:          str = _field("qclif", "; ".join(f"{n}: {kind.text}" for n, kind in NEURONS.items()),
        choices=tuple(NEURONS))
    neurons:         int = _field(200, "neurons N")
    weight_bits:     int = _field(8, "bits of a weight")
    state_bits:      int = _field(8, "bits of V_a, V_s, leaks and thresholds")
    current_bits:    int = _field(12, "bits of the currents")
    leak:            str = _field("learned", "leak of each neuron: learned, drawn and constant, all the same",
        choices=LEAKS)
    bin_us:          int = _field(0, "time step in us; 0: the data set's", 0)
    count_threshold: int = _field(0, "events that make a source fire in a step; 0: the data set's", 0)
    max_steps:       int = _field(0, "steps after which a recording is cut; 0: none", 0)
    mode:            str = _field(MODES[0], "context task: yes for the clip asked for, or from it on", choices=MODES)
    clips:           int = _field(1, "context task: clips in a row", 1)
    relevance:       float = _field(1.0, "context task: probability that the cue names the class asked for", 0, 1)
    cued:            bool = _field(True, "context task: show the cue")
    sequences:       int = _field(2000, "context task: sequences of an epoch", 2)
    epochs:          int = _field(60, "passes over the recordings", 1)
    batch_size:      int = _field(50, "samples of a step", 1)
    learning_rate:   float = _field(0.01, "highest step size of Adam, relative to the largest weight", 1e-7, 1)
    label_smoothing: float = _field(0.1, "of the cross entropy", 0, 0.9)
    target_rate:     float = _field(0.03, "spikes a neuron and step above which a neuron is penalised", 0, 1)
    rate_penalty:    float = _field(20.0, "weight of that penalty", 0)
    shift:           int = _field(-1, "augmentation: most pixels moved; -1: the data set's", -1)
    drop:            float = _field(0.15, "augmentation: share of events dropped", 0, 1)
    jitter_us:       float = _field(0.0, "augmentation: time jitter of an event in us", 0)
    stretch:         float = _field(0.0, "augmentation: relative range of a recording's speed", 0, 0.99)
    mirror:          bool = _field(False, "augmentation: mirror gestures (left becomes right)")
    validation:      float = _field(0.1, "share of the recordings held out for validation; 0: none", 0, 0.9)
    patience:        int = _field(0, "epochs without a better validation after which to stop; 0: never", 0)
    seed:            int = _field(0, "of everything that is drawn", 0)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, meta = getattr(self, field.name), field.metadata
            if meta["choices"] and value not in meta["choices"]:
                raise QCLIFError(f"{field.name} is {value!r}: known are {', '.join(meta['choices'])}")
            low, high = meta["low"], meta["high"]
            if (low is not None and not value >= low) or (high is not None and not value <= high):
                limits = f"at least {low}" if high is None else f"{low} to {high}"
                raise QCLIFError(f"{field.name} is {value}, the limits are {limits}: choose another "
                    f"--{field.name.replace('_', '-')}")
        if self.mirror and (self.dataset in SHIFTS or self.task == "context"):
            raise QCLIFError(f"--mirror with {self.dataset}, task {self.task}: only gestures have a class in the mirror, "
                f"and the context task has drawn it before: leave it out")

    @property
    def encoder(self) -> Encoder:
        """The data set's encoder with what was changed."""
        changes = {name: value for name in ("bin_us", "count_threshold") if (value := getattr(self, name))}
        return dataclasses.replace(DEFAULT_ENCODERS[self.dataset], **changes)

    @property
    def augmentation(self) -> Augmentation:
        """Random changes of the recordings that are trained with."""
        shift = SHIFTS.get(self.dataset, GESTURE_SHIFT) if self.shift < 0 else self.shift
        return Augmentation(shift, self.drop, self.jitter_us, self.stretch, self.mirror,
            MIRRORED_GESTURES if self.mirror else None)

    def to_dict(self) -> dict[str, object]:
        """Fields by name, as JSON takes them."""
        return dataclasses.asdict(self)

    @property
    def key(self) -> str:
        """Text that differs where any setting does."""
        return json.dumps(self.to_dict(), sort_keys=True)
