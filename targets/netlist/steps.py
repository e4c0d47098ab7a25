# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Designs that are clocked once a step by steps.cpp: their ports, and what is there as words of 32 bits, lowest first.

    STEPS   = Steps((), ("step", "i_soma"), ("spike",))
    program = build_design(STEPS, "top", [Path("top.v")])
    run_steps(program, [], [[1, 5], [1, -7]])                      # [[0], [0]]: of each step the spike
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from targets.tools.verilator import execute

HARNESS = Path(__file__).with_suffix(".cpp")


@dataclass(frozen=True)
class Steps:
    """Ports of a design in the order of their words: those that hold still, and of each step inputs and outputs."""
    held:    tuple[str, ...]
    inputs:  tuple[str, ...]
    outputs: tuple[str, ...]

    def header(self, top: str) -> str:
        """Text of the ports.h of a design whose top module is `top`."""
        return "\n".join([f'#include "V{top}.h"', f"typedef V{top} Top;",
            *(f"#define {kind.upper()}(each) {' '.join(f'each(top.{port});' for port in ports)}"
                for kind, ports in vars(self).items()), ""])


def run_steps(program: Path, held: Sequence[int] | np.ndarray, inputs: np.ndarray,
        environment: Mapping[str, str] | None = None) -> np.ndarray:
    """Run a program of targets.netlist.gates.build_design() by some Steps.

    Parameters
    ----------
    held : words of the ports that hold still.
    inputs : words [steps, n] of the inputs.
    environment : variables that the program is started with.

    Returns
    -------
    Words of the outputs after each step, int64 [steps, m].
    """
    words = np.concatenate([held, [len(inputs)], np.ravel(inputs)]).astype(np.int64)
    return execute(program, words, environment=environment).reshape(len(inputs), -1)

# Words --------------------------------------------------------------------------------------------


def pack(values: np.ndarray, bits: int) -> np.ndarray:
    """Words of ports whose fields are `bits` wide each.

    Parameters
    ----------
    values : integers [..., fields], lowest field first; of negative ones the low bits.

    Returns
    -------
    Words uint32 [..., n], as many as hold the fields.
    """
    values = np.asarray(values, np.int64)
    single = (values[..., None] >> np.arange(bits) & 1).astype(np.uint8).reshape(*values.shape[:-1], -1)
    single = np.concatenate([single, np.zeros((*single.shape[:-1], -single.shape[-1] % 32), np.uint8)], axis=-1)
    return np.packbits(single, axis=-1, bitorder="little").view("<u4")


def unpack(words: np.ndarray, fields: int, widths: Sequence[int]) -> list[np.ndarray]:
    """Unsigned fields, int64 [..., fields] a port, of words [..., n] that hold one port after the other.

    Parameters
    ----------
    widths : bits of a field of each port; each port begins with a word.
    """
    ports, at = [], 0
    for bits in widths:
        count  = -(-fields*bits//32)
        octets = np.ascontiguousarray(words[..., at:at + count].astype("<u4")).view(np.uint8)
        single = np.unpackbits(octets, axis=-1, bitorder="little")[..., :fields*bits]
        single = single.reshape(*words.shape[:-1], fields, bits).astype(np.int64)
        ports.append((single << np.arange(bits)).sum(axis=-1))
        at    += count
    return ports
