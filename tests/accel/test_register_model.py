# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Random accesses to all registers, of a core that is busy or not, against the model: nothing is silent.

What the model refuses is flagged, what it accepts has its effect, and reading twice gives the same. From the gateware
comes only how long steps take: whether one is in work, another one may be pushed, a beat has come out.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.config import SPACE_PARAMETERS, SPACE_SHIFT, QCLIFConfig
from accel.image import word_address
from tests.helpers.register_bench import BITS, Access, drive, error_names
from tests.helpers.register_model import CONTROL, COUNTED, PUSH, STATUS, RegisterModel

# Three slices a word and two groups; one lane and a neuron; a list that is soon full.
CONFIGS = [
    QCLIFConfig(neurons=4, inputs=3, contexts=1, lanes=2, weight_bits=5, state_bits=6, current_bits=7, step_events=3,
        spike_fifo=4),
    QCLIFConfig(neurons=2, inputs=1, contexts=0, lanes=1, spike_fifo=2),
    QCLIFConfig(neurons=11, inputs=2, contexts=1, lanes=10, weight_bits=7, state_bits=8, spike_fifo=11),
]


@st.composite
def accesses(draw, config, gaps):
    """A list of accesses: mostly sensible ones, so that steps are computed, and anything in between."""
    model  = RegisterModel(config)
    gap    = st.sampled_from(gaps)
    word   = st.integers(0, 2**32 - 1)
    place  = st.one_of(
        st.tuples(st.sampled_from([*model.sizes]), st.integers(0, 9), st.booleans()).map(lambda chosen: chosen[0] <<
            SPACE_SHIFT | word_address(chosen[0], (model.sizes[chosen[0]] - 1 - chosen[1] if chosen[2] else chosen[1])
            % model.sizes[chosen[0]], config)),
        word, st.integers(0, 15).map(lambda space: space << SPACE_SHIFT))
    writes = st.one_of(
        st.tuples(st.just("push"), st.one_of(st.just(PUSH["last"]), st.integers(0, config.sources).map(
            lambda source: source | PUSH["event"]), st.integers(0, config.sources).map(
            lambda source: source | PUSH["event"] | PUSH["last"]), word)),
        st.tuples(st.just("pop"), word),
        st.tuples(st.just("address"), place),
        st.tuples(st.just("data"), st.one_of(word, st.integers(0, 127).map(lambda each: each*0x010101))),
        st.tuples(st.just("control"), st.one_of(st.just(CONTROL["next_word"]), st.integers(0, 15), word)),
        st.tuples(st.just("neurons"), st.one_of(st.integers(0, config.neurons + 1), word)),
        st.tuples(st.just("shifts"), st.one_of(st.integers(0, 31).map(lambda each: each << 8), word)),
        st.tuples(st.sampled_from(["status", "errors", "version", "clock", "counter_rows", "size_lanes"]), word),
    )
    reads  = st.tuples(st.sampled_from(["pop", "pop", "data", "data", "address", "errors", "status", "neurons",
        "shifts", "push", "control", "version"]), st.none())
    chosen = draw(st.lists(st.tuples(st.one_of(writes, writes, reads, reads), gap, st.booleans()), min_size=20,
        max_size=120))
    result = []
    for (name, value), clocks, twice in chosen:
        result += [Access(name, value, clocks)]*(2 if value is None and twice else 1)
    return result


def load(config):
    """Accesses that let every neuron fire at once: biases of 15, thresholds of 1."""
    biases = 15 << config.state_bits | 15 << config.state_bits + config.weight_bits
    return [Access("address", SPACE_PARAMETERS << SPACE_SHIFT),
        *(Access("data", word) for _ in range(config.neurons) for word in (1, biases))]


def check(config, played, timing, read, early_clocks):
    """Compare what was read with the model; return it."""
    model, clock, moved = RegisterModel(config), 0, -10
    flags = set()                                       # That may or may not be set: a word was 0 anyway.
    for number, (access, told, seen) in enumerate(zip(played, timing, read, strict=True)):
        model.timing = told
        place = (model.space, model.at, model.busy)
        if access.value is None:
            expected = model.read(access.name)
            if access.name == "data" and clock - moved < early_clocks:
                if seen == 0:
                    flags.add("early")
            if access.name == "errors":
                assert error_names(seen) - {"early"} == model.flags, (number, access)
                assert "early" not in error_names(seen) or "early" in flags, (number, access)
                model.flags -= {"early"}
            elif not (access.name == "data" and seen == 0 and "early" in flags and clock - moved < early_clocks):
                assert seen == expected, (number, access, told)
        else:
            model.write(access.name, access.value)
            if access.name == "control" and access.value & CONTROL["clear_errors"]:
                flags.clear()
        if (model.space, model.at, model.busy) != place or (access.name == "data" and access.value is not None):
            moved = clock
        if told[0]:
            moved = clock                               # It is fetched again when the step is computed.
        clock += access.gap
    return model


def session(config, played):
    """Play the accesses, then take what is left of the output; what was read, the timing, beats and counters."""
    def run(dut):
        core = dut.qclif
        watch = [core._status.fields.busy, core._status.fields.ready, core._status.fields.output]
        read, timing = yield from dut.play(played, watch)
        beats = []
        while (status := (yield from dut.read("status"))) & (STATUS["busy"] | STATUS["output"]):
            if status & STATUS["output"]:
                beats.append((yield from dut.read("pop")))
                yield from dut.write("pop")
        counters = {}
        for name in COUNTED:
            counters[name] = yield from dut.read(f"counter_{name}")
        return read, timing, beats, counters, (yield from dut.errors())
    return run


@pytest.mark.parametrize("registered, single_port, gaps", [
    (False, False, [2, 2, 3, 7]), (True, False, [2, 2, 3, 7]), (True, True, [2, 3, 20]),
    (False, False, [1, 1, 2]), (True, False, [1, 1, 2, 20]), (False, True, [1, 2])])
@settings(max_examples=8)
@given(data=st.data())
def test_random_accesses(registered, single_port, gaps, data):
    config = data.draw(st.sampled_from(CONFIGS))
    played = [*load(config), *data.draw(accesses(config, gaps))]
    read, timing, beats, counters, errors = drive(config, session(config, played), registered, single_port)
    # A bridge of LiteX is never too early, whatever is behind the memories.
    early  = 8 if min(gaps) == 1 else 0
    model  = check(config, played, timing, read, early)
    assert list(model.beats) == beats
    assert not model.exact or model.counters == counters
    assert errors - {"early"} == model.flags and ("early" not in errors or early)


def test_flags_are_known():
    here = {"full", "unknown", "push", "busy", "pop", "address", "read_only", "neurons", "reserved", "early"}
    # test_routes.py, test_protection.py.
    assert set(BITS["errors"]) == here | {"reader", "writer", "fault"}
