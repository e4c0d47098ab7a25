#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Imports litex-boards' targets where cores are not installed that they offer and our SoC does not have.

A target imports PCIe, video or a logic analyser at its top, whether they are asked for or not. Of a target, only its
clock and reset generator is used here, so that empty classes in their place will do.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _StandIn(ModuleType):
    """A module that has a class of every name."""
    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class _Finder(MetaPathFinder, Loader):
    """Finds stand-ins for all modules of some packages."""
    def __init__(self, packages: set[str]):
        self.packages = packages

    def find_spec(self, fullname, path, target=None):
        return ModuleSpec(fullname, self, is_package=True) if _package(fullname) in self.packages else None

    def create_module(self, spec):
        return _StandIn(spec.name)

    def exec_module(self, module):
        pass


def _package(module: str) -> str:
    return module.partition(".")[0]


@contextlib.contextmanager
def _replaced(packages: set[str]) -> Iterator[None]:
    """Stand-ins for packages, which nobody else gets to see."""
    finder = _Finder(packages)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _package(name) in packages]:
            del sys.modules[name]


def import_target(name: str) -> ModuleType:
    """Import a module of litex_boards; packages that are not installed are replaced by stand-ins.

    Raises
    ------
    ImportError : litex_boards itself is missing, or an installed package has not what the module wants.
    """
    packages = set()
    while True:
        try:
            with _replaced(packages):
                return importlib.import_module(name)
        except ModuleNotFoundError as error:
            missing = _package(error.name or "")
            if missing in ("", "litex_boards", *packages) or importlib.util.find_spec(missing) is not None:
                raise
            packages.add(missing)
