# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Programs of netlists: compiled once, however many ask for them at the same time."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from host.common.folders import ROOT
from targets.netlist.steps import run_steps
from tests.helpers.builds import fresh_builds
from tests.helpers.needs import needs_verilator

pytestmark = needs_verilator

BUILD = """
from targets.netlist.gates import build_gates
from targets.netlist.steps import Steps
NETLIST = "module inverter(input sys_clk, input [39:0] a, output [39:0] q); assign q = ~a; endmodule"
print(build_gates(Steps((), ("a",), ("q",)), "inverter", ["a"], {"netlist.sv": NETLIST}))
"""


@pytest.fixture
def builder(tmp_path):
    """Starts a process that builds the program. Each Verilator that compiles it, and not Verilator's own code, leaves a
    line in the file `runs`, and waits while there is a file `hold`."""
    (tmp_path/"bin").mkdir()
    (tmp_path/"bin"/"verilator").write_text(f"""#!/bin/sh
case $1$PWD in --cc*/programs/*)
    echo $PWD >> {tmp_path}/runs
    while [ -e {tmp_path}/hold ]; do sleep 0.05; done
esac
exec {shutil.which('verilator')} "$@"
""")
    (tmp_path/"bin"/"verilator").chmod(0o755)
    builds = fresh_builds(tmp_path/"build")

    def start():
        return subprocess.Popen([sys.executable, "-c", BUILD], cwd=ROOT, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, "QCLIF_BUILD_DIR": str(builds),
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    return start


def compiled(folder):
    """Where the netlist was compiled, a line each time."""
    return (folder/"runs").read_text().splitlines()


def test_several_at_once_compile_it_once(builder, tmp_path):
    processes = [builder() for _ in range(3)]
    told      = [process.communicate()[0].strip() for process in processes]
    assert len(set(told)) == 1 and len(compiled(tmp_path)) == 1
    words = np.array([[5, 1], [0xffffffff, 0xff]])
    assert run_steps(Path(told[0]), (), words).tolist() == [[0xfffffffa, 0xfe], [0, 0]]


def test_what_is_interrupted_leaves_nothing(builder, tmp_path):
    (tmp_path/"hold").touch()
    with builder() as process:
        while not ((tmp_path/"runs").exists() and compiled(tmp_path)):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate()
    (tmp_path/"hold").unlink()
    assert process.returncode and [path.suffix for path in (tmp_path/"build"/"asic"/"programs").iterdir()] == [".lock"]
    assert builder().communicate()[0].strip().endswith("/program") and len(compiled(tmp_path)) == 2
