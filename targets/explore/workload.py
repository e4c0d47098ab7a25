# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a network has to do in the steps of recordings, and in how many clocks a core does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel
from host.network.network import Network

# Clocks from the sums of a step's last neurons to the first row that their spikes are, and those between two steps;
# registers at the weights of FPGAs add some to the first, and so does a vector of spikes behind a group that is not the
# only one. Fitted to the simulated core: see CLOCKS_BOUND.
DRAIN, TURN, REGISTERED, VECTOR = 12, 2, 2, 1

# Most clocks a step, in the mean of a recording, by which step_clocks() is wrong: tests hold it against the core.
CLOCKS_BOUND = 2


@dataclass(frozen=True, eq=False)
class Workload:
    """A network and recordings, and the rows of weights that each step walks.

    Attributes
    ----------
    name : how the network is called.
    recordings : their names.
    samples : the inputs of each, sources in the network's numbers.
    events : of each step of all recordings, int64 [T].
    contexts : those of them that are of context sources, int64 [T].
    spikes : rows of recurrent weights: neurons that fired in the step before, int64 [T].
    """
    network:    Network
    name:       str
    recordings: tuple[str, ...]
    samples:    tuple[SpikeTrain, ...]
    events:     np.ndarray
    contexts:   np.ndarray
    spikes:     np.ndarray

    @classmethod
    def of(cls, network: Network, name: str, recordings: Sequence[str], samples: Sequence[SpikeTrain]) -> "Workload":
        """Run the golden model on the samples.

        Raises
        ------
        QCLIFError : the recordings have no step.
        """
        if not sum(map(len, samples)):
            raise QCLIFError(f"{', '.join(recordings)}: not one time step: give longer recordings, or a smaller "
                "--bin-us")
        fired  = [result.spikes for result in GoldenModel(network).run(list(samples))]
        events = [np.diff(each.offsets) for each in samples]
        before = [np.concatenate([[0], np.diff(each.offsets)[:-1]]) for each in fired]
        cued   = [np.bincount(each.indices()[each.sources >= network.inputs], minlength=len(each)) for each in samples]
        return cls(network, name, tuple(recordings), tuple(samples), *map(np.concatenate, (events, cued, before)))

    @property
    def steps(self) -> int:
        """Time steps of all recordings."""
        return len(self.events)

    @cached_property
    def soma_rows(self) -> float:
        """Rows of somatic weights a step."""
        return float((self.events - self.contexts + self.spikes).mean())

    @cached_property
    def apical_rows(self) -> float:
        """Rows of apical weights a step."""
        return float((self.contexts + self.spikes).mean())

    def clocks(self, config: QCLIFConfig, registered: bool = False) -> np.ndarray:
        """Clocks of each step, int64 [T]."""
        return step_clocks(self.events, self.spikes, self.network.neurons, config, registered)


def step_clocks(events: np.ndarray, spikes: np.ndarray, neurons: int, config: QCLIFConfig, registered: bool = False
        ) -> np.ndarray:
    """Clocks of steps that follow each other without a pause.

    The first group of a step walks the step's events while the last neurons of the step before are updated, and then
    their spikes. Each other group takes its rows, or the clocks that its neurons are updated in.

    Parameters
    ----------
    events, spikes : of each step, and of the step before it, int64 [T].
    neurons : of the network.
    registered : with the registers of FPGAs at the weight memories.
    """
    groups = -(-neurons//config.lanes)
    full   = -(-min(config.lanes, neurons)//config.updates)
    last   = -(-(neurons - (groups - 1)*config.lanes)//config.updates)
    drain  = last + DRAIN + (REGISTERED if registered else 0) + (VECTOR if groups > 1 and config.updates > 1 else 0)
    return np.maximum(events, drain) + spikes + (groups - 1)*np.maximum(events + spikes, full) + TURN
