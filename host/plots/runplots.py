# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a run's file gives to plot: a sample's inputs and spikes, its states computed again, and the classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from accel.errors import QCLIFError
from host.events.sample import UNKNOWN
from host.network.network import Network, predicted
from host.plots.confusion import confusion_matrix
from host.plots.rasters import ORDERS, input_raster, spike_raster, state_traces
from host.runs.result import Result

if TYPE_CHECKING:
    from host.network.golden import GoldenResult

# Neurons whose states are drawn unless others are named.
NEURONS = 4

# Most states V_a of a sample: they have to fit the memory.
STATES_MAX = 2**27


class RunPlots:
    """The plots of one sample of a run, and those of the run as a whole.

    Parameters
    ----------
    sample : the one to plot, counted from 0.
    network : the run's; without it no states can be drawn, sources are all alike and classes are numbers.
    bin_us : microseconds of a step (default: the network's); without either time is in steps.

    Raises
    ------
    QCLIFError : there is no such sample or nothing in it, or the network has other sizes than the run's.

    Examples
    --------
    >>> plots = RunPlots(Result.load("run.npz"), sample=0, network=Network.load("net.npz"))
    >>> save(plots.states([3, 17]), "states.png")
    """

    def __init__(self, result: Result, sample: int, network: Network | None = None, bin_us: int | None = None,
            name: str = "run") -> None:
        samples = len(result.label)
        if not samples:
            raise QCLIFError(f"{name}: a run of no samples: there is nothing to plot")
        if not 0 <= sample < samples:
            raise QCLIFError(f"{name}: sample {sample}, the run has 0 to {samples - 1}: choose another")
        if network:
            for what, highest, size in (("neuron", result.neuron.max(initial=-1), network.neurons),
                    ("input", result.in_source.max(initial=-1), network.inputs + network.contexts)):
                if highest >= size:
                    raise QCLIFError(f"another network than the run's: the run has {what} {highest}, this network 0 to "
                        f"{size - 1}: give the run's")
            if result.logits.shape[1] != network.outputs:
                raise QCLIFError(f"another network than the run's: the run has {result.logits.shape[1]} logits, this "
                    f"network {network.outputs}: give the run's")
        self._result, self._sample, self._network, self._name = result, sample, network, name
        self._inputs, self._spikes = result.sample_steps(sample)
        if not len(self._inputs):
            raise QCLIFError(f"{name}: sample {sample} has neither inputs nor spikes: choose another")
        self._bin_us  = bin_us or (network.encoder.bin_us if network else None)
        self._names   = network.classes if network else []
        self._classes = np.array([predicted(logits) for logits in result.logits])
        neurons       = network.neurons if network else int(result.neuron.max(initial=0)) + 1
        # Spikes of each neuron in each sample.
        keys          = result.sample.astype(np.int64)*neurons + result.neuron
        self._counts  = np.bincount(keys, minlength=samples*neurons).reshape(samples, neurons)
        self._title   = f"{name}, sample {sample}"
        # Label and class of the sample, as far as they are known.
        for text, index in ((": ", result.label[sample]), (", classified as ", self._classes[sample])):
            if index != UNKNOWN:
                self._title += text + (self._names[index] if index < len(self._names) else f"class {index}")

    def inputs(self) -> Figure:
        """Raster of the sample's inputs."""
        sensory, contexts = (self._network.inputs, self._network.contexts) if self._network else (None, 0)
        return input_raster(self._inputs, sensory, contexts, self._bin_us, self._title)

    def spikes(self, order: str = "number") -> Figure:
        """Raster of the sample's spikes, neurons in one of ORDERS; rates and preferred classes are the run's."""
        if order not in ORDERS:
            raise QCLIFError(f"order {order}: one of {', '.join(ORDERS)} is needed")
        rows = ORDERS[order](self._counts, self._result.label, self._names)
        return spike_raster(self._spikes, rows, self._bin_us, self._title)

    def states(self, neurons: Sequence[int] | None = None) -> Figure:
        """V_a and V_s of neurons (default: the NEURONS most active) in the sample; needs the network. Raises QCLIFError
        where there is none, it gives other spikes or logits than the run, or has no such neuron.
        """
        if self._network is None:
            raise QCLIFError(f"{self._name}: states are computed by the network: give the run's")
        golden = self._recomputed()
        if neurons is None:
            neurons = np.argsort(-self._counts[self._sample], kind="stable")[:NEURONS].tolist()
        return state_traces(golden.v_a, golden.v_s, golden.spikes, self._network.threshold, self._network.state_max,
            list(dict.fromkeys(neurons)), self._bin_us, self._title)

    def _recomputed(self) -> "GoldenResult":
        """What the network gives for the sample's inputs, once it is sure that it is the run's."""
        steps, size = len(self._inputs), self._network.neurons
        if steps*size > STATES_MAX:
            raise QCLIFError(f"{self._name}: {steps} steps of {size} neurons are too many states to draw, the limit "
                f"is {STATES_MAX}: cut the recording, or plot without the network")
        # torch takes seconds to load, and only states need it.
        from host.network.golden import GoldenModel
        golden, = GoldenModel(self._network).run([self._inputs], states=True)
        differs = golden.spikes.difference(self._spikes)
        if len(differs):
            step, neuron, *times = differs[0].tolist()
            here, there = ({0: "is silent", 1: "fires"}.get(each, f"fires {each} times") for each in times)
            raise QCLIFError(f"another network than the run's: at step {step} of sample {self._sample} neuron {neuron} "
                f"{there} in the run and {here} in this network: give the run's")
        logits = self._result.logits[self._sample]
        wrong  = np.flatnonzero(golden.logits != logits)
        if len(wrong):
            raise QCLIFError(f"another readout than the run's: logit {wrong[0]} of sample {self._sample} is "
                f"{logits[wrong[0]]} in the run and {golden.logits[wrong[0]]} with this network: give the run's")
        return golden

    def confusion(self) -> Figure | None:
        """Confusion matrix of the whole run; None where no sample has both a label and logits."""
        if not ((self._result.label != UNKNOWN) & (self._classes != UNKNOWN)).any():
            return None
        return confusion_matrix(self._result.label, self._classes, self._names, self._name)
