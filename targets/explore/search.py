# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Designs that are looked at, and which of them are best: goals, limits, order and Pareto front."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from accel.config import LIMITS, QCLIFConfig
from accel.errors import QCLIFError

# Groups that lanes are made for; besides these, lanes are powers of two.
GROUPS = range(1, 9)


@dataclass(frozen=True)
class Design:
    """A design and what is foretold of it.

    Attributes
    ----------
    sizes : of the core.
    clock_mhz : its clock.
    memory : what its memories save, of targets.asic.platform.tiling.OBJECTIVES; "" on FPGAs.
    figures : by the names of FIGURES, among them those of the target's goals.
    """
    sizes:     QCLIFConfig
    clock_mhz: float
    memory:    str
    figures:   dict[str, float]

    @property
    def shape(self) -> tuple[int, int]:
        """P and Q."""
        return self.sizes.lanes, self.sizes.updates


class Figure(NamedTuple):
    """What is told of a design: text and unit."""
    text: str
    unit: str = ""

    @property
    def title(self) -> str:
        return f"{self.text}, {self.unit}" if self.unit else self.text


FIGURES = {
    "clocks":        Figure("clocks a step"),
    "latency":       Figure("step", "us"),
    "longest":       Figure("longest step", "us"),
    "area":          Figure("area", "mm2"),
    "logic":         Figure("of it logic", "mm2"),
    "energy":        Figure("energy a step", "pJ"),
    "neuron_update": Figure("neuron update", "pJ"),
    "fmax":          Figure("highest clock", "MHz"),
    "luts":          Figure("look-up tables"),
    "ff":            Figure("flip-flops"),
    "bram":          Figure("block RAMs"),
    "dsp":           Figure("multipliers"),
}

# Goals, which are figures, and those that decide between equal designs, in this order.
GOALS = {
    "energy":  "least energy a step, without pauses between steps",
    "area":    "least area, memories included",
    "latency": "shortest time step",
    "luts":    "fewest look-up tables",
}


def shapes(neurons: int, fixed: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Lanes P and neurons Q updated a clock that are worth a look.

    Lanes are powers of two, and for few groups as many as the groups need; others have more of something for nothing.

    Parameters
    ----------
    fixed : sizes that the user names; "lanes" and "updates" count here.
    """
    most = 1 << (neurons - 1).bit_length()
    wide = {2**n for n in range(most.bit_length())}
    for updates in [fixed["updates"]] if "updates" in fixed else sorted(wide):
        even  = {-(-neurons//(groups*updates))*updates for groups in GROUPS if groups <= neurons}
        lanes = {fixed["lanes"]} if "lanes" in fixed else wide | even
        for each in sorted(lanes):
            if each % updates == 0 and each <= LIMITS["lanes"][1]:
                yield each, updates


def within(designs: Iterable[Design], limits: Mapping[str, float]) -> list[Design]:
    """Designs that exceed none of the limits of figures.

    Raises
    ------
    QCLIFError : none does; it tells of the first limit that leaves none.
    """
    kept = list(designs)
    for name, limit in limits.items():
        under = [each for each in kept if each.figures[name] <= limit]
        if not under:
            least = min(kept, key=lambda each: each.figures[name])
            raise QCLIFError(f"--max-{name} is {limit:g}: the least {FIGURES[name].title} of {len(kept)} designs is "
                f"{least.figures[name]:.4g} (P = {least.sizes.lanes}, Q = {least.sizes.updates}, "
                f"{least.clock_mhz:g} MHz): raise it")
        kept = under
    return kept


def ranked(designs: Iterable[Design], goal: str) -> list[Design]:
    """The best design of each shape, best first; between equal ones other goals decide."""
    def cost(design: Design) -> list[float]:
        return [design.figures[name] for name in dict.fromkeys((goal, *GOALS)) if name in design.figures]
    best: dict[tuple[int, int], Design] = {}
    for design in sorted(designs, key=cost):
        best.setdefault(design.shape, design)
    return list(best.values())


def front(designs: Sequence[Design], x: str, y: str) -> list[Design]:
    """Designs than which no other one has both figures less, in ascending order of x."""
    kept: list[Design] = []
    for design in sorted(designs, key=lambda each: (each.figures[x], each.figures[y])):
        if not kept or design.figures[y] < kept[-1].figures[y]:
            kept.append(design)
    return kept
