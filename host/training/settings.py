# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""All that decides how a training comes out: one object, from the command line or a sweep."""

import argparse
import dataclasses
from dataclasses import dataclass

from accel.config import LIMITS
from accel.errors import QCLIFError
from host.data.augment import MIRRORED_GESTURES, Augmentation
from host.data.datasets import NAMES, SYNTHETIC, SYNTHETIC_SAMPLES
from host.data.datasets import TEST_SEED as SYNTHETIC_MAX
from host.data.labelled_files import FILES
from host.events.encoder import Encoder, default_encoder_for
from host.training.architecture import LEAKS, NEURONS
from host.training.tasks import CONTEXT_CLASSES, MODES

TASKS = ("classify", "context")

# Settings that only the context task has.
CONTEXT_GROUP = "context task (--task context)"

# Above it, test samples are drawn.
SEED_MAX = 2**31 - 1

CELL = "a cell of the grid"

# Geometry of the augmentation by default: pixels moved (a cell of the encoder's grid), degrees turned, relative zoom.
# A cochlea has no picture to turn; what files show, nobody knows.
GEOMETRY = {"nmnist": (2, 10.0, 0.1), "shd": (8, 0.0, 0.0), "dvsgesture": (8, 10.0, 0.1), SYNTHETIC: (8, 10.0, 0.1),
    FILES: (CELL, 0.0, 0.0)}

# Most sensory sources of a build.
INPUTS_MAX = LIMITS["inputs"][1]

# Highest step size of Adam by default: short recordings take larger ones.
LEARNING_RATES = {"nmnist": 0.01, "shd": 0.003, "dvsgesture": 0.003, SYNTHETIC: 0.003, FILES: 0.003}

# Data sets whose classes are others in a mirror.
GESTURES = ("dvsgesture", SYNTHETIC)


def _field(group: str, default: object, text: str, low: float | None = None, high: float | None = None,
        choices: tuple[str, ...] | None = None) -> dataclasses.Field:
    return dataclasses.field(default=default, metadata={"group": group, "help": text, "low": low, "high": high,
        "choices": choices})


def _by_name(values: dict[str, object]) -> str:
    return ", ".join(f"{value} for {name}" for name, value in values.items())


def _limits(name: str) -> tuple[str, int, int]:
    low, high, text = LIMITS[name]
    return text, low, high


