# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""LiteX's builder with our firmware, or another program, as the ROM's content, in the place of LiteX's BIOS."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from litex.soc.doc import generate_docs
from litex.soc.integration import builder
from litex.soc.integration.soc import SoCError
from litex.soc.integration.soc_core import get_mem_data

import firmware
from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.header import write_headers
from soc.litex_compat import NO_BUILD_LOG

BLANK = re.compile(r"\s")

# LiteX's name of what is compiled for the ROM, where its tools look for it.
PACKAGE = "bios"

# Firmware Builder ---------------------------------------------------------------------------------

class FirmwareBuilder(builder.Builder):
    """Builds a QCLIFSoC: headers, firmware, gateware, register exports and documentation.

    The firmware needs no library but the compiler's own: LiteX's, of which its C library takes longer to compile than
    all else of a SoC, are left out. It is compiled and put into the ROM in `init_mems`, which LiteX's builder calls
    of a SoC between the export of its headers and the generation of its Verilog.

    Parameters
    ----------
    soc       : QCLIFSoC (or a SoC that add_qclif() and add_frames() were applied to).
    config    : its configuration; the firmware's headers are generated from it.
    directory : of the build.
    sources   : folder of the program's sources, whose Makefile makes bios.bin of them.
    """
    def __init__(self, soc, config: QCLIFConfig, directory: Path, sources: Path = firmware.FOLDER):
        builder.Builder.__init__(self, soc, output_dir=directory, csr_svd=directory/"csr.svd",
            **NO_BUILD_LOG)
        self.config             = config
        self.sources            = sources
        self.software_packages  = []
        self.software_libraries = []
        # LiteX compiles no BIOS for a ROM whose content comes from elsewhere.
        soc.integrated_rom_initialized = True
        soc.init_mems                  = self.init_mems

    def build(self, **kwargs):
        """LiteX's build(); `kwargs` go to the platform's toolchain."""
        prefer_own_tools()
        if self.sources == firmware.FOLDER and not (hasattr(self.soc, "qclif") or hasattr(self.soc, "timer0")):
            raise QCLIFError("the firmware takes its clock from the accelerator or from LiteX's timer, and this SoC "
                "has neither: leave out --no-timer")
        builder.Builder.build(self, **kwargs)
        generate_docs(self.soc, str(Path(self.output_dir)/"doc"), project_name="qCLIF SoC",
            author="the qCLIF SoC's authors")

    def init_mems(self, **_):
        """Compile the firmware beside the headers that LiteX has written, and make it the ROM's content, where the SoC
        has one: otherwise it is in flash."""
        write_headers(self.config, self.generated_dir)
        region = "sdram" if "sdram" in self.soc.bus.regions else "sram"
        (Path(self.generated_dir)/"variables.ld").write_text(f'REGION_ALIAS("variables", {region})\n')
        make_package(Path(self.software_dir)/PACKAGE, str(folder_without_blanks(self.sources, Path(self.software_dir))))
        if self.soc.integrated_rom_size:
            # Not cut to the firmware's size, so that the gateware does not depend on it.
            rom_bytes = self.soc.bus.regions["rom"].size
            contents  = rom_words(Path(self.get_bios_filename()), rom_bytes, self.soc.cpu.endianness)
            self.soc.init_rom(name="rom", contents=contents, auto_size=False)

# Packages -----------------------------------------------------------------------------------------

def folder_without_blanks(sources: Path, software_dir: Path) -> Path:
    """A folder of sources; where its name has a blank, which make does not take, by a link in a build's folder."""
    if not BLANK.search(str(sources)):
        return sources
    link = software_dir/"firmware"
    software_dir.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(sources)
    return link


def prefer_own_tools() -> None:
    """Let LiteX find the programs of the running interpreter's environment.

    Raises
    ------
    QCLIFError : LiteX is in a folder with a blank in its name, which its makefiles do not take.
    """
    if BLANK.search(builder.__file__):
        raise QCLIFError(f"LiteX is installed in {str(Path(builder.__file__).parents[3])!r}, and make takes no blanks "
            "in names: make the Python environment in another folder")
    own  = os.path.dirname(sys.executable)
    path = os.environ.get("PATH", os.defpath)
    if path.split(os.pathsep)[0] != own:
        os.environ["PATH"] = os.pathsep.join([own, path])


def make_package(build_dir: Path, src_dir: str) -> None:
    """Compile a software package of a build whose headers exist, in a folder that does."""
    subprocess.run(["make", f"-j{os.cpu_count()}", "-C", str(build_dir), "-f", f"{src_dir}/Makefile"], check=True)


def rom_words(binary: Path, rom_bytes: int, endianness: str) -> list[int]:
    """Words of a compiled firmware, padded to the size of the ROM."""
    words = get_mem_data(str(binary), data_width=32, endianness=endianness)
    if 4*len(words) > rom_bytes:
        raise QCLIFError(f"the firmware has {4*len(words)} bytes, the ROM {rom_bytes}: "
            "raise --integrated-rom-size")
    return words + [0]*(rom_bytes//4 - len(words))

# Process of its own -------------------------------------------------------------------------------

def reported(build: Callable[[], None]) -> int:
    """Exit code of a build that has a process of its own, whose log all goes to: its last line says what is wrong."""
    logging.basicConfig(level=logging.INFO)
    try:
        build()
    except (QCLIFError, SoCError, ImportError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {str(error) or type(error).__name__}", flush=True)
        return 1
    return 0
