# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The byte line to the device: anything that pyserial opens, without blocking."""

import io
import random
import select
import time
from dataclasses import dataclass, field

import serial

from accel.errors import QCLIFError, check_integer

# What pyserial opens and a SoC can be behind, as the help of commands names it.
PORTS = ("/dev/ttyUSB0, /dev/pts/3, socket://HOST:PORT, rfc2217://HOST:PORT, hwgrep://TEXT (the first port whose "
    "description holds it), spy:///dev/ttyUSB0 (shows all bytes), alt:///dev/ttyUSB0?class=VTIMESerial")

# What the system's settings of a line can hold; 0 would hang up.
_BAUDRATE_MAX = 2**31 - 1

# A line that takes no bytes for this long has nobody at its other end.
_WRITE_SECONDS = 10
# pyserial's RFC 2217 refuses a write timeout, and ends a write that waits for longer than its own 5 s.
_NO_WRITE_TIMEOUT = "rfc2217://"
# Where a port cannot be waited for (rfc2217://, loop://).
_POLL_SECONDS  = 0.001
_READ_BYTES    = 65536


class SerialPort:
    """The line, as a Link needs it.

    Parameters
    ----------
    name : what `serial.serial_for_url` opens, as PORTS.
    baudrate : bits a second; lines without one ignore it.

    Raises
    ------
    QCLIFError : the port cannot be opened, or has no such baud rate.
    """

    def __init__(self, name: str, baudrate: int) -> None:
        self.name = name
        check_integer("baudrate", baudrate, 1, _BAUDRATE_MAX)
        write_timeout = None if name.lower().startswith(_NO_WRITE_TIMEOUT) else _WRITE_SECONDS
        try:
            self._serial = serial.serial_for_url(name, baudrate=baudrate, timeout=0, write_timeout=write_timeout)
        except Exception as error:
            # Each kind of URL raises what its module does: of re, struct, termios ...
            raise QCLIFError(f"cannot open port {name} at {baudrate} baud ({' '.join(str(error).split())}): name one "
                f"that exists, as {PORTS}; and see that no other program holds it") from error
        try:
            self._fileno = self._serial.fileno()
        except (AttributeError, io.UnsupportedOperation):
            self._fileno = None

    def _gone(self, error: Exception) -> QCLIFError:
        return QCLIFError(f"port {self.name} failed or was closed in mid-run ({' '.join(str(error).split())}): see "
            "that the board or the simulator is still up, then start again")

    def read(self) -> bytes:
        """Bytes that are there, perhaps none. Raises QCLIFError when the line is gone."""
        try:
            data = self._serial.read(_READ_BYTES)
            # rfc2217:// gives a byte at a time.
            while self._fileno is None and len(data) < _READ_BYTES and (more := self._serial.read(_READ_BYTES)):
                data += more
        except Exception as error:
            # Beside OSError, TypeError where another thread closed it, and what is wrong in some of pyserial's kinds.
            raise self._gone(error) from error
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`. Raises QCLIFError when the line is gone."""
        try:
            self._serial.write(data)
        except Exception as error:
            raise self._gone(error) from error

    def wait(self, seconds: float) -> None:
        """Return when there may be bytes, at the latest after `seconds`."""
        if self._fileno is None:
            time.sleep(min(seconds, _POLL_SECONDS))
        else:
            select.select([self._fileno], [], [], max(0.0, seconds))

    def now(self) -> float:
        """Seconds of a clock that goes on while wait() waits."""
        return time.monotonic()

    def close(self) -> None:
        """Give the line back; harmless when it is closed."""
        self._serial.close()

# Damage on purpose, to see that the link loses nothing --------------------------------------------

@dataclass
class Faults:
    """Damage of a line, as probabilities a byte; both directions alike.

    Attributes: `flip` inverts a bit, `drop` loses the byte, `duplicate` doubles it, `insert` puts a random one
    before it, `truncate` loses it and all that is left of its burst; `seed` makes a run repeatable.

    Raises
    ------
    QCLIFError : a probability is not one.
    """
    flip:      float = 0
    drop:      float = 0
    duplicate: float = 0
    insert:    float = 0
    truncate:  float = 0
    seed:      int   = 0
    source:    random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("flip", "drop", "duplicate", "insert", "truncate"):
            if not 0 <= (value := getattr(self, name)) < 1:
                raise QCLIFError(f"{name} rate of the line is {value}: a probability from 0 to below 1 is needed")
        self.source = random.Random(self.seed)

    def damage(self, data: bytes) -> bytes:
        """The bytes that arrive where `data` was sent."""
        damaged = bytearray()
        chance  = self.source.random
        for byte in data:
            if chance() < self.truncate:
                break
            if chance() < self.flip:
                byte ^= 1 << self.source.randrange(8)
            if chance() < self.insert:
                damaged.append(self.source.randrange(256))
            if chance() >= self.drop:
                damaged += bytes([byte])*(2 if chance() < self.duplicate else 1)
        return bytes(damaged)


class FaultyPort:
    """A port whose line damages what goes over it."""
    def __init__(self, port: SerialPort, faults: Faults) -> None:
        self.name    = port.name
        self._port   = port
        self._faults = faults
        self.wait, self.now, self.close = port.wait, port.now, port.close

    def read(self) -> bytes:
        """Bytes that are there, damaged."""
        return self._faults.damage(self._port.read())

    def write(self, data: bytes) -> None:
        """Send what is left of `data`."""
        self._port.write(self._faults.damage(data))
