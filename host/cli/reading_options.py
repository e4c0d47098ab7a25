# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Options of every command that reads recordings: what files may leave open."""

import argparse
import sys

from accel.errors import QCLIFError
from host.events.formats.chips import CHIPS
from host.events.reading import REPAIR_US, TIME_UNITS, Reading

# Lines about files, of which a folder may have thousands.
NOTES_MAX = 10

_notes = 0


def tell(text: str) -> None:
    """A line about a file on standard error; after some, no more."""
    global _notes
    _notes += 1
    if _notes <= NOTES_MAX:
        print(f"note: {text}", file=sys.stderr)
    elif _notes == NOTES_MAX + 1:
        print("note: more such lines are left out", file=sys.stderr)


def _window(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is below 1")
    return value


def add_reading_args(parser: argparse.ArgumentParser | argparse._ArgumentGroup, sensor_size: bool = True) -> None:
    """Add the options; without --sensor-size where a command has it already."""
    if sensor_size:
        parser.add_argument("--sensor-size", type=int, nargs=2, metavar=("W", "H"),
            help="pixels of the sensor, where the files do not tell them")
    parser.add_argument("--chip", type=str.upper, choices=list(CHIPS),
        help="camera of AEDAT 2 files that do not name it")
    parser.add_argument("--camera", type=int, metavar="K", help="which one of several in a file, from 0 up")
    parser.add_argument("--time-unit", choices=list(TIME_UNITS),
        help="of the times in arrays and text, where it is not sure")
    parser.add_argument("--repair", type=_window, nargs="?", const=REPAIR_US, metavar="US",
        help=f"sort events that come late by up to so many us ({REPAIR_US} without a number), and tell how many; "
            "without this option they are refused")


def reading_from_args(args: argparse.Namespace, **changes: object) -> Reading:
    """What the options tell about files.

    Parameters
    ----------
    changes : fields of Reading in place of the options'.

    Raises
    ------
    QCLIFError : a value out of its limits.
    """
    given = {"sensor_size": args.sensor_size and tuple(args.sensor_size), "chip": args.chip, "camera": args.camera,
        "time_unit": args.time_unit, "repair_us": args.repair or 0, "note": tell}
    return Reading(**given | changes)


def check_unused(reading: Reading, where: str) -> None:
    """Raise QCLIFError where an option is given and no files are read, but what `where` says."""
    for name in reading.given:
        option = "repair" if name == "repair_us" else name.replace("_", "-")
        raise QCLIFError(f"--{option} has no effect on {where}, which tells it: leave the option out")
