# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What is proved, of which builds, and for each property a mistake in the gateware that breaks it."""

from dataclasses import dataclass

from accel.config import QCLIFConfig
from tests.formal.models import Core, Mutation, Neuron

# Builds -------------------------------------------------------------------------------------------

# Widths of weights and states do not matter where the spikes are free.
_SIZES = {"step_events": 2, "weight_bits": 2, "state_bits": 4, "current_bits": 4}
_SMALL = QCLIFConfig(neurons=2, inputs=2, contexts=0, lanes=1, **_SIZES)
_LANES = QCLIFConfig(neurons=3, inputs=3, contexts=2, lanes=2, **_SIZES)
_GROUPS = QCLIFConfig(neurons=3, inputs=2, contexts=0, lanes=1, **_SIZES)

CORES = [
    Core("small",            _SMALL),
    Core("groups",           _GROUPS, in_order=False),
    Core("lanes",            _LANES),
    Core("lanes_reset",      _LANES, from_power_up=False),
    Core("lanes_registered", _LANES, registered=True, from_power_up=False),
]

# Whose mutants are looked at, and what is looked at for so many clocks only.
MUTANT = CORES[2]

NEURONS = [Neuron(f"neuron{bits}{'_gates' if gates else ''}",
    QCLIFConfig(weight_bits=bits, state_bits=bits, current_bits=current), gates)
    for bits, current in ((4, 6), (8, 12)) for gates in (False, True)]

# Clocks of the bounded check: two whole steps of MUTANT and more.
CLOCKS = 50
BOUNDED = "step_within_bound"

# Left out where a core is not `in_order`.
IN_ORDER = "neurons_in_order"

# Properties ---------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Property:
    """A property of core.sv.

    Attributes
    ----------
    text : what it says.
    mutation : of its cause.
    """
    text:     str
    mutation: Mutation


def _property(text: str, module: str, old: str, new: str) -> Property:
    return Property(text, Mutation(module, old, new))


