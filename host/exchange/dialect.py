# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What NIR leaves open and frameworks fill in, each in its way: seconds of a step, how a leak is stepped, what r is."""

from dataclasses import dataclass

import nir
import numpy as np

from accel.errors import QCLIFError
from host.exchange.lif import SUBTRACT, SUBTRACT_LATE, V_RESET
from host.exchange.linear_map import refusal

# Seconds of a step where neither option nor metadata name them: snntorch writes and reads this one.
DT = 1e-4

# Rounding of float32 parameters, relative.
ROUNDING = 1e-5

# Steps of the longest time constant that an assumed dt may give: above, it is not the graph's.
STEPS_MAX = 1000

# A step of a leak, of the time constant tau in seconds, and what a current I adds to the potential in it:
# - Euler's, 1 - dt/tau is left and dt/tau*R*I added;
# - the exact one of a constant current, exp(-dt/tau) is left and (1 - exp(-dt/tau))*R*I added;
# - of currents that come at once: exp(-dt/tau) is left and I added, whatever r says.
EULER, EXPONENTIAL, IMPULSE = "euler", "exponential", "impulse"
DECAYS = (EULER, EXPONENTIAL, IMPULSE)

# What r of IF says: the rise for a current of 1 in a step, or NIR's, in a second.
PER_STEP, PER_SECOND = "step", "second"
IF_RS = (PER_STEP, PER_SECOND)


@dataclass(frozen=True)
class Dialect:
    """How a framework reads NIR.

    Parameters
    ----------
    dt : seconds of a step; None takes the graph's metadata "dt", else DT.
    reset : one of host.exchange.lif.RESETS.
    decay : one of DECAYS.
    if_r : one of IF_RS; None recognises r = 1 and r = 1/dt.
    """
    dt:    float | None = None
    reset: str = V_RESET
    decay: str = EULER
    if_r:  str | None = None


# As their exporters of 2026 write. norse 1.1.0 writes time constants multiplied by its dt of 1 ms, sinabs in steps.
FRAMEWORKS = {
    "snntorch":     Dialect(1e-4, SUBTRACT_LATE),
    "norse":        Dialect(1e-6, V_RESET, EULER, PER_STEP),
    "sinabs":       Dialect(1.0, SUBTRACT, EXPONENTIAL, PER_STEP),
    "rockpool":     Dialect(1e-3, SUBTRACT, IMPULSE),
    "spikingjelly": Dialect(1e-4, V_RESET, EULER, PER_SECOND),
}


@dataclass(frozen=True, eq=False)
class Step:
    """A step of a node's neurons, or of an integrator, [n] each.

    Parameters
    ----------
    decay : share of the difference to v_leak that is left.
    gain : rise of the potential for a current of 1; of all of it where a synapse spreads it.
    pull : rise by v_leak.
    synapse_decay : share of the synaptic current that is left; 0 without one.
    """
    decay:         np.ndarray
    gain:          np.ndarray
    pull:          np.ndarray
    synapse_decay: np.ndarray


def steps_of(graph: nir.NIRGraph, nodes: dict[str, nir.NIRNode], values: dict[str, dict[str, np.ndarray]],
        dialect: Dialect) -> tuple[dict[str, Step], float, list[str], list[str]]:
    """Steps by the name of the node, seconds of a step, remarks and warnings.

    Parameters
    ----------
    nodes : by name.
    values : parameters of those with time in them, by their names.

    Raises
    ------
    QCLIFError : a dt that is none or cannot be the graph's, an r that says neither of IF_RS; says what to give.
    """
    kept     = "dt" in graph.metadata
    dt       = dialect.dt if dialect.dt is not None else metadata_dt(graph)
    if not 0 < dt < np.inf:
        raise QCLIFError(f"a step is {dt} s, it must be above 0: give another --dt")
    origin   = "as given" if dialect.dt is not None else "by the graph's metadata" if kept else "assumed"
    remarks  = [f"a step is {dt:g} s, {origin}: tau means nothing without it (--dt)"]
    warnings = []
    steps    = {}
    for name, value in values.items():
        node = nodes[name]
        _check_taus(name, node, value, dt, dialect, origin == "assumed")
        if isinstance(node, nir.IF):
            steps[name] = _if_step(name, node, value, dt, dialect.if_r, remarks)
            continue
        tau = value.get("tau", value.get("tau_mem"))
        if origin == "assumed" and not np.allclose(value["r"]*dt, tau, rtol=1e-3, atol=0) and not warnings:
            warnings.append("neither the graph's metadata nor --dt name the seconds of a step: "
                f"{dt:g} is assumed, which nothing in {name!r} confirms (tau is {_steps(tau, dt)}): give --framework "
                "or --dt")
        steps[name] = _leaky_step(name, node, value, tau, dt, dialect.decay)
    return steps, dt, remarks, warnings


