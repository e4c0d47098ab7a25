# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Which pixel and polarity each input of a graph is: its encoder, and the order in which the graph counts inputs."""

import dataclasses
from itertools import permutations

import numpy as np

from accel.errors import QCLIFError
from host.events.encoder import ENCODERS, Encoder
from host.exchange.lif import LIFNetwork

# Orders of an input without a shape, the axis that changes least first: p is polarity, y the row, x the column.
# Frameworks flatten frames [p, y, x] as C does; the contract counts y, x, p.
FRAMES = "pyx"
ORDERS = tuple("".join(axes) for axes in permutations(FRAMES))

# Recordings were binned before other frameworks saw them: what they count as a spike is one.
COUNT_THRESHOLD = 1


def grid_shape(lif: LIFNetwork) -> tuple[int, int, int] | None:
    """(polarities, height, width) of the graph's Input; None where it is flat.

    Raises
    ------
    QCLIFError : a shape of another kind.
    """
    shape = lif.input_shape
    if len(shape) == 1:
        return None
    whole = (1, *shape) if len(shape) == 2 else shape
    if len(whole) != 3 or whole[0] not in (1, 2):
        raise QCLIFError(f"the Input has shape {list(shape)}: [I], [H, W] or [polarities, H, W] is needed, with 1 or 2 "
            "polarities")
    return whole


def choose_encoder(lif: LIFNetwork, given: dict[str, object]) -> Encoder:
    """The encoder of the network's I inputs.

    Parameters
    ----------
    lif : its input_shape sets the grid, unless it is flat: then the contract's encoders of as many inputs, or a row.
    given : fields of the encoder that are asked for, by name.

    Raises
    ------
    QCLIFError : they give another number of inputs, or a grid that contradicts the input's shape.
    """
    whole = grid_shape(lif)
    grid  = (lif.inputs, 1) if whole is None else whole[:0:-1]
    known = next((each for each in ENCODERS.values() if each.inputs == lif.inputs
        and (whole is None or (each.polarities, each.grid) == (whole[0], grid))), None)
    base  = known or Encoder(sensor_size=grid, grid=grid, polarities=1 if whole is None else whole[0])
    given = {"count_threshold": COUNT_THRESHOLD} | given
    if "grid" in given and known is None:
        given.setdefault("sensor_size", given["grid"])
    encoder = dataclasses.replace(base, **given)
    if encoder.inputs != lif.inputs:
        raise QCLIFError(f"the graph has {lif.inputs} inputs, the encoder {encoder.inputs} ({encoder.grid[0]}x"
            f"{encoder.grid[1]}x{encoder.polarities}): give --grid and --polarities that make {lif.inputs}")
    if whole is not None and (encoder.polarities, *encoder.grid[::-1]) != whole:
        raise QCLIFError(f"the Input has shape {list(lif.input_shape)}, the encoder {encoder.polarities} polarities "
            f"and {encoder.grid[0]}x{encoder.grid[1]}: leave --grid and --polarities out")
    return encoder


def encoder_rows(encoder: Encoder, order: str) -> np.ndarray:
    """Where each input of the encoder is among inputs counted in one of ORDERS: int [I]."""
    sizes = {"p": encoder.polarities, "y": encoder.grid[1], "x": encoder.grid[0]}
    rows  = np.arange(encoder.inputs).reshape([sizes[axis] for axis in order])
    return rows.transpose([order.index(axis) for axis in "yxp"]).ravel()


def in_encoder_order(lif: LIFNetwork, encoder: Encoder, order: str | None) -> tuple[LIFNetwork, str]:
    """The network with its inputs in the order of the encoder, and a line that says which one they had.

    Parameters
    ----------
    order : one of ORDERS for a flat Input, None for FRAMES.

    Raises
    ------
    QCLIFError : an order for an Input whose shape tells it.
    """
    shaped = len(lif.input_shape) > 1
    if shaped and order is not None:
        raise QCLIFError(f"the Input has shape {list(lif.input_shape)}, which tells the order of its inputs: leave "
            "--input-order out")
    order = order or FRAMES
    rows  = encoder_rows(encoder, order)
    sizes_text = f"{encoder.polarities}x{encoder.grid[1]}x{encoder.grid[0]}"
    if shaped:
        line = f"inputs: counted p, y, x as the Input's shape {list(lif.input_shape)} tells, here y, x, p"
    else:
        line = (f"inputs: {lif.inputs} without a shape, taken as {', '.join(order)} of {sizes_text} (polarities, rows, "
            "columns; --input-order, --grid, --polarities)")
    return lif.with_inputs(rows), line


def step_remark(lif: LIFNetwork, encoder: Encoder) -> str | None:
    """What to give where a step of the encoder is not one of the graph; None where both are as long."""
    graph_us = lif.dt*1e6
    # Some frameworks count time in steps; their seconds are none.
    if abs(graph_us - encoder.bin_us) < 0.5 or not 1 < graph_us < 1e6:
        return None
    return (f"a step of recordings is {encoder.bin_us} us, one of the graph {graph_us:g} us: step is taken for step, "
        "which is right where the network was trained on steps; where its time constants are times of the recordings, "
        f"give --bin-us {round(graph_us)}")