@dataclass(frozen=True)
class Settings:
    """Settings of a training; `python -m host.train --help` tells what each means, with its limits. Raises QCLIFError
    for a value out of them.
    """
    dataset:         str = _field("data", SYNTHETIC, "data set", choices=NAMES)
    samples:         int = _field("data", 0, "recordings of the training split, of each class by its share, those "
        f"held out among them; 0: all ({SYNTHETIC_SAMPLES['train']} synthetic ones)", 0, SYNTHETIC_MAX)
    test_samples:    int = _field("data", 0, "recordings of the test split; 0: all "
        f"({SYNTHETIC_SAMPLES['test']} synthetic ones)", 0, SYNTHETIC_MAX)
    bin_us:          int = _field("data", 0, "time step in us; 0: the data set's", 0)
    count_threshold: int = _field("data", 0, "events that make a source fire in a step; 0: the data set's", 0)
    grid_width:      int = _field("data", 0, "pixels in a row after downsampling; 0: the sensor's (17 of nmnist's 34, "
        "140 of shd's 700, else 16, or all where those are fewer)", 0)
    grid_height:     int = _field("data", 0, "pixels in a column after downsampling; 0: the sensor's, likewise", 0)
    polarities:      int = _field("data", 0, "2 keeps ON and OFF apart, 1 merges them; 0: the sensor's (1 for shd, "
        "else 2)", 0)
    max_steps:       int = _field("data", 0, "steps after which a recording is cut; 0: not at all", 0)
    validation:      float = _field("data", 0.1, "share of those recordings that is held out to choose the best epoch "
        "and to stop early; 0: none, the last epoch is taken", 0, 0.9)

    task:            str = _field("task", "classify", "classify: the class of a recording; context: is a clip of the "
        "class that a cue names?", choices=TASKS)
    mode:            str = _field(CONTEXT_GROUP, MODES[0], "yes is right for the clip of that class alone "
        "(recognition), or from it on (memory)", choices=MODES)
    clips:           int = _field(CONTEXT_GROUP, 1, "clips in a row, each of another class", 1, CONTEXT_CLASSES - 1)
    relevance:       float = _field(CONTEXT_GROUP, 1.0, "probability that the cue names the class that is asked for, "
        "else another; 1 informs, 0.1 tells nothing, 0 misleads", 0, 1)
    cued:            bool = _field(CONTEXT_GROUP, True, "show the cue, in 10 context sources")
    sequences:       int = _field(CONTEXT_GROUP, 2000, "sequences that are drawn for an epoch", 2)

    neuron:          str = _field("network", "qclif", "; ".join(f"{name}: {kind.text}" for name, kind in
        NEURONS.items()), choices=tuple(NEURONS))
    neurons:         int = _field("network", 200, *_limits("neurons"))
    weight_bits:     int = _field("network", 8, *_limits("weight_bits"))
    state_bits:      int = _field("network", 8, *_limits("state_bits"))
    current_bits:    int = _field("network", 12, *_limits("current_bits"))
    leak:            str = _field("network", "learned", "leaks of the neurons: drawn and learned, drawn and constant "
        "(distributed), or constant and all the same (fixed)", choices=LEAKS)

    epochs:          int = _field("training", 60, "passes over the recordings", 1)
    batch_size:      int = _field("training", 50, "samples a step of the optimiser; all where there are fewer", 1)
    learning_rate:   float = _field("training", 0.0, "highest step size of Adam, 1 is the largest weight; 0: the data "
        f"set's ({_by_name(LEARNING_RATES)})", 0, 1)
    label_smoothing: float = _field("training", 0.1, "share of the target that is spread over all classes", 0, 0.9)
    logit_gain:      float = _field("training", 3.0, "what logits, means over a clip in units of the readout, are "
        "multiplied with before the softmax", 0.01, 100)
    initial_rate:    float = _field("training", 0.05, "spikes a neuron and step of the untrained network, by the gain "
        "(a power of two) that comes closest", 0.001, 1)
    target_rate:     float = _field("training", 0.03, "spikes a neuron and step, above which it is penalised", 0, 1)
    rate_penalty:    float = _field("training", 20.0, "weight of that penalty; more of it, fewer spikes", 0, 1e6)
    patience:        int = _field("training", 0, "epochs without a better validation after which to stop; 0: never", 0)
    seed:            int = _field("training", 0, "of all that is drawn; equal ones give equal networks", 0, SEED_MAX)

    shift:           int = _field("augmentation", -1, "most pixels that a recording moves; -1: the data set's "
        f"({_by_name({name: each[0] for name, each in GEOMETRY.items()})})", -1)
    rotate:          float = _field("augmentation", -1.0, "most degrees that it turns; -1: the data set's "
        f"({_by_name({name: each[1] for name, each in GEOMETRY.items()})})", -1, 180)
    zoom:            float = _field("augmentation", -1.0, "relative range of its size; -1: the data set's "
        f"({_by_name({name: each[2] for name, each in GEOMETRY.items()})})", -1, 0.99)
    drop:            float = _field("augmentation", 0.15, "share of events dropped", 0, 1)
    jitter_us:       float = _field("augmentation", 0.0, "standard deviation of an event's time in us", 0)
    stretch:         float = _field("augmentation", 0.0, "relative range of a recording's duration: 0.1 for 90 to "
        "110 %%", 0, 0.99)
    mirror:          bool = _field("augmentation", False, "mirror every second gesture on average: left becomes right")

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
            if self.task != "context" and meta["group"] == CONTEXT_GROUP and value != field.default:
                raise QCLIFError(f"{field.name} is {value}, which the task {self.task} does not have: add "
                    f"--task context")
        if self.patience and not self.validation:
            raise QCLIFError(f"patience is {self.patience}, but validation is 0: nothing tells which epoch was "
                f"better; choose a --validation above 0")
        if self.mirror and (self.dataset not in GESTURES or self.task == "context"):
            raise QCLIFError(f"--mirror with {self.dataset}, task {self.task}: only gestures have a class in the "
                f"mirror, and the context task has drawn its classes before: leave it out")
        # They refuse what they cannot do: now, not when the recordings have been read.
        self.augmentation_for(self._changed(Encoder()))

    def encoder_for(self, sensor_size: tuple[int, int]) -> Encoder:
        """The encoder for a sensor (W, H) with what was changed; raises QCLIFError for more inputs than a build has."""
        encoder = self._changed(default_encoder_for(sensor_size))
        if encoder.inputs > INPUTS_MAX:
            raise QCLIFError("a grid of {}x{} pixels of {} polarities has {} inputs, the limits are 1 to {}: choose "
                "another --grid-width, --grid-height or --polarities".format(*encoder.grid, encoder.polarities,
                encoder.inputs, INPUTS_MAX))
        return encoder

    def _changed(self, encoder: Encoder) -> Encoder:
        changes = {name: value for name in ("bin_us", "count_threshold", "polarities")
            if (value := getattr(self, name))}
        grid = (self.grid_width or encoder.grid[0], self.grid_height or encoder.grid[1])
        return dataclasses.replace(encoder, grid=grid, **changes)

    @property
    def highest_rate(self) -> float:
        """Highest step size of Adam: that of the option, else the data set's."""
        return self.learning_rate or LEARNING_RATES[self.dataset]

    def augmentation_for(self, encoder: Encoder) -> Augmentation:
        """Random changes of the recordings that are trained with, for the encoder they meet."""
        shift, rotate, zoom = (default if value < 0 else value for value, default in
            zip((self.shift, self.rotate, self.zoom), GEOMETRY[self.dataset], strict=True))
        if shift == CELL:
            shift = encoder.sensor_size[0]//encoder.grid[0]
        return Augmentation(shift, rotate, zoom, self.drop, self.jitter_us, self.stretch, self.mirror,
            MIRRORED_GESTURES if self.mirror else None)

    def to_dict(self) -> dict[str, object]:
        """Fields by name, as JSON takes them."""
        return dataclasses.asdict(self)

    @property
    def changed(self) -> dict[str, object]:
        """Fields that are not at their defaults, by name."""
        return {field.name: value for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default}


def add_settings_args(parser: argparse.ArgumentParser) -> None:
    """Add an option for each field of Settings, with its limits and default in the help."""
    groups = {}
    for field in dataclasses.fields(Settings):
        meta = field.metadata
        if meta["group"] not in groups:
            groups[meta["group"]] = parser.add_argument_group(meta["group"])
        option = f"--{field.name.replace('_', '-')}"
        limits = "" if meta["high"] is None else f"{meta['low']} to {meta['high']}; "
        text   = f"{meta['help']} ({limits}default: %(default)s)"
        if field.type is bool:
            groups[meta["group"]].add_argument(option, action=argparse.BooleanOptionalAction, default=field.default,
                help=text)
        else:
            # Names are known in capitals, too, as tonic writes those of data sets.
            groups[meta["group"]].add_argument(option, type=str.lower if meta["choices"] else field.type,
                choices=meta["choices"], default=field.default, metavar=None if meta["choices"] else "N", help=text)


def settings_from_args(args: argparse.Namespace, **changes: object) -> Settings:
    """Settings of the options that add_settings_args() added, with some in the place of theirs."""
    return Settings(**{field.name: getattr(args, field.name) for field in dataclasses.fields(Settings)} | changes)
