# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.layouts import event_list_layout, index_bits, spike_list_layout, walk_layout

# Walker -------------------------------------------------------------------------------------------

class Walker(LiteXModule):
    """Walks the active rows of a step once for each group of neurons: one row a clock.

    A group's rows are first the events of the step, then the spikes of the step before. The events
    of the first group are walked while the last neurons of the step before are still updated; the
    spikes wait for them. Row addresses leave two clocks after their list entries were asked for.

    A step of two events, with one spike in the step before, in a core of 4 inputs and 4 neurons on 2 lanes:

        clock    0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
        event    2  3  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
        entry    .  .  . e0 e1 s0 e0 e1 s0  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .
        row      .  .  .  .  .  F  -  L  F  -  L  .  .  .  .  .  .  .  .  .  .  .  .  .
        word     .  .  .  .  .  2  3  5 10 11 13  .  .  .  .  .  .  .  .  .  .  .  .  .
        sums     .  .  .  .  .  .  .  .  .  -  .  .  L  .  .  .  .  .  .  .  .  .  .  .
        neuron   .  .  .  .  .  .  .  .  .  .  0  1  .  2  3  .  .  .  .  .  .  .  .  .
        spike    .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  1  .  .  L

    event : source that enters the core; the second one carries `last`.
    entry : of the list of events (e) or of spikes (s), asked for by the walker.
    row, word : beat of `source`, with its `first` (F) and `last` (L), and the address of its somatic word: rows 2, 3
        and, for neuron 1, 4 + 1 of a group's 8. The weights arrive a clock later, or three with `registered`.
    sums : of a group are taken by the population; L: the last group of the step.
    neuron : whose state and parameters are read. Two rows would keep the neurons just as busy as the lanes.
    spike : neuron that leaves the core, 10 clocks behind the taking of its group and its place in it; L: end of the
        step. Events of the next step can enter from clock 2 on, and their entries be asked for from clock 10 on.

    Attributes
    ----------
    neurons : neurons of the loaded network.
    events, spikes : list of the step's events, and of the spikes of the step before.
    source : rows of the groups. The walk advances with its `ready`, also where there is no beat: that is low while
        the neurons are not ready for a group's sums.
    new_row : pulse for each row of the step, when it is walked for the first group.
    """
    def __init__(self, config):
        self.neurons     = Signal(max=config.neurons + 1)
        self.events      = events = Record(event_list_layout(config))
        self.spikes      = spikes = Record(spike_list_layout(config))
        self.source      = source = stream.Endpoint(walk_layout(config))
        self.new_row     = Signal()

        # # #

        # Stage 0: which entry.
        # ---------------------
        ce          = source.ready
        active      = Signal()
        in_spikes   = Signal(reset_less=True)
        index       = Signal(index_bits(max(config.step_events, config.neurons)), reset_less=True)
        after       = Signal(len(index) + 1, reset_less=True) # index + 1, so that no sum is before the comparisons.
        remaining   = Signal(max=config.neurons + 1, reset_less=True)
        first       = Signal(reset_less=True)
        first_group = Signal(reset_less=True)

        no_spikes  = Signal()
        events_end = Signal()
        beat       = Signal() # A row, or the only beat of a group without rows, leaves stage 0.
        row        = Signal()
        last       = Signal()
        last_group = Signal()
        self.comb += [
            events.index.eq(index),
            spikes.index.eq(index),
            spikes.after.eq(after),
            last_group.eq(remaining <= config.lanes if config.groups > 1 else 1),
            no_spikes.eq(spikes.valid & spikes.empty),
            events_end.eq(after == events.count),
            If(~in_spikes,
                row.eq(active),
                beat.eq(active),
                last.eq(active & events_end & no_spikes),
            ).Else(
                row.eq(active & spikes.valid & ~no_spikes),
                beat.eq(active & spikes.valid),
                last.eq(beat & (no_spikes | spikes.end)),
            ),
            events.release.eq(ce & last & last_group),
            spikes.release.eq(events.release),
            events.read.eq(ce & row & ~in_spikes),
            spikes.read.eq(ce & row & in_spikes),
        ]
        self.sync += If(ce,
            If(~active & events.valid,
                active.eq(1),
                in_spikes.eq(events.count == 0),
                index.eq(0),
                after.eq(1),
                first.eq(1),
                first_group.eq(1),
                remaining.eq(self.neurons),
            ).Elif(active & beat,
                index.eq(after),
                after.eq(after + 1),
                first.eq(0),
                If(last | (~in_spikes & events_end),
                    index.eq(0),
                    after.eq(1),
                    in_spikes.eq(1),
                ),
                If(last,
                    in_spikes.eq(events.count == 0),
                    first.eq(1),
                    first_group.eq(0),
                    remaining.eq(remaining - config.lanes),
                    If(last_group, active.eq(0)),
                ),
            ),
        )

        # Stage 1: the entry's rows.
        # --------------------------
        flags      = [("row", 1), ("first", 1), ("last", 1), ("step_last", 1), ("first_group", 1),
            ("lanes", len(source.lanes))]
        s1         = Record(flags, reset_less=True)
        s2         = Record(flags, reset_less=True)
        s1_valid   = Signal()
        s1_spike   = Signal(reset_less=True)
        s2_valid   = Signal()
        soma_row   = Signal(index_bits(config.soma_rows), reset_less=True)
        apical_row = Signal(index_bits(config.apical_rows), reset_less=True)
        soma_hit   = Signal(reset_less=True)
        apical_hit = Signal(reset_less=True)
        self.sync += If(ce & (active | s1_valid | s2_valid), # Nothing toggles between steps.
            s1_valid.eq(beat),
            s1_spike.eq(in_spikes),
            s1.row.eq(row),
            s1.first.eq(first),
            s1.last.eq(last),
            s1.step_last.eq(last_group),
            s1.first_group.eq(first_group),
            s1.lanes.eq(Mux(last_group, remaining, config.lanes)),
            s2_valid.eq(s1_valid),
            s2.eq(s1),
            soma_hit.eq(s1_spike | ~events.apical),
            apical_hit.eq(s1_spike | events.apical),
            If(s1_spike,
                soma_row.eq(config.inputs + spikes.neuron),
                apical_row.eq(config.contexts + spikes.neuron),
            ).Else(
                soma_row.eq(events.row),
                apical_row.eq(events.row),
            ),
        )

        # Stage 2: the words of the group.
        # --------------------------------
        soma_base   = Signal(max=config.soma_words + config.soma_rows)
        apical_base = Signal(max=config.apical_words + config.apical_rows)
        self.comb += [
            source.soma.eq(ce & s2_valid & s2.row & soma_hit),
            source.soma_adr.eq(soma_base + soma_row),
            source.apical.eq(ce & s2_valid & s2.row & apical_hit),
            source.apical_adr.eq(apical_base + apical_row),
            source.valid.eq(s2_valid),
            source.first.eq(s2.first),
            source.last.eq(s2.last),
            source.step_last.eq(s2.step_last),
            source.lanes.eq(s2.lanes),
            self.new_row.eq(ce & s2_valid & s2.row & s2.first_group),
        ]
        self.sync += If(ce & s2_valid & s2.last,
            soma_base.eq(soma_base + config.soma_rows),
            apical_base.eq(apical_base + config.apical_rows),
            If(s2.step_last,
                soma_base.eq(0),
                apical_base.eq(0),
            ),
        )
