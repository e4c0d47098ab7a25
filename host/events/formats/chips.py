# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Cameras by the names that files have for them: their sensors' sizes, and their address words in AEDAT 2."""

import re
from typing import NamedTuple


class Layout(NamedTuple):
    """Address word of AEDAT 2, as its document has it: (shift, mask) of each field; polarity 1 is ON."""
    x:         tuple[int, int]
    y:         tuple[int, int]
    polarity:  tuple[int, int]
    # Bits of which one is set in anything but a pixel's event; bits that are never set in a pixel's event.
    other:     int
    forbidden: int


# DVS128: bit 15 is an external input, or the second camera of a stereo pair. DAVIS: frames and IMU samples have bit 31,
# external inputs bit 10.
DVS   = Layout((1,  0x07F), (8,  0x07F), (0,  1), 0x80000000, 0x7FFF0000)
DAVIS = Layout((12, 0x3FF), (22, 0x1FF), (11, 1), 0x80000400, 0)

# Bit of a DVS layout that tells the second camera.
SECOND = 0x8000


class Chip(NamedTuple):
    """A camera of AEDAT 2 and 3.1: its pixels (W, H) and address word."""
    size:   tuple[int, int]
    layout: Layout


CHIPS = {
    "DVS128":   Chip((128, 128), DVS),
    "DAVIS128": Chip((128, 128), DAVIS),
    "DAVIS208": Chip((208, 192), DAVIS),
    "DAVIS240": Chip((240, 180), DAVIS),
    "DAVIS346": Chip((346, 260), DAVIS),
    "DAVIS640": Chip((640, 480), DAVIS),
}

# Other names of jAER's classes for them.
CLASSES = {"TMPDIFF128": "DVS128", "SBRET": "DAVIS240", "DAVISRGBW640": "DAVIS640"}


def chip_named(text: str) -> str | None:
    """Key of CHIPS for a name in a file, as Davis240C or eu.seebetter.ini.chips.davis.DAVIS346mini; None for others."""
    text = text.upper()
    return next((key for name, key in [*CLASSES.items(), *((key, key) for key in CHIPS)] if name in text), None)


# Prophesee's sensors. system_ID and plug-in names are those of OpenEB's hal_psee_plugins.
VGA, HD, GENX320 = (640, 480), (1280, 720), (320, 320)

_GEN3  = (0x15, 0x17, 0x97, 0x19, 0x99, 0x1D, 0x21, 0xA1, 0x1C, 0x22, 0xA2, 0x23, 0x28, 0x29)
_GEN4  = (0x1A, 0x9A, 0x1E, 0x1F, 0x20, 0x2E, 0x27, 0x30, 0x31, 0x32, 0x34, 0x35, 0x36, 0x3A, 0x42)
_GENX  = (0x3B, 0x40)

SYSTEMS = dict.fromkeys(_GEN3, VGA) | dict.fromkeys(_GEN4, HD) | dict.fromkeys(_GENX, GENX320)

# Sensors in names of plug-ins and sensors, as hal_plugin_gen41_evk3 or IMX636.
_SENSORS = {re.compile("gen31?(?![0-9])"): VGA, re.compile("gen4[0-2]?(?![0-9])|imx(636|637|646|647)"): HD,
    re.compile("genx320"): GENX320}


def sensor_named(text: str) -> tuple[int, int] | None:
    """Pixels (W, H) of the Prophesee sensor in a name; None where it has none that is known."""
    sizes = {size for pattern, size in _SENSORS.items() if pattern.search(text.lower())}
    return sizes.pop() if len(sizes) == 1 else None
