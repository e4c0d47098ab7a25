# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Capacitances of routed wires, from the SPEF that an extraction writes."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from targets.netlist.netlist import Module

# Units in fF.
_UNITS = {"PF": 1e3, "FF": 1.0}


def read_spef(path: Path) -> dict[str, float]:
    """Capacitance fF of each net's wire to ground and to its neighbours, by its name without backslashes.

    Raises
    ------
    QCLIFError : it cannot be read, or its capacitances are of no known unit, or include those of pins.
    """
    try:
        with open(path, errors="replace") as file:
            return _capacitances(file, path)
    except OSError as error:
        raise QCLIFError(f"{path}: cannot be read ({error.strerror}): run the stage layout again") from error
    except (ValueError, KeyError, IndexError) as error:
        raise QCLIFError(f"{path}: is no SPEF that can be read ({error}): run the stage layout again") from error


def _capacitances(lines: Iterable[str], path: Path) -> dict[str, float]:
    names, found, unit, mapped = {}, {}, None, False
    for line in lines:
        words = line.split()
        if not words:
            continue
        if words[0] == "*D_NET":
            name = names.get(words[1], words[1]).replace("\\", "")
            found[name] = float(words[2])*unit
        elif words[0] == "*C_UNIT":
            unit = float(words[1])*_UNITS[words[2].upper()]
        elif words[0] == "*DESIGN_FLOW" and "PIN_CAP NONE" not in line:
            raise QCLIFError(f"{path}: capacitances of pins are among those of wires: have it written without them")
        elif words[0] == "*NAME_MAP":
            mapped = True
        elif mapped and re.fullmatch(r"\*\d+", words[0]) and len(words) == 2:
            names[words[0]] = words[1]
        else:
            # Behind the names each net has a part of its own, whose lines begin likewise.
            mapped = mapped and words[0] != "*PORTS" and not found
    return found


def wires_of(module: Module, capacitances: dict[str, float], path: Path) -> np.ndarray:
    """Capacitance fF of the wire at each net of a flat netlist, [nets]; 0 where there is no wire.

    Raises
    ------
    QCLIFError : a wire that is no net of the netlist.
    """
    places = {module.name_of(net).replace("\\", ""): module.resolve(net) for net in range(len(module.nets))}
    if missing := sorted(capacitances.keys() - places.keys()):
        raise QCLIFError(f"{path}: {len(missing)} wires are of no net of {module.name} ({missing[0]} is the first): "
            f"run the stage layout again")
    wires = np.zeros(len(module.nets))
    for name, value in capacitances.items():
        if places[name] >= 0:
            wires[places[name]] += value
    # Nets that are the same have the same wire.
    return np.array([wires[same] if (same := module.resolve(net)) >= 0 else 0.0 for net in range(len(module.nets))])
