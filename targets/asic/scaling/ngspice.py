# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Transient simulations by ngspice: a circuit in, waveforms out; and what is read from waveforms."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from targets.tools.process import run_program

# Tighter than ngspice's own, so that delays hold to a tenth of a picosecond where steps are long between the edges.
OPTIONS = ".options reltol=1e-4 trtol=1"

# Where the waveforms are told.
WAVES = "waves.txt"


@dataclass(frozen=True)
class Waves:
    """Waveforms of a simulation.

    Attributes
    ----------
    seconds : float64 [points], ascending.
    values : by the name that they were asked for: v(net) in volt, i(source) in ampere into its positive end; float64
        [points].
    """
    seconds: np.ndarray
    values:  dict[str, np.ndarray]


def version() -> str:
    """ngspice's name with its version. Raises QCLIFError where there is none."""
    match = re.search(r"ngspice-\S+", run_program(["ngspice", "-v"]).text)
    return match[0] if match else "ngspice of unknown version"


def transient(circuit: Sequence[str], names: Sequence[str], until_ns: float, longest_ps: float) -> Waves:
    """Simulate a circuit from its state at rest.

    Parameters
    ----------
    circuit : lines of the deck; names of models and files in it are absolute.
    names : v(net) and i(source) that are kept.
    until_ns : time that is simulated.
    longest_ps : longest step.

    Raises
    ------
    QCLIFError : ngspice is missing, or fails; its reason in one line.
    """
    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder, "deck.sp")
        deck.write_text("\n".join(["* qclif", *circuit, OPTIONS, f".tran 1p {until_ns:g}n 0 {longest_ps:g}p",
            # Threads wait for each other in busy loops; cells are too small to gain by them.
            ".control", "set num_threads=1", "set noinit", "set wr_singlescale", "set wr_vecnames", "run",
            f"wrdata {WAVES} {' '.join(names)}", ".endc", ".end", ""]))
        # Without -n it reads the user's own settings.
        done = run_program(["ngspice", "-n", "-b", deck.name], deck.parent)
        try:
            # A simulation that broke off has no waveforms, or ends too early.
            columns = np.loadtxt(deck.with_name(WAVES), skiprows=1, ndmin=2).T
            if columns[0, -1] < until_ns*1e-9*(1 - 1e-6):
                raise ValueError(f"it ends after {columns[0, -1]*1e9:.3g} of {until_ns:g} ns")
        except (OSError, ValueError, IndexError) as error:
            lines = [line.strip() for line in done.text.splitlines() if "rror" in line or "Too many" in line]
            raise QCLIFError(f"ngspice gave no waveforms: {lines[0] if lines else error}; check the transistor models "
                f"and the cells' netlists") from error
    return Waves(columns[0], dict(zip(names, columns[1:], strict=True)))

# Reading waveforms ---------------------------------------------------------------------------------

def crossings(seconds: np.ndarray, wave: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Times at which a wave crosses a level, float64 [n], and whether it rises there, bool [n]."""
    above  = wave >= level
    before = np.flatnonzero(above[:-1] != above[1:])
    share  = (level - wave[before])/(wave[before + 1] - wave[before])
    return seconds[before] + share*(seconds[before + 1] - seconds[before]), above[before + 1]


def delays(seconds: np.ndarray, cause: np.ndarray, effect: np.ndarray, level: float, after: float
        ) -> tuple[float, float]:
    """Mean delay, s, of the effect's rises and falls after the last edge of the cause before each; nan where there is
    none. Edges of the effect before the time `after` do not count."""
    causes, _     = crossings(seconds, cause, level)
    effects, rise = crossings(seconds, effect, level)
    found = [(when - earlier[-1], up) for when, up in zip(effects, rise, strict=True)
        if when > after and len(earlier := causes[causes < when])]
    return tuple(float(np.mean(chosen)) if (chosen := [delay for delay, up in found if up == edge]) else float("nan")
        for edge in (True, False))


def slew(seconds: np.ndarray, wave: np.ndarray, volts: float) -> float:
    """Mean time, s, of a wave's edges from 30 to 70 % of the supply, as Liberty has slews."""
    low, high = (crossings(seconds, wave, part*volts)[0] for part in (0.3, 0.7))
    return float(np.mean(np.abs(high - low)))


def mean_watts(waves: Waves, sources: Sequence[tuple[str, str]], start: float, stop: float) -> float:
    """Mean power, W, that sources give in a time.

    Parameters
    ----------
    sources : name of each source and of the net at its positive end.
    """
    power = -sum(waves.values[f"v({net})"]*waves.values[f"i({source})"] for source, net in sources)
    times = np.unique(np.clip(waves.seconds, start, stop))
    return float(np.trapezoid(np.interp(times, waves.seconds, power), times)/(stop - start))
