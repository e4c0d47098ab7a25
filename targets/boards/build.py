# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Builds a board's bitstream, and only when something has changed that it depends on.

LiteX generates the SoC each time, which takes seconds. What it wrote and the tools' versions say whether synthesis,
place and route, and packing run again, which takes minutes.
"""

import hashlib
import itertools
import json
import re
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from accel.errors import QCLIFError
from host.common.folders import ROOT, build_root
from targets.boards.board import Board, BoardOptions
from targets.boards.elaborate import BUILD_NAME, REPORT
from targets.boards.report import read_report
from targets.tools.builds import check_name, digest, locked, read_record, write_record, write_text
from targets.tools.process import check_programs, run_program
from targets.tools.progress import StageProgress, no_stage
from targets.tools.toolchain import Program, find_toolchain, install

# Programs of LiteX's toolchains, where they are open ones that report in a way that we read.
OPEN_TOOLCHAINS = {
    "trellis":  ("yosys", "nextpnr-ecp5", "ecppack"),
    "icestorm": ("yosys", "nextpnr-ice40", "icepack"),
    "apicula":  ("yosys", "nextpnr-himbaechel", "gowin_pack"),
}

# What the others need to be on the PATH, where it is not called as they are.
VENDOR_PROGRAMS = {"ise": "xst", "quartus": "quartus_sh", "diamond": "diamondc", "radiant": "radiantc",
    "gowin": "gw_sh", "efinity": "efx_run", "anlogic": "td"}

# What nextpnr knows no delays of: the clock that it tells is that of the other paths.
UNTIMED = {"apicula": ("multipliers", "second ports of block RAMs")}

# What the stages of open toolchains are called: each of them runs one program.
STAGES = ("synthesising with Yosys", "placing and routing with nextpnr", "packing the bitstream")

# What LiteX writes for the tools.
INPUTS = ("*.v", "*.init", "*.ys", "*.lpf", "*.pcf", "*.cst", "*.sdc", "*.xdc", "*.qsf", "*.tcl", "*.sh")


@dataclass(frozen=True)
class BoardBuild:
    """A finished build.

    Attributes
    ----------
    options : what was asked for.
    directory : gateware/, software/, doc/, csr.csv, csr.json, csr.svd and logs.
    bitstream : file for the board; None where only the tool's inputs were generated.
    report : of place and route, as read_report() gives it; None where the tool's is not read.
    build_seconds : of the FPGA tools, when they ran.
    tools : their versions.
    image : what the flash gets, bitstream and firmware; None where the bitstream is all.
    """
    options:       BoardOptions
    directory:     Path
    bitstream:     Path | None
    report:        dict[str, object] | None
    build_seconds: float | None
    tools:         dict[str, str]
    image:         Path | None = None


def build_board(board: Board, options: BoardOptions, output_dir: Path | None = None, source: str = "auto",
    run: bool = True, progress: StageProgress = no_stage) -> BoardBuild:
    """Build a bitstream, or find it built.

    Parameters
    ----------
    board : what it is built for.
    options : what to build.
    output_dir : folder of the build; None: one of its own below build_root()/boards.
    source : where tools come from, one of targets.tools.toolchain.SOURCES.
    run : False generates what the FPGA tools need, and does not run them.
    progress : called with the name of each stage.

    Raises
    ------
    QCLIFError : a tool is missing or failed, or the board cannot be had so.
    """
    check_programs(("riscv64-unknown-elf-gcc", "make"))
    tools     = _tools(options.toolchain, source) if run else None
    content   = asdict(options)
    name      = f"{options.name}-{digest(json.dumps(content, sort_keys=True))[:8]}"
    directory = Path(output_dir).resolve() if output_dir else build_root()/"boards"/name
    check_name(directory)
    write_text(directory/"options.json", json.dumps(content, indent=1))
    with locked(directory/"lock", progress):
        return _Build(board, options, directory, tools, progress).run()


def _tools(toolchain: str, source: str) -> list[Program]:
    if toolchain in OPEN_TOOLCHAINS:
        return find_toolchain(OPEN_TOOLCHAINS[toolchain], source)
    program = VENDOR_PROGRAMS.get(toolchain, toolchain)
    if shutil.which(program) is None:
        raise QCLIFError(f"{program} of toolchain {toolchain} is not on the PATH: extend it, or generate all that it "
            "needs with --no-compile-gateware")
    return find_toolchain((program,), "path")


@dataclass(frozen=True)
class _Build:
    """The stages of one build, under its lock."""
    board:     Board
    options:   BoardOptions
    directory: Path
    tools:     list[Program] | None
    progress:  StageProgress

    @property
    def gateware(self) -> Path:
        return self.directory/"gateware"

    def run(self) -> BoardBuild:
        self._elaborate()
        soc = json.loads((self.directory/"soc.json").read_text())
        if self.tools is None:
            return BoardBuild(self.options, self.directory, None, None, None, {})
        digest    = self._digest(map(Path, soc["sources"]))
        bitstream = self.gateware/soc["bitstream"]
        report    = self.gateware/REPORT
        state     = self.directory/"build.json"
        done      = read_record(state)
        if done.get("inputs") != digest or not bitstream.exists():
            # An interrupted build must not look finished, nor another's files like this one's.
            for path in (state, bitstream, report):
                path.unlink(missing_ok=True)
            start = time.monotonic()
            self._run_tools()
            if not bitstream.exists():
                raise QCLIFError(f"no {bitstream.name} came out: see the logs in {self.directory}")
            done = {"inputs": digest, "build_seconds": round(time.monotonic() - start, 1)}
            write_record(state, done)
        image = self._image(bitstream) if self.options.flash_offset else None
        return BoardBuild(self.options, self.directory, bitstream,
            read_report(report, self.options.sys_clk_freq/1e6) if report.exists() else None,
            done["build_seconds"], self._versions(), image)

    def _versions(self) -> dict[str, str]:
        return {program.name: program.version for program in self.tools}

    def _image(self, bitstream: Path) -> Path:
        """Bitstream and, from its offset on, firmware: one file for the flash."""
        firmware = (self.directory/"software"/"bios"/"bios.bin").read_bytes()
        image    = self.gateware/f"{BUILD_NAME}.flash.bin"
        # What nothing is written to is 0xff in a flash.
        image.write_bytes(bitstream.read_bytes().ljust(self.options.flash_offset, b"\xff") + firmware)
        return image

    def _elaborate(self, stage: str = "generating the SoC and its firmware", run: bool = False) -> None:
        # What is left of another SoC must not be taken for this one's.
        for name in (self.directory/"soc.json", *self.gateware.glob("*.init")):
            name.unlink(missing_ok=True)
        self._stage(stage, "elaborate", [sys.executable, "-m", "targets.boards.elaborate", str(self.directory),
            self.board.target, *(["run"] if run else [])], ROOT, {"PYTHONHASHSEED": "0"})

    def _digest(self, sources: Iterable[Path]) -> str:
        """All that the FPGA tools are given, without comments, which hold dates and names of folders."""
        digest = hashlib.sha256(json.dumps(self._versions(), sort_keys=True).encode())
        written = itertools.chain.from_iterable(map(self.gateware.glob, INPUTS))
        for path in sorted({*written, *sources}):
            digest.update(f"\n{path.name}\n".encode())
            text = re.sub(r"/\*.*?\*/", "", path.read_text(errors="replace"), flags=re.DOTALL)
            digest.update(re.sub(r"(//|# ?Autogenerated).*", "", text).encode())
        return digest.hexdigest()

    def _run_tools(self) -> None:
        environment = install(self.tools, self.directory/"tools")
        for program in self.tools:
            if program.cold:
                self._stage(f"compiling PyPI's {program.name}, which is done once", f"prepare-{program.name}",
                    [str(self.directory/"tools"/program.name), "--help"], self.directory, environment, check=False)
        if self.options.toolchain not in OPEN_TOOLCHAINS:
            # LiteX knows how to call them.
            self._elaborate(f"running {self.tools[0].name}", run=True)
            return
        stages = dict(zip(OPEN_TOOLCHAINS[self.options.toolchain], STAGES, strict=True))
        for command in (self.gateware/f"build_{BUILD_NAME}.sh").read_text().splitlines():
            name = command.strip().split(" ")[0]
            if name in stages:
                self._stage(stages[name], name, ["bash", "-ec", command], self.gateware, environment)

    def _stage(self, stage: str, name: str, command: list[str], folder: Path, environment: dict[str, str],
        check: bool = True) -> None:
        self.progress(stage)
        done = run_program(command, folder, self.directory/f"{name}.log", environment)
        if check:
            done.check(stage)
