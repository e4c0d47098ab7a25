# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""LiteX's options: which ones were given, which ones have no effect here, and exports to the files that they name."""

import argparse
import shutil
from collections.abc import Iterable
from pathlib import Path

from litex.soc.integration.soc_core import soc_core_argdict

from accel.errors import QCLIFError
from soc.litex_compat import CPU_NAMES, NEWER_OPTIONS

# Options that no SoC of ours can follow.
FIXED = ("gateware_dir", "software_dir", "include_dir", "generated_dir", "build_backend", "no_compile",
    "no_compile_software", "memory_x", "bios_lto", "bios_format", "bios_console", "no_uart", "uart_fifo_depth",
    *NEWER_OPTIONS)


def given_options(parser: argparse.ArgumentParser, args: argparse.Namespace, soc: str,
        fixed: Iterable[str]) -> dict[str, object]:
    """LiteX's SoCCore options that the user changed, and nothing else: the rest is our SoC's to decide.

    Parameters
    ----------
    soc : how a refusal calls the SoC.
    fixed : options that it cannot follow, beside FIXED.

    Raises
    ------
    QCLIFError : an option cannot be followed, or there is no such CPU.
    """
    for name in (*FIXED, *fixed):
        if getattr(args, name, None) != parser.get_default(name):
            raise QCLIFError(f"--{name.replace('_', '-')} has no effect on {soc}: leave it out")
    if args.cpu_type not in CPU_NAMES:
        raise QCLIFError(f"--cpu-type is {args.cpu_type!r}: LiteX has {', '.join(CPU_NAMES)}")
    # LiteX's own parse_args() would add its options once more.
    defaults = soc_core_argdict(argparse.ArgumentParser.parse_args(parser, []))
    return {name: value for name, value in soc_core_argdict(args).items() if value != defaults.get(name)}


def export_registers(directory: Path, args: argparse.Namespace) -> None:
    """Copy csr.csv, csr.json and csr.svd of a build's directory to the files of --csr-csv, --csr-json and --csr-svd.

    Raises
    ------
    QCLIFError : one cannot be written.
    """
    for name, target in {"csr.csv": args.soc_csv, "csr.json": args.soc_json, "csr.svd": args.soc_svd}.items():
        try:
            if target:
                shutil.copyfile(directory/name, target)
        except OSError as error:
            raise QCLIFError(f"cannot write {target}: {error.strerror}") from error
