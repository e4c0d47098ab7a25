# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The firmware, compiled for the host with warnings as errors and undefined behaviour trapped, as a port."""

import ctypes
import functools
import subprocess
import tempfile
from pathlib import Path

from accel.config import QCLIFConfig
from firmware import FOLDER
from firmware.header import write_headers
from host.link.port import Faults

# All of the firmware but what needs the hardware, in whose place buffers are.
FOLDERS = [*(FOLDER/name for name in ("device", "engine", "link")), Path(__file__).parent/"firmware_library"]
SOURCES = [FOLDER/"qclif.c", *sorted(source for folder in FOLDERS for source in folder.glob("*.c"))]

FLAGS = ["-std=c11", "-O1", "-g", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow",
    "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover"]


@functools.cache
def _build_directory() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="qclif-firmware-")


@functools.cache
def _compiled(config: QCLIFConfig) -> Path:
    directory = Path(_build_directory().name)/f"{abs(hash(config)):x}"
    write_headers(config, directory/"generated")
    library = directory/"firmware.so"
    subprocess.run(["gcc", *FLAGS, f"-I{directory}", *(f"-iquote{folder}" for folder in (FOLDER, *FOLDERS)), *SOURCES,
        "-o", library], check=True)
    return library


class FirmwareDevice:
    """The firmware of a build: bytes in, bytes out. One for each build and process, so reset it first."""

    def __init__(self, config: QCLIFConfig) -> None:
        self.config   = config
        self._library = ctypes.CDLL(str(_compiled(config)))
        self._library.library_exchange.restype  = ctypes.c_size_t
        self._library.library_exchange.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
        self.reset()

    def reset(self) -> None:
        self._library.library_reset()

    def exchange(self, received: bytes) -> bytes:
        """What it sends when it receives that."""
        # A request of a few bytes can bring a full frame again.
        sent = ctypes.create_string_buffer(4*self.config.frame_bytes + len(received)*self.config.frame_bytes//4)
        count = self._library.library_exchange(received, len(received), sent, len(sent))
        return sent.raw[:count]


class FirmwarePort:
    """A port with the firmware at its other end, in a time that goes on only while somebody waits.

    Bytes are delivered when the host waits or reads, `latency` seconds after they were written.
    """
    name = "firmware"

    def __init__(self, device: FirmwareDevice, faults: Faults | None = None, latency: float = 0.001) -> None:
        self.device  = device
        self.faults  = faults or Faults()
        self.latency = latency
        self.closed  = False
        self._now    = 0.0
        self._to_device: list[tuple[float, bytes]] = []
        self._to_host:   list[tuple[float, bytes]] = []

    def write(self, data: bytes) -> None:
        self._to_device.append((self._now + self.latency, self.faults.damage(data)))

    def _deliver(self) -> None:
        while self._to_device and self._to_device[0][0] <= self._now:
            _, data = self._to_device.pop(0)
            self._to_host.append((self._now + self.latency, self.faults.damage(self.device.exchange(data))))

    def read(self) -> bytes:
        self._deliver()
        ready = b"".join(data for time, data in self._to_host if time <= self._now)
        self._to_host = [item for item in self._to_host if item[0] > self._now]
        return ready

    def wait(self, seconds: float) -> None:
        end = self._now + seconds
        # To the next thing that happens; what the device sends then comes later still.
        times = [time for time, data in self._to_device + self._to_host if time > self._now]
        self._now = min([end, *times])
        self._deliver()

    def now(self) -> float:
        return self._now

    def close(self) -> None:
        self.closed = True
