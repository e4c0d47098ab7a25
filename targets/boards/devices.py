# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What FPGAs hold, as their place and route tools count it.

devices.csv has a row for each FPGA of a board that can be built for: its name, a regular expression that the names of
platforms' devices are searched for (the first row counts), its family in SHAPES, its cells, and where their numbers are
from: nextpnr's reports, or the maker's data sheet. The LFE5U-12F is a 25F that was sold as less: the open tools use all
of it.
"""

import csv
import functools
import importlib.resources
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


@functools.cache
def _devices() -> dict[re.Pattern, Device]:
    """The table: what a name is searched for, and the device."""
    numbers = ("lut", "ff", "bram", "dsp", "spram")
    with importlib.resources.files(__package__).joinpath("devices.csv").open(newline="") as table:
        return {re.compile(row["pattern"], re.IGNORECASE): Device(row["name"], row["family"],
            **{name: int(row[name]) for name in numbers}) for row in csv.DictReader(table)}


def find_device(name: str) -> Device | None:
    """The device that a platform or an option names, as in find_device("LFE5U-25F-6BG381C"); None where nothing is
    known of it."""
    return next((device for pattern, device in _devices().items() if pattern.search(name)), None)
