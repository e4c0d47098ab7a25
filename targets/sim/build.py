#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Builds the simulator of a SoC, and only what has changed since the last time.

Three things are decided by content: the sources say whether the gateware is generated anew, the generated
Verilog whether Verilator runs, the firmware's sources whether the firmware is compiled (the simulator reads
it when it starts).
"""

import json
import os
import re
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.common.folders import ROOT, build_root
from host.link.link import DEFAULT_BAUDRATE
from targets.tools.builds import digest, locked, read_record, tree_digest, write_record
from targets.tools.process import check_programs, run_program, version_of
from targets.tools.progress import StageProgress, no_stage
from targets.tools.verilator import gateware_versions

# What a simulator is built with; the C++ headers with Debian's packages of them.
PROGRAMS = ("verilator", "riscv64-unknown-elf-gcc", "make", "g++")
HEADERS  = {"json-c/json.h": "libjson-c-dev", "event2/event.h": "libevent-dev", "zlib.h": "zlib1g-dev"}

# What decides the gateware, and what decides the firmware.
GATEWARE_SOURCES = ("accel", "soc", "targets/sim")
FIRMWARE_SOURCES = ("firmware", "accel")

# UARTs of a simulated SoC by LiteX's names: byte streams, which have no baud rate, or the pins of a PHY that has one.
STREAM, PINS = "sim", "serial"

# Fewest clocks of a bit. LiteX's PHY samples the stop bit up to 3 clocks late, and with 10 clocks a bit that is still
# in time where the other end is 2 % faster; the simulated other end only needs some in each half of a bit.
PHY_BIT_CLOCKS, LINE_BIT_CLOCKS = 10, 4

# So much faster or slower the other end may be, whatever the clocks of a bit are.
LINE_TOLERANCE = 0.02

# Memory file below gateware/ that the ROM is read from when the simulator starts.
ROM_INIT = "sim_rom.init"

# Options ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class SimOptions:
    """Everything that a simulator is built from.

    Parameters
    ----------
    config           : sizes of the accelerator and the link.
    sys_clk_freq     : Hz; half a period must be a whole number of picoseconds.
    with_accelerator : False leaves the accelerator out of the SoC.
    registered       : the registers behind the accelerator's memories that boards have.
    soc              : LiteX's SoCCore options that differ from our defaults (cpu_type, cpu_variant, uart_name ...).
    threads          : Verilator's simulation threads.
    opt_level        : of the C++ compiler ("O3").
    trace            : "" (none), "vcd" or "fst".
    """
    config:           QCLIFConfig = field(default_factory=QCLIFConfig)
    sys_clk_freq:     int  = 50_000_000
    with_accelerator: bool = True
    registered:       bool = False
    soc:              dict = field(default_factory=dict)
    threads:          int  = 1
    opt_level:        str  = "O3"
    trace:            str  = ""

    def __post_init__(self) -> None:
        if self.sys_clk_freq < 1 or 10**12 % (2*self.sys_clk_freq):
            raise QCLIFError(f"--sys-clk-freq is {self.sys_clk_freq}: half a period must be a whole number of "
                "picoseconds, use 50e6 or 100e6")
        if self.uart not in (STREAM, PINS):
            raise QCLIFError(f"--uart-name is {self.uart}: the simulated SoC has {STREAM} (bytes at the CPU's speed) "
                f"or {PINS} (bit by bit)")
        if self.uart == STREAM and "uart_baudrate" in self.soc:
            raise QCLIFError(f"--uart-baudrate has no effect on the UART {STREAM}: add --uart-name {PINS}, or leave it "
                "out")
        if self.uart == PINS:
            self._check_baudrate("--uart-baudrate", self.baudrate, PHY_BIT_CLOCKS)

    def _check_baudrate(self, option: str, baudrate: int, bit_clocks: int) -> None:
        most = self.sys_clk_freq//bit_clocks
        if not 1 <= baudrate <= most:
            raise QCLIFError(f"{option} is {baudrate}: 1 to {most} are possible at --sys-clk-freq {self.sys_clk_freq}, "
                f"which is {bit_clocks} clocks a bit")

    def check_line(self, baudrate: int) -> None:
        """Raise a QCLIFError where nothing with this baud rate can be at the SoC's UART."""
        if self.uart == STREAM:
            raise QCLIFError(f"--line-baudrate is {baudrate}, but the UART {STREAM} has no baud rate: add "
                f"--uart-name {PINS}")
        self._check_baudrate("--line-baudrate", baudrate, LINE_BIT_CLOCKS)

    @property
    def uart(self) -> str:
        """STREAM or PINS."""
        return self.soc.get("uart_name", STREAM)

    @property
    def baudrate(self) -> int | None:
        """Bits a second of the SoC's pins, None where it has a byte stream."""
        return self.soc.get("uart_baudrate", DEFAULT_BAUDRATE) if self.uart == PINS else None

    @property
    def name(self) -> str:
        """Name of the build's directory: the main sizes for people, a hash of everything for certainty."""
        c    = self.config
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return (f"n{c.neurons}_i{c.inputs}_c{c.contexts}_p{c.lanes}_w{c.weight_bits}_s{c.state_bits}_"
            f"{'' if self.with_accelerator else 'cpu_'}{digest(text)[:8]}")


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
    build     = SimBuild(options, directory)
    with locked(directory/"lock", progress):
        _Builder(build, progress, jobs or os.cpu_count()).run()
    return build


