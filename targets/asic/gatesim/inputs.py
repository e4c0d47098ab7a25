# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a netlist is run on: a network, and recordings as its inputs."""

import argparse
import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.cli.network_choice import choose_network
from host.cli.options import RANDOM, encode_samples
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.network.network import Network, network_id
from host.network.random_network import RATE


@dataclass(frozen=True, eq=False)
class Inputs:
    """Network and inputs of a run.

    Attributes
    ----------
    name : how the network is called.
    recordings : their names.
    samples : the inputs of each, sources in the network's numbers.
    """
    network:    Network
    name:       str
    recordings: tuple[str, ...]
    samples:    tuple[SpikeTrain, ...]

    @property
    def identity(self) -> str:
        """Digest of the network and all inputs."""
        digest = hashlib.sha256(str(network_id(self.network)).encode())
        for inputs in self.samples:
            digest.update(inputs.offsets.tobytes())
            digest.update(inputs.sources.tobytes())
        return digest.hexdigest()


def make_inputs(args: argparse.Namespace, samples: list[Sample], sizes: QCLIFConfig) -> Inputs:
    """The network and the inputs that the options ask for.

    Parameters
    ----------
    args : of host.cli.options.add_input_args(), and `rate` and `steps` (None: of no interest, and all).
    samples : recordings that are not encoded yet.
    sizes : of the design.

    Raises
    ------
    QCLIFError : the network does not fit, or a rate is asked for of a network that is given.
    """
    if args.rate is not None and args.network not in (None, RANDOM):
        raise QCLIFError(f"--rate is {args.rate:g}, but --network is {args.network}: leave out one of the two")
    # Of the silent one the recurrent weights are of no interest, but they are there.
    choice  = choose_network(args, samples, sizes, RATE if args.rate == 0 else args.rate)
    network = silenced(choice.network) if args.rate == 0 else choice.network
    encoded = encode_samples(samples, network.encoder, network.contexts, args)
    cut     = tuple(sample.steps.slice(0, args.steps or len(sample.steps)) for sample in encoded)
    return Inputs(network, choice.name, tuple(sample.name for sample in encoded), cut)


def silenced(network: Network) -> Network:
    """The same network without a neuron that could fire, whatever its inputs."""
    return dataclasses.replace(network, w_sensory=np.zeros_like(network.w_sensory),
        bias_soma=np.minimum(network.bias_soma, 0))
