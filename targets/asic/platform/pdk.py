#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Where the FreePDK45 files are: cells in their corners, layout rules and SRAM macros.

Two layouts of a folder are known: one with a Liberty file a corner, plain or .gz, and flow-scripts'
platforms/nangate45, which has the typical corner alone.
"""

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from accel.errors import QCLIFError
from host.common.atomic import whole_file
from host.common.console import Progress, no_progress
from host.common.folders import build_root, cache_folder
from targets.asic.platform.download import download_pdk, is_complete, pinned_files
from targets.asic.platform.macros import Macro, read_macro
from targets.liberty.library import Library, read_liberty
from targets.liberty.text import GZIP_MAGIC, read_content

# Names that the library's releases, flow-scripts and OpenSTA's examples give to a corner's file.
LIBERTY_NAME = re.compile(r"nangate(opencelllibrary|45)_(?P<corner>typ|typical|slow|fast)\.lib(\.gz)?", re.IGNORECASE)

TECH_LEF = "NangateOpenCellLibrary.tech.lef"
CELL_LEF = "NangateOpenCellLibrary.macro.mod.lef"
CELL_GDS = "NangateOpenCellLibrary.gds"

CORNERS = {
    "typ":  "1.10 V, 25 C",
    "slow": "0.95 V, 125 C",
    "fast": "1.25 V, 0 C",
}

# Contents ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Corner:
    """The cells in one corner.

    Attributes
    ----------
    voltage, temperature : volt and degrees, as the file has them.
    liberty : plain text, which old tools need.
    library : its cells.
    """
    name:        str
    voltage:     float | None
    temperature: float | None
    liberty:     Path
    library:     Library = field(repr=False, compare=False)


@dataclass(frozen=True)
class Pdk:
    """A PDK folder.

    Attributes
    ----------
    corners : by name, those that the folder has; the typical one is always there.
    macros : by name; the same in all corners, as they have one Liberty file each.
    tech_lef, cell_lef, cell_gds : None where the folder has none; only layout needs them.
    identity : digest of the content of all these files: equal for equal files, wherever they are.
    """
    folder:   Path
    corners:  dict[str, Corner]
    macros:   dict[str, Macro]
    tech_lef: Path | None
    cell_lef: Path | None
    cell_gds: Path | None
    identity: str

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
    fetched = cache_folder()/f"freepdk45-{pinned.identity[:12]}"
    if download:
        folder = Path(folder or fetched)
        download_pdk(folder, pinned, progress)
        return read_pdk(folder)
    if folder is not None:
        return read_pdk(Path(folder))
    if os.environ.get("FREEPDK45_HOME"):
        return read_pdk(Path(os.environ["FREEPDK45_HOME"]), "FREEPDK45_HOME")
    if os.environ.get("FLOW_HOME"):
        return read_pdk(Path(os.environ["FLOW_HOME"])/"platforms"/"nangate45", "FLOW_HOME")
    if is_complete(fetched, pinned):
        return read_pdk(fetched)
    raise QCLIFError("no PDK: name a folder of FreePDK45 files with --pdk, FREEPDK45_HOME or FLOW_HOME (flow-scripts), "
        f"or fetch it with --download-pdk ({pinned.size/1e6:.0f} MB)")


def read_pdk(folder: Path, variable: str = "--pdk") -> Pdk:
    """The PDK of a folder; `variable` is what named it, for errors."""
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        raise QCLIFError(f"{variable}: {folder} is no folder: name one of FreePDK45 files, or fetch it with "
            f"--download-pdk")
    found = {}
    for path in _files(folder, "lib"):
        if match := LIBERTY_NAME.fullmatch(path.name):
            name = match["corner"].lower()
            # Of a plain and a packed file of one corner, the plain one, which comes first.
            found.setdefault("typ" if name == "typical" else name, path)
    if "typ" not in found:
        raise QCLIFError(f"{variable}: {folder} has no NangateOpenCellLibrary_typ.lib, .lib.gz or _typical.lib, in lib "
            f"or beside it: name another folder, or fetch one with --download-pdk")
    digests = {}
    corners = {name: _corner(name, found[name], digests) for name in CORNERS if name in found}
    macros  = {}
    for path in _files(folder, "lib"):
        if path.name.startswith("fakeram45_") and path.suffix == ".lib":
            macro = read_macro(path, _find(folder, "lef", f"{path.stem}.lef", digests),
                _find(folder, "gds", f"{path.stem}.gds", digests))
            macros[macro.name], digests[path.name] = macro, _digest(path.read_bytes())
    files = {name: _find(folder, kind, file, digests) for name, kind, file in (("tech_lef", "lef", TECH_LEF),
        ("cell_lef", "lef", CELL_LEF), ("cell_gds", "gds", CELL_GDS))}
    identity = _digest("\n".join(f"{name} {digest}" for name, digest in sorted(digests.items())).encode())
    return Pdk(folder, corners, macros, **files, identity=identity)


def _corner(name: str, path: Path, digests: dict[str, str]) -> Corner:
    content       = read_content(path)
    digests[name] = _digest(content)
    library       = read_liberty(path)
    return Corner(name, library.voltage, library.temperature, _plain(path, content, digests[name]), library)


def _plain(path: Path, content: bytes, digest: str) -> Path:
    """A file as plain text: OpenSTA of 2019 and Yosys 0.23 read no other."""
    with open(path, "rb") as file:
        if file.read(len(GZIP_MAGIC)) != GZIP_MAGIC:
            return path
    plain = build_root()/"asic"/"pdk"/digest[:16]/path.with_suffix("").name
    if not plain.exists():
        try:
            plain.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise QCLIFError(f"{plain.parent}: cannot be made ({error.strerror}): set QCLIF_BUILD_DIR to another "
                f"folder") from error
        with whole_file(plain) as file:
            file.write(content)
    return plain


def _files(folder: Path, kind: str) -> list[Path]:
    """Files of a kind, which have a folder of their own or not, by name."""
    return sorted([*folder.glob(f"{kind}/*"), *folder.glob("*")], key=lambda path: path.name)


def _find(folder: Path, kind: str, name: str, digests: dict[str, str]) -> Path | None:
    for path in (folder/kind/name, folder/name):
        if path.is_file():
            digests[name] = _digest(path.read_bytes())
            return path
    return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
