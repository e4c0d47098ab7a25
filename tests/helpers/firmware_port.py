# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The firmware, compiled for the host with warnings as errors and undefined behaviour trapped, as a port."""

import ctypes
import functools
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from accel.config import QCLIFConfig
from accel.registers import registers
from firmware import FOLDER
from firmware.header import write_headers
from firmware.protocol import step_answer_bytes
from host.link.port import Faults
from tests.helpers.register_model import RegisterModel

# All of the firmware but what needs the hardware, in whose place buffers are, and what boots it.
LIBRARY = Path(__file__).parent/"firmware_library"
FOLDERS = [FOLDER, *(FOLDER/name for name in ("device", "engine", "link")), LIBRARY]
SOURCES = sorted(source for folder in FOLDERS for source in folder.glob("*.c") if source.name != "main.c")

FLAGS = ["-std=c11", "-O1", "-g", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow",
    "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover",
    # Few enough for tests to get there.
    "-DENCODER_EVENTS_MAX=40"]


@functools.cache
def _build_directory() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="qclif-firmware-")


# As the library's platform.h has it.
ACCEL_BASE = 0x1000


@functools.cache
def compiled(config: QCLIFConfig, with_accel: bool = False) -> Path:
    """The library of a build's firmware, with the CPU engine alone or with the accelerator's, too."""
    directory = Path(_build_directory().name)/f"{abs(hash(config)):x}{with_accel}"
    write_headers(config, directory/"generated")
    library = directory/"firmware.so"
    accel = ["-DLIBRARY_WITH_ACCEL", "-include", LIBRARY/"registers.h"] if with_accel else []
    quoted = [f"-iquote{folder}" for folder in FOLDERS]
    subprocess.run(["gcc", *FLAGS, *accel, f"-I{directory}", *quoted, *SOURCES, "-o", library], check=True)
    return library


class RegisterBus:
    """Accelerators at addresses, each a model, for the library's accesses.

    Attributes
    ----------
    failed : what an access raised; exceptions do not go through C.
    """
    # Behind the table's: LiteX's event manager.
    NAMES = [*(register.name for register in registers(QCLIFConfig())), "ev_status", "ev_pending", "ev_enable"]

    def __init__(self, library: ctypes.CDLL, models: dict[int, RegisterModel]) -> None:
        self.models = models
        self.failed: list[Exception] = []
        get = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_size_t)(lambda address: self._access(address, None))
        put = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.c_uint32)(lambda address, value:
            self._access(address, value) and None)
        self._callbacks = get, put  # Kept alive.
        library.library_registers(get, put)

    def _access(self, address: int, value: int | None) -> int:
        try:
            for base, model in self.models.items():
                number = (address - base)//4
                if 0 <= number < len(self.NAMES):
                    name = self.NAMES[number]
                    read = model.read(name) if value is None else model.write(name, value) or 0
                    model.tick()
                    return read
        except Exception as error:
            self.failed.append(error)
        return 0                                         # Nothing is there.


class FirmwareDevice:
    """The firmware of a build: bytes in, bytes out. One for each build and process, so reset it first.

    With a model of its registers it has the accelerator, too.
    """

    def __init__(self, config: QCLIFConfig, accel: RegisterModel | None = None) -> None:
        self.config   = config
        self._library = ctypes.CDLL(str(compiled(config, accel is not None)))
        self._bus     = accel and RegisterBus(self._library, {ACCEL_BASE: accel})
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
        if self._bus and self._bus.failed:
            raise self._bus.failed[0]
        return sent.raw[:count]


def spikes_put(config: QCLIFConfig, fired: Sequence[int]) -> bytes:
    """What the firmware of a build appends to an answer for a step in which these neurons fired, ascending. It has no
    more room than the bound says."""
    put = ctypes.CDLL(str(compiled(config))).spikes_put
    put.restype, put.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32]
    room    = step_answer_bytes(config)
    guard   = bytes([0xaa]*8)
    answer  = ctypes.create_string_buffer(bytes(room) + guard)
    neurons = (ctypes.c_uint16*len(fired))(*fired)
    length  = put(ctypes.addressof(answer), ctypes.addressof(neurons), len(fired)) - ctypes.addressof(answer)
    assert length <= room and answer.raw[room:room + len(guard)] == guard
    return answer.raw[:length]


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
