# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The model of an ASIC core: coefficients of what its parts grow with, fitted to runs of the flow, and their error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from scipy.optimize import nnls

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from targets.explore.memories import Built
from targets.explore.parts import FAST, KNOWN, LIMITS, PARTS, Terms, Work, area_terms, energy_terms

# What `python -m targets.explore --calibrate` writes.
CALIBRATION = Path(__file__).with_name("calibration.json")

# Figures whose error is told, and what they are.
FIGURES = {"area_logic_um2": "area of the logic", "area_um2": "area with memories", "energy_pj": "energy a step",
    "fmax_mhz": "highest clock"}


@dataclass(frozen=True)
class Point:
    """What the flow told of a design.

    Attributes
    ----------
    sizes, built, work : the core, its memories, and what it did in a step.
    frequency_mhz : its clock.
    recipe : how it was mapped, of targets.asic.synth.recipes.RECIPES.
    areas : um2 of the logic of each of PARTS.
    energies : pJ a step of each of PARTS, SRAM macros among "memories", without any leakage.
    leakage_mw : of the logic.
    fmax_mhz : highest clock.
    """
    sizes:         QCLIFConfig
    built:         dict[str, Built]
    work:          Work
    frequency_mhz: float
    recipe:        str
    areas:         dict[str, float]
    energies:      dict[str, float]
    leakage_mw:    float
    fmax_mhz:      float

    @property
    def fast(self) -> bool:
        """Whether it was mapped for speed."""
        return self.recipe in FAST

    @property
    def figures(self) -> dict[str, float]:
        """FIGURES."""
        return _figures(self, sum(self.areas.values()), sum(self.energies.values()), self.leakage_mw, self.fmax_mhz)


@dataclass(frozen=True)
class Model:
    """Coefficients.

    Attributes
    ----------
    area, energy : of each term of each part, um2 and pJ.
    fmax_mhz : highest clock of logic of each of LIMITS; it hardly follows from the sizes.
    leakage : mW for each um2 of logic.
    """
    area:     Terms
    energy:   Terms
    fmax_mhz: dict[str, float]
    leakage:  float

    def logic_um2(self, sizes: QCLIFConfig, built: Mapping[str, Built], fast: bool) -> float:
        """Area of all but the macros."""
        return _sum(self.area, area_terms(sizes, built, fast))

    def figures(self, point: Point) -> dict[str, float]:
        """FIGURES of a design, of which the point tells all but what the flow found."""
        logic = self.logic_um2(point.sizes, point.built, point.fast)
        moved = _sum(self.energy, energy_terms(point.sizes, point.built, point.fast, point.work))
        return _figures(point, logic, moved, self.leakage*logic, self.fmax_mhz[LIMITS[point.fast]])


@dataclass(frozen=True)
class Calibration:
    """A model, and how far it is off.

    Attributes
    ----------
    errors : of each of FIGURES, mean and greatest relative error for a run that the model was not fitted to (each was
        left out once).
    runs : options and figures of each run, and what a model without it says.
    """
    model:  Model
    errors: dict[str, tuple[float, float]]
    runs:   list[dict[str, object]]

    @classmethod
    def load(cls, path: Path = CALIBRATION) -> "Calibration":
        """The calibration of a file. Raises QCLIFError where there is none that can be read."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise QCLIFError(f"{path} is no calibration ({error}): python -m targets.explore --calibrate writes it, "
                "within an hour") from error


def _figures(point: Point, logic_um2: float, moved_pj: float, leakage_mw: float, fmax_mhz: float) -> dict[str, float]:
    # 1 mW is 1 pJ a ns.
    leakage = leakage_mw + sum(each.leakage_mw for each in point.built.values())
    return {
        "area_logic_um2": logic_um2,
        "area_um2":       logic_um2 + sum(each.area_um2 for each in point.built.values()),
        "energy_pj":      moved_pj + leakage*point.work.clocks*1000/point.frequency_mhz,
        "fmax_mhz":       fmax_mhz,
    }


def _dot(coefficients: Mapping[str, float], terms: Mapping[str, float]) -> float:
    return sum(coefficients.get(name, 0.0)*value for name, value in terms.items())


def _sum(coefficients: Terms, terms: Terms) -> float:
    return sum(_dot(coefficients[part], terms[part]) for part in PARTS)

# Fit ----------------------------------------------------------------------------------------------

def fit(points: Sequence[Point]) -> Model:
    """The model with the least squares of relative errors, part by part, without a negative coefficient."""
    area   = [area_terms(each.sizes, each.built, each.fast) for each in points]
    energy = [energy_terms(each.sizes, each.built, each.fast, each.work) for each in points]
    logic  = np.array([sum(each.areas.values()) for each in points])
    return Model(
        area     = {part: _fit([each[part] for each in area], [each.areas[part] for each in points])
            for part in PARTS},
        energy   = {part: _fit([each[part] for each in energy], [each.energies[part] for each in points])
            for part in PARTS},
        # The geometric mean.
        fmax_mhz = {recipe: float(np.exp(np.mean([np.log(each.fmax_mhz) for each in points if each.recipe == recipe])))
            for recipe in LIMITS},
        leakage  = float(np.mean([each.leakage_mw for each in points]/logic)),
    )


def _fit(terms: Sequence[Mapping[str, float]], values: Sequence[float]) -> dict[str, float]:
    names    = list(dict.fromkeys(name for each in terms for name in each if name not in KNOWN))
    known    = {name: value for name, value in KNOWN.items() if any(name in each for each in terms)}
    matrix   = np.array([[each.get(name, 0.0) for name in names] for each in terms])/np.array(values)[:, None]
    rest     = [1 - _dot(known, each)/value for each, value in zip(terms, values, strict=True)]
    # Quantities differ by many powers of ten.
    scale    = np.maximum(np.abs(matrix).max(axis=0), 1e-30)
    found, _ = nnls(matrix/scale, np.array(rest))
    return known | {name: float(value) for name, value in zip(names, found/scale, strict=True)}


def left_out(points: Sequence[Point]) -> list[dict[str, float]]:
    """FIGURES of each point by a model that was fitted to all others."""
    return [fit([each for each in points if each is not point]).figures(point) for point in points]


def errors_of(points: Sequence[Point], told: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Mean and greatest relative error of FIGURES that were told of points."""
    found = {}
    for name in FIGURES:
        off         = [abs(each[name]/point.figures[name] - 1) for each, point in zip(told, points, strict=True)]
        found[name] = (float(np.mean(off)), max(off))
    return found
