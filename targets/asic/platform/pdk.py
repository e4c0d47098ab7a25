# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A PDK: its cells in their corners, its SRAM macros, its layout files, and what the flow has to know by name.

All that depends on the process is in one Pdk, read from one folder: a platform of OpenROAD's flow scripts, or a folder
of FreePDK45 files. Names of files, cells and layers are those of its config.mk; what cells do, Liberty tells.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from accel.errors import QCLIFError
from host.common.console import Progress, no_progress
from host.common.folders import build_root, cache_folder
from targets.asic.platform import cells
from targets.asic.platform.config_mk import read_variables
from targets.asic.platform.download import download_pdk, is_complete, pinned_files
from targets.asic.platform.macros import Macro, read_macro
from targets.liberty.library import Cell, Library, read_liberty
from targets.liberty.text import GZIP_MAGIC, read_content
from targets.tools.builds import digest, write_text

# What FreePDK45's corners are; others have conditions of their own under these names.
CORNERS = {
    "typ":  "1.10 V, 25 C",
    "slow": "0.95 V, 125 C",
    "fast": "1.25 V, 0 C",
}

# Variables that list the Liberty files of a corner: the first that is set counts.
CORNER_VARIABLES = {
    "typ":  ("TYP_LIB_FILES", "TC_LIB_FILES", "LIB_FILES"),
    "slow": ("SLOW_LIB_FILES", "WC_LIB_FILES"),
    "fast": ("FAST_LIB_FILES", "BC_LIB_FILES"),
}

# Variables that name files, which count by their content.
FILE_VARIABLES = {"TECH_LEF", "SC_LEF", "GDS_FILES", *(name for names in CORNER_VARIABLES.values() for name in names)}

# Contents ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Corner:
    """The cells in one corner.

    Attributes
    ----------
    liberty : plain text, which old tools need.
    library : its cells.
    """
    liberty: Path
    library: Library = field(repr=False, compare=False)

    @property
    def conditions(self) -> str:
        """Voltage and temperature in words; what the file does not say is left out."""
        told = (("{:.2f} V", self.library.voltage), ("{:g} C", self.library.temperature))
        return ", ".join(text.format(value) for text, value in told if value is not None)


@dataclass(frozen=True)
class Pdk:
    """A PDK folder.

    Attributes
    ----------
    corners : by name, those that the folder has; the typical one is always there.
    macros : by name; the same in all corners, as they have one Liberty file each.
    tech_lef, cell_lef, cell_gds : None where the folder has none; only layout needs them.
    identity : digest of the content of all these files, and of `variables` that name none: equal for equal PDKs,
        wherever they are.
    variables : of its config.mk, by name; see targets.asic.platform.config_mk.
    """
    folder:    Path
    corners:   dict[str, Corner]
    macros:    dict[str, Macro]
    tech_lef:  Path | None
    cell_lef:  Path | None
    cell_gds:  Path | None
    identity:  str
    variables: Mapping[str, str] = field(default_factory=dict)

    def corner(self, name: str) -> Corner:
        """A corner of CORNERS.

        Raises
        ------
        QCLIFError : the folder has no file for it.
        """
        if name in self.corners:
            return self.corners[name]
        raise QCLIFError(f"corner {name} ({CORNERS.get(name, 'not known')}): {self.folder} has Liberty for "
            f"{', '.join(self.corners)} only, nothing is told for others; flow-scripts carry no more than typ, "
            f"--download-pdk brings {', '.join(CORNERS)}")

    # What its config.mk says ------------------------------------------------------------------------

    def variable(self, name: str) -> str:
        """A variable of its config.mk.

        Raises
        ------
        QCLIFError : it is not set.
        """
        if name not in self.variables:
            raise QCLIFError(f"PDK {self.folder}: its config.mk does not set {name}: set it there, see the flow "
                f"scripts' documentation")
        return self.variables[name]

    @property
    def name(self) -> str:
        """As the flow scripts call the platform."""
        return self.variables.get("PLATFORM", self.folder.name)

    @property
    def driver(self) -> str:
        """The cell that drives inputs."""
        return self.variable("ABC_DRIVER_CELL")

    @property
    def load_ff(self) -> float:
        """What outputs drive, fF."""
        return float(self.variable("ABC_LOAD_IN_FF"))

    # What its cells do ------------------------------------------------------------------------------

    @cached_property
    def usable(self) -> dict[str, Cell]:
        """Cells that logic may be made of, by name, as in the typical corner."""
        patterns = self.variables.get("DONT_USE_CELLS", "").split()
        return {name: cell for name, cell in self.corner("typ").library.cells.items()
            if not any(fnmatchcase(name, pattern) for pattern in patterns)}

    @cached_property
    def buffers(self) -> tuple[Cell, ...]:
        """Buffers of the driver's kind, from the weakest to the strongest one in use.

        Raises
        ------
        QCLIFError : the driver is of no such kind.
        """
        found = cells.buffers(self.usable, self.driver)
        if not found:
            raise QCLIFError(f"PDK {self.folder}: ABC_DRIVER_CELL is {self.driver}, and no buffer of that name with a "
                f"max_capacitance is in {self.corner('typ').liberty}: correct its config.mk")
        return found

    @cached_property
    def flipflop_um2(self) -> float:
        """Area of the smallest flip-flop; 0 where there is no plain one."""
        found = cells.flipflop(self.usable.values())
        return found.area if found else 0.0

    @cached_property
    def clock_gate(self) -> Cell:
        """The smallest gate of a clock for registers at its rising edge, without a test pin where there is such a one.
        Platforms may keep mappers off it by DONT_USE_CELLS.

        Raises
        ------
        QCLIFError : the library has none.
        """
        found = [cell for cell in self.corner("typ").library.cells.values()
            if cell.clock_gate.startswith("latch_posedge")]
        if not found:
            raise QCLIFError(f"PDK {self.folder}: no cell with clock_gating_integrated_cell latch_posedge in "
                f"{self.corner('typ').liberty}, which memories need: choose another PDK, or --design neuron")
        return min(found, key=lambda cell: (len(cell.pins), cell.area))

