# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Builds the simulator of a SoC, and only what has changed since the last time.

Two things are decided by content: the sources say whether gateware and firmware are generated anew, which takes
seconds, and the generated Verilog whether Verilator runs (the simulator reads the firmware when it starts).
"""

import json
import os
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from host.common.folders import ROOT, build_root
from targets.sim.options import SimOptions
from targets.tools.builds import check_name, digest, locked, read_record, source_digest, write_record
from targets.tools.process import check_programs, run_program, version_of
from targets.tools.progress import StageProgress, no_stage
from targets.tools.verilator import gateware_versions, runtime

# What a simulator is built with; the C++ headers with Debian's packages of them.
PROGRAMS = ("verilator", "riscv64-unknown-elf-gcc", "make", "g++")
HEADERS  = {"json-c/json.h": "libjson-c-dev", "event2/event.h": "libevent-dev", "zlib.h": "zlib1g-dev"}


@dataclass(frozen=True)
class SimBuild:
    """A finished build: `directory` with gateware/, software/, doc/, csr.csv, csr.json and csr.svd."""
    options:   SimOptions
    directory: Path

    @property
    def gateware(self) -> Path:
        return self.directory/"gateware"

    @property
    def simulator(self) -> Path:
        return self.gateware/"obj_dir"/"Vsim"

# Build --------------------------------------------------------------------------------------------

def build_simulator(options: SimOptions, output_dir: str | Path | None = None,
    progress: StageProgress = no_stage, jobs: int | None = None) -> SimBuild:
    """Build the simulator of `options`, or find it built.

    Parameters
    ----------
    options    : what to build.
    output_dir : directory of this build; None: one of its own below build_root()/sim.
    progress   : called with the name of each stage that has to run.
    jobs       : compiler processes at a time; None: one a core.

    Raises
    ------
    QCLIFError : a tool is missing, or a stage failed (with its log's name and last lines).
    """
    directory = Path(output_dir).resolve() if output_dir else build_root()/"sim"/options.name
    check_name(directory)
    build     = SimBuild(options, directory)
    with locked(directory/"lock", progress):
        _Builder(build, progress, jobs or os.cpu_count()).run()
    return build


@dataclass(frozen=True)
class _Builder:
    """The stages of one build, run under its lock."""
    build:    SimBuild
    progress: StageProgress
    jobs:     int

    def run(self) -> None:
        state   = self.build.directory/"build.json"
        done    = read_record(state)
        sources = [source_digest("targets.sim.elaborate", "targets/sim/modules", "firmware"), *gateware_versions()]
        if done.get("sources") == sources and self.build.simulator.exists():
            return
        check_programs(PROGRAMS, HEADERS)
        # An interrupted build must not look finished.
        state.unlink(missing_ok=True)
        (self.build.directory/"options.json").write_text(json.dumps(asdict(self.build.options)))
        # In a process of its own: LiteX changes directory, prints, and keeps global state.
        self._stage("generating the SoC and its firmware", "elaborate", [sys.executable, "-m", "targets.sim.elaborate",
            self.build.directory], ROOT)
        verilog = self._verilog_digest()
        if done.get("verilog") != verilog or not self.build.simulator.exists():
            self.progress("compiling Verilator's own code")
            self._stage("compiling the simulator with Verilator", "verilator", ["bash", "build_sim.sh"],
                self.build.gateware, f"{self._make_flags()} {self._runtime_flags()}")
        write_record(state, {"sources": sources, "verilog": verilog})

    def _make_flags(self) -> str:
        # LiteX compiles all its simulation modules, ours needs the clock's alone; and its option for the C++
        # compiler does not reach Verilator's output, which is compiled with OPT_FAST.
        return f"MODULES=clocker OPT_FAST=-{self.build.options.opt_level}"

    def _runtime_flags(self) -> str:
        """Verilator's own C++ is linked, not compiled: it would take longer than all of the SoC's."""
        options = self.build.options
        objects = runtime(["--threads", str(options.threads), "--trace-fst" if options.trace == "fst" else "--trace"])
        return "VM_GLOBAL_FAST= LOADLIBES=" + "\\ ".join(map(str, objects))

    def _stage(self, stage: str, name: str, command: list[object], folder: Path, make_flags: str | None = None) -> None:
        self.progress(stage)
        run_program(command, folder, self.build.directory/f"{name}.log",
            {"QCLIF_JOBS": str(self.jobs), "MAKEFLAGS": make_flags}).check(stage)

    def _verilog_digest(self) -> str:
        """What Verilator and the C++ compiler are given, without the comments, which hold dates."""
        gateware = self.build.gateware
        texts    = [gateware/name for name in ("sim.v", "sim_init.cpp", "sim_header.h", "variables.mak",
            "build_sim.sh")] + sorted((self.build.directory/"sim_modules").rglob("*.[ch]"))
        return digest("\n".join([version_of("verilator", "--version"), self._make_flags(),
            *(re.sub(r"//.*", "", path.read_text()) for path in texts)]))
