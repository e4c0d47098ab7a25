#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

# Walker -------------------------------------------------------------------------------------------

class Walker(LiteXModule):
    """Walks the active rows of a step once for each group of neurons: one row a clock.

    A group's rows are first the events of the step, then the spikes of the step before. The events
    of the first group are walked while the last neurons of the step before are still updated; the
    spikes wait for them. Row addresses leave two clocks after their list entries were asked for.

    Attributes
    ----------
    ce : the walk advances (low while the neurons are not ready for a group's currents).
    events_read, spikes_read : the list is read.
    neurons : neurons of the loaded network.
    events_valid, events_count, events_index, events_apical, events_row, events_release : list of events.
    spikes_valid, spikes_count, spikes_index, spikes_neuron : list of the spikes of the step before.
    soma_en, soma_adr, apical_en, apical_adr : weight words to read.
    valid, first, last, step_last, lanes : of these words; first and last row of their group, last
        group of the step, neurons in the group. A group without rows has one beat without words.
    first_group : pulse for each row of the step: it is walked for the first group.
    spikes_taken : pulse; the spikes of the step before are walked for the last time.
    """
    def __init__(self, config):
        self.ce             = Signal()
        self.neurons        = Signal(max=config.neurons + 1)
        # Lists.
        self.events_valid   = Signal()
        self.events_count   = Signal(max=config.step_events + 1)
        self.events_read    = Signal()
        self.events_index   = Signal(max=max(2, config.step_events))
        self.events_apical  = Signal()
        self.events_row     = Signal(max=max(2, config.inputs, config.contexts))
        self.events_release = Signal()
        self.spikes_valid   = Signal()
        self.spikes_count   = Signal(max=config.neurons + 1)
        self.spikes_read    = Signal()
        self.spikes_index   = Signal(max=max(2, config.neurons))
        self.spikes_neuron  = Signal(max=max(2, config.neurons))
        # Words.
        self.soma_en        = Signal()
        self.soma_adr       = Signal(max=max(2, config.soma_words))
        self.apical_en      = Signal()
        self.apical_adr     = Signal(max=max(2, config.apical_words))
        self.valid          = Signal()
        self.first          = Signal()
        self.last           = Signal()
        self.step_last      = Signal()
        self.lanes          = Signal(max=config.lanes + 1)
        # Pulses.
        self.first_group    = Signal()
        self.spikes_taken   = Signal()

        # # #

        # Stage 0: which entry.
        # ---------------------
        active      = Signal()
        in_spikes   = Signal(reset_less=True)
        index       = Signal(max=max(2, config.step_events, config.neurons), reset_less=True)
        remaining   = Signal(max=config.neurons + 1, reset_less=True)
        first       = Signal(reset_less=True)
        first_group = Signal(reset_less=True)

        no_spikes  = Signal()
        events_end = Signal()
        spikes_end = Signal()
        beat       = Signal() # A row, or the only beat of a group without rows, leaves stage 0.
        row        = Signal()
        last       = Signal()
        last_group = Signal()
        self.comb += [
            self.events_index.eq(index),
            self.spikes_index.eq(index),
            last_group.eq(remaining <= config.lanes if config.groups > 1 else 1),
            no_spikes.eq(self.spikes_valid & (self.spikes_count == 0)),
            events_end.eq(index + 1 == self.events_count),
            spikes_end.eq(index + 1 == self.spikes_count),
            If(~in_spikes,
                row.eq(active),
                beat.eq(active),
                last.eq(active & events_end & no_spikes),
            ).Else(
                row.eq(active & self.spikes_valid & ~no_spikes),
                beat.eq(active & self.spikes_valid),
                last.eq(beat & (no_spikes | spikes_end)),
            ),
            self.events_release.eq(self.ce & last & last_group),
            self.spikes_taken.eq(self.events_release),
            self.events_read.eq(self.ce & row & ~in_spikes),
            self.spikes_read.eq(self.ce & row & in_spikes),
        ]
        self.sync += If(self.ce,
            If(~active & self.events_valid,
                active.eq(1),
                in_spikes.eq(self.events_count == 0),
                index.eq(0),
                first.eq(1),
                first_group.eq(1),
                remaining.eq(self.neurons),
            ).Elif(active & beat,
                index.eq(index + 1),
                first.eq(0),
                If(~in_spikes & events_end,
                    index.eq(0),
                    in_spikes.eq(1),
                ),
                If(last,
                    index.eq(0),
                    in_spikes.eq(self.events_count == 0),
                    first.eq(1),
                    first_group.eq(0),
                    remaining.eq(remaining - config.lanes),
                    If(last_group, active.eq(0)),
                ),
            ),
        )

        # Stage 1: the entry's rows.
        # --------------------------
        flags     = [("row", 1), ("first", 1), ("last", 1), ("step_last", 1), ("first_group", 1),
            ("lanes", len(self.lanes))]
        s1, s2    = Record(flags, reset_less=True), Record(flags, reset_less=True)
        s1_valid  = Signal()
        s1_spike  = Signal(reset_less=True)
        s2_valid  = Signal()
        soma_row   = Signal(max=max(2, config.soma_rows), reset_less=True)
        apical_row = Signal(max=max(2, config.apical_rows), reset_less=True)
        soma_hit   = Signal(reset_less=True)
        apical_hit = Signal(reset_less=True)
        self.sync += If(self.ce & (active | s1_valid | s2_valid), # Nothing toggles between steps.
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
            soma_hit.eq(s1_spike | ~self.events_apical),
            apical_hit.eq(s1_spike | self.events_apical),
            If(s1_spike,
                soma_row.eq(config.inputs + self.spikes_neuron),
                apical_row.eq(config.contexts + self.spikes_neuron),
            ).Else(
                soma_row.eq(self.events_row),
                apical_row.eq(self.events_row),
            ),
        )

        # Stage 2: the words of the group.
        # --------------------------------
        soma_base   = Signal(max=config.soma_words + config.soma_rows)
        apical_base = Signal(max=config.apical_words + config.apical_rows)
        self.comb += [
            self.soma_en.eq(self.ce & s2_valid & s2.row & soma_hit),
            self.soma_adr.eq(soma_base + soma_row),
            self.apical_en.eq(self.ce & s2_valid & s2.row & apical_hit),
            self.apical_adr.eq(apical_base + apical_row),
            self.valid.eq(s2_valid),
            self.first.eq(s2.first),
            self.last.eq(s2.last),
            self.step_last.eq(s2.step_last),
            self.lanes.eq(s2.lanes),
            self.first_group.eq(self.ce & s2_valid & s2.row & s2.first_group),
        ]
        self.sync += If(self.ce & s2_valid & s2.last,
            soma_base.eq(soma_base + config.soma_rows),
            apical_base.eq(apical_base + config.apical_rows),
            If(s2.step_last,
                soma_base.eq(0),
                apical_base.eq(0),
            ),
        )