# Search --------------------------------------------------------------------------------------------

def find_pdk(folder: Path | None = None, download: bool = False, progress: Progress = no_progress) -> Pdk:
    """The PDK of `folder`, else of $FREEPDK45_HOME, else of $FLOW_HOME's platform, else as downloaded before.

    Parameters
    ----------
    download : fetch the pinned files that are missing, into `folder`, or into the cache; then use these.

    Raises
    ------
    QCLIFError : none is there, what is there has no typical corner, a file is damaged, or a download failed.
    """
    pinned  = pinned_files()
    content = "\n".join(f"{file.sha256} {file.place}" for file in pinned)
    fetched = cache_folder()/f"freepdk45-{digest(content)[:12]}"
    if download:
        folder = Path(folder or fetched)
        download_pdk(folder, pinned, progress)
    if folder is not None:
        return read_pdk(Path(folder))
    for variable, below in (("FREEPDK45_HOME", ""), ("FLOW_HOME", "platforms/nangate45")):
        if os.environ.get(variable):
            return read_pdk(Path(os.environ[variable])/below, variable)
    if is_complete(fetched, pinned):
        return read_pdk(fetched)
    raise QCLIFError("no PDK: name a folder of FreePDK45 files with --pdk, FREEPDK45_HOME or FLOW_HOME (flow-scripts), "
        f"or fetch it with --download-pdk ({sum(file.size for file in pinned)/1e6:.0f} MB)")


def read_pdk(folder: Path, variable: str = "--pdk") -> Pdk:
    """The PDK of a folder; `variable` is what named it, for errors."""
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise QCLIFError(f"{variable}: {folder} is no folder: name one of FreePDK45 files, or fetch it with "
            f"--download-pdk")
    variables = read_variables(folder)
    liberties = {name: [path for text in names if text in variables for path in variables[text].split()][:1]
        for name, names in CORNER_VARIABLES.items()}
    if not liberties["typ"]:
        raise QCLIFError(f"{variable}: {folder} has no NangateOpenCellLibrary_typ.lib, .lib.gz or _typical.lib, in lib "
            f"or beside it, and no config.mk of the flow scripts with LIB_FILES: name another folder, or fetch one "
            f"with --download-pdk")
    digests = {name: value for name, value in variables.items() if name not in FILE_VARIABLES}
    corners = {name: _corner(name, folder/paths[0], digests) for name, paths in liberties.items() if paths}
    macros  = {}
    for path in sorted({*folder.glob("lib/fakeram*.lib"), *folder.glob("fakeram*.lib")}, key=lambda path: path.name):
        lef, gds = (_existing(folder, [f"{kind}/{path.stem}.{kind}", f"{path.stem}.{kind}"], digests)
            for kind in ("lef", "gds"))
        macro = read_macro(path, lef, gds)
        macros[macro.name], digests[path.name] = macro, digest(path.read_bytes())
    files = {name: _existing(folder, variables.get(text, "").split(), digests)
        for name, text in (("tech_lef", "TECH_LEF"), ("cell_lef", "SC_LEF"), ("cell_gds", "GDS_FILES"))}
    identity = digest("\n".join(f"{name} {value}" for name, value in sorted(digests.items())).encode())
    return Pdk(folder, corners, macros, **files, identity=identity, variables=variables)


def _corner(name: str, path: Path, digests: dict[str, str]) -> Corner:
    """A corner, its file as plain text: OpenSTA of 2019 and Yosys 0.23 read no other."""
    content       = read_content(path)
    digests[name] = digest(content)
    plain         = path
    if path.read_bytes().startswith(GZIP_MAGIC):
        plain = build_root()/"asic"/"pdk"/digests[name][:16]/path.with_suffix("").name
        if not plain.exists():
            write_text(plain, content)
    return Corner(plain, read_liberty(path))


def _existing(folder: Path, names: list[str], digests: dict[str, str]) -> Path | None:
    """The first of these files that is in the folder."""
    path = next((folder/name for name in names if (folder/name).is_file()), None)
    if path is not None:
        digests[path.name] = digest(path.read_bytes())
    return path
