# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Designs of the ASIC target, freepdk45: what the model foretells of them, and what the flow finds."""

import dataclasses
from collections.abc import Iterator, Mapping

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.cli.network_choice import SIZES
from targets.asic.design import AsicConfig
from targets.asic.flow import run_flow
from targets.asic.gatesim.simulate import Inputs
from targets.asic.platform.pdk import Pdk
from targets.asic.report.make_record import record_of
from targets.asic.request import Request
from targets.explore.memories import Memories
from targets.explore.model import Calibration, Point
from targets.explore.parts import LIMITS, Work
from targets.explore.search import Design, shapes
from targets.explore.workload import Workload
from targets.tools.progress import StageProgress

# MHz that clocks are multiples of.
CLOCK_STEP = 50


class AsicTarget:
    """FreePDK45, or what else --pdk is.

    Attributes
    ----------
    goals : figures that are foretold here.
    """
    goals = ("energy", "area", "latency")

    def __init__(self, pdk: Pdk) -> None:
        self.pdk         = pdk
        self.calibration = Calibration.load()
        self.notes       = [self._errors()]

    def _errors(self) -> str:
        told = {name: f"{100*mean:.1f} % (at most {100*most:.1f} %)" for name, (mean, most) in
            self.calibration.errors.items()}
        return (f"The model was fitted to {len(self.calibration.runs)} runs of the flow. For a run that it was not "
            f"fitted to it is off by {told['area_um2']} in area, {told['area_logic_um2']} in that of the logic, "
            f"{told['energy_pj']} in energy and {told['fmax_mhz']} in the highest clock. Clocks here leave the "
            f"latter as a margin.")

    def designs(self, workload: Workload, sizes: QCLIFConfig, fixed: Mapping[str, int], clock_mhz: float | None,
            objectives: tuple[str, ...], progress: StageProgress) -> Iterator[Design]:
        """All designs, with their FIGURES of targets.explore.search.

        Parameters
        ----------
        fixed : sizes that the user names.
        clock_mhz : the only clock; None for all that are reached.
        objectives : of the memories.
        """
        memories = Memories(self.pdk)
        model    = self.calibration.model
        margin   = 1 - self.calibration.errors["fmax_mhz"][1]
        least, most = (margin*model.fmax_mhz[recipe] for recipe in LIMITS)
        found    = list(shapes(workload.network.neurons, fixed))
        for number, (lanes, updates) in enumerate(found, 1):
            progress(f"{number}/{len(found)}: P = {lanes}, Q = {updates}")
            shape  = dataclasses.replace(sizes, lanes=lanes, updates=updates)
            clocks = [clock_mhz] if clock_mhz else range(CLOCK_STEP, int(most) + 1, CLOCK_STEP)
            for objective in objectives:
                for clock in clocks:
                    config = AsicConfig(sizes=shape, frequency_mhz=float(clock), sram_objective=objective)
                    yield self._design(workload, config, memories, fast=clock > least)

    def _design(self, workload: Workload, config: AsicConfig, memories: Memories, fast: bool) -> Design:
        clocks = workload.clocks(config.sizes)
        work   = Work.of(workload, float(clocks.mean()))
        told   = self.calibration.model.figures(Point(config.sizes, memories.of(config), work, config.frequency_mhz,
            LIMITS[fast], {}, {}, 0.0, 0.0))
        return Design(config.sizes, config.frequency_mhz, config.sram_objective, {
            "clocks":        work.clocks,
            "latency":       work.clocks/config.frequency_mhz,
            "longest":       float(clocks.max())/config.frequency_mhz,
            "area":          told["area_um2"]*1e-6,
            "logic":         told["area_logic_um2"]*1e-6,
            "energy":        told["energy_pj"],
            "neuron_update": told["energy_pj"]/workload.network.neurons,
            "fmax":          told["fmax_mhz"],
        })

    def check(self, design: Design, workload: Workload, progress: StageProgress) -> dict[str, float]:
        """FIGURES of a design as the flow finds them.

        Raises
        ------
        QCLIFError : a stage failed, or the netlist differs from the golden model.
        """
        config = AsicConfig(sizes=design.sizes, frequency_mhz=design.clock_mhz, sram_objective=design.memory)
        record = record_of(run_flow(Request(config, self.pdk, "power", Inputs(workload.network, workload.name,
            workload.recordings, workload.samples)), progress))
        run    = record["gatesim"]
        if run["mismatches"] or run["state_mismatches"]:
            raise QCLIFError(f"{run['mismatches']} spikes and {run['state_mismatches']} states of the netlist differ "
                "from the golden model: report this")
        clocks = run["clocks"]/run["steps"]
        return {
            "clocks":        clocks,
            "latency":       clocks/design.clock_mhz,
            "area":          record["area_um2"]*1e-6,
            "logic":         record["area_logic_um2"]*1e-6,
            "energy":        record["energy_pj"]["step"],
            "neuron_update": record["energy_pj"]["neuron_update"],
            "fmax":          record["fmax_mhz"],
        }

    @staticmethod
    def command(design: Design) -> str:
        """What takes the design through the flow."""
        sizes = " ".join(f"--{name.replace('_', '-')} {getattr(design.sizes, name)}" for name in (*SIZES, "lanes",
            "updates"))
        return (f"python -m targets.asic_freepdk45 --design core {sizes} --frequency {design.clock_mhz:g} "
            f"--sram-objective {design.memory}")
