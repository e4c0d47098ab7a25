#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What a run takes where its options leave it open: network, encoder, and sizes of a build."""

import argparse
import dataclasses

from accel.config import QCLIFConfig
from host import synthetic
from host.encoder import ENCODERS, Encoder
from host.network import Network
from host.options import encode_samples, with_encoder_options
from host.random_network import random_network
from host.sample import Sample


def default_encoder(sample: Sample, inputs: int | None = None) -> Encoder:
    """The contract's encoder for a recording's sensor; another sensor is mapped to the default grid.

    Parameters
    ----------
    sample : its size counts.
    inputs : sensory sources of the build; a grid that is too large becomes the squarest one of this size.
    """
    size    = sample.size
    encoder = ENCODERS.get(size) or dataclasses.replace(Encoder(), sensor_size=size,
        grid=(min(16, size[0]), min(16, size[1])))
    if inputs is None or encoder.inputs <= inputs:
        return encoder
    polarities = 2 if inputs % 2 == 0 else 1
    cells      = inputs//polarities
    height     = max(d for d in range(1, int(cells**0.5) + 1) if cells % d == 0)
    return dataclasses.replace(encoder, grid=(cells//height, height), polarities=polarities)


def choose_network(args: argparse.Namespace, samples: list[Sample], config: QCLIFConfig) -> Network:
    """The network of --network, else a random one (by --seed) of the build's sizes, calibrated on the recordings.

    Raises
    ------
    QCLIFError : the network does not fit the build.
    """
    if args.network:
        network = Network.load(args.network)
        network.check_fits(config)
        return dataclasses.replace(network, encoder=with_encoder_options(network.encoder, args))
    encoder = with_encoder_options(default_encoder(samples[0], config.inputs), args)
    steps   = [sample.steps for sample in encode_samples(samples, encoder, config.contexts, args)]
    return random_network(config, encoder, steps, classes=synthetic.GESTURES[:config.outputs], seed=args.seed)


def preferred_sizes(args: argparse.Namespace, samples: list[Sample]) -> dict[str, int]:
    """Sizes of a build that fits the run: those of --network, else what the recordings' sensor asks for."""
    if not args.network:
        return {"inputs": default_encoder(samples[0]).inputs}
    network = Network.load(args.network)
    names   = ("neurons", "inputs", "contexts", "weight_bits", "state_bits", "current_bits")
    return {name: getattr(network, name) for name in names} | {"outputs": max(QCLIFConfig.outputs, network.outputs)}
