# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a run takes where its options leave it open: network, encoder, and sizes of a build."""

import argparse
import dataclasses
from typing import NamedTuple

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.cli.options import RANDOM, encode_samples, with_encoder_options
from host.common.folders import ROOT
from host.data import synthetic
from host.events.encoder import Encoder, default_encoder_for
from host.events.sample import Sample
from host.network.network import Network
from host.network.random_network import RATE, random_network

# The trained network that comes with the program: 11 synthetic gestures.
SHIPPED = ROOT/"host"/"networks"/"synthetic11.npz"

# Sizes that a network and the build it is made for have in common.
SIZES = ("neurons", "inputs", "contexts", "weight_bits", "state_bits", "current_bits")


class Choice(NamedTuple):
    """The network of a run, and how tables call it."""
    network: Network
    name:    str


def default_encoder(sample: Sample, inputs: int | None = None) -> Encoder:
    """The encoder for a recording's sensor, as default_encoder_for() says, and for a build.

    Parameters
    ----------
    sample : its size counts.
    inputs : sensory sources of the build; a grid that is too large becomes the squarest one of this size.
    """
    encoder = default_encoder_for(sample.size)
    if inputs is None or encoder.inputs <= inputs:
        return encoder
    polarities = 2 if inputs % 2 == 0 else 1
    cells      = inputs//polarities
    height     = max(d for d in range(1, int(cells**0.5) + 1) if cells % d == 0)
    return dataclasses.replace(encoder, grid=(cells//height, height), polarities=polarities)


def given_network(args: argparse.Namespace) -> Network | None:
    """The network of the file that --network names, None where it names none."""
    return None if args.network in (None, RANDOM) else Network.load(args.network)


def check_recordings(args: argparse.Namespace, samples: list[Sample], config: QCLIFConfig | None = None) -> None:
    """Raise QCLIFError now where recordings do not fit the network that they will go into, or each other: what is built
    for them takes minutes.

    Parameters
    ----------
    config : sizes of the build; None where they are not known, and only the network of --network counts.
    """
    network = given_network(args)
    if network is not None:
        encode_samples(samples, with_encoder_options(network.encoder, args), network.contexts, args)
    elif samples and config is not None:
        encoder = with_encoder_options(default_encoder(samples[0], config.inputs), args)
        encode_samples(samples, encoder, config.contexts, args)


def choose_network(args: argparse.Namespace, samples: list[Sample], config: QCLIFConfig,
        rate: float | None = None) -> Choice:
    """The network of --network; without one the shipped one, where it is for this run, else a random one.

    The random one is that of --seed and of the build's sizes, calibrated on the recordings.

    Parameters
    ----------
    rate : spikes a neuron and step at which the network is to fire, which only a random one can be made to do; None
        leaves it open.

    Raises
    ------
    QCLIFError : the network of --network does not fit the build.
    """
    network = given_network(args)
    if network is not None:
        network.check_fits(config)
        encoder = with_encoder_options(network.encoder, args)
        return Choice(dataclasses.replace(network, encoder=encoder), str(args.network))
    if args.network is None and rate is None and SHIPPED.is_file():
        network = Network.load(SHIPPED)
        if _is_for(network, args, samples, config):
            return Choice(network, f"{SHIPPED.stem}, trained; it comes with the program")
    encoder = with_encoder_options(default_encoder(samples[0], config.inputs), args)
    steps   = [sample.steps for sample in encode_samples(samples, encoder, config.contexts, args)]
    network = random_network(config, encoder, steps, RATE if rate is None else rate,
        classes=synthetic.GESTURES[:config.outputs], seed=args.seed)
    return Choice(network, f"random, of seed {args.seed}: its classes mean nothing")


def _is_for(network: Network, args: argparse.Namespace, samples: list[Sample], config: QCLIFConfig) -> bool:
    """Whether a run that names no network can take this one: it has all that the options and recordings ask for."""
    if with_encoder_options(network.encoder, args) != network.encoder:
        return False
    # Only commands that build have options of sizes.
    if any(getattr(args, name, None) not in (None, getattr(network, name)) for name in SIZES):
        return False
    if any(sample.size != network.encoder.sensor_size for sample in samples):
        return False
    cues = [int(sample.context[:, 1].max(initial=-1)) for sample in samples if sample.context is not None]
    if max([-1 if args.context is None else args.context, *cues]) >= network.contexts:
        return False
    try:
        network.check_fits(config)
    except QCLIFError:
        return False
    return True


def preferred_sizes(network: Network | None, samples: list[Sample]) -> dict[str, int]:
    """Sizes of a build for a network; without one what the recordings' sensor asks for, if there are any."""
    if network is None:
        return {"inputs": default_encoder(samples[0]).inputs} if samples else {}
    return {name: getattr(network, name) for name in SIZES} | {"outputs": max(QCLIFConfig.outputs, network.outputs)}
