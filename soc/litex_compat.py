# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What differs between the versions of LiteX that this project runs on, from 2024.12 to its present master.

All else of the project uses what is the same in all of them, and asks for no version.
"""

import inspect

from litex.soc.cores.cpu import CPUS
from litex.soc.integration.builder import Builder
from litex.soc.integration.soc import SoC

# Command line -------------------------------------------------------------------------------------

# Names of all CPUs; one of the keys stands for no CPU.
CPU_NAMES = sorted(name for name in CPUS if name not in (None, "None"))

# Options for LiteX's own BIOS and builds that 2024.12 does not have.
NEWER_OPTIONS = ("build_bundle", "bundle_root", "bundle_include", "bundle_pythonpath_root", "bundle_auto_pythonpath",
    "bundle_strict", "bios_no_ansi", "bios_stack_margin", "libc_mode", "no_integrated_rom_auto_size",
    "hierarchical_verilog", "build_log")

# A default of LiteX's parser and an argument of its Builder: newer versions lead all output through a pipe of their own
# otherwise, where no terminal is seen any more, and write a log beside that of a build's stage.
NO_BUILD_LOG = {"build_log": False} if "build_log" in inspect.signature(Builder.__init__).parameters else {}

# Keywords of Builder.add_software_library() for a library that nothing refers to, as one with a command of the BIOS:
# 2024.12 links whatever a library has, newer versions only what is called.
ALWAYS_LINK = {"always_link": True} if "always_link" in inspect.signature(Builder.add_software_library).parameters \
    else {}

# CSR bridge ---------------------------------------------------------------------------------------

# The keyword of SoC.add_csr_bridge() that puts registers into the bridge.
_REGISTER = next(name for name in ("with_register", "register") if name in
    inspect.signature(SoC.add_csr_bridge).parameters)


def with_bridge_register(kwargs: dict[str, object], registered: bool) -> dict[str, object]:
    """Keywords of SoC.add_csr_bridge(), with registers in the bridge where `kwargs` or `registered` ask for them."""
    return {**kwargs, _REGISTER: bool(kwargs.get(_REGISTER)) or registered}
