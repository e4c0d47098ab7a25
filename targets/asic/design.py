# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What is taken to silicon: which design, of which sizes, at which clock and corner; its Verilog; and its netlist."""

from dataclasses import dataclass, field
from pathlib import Path

from accel.config import PROTECTIONS, SHIFT_MAX, QCLIFConfig
from accel.errors import QCLIFError
from firmware.sizes import least_sram_bytes
from targets.asic.platform.pdk import CORNERS
from targets.asic.platform.tiling import OBJECTIVES
from targets.sim.options import PHY_BIT_CLOCKS

DESIGNS = {
    "neuron":  "the qCLIF neuron alone, with its state",
    "spatial": "the paper's architecture: AND gates, adder tree and neuron for every neuron, one step a clock",
    "core":    "the event-driven accelerator with its SRAM",
    "soc":     "the chip: the accelerator with CPU, memories, UART and a loader from SPI flash",
}

SRAMS = {
    "fakeram45": "black-box macros of the flow scripts",
    "openram":   "macros compiled by OpenRAM",
    "flops":     "flip-flops: small memories only",
}

# RAM for the firmware, bytes: for a CPU without multiplication it has 14 KB.
PROGRAM_BYTES = 15*1024

# Bytes of a RAM of the SoC: one that holds no program, and all that there is room for among the addresses.
RAM_LIMITS = (1024, 1 << 20)

# MHz: below it a step of a second would not be through, above it no cell of the library follows.
FREQUENCY_LIMITS = (0.01, 5000.0)


@dataclass(frozen=True)
class Chip:
    """What the SoC has beside its accelerator.

    Parameters
    ----------
    program_bytes : RAM that the firmware is loaded to.
    sram_bytes : RAM for the CPU's data; 0: what the firmware needs for the sizes of the accelerator.
    uart_baudrate : bits a second.

    Raises
    ------
    QCLIFError : a size that is no multiple of 4, or out of its limits.
    """
    program_bytes: int = PROGRAM_BYTES
    sram_bytes:    int = 0
    uart_baudrate: int = 1_000_000

    def __post_init__(self) -> None:
        for name in ("program_bytes", "sram_bytes"):
            value = getattr(self, name)
            if (value or name == "program_bytes") and (value % 4 or not RAM_LIMITS[0] <= value <= RAM_LIMITS[1]):
                raise QCLIFError(f"{name} is {value}: a multiple of 4 from {RAM_LIMITS[0]} to {RAM_LIMITS[1]} is "
                    f"needed, choose another --{name.replace('_', '-')}")


