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
    lut : 4-input look-up tables, or 6-input ones in `xilinx7`, which stands for all of its vendor.
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
    r"^LFE5U-12F":                Device("LFE5U-12F",   "ecp5",      24288,   24288,   56,    28),
    r"^LFE5U(M|M5G)?-25F":        Device("LFE5U-25F",   "ecp5",      24288,   24288,   56,    28),
    r"^LFE5U(M|M5G)?-45F":        Device("LFE5U-45F",   "ecp5",      43848,   43848,  108,    72),
    r"^LFE5U(M|M5G)?-85F":        Device("LFE5U-85F",   "ecp5",      83640,   83640,  208,   156),
    r"^LIFCL-40":                 Device("LIFCL-40",    "nexus",     32256,   32256,   84,    56),
    r"^ICE40-UP5K":               Device("iCE40-UP5K",  "ice40",      5280,    5280,   30,     8, 4),
    r"^ICE40-HX8K":               Device("iCE40-HX8K",  "ice40",      7680,    7680,   32,     0),
    r"^GW2AR?-(LV)?18":           Device("GW2A-18",     "gowin",     20736,   15552,   46,    48),
    r"^GW5AST-(LV)?138":          Device("GW5AST-138",  "gowin",    138240,  138240,  340,   298),
    r"^GW1NR?-(LV|UV)1(?!\d)":    Device("GW1N-1",      "gowin",      1152,     864,    4,     0),
    r"^GW1NR?-(LV|UV)4":          Device("GW1N-4",      "gowin",      4608,    3456,   10,    16),
    r"^GW1NR?-(LV)?9":            Device("GW1N-9",      "gowin",      8640,    6480,   26,    20),
    r"^GW1NS[ER]*-(LV)?4":        Device("GW1NS-4",     "gowin",      4608,    3456,   10,    16),
    r"^GW5A-(LV)?25":             Device("GW5A-25",     "gowin",     23040,   23040,   56,    28),
    r"^XC6SLX9(?!\d)":            Device("XC6SLX9",     "xilinx7",    5720,   11440,   32,    16),
    r"^XC6SLX16":                 Device("XC6SLX16",    "xilinx7",    9112,   18224,   32,    32),
    r"^XC6SLX25":                 Device("XC6SLX25",    "xilinx7",   15032,   30064,   52,    38),
    r"^XC6SLX45":                 Device("XC6SLX45",    "xilinx7",   27288,   54576,  116,    58),
    r"^XC6SLX75":                 Device("XC6SLX75",    "xilinx7",   46648,   93296,  172,   132),
    r"^XC6SLX100":                Device("XC6SLX100",   "xilinx7",   63288,  126576,  268,   180),
    r"^XC6SLX150":                Device("XC6SLX150",   "xilinx7",   92152,  184304,  268,   180),
    r"^XC7A15T":                  Device("XC7A15T",     "xilinx7",   10400,   20800,   50,    45),
    r"^XC7A35T":                  Device("XC7A35T",     "xilinx7",   20800,   41600,  100,    90),
    r"^XC7A50T":                  Device("XC7A50T",     "xilinx7",   32600,   65200,  150,   120),
    r"^XC7A75T":                  Device("XC7A75T",     "xilinx7",   47200,   94400,  210,   180),
    r"^XC7A100T":                 Device("XC7A100T",    "xilinx7",   63400,  126800,  270,   240),
    r"^XC7A200T":                 Device("XC7A200T",    "xilinx7",  134600,  269200,  730,   740),
    r"^XC7S15":                   Device("XC7S15",      "xilinx7",    8000,   16000,   20,    20),
    r"^XC7S25":                   Device("XC7S25",      "xilinx7",   14600,   29200,   90,    80),
    r"^XC7S50":                   Device("XC7S50",      "xilinx7",   32600,   65200,  150,   120),
    r"^XC7K70T":                  Device("XC7K70T",     "xilinx7",   41000,   82000,  270,   240),
    r"^XC7K160T":                 Device("XC7K160T",    "xilinx7",  101400,  202800,  650,   600),
    r"^XC7K325T":                 Device("XC7K325T",    "xilinx7",  203800,  407600,  890,   840),
    r"^XC7K410T":                 Device("XC7K410T",    "xilinx7",  254200,  508400, 1590,  1540),
    r"^XC7K420T":                 Device("XC7K420T",    "xilinx7",  260600,  521200, 1670,  1680),
    r"^XC7K480T":                 Device("XC7K480T",    "xilinx7",  298600,  597200, 1910,  1920),
    r"^XC7VX485T":                Device("XC7VX485T",   "xilinx7",  303600,  607200, 2060,  2800),
    r"^XC7Z010":                  Device("XC7Z010",     "xilinx7",   17600,   35200,  120,    80),
    r"^XC7Z020":                  Device("XC7Z020",     "xilinx7",   53200,  106400,  280,   220),
    r"^XC7Z030":                  Device("XC7Z030",     "xilinx7",   78600,  157200,  530,   400),
    r"^XC7Z045":                  Device("XC7Z045",     "xilinx7",  218600,  437200, 1090,   900),
    r"^XCKU035":                  Device("XCKU035",     "xilinx7",  203128,  406256, 1080,  1700),
    r"^XCKU040":                  Device("XCKU040",     "xilinx7",  242400,  484800, 1200,  1920),
    r"^XCVU33P":                  Device("XCVU33P",     "xilinx7",  439680,  879360, 1344,  2880),
    r"^XCVU9P|^XCU200":           Device("XCVU9P",      "xilinx7", 1182240, 2364480, 4320,  6840),
    r"^XCVU37P|^XCU280":          Device("XCVU37P",     "xilinx7", 1303680, 2607360, 4032,  9024),
    r"^XCU250":                   Device("XCU250",      "xilinx7", 1728000, 3456000, 5376, 12288),
    r"^XCZU2(?!\d)":              Device("XCZU2",       "xilinx7",   47232,   94464,  300,   240),
    r"^XCZU3(?!\d)":              Device("XCZU3",       "xilinx7",   70560,  141120,  432,   360),
    r"^XCZU5(?!\d)|^XCK26":       Device("XCZU5",       "xilinx7",  117120,  234240,  288,  1248),
    r"^XCZU7(?!\d)":              Device("XCZU7",       "xilinx7",  230400,  460800,  624,  1728),
    r"^XCZU9(?!\d)":              Device("XCZU9",       "xilinx7",  274080,  548160, 1824,  2520),
    r"^XCZU11":                  Device("XCZU11",      "xilinx7",  298560,  597120, 1200,  2928),
    r"^EP3C25":                   Device("EP3C25",      "m9k",       24624,   24624,   66,    66),
    r"^EP4CE6":                   Device("EP4CE6",      "m9k",        6272,    6272,   30,    15),
    r"^EP4CE10":                  Device("EP4CE10",     "m9k",       10320,   10320,   46,    23),
    r"^EP4CE15":                  Device("EP4CE15",     "m9k",       15408,   15408,   56,    56),
    r"^EP4CE22":                  Device("EP4CE22",     "m9k",       22320,   22320,   66,    66),
    r"^EP4CE30":                  Device("EP4CE30",     "m9k",       28848,   28848,   66,    66),
    r"^EP4CE40":                  Device("EP4CE40",     "m9k",       39600,   39600,  126,   116),
    r"^EP4CE55":                  Device("EP4CE55",     "m9k",       55856,   55856,  260,   154),
    r"^EP4CE115":                 Device("EP4CE115",    "m9k",      114480,  114480,  432,   266),
    r"^EP4CGX150":                Device("EP4CGX150",   "m9k",      149760,  149760,  720,   360),
    r"^10CL006":                  Device("10CL006",     "m9k",        6272,    6272,   30,    15),
    r"^10CL016":                  Device("10CL016",     "m9k",       15408,   15408,   56,    56),
    r"^10CL025":                  Device("10CL025",     "m9k",       24624,   24624,   66,    66),
    r"^10CL055":                  Device("10CL055",     "m9k",       55856,   55856,  260,   156),
    r"^10M08":                    Device("10M08",       "m9k",        8064,    8064,   42,    24),
    r"^10M16":                    Device("10M16",       "m9k",       15840,   15840,   61,    45),
    r"^10M50":                    Device("10M50",       "m9k",       49760,   49760,  182,   144),
    r"^5CEBA2|^5CEFA2":           Device("5CEBA2",      "m10k",      25000,   37736,  176,    50),
    r"^5CEBA4|^5CEFA4":           Device("5CEBA4",      "m10k",      49000,   73920,  308,   132),
    r"^5CEFA5":                   Device("5CEFA5",      "m10k",      77000,  116320,  446,   300),
    r"^5CSEMA5|^5CSEBA5":         Device("5CSEMA5",     "m10k",      85000,  128300,  397,   174),
    r"^5CSEBA6|^5CSXFC6":         Device("5CSEBA6",     "m10k",     110000,  166036,  557,   224),
    r"^T120":                     Device("T120",        "trion",    112128,  112128, 1056,   320),
    r"^T20":                      Device("T20",         "trion",     19728,   19728,  204,    36),
}


def find_device(name: str) -> Device | None:
    """The device that a platform or an option names; None where nothing is known of it."""
    for pattern, device in _DEVICES.items():
        if re.search(pattern, name, re.IGNORECASE):
            return device
    return None
