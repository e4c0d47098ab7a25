# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The firmware of a chip as the image for its flash.

LiteX's share of it is a process of its own: `python -m targets.asic.chip.firmware DIRECTORY`, with its options.json.
"""

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from accel.config import QCLIFConfig
from firmware.boot_image import pack_image
from host.common.folders import ROOT, build_root
from soc.builder import FirmwareBuilder, reported
from targets.asic.design import AsicConfig, Chip
from targets.asic.rtl.soc_rtl import ASICSoC
from targets.tools.builds import digest, made_once, source_digest
from targets.tools.process import check_programs, run_program, version_of
from targets.tools.progress import StageProgress, no_stage
from targets.tools.verilator import generator_versions

COMPILER = "riscv64-unknown-elf-gcc"

# Files of a build.
OPTIONS, IMAGE = "options.json", "firmware.img"


def firmware_image(config: AsicConfig, progress: StageProgress = no_stage) -> Path:
    """File with the image of the firmware for a chip, compiled once.

    Raises
    ------
    QCLIFError : the compiler is missing or fails, or the program is larger than the chip's RAM for it.
    """
    check_programs([COMPILER, "make"])
    options = json.dumps({"sizes": config.sizes.to_dict(), "frequency_mhz": config.frequency_mhz,
        "chip": asdict(config.chip)})
    key     = digest("\n".join([source_digest(__name__, "firmware"), options, version_of(COMPILER, "--version"),
        *generator_versions()]))

    def make(folder: Path) -> None:
        progress("compiling the firmware")
        (folder/OPTIONS).write_text(options)
        run_program([sys.executable, "-m", __name__, folder], ROOT, folder/"firmware.log").check(
            "compiling the firmware")

    return made_once(build_root()/"asic"/"firmware"/key, make, progress)/IMAGE


def compile_image(config: AsicConfig, folder: Path) -> None:
    """Write IMAGE into a folder."""
    build = folder/"build"
    soc   = ASICSoC(config.sizes, 1e6*config.frequency_mhz, config.chip)
    made  = FirmwareBuilder(soc, config.sizes, build)
    made.build()
    program = Path(made.get_bios_filename()).read_bytes()
    (folder/IMAGE).write_bytes(pack_image(program))
    # It names its folder, which gets another name.
    shutil.rmtree(build)


def main() -> int:
    folder  = Path(sys.argv[1])
    options = json.loads((folder/OPTIONS).read_text())
    config  = AsicConfig("soc", QCLIFConfig(**options["sizes"]), options["frequency_mhz"],
        chip=Chip(**options["chip"]))
    return reported(lambda: compile_image(config, folder))


if __name__ == "__main__":
    sys.exit(main())
