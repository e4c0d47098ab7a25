#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Imports of targets whose cores are not installed."""

import importlib
import sys

import pytest

from targets.boards.stand_ins import import_target


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module and imports it."""
    monkeypatch.syspath_prepend(tmp_path)
    def make(name: str, text: str):
        (tmp_path/f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        return import_target(name)
    return make


def test_what_is_not_installed_is_replaced_and_leaves_no_trace(module):
    target = module("target_of_two", """
import json
from qclif_absent.phy.s7 import PHY, Other
from qclif_also_absent import Core
class Ours(Core): pass
def build(): return PHY(), Other()
""")
    assert target.Ours() and len(target.build()) == 2 and target.json is sys.modules["json"]
    assert not any(name.startswith("qclif_a") for name in sys.modules)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("qclif_absent")


@pytest.mark.parametrize("text", ("import litex.no_such_module", "from json import nothing",
    "import litex_boards.nothing", "raise ImportError('own')"))
def test_what_is_installed_and_lacks_something_is_told(text, module):
    with pytest.raises(ImportError):
        module("target_that_fails", text)
    assert "target_that_fails" not in sys.modules
