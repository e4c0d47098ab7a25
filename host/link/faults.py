# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A line that damages bytes on purpose, to see that the link loses nothing."""

import random
from dataclasses import dataclass, field

from accel.errors import QCLIFError
from host.link.port import Port


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
    """A port whose line damages what goes over it.

    Parameters
    ----------
    port : the sound line.
    faults : damage of the line, alike in both directions.
    """
    def __init__(self, port: Port, faults: Faults) -> None:
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
