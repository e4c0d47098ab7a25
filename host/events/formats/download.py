# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Downloads of datasets: checked, and in their place only once they are whole."""

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from accel.errors import QCLIFError

# Seconds without a byte after which a server is given up.
TIMEOUT_S = 60


def download_whole(name: str, dataset: object, download: Callable[[object], None], pattern: str) -> None:
    """Let tonic download and unpack a dataset beside its place, then move it there.

    Parameters
    ----------
    name : how an error names the dataset.
    dataset : tonic's object; its url, filename and file_md5 say what is fetched, location_on_system to where.
    download : tonic's method, which checks the MD5 sum before it unpacks.
    pattern : files that it must have brought.

    Raises
    ------
    QCLIFError : no connection, no archive, a wrong checksum, a damaged archive, or no place for it; what was there
        before is unchanged then.
    """
    place, timeout = Path(dataset.location_on_system), socket.getdefaulttimeout()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{name}.") as folder:
            dataset.location_on_system = folder
            socket.setdefaulttimeout(TIMEOUT_S)
            # tonic tells what it does on standard output, which may be a program's.
            with contextlib.redirect_stdout(sys.stderr):
                download(dataset)
            if not any(Path(folder).glob(pattern)):
                raise ValueError(f"it holds no {pattern}")
            place.mkdir(exist_ok=True)
            for each in Path(folder).iterdir():
                os.replace(each, place/each.name)
    # tonic raises whatever its libraries do.
    except Exception as error:
        raise QCLIFError(f"dataset {name}: the download from {dataset.url} failed ({' '.join(str(error).split())}): "
            f"fetch {dataset.filename} by hand and unpack it to {place}") from error
    finally:
        dataset.location_on_system = str(place)
        socket.setdefaulttimeout(timeout)
