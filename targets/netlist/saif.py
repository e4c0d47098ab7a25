# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Activity of a netlist as SAIF, for other tools' power.

    read_saif -scope qclif_core activity.saif.gz             # OpenSTA, since 2024

Tools differ in what they look for: nets by their names, as the standard has it, or, as OpenSTA does, pins of cells by
theirs. Both are there: the nets of each module, and as "nets" of each cell what its outputs drive.
"""

import gzip
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from host.common.atomic import whole_file
from targets.netlist.netlist import Module, Netlist
from targets.netlist.toggles import Activity

# What is a mark of the format, or of a name with a bit, within a name.
_MARKS = re.compile(r"([^\w$.])")


def write_saif(path: Path, activity: Activity, netlist: Netlist, outputs: Mapping[str, Collection[str]],
        period_ns: float) -> None:
    """Write a .gz of SAIF.

    Parameters
    ----------
    outputs : names of the output pins of each cell, by the cell's name.
    period_ns : of the clock.
    """
    with whole_file(path) as file, gzip.GzipFile("", "wb", 4, file, mtime=0) as text:
        for line in _lines(activity, netlist, outputs, round(1000*period_ns)):
            text.write(f"{line}\n".encode())


def _lines(activity: Activity, netlist: Netlist, outputs: Mapping[str, Collection[str]], period_ps: int
        ) -> Iterator[str]:
    yield from ("(SAIFILE", '(SAIFVERSION "2.0")', '(DIRECTION "backward")', f'(DESIGN "{netlist.top}")',
        "(DIVIDER / )", "(TIMESCALE 1 ps)", f"(DURATION {activity.clocks*period_ps})", f"(INSTANCE {netlist.top}")
    yield from _module(activity, netlist, outputs, period_ps, (), netlist.modules[netlist.top])
    yield ")"
    yield ")"


def _module(activity: Activity, netlist: Netlist, outputs: Mapping[str, Collection[str]], period_ps: int,
        place: tuple[str, ...], module: Module) -> Iterator[str]:
    """What is within an instance of a module, and of the modules below it."""
    toggles, ones = activity.toggles[place], activity.ones[place]

    def net(name: str, number: int) -> str:
        high = round(ones[number]*period_ps)
        return f"({_escaped(name)} (T0 {activity.clocks*period_ps - high}) (T1 {high}) (TX 0) " \
            f"(TC {toggles[number]}) (IG 0))"

    yield "(NET"
    for number in range(len(module.nets)):
        yield net(module.name_of(number), number)
    yield ")"
    for each in module.instances:
        below = netlist.modules.get(each.cell)
        pins  = [] if below else [(pin if len(nets) == 1 else f"{pin}[{bit}]", number)
            for pin, nets in each.pins.items() if pin in outputs[each.cell] for bit, number in enumerate(nets)
            if number >= 0]
        if below or pins:
            yield f"(INSTANCE {_escaped(each.name)}"
            if below:
                yield from _module(activity, netlist, outputs, period_ps, (*place, each.name), below)
            else:
                yield from ("(NET", *(net(*pin) for pin in pins), ")")
            yield ")"


def _escaped(name: str) -> str:
    return _MARKS.sub(r"\\\1", name)