@dataclass(frozen=True)
class AsicConfig:
    """One run of the flow.

    Parameters
    ----------
    design : of DESIGNS.
    sizes : of the core; neuron and spatial take widths, neurons and contexts from it.
    frequency_mhz : clock that is asked for.
    corner : of CORNERS, for which power is told; timing is told for all.
    sram : of SRAMS, what memories are made of.
    sram_objective : of OBJECTIVES, what their macros are to save.
    protect : of PROTECTIONS, check bits of the memories of the core alone.
    frugal : QCLIFCore's, of the core alone.
    apical_shift, product_shift : of the contract; wired into neuron and spatial, registers in the others.
    chip : of the SoC.

    Raises
    ------
    QCLIFError : a value out of its limits.
    """
    design:         str = "core"
    sizes:          QCLIFConfig = field(default_factory=QCLIFConfig)
    frequency_mhz:  float = 100.0
    corner:         str = "typ"
    sram:           str = "fakeram45"
    sram_objective: str = "area"
    protect:        str = "none"
    frugal:         bool = True
    apical_shift:   int = 0
    product_shift:  int = 6
    chip:           Chip = field(default_factory=Chip)

    def __post_init__(self) -> None:
        for name, known in (("design", DESIGNS), ("corner", CORNERS), ("sram", SRAMS),
                ("sram_objective", OBJECTIVES), ("protect", PROTECTIONS)):
            if getattr(self, name) not in known:
                raise QCLIFError(f"{name} is {getattr(self, name)!r}: known are {', '.join(known)}; choose another "
                    f"--{name.replace('_', '-')}")
        if self.protect != "none" and self.design != "core":
            raise QCLIFError(f"protect is {self.protect!r}, but only the core alone can have check bits: leave out "
                "--protect, or take --design core")
        low, high = FREQUENCY_LIMITS
        if not low <= self.frequency_mhz <= high:
            raise QCLIFError(f"frequency is {self.frequency_mhz} MHz, the limits are {low} to {high}: choose another "
                f"--frequency")
        most = int(1e6*self.frequency_mhz/PHY_BIT_CLOCKS)
        if self.design == "soc" and not 1 <= self.chip.uart_baudrate <= most:
            raise QCLIFError(f"uart_baudrate is {self.chip.uart_baudrate}: 1 to {most} are possible at "
                f"{self.frequency_mhz:g} MHz, which is {PHY_BIT_CLOCKS} clocks a bit: choose another --uart-baudrate")
        least = least_sram_bytes(self.sizes)
        if self.design == "soc" and self.chip.sram_bytes and self.chip.sram_bytes < least:
            raise QCLIFError(f"sram_bytes is {self.chip.sram_bytes}: the firmware needs {least} for these sizes, "
                "leave out --sram-bytes, or lower --outputs, --neurons or --step-events")
        for name in ("apical_shift", "product_shift"):
            if not 0 <= getattr(self, name) <= SHIFT_MAX:
                raise QCLIFError(f"{name} is {getattr(self, name)}, the limits are 0 to {SHIFT_MAX}: choose another "
                    f"network")

    @property
    def period_ns(self) -> float:
        """Clock period."""
        return 1000/self.frequency_mhz


@dataclass(frozen=True)
class Rtl:
    """Verilog of a design.

    Attributes
    ----------
    top, clock : names of the top module and of its clock.
    sources : files to synthesise; macros are instances without a body in them.
    models : files that stand for the macros in simulation.
    macros : instances of each macro, by name.
    modules : what the modules below the top are, by name: text in the design's own terms.
    """
    top:     str
    sources: tuple[Path, ...]
    models:  tuple[Path, ...] = ()
    macros:  dict[str, int] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    clock:   str = "sys_clk"


@dataclass(frozen=True)
class ModuleArea:
    """A module of a netlist.

    Attributes
    ----------
    what : it in the design's terms.
    instances : in the whole design.
    area_um2 : of one instance's own cells and macros, without those of modules within it.
    cells, flops, macros : of one instance, likewise.
    """
    name:      str
    what:      str
    instances: int
    area_um2:  float
    cells:     int
    flops:     int
    macros:    int


@dataclass(frozen=True)
class Synthesis:
    """A synthesised design.

    Attributes
    ----------
    netlist : structural Verilog with the hierarchy of the sources; registers have their names.
    top, clock : as the sources have them.
    area_um2 : of all cells and macros, that of logic (flip-flops are among it), and that of macros.
    cells : instances of cells without macros. `flops` : flip-flops among them.
    macros : instances of each macro, by name.
    modules : the top first.
    buffers : cells that were added for nets with more load than their driver can take, in all instances.
    excerpt, loads : netlist with the same timing, and its cells that are loads (fF), where the design has many equal
        modules; None and empty where it has not.
    hierarchy : modules within each module, by the names of the instances.
    recipe : name of how it was mapped.
    """
    netlist:        Path
    top:            str
    clock:          str
    area_um2:       float
    area_logic_um2: float
    area_sram_um2:  float
    cells:          int
    flops:          int
    macros:         dict[str, int]
    modules:        tuple[ModuleArea, ...]
    buffers:        int
    excerpt:        Path | None
    loads:          dict[str, float]
    hierarchy:      dict[str, dict[str, str]]
    recipe:         str

    def what(self, path: str) -> str:
        """What the module is in the design's terms, by the instances on the way to it: "population/pipeline"."""
        module = self.top
        for instance in filter(None, path.split("/")):
            module = self.hierarchy[module][instance]
        return next(each.what for each in self.modules if each.name == module)
