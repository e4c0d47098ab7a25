# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What keeps the project on more than one version of LiteX: public methods alone are overridden."""

import importlib
import inspect

import pytest
from litex.soc.integration.soc import SoC
from migen import ClockDomain

from accel.config import QCLIFConfig
from soc import litex_compat
from soc.litex_compat import with_bridge_register
from soc.soc import Platform, QCLIFSoC

# Modules with classes that inherit from LiteX's.
MODULES = ("accel.peripheral", "soc.builder", "soc.soc", "soc.frames.peripheral", "targets.boards.options",
    "targets.boards.soc", "targets.sim.soc")


@pytest.mark.parametrize("module", MODULES)
def test_no_private_method_of_litex_is_overridden(module):
    ours = [cls for _, cls in inspect.getmembers(importlib.import_module(module), inspect.isclass)
        if cls.__module__ == module and any(base.__module__.startswith("litex.") for base in cls.__mro__)]
    assert ours
    for cls in ours:
        inherited = {name for base in cls.__mro__ if base.__module__.startswith("litex.") for name in vars(base)}
        private   = {name for name in inherited if name.startswith("_") and not name.startswith("__")}
        assert not private & vars(cls).keys(), cls


@pytest.mark.parametrize("registered", [False, True])
def test_registers_in_the_bridge_are_those_that_are_asked_for(registered):
    soc = QCLIFSoC(Platform(), 50e6, QCLIFConfig(neurons=4, inputs=4, contexts=0, lanes=2), registered=registered)
    soc.cd_sys = ClockDomain()
    soc.finalize()
    # LiteX's bridge with registers is idle first; the other one answers in its first state.
    assert soc.csr_bridge.fsm.reset_state == ("IDLE" if registered else "WRITE-READ")


@pytest.mark.parametrize("keyword", ["register", "with_register"])
def test_the_keyword_of_each_version(keyword, monkeypatch):
    monkeypatch.setattr(litex_compat, "_REGISTER", keyword)
    assert with_bridge_register({}, True) == {keyword: True}
    assert with_bridge_register({keyword: True}, False) == {keyword: True}
    assert with_bridge_register({keyword: False}, False) == {keyword: False}


def test_the_keyword_is_this_versions():
    assert litex_compat._REGISTER in inspect.signature(SoC.add_csr_bridge).parameters
