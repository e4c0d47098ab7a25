# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""SDRAM for the firmware's variables, where block RAM is short."""

from migen import *

from litex.gen import *

from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCCore
from litex.soc.interconnect import wishbone
from litex.soc.interconnect.csr import CSRStorage

# SDRAM --------------------------------------------------------------------------------------------

def add_sdram(soc: SoCCore, phy, module) -> None:
    """Add SDRAM as region "sdram", where our firmware then keeps its variables.

    It is not main RAM, which the CPU engine would take for its own, and has no cache: that would be block RAM.

    Parameters
    ----------
    soc    : SoC with a CSR bus, not yet finalized.
    phy    : LiteDRAM's PHY.
    module : LiteDRAM's description of the chip.
    """
    from litedram.frontend.wishbone import LiteDRAMWishbone2Native
    soc.add_module(name="sdram_phy", module=phy)
    soc.add_sdram("sdram", phy=phy, module=module, with_soc_interconnect=False)
    # What the firmware found when it tested it.
    check         = LiteXModule()
    check._failed = CSRStorage(name="failed", description="The SDRAM does not hold what is written to it.")
    soc.add_module(name="sdram_check", module=check)

    # Bus.
    # ----
    port     = soc.sdram.crossbar.get_port()
    geometry = module.geom_settings
    size     = 2**(geometry.bankbits + geometry.rowbits + geometry.colbits)*phy.settings.databits//8
    bus      = wishbone.Interface(data_width=soc.bus.data_width, address_width=32, addressing="word")
    soc.bus.add_slave("sdram", bus, SoCRegion(size=size, mode="rw"))
    soc.submodules += LiteDRAMWishbone2Native(bus, port, base_address=soc.bus.regions["sdram"].origin)
