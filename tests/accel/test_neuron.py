# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The neuron pipeline against the contract, operation by operation, with all saturations and ties."""

from hypothesis import given, settings
from hypothesis import strategies as st

from accel.neuron import NeuronPipeline, neuron_layout
from tests.helpers.simulation import run_simulation
from tests.helpers.strategies import configs


def contract(n, config, apical_shift, product_shift):
    """(V_a, V_s, z) of one update, in plain integers."""
    low, high = -2**(config.current_bits - 1), 2**(config.current_bits - 1) - 1
    i_s = min(max(n["soma"] + n["bias_soma"], low), high)
    i_a = min(max((n["apical"] + n["bias_apical"]) >> apical_shift, low), high)
    v_a = min(max(max(n["v_apical"] - n["leak_apical"], 0) + i_a, 0), config.state_max)
    v_s = min(max(max(n["v_soma"] - n["leak_soma"], 0) + ((i_s*v_a) >> product_shift), 0), config.state_max)
    z   = v_s >= n["threshold"]
    return v_a, v_s - n["threshold"] if z else v_s, int(z)


@st.composite
def updates(draw, config):
    """One neuron's inputs; limits and values beside them are as likely as all others together."""
    def integer(low, high):
        edges = [v for v in (low, low + 1, -1, 0, 1, high - 1, high) if low <= v <= high]
        return draw(st.sampled_from(edges) | st.integers(low, high))
    sums   = (config.step_events + config.neurons)*-config.weight_min
    update = {"soma": integer(-sums, sums), "apical": integer(-sums, sums)}
    for name, shape in neuron_layout(config):
        if name.startswith("bias"):
            update[name] = integer(config.weight_min, config.weight_max)
        elif name not in update:
            update[name] = integer(1 if name == "threshold" else 0, 2**shape - 1)
    return update


@settings(max_examples=60)
@given(data=st.data(), apical_shift=st.integers(0, 31), product_shift=st.integers(0, 31))
def test_neuron(data, apical_shift, product_shift):
    config = data.draw(configs())
    stream = data.draw(st.lists(updates(config), min_size=1, max_size=12))
    # A tie: the threshold is the potential that the first update reaches.
    tie = contract(stream[0] | {"threshold": 2**20}, config, apical_shift, product_shift)[1]
    stream.append(stream[0] | {"threshold": max(1, tie)})
    dut, outputs = NeuronPipeline(config), []

    def run():
        yield dut.ce.eq(1)
        yield dut.apical_shift.eq(apical_shift)
        yield dut.product_shift.eq(product_shift)
        for clock in range(len(stream) + dut.latency + 1):
            for name, value in stream[min(clock, len(stream) - 1)].items():
                yield getattr(dut.inputs, name).eq(value)
            yield
            if clock >= dut.latency:
                outputs.append(((yield dut.v_apical), (yield dut.v_soma), (yield dut.spike)))

    run_simulation(dut, run())
    assert outputs[:len(stream)] == [contract(n, config, apical_shift, product_shift) for n in stream]
