#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Compilation of the training kernels, kept on disk until any of their sources changes."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from numba import config, njit

from host.common.folders import build_root

# Functions of these call each other. numba compares only the file of the outermost one with what it kept.
SOURCES = ("kernel.py", "neurons.py")


def _folder() -> Path:
    content = hashlib.sha256()
    for name in SOURCES:
        content.update(Path(__file__).with_name(name).read_bytes())
    return build_root()/"kernels"/content.hexdigest()[:16]


def compiled(**options: object) -> Callable[[Callable], Callable]:
    """Decorator: numba's njit, whose results are kept with all builds (host.common.folders says where).

    Parameters
    ----------
    options : passed on to njit.
    """
    def decorate(function: Callable) -> Callable:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(_folder())
        try:
            return njit(cache=True, **options)(function)
        finally:
            config.CACHE_DIR = before
    return decorate
