# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Cameras of iniVation and Prophesee at a USB port, through neuromorphic-drivers.

The package is the one with which faery reads cameras (its events_stream_from_camera). It is called here directly, since
faery's stream waits for a camera without an end, takes any that it finds, and says nothing of packets that were lost.

Never seen on hardware: with what delay packets of a nearly silent camera come, hence whether GRACE_S suits it; whether
a camera that is unplugged makes the iterator raise or end; and what its list says where rights are missing. All else,
from the packets on, is tested with the package's own objects.
"""

import importlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.live.sources.source import DROP, Piece, check_sensor
from host.live.sources.wire import Inside

PACKAGE = "neuromorphic_drivers"

# Seconds after which a reader looks whether it is to end.
POLL_S = 0.1

# Makers that may stand after "camera:", as the package's names of cameras begin.
MAKERS = {"inivation": "iniVation", "prophesee": "Prophesee", "centuryarks": "CenturyArks", "lucid": "Lucid"}

RIGHTS = "plug it in, and let neuromorphic-drivers-install-udev-rules give you the right to use it"


class CameraSource:
    """The events of a camera, as they come.

    Parameters
    ----------
    text : camera, for the first one that is found; camera:MAKER with one of MAKERS; camera:SERIAL.
    encoder : of the network, whose sensor the camera's must be.
    note : called with each line that a user should know.
    driver : the package neuromorphic_drivers; None imports it.

    Raises
    ------
    QCLIFError : the package is missing; no such camera; it cannot be opened; it has another sensor than the network.
    """
    recorded = False
    waits    = False
    late     = DROP
    speed    = 1.0

    def __init__(self, text: str, encoder: Encoder, note: Callable[[str], None],
            driver: ModuleType | None = None) -> None:
        driver = driver or _package(text)
        device = _found(text, driver)
        size   = driver.name_to_properties(device.name)
        self.name        = device.name.value + (f", {device.serial}" if device.serial else "")
        self.sensor_size = (size.width, size.height)
        self.counts: dict[str, int] = {"lost": 0}
        check_sensor(f"{text}: {self.name}", self.sensor_size, encoder.sensor_size)
        self._note   = note
        self._inside = Inside(self.sensor_size, self.name, self.counts, note)
        self._closed = False
        self._read   = False
        try:
            self._device = driver.open(serial=device.serial, iterator_timeout=POLL_S)
        except Exception as error:
            raise QCLIFError(f"{text}: {self.name} cannot be opened ({_line(error)}): {RIGHTS}, and end other programs "
                "that use it") from error

    def pieces(self) -> Iterator[Piece | None]:
        # Who reads closes it: the package takes no calls from another thread meanwhile.
        self._read = True
        with self._device as device:
            packets = iter(device)
            while not self._closed:
                try:
                    _, packet = next(packets)
                except StopIteration:
                    break
                except Exception as error:
                    raise QCLIFError(f"{self.name}: it does not answer ({_line(error)}): plug it in again, and start "
                        "again") from error
                yield None if packet is None or packet.polarity_events is None else Piece(self._events(packet))

    def close(self) -> None:
        self._closed = True
        if not self._read:
            self._device.close()

    def _events(self, packet: Any) -> np.ndarray:
        """Events of a packet; what the package lost before them is counted."""
        overflows = packet.polarity_events_overflow_indices
        if overflows is not None and len(overflows):
            if not self.counts["lost"]:
                self._note(f"{self.name}: packets were lost, since they came faster than they were read; how often is "
                    "counted")
            self.counts["lost"] += len(overflows)
        found  = packet.polarity_events
        events = np.empty(len(found), EVENT)
        for ours, theirs in zip(("t", "x", "y", "p"), ("t", "x", "y", "on"), strict=True):
            events[ours] = found[theirs]
        return self._inside.of(events)


def _package(text: str) -> ModuleType:
    try:
        return importlib.import_module(PACKAGE)
    except ImportError as error:
        raise QCLIFError(f"--source {text}: the package neuromorphic-drivers is missing ({_line(error)}): pip install "
            "-e '.[camera]'") from error


def _found(text: str, driver: ModuleType) -> Any:
    """The camera that a text names."""
    _, _, wanted = text.partition(":")
    maker = MAKERS.get(wanted.lower())
    try:
        listed = driver.list_devices()
    except Exception as error:
        raise QCLIFError(f"{text}: no camera can be looked for, the USB ports cannot be read ({_line(error)}): is this "
            "a machine with USB, and have you the right to read /sys/bus/usb?") from error
    chosen = [each for each in listed if not wanted or each.serial == wanted or
        (maker and each.name.value.startswith(maker))]
    if not chosen:
        kinds = [name.value for name in driver.Name if name.value.startswith(maker or "")]
        known = f"the serial number {wanted} (makers are {', '.join(MAKERS)})" if wanted and not maker else \
            ", ".join(kinds)
        seen  = ", ".join(each.name.value for each in listed) or "none"
        raise QCLIFError(f"{text}: no such camera: looked at the USB ports for {known}, found {seen}: {RIGHTS}")
    usable = [each for each in chosen if each.error is None]
    if not usable:
        raise QCLIFError(f"{text}: {chosen[0].name.value} cannot be used ({chosen[0].error}): {RIGHTS}")
    return usable[0]


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
