# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Arrays of strangers' .npz files: what is not asked for is not read, and no more than a header tells is unpacked."""

import tracemalloc
import zipfile

import numpy as np
import pytest

from accel.errors import QCLIFError
from host.common.npz import NpzArrays, save_npz
from host.network.network import ARRAYS, BYTES_MAX, Network

# Bytes that unpack from some ten thousand.
LARGE = 2**26


def peak(work):
    """Most bytes that were allocated meanwhile."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def claim(path, shape, size, dtype="<i4"):
    """A file with an array `a` of zeros, whose header tells another shape."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": dtype, "fortran_order": False, "shape": shape})
        member.write(bytes(size))


def test_only_what_is_asked_for_is_unpacked(tmp_path):
    save_npz(tmp_path/"a.npz", {"large": np.zeros(LARGE, np.uint8), "small": np.arange(3)})
    assert (tmp_path/"a.npz").stat().st_size < LARGE//500

    def read():
        file = NpzArrays(tmp_path/"a.npz", "file")
        assert list(file) == ["large", "small"] and "large" in file and len(file) == 2 and file.get("none") is None
        assert file["small"].tolist() == [0, 1, 2]
    assert peak(read) < LARGE//50


@pytest.mark.parametrize("shape, size", [((4,), LARGE), ((LARGE//4,), 16), ((2**40, 2**40), 16), ((-4,), 16)])
def test_another_size_than_the_header_tells_is_refused_before_it_is_unpacked(tmp_path, shape, size):
    claim(tmp_path/"a.npz", shape, size)

    def read():
        with pytest.raises(QCLIFError, match=r"^file .*a\.npz: not a readable .* \(array a has \d+ bytes, -?\d+"):
            NpzArrays(tmp_path/"a.npz", "file")["a"]
    assert peak(read) < LARGE//50


def test_members_that_are_no_arrays_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path/"a.npz", "w") as archive:
        archive.writestr("a", "text")
        archive.writestr("b.npy", "text")
    for name in "ab":
        with pytest.raises(QCLIFError, match=r"not a readable .npz file"):
            NpzArrays(tmp_path/"a.npz", "file")[name]


def test_a_network_larger_than_any_build_is_not_unpacked(tmp_path):
    large = dict.fromkeys((*ARRAYS, "config"), np.zeros(1)) | {"w_sensory": np.zeros((BYTES_MAX["w_sensory"]//64, 9))}
    save_npz(tmp_path/"net.npz", large)

    def read():
        with pytest.raises(QCLIFError, match=r"array w_sensory has .* bytes, the limit is"):
            Network.load(tmp_path/"net.npz")
    assert peak(read) < BYTES_MAX["w_sensory"]//2
