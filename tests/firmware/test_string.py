# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The four functions that a C compiler calls by itself, compiled for the host under other names."""

import ctypes
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import FOLDER
from tests.helpers.firmware_port import FLAGS

NAMES = ("memcpy", "memmove", "memset", "memcmp")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    file = tmp_path_factory.mktemp("string")/"string.so"
    subprocess.run(["gcc", *FLAGS, "-O2", *(f"-D{name}=our_{name}" for name in NAMES), FOLDER/"platform"/"string.c",
        "-o", file], check=True)
    return ctypes.CDLL(str(file))


def place(buffer, offset):
    return ctypes.c_void_p(ctypes.addressof(buffer) + offset)


@given(st.binary(min_size=64, max_size=64), st.integers(0, 32), st.integers(0, 32), st.integers(0, 32))
def test_copies_may_overlap(library, data, source, target, size):
    buffer = ctypes.create_string_buffer(data, 64)
    library.our_memmove(place(buffer, target), place(buffer, source), ctypes.c_size_t(size))
    assert buffer.raw == data[:target] + data[source:source + size] + data[target + size:]
    copy = ctypes.create_string_buffer(64)
    library.our_memcpy(copy, ctypes.create_string_buffer(data, 64), ctypes.c_size_t(size))
    assert copy.raw == data[:size].ljust(64, b"\0")


@given(st.binary(min_size=32, max_size=32), st.integers(-1, 256), st.integers(0, 32))
def test_bytes_are_set(library, data, value, size):
    buffer = ctypes.create_string_buffer(data, 32)
    library.our_memset(buffer, value, ctypes.c_size_t(size))
    assert buffer.raw == bytes([value & 255])*size + data[size:]


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8), st.integers(0, 8))
def test_bytes_are_compared(library, left, right, size):
    found = library.our_memcmp(left, right, ctypes.c_size_t(size))
    assert (found > 0) - (found < 0) == (left[:size] > right[:size]) - (left[:size] < right[:size])
    assert library.our_memcmp(left, left, ctypes.c_size_t(8)) == 0
