# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A build's register exports, where LiteX's options want them."""

import argparse
import shutil
from pathlib import Path

from accel.errors import QCLIFError


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
