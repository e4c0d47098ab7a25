# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A critical path in few words: how long the signal takes from one name of the design to the next."""

import re
from collections.abc import Collection, Sequence

# (stage, pin, ns after the clock) of each pin on a path.
Points = Sequence[tuple[str, str, float]]

# Cells that the flow added for a load: nothing of the design's.
BUFFER = re.compile(r"(^|[./])buffer_\d+$")

# Names within the spatial design.
_NEURON = re.compile(r"\bneuron\d*\.")
_ADDER  = re.compile(r"\b(apical|soma)(?:\.(?:term|sum)\d+|_total)$")


def path_stages(points: Points, modules: Collection[str]) -> list[tuple[str, float]]:
    """(stretch, ns) of a path, in order.

    A stretch ends where a signal has a name of the design, or where the path leaves a module: "to NAME", or what the
    module is. The first one is what has the name it begins with: register and clock, or the time before an input.

    Parameters
    ----------
    modules : what pins are in that have no name of their own.
    """
    stretches: list[tuple[str, float]] = []
    inside = ""
    for place, (stage, _, arrival) in enumerate(points):
        if place == 0:
            _add(stretches, _plain(stage), arrival)
        elif stage in modules or BUFFER.search(stage):
            if inside and stage in modules and stage != inside:
                _add(stretches, inside, points[place - 1][2])
            inside = stage if stage in modules else inside
        else:
            _add(stretches, f"to {_plain(stage)}", arrival)
            inside = ""
    if inside and points[-1][0] in modules:
        _add(stretches, inside, points[-1][2])
    before = [0.0, *(arrival for _, arrival in stretches)]
    return [(name, arrival - start) for (name, arrival), start in zip(stretches, before, strict=False)]


def summarised(stages: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Stretches of a path as they are the same in every neuron: without its number, each adder tree one stretch."""
    found: list[tuple[str, float]] = []
    for name, delay in stages:
        name = _ADDER.sub(r"\1 adders", _NEURON.sub("", name))
        if found and found[-1][0] == name:
            delay += found.pop()[1]
        found.append((name, delay))
    return found


def _plain(name: str) -> str:
    """A signal without the number of its bit."""
    return re.sub(r"\[\d+\]$", "", name)


def _add(stretches: list[tuple[str, float]], name: str, arrival: float) -> None:
    """End a stretch; bits of one signal after each other are one stretch."""
    if stretches and stretches[-1][0] in (name, name.removeprefix("to ")):
        stretches[-1] = (stretches[-1][0], arrival)
    else:
        stretches.append((name, arrival))

