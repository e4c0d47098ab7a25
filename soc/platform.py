# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from litex.build.generic_platform import GenericPlatform, Pins, Subsignal

# IOs ----------------------------------------------------------------------------------------------

_io = [
    ("serial", 0,
        Subsignal("tx", Pins(1)),
        Subsignal("rx", Pins(1)),
    ),
]

# Platform -----------------------------------------------------------------------------------------

class Platform(GenericPlatform):
    """A platform without a board: the pins of a UART are all that it has.

    Parameters
    ----------
    device : what the design is for, as LiteX's tools name it.
    """
    def __init__(self, device=""):
        GenericPlatform.__init__(self, device, list(_io), name="qclif_soc")
