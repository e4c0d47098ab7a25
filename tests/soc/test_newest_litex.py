# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC on another LiteX than the installed one: that of a folder with checkouts, which QCLIF_LITEX names.

No newer release than 2024.12 is on PyPI, so that only a checkout tells whether tomorrow's LiteX will do.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from host.common.folders import ROOT, build_root
from tests.helpers.needs import needs_simulator

FETCH = ("for name in enjoy-digital/litex enjoy-digital/litedram litex-hub/pythondata-software-picolibc; do "
    "git clone --recursive https://github.com/$name DIR/${name#*/}; done")

FOLDER = os.environ.get("QCLIF_LITEX", "")

pytestmark = [
    pytest.mark.skipif(not FOLDER, reason=f"no newer LiteX is given: {FETCH}, then set QCLIF_LITEX to DIR"),
    needs_simulator,
]

# Of the SoC and its simulator; what depends on how many boards litex-boards has is not among them.
TESTS = ("tests/accel/test_peripheral.py", "tests/soc", "tests/targets/sim/test_serial_line.py")

# A recording, host's encoder, against the golden model: the exit code is 0 only where all is equal.
RUN = ("-m", "targets.sim", "--network", "random", "--neurons", "16", "--contexts", "0", "--lanes", "4", "--samples",
    "1", "--non-interactive")


@pytest.fixture(scope="module")
def environment():
    """That of a process which imports LiteX from the folder, and builds apart from others."""
    checkouts = [str(path) for path in sorted(Path(FOLDER).resolve().iterdir()) if path.is_dir()]
    assert checkouts, f"{FOLDER} has no checkouts: {FETCH}"
    return {**{name: value for name, value in os.environ.items() if not name.startswith(("QCLIF_LITEX", "PYTEST_"))},
        "PYTHONPATH": os.pathsep.join([str(ROOT), *checkouts]), "QCLIF_BUILD_DIR": str(build_root()/"newest-litex")}


def run(environment, *arguments):
    return subprocess.run([sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True)


def test_it_is_the_one_that_is_imported(environment):
    done = run(environment, "-c", "import litex; print(*litex.__path__)")
    assert Path(done.stdout.strip()).is_relative_to(Path(FOLDER).resolve()), done.stdout + done.stderr


def test_a_recording_is_exact(environment):
    done = run(environment, *RUN)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", TESTS)
def test_the_tests_of_the_soc(path, environment):
    ignored = [f"--ignore={Path(__file__).relative_to(ROOT)}", "--ignore=tests/soc/test_soc.py"]
    done = run(environment, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", path, *ignored)
    assert done.returncode == 0, done.stdout + done.stderr
