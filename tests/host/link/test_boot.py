# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The host's side of a boot over the UART, on a model of the loader; tests/targets/asic/chip has the real one."""

import zlib

import pytest

from accel.errors import EXIT_ERROR, QCLIFError
from firmware.boot_image import MAGIC, STARTING, WAITING, pack_image
from host import boot as command
from host.link.boot import TRIES, boot
from tests.helpers.commands import call

IMAGE = pack_image(bytes(range(256))*8)

BAUDRATE = 1000


class LoaderPort:
    """A port with a loader at its other end, whose RAM has room for `size` bytes; time goes on while somebody waits.

    Parameters
    ----------
    left : bytes of an earlier image that did not come.
    damaged : bytes of the line that come wrong, counted from 0.
    chatter : what the chip says in place of an answer.
    """
    name = "loader"

    def __init__(self, size: int = 4096, left: int = 0, damaged: tuple[int, ...] = (), chatter: bytes | None = None):
        self.size, self.left, self.damaged, self.chatter = size, left, damaged, chatter
        self.time, self.came, self.out, self.count = 0.0, b"", b"", 0

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds

    def read(self) -> bytes:
        out, self.out = self.out, b""
        return out

    def write(self, data: bytes) -> None:
        for byte in data:
            self.came  += bytes([byte ^ (self.count in self.damaged)])
            self.count += 1
            if self.chatter is not None:
                self.out = self.chatter
            elif self.left:
                self.left -= 1
                if not self.left:
                    self._answer(WAITING)
            else:
                self._take()

    def _take(self) -> None:
        at = self.came.find(MAGIC)
        if at < 0 or len(self.came) < at + 8:
            return
        body   = self.came[at + 4:]
        length = int.from_bytes(body[:4], "little")
        if not length or length > self.size or length % 4:
            self._answer(WAITING)
        elif len(body) == length + 8:
            right = zlib.crc32(body[:-4]) == int.from_bytes(body[-4:], "little")
            self._answer(STARTING if right else WAITING)

    def _answer(self, byte: bytes) -> None:
        self.out += byte
        self.came = b""


def test_an_image_is_taken_at_once():
    port, told = LoaderPort(), []
    boot(port, BAUDRATE, IMAGE, lambda *progress: told.append(progress))
    assert port.count == len(IMAGE)
    assert {stage for stage, *_ in told} == {"image"} and told[-1] == ("image", len(IMAGE), len(IMAGE))


@pytest.mark.parametrize("left", (1, 100, len(IMAGE) - 1, len(IMAGE)))
def test_an_image_behind_one_that_was_cut_short(left):
    port = LoaderPort(left=left)
    boot(port, BAUDRATE, IMAGE)
    assert port.count == 2*len(IMAGE)


@pytest.mark.parametrize("damaged", [(0,), (5,), (6, ), (1000,), (len(IMAGE) - 1,), (1000, len(IMAGE) + 1000)])
def test_damaged_bytes(damaged):
    port = LoaderPort(damaged=damaged)
    boot(port, BAUDRATE, IMAGE)
    assert port.count <= TRIES*len(IMAGE)


def test_what_cannot_be_taken():
    with pytest.raises(QCLIFError, match=f"^port loader: the chip has refused the image {TRIES} times: "):
        boot(LoaderPort(size=1024), BAUDRATE, IMAGE)
    port = LoaderPort(chatter=b"")
    with pytest.raises(QCLIFError, match=r"^port loader: no loader answers: "):
        boot(port, BAUDRATE, IMAGE)
    # Longer than the line takes.
    assert port.time >= TRIES*len(IMAGE)*10/BAUDRATE
    with pytest.raises(QCLIFError, match=r"^port loader: something else than a chip's loader answers"):
        boot(LoaderPort(chatter=b"\x02\xff!\0"), BAUDRATE, IMAGE)
    with pytest.raises(QCLIFError, match=r"^image: is no boot image"):
        boot(LoaderPort(), BAUDRATE, b"nothing")


@pytest.mark.parametrize("content, words", [(None, "No such file"), (b"nothing", "is no boot image"),
    (IMAGE[:-1], "its header tells of a program of 2048"), (IMAGE[:-1] + b"?", "CRC-32")])
def test_the_command_refuses_a_file_that_is_none(tmp_path, content, words):
    path = tmp_path/"firmware.img"
    if content is not None:
        path.write_bytes(content)
    done = call(command.main, "--port", "loop://", str(path))
    error, = done.stderr.splitlines()
    assert done.returncode == EXIT_ERROR and error.startswith(f"error: {path}: ") and words in error