PROPERTIES = {
    # Steps.
    "steps_in_work_bounded": _property("at most four steps are in work",
        "events", "sink.ready.eq(~closed[write_list])", "sink.ready.eq(1)"),
    "busy_while_in_work": _property("busy tells whether a step came in that has not left",
        "core", "If(self.reset_state, left.eq(0))", "If(self.reset_state, left.eq(1))"),
    "ready_until_last": _property("once ready, a whole step is taken",
        "events", "sink.ready.eq(~closed[write_list])", "sink.ready.eq(~closed[write_list] & (fill != 1))"),
    "no_last_out_too_many": _property("no `last` leaves that did not come in",
        "population", "head.last.eq(step_last & final)", "head.last.eq(final)"),
    "step_within_bound": _property(
        "a step takes G*max(rows, P/Q) + 14 clocks at most, where lists are full and nothing stalls",
        "population", "in range(1 + NeuronPipeline.latency)", "in range(2 + NeuronPipeline.latency)"),
    "steps_add_up": _property(
        "the steps in work are those of the lists, the one of the neurons, and the one whose `last` waits to leave",
        "spikes", "If(spikes.release, listed.eq(0))", "If(spikes.release, listed.eq(listed))"),
    # Neurons.
    "neurons_in_order": _property("the neurons of a step are updated in order, each of them once",
        "population", "occupied.eq(valid[-1])", "occupied.eq(valid[-1] & ~self.stall)"),
    # Spikes.
    "source_stable": _property("what leaves stands until it is taken",
        "spikes", "output.source.connect(self.source)",
        'output.sink.connect(self.source, omit={"ready"}), output.source.ready.eq(self.source.ready)'),
    "beats_leave_once": _property("each spike that the neurons make leaves, as it is, in order, and once",
        "spikes", "self.ce.eq(output.sink.ready)", "self.ce.eq(1)"),
    "spikes_ascending": _property("neurons of a step ascend",
        "population", "self.word.eq(self.word + 1)", "self.word.eq(self.word)"),
    "spikes_below_neurons": _property("neurons are below `neurons`",
        "walker", "s1.lanes.eq(Mux(last_group, remaining, config.lanes))", "s1.lanes.eq(config.lanes)"),
    "last_is_last_neuron": _property("`last` is the last neuron's",
        "walker", "remaining.eq(self.neurons)", f"remaining.eq({MUTANT.config.neurons})"),
    # Addresses.
    "soma_address": _property("somatic words are inside their memory",
        "walker", "soma_base.eq(0)", "soma_base.eq(soma_base)"),
    "apical_address": _property("apical words are inside their memory",
        "walker", "apical_base.eq(0)", "apical_base.eq(apical_base)"),
    "parameters_address": _property("parameters are read of neurons below `neurons`",
        "population", "If(step_last & final, self.word.eq(0))", "If(step_last & final, self.word.eq(1))"),
    "states_address": _property("states are read of neurons below `neurons`",
        "population", "If(step_last & final, self.word.eq(0))", "If(step_last & final, self.word.eq(1))"),
    "states_write_address": _property("states are written of neurons below `neurons`",
        "population", "self.states.write_adr.eq(tail.word)", "self.states.write_adr.eq(tail.word + 1)"),
    "no_read_while_written": _property(
        "no word of a memory is read in the clock in which it is written: what it shows then does not matter",
        "events", "lists.write_adr.eq(Cat(fill[:len(self.list.index)], write_list))",
        "lists.write_adr.eq(Cat(fill[:len(self.list.index)], read_list))"),
    # Lists and sums.
    "event_list_fits": _property("the list of events never holds more than `step_events`",
        "events", "(fill == config.step_events)", "(fill == config.step_events + 1)"),
    "event_list_read": _property("no event is read that was not written",
        "walker", "events_end.eq(after == events.count)", "events_end.eq(index == events.count)"),
    "event_list_release": _property("no list of events is given back that is not there",
        "walker", "If(~active & events.valid,", "If(~active,"),
    "spike_list_fits": _property("the list of spikes never holds more than N",
        "spikes", "fill.eq(0),\n                write_list", "write_list"),
    "spike_list_read": _property("no spike is read that was not written",
        "walker", "row.eq(active & spikes.valid & ~no_spikes)", "row.eq(active & ~no_spikes)"),
    "spike_list_kept": _property("no list of spikes is replaced before it was walked",
        "walker", "beat.eq(active & spikes.valid)", "beat.eq(active)"),
    "sums_wait": _property("sums of a group stand until the neurons take them",
        "synapses", "ce.eq(~source.valid | source.ready)", "ce.eq(1)"),
    "sums_taken": _property("sums are taken in exactly the clocks in which no sums, or the last ones, are read",
        "spikes", "self.moves.eq(~self.stall)", "self.moves.eq(1)"),
    # Idle.
    "idle_is_empty": _property("where busy is low, walker, lists, sums and neurons are empty",
        "core", "received | (steps > 1)", "received | (steps > 2)"),
    "reset_is_idle": _property("one clock after a soft reset, in any state: idle, ready, empty, states and spikes 0",
        "core", "for module in (events, walker, synapses, population)]", "for module in (events, walker, synapses)]"),
}

# Mistakes in the neuron, each against the contract's line.
NEURON_MUTATIONS = [Mutation("neuron", old, new) for old, new in (
    ("Cat(Replicate(~sign, bits - 1), sign)", "Cat(Replicate(~sign, bits - 2), sign, sign)"),
    ("shifted.eq(sum_apical >> self.apical_shift)", "shifted.eq(sum_apical[1:] >> self.apical_shift)"),
    ("Mux(value > amount, value - amount, 0)", "Mux(value >= amount, value - amount, 1)"),
    ("Mux(value[bits:-1] != 0, 2**bits - 1, value[:bits])", "value[:bits]"),
    ("drive.eq(product >> self.product_shift)", "drive.eq((product + 1) >> self.product_shift)"),
    ("product.eq(gated*factor)", "product.eq(gated[1:]*factor)"),
    ("fires.eq(v_soma >= threshold)", "fires.eq(v_soma > threshold)"),
    ("Mux(fires, threshold, 0)", "0"),
    ('delayed(rest_soma, 1, 5, "rest_soma")', 'delayed(rest_soma, 1, 4, "rest_soma")'),
)]
NEURON_STANDS_STILL = Mutation("neuron", "stage(5, product.eq(gated*factor))",
    "self.sync += product.eq(gated*factor)")
