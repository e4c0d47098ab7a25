# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Fixtures and settings of all tests; how they are shared out among processes stands in tests/helpers/parallel.py."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.parallel import Scheduler, slowest_first, worker_count

if "PYTEST_XDIST_WORKER" in os.environ:
    # Processes for all cores are there: threads of each would only get in the others' way.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Simulated gateware takes as long as it takes: tests check bits and clocks, never seconds.
settings.register_profile("qclif", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("qclif")

# Processes ----------------------------------------------------------------------------------------

def pytest_xdist_auto_num_workers(config):
    return worker_count(config.args)


def pytest_xdist_make_scheduler(config, log):
    # Their order is the collection's.
    config.option.loadscopereorder = False
    return Scheduler(config, log)


def pytest_collection_modifyitems(items):
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: slowest_first(item.nodeid))

# Fixtures -----------------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def qclif_data() -> Path:
    """Folder of real DVS recordings (dvs128_gesture/, nmnist/), from the environment."""
    folder = os.environ.get("QCLIF_DATA")
    if not folder:
        pytest.skip("no real recordings: set QCLIF_DATA to a folder with dvs128_gesture/*.npz and nmnist/train1000.npz")
    return Path(folder)


@pytest.fixture(scope="session")
def qclif_cases() -> Path:
    """Folder of small files of others (events/, nir/) that were read wrongly once, from the environment."""
    folder = os.environ.get("QCLIF_CASES")
    if not folder:
        pytest.skip("no files of others: set QCLIF_CASES to a folder with events/ and nir/")
    return Path(folder)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Three short recordings with a network and what it makes of them, see tests.helpers.short_run.Run."""
    # Imports torch, which not every test needs.
    from tests.helpers.short_run import Run
    return Run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def browser():
    """Chromium; tests that use it are marked needs_browser."""
    from tests.helpers.browser import chromium
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def pdk():
    """The FreePDK45 files that are there."""
    from accel.errors import QCLIFError
    from targets.asic.platform.pdk import find_pdk
    try:
        return find_pdk()
    except QCLIFError as error:
        pytest.skip(str(error))
