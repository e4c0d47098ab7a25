# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The accelerator through a bridge, whose client reaches the model of the registers: results and refusals."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from accel.registers import registers
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.link.remote import RemoteAccelerator
from host.network.golden import GoldenModel
from host.runs.comparison import compare
from tests.helpers.register_model import RegisterModel
from tests.helpers.strategies import inputs_of, networks, random_network

CONFIG = QCLIFConfig(neurons=7, inputs=5, contexts=2, lanes=3)
BASE   = 0xf0001000


class ModelClient:
    """A client of a SoC that has nothing but the registers; `dead`: accesses after which zeros come, as of LiteX's
    client where no answer does."""

    def __init__(self, config=CONFIG, dead=10**9):
        self.model = RegisterModel(config, latency=2)
        self.names = [register.name for register in registers(config)]
        self.dead  = dead

    def _access(self):
        self.dead -= 1
        self.model.tick()
        return self.dead >= 0

    def read(self, addr, length):
        first = (addr - BASE)//4
        alive = self._access()
        return [self.read_one(self.names[n]) if alive else 0 for n in range(first, first + length)]

    def read_one(self, name):
        return self.model.read(name)

    def write(self, addr, datas):
        if self._access():
            self.model.write(self.names[(addr - BASE)//4], datas)


def opened(**options):
    return RemoteAccelerator(ModelClient(**options), BASE, patience=0.05)


def sample_of(steps):
    return Sample("x", steps=SpikeTrain.from_lists(steps))


@settings(max_examples=25)
@given(st.data())
def test_runs_are_exact(data):
    network = data.draw(networks(CONFIG))
    accelerator = opened()
    accelerator.load(network)
    for steps in data.draw(st.lists(inputs_of(network, events=6), min_size=1, max_size=2)):
        sample, lockstep = sample_of(steps), data.draw(st.booleans())
        golden, = GoldenModel(network).run([sample.steps], states=True)
        run = accelerator.run(sample, lockstep)
        compared = compare(sample, run, golden, network, CONFIG, lockstep)
        assert (compared.mismatches, compared.state_mismatches) == (0, 0), compared.divergence
        assert run.counters["steps"] == len(steps) and run.counters["spikes"] == len(run.spikes.sources)


def test_the_build_is_read():
    config = opened().config
    assert (config.neurons, config.inputs, config.contexts, config.lanes) == (7, 5, 2, 3)


def test_another_address_and_another_layout(monkeypatch):
    with pytest.raises(QCLIFError, match=r"at 0xf0001000 is 0x00000000, .*: see that the bridge answers"):
        opened(dead=0)
    monkeypatch.setattr("tests.helpers.register_model.REGISTER_LAYOUT", 99)
    with pytest.raises(QCLIFError, match="at 0xf0001000 is 0x71430063, an accelerator of register layout"):
        opened()


def test_an_answer_that_does_not_come_is_never_a_result():
    network, sample = random_network(CONFIG, 1), sample_of([[0, 1], [], [2, 6]])
    whole = ModelClient()
    accelerator = RemoteAccelerator(whole, BASE)
    accelerator.load(network)
    accelerator.run(sample)
    accesses = 10**9 - whole.dead
    for dead in range(1, accesses, 7):
        with pytest.raises(QCLIFError, match=r"version|is 0x00000000|no answer"):
            accelerator = opened(dead=dead)
            accelerator.load(network)
            accelerator.run(sample)


def test_what_is_refused_is_told():
    accelerator = opened()
    with pytest.raises(QCLIFError, match=r"no network is loaded: call load\(\)"):
        accelerator.run(sample_of([[0]]))
    accelerator.load(random_network(CONFIG, 1))
    accelerator.push([CONFIG.sources])
    assert accelerator.errors() == ("unknown",)
    with pytest.raises(QCLIFError, match="has set unknown in its register errors"):
        accelerator.check()
    accelerator.reset()
    assert accelerator.errors() == ()
    with pytest.raises(QCLIFError, match=r"status.output .* is not 1 after 0.05 s"):
        accelerator.pop()


def test_a_network_that_does_not_fit_and_a_memory_that_does_not_hold(monkeypatch):
    with pytest.raises(QCLIFError, match="the network has 9 neurons, the build 7"):
        opened().load(random_network(QCLIFConfig(neurons=9, inputs=5, contexts=2), 1))
    accelerator = opened()
    monkeypatch.setattr(RegisterModel, "word", lambda self: 1)
    with pytest.raises(QCLIFError, match=r"memory 0 .* does not hold what is written from address 0"):
        accelerator.load(random_network(CONFIG, 1))
