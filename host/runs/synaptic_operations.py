# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What samples cost a network: rows, spikes and synaptic operations, and how much of it is idle."""

from collections.abc import Sequence

import numpy as np

from accel.config import QCLIFConfig
from host.events.spike_train import SpikeTrain
from host.network.network import Network

WEIGHTS = ("w_sensory", "w_context", "w_recurrent_soma", "w_recurrent_apical")


def rows_per_step(inputs: SpikeTrain, spikes: SpikeTrain) -> np.ndarray:
    """Rows of weights that each step walks, int64 [T]: its events, and the spikes of the step before."""
    rows = np.diff(inputs.offsets)
    rows[1:] += np.diff(spikes.offsets)[:-1]
    return rows


def step_bounds(rows: np.ndarray, neurons: int, config: QCLIFConfig) -> np.ndarray:
    """Least clocks of steps of so many rows, int64 [T]: G*max(rows, P/Q), for G = ceil(neurons/P) groups of P lanes, of
    which Q neurons are updated a clock."""
    return -(-neurons//config.lanes)*np.maximum(rows, config.update_clocks)


def bound_clocks(inputs: SpikeTrain, spikes: SpikeTrain, neurons: int, config: QCLIFConfig) -> int:
    """Least clocks in which the accelerator of these sizes can take the steps of a sample."""
    return int(step_bounds(rows_per_step(inputs, spikes), neurons, config).sum())


def synaptic_operations(inputs: SpikeTrain, spikes: SpikeTrain, neurons: int) -> int:
    """SOPs of a sample, as the accelerator counts them: weights added to a current.

    An event adds N somatic or N apical weights, a spike of the step before N of both.
    """
    events = len(inputs.sources)
    return neurons*(2*int(rows_per_step(inputs, spikes).sum()) - events)


def spread(values: np.ndarray) -> dict[str, float]:
    """Mean, median, 90 % (the least value that so many do not exceed) and most of values [n], n >= 1."""
    return {"mean": float(values.mean()), "median": float(np.median(values)),
        "p90": float(np.percentile(values, 90, method="inverted_cdf")), "most": float(values.max())}


def cost_measures(network: Network, inputs: Sequence[SpikeTrain], spikes: Sequence[SpikeTrain]) -> dict[str, object]:
    """Measures of samples, as JSON takes them.

    Parameters
    ----------
    inputs, spikes : what went into the network and what came out of it, one spike train a sample, at least one step
        in all.

    Returns
    -------
    dict : totals steps, events, spikes, rows, sops; spread() of events_per_step, spikes_per_step, rows_per_step,
        steps_per_inference and sops_per_inference, an inference being a sample; active, the share of the sensory
        sources, context sources and neurons that are active in a step; silent_neurons, the share of them that never
        fires; zero_weights, the share of each weight matrix. A share of nothing is None.
    """
    pairs   = list(zip(inputs, spikes, strict=True))
    events  = np.concatenate([np.diff(each.offsets) for each in inputs])
    fired   = np.concatenate([np.diff(each.offsets) for each in spikes])
    rows    = np.concatenate([rows_per_step(*pair) for pair in pairs])
    lengths = np.array([len(each) for each in inputs])
    sops    = np.array([synaptic_operations(*pair, network.neurons) for pair in pairs])
    sensory, context = np.sum([_active_sources(each, network.inputs) for each in inputs], axis=0).tolist()
    silent  = network.neurons - len(np.unique(np.concatenate([each.sources for each in spikes])))
    steps   = len(events)
    return {
        "steps":               steps,
        "events":              int(events.sum()),
        "spikes":              int(fired.sum()),
        "rows":                int(rows.sum()),
        "sops":                int(sops.sum()),
        "events_per_step":     spread(events),
        "spikes_per_step":     spread(fired),
        "rows_per_step":       spread(rows),
        "steps_per_inference": spread(lengths),
        "sops_per_inference":  spread(sops),
        "active": {
            "sensory": _share(sensory, steps*network.inputs),
            "context": _share(context, steps*network.contexts),
            "neurons": _share(int(fired.sum()), steps*network.neurons),
        },
        "silent_neurons":      _share(silent, network.neurons),
        "zero_weights":        {name: _share(int((getattr(network, name) == 0).sum()), getattr(network, name).size)
            for name in WEIGHTS},
    }


def _active_sources(inputs: SpikeTrain, sensory: int) -> tuple[int, int]:
    """Sensory and context sources that are active, summed over steps; one with several events counts once."""
    # Sources ascend inside of a step: a repeated one follows itself.
    first   = np.diff(inputs.sources, prepend=-1) != 0
    starts  = inputs.offsets[:-1][np.diff(inputs.offsets) > 0]
    first[starts] = True
    context = inputs.sources[first] >= sensory
    return int((~context).sum()), int(context.sum())


def _share(part: int, whole: int) -> float | None:
    return part/whole if whole else None
