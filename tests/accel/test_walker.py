# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The timing diagram in the walker's documentation, and in the README, is what the gateware does, clock by clock."""

from pathlib import Path

import numpy as np

import accel
from accel.config import QCLIFConfig
from accel.walker import Walker
from tests.helpers.core_bench import CoreBench
from tests.helpers.strategies import random_network

CLOCKS = 24


class Recorder(CoreBench):
    """Also writes down what passes between the modules of the core, in the words of the diagram."""
    def count(self):
        core = self.core
        walk, sums, population = core.walker.source, core.synapses.source, core.population
        self.clocks = []
        while not self.done:
            yield
            seen = dict.fromkeys(("event", "entry", "row", "word", "sums", "neuron", "spike"), ".")
            if (yield core.sink.valid):
                seen["event"] = str((yield core.sink.source))
            for letter, entries in (("e", core.walker.events), ("s", core.walker.spikes)):
                if (yield entries.read):
                    seen["entry"] = f"{letter}{(yield entries.index)}"
            if (yield walk.valid):
                seen["row"]  = "F"*(yield walk.first) + "L"*(yield walk.last) or "-"
                seen["word"] = str((yield walk.soma_adr))
            if (yield sums.valid) and (yield sums.ready):
                seen["sums"] = "L" if (yield sums.last) else "-"
            if (yield population.active) and (yield population.ce):
                seen["neuron"] = str((yield population.word))
            if (yield core.source.valid):
                seen["spike"] = str((yield core.source.neuron)) if (yield core.source.spike) else ""
                seen["spike"] += "L"*(yield core.source.last)
            self.clocks.append(seen)


def diagram(text):
    """{name: cell of each clock} of the diagram in a docstring."""
    lines = [line.split() for line in text.splitlines()]
    start = next(n for n, line in enumerate(lines) if line[:1] == ["clock"])
    return {name: cells for name, *cells in lines[start:start + 8]}


def test_the_timing_diagram_of_a_step():
    config  = QCLIFConfig(neurons=4, inputs=4, contexts=1, lanes=2)
    network = random_network(config)
    for name in ("w_sensory", "w_context", "w_recurrent_soma", "w_recurrent_apical", "bias_soma", "bias_apical"):
        setattr(network, name, np.zeros_like(getattr(network, name)))
    # Fires in every step, alone.
    network.threshold = np.where(np.arange(4) == 1, 0, 255)
    bench = Recorder(network, config, [[], [2, 3]], with_states=True)
    assert bench.spikes == [[1], [1]]
    start  = next(n for n, seen in enumerate(bench.clocks) if seen["event"] == "2")
    clocks = bench.clocks[start:start + CLOCKS]
    for text in (Walker.__doc__, Path(accel.__file__).with_name("README.md").read_text()):
        drawn = diagram(text)
        assert drawn.pop("clock") == [str(n) for n in range(CLOCKS)]
        assert drawn == {name: [seen[name] for seen in clocks] for name in clocks[0]}
