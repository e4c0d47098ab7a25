# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How tests are shared out among processes."""

import os

import pytest

from host.common.folders import ROOT
from tests.helpers.parallel import DIVIDED, MOST_WORKERS, SLOWEST, Scheduler, slowest_first, worker_count


def test_the_files_that_are_named_are_there():
    """Or the slowest begins last, and nobody notices."""
    assert all((ROOT/name).is_file() for name in (*SLOWEST, *DIVIDED))


def test_files_named_alone_are_run_in_this_process(monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
    monkeypatch.chdir(ROOT)
    assert worker_count(["tests/test_parallel.py"]) == worker_count(["tests/host", f"{SLOWEST[0]}::test_x"]) == 0
    assert 2 <= worker_count(["tests"]) <= min(len(os.sched_getaffinity(0)) + 1, MOST_WORKERS)
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "3")
    assert worker_count(["tests"]) is None


@pytest.mark.parametrize("node, scope", [
    (f"{DIVIDED[0]}::test_a[b::c]", f"{DIVIDED[0]}::test_a"),
    (f"{DIVIDED[0]}::test_a", f"{DIVIDED[0]}::test_a"),
    ("tests/test_parallel.py::test_a[b]", "tests/test_parallel.py"),
])
def test_what_goes_to_one_process(node, scope):
    assert Scheduler._split_scope(None, node) == scope


def test_the_slowest_begin():
    nodes = ["tests/a.py::test_a", f"{SLOWEST[1]}::test_b", f"{SLOWEST[0]}::test_c", "tests/a.py::test_d"]
    assert sorted(nodes, key=slowest_first) == [nodes[2], nodes[1], nodes[0], nodes[3]]
