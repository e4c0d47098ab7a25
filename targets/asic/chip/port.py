# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The chip's serial line, bit by bit, as a port of the host's link; time on it is simulated time."""

import struct
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from accel.errors import QCLIFError
from targets.tools.process import started

# Clocks that the simulation goes on at a time before somebody is told.
SLICE = 20_000

# Of a port's clock, seconds of simulated time that a host waits at least.
_TICK = 1e-6

_WORD = struct.Struct("<I")
_HEAD = struct.Struct("<4Q")

# Called with the clocks so far.
Clocks = Callable[[int], None]


class ChipPort:
    """A chip in simulation, alive inside a `with` block, and the port of a Link meanwhile.

    Nothing goes on but while somebody waits, so that a run is the same on any machine.

    Parameters
    ----------
    program : of targets.asic.chip.program.
    frequency_hz, baudrate : of the chip.
    flash : file with the content of its SPI flash.
    environment : variables that the program is started with.
    progress : told of the clocks now and then.

    Attributes
    ----------
    clocks, busy_clocks : since the start, and those in which the core computed.
    framing : bytes from the chip with wrong start or stop bits.

    Raises
    ------
    QCLIFError : the program cannot be started, or has ended.
    """
    name = "the simulated chip"

    def __init__(self, program: Path, frequency_hz: float, baudrate: int, flash: Path,
            environment: Mapping[str, str] | None = None, progress: Clocks = lambda clocks: None) -> None:
        self.frequency_hz = frequency_hz
        self.clocks = self.busy_clocks = self.framing = 0
        self._command     = [program, round(frequency_hz), baudrate, flash]
        self._environment = environment
        self._progress    = progress
        self._received    = b""

    def __enter__(self) -> "ChipPort":
        with ExitStack() as stack:
            self._process = stack.enter_context(started(self._command, None, self._environment, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE))
            self._life = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Let the program end, which writes its activity then."""
        self._life.__exit__(kind, *error)
        if kind is None and self._process.returncode:
            raise self._gone()

    def _gone(self) -> QCLIFError:
        return QCLIFError(f"the simulation of the chip has ended (status {self._process.poll()}): see that its program "
            f"{self._command[0]} runs, or remove it")

    # Pads -----------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Pull the reset for some clocks."""
        self._tell(b"r")

    def test(self, level: bool) -> None:
        """Give the UART to the bridge, or take it from there."""
        self._tell(b"t", int(level))

    def phase(self, idle: int, busy: int | None = None) -> None:
        """Number of the activity's phase from now on, and of that in which the core computes; None: the same."""
        self._tell(b"p", idle, idle if busy is None else busy)

    def run(self, clocks: int) -> None:
        """Let it run, whatever comes."""
        end = self.clocks + clocks
        while self.clocks < end:
            self._go_on(end - self.clocks)

    def wait_for(self, byte: bytes, clocks: int) -> bytes:
        """Let it run until a byte comes; all that came before it, with it. b"" where it does not come in time: what
        came then waits to be read."""
        end, came = self.clocks + clocks, b""
        while not came.endswith(byte):
            if self.clocks >= end:
                self._received = came
                return b""
            self._go_on(end - self.clocks)
            came += self.read()
        return came

    # A port of host.link --------------------------------------------------------------------------

    def read(self) -> bytes:
        """Bytes that have come, perhaps none."""
        received, self._received = self._received, b""
        return received

    def write(self, data: bytes) -> None:
        """Send all of `data`, behind what is being sent."""
        self._tell(b"w", len(data), data=data)

    def wait(self, seconds: float) -> None:
        """Let it run until a byte comes, for some seconds of its time at most."""
        end = self.clocks + max(1, round(max(seconds, _TICK)*self.frequency_hz))
        while not self._received and self.clocks < end:
            self._go_on(end - self.clocks)

    def now(self) -> float:
        """Seconds of its time."""
        return self.clocks/self.frequency_hz

    def close(self) -> None:
        """As the link closes a port: the chip lives on until the block ends."""

    # Program --------------------------------------------------------------------------------------

    def _tell(self, letter: bytes, *words: int, data: bytes = b"") -> None:
        try:
            self._process.stdin.write(letter + b"".join(map(_WORD.pack, words)) + data)
        except OSError as error:
            raise self._gone() from error

    def _go_on(self, clocks: int) -> None:
        self._tell(b"g", min(clocks, SLICE))
        try:
            self._process.stdin.flush()
        except OSError as error:
            raise self._gone() from error
        head = self._process.stdout.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise self._gone()
        self.clocks, self.busy_clocks, self.framing, count = _HEAD.unpack(head)
        self._received += self._process.stdout.read(count)
        self._progress(self.clocks)
