# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Libraries in a process of their own: what becomes of a file at which one ends, hangs, or takes too much."""

import pytest

from accel.errors import QCLIFError
from host.common import decoding_process
from host.events.formats import found, read_files
from tests.helpers import camera_files

ROWS = [(3, 5, 1, 1000), (127, 0, 0, 1000), (0, 126, 1, 1063), (64, 9, 0, 1064), (64, 8, 1, 70_000), (1, 2, 1, 130_001)]


def write(folder, name, content):
    path = folder/name
    path.write_bytes(content)
    return path


def refuse(path, text):
    with pytest.raises(QCLIFError) as error:
        list(read_files([path]))
    message = str(error.value)
    assert text in message and str(path) in message and "\n" not in message


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Puts others in the way of the real libraries, for a new process."""
    def replace(program):
        for name in ("faery", "aedat"):
            (tmp_path/f"{name}.py").write_text(program)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        decoding_process.close()

    yield replace
    decoding_process.close()


def test_a_decoder_that_ends_without_a_word(tmp_path, library):
    library("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    path = write(tmp_path, "a.aedat4", camera_files.aedat4([(0, ROWS)]))
    refuse(path, "it cannot be decoded (it ends the decoder)")
    # The next file is another process's.
    refuse(path, "it cannot be decoded (it ends the decoder)")


def test_a_decoder_that_is_not_installed(tmp_path, library):
    library("import nowhere_to_be_found")
    refuse(write(tmp_path, "a.es", camera_files.es(ROWS)), "the package nowhere_to_be_found is missing: pip install")


def test_a_decoder_that_does_not_end(tmp_path, library, monkeypatch):
    monkeypatch.setattr(found, "CPU_S", 1)
    library("while True: pass")
    refuse(write(tmp_path, "a.es", camera_files.es(ROWS)), "it cannot be decoded (it keeps the decoder busy)")


def test_a_decoder_that_wants_all_memory(tmp_path, library):
    library("bytearray(2**40)")
    refuse(write(tmp_path, "a.es", camera_files.es(ROWS)), "it cannot be decoded (MemoryError)")


def test_a_small_file_does_not_become_large(tmp_path, monkeypatch):
    monkeypatch.setattr(found, "unpacked_max", lambda size: 100)
    path = write(tmp_path, "a.es", camera_files.es(ROWS))
    refuse(path, "it unpacks to more than 100 bytes")
    monkeypatch.undo()
    sample, = read_files([path])
    assert [tuple(event) for event in sample.events.tolist()] == ROWS
