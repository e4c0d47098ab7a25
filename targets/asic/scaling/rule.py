# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How delay, energy and leakage change with the supply, at 25 C and the typical process: the rule, and its error.

A quantity of a design is that at 1.1 V times a factor: the mean, over the cells that were simulated, of what became of
theirs. Memories have the factors of logic, but for their leakage, which is that of a bit cell.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from accel.errors import QCLIFError

RULE    = Path(__file__).with_name("rule.json")
COMMAND = "python -m targets.asic.voltage --characterise"

# Of the given Liberty's typical corner, whose figures the rule scales.
NOMINAL_V = 1.1

BIT_CELL = "SRAM bit cell"


class Point(msgspec.Struct, frozen=True):
    """Cells in one condition.

    Attributes
    ----------
    process : "nom", "ss" or "ff".
    voltage, temperature : V, degrees C.
    delay_ps : of the output's rise and of its fall, by arc.
    energy_fj : of a rise and a fall with the load, by arc.
    leakage_nw : by cell.
    """
    process:     str
    voltage:     float
    temperature: float
    delay_ps:    dict[str, tuple[float, float]]
    energy_fj:   dict[str, float]
    leakage_nw:  dict[str, float]


class Factors(msgspec.Struct, frozen=True):
    """What quantities are multiplied with; 1 at 1.1 V, 25 C and the typical process.

    Attributes
    ----------
    bit_leakage : of memories' bit cells; None of Liberty, which has none.
    """
    delay:       float
    energy:      float
    leakage:     float
    bit_leakage: float | None


class Rule(msgspec.Struct, frozen=True):
    """What was simulated, and what Liberty says.

    Attributes
    ----------
    tools : that simulated it.
    load_ff : at each output.
    supplies : typical process, 25 C, by rising voltage.
    corners, liberty : by the name of each of the PDK's corners: simulated in it, and as its Liberty has it.
    """
    tools:    dict[str, str]
    load_ff:  float
    supplies: list[Point]
    corners:  dict[str, Point]
    liberty:  dict[str, Point]

    @classmethod
    def load(cls, path: Path = RULE) -> "Rule":
        """The rule of a file. Raises QCLIFError where there is none that can be read."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise QCLIFError(f"{path} is no rule for supplies ({error}): {COMMAND} writes it, within minutes") \
                from error

    @property
    def nominal(self) -> Point:
        """The supply that all factors are relative to."""
        return next(point for point in self.supplies if point.voltage == NOMINAL_V)

    @property
    def voltages(self) -> list[float]:
        """Supplies that the rule knows, V."""
        return [point.voltage for point in self.supplies]

    def at(self, voltage: float) -> Factors:
        """Factors at a supply.

        Raises
        ------
        QCLIFError : it is not simulated.
        """
        for point in self.supplies:
            if math.isclose(point.voltage, voltage):
                return factors(point, self.nominal)
        raise QCLIFError(f"the rule for supplies has none of {voltage:g} V: choose one of "
            f"{', '.join(f'{each:g}' for each in self.voltages)}")

    def simulated(self, corner: str) -> Factors:
        """Factors between the typical corner and another one, by simulation."""
        return factors(self.corners[corner], self.corners["typ"])

    def given(self, corner: str) -> Factors:
        """Factors between the typical corner and another one, by Liberty."""
        return factors(self.liberty[corner], self.liberty["typ"])

    def corner_delay(self, voltage: float, given: Mapping[str, float]) -> float:
        """Factor of delays at a supply if all of the error in the corner on the same side were the supply's doing:
        the power of the rule's factor with which the corner's own comes out.

        Parameters
        ----------
        given : factor of delays in "slow" and "fast".
        """
        corner = "slow" if voltage < NOMINAL_V else "fast"
        power  = math.log(given[corner])/math.log(self.simulated(corner).delay)
        return self.at(voltage).delay**power


def mean(values: Iterable[float]) -> float:
    """Geometric mean."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs)/len(logs))


def factors(point: Point, base: Point) -> Factors:
    """What became of the cells of `base` at another point: the mean of all arcs, and of all cells."""
    def ratio(of: Callable[[Point], dict[str, float]], names: Iterable[str]) -> float:
        return mean(of(point)[name]/of(base)[name] for name in names)

    cells = [name for name in point.leakage_nw if name != BIT_CELL]
    bits  = BIT_CELL in point.leakage_nw and BIT_CELL in base.leakage_nw
    return Factors(
        delay       = ratio(lambda each: {name: sum(edges) for name, edges in each.delay_ps.items()}, point.delay_ps),
        energy      = ratio(lambda each: each.energy_fj, point.energy_fj),
        leakage     = ratio(lambda each: each.leakage_nw, cells),
        bit_leakage = ratio(lambda each: each.leakage_nw, [BIT_CELL]) if bits else None)
