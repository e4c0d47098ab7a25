#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The encoder of an imported network: from options, from the shape of its input, or the contract's."""

import argparse
import dataclasses

from accel.errors import QCLIFError
from host.events.encoder import ENCODERS, Encoder
from host.exchange.lif import LIFNetwork


def choose_encoder(lif: LIFNetwork, args: argparse.Namespace) -> Encoder:
    """The encoder of the network's I inputs.

    Parameters
    ----------
    lif : its input_shape sets the grid, unless it is plain: then the contract's encoders of as many inputs, or a row.
    args : sensor_size, grid, polarities, bin_us, count_threshold; None leaves them to the above.

    Raises
    ------
    QCLIFError : the options give another number of inputs, or a grid that contradicts the input's shape.
    """
    plain = len(lif.input_shape) == 1
    grid  = (lif.inputs, 1) if plain else lif.input_shape[:0:-1]
    known = next((each for each in ENCODERS.values() if each.inputs == lif.inputs
        and (plain or (each.polarities, each.grid) == (lif.input_shape[0], grid))), None)
    base  = known or Encoder(sensor_size=grid, grid=grid, polarities=1 if plain else lif.input_shape[0])
    given = {name: value for name in ("sensor_size", "grid", "polarities", "bin_us", "count_threshold")
        if (value := getattr(args, name)) is not None}
    if "grid" in given and known is None:
        given.setdefault("sensor_size", given["grid"])
    encoder = dataclasses.replace(base, **given)
    if encoder.inputs != lif.inputs:
        raise QCLIFError(f"the graph has {lif.inputs} inputs, the encoder {encoder.inputs} ({encoder.grid[0]}x"
            f"{encoder.grid[1]}x{encoder.polarities}): give --grid and --polarities that make {lif.inputs}")
    if not plain and (encoder.polarities, *encoder.grid[::-1]) != lif.input_shape:
        raise QCLIFError(f"the Input has shape {list(lif.input_shape)}, the encoder {encoder.polarities} polarities "
            f"and {encoder.grid[0]}x{encoder.grid[1]}: leave --grid and --polarities out")
    return encoder