def metadata_dt(graph: nir.NIRGraph) -> float:
    """Seconds of a step as the graph's metadata name them, else DT; raises QCLIFError where they are no number."""
    try:
        return float(graph.metadata.get("dt", DT))
    except (TypeError, ValueError) as error:
        raise QCLIFError(f"the graph's metadata has dt {str(graph.metadata['dt'])[:40]!r}: seconds are needed; give "
            "--dt") from error


def _check_taus(name: str, node: nir.NIRNode, value: dict[str, np.ndarray], dt: float, dialect: Dialect, assumed: bool
        ) -> None:
    for field in ("tau", "tau_mem", "tau_syn"):
        if field not in value:
            continue
        low, high = value[field].min(), value[field].max()
        if low <= 0:
            raise refusal(name, node, f"{field} is {low:g} s", "time constants above 0 are needed")
        if low < dt*(1 - ROUNDING) and dialect.decay == EULER:
            raise refusal(name, node, f"{field} is {low:g} s, below a step of {dt:g} s", "give a smaller --dt")
        if assumed and high > STEPS_MAX*dt:
            raise refusal(name, node, f"{field} is {high:g} s, {high/dt:g} steps of {dt:g} s, which nothing leaks in",
                f"give --dt, the seconds of a step as the framework took them (1 where it counts tau in steps, as "
                f"sinabs does; {dt:g} if it is meant), or --framework")


def _if_step(name: str, node: nir.NIRNode, value: dict[str, np.ndarray], dt: float, if_r: str | None,
        remarks: list[str]) -> Step:
    r, n = value["r"], len(value["r"])
    ones = np.ones(n)
    meant = if_r
    if meant is None:
        kinds = [kind for kind, unit in ((PER_STEP, 1.0), (PER_SECOND, 1/dt))
            if np.allclose(r, unit, rtol=ROUNDING, atol=0)]
        if not kinds:
            raise refusal(name, node, f"r is {_range(r)}, neither 1 nor 1/dt, {1/dt:g}", f"give --if-r {PER_STEP} "
                f"where the potential rises by r*I in a step, --if-r {PER_SECOND} where by r*I*dt, or the --dt that r "
                "is of")
        meant = kinds[0]
    gain = r if meant == PER_STEP else r*dt
    how  = "is that of a step" if meant == PER_STEP else "is that of a second, times dt"
    remarks.append(f"{name!r} (IF): r, {_range(r)}, {how}: a spike of weight 1 raises the potential by {_range(gain)}, "
        f"here and in the reference in real numbers ({'given' if if_r else 'recognised'}; --if-r)")
    return Step(ones, gain, np.zeros(n), np.zeros(n))


def _leaky_step(name: str, node: nir.NIRNode, value: dict[str, np.ndarray], tau: np.ndarray, dt: float, decay: str
        ) -> Step:
    left, synapse = (_left(constant, dt, decay) for constant in (tau, value.get("tau_syn")))
    if decay == IMPULSE:
        # The factor that rockpool writes; any other is somebody else's.
        if not np.allclose(value["r"]*dt, tau*left, rtol=1e-3):
            raise refusal(name, node, f"r is {_range(value['r'])}, --decay {IMPULSE} takes tau/dt*exp(-dt/tau), "
                f"{_range(tau*left/dt)}", "give --dt, or another --decay")
        gain = np.ones_like(tau)
        if synapse is not None:
            # What comes leaks away in the step it comes in, already.
            gain = value["w_in"]*synapse/(1 - synapse)
    else:
        gain = (1 - left)*value["r"]*value.get("w_in", 1)
    return Step(left, gain, (1 - left)*value["v_leak"], np.zeros_like(tau) if synapse is None else synapse)


def _left(tau: np.ndarray | None, dt: float, decay: str) -> np.ndarray | None:
    if tau is None:
        return None
    return 1 - np.minimum(dt/tau, 1) if decay == EULER else np.exp(-dt/tau)


def _steps(tau: np.ndarray, dt: float) -> str:
    return f"{_range(tau)} s, {_range(tau/dt)} steps"


def _range(values: np.ndarray) -> str:
    low, high = values.min(), values.max()
    return f"{low:g}" if np.isclose(low, high, rtol=1e-4, atol=0) else f"{low:g} to {high:g}"
