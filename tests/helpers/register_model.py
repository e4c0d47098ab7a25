# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the registers of the accelerator are to do, in Python: for random accesses, and for drivers without gateware.

The model computes a step when it is pushed, from the words that are in its memories. It knows no clocks: whether a step
is in work, whether another one may be pushed and whether a beat has come out is told to it, or, where nobody tells, is
as if a step took `latency` accesses and the output had the build's room.
"""

from collections import deque
from types import SimpleNamespace

import numpy as np

from accel.config import SHIFT_MAX, SPACE_APICAL, SPACE_PARAMETERS, SPACE_SHIFT, SPACE_SOMA, SPACE_STATE, QCLIFConfig
from accel.image import word_address, word_index
from accel.registers import EVENTS, IDENTITY, REGISTER_LAYOUT, SIZES
from tests.helpers.naive_contract import Reference
from tests.helpers.register_bench import BITS

CONTROL, STATUS, PUSH, POP = (BITS[name] for name in ("control", "status", "push", "pop"))
COUNTED = ("steps", "events", "rows", "sops", "spikes", "overflows")


def signed(value: int, bits: int) -> int:
    """Of the lowest bits of a word."""
    value &= 2**bits - 1
    return value - (value >> bits - 1 << bits)


class RegisterModel:
    """The registers of a build.

    Attributes
    ----------
    flags : names of the error flags that are set.
    beats : computed, not yet taken.
    counters, exact : the counters; those of steps that were dropped or cleared while in work are not known.
    timing : (busy, ready, output) of the next access; None: the model's own.
    """
    def __init__(self, config: QCLIFConfig, latency: int = 0) -> None:
        self.config, self.latency = config, latency
        self.sizes  = {SPACE_SOMA: config.soma_words*config.slices, SPACE_APICAL: config.apical_words*config.slices,
            SPACE_PARAMETERS: 2*config.neurons, SPACE_STATE: config.neurons}
        self.memory = {space: [0]*size for space, size in self.sizes.items() if space != SPACE_STATE}
        self.neurons, self.shifts = config.neurons, 6 << 8
        self.space, self.at = SPACE_SOMA, 0
        self.flags:    set[str] = set()
        self.counters: dict[str, int] = dict.fromkeys(COUNTED, 0)
        self.exact = True
        self.ev_enable = self.step_pending = 0
        self.timing:   tuple[int, int, int] | None = (0, 0, 0)
        self.reset()
        self.timing = None

    def reset(self) -> None:
        """What control.reset does."""
        self.exact &= not self.busy
        self.work   = 0  # Accesses until what is pushed is computed.
        self.beats:  deque[int] = deque()
        self.events: list[int]  = []
        self.v_a, self.v_s, self.fired = ([0]*self.config.neurons for _ in range(3))

    # Time ------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """A step is in work."""
        if self.timing is not None:
            return bool(self.timing[0])
        return self.work > 0 or len(self.beats) > self.config.spike_fifo

    @property
    def ready(self) -> bool:
        """A step may be pushed."""
        if self.timing is not None:
            return bool(self.timing[1])
        return sum(beat & POP["last"] > 0 for beat in self.beats) < 2 or not self.busy

    @property
    def output(self) -> bool:
        """A beat has come out."""
        if self.timing is not None:
            return bool(self.timing[2])
        return bool(self.beats) and self.work == 0

    # The network -----------------------------------------------------------------------------------

    def weights(self, space: int, rows: int) -> list[list[int]]:
        """Weights [rows][neurons] as the words of a memory have them."""
        config = self.config

        def weight(row: int, neuron: int) -> int:
            group, lane = divmod(neuron, config.lanes)
            part, place = divmod(lane, config.slice_lanes)
            word = self.memory[space][(group*rows + row)*config.slices + part]
            return signed(word >> place*config.weight_bits, config.weight_bits)
        return [[weight(row, neuron) for neuron in range(self.neurons)] for row in range(rows)]

    def network(self) -> object:
        """The network in the memories, as Reference takes it."""
        config, state, bits = self.config, self.config.state_bits, self.config.weight_bits
        soma, apical = self.weights(SPACE_SOMA, config.soma_rows), self.weights(SPACE_APICAL, config.apical_rows)
        halves = [self.memory[SPACE_PARAMETERS][2*n:2*n + 2] for n in range(self.neurons)]
        arrays = {name: np.array(values, dtype=np.int64) for name, values in {
            "w_sensory": soma[:config.inputs], "w_recurrent_soma": soma[config.inputs:],
            "w_context": apical[:config.contexts], "w_recurrent_apical": apical[config.contexts:],
            "threshold":   [low & 2**state - 1 for low, _ in halves],
            "leak_soma":   [low >> state & 2**state - 1 for low, _ in halves],
            "leak_apical": [high & 2**state - 1 for _, high in halves],
            "bias_soma":   [signed(high >> state, bits) for _, high in halves],
            "bias_apical": [signed(high >> state + bits, bits) for _, high in halves],
        }.items()}
        return SimpleNamespace(arrays=lambda: arrays, neurons=self.neurons, inputs=config.inputs, state_bits=state,
            current_bits=config.current_bits, apical_shift=self.shifts & SHIFT_MAX, product_shift=self.shifts >> 8)

    def compute(self) -> None:
        """A step of the events that were pushed."""
        reference = Reference(self.network())
        reference.v_a, reference.v_s = self.v_a[:self.neurons], self.v_s[:self.neurons]
        reference.spikes = [n for n in range(self.neurons) if self.fired[n]]
        rows = len(self.events) + len(reference.spikes)
        self.counters["rows"] += rows
        self.counters["sops"] += self.neurons*(rows + len(reference.spikes))
        spikes = reference.step(self.events)
        self.v_a[:self.neurons], self.v_s[:self.neurons] = reference.v_a, reference.v_s
        self.fired[:self.neurons] = [n in spikes for n in range(self.neurons)]
        beats = [POP["valid"] | POP["spike"] | n for n in spikes]
        if self.neurons - 1 in spikes:
            beats[-1] |= POP["last"]
        else:
            beats.append(POP["valid"] | POP["last"] | self.neurons - 1)
        self.beats += beats
        self.counters["steps"]  += 1
        self.counters["spikes"] += len(spikes)
        self.events, self.work, self.step_pending = [], self.work + self.latency, 1

    # Accesses --------------------------------------------------------------------------------------

    def read(self, name: str) -> int:
        """What reading shows; of a counter or the clock that only the gateware knows, 0."""
        if name == "data":
            return self.word()
        return {
            "version":    IDENTITY << 16 | REGISTER_LAYOUT,
            "status":     self.ready*STATUS["ready"] | self.busy*STATUS["busy"] | self.output*STATUS["output"],
            "errors":     sum(BITS["errors"][flag] for flag in self.flags),
            "pop":        self.beats[0] if self.output else 0,
            "address":    self.space << SPACE_SHIFT | self.at,
            "neurons":    self.neurons,
            "shifts":     self.shifts,
            "ev_enable":  self.ev_enable,
            "ev_pending": sum(1 << bit for bit, event in enumerate(EVENTS) if {"output": self.output,
                "step": self.step_pending and not self.busy, "error": bool(self.flags)}[event]),
            **{f"size_{size}": getattr(self.config, size) for size in SIZES},
            **{f"counter_{counter}": value for counter, value in self.counters.items()},
        }.get(name, 0)

    def tick(self) -> None:
        """After an access: steps go on, where nobody tells of them."""
        self.work = max(0, self.work - 1)

    def inside(self, space: int, at: int) -> bool:
        """Whether there is a word."""
        index = word_index(space, at, self.config) if space in self.sizes else 0
        return space in self.sizes and index < self.sizes[space] and word_address(space, index, self.config) == at

    def word(self) -> int:
        """What `data` shows."""
        if not self.inside(self.space, self.at):
            return 0
        if self.space != SPACE_STATE:
            return self.memory[self.space][word_index(self.space, self.at, self.config)]
        if self.at >= self.neurons:
            return 0
        if self.busy:
            self.flags.add("busy")
            return 0
        return self.v_a[self.at] | self.v_s[self.at] << 16

    def write(self, name: str, value: int) -> None:
        """What a write does."""
        handler = getattr(self, f"write_{name}", None)
        if handler is None:
            self.flags.add("read_only")
        elif name in ("address", "data", "neurons", "shifts") and self.busy:
            self.flags.add("busy")
        else:
            handler(value)

    def write_control(self, value: int) -> None:
        busy = self.busy
        if value & CONTROL["clear_errors"]:
            self.flags.clear()
        if value & CONTROL["clear_counters"]:
            self.counters = dict.fromkeys(COUNTED, 0)
            self.exact    = not busy
        if value & ~sum(CONTROL.values()):
            self.flags.add("reserved")
        if value & CONTROL["next_word"]:
            if busy:
                self.flags.add("busy")
            elif not self.inside(self.space, self.at):
                self.flags.add("address")
            else:
                self.advance()
        if value & CONTROL["reset"]:
            self.reset()
            self.exact |= value & CONTROL["clear_counters"] > 0

    def advance(self) -> None:
        """To the next word."""
        self.at = word_address(self.space, word_index(self.space, self.at, self.config) + 1, self.config)

    def write_address(self, value: int) -> None:
        space, at = value >> SPACE_SHIFT, value & 2**SPACE_SHIFT - 1
        if self.inside(space, at):
            self.space, self.at = space, at
        else:
            self.flags.add("address")

    def write_data(self, value: int) -> None:
        if not self.inside(self.space, self.at):
            self.flags.add("address")
        elif self.space == SPACE_STATE:
            self.flags.add("read_only")
        else:
            config, state, weight = self.config, self.config.state_bits, self.config.weight_bits
            index = word_index(self.space, self.at, config)
            first = index % config.slices*config.slice_lanes
            bits  = (state + 2*weight if index % 2 else 2*state) if self.space == SPACE_PARAMETERS else \
                min(config.slice_lanes, config.word_lanes - first)*weight
            if value >> bits:
                self.flags.add("reserved")
            self.memory[self.space][index] = value & 2**bits - 1
            self.advance()

    def write_neurons(self, value: int) -> None:
        self.neurons = min(max(value, 1), self.config.neurons)
        if self.neurons != value:
            self.flags.add("neurons")
        self.reset()

    def write_shifts(self, value: int) -> None:
        self.shifts = value & (SHIFT_MAX | SHIFT_MAX << 8)
        if self.shifts != value:
            self.flags.add("reserved")

    def write_push(self, value: int) -> None:
        if not self.ready:
            self.flags.add("push")
            self.counters["overflows"] += 1
            return
        if value & ~sum(PUSH.values()):
            self.flags.add("reserved")
        source = value & PUSH["source"]
        if value & PUSH["event"]:
            lost = "unknown" if source >= self.config.sources else \
                "full" if len(self.events) == self.config.step_events else None
            if lost:
                self.flags.add(lost)
                self.counters["overflows"] += 1
            else:
                self.events.append(source)
                self.counters["events"] += 1
        if value & PUSH["last"]:
            self.compute()

    def write_pop(self, value: int) -> None:
        if self.output:
            self.beats.popleft()
        else:
            self.flags.add("pop")

    def write_ev_enable(self, value: int) -> None:
        self.ev_enable = value & 2**len(EVENTS) - 1

    def write_ev_pending(self, value: int) -> None:
        if value & 1 << [*EVENTS].index("step"):
            self.step_pending = 0
