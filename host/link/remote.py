# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The accelerator behind one of LiteX's bridges: in a SoC of any firmware, or without a CPU.

What it takes is a client that reads and writes registers, as LiteX's RemoteClient, to a litex_server of any kind (UART,
JTAG, Ethernet, PCIe). Each access is a way there and back: it is to load a network and to see that it computes the same
integers, not to stream.
"""

import time
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from accel.config import CORE_COUNTERS, LIMITS, SPACE_SHIFT, SPACE_STATE, QCLIFConfig
from accel.errors import QCLIFError
from accel.image import image
from accel.registers import IDENTITY, REGISTER_LAYOUT, SIZES, registers
from host.common.console import Progress, no_progress
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.sample_exchange import SampleRun
from host.network.network import Network

# Order, fields and bits are those of any build.
_TABLE  = registers(QCLIFConfig())
_OFFSET = {register.name: 4*index for index, register in enumerate(_TABLE)}
_BITS   = {f"{register.name}.{field.name}": field for register in _TABLE for field in register.fields}

# Reads of the same registers until one is answered.
READ_TRIES = 3

_VERSION = IDENTITY << 16 | REGISTER_LAYOUT

# Registers that are read at once. In each is one that is never 0: a client may give zeros where no answer came.
_OPERATION = ("version", "pop")
_MEMORY    = ("address", "neurons")
_COUNTERS  = ("neurons", "counter_overflows")
_SIZES     = (f"size_{SIZES[0]}", f"size_{SIZES[-1]}")


class Client(Protocol):
    """What reads and writes registers: LiteX's RemoteClient and its Comm classes."""

    def read(self, addr: int, length: int) -> list[int]:
        """Words of consecutive addresses."""

    def write(self, addr: int, datas: int) -> None:
        """Write a word."""


