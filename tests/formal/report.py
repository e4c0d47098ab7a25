# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What is proved of the accelerator: each proof is made, and told as a row of the table in accel/README.md."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from accel.errors import QCLIFError, guarded
from tests.formal.models import Core, Neuron
from tests.formal.properties import BOUNDED, CLOCKS, CORES, IN_ORDER, MUTANT, NEURONS, PROPERTIES
from tests.formal.prover import always_low, breaks, find_abc, proves

INSTALL = "pip install pyosys==0.70, or ./qclif setup"


@dataclass(frozen=True)
class Check:
    """A proof.

    Attributes
    ----------
    name : as its test is called.
    what, build, method : in words.
    holds : makes it, with files in a folder.
    """
    name:   str
    what:   str
    build:  str
    method: str
    holds:  Callable[[Path], bool]


def neuron_checks(neuron: Neuron) -> list[Check]:
    """The pipeline against the contract."""
    config = neuron.config
    form   = "gates" if neuron.gates else "RTL"
    build  = f"{config.weight_bits}/{config.state_bits}/{config.current_bits} bits, {form}"
    return [
        Check(neuron.name, "neuron = contract, while `ce` is high", build,
            f"complete: all inputs, any state {neuron.clocks - 1} clocks before; SAT sweeping",
            lambda folder: always_low(neuron.model(folder), neuron.clocks)),
        Check(f"{neuron.name}_ce", "no register of the neuron changes while `ce` is low", build,
            "complete: it is the enable of each, by Yosys", neuron.stands_still),
    ]


def core_build(core: Core) -> str:
    """The sizes of a build, in words."""
    config = core.config
    return (f"N={config.neurons} I={config.inputs} C={config.contexts} P={config.lanes}, {config.step_events} events"
        f"{', registered' if core.registered else ''}")


def core_check(core: Core) -> Check:
    """All properties but the bounded one."""
    start = "from power-up" if core.from_power_up else "from any state, after a soft reset"
    number = f"the {len(PROPERTIES) - 1} properties below"
    return Check(core.name, number if core.in_order else f"{number}, but `{IN_ORDER}`", core_build(core),
        f"induction (PDR), {start}", lambda folder: proves(core.model(folder)))


def bounded_check(core: Core) -> Check:
    """The clocks of a step."""
    return Check(f"{core.name}_clocks", f"`{BOUNDED}`", core_build(core), f"bounded: {CLOCKS} clocks from power-up",
        lambda folder: breaks(core.model(folder, clocks=core.clocks), BOUNDED, CLOCKS) is None)


CHECKS: Sequence[Check] = [
    *(check for neuron in NEURONS for check in neuron_checks(neuron)),
    *map(core_check, CORES),
    bounded_check(CORES[0]),
    bounded_check(MUTANT),
]


def row(check: Check) -> str:
    """The part of a check's row that is the same on all machines."""
    return f"| {check.what} | {check.build} | {check.method} |"


def seconds() -> float:
    """Of CPU, of this process and of the programs that it has run."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.formal.report", description=__doc__)
    parser.parse_args()

    def work() -> int:
        if find_abc() is None:
            raise QCLIFError(f"no ABC: proofs need it, as PyPI's package pyosys has it: {INSTALL}")
        print("| what | build | method | CPU seconds |\n| --- | --- | --- | --- |")
        wrong = 0
        for check in CHECKS:
            begin = seconds()
            with tempfile.TemporaryDirectory() as folder:
                holds = check.holds(Path(folder))
            wrong += not holds
            print(f"{row(check)} {seconds() - begin:.0f}{'' if holds else ' DOES NOT HOLD'} |", flush=True)
        print()
        for name, each in PROPERTIES.items():
            print(f"- `{name}`: {each.text}")
        return int(wrong > 0)
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