class _Builder:
    """The stages of one build, run under its lock."""
    def __init__(self, build: SimBuild, progress: StageProgress, jobs: int):
        self.build    = build
        self.progress = progress
        self.jobs     = jobs
        self.state    = build.directory/"build.json"

    def run(self) -> None:
        done     = read_record(self.state)
        sources  = self._sources_digest()
        firmware = tree_digest(FIRMWARE_SOURCES)
        if done.get("sources") != sources or not self.build.simulator.exists():
            check_programs(PROGRAMS, HEADERS)
            # An interrupted build must not look finished.
            self.state.unlink(missing_ok=True)
            self._elaborate("gateware")
            verilog = self._verilog_digest()
            if done.get("verilog") != verilog or not self.build.simulator.exists():
                self._verilate()
            write_record(self.state, {"sources": sources, "verilog": verilog, "firmware": firmware})
        elif done.get("firmware") != firmware:
            check_programs(PROGRAMS, HEADERS)
            self._elaborate("firmware")
            write_record(self.state, {**done, "firmware": firmware})

    def _elaborate(self, what: str) -> None:
        """Run LiteX in a process of its own: it changes directory, prints, and keeps global state."""
        request = self.build.directory/"options.json"
        request.write_text(json.dumps(asdict(self.build.options)))
        stage = "compiling the firmware" if what == "firmware" else "generating the SoC and its firmware"
        self._stage(stage, what, [sys.executable, "-m", "targets.sim.elaborate", what, str(self.build.directory),
            str(build_root()/"libraries")], cwd=ROOT)

    def _verilate(self) -> None:
        self._stage("compiling the simulator with Verilator", "verilator", ["bash", "build_sim.sh"],
            cwd=self.build.gateware, environment={"MAKEFLAGS": self._make_flags()})

    def _make_flags(self) -> str:
        # LiteX compiles all its simulation modules, ours needs the clock's alone; and its option for the C++
        # compiler does not reach Verilator's output, which is compiled with OPT_FAST.
        return f"MODULES=clocker OPT_FAST=-{self.build.options.opt_level}"

    def _stage(self, stage: str, name: str, command: list[str], cwd: Path, environment: dict | None = None) -> None:
        self.progress(stage)
        run_program(command, cwd, self.build.directory/f"{name}.log",
            {"QCLIF_JOBS": str(self.jobs), **(environment or {})}).check(stage)

    def _sources_digest(self) -> str:
        return tree_digest(GATEWARE_SOURCES, gateware_versions())

    def _verilog_digest(self) -> str:
        """What Verilator and the C++ compiler are given, without the comments, which hold dates."""
        gateware = self.build.gateware
        texts    = [gateware/name for name in ("sim.v", "sim_init.cpp", "sim_header.h", "variables.mak",
            "build_sim.sh")] + sorted((self.build.directory/"sim_modules").rglob("*.[ch]"))
        return digest("\n".join([version_of("verilator", "--version"), self._make_flags(),
            *(re.sub(r"//.*", "", path.read_text()) for path in texts)]))
