# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A chip whose flash has no image takes one over its UART: the host's side."""

from accel.errors import QCLIFError
from firmware.boot_image import STARTING, WAITING, unpack_image
from host.common.console import Progress, no_progress
from host.link.port import SerialPort

# Attempts: one that was cut short takes the first ones for its rest.
TRIES = 3

# Bits of a byte on the line, with its start and stop bits, and bytes that are told of at a time.
_BYTE_BITS = 10
_PIECE     = 512


def boot(port: SerialPort, baudrate: int, image: bytes, progress: Progress = no_progress, patience: float = 1.0
        ) -> None:
    """Send an image until the chip begins with it.

    Parameters
    ----------
    port : open, of the chip's UART.
    baudrate : of the line, bits a second.
    image : of firmware.boot_image.pack_image().
    progress : is told of the stage "image", in bytes.
    patience : seconds to wait for the answer behind the last bit.

    Raises
    ------
    QCLIFError : it is no image, the chip refuses it or says nothing, or something else answers.
    """
    unpack_image(image)
    port.read()
    came = b""
    for _ in range(TRIES):
        sent = port.now() + len(image)*_BYTE_BITS/baudrate
        for at in range(0, len(image), _PIECE):
            progress("image", at, len(image))
            port.write(image[at:at + _PIECE])
        answers = _answers(port, sent, sent + patience)
        said    = answers.lstrip(WAITING)
        if said.startswith(STARTING):
            progress("image", len(image), len(image))
            return
        if said:
            raise QCLIFError(f"port {port.name}: something else than a chip's loader answers, perhaps the firmware: "
                "reset the chip, with an empty flash")
        came += answers
    if came:
        raise QCLIFError(f"port {port.name}: the chip has refused the image {TRIES} times: see that it is made for "
            "this chip, whose RAM may be smaller, and that the line damages no bytes")
    raise QCLIFError(f"port {port.name}: no loader answers: see that port and baud rate are right, that the chip was "
        "reset, and that its flash is empty")


def _answers(port: SerialPort, sent: float, end: float) -> bytes:
    """What the chip says until it has said all, or until the end; before all is sent, perhaps of an earlier image."""
    came = b""
    while not came.lstrip(WAITING) and (now := port.now()) < end:
        if came and now >= sent:
            break
        port.wait((sent if came else end) - now)
        came += port.read()
    return came
