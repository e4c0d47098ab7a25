# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Where a live run's device is: a simulated SoC of one's own, or a port; opened as often as it has to be."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from accel.config import QCLIFConfig
from host.link.device import Device
from host.link.link import Link
from host.link.port import Faults, FaultyPort, SerialPort
from host.link.session import Session
from host.link.simulated import simulated_port
from host.network.network import Network


@dataclass(frozen=True)
class Connection:
    """How to reach the device, and what runs there.

    Parameters
    ----------
    network : is loaded where the device does not have it yet.
    config : of the simulated SoC that is started where no port is given.
    port, baudrate : of a SoC that is up, as SerialPort takes them.
    engine : "accel" or "cpu", which computes.
    encode : "host" or "device", which makes inputs of the events.
    decay : of the windowed readout.
    faults : damage of the line on purpose; None: none.
    """
    network:  Network
    config:   QCLIFConfig
    port:     str | None = None
    baudrate: int = 0
    engine:   str = "accel"
    encode:   str = "host"
    decay:    int = 0
    faults:   Faults | None = None

    @contextmanager
    def open(self) -> Iterator[Session]:
        """The device with the network, from reset; a simulated SoC ends with the block.

        Raises
        ------
        QCLIFError : the SoC cannot be built, started or reached, or the network does not fit.
        """
        with ExitStack() as stack:
            port = self.port or stack.enter_context(simulated_port(self.config))
            line = SerialPort(port, self.baudrate)
            link = stack.enter_context(Link(FaultyPort(line, self.faults) if self.faults else line))
            yield stack.enter_context(Session(Device(link), self.network, self.decay, self.engine, self.encode))

    @property
    def name(self) -> str:
        """What viewers read."""
        return self.port or "simulated SoC"
