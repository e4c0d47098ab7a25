# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The one configuration of a build: sizes, widths, lanes, capacities and all that follows from them.

Free of Migen and torch, so that gateware, SoC, firmware header, host and ASIC flow share it.
"""

import argparse
import dataclasses
from dataclasses import dataclass

from accel.errors import QCLIFError

# CSR data words: everything that software reads or writes is cut to this width.
WORD_BITS  = 32
WORD_BYTES = WORD_BITS//8

# Spaces of the accelerator's memory, as the `address` register names them.
SPACE_SOMA, SPACE_APICAL, SPACE_PARAMETERS, SPACE_STATE = range(4)
SPACE_SHIFT = 28

# Run-time shift registers (apical_shift, product_shift).
SHIFT_BITS = 5
SHIFT_MAX  = 2**SHIFT_BITS - 1

# Highest width and height of a camera whose raw events are encoded here: there is a table of that many words for each.
SENSOR_LIMIT = 2048

# Bytes of a raw event word: narrow ones where x and y have two bits less than a word, wide ones for larger sensors.
RAW_NARROW_BYTES, RAW_WIDE_BYTES = 2, 3

# What the core counts of a sample, in the order of its registers and of the link's answer.
CORE_COUNTERS = {
    "steps":     "time steps computed",
    "events":    "events taken (all sources)",
    "rows":      "active rows: events and recurrent spikes",
    "sops":      "synaptic operations: weights added",
    "spikes":    "output spikes",
    "busy":      "clocks with a step in work",
    "stalls":    "clocks in which spikes waited for the output",
    "overflows": "events dropped: list full or no such source",
}

# What ends a transfer of the reader of events, as its register has it.
READER_ERRORS = {"none": 0, "source": 1, "events": 2, "form": 3, "bus": 4, "column": 5, "row": 6, "settings": 7}

# The same of the writer of spikes.
WRITER_ERRORS = {"none": 0, "full": 1, "bus": 2, "base": 3}


# What `protect`, an option of the core, may be: check bits of its memories.
PROTECTIONS = {
    "none":   "words as they are",
    "parity": "a bit a slice: one flipped bit is told of",
    "secded": "a Hsiao code: one flipped bit of a slice is corrected, two are told of",
}

# What `protect` counts, in the order of its registers.
FAULTS = {
    "corrected":   "words of memories that were read with a flipped bit, which was put right",
    "uncorrected": "words of memories that were read and are wrong",
}


class ConfigError(QCLIFError, ValueError):
    """A configuration value outside of its limits; the text names value, limit and remedy."""


def _size(default: int, low: int, high: int, text: str) -> int:
    """A field of QCLIFConfig, with its limits and what its option tells of it."""
    return dataclasses.field(default=default, metadata={"limits": (low, high, text)})


@dataclass(frozen=True)
class QCLIFConfig:
    """Sizes of one build. A network up to these sizes runs on it.

    Parameters
    ----------
    neurons, inputs, contexts : N, I, C of the contract (accel/README.md).
    lanes : P, neurons whose sums are made side by side, a weight each in a word.
    updates : Q, neurons updated a clock, a power of two that divides P; a step takes close to groups*max(rows, P/Q)
        clocks.
    weight_bits, state_bits, current_bits : widths of the contract.
    outputs : most readout classes the firmware holds.
    step_events, spike_fifo, frame_bytes : capacities; 0 picks the default that follows from the sizes.
    frame_window, uart_fifo : link capacities.

    Raises
    ------
    ConfigError : a value is out of its limits (it names the value, the limits and the option).
    """
    neurons:      int = _size(200, 1, 1024, "neurons N")
    inputs:       int = _size(512, 1, 4096, "sensory sources I")
    contexts:     int = _size(10, 0, 64, "context sources C")
    lanes:        int = _size(8, 1, 1024, "lanes P: weights a memory word, synapses a clock and compartment")
    updates:      int = _size(1, 1, 1024, "neurons Q updated a clock: a power of two that divides P")
    weight_bits:  int = _size(8, 2, 8, "bits of a signed weight or bias")
    state_bits:   int = _size(8, 4, 16, "bits of the unsigned states, leaks and thresholds")
    current_bits: int = _size(12, 4, 20, "bits of the signed currents i_s and i_a")
    outputs:      int = _size(16, 0, 64, "most classes of the readout (in the CPU's memory)")
    step_events:  int = _size(0, 1, 8192, "most events of one time step (default: one for every source, at least 64)")
    spike_fifo:   int = _size(0, 2, 8192, "spikes the output FIFO holds (default: two full steps)")
    frame_bytes:  int = _size(0, 128, 4096, "most bytes of a link frame, before COBS (default: 960, or what N needs)")
    frame_window: int = _size(8, 2, 16, "link frames in flight, each with a stored answer")
    uart_fifo:    int = _size(4096, 512, 16384, "bytes of received frames that may wait (power of two)")

    def __post_init__(self) -> None:
        defaults = {
            "step_events": lambda: max(64, self.sources),
            "spike_fifo":  lambda: 2**max(4, (2*self.neurons - 1).bit_length()),
            "frame_bytes": lambda: max(960, self.neurons + 256),
        }
        for name, (low, high, _) in LIMITS.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise ConfigError(f"{name} is {value!r}: an integer from {low} to {high} is needed")
            if value == 0 and name in defaults:
                value = min(defaults[name](), high)
                object.__setattr__(self, name, value)
            if not low <= value <= high:
                raise ConfigError(f"{name} is {value}, the limits are {low} to {high}: "
                    f"choose another --{name.replace('_', '-')}")
        if self.updates & (self.updates - 1) or self.lanes % self.updates:
            powers = [str(2**n) for n in range(self.lanes.bit_length()) if self.lanes % 2**n == 0]
            raise ConfigError(f"updates is {self.updates}: a power of two that divides the {self.lanes} lanes, one "
                f"of {', '.join(powers)}, is needed; choose another --updates, or other --lanes")
        if self.uart_fifo & (self.uart_fifo - 1):
            raise ConfigError(f"uart_fifo is {self.uart_fifo}, not a power of two: take "
                f"--uart-fifo {1 << self.uart_fifo.bit_length()}")
        # A bit a neuron, and what stands around them.
        if self.frame_bytes < (least := -(-self.neurons//8) + 64):
            raise ConfigError(f"frame_bytes is {self.frame_bytes}: the spikes of one step of "
                f"{self.neurons} neurons need {least}; raise --frame-bytes")
        if self.spike_fifo < self.neurons:
            # Else whoever waits for the end of a step before he takes its spikes would wait for ever.
            raise ConfigError(f"spike_fifo is {self.spike_fifo}: the spikes of one step of {self.neurons} neurons need "
                f"{self.neurons}; raise --spike-fifo")
        if self.uart_fifo < 2*self.frame_bytes:
            raise ConfigError(f"uart_fifo is {self.uart_fifo}: two frames of {self.frame_bytes} bytes "
                f"do not fit; raise --uart-fifo or lower --frame-bytes")

    # Derived: organisation ------------------------------------------------------------------------

    @property
    def sources(self) -> int:
        """Event sources: the sensory ones first, context k at I + k."""
        return self.inputs + self.contexts

    @property
    def groups(self) -> int:
        """G: groups of P neurons."""
        return -(-self.neurons//self.lanes)

    @property
    def word_lanes(self) -> int:
        """Weights in a word: of the P lanes those that have a neuron in some group."""
        return min(self.lanes, self.neurons)

    @property
    def pipelines(self) -> int:
        """Neuron pipelines: of the Q those that have a neuron in some word."""
        return min(self.updates, self.neurons)

    @property
    def neuron_words(self) -> int:
        """Words of the memories of states and parameters, Q neurons each."""
        return -(-self.neurons//self.updates)

    @property
    def update_bits(self) -> int:
        """Low bits of a neuron's number that tell its place in such a word."""
        return self.updates.bit_length() - 1

    @property
    def update_clocks(self) -> int:
        """P/Q: clocks in which a group's neurons are updated."""
        return self.lanes//self.updates

    @property
    def soma_rows(self) -> int:
        """Rows of somatic weights in a group: sensory source j is row j, neuron m is row I + m."""
        return self.inputs + self.neurons

    @property
    def apical_rows(self) -> int:
        """Rows of apical weights in a group: context k is row k, neuron m is row C + m."""
        return self.contexts + self.neurons

    @property
    def soma_words(self) -> int:
        """Words of the somatic weight memory; word group*soma_rows + row."""
        return self.groups*self.soma_rows

    @property
    def apical_words(self) -> int:
        """Words of the apical weight memory; word group*apical_rows + row."""
        return self.groups*self.apical_rows

    @property
    def slice_lanes(self) -> int:
        """Weights in one 32-bit slice of a word (a weight never straddles two)."""
        return min(self.word_lanes, WORD_BITS//self.weight_bits)

    @property
    def slices(self) -> int:
        """32-bit slices of a weight word."""
        return -(-self.word_lanes//self.slice_lanes)

    @property
    def slice_bits(self) -> int:
        """Low bits of an address that select the slice of a weight word."""
        return (self.slices - 1).bit_length()

    # Derived: widths ------------------------------------------------------------------------------

    @property
    def state_max(self) -> int:
        """V_max."""
        return 2**self.state_bits - 1

    @property
    def weight_min(self) -> int:
        return -2**(self.weight_bits - 1)

    @property
    def weight_max(self) -> int:
        return 2**(self.weight_bits - 1) - 1

    @property
    def accumulator_bits(self) -> int:
        """Signed bits that hold the exact sum of any step: every event, every spike and the bias."""
        terms = self.step_events + self.neurons + 1
        return (terms << (self.weight_bits - 1)).bit_length() + 1

    def to_dict(self) -> dict[str, int]:
        """Fields by name, as JSON takes them."""
        return dataclasses.asdict(self)


# Field: (lowest, highest, help). Everything the constructor accepts, and the command line with it.
LIMITS = {field.name: field.metadata["limits"] for field in dataclasses.fields(QCLIFConfig)}

# Command line -------------------------------------------------------------------------------------

def add_config_args(parser: argparse.ArgumentParser) -> None:
    """Add one option a field of QCLIFConfig, with limits and default in the help."""
    group = parser.add_argument_group("qCLIF sizes")
    for field in dataclasses.fields(QCLIFConfig):
        low, high, text = LIMITS[field.name]
        default = f" (default: {field.default})" if field.default else ""
        group.add_argument(f"--{field.name.replace('_', '-')}", type=int, metavar="N",
            help=f"{text}; {low} to {high}{default}")


def given_sizes(args: argparse.Namespace) -> dict[str, int]:
    """Fields whose options, of those that add_config_args() added, were given."""
    return {name: value for name in LIMITS if (value := getattr(args, name)) is not None}


def config_from_args(args: argparse.Namespace, **preferred: int) -> QCLIFConfig:
    """QCLIFConfig of the options that add_config_args() added.

    Parameters
    ----------
    preferred : values of fields whose option was not given, in the place of the defaults.
    """
    return QCLIFConfig(**(preferred | given_sizes(args)))


def check_protection(protect: str) -> None:
    """Raise a ConfigError where `protect` is none of PROTECTIONS."""
    if protect not in PROTECTIONS:
        raise ConfigError(f"protect is {protect!r}: known are {', '.join(PROTECTIONS)}; choose another --protect")


def add_protect_arg(parser: argparse.ArgumentParser) -> None:
    """Add --protect."""
    texts = "; ".join(f"{name}: {text}" for name, text in PROTECTIONS.items())
    parser.add_argument("--protect", choices=list(PROTECTIONS), default="none",
        help=f"check bits of the core's memories; {texts} (default: %(default)s)")