class RemoteAccelerator:
    """The accelerator at an address that a client reaches; idle and without flags when it is made.

    Parameters
    ----------
    client : an open one.
    base : address of the accelerator's registers: `client.bases.qclif`, or `csr_base,qclif` of the SoC's csr.csv.
    patience : seconds that it may take over what it does.

    Attributes
    ----------
    config : the build, as its registers tell; what is the link's or the readout's is as large as it can be.

    Raises
    ------
    QCLIFError : no accelerator is there, or one of other registers.

    Examples
    --------
    >>> with_server = RemoteClient(csr_csv="csr.csv")
    >>> with_server.open()
    >>> accelerator = RemoteAccelerator(with_server, with_server.bases.qclif)
    >>> accelerator.load(network)
    >>> accelerator.run(sample).spikes
    """

    def __init__(self, client: Client, base: int, patience: float = 5.0) -> None:
        self._client   = client
        self._base     = base
        self._patience = patience
        self._network: Network | None = None
        self._state()
        sizes = self._read(*_SIZES)
        self.config = QCLIFConfig(**{name: sizes[f"size_{name}"] for name in SIZES}, outputs=LIMITS["outputs"][1])
        self.reset()

    # Registers ------------------------------------------------------------------------------------

    def _read(self, first: str, last: str) -> dict[str, int]:
        """Registers from one to another by name."""
        names = list(_OFFSET)[_OFFSET[first]//4:_OFFSET[last]//4 + 1]
        # LiteX's client gives zeros where an answer is late. Reads change nothing: they can be repeated.
        for _ in range(READ_TRIES):
            values = dict(zip(names, self._client.read(self._base + _OFFSET[first], len(names)), strict=True))
            silent = 0 in (values.get("neurons"), values.get(_SIZES[0]))
            if not silent:
                break
        if values.get("version", _VERSION) != _VERSION:
            raise QCLIFError(f"at {self._base:#x} is {values['version']:#010x}, an accelerator of register layout "
                f"{REGISTER_LAYOUT} is {_VERSION:#010x}: see that the bridge answers, and that the address is that of "
                "csr_base,qclif in the SoC's csr.csv")
        if silent:
            raise QCLIFError(f"no answer from the accelerator at {self._base:#x}: see that litex_server reaches the "
                "SoC")
        return values

    def _write(self, name: str, value: int) -> None:
        self._client.write(self._base + _OFFSET[name], int(value))

    def _control(self, *commands: str) -> None:
        self._write("control", sum(_BITS[f"control.{command}"].mask for command in commands))

    def _state(self) -> dict[str, int]:
        """Status, errors and the oldest beat."""
        return self._read(*_OPERATION)

    def reset(self) -> None:
        """Drop whatever is in work: states, flags and counters become 0, the network stays."""
        self._control("reset", "clear_errors", "clear_counters")
        self._state()

    def errors(self) -> tuple[str, ...]:
        """Names of the flags that are set, as the register document explains them."""
        value = self._state()["errors"]
        return tuple(name.split(".")[1] for name, field in _BITS.items() if name.startswith("errors.") and
            value & field.mask)

    def check(self) -> None:
        """Raise a QCLIFError where an access was refused or an event dropped."""
        if errors := self.errors():
            raise QCLIFError(f"the accelerator at {self._base:#x} has set {', '.join(errors)} in its register errors: "
                "see that nobody else uses it")

    def counters(self) -> dict[str, int]:
        """Counters since the last reset() by name, and `clock`, the clock counter, which is free-running."""
        values = self._read(*_COUNTERS)
        return {**{name: values[f"counter_{name}"] for name in CORE_COUNTERS}, "clock": values["clock"]}

    # Memory ---------------------------------------------------------------------------------------

    def write_words(self, space: int, address: int, words: np.ndarray) -> None:
        """Store consecutive words of a memory, while no step is in work."""
        self._write("address", space << SPACE_SHIFT | address)
        for word in words.tolist():
            self._write("data", word)

    def read_words(self, space: int, address: int, count: int) -> np.ndarray:
        """Consecutive words uint32 [count] of a memory, while no step is in work."""
        self._write("address", space << SPACE_SHIFT | address)
        words = np.zeros(count, np.uint32)
        for index in range(count):
            words[index] = self._read(*_MEMORY)["data"]
            self._control("next_word")
        return words

    def load(self, network: Network, progress: Progress = no_progress) -> None:
        """Write a network and read it back.

        Raises
        ------
        QCLIFError : it does not fit, or the memory does not hold what is written.
        """
        network.check_fits(self.config)
        self._network = None
        self.reset()
        chunks = image(network, self.config)
        total  = sum(len(words) for _, _, words in chunks)
        done   = 0
        for space, address, words in chunks:
            self.write_words(space, address, words)
            if not np.array_equal(self.read_words(space, address, len(words)), words):
                raise QCLIFError(f"memory {space} of the accelerator at {self._base:#x} does not hold what is written "
                    f"from address {address} on: the build is faulty, or somebody else writes there")
            done += len(words)
            progress("network", done, total)
        self._write("neurons", network.neurons)
        self._write("shifts", network.apical_shift << _BITS["shifts.apical"].offset |
            network.product_shift << _BITS["shifts.product"].offset)
        self.check()
        self._network = network

    # Steps ----------------------------------------------------------------------------------------

    def push(self, sources: np.ndarray) -> None:
        """Begin a step with these sources of the build, ascending or not; wait until there is room for it."""
        self._wait("ready")
        event, last = (_BITS[f"push.{name}"].mask for name in ("event", "last"))
        words = [int(source) | event for source in sources] or [0]
        for word in [*words[:-1], words[-1] | last]:
            self._write("push", word)

    def pop(self) -> np.ndarray:
        """Spikes int32 [n], ascending, of the oldest step that was pushed; wait until it is computed."""
        neuron, spike, last = (_BITS[f"pop.{name}"].mask for name in ("neuron", "spike", "last"))
        spikes, beat = [], 0
        while not beat & last:
            beat = self._wait("output")["pop"]
            self._write("pop", 0)
            if beat & spike:
                spikes.append(beat & neuron)
        return np.array(spikes, np.int32)

    def _wait(self, flag: str, value: bool = True) -> dict[str, int]:
        """Registers of _state() once the flag of status is set, or is not."""
        mask     = _BITS[f"status.{flag}"].mask
        deadline = time.monotonic() + self._patience
        while True:
            state = self._state()
            if bool(state["status"] & mask) == value:
                return state
            if time.monotonic() > deadline:
                raise QCLIFError(f"status.{flag} of the accelerator at {self._base:#x} is not {int(value)} after "
                    f"{self._patience:g} s (status {state['status']:#x}, errors {state['errors']:#x}): the SoC has no "
                    "clock, or somebody else uses it")

    def states(self) -> tuple[np.ndarray, np.ndarray]:
        """V_a and V_s, int32 [neurons of the network] each, when no step is in work any more."""
        self._wait("busy", False)
        words = self.read_words(SPACE_STATE, 0, self._loaded().neurons)
        return (words & 0xffff).astype(np.int32), (words >> 16).astype(np.int32)

    def run(self, sample: Sample, lockstep: bool = False) -> SampleRun:
        """Run an encoded sample on the loaded network, from V_a = V_s = 0.

        Parameters
        ----------
        lockstep : read V_a and V_s after each step, not only after the last.

        Raises
        ------
        QCLIFError : no network is loaded, an answer does not come, or a flag was set.
        """
        network = self._loaded()
        self.reset()
        before = self.counters()["clock"]
        spikes, states = [], []
        for t, sources in enumerate(self._steps(sample.steps)):
            self.push(sources)
            spikes.append(self.pop())
            if lockstep or t == len(sample.steps) - 1:
                states.append(self.states())
        counters = self.counters()
        clocks   = (counters.pop("clock") - before) % 2**32
        self.check()
        fired  = SpikeTrain.from_lists(spikes)
        counts = np.bincount(fired.sources, minlength=network.neurons)
        logits = np.zeros(0) if network.readout is None else counts @ network.readout
        v_a, v_s = (np.array([pair[half] for pair in states], np.int32).reshape(-1, network.neurons)
            for half in (0, 1))
        return SampleRun(fired, sample.steps, logits.astype(np.int32),
            {**counters, "soc_clocks": clocks}, v_a, v_s)

    def _loaded(self) -> Network:
        if self._network is None:
            raise QCLIFError("no network is loaded: call load() before run()")
        return self._network

    def _steps(self, steps: SpikeTrain) -> Iterator[np.ndarray]:
        """Sources of each step, contexts in the build's numbers."""
        inputs = self._loaded().inputs
        for t in range(len(steps)):
            sources = steps.step(t)
            yield np.where(sources < inputs, sources, sources - inputs + self.config.inputs)
