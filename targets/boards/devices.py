#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What FPGAs hold, as their place and route tools count it."""

import re
from dataclasses import dataclass

# Shapes of a block RAM (words, bits), for each family.
_SHAPES_18K = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18), (512, 36))
SHAPES = {
    "ecp5":    _SHAPES_18K,
    "gowin":   _SHAPES_18K,
    "xilinx7": _SHAPES_18K,
    "nexus":   _SHAPES_18K,
    "ice40":   ((2048, 2), (1024, 4), (512, 8), (256, 16)),
    "m9k":     ((8192, 1), (4096, 2), (2048, 4), (1024, 9), (512, 18), (256, 36)),
    "m10k":    ((8192, 1), (4096, 2), (2048, 5), (1024, 10), (512, 20), (256, 40)),
    "trion":   ((4096, 1), (2048, 2), (1024, 5), (512, 10), (256, 20)),
}


@dataclass(frozen=True)
class Device:
    """An FPGA.

    Attributes
    ----------
    name : as boards name it.
    family : of SHAPES.
    lut : 4-input look-up tables, or 6-input ones in `xilinx7`.
    ff : flip-flops.
    bram : block RAMs of the shapes of the family.
    dsp : multipliers of 18 x 18 bits or more (16 x 16 in `ice40`); 0 where there are none.
    spram : large RAMs of one port, 16384 words of 16 bits.
    """
    name:   str
    family: str
    lut:    int
    ff:     int
    bram:   int
    dsp:    int
    spram:  int = 0


# A pattern that the names of platforms' devices are searched for, and the device. The 12F is a 25F that was sold
# as less: the open tools use all of it.
_DEVICES = {
    r"^LFE5U-12F":       Device("LFE5U-12F",    "ecp5",    24288,  24288,   56,   28),
    r"^LFE5U(M|M5G)?-25F": Device("LFE5U-25F",  "ecp5",    24288,  24288,   56,   28),
    r"^LFE5U(M|M5G)?-45F": Device("LFE5U-45F",  "ecp5",    43848,  43848,  108,   72),
    r"^LFE5U(M|M5G)?-85F": Device("LFE5U-85F",  "ecp5",    83640,  83640,  208,  156),
    r"^LIFCL-40":        Device("LIFCL-40",     "nexus",   32256,  32256,   84,   56),
    r"^ICE40-UP5K":      Device("iCE40-UP5K",   "ice40",    5280,   5280,   30,    8, 4),
    r"^ICE40-HX8K":      Device("iCE40-HX8K",   "ice40",    7680,   7680,   32,    0),
    r"^GW2AR?-(LV)?18":  Device("GW2A-18",      "gowin",   20736,  15552,   46,   48),
    r"^GW1NR?-(LV)?9":   Device("GW1N-9",       "gowin",    8640,   6480,   26,   20),
    r"^GW1NS[ER]*-(LV)?4": Device("GW1NS-4",    "gowin",    4608,   3456,   10,   16),
    r"^XC7A15T":         Device("XC7A15T",      "xilinx7", 10400,  20800,   50,   45),
    r"^XC7A35T":         Device("XC7A35T",      "xilinx7", 20800,  41600,  100,   90),
    r"^XC7A50T":         Device("XC7A50T",      "xilinx7", 32600,  65200,  150,  120),
    r"^XC7A75T":         Device("XC7A75T",      "xilinx7", 47200,  94400,  210,  180),
    r"^XC7A100T":        Device("XC7A100T",     "xilinx7", 63400, 126800,  270,  240),
    r"^XC7A200T":        Device("XC7A200T",     "xilinx7", 134600, 269200, 730,  740),
    r"^XC7S50":          Device("XC7S50",       "xilinx7", 32600,  65200,  150,  120),
    r"^XC7K70T":         Device("XC7K70T",      "xilinx7", 41000,  82000,  270,  240),
    r"^XC7K160T":        Device("XC7K160T",     "xilinx7", 101400, 202800, 650,  600),
    r"^XC7K325T":        Device("XC7K325T",     "xilinx7", 203800, 407600, 890,  840),
    r"^XC7Z010":         Device("XC7Z010",      "xilinx7", 17600,  35200,  120,   80),
    r"^XC7Z020":         Device("XC7Z020",      "xilinx7", 53200, 106400,  280,  220),
    r"^EP4CE15":         Device("EP4CE15",      "m9k",     15408,  15408,   56,   56),
    r"^EP4CE22":         Device("EP4CE22",      "m9k",     22320,  22320,   66,   66),
    r"^EP4CE55":         Device("EP4CE55",      "m9k",     55856,  55856,  260,  154),
    r"^EP4CE115":        Device("EP4CE115",     "m9k",    114480, 114480,  432,  266),
    r"^EP4CGX150":       Device("EP4CGX150",    "m9k",    149760, 149760,  720,  360),
    r"^10CL006":         Device("10CL006",      "m9k",      6272,   6272,   30,   15),
    r"^10CL025":         Device("10CL025",      "m9k",     24624,  24624,   66,   66),
    r"^10CL055":         Device("10CL055",      "m9k",     55856,  55856,  260,  156),
    r"^10M08":           Device("10M08",        "m9k",      8064,   8064,   42,   24),
    r"^10M50":           Device("10M50",        "m9k",     49760,  49760,  182,  144),
    r"^5CEBA2|^5CEFA2":  Device("5CEBA2",       "m10k",    25000,  37736,  176,   50),
    r"^5CEFA5":          Device("5CEFA5",       "m10k",    77000, 116320,  446,  300),
    r"^5CSEMA5|^5CSEBA5": Device("5CSEMA5",     "m10k",    85000, 128300,  397,  174),
    r"^5CSEBA6|^5CSXFC6": Device("5CSEBA6",     "m10k",   110000, 166036,  557,  224),
    r"^T120":            Device("T120",         "trion",  112128, 112128, 1056,  320),
    r"^T20":             Device("T20",          "trion",   19728,  19728,  204,   36),
}


def find_device(name: str) -> Device | None:
    """The device that a platform or an option names; None where nothing is known of it."""
    for pattern, device in _DEVICES.items():
        if re.search(pattern, name, re.IGNORECASE):
            return device
    return None
