# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Designs of an FPGA board: what the estimate of its SoC foretells of them, and what its tools find."""

import dataclasses
import inspect
from collections.abc import Iterator, Mapping

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.cli.network_choice import SIZES
from targets.board import find_board
from targets.boards.board import Board, BoardOptions, board_config
from targets.boards.build import build_board
from targets.boards.estimate import NAMES, candidates, estimate, excess
from targets.explore.search import Design, shapes
from targets.explore.workload import CLOCKS_BOUND, Workload
from targets.sim.core import CoreSimulator
from targets.tools.progress import StageProgress

# Figures by the names of the estimate's cells.
CELLS = {"lut": "luts", "ff": "ff", "bram": "bram", "dsp": "dsp"}


def find_target(name: str) -> tuple[Board, str]:
    """A board and one of its devices, as in "ulx3s" for its own one, "ulx3s-85f" or "ulx3s-lfe5u-85f".

    Raises
    ------
    QCLIFError : there is no such board or device.
    """
    board, _, wanted = name.lower().partition("-")
    found   = find_board(board)
    device  = found.default("device")
    matches = [each for each in found.devices if each.lower().endswith(wanted)] if wanted else [device]
    if len(matches) != 1:
        raise QCLIFError(f"--target is {name!r}: {found.title} has {', '.join(found.devices)}; name one of them, as in "
            f"{board}-{found.default('device').rpartition('-')[2].lower()}")
    return found, matches[0]


class FpgaTarget:
    """A board with one of its devices, at its clock.

    Attributes
    ----------
    goals : figures that are foretold here.
    """
    goals = ("latency", "luts")
    notes = ["Cells are those of the whole SoC by the estimate of targets.boards. Clocks a step are within "
        f"{CLOCKS_BOUND} of the core's."]

    def __init__(self, name: str) -> None:
        self.board, self.device = find_target(name)
        self.part = self.board.part(self.device)
        if self.part is None:
            raise QCLIFError(f"--target is {name!r}: what {self.device} holds is not known here; choose a board of "
                "python -m targets.board --list whose sizes are told")
        self._options: dict[QCLIFConfig, BoardOptions] = {}

    def designs(self, workload: Workload, sizes: QCLIFConfig, fixed: Mapping[str, int], clock_mhz: float | None,
            objectives: tuple[str, ...], progress: StageProgress) -> Iterator[Design]:
        """All designs that fit the device, with their FIGURES of targets.explore.search; as AsicTarget.designs().

        Raises
        ------
        QCLIFError : none fits.
        """
        least, fits = None, False
        for lanes, updates in shapes(workload.network.neurons, fixed):
            shape   = dataclasses.replace(sizes, lanes=lanes, updates=updates)
            options = self.options(shape, clock_mhz, fixed)
            if options is None:
                least = least or shape
                continue
            fits   = True
            self._options[options.config] = options
            clocks = workload.clocks(shape, registered=not self.board.flash_offset)
            mhz    = options.sys_clk_freq/1e6
            cells  = estimate(options, self.part)
            yield Design(options.config, mhz, "", {"clocks": float(clocks.mean()), "latency": float(clocks.mean())/mhz,
                "longest": float(clocks.max())/mhz, **{figure: cells[name] for name, figure in CELLS.items()
                if name in cells}})
        if not fits:
            short = [f"{need} {NAMES[name]} for {usable}" for name, (need, usable) in
                excess(self._request(least, clock_mhz, fixed), self.part).items()]
            raise QCLIFError(f"{least.neurons} neurons and {least.inputs} inputs with {least.lanes} lanes need "
                f"{' and '.join(short)} on {self.device}: choose a larger --target, a smaller network or fewer --lanes")

    def _request(self, sizes: QCLIFConfig, clock_mhz: float | None, fixed: Mapping[str, int]) -> BoardOptions:
        board  = self.board
        clock  = clock_mhz*1e6 if clock_mhz else board.default("sys_clk_freq")
        shape  = {name: getattr(sizes, name) for name in (*SIZES, "lanes", "updates")}
        return BoardOptions(board.name, self.device, board.default("toolchain"), int(clock), board.uart_baudrate,
            board_config({**board.sizes, **fixed, **shape}), soc=board.soc_options, flash_offset=board.flash_offset)

    def options(self, sizes: QCLIFConfig, clock_mhz: float | None, fixed: Mapping[str, int]) -> BoardOptions | None:
        """The preferred build of a core, with a smaller CPU or SDRAM where it needs that; None where none fits."""
        request = self._request(sizes, clock_mhz, fixed)
        fixed   = {**fixed, **{name: getattr(sizes, name) for name in ("neurons", "inputs", "lanes")}}
        sdram   = "with_sdram" in inspect.signature(self.board.soc).parameters
        tried   = [request, *([dataclasses.replace(request, soc={**request.soc, "with_sdram": True})] if sdram else [])]
        return next((each for options in tried for each in candidates(options, fixed) if not excess(each, self.part)),
            None)

    def check(self, design: Design, workload: Workload, progress: StageProgress) -> dict[str, float]:
        """FIGURES of a design as the core's simulation, and the board's tools, find them."""
        progress("simulating the core")
        core  = CoreSimulator(design.sizes, registered=not self.board.flash_offset)
        busy  = [core.run(workload.network, each).counters["busy"] for each in workload.samples]
        built = build_board(self.board, self._options[design.sizes], progress=progress)
        if built.report is None:
            raise QCLIFError(f"{self.board.default('toolchain')} has no report that is read here: leave out --check")
        clocks = sum(busy)/workload.steps
        return {"clocks": clocks, "latency": clocks/design.clock_mhz, "fmax": built.report["fmax_mhz"],
            **{figure: built.report[name] for name, figure in CELLS.items() if name in built.report}}

    def command(self, design: Design) -> str:
        """What builds the design."""
        prog  = f"targets.{self.board.name}" if self.board.target else f"targets.board {self.board.name}"
        sizes = " ".join(f"--{name.replace('_', '-')} {getattr(design.sizes, name)}" for name in (*SIZES, "lanes",
            "updates"))
        return (f"python -m {prog} --device {self.device} {sizes} --sys-clk-freq {design.clock_mhz*1e6:.0f} --build")
