# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A firmware that sends back the frames that it receives, and clients of the simulated SoC that it runs on."""

import os
import socket
from pathlib import Path

from firmware.sizes import ROM_BYTES
from host.link.framing import Frame, encode_frame
from soc.builder import make_package, prefer_own_tools, rom_words

ECHO = Path(__file__).resolve().parent/"echo_firmware"


def compiled_rom(software: Path, name: str, sources: Path) -> Path:
    """Memory file, a word a line, of a package that is compiled of `sources` beside headers."""
    prefer_own_tools()
    make_package(software/name, str(sources))
    words = rom_words(software/name/f"{name}.bin", ROM_BYTES, "little")
    (software/"rom.init").write_text("".join(f"{word:08x}\n" for word in words))
    return software/"rom.init"


def echo_firmware(build, software):
    """Memory file of the echo firmware, compiled with the headers of the build in the folder `software`."""
    (software/"include").symlink_to(build.directory/"software"/"include")
    (software/"echo").mkdir()
    os.environ["ECHO_DIRECTORY"] = str(ECHO)
    return compiled_rom(software, "echo", ECHO)


def line_of(data, frame_bytes=500):
    """Bytes of the line that come back as they are: `data` in frames."""
    return b"".join(encode_frame(Frame(1, 0, 0, data[at:at + frame_bytes])) for at in range(0, len(data), frame_bytes))


def connect(soc, receive_buffer=None):
    """A socket to the SoC's UART."""
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect(("127.0.0.1", int(soc.port.rsplit(":", 1)[1])))
    client.settimeout(20)
    return client


def receive(client, count):
    """The next `count` bytes that come, fewer where the line ends."""
    received = bytearray()
    while len(received) < count:
        data = client.recv(count - len(received))
        if not data:
            break
        received += data
    return bytes(received)
