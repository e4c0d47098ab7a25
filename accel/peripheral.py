# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream
from litex.soc.interconnect.csr import *
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourceLevel, EventSourcePulse

from litex.soc.integration.doc import AutoDoc, ModuleDoc

from accel.config import CORE_COUNTERS, SHIFT_BITS, SPACE_PARAMETERS, SPACE_SHIFT, SPACE_STATE, WORD_BITS
from accel.core import QCLIFCore
from accel.layouts import spike_layout

# QCLIF --------------------------------------------------------------------------------------------

class QCLIF(LiteXModule, AutoDoc):
    def __init__(self, config, registered=False, single_port=False):
        # registered, single_port: the core's. With registers, what is read of its weights arrives a clock later: no CSR
        # may be accessed sooner than three clocks after another one.
        self.intro = ModuleDoc("""QCLIF

        Recurrent network of context-dependent neurons (qCLIF): event-driven accelerator.

        A time step is a number of writes to ``push``: one an event, the last one with ``last`` set
        (or a write of ``last`` alone, for a step without events). When ``status.ready`` is set a
        whole step may be pushed without a further check: the step before may still be computing.
        Its output is read from ``pop``: one read a spike, in ascending order of the neurons, until
        a read with ``last``.

        Weights, parameters and states are reached through ``address`` and ``data``, which advance
        by themselves. Nothing is lost silently: what could not be taken sets a sticky flag in
        ``errors`` and is counted in ``counter_overflows``.
        """)
        self.config = config
        self.core   = core = QCLIFCore(config, registered, single_port)

        # Events and spikes.
        # ------------------
        self._push = CSRStorage(fields=[
            CSRField("source", size=16, description=f"Source of the event: sensory source j is j, "
                f"context k is {config.inputs} + k."),
            CSRField("event",  size=1, description="The write carries an event."),
            CSRField("last",   size=1, description="The write ends the time step."),
        ], description="Event push: every write is one beat.")
        self._pop = CSRStatus(fields=[
            CSRField("neuron", size=16, description="Neuron that fired."),
            CSRField("spike",  size=1, description="The beat carries a spike."),
            CSRField("last",   size=1, description="End of this time step's output."),
            CSRField("valid",  size=1, description="There was a beat; the read took it."),
        ], description="Spike output: every read takes one beat.")
        self._status = CSRStatus(fields=[
            CSRField("ready",  size=1, description="A whole step may be pushed."),
            CSRField("busy",   size=1, description="A step is received completely and not yet computed."),
            CSRField("output", size=1, description="``pop`` has a beat."),
        ], description="State of the accelerator.")
        self._errors = CSRStatus(fields=[
            CSRField("full",    size=1, description=f"An event was dropped: more than {config.step_events} in a step."),
            CSRField("unknown", size=1, description=f"An event was dropped: its source is not below {config.sources}."),
            CSRField("push",    size=1, description="A write to ``push`` was dropped: ``status.ready`` was not set."),
            CSRField("memory",  size=1, description="``data`` was accessed while busy: a write was dropped, what was "
                "read is not valid."),
        ], description="Sticky error flags, cleared by ``control.clear_errors``.")

        # Control.
        # --------
        self._control = CSRStorage(fields=[
            CSRField("reset_state",    size=1, pulse=True, description="V_a = V_s = z = 0, while idle."),
            CSRField("clear_errors",   size=1, pulse=True, description="Clear ``errors``."),
            CSRField("clear_counters", size=1, pulse=True, description="Clear the counters."),
        ], description="Commands.")
        self._neurons = CSRStorage(16, reset=config.neurons,
            description=f"Neurons of the loaded network, 1 to {config.neurons}; to be changed while idle.")
        self._shifts = CSRStorage(fields=[
            CSRField("apical",  size=SHIFT_BITS, offset=0, reset=0, description="apical_shift: I_a >> apical_shift."),
            CSRField("product", size=SHIFT_BITS, offset=8, reset=6,
                description="product_shift: (i_s * V_a) >> product_shift."),
        ], description="Run-time shifts; to be changed while idle.")

        # Memory.
        # -------
        self._address = CSRStorage(WORD_BITS, fields=[
            CSRField("word",  size=SPACE_SHIFT, description=f"Somatic weights: (group*{config.soma_rows} + row) << "
                f"{config.slice_bits} | slice, sensory source j is row j, neuron m row {config.inputs} + m. "
                f"Apical weights: (group*{config.apical_rows} + row) << {config.slice_bits} | slice, context k is row "
                f"k, neuron m row {config.contexts} + m. A group is {config.lanes} neurons; a slice "
                f"{config.slice_lanes} of their {config.weight_bits}-bit weights, lowest lane first. "
                f"Parameters: neuron << 1 (threshold, leak_soma: {config.state_bits} bits each) or neuron << 1 | 1 "
                f"(leak_apical: {config.state_bits} bits, bias_soma, bias_apical: {config.weight_bits} bits each). "
                f"States: neuron."),
            CSRField("space", size=4, description="Memory.", values=[
                ("``0``", "Somatic weights."), ("``1``", "Apical weights."), ("``2``", "Parameters."),
                ("``3``", "States, read only: V_a in bits 15:0, V_s in bits 31:16.")]),
        ], description="Address of ``data``.", write_from_dev=True)
        self._data = CSR(WORD_BITS, name="data")

        # Counters.
        # ---------
        counters = {name: CSRStatus(32, name=f"counter_{name}", description=f"Counter: {text}.")
            for name, text in CORE_COUNTERS.items()}
        for name, counter in counters.items():
            setattr(self, f"_counter_{name}", counter)
        self._clock = CSRStatus(32, description="Free-running clock counter, for software to time itself.")

        # Interrupts.
        # -----------
        self.ev        = EventManager()
        self.ev.output = EventSourceLevel(description="``pop`` has a beat.")
        self.ev.step   = EventSourcePulse(description="A time step is computed.")
        self.ev.error  = EventSourceLevel(description="A flag in ``errors`` is set.")
        self.ev.finalize()

        # # #

        # Events: a write becomes a beat of the sink.
        # -------------------------------------------
        push = self._push.fields
        self.comb += [
            core.sink.valid.eq(self._push.re),
            core.sink.source.eq(push.source),
            core.sink.event.eq(push.event),
            core.sink.last.eq(push.last),
        ]
        # A source that the stream's narrower signal would fold back is dropped here.
        beyond  = Signal()
        dropped = Signal()
        self.comb += [
            beyond.eq(push.event & (push.source >= config.sources)),
            If(beyond, core.sink.event.eq(0)),
        ]
        # In the clock in which the core tells of the same write: a write is counted once.
        folded = Signal()
        self.sync += [
            dropped.eq(self._push.re & ~core.sink.ready),
            folded.eq(self._push.re & beyond),
        ]

        # Spikes.
        # -------
        self.spikes = spikes = stream.SyncFIFO(spike_layout(config), config.spike_fifo, buffered=True)
        self.comb += [
            core.source.connect(spikes.sink),
            self._pop.fields.neuron.eq(spikes.source.neuron),
            self._pop.fields.spike.eq(spikes.source.spike),
            self._pop.fields.last.eq(spikes.source.last),
            self._pop.fields.valid.eq(spikes.source.valid),
            spikes.source.ready.eq(self._pop.we),
        ]

        # Control and status.
        # -------------------
        control = self._control.fields
        self.comb += [
            core.reset_state.eq(control.reset_state),
            core.neurons.eq(self._neurons.storage),
            core.apical_shift.eq(self._shifts.fields.apical),
            core.product_shift.eq(self._shifts.fields.product),
            self._status.fields.ready.eq(core.ready),
            self._status.fields.busy.eq(core.busy),
            self._status.fields.output.eq(spikes.source.valid),
        ]

        # Memory: reads are fetched ahead, after a new address and after each read of the data.
        # -------------------------------------------------------------------------------------
        port    = core.memory
        address = self._address.storage
        word    = Signal(SPACE_SHIFT)
        access  = Signal()
        again   = Signal()
        gap     = 2**config.slice_bits - config.slices + 1
        in_weights = address[SPACE_SHIFT:] < SPACE_PARAMETERS
        last_slice = (address[:config.slice_bits] == config.slices - 1) if config.slice_bits else Constant(1)
        self.comb += [
            port.space.eq(address[SPACE_SHIFT:]),
            port.address.eq(address),
            port.write.eq(self._data.re & (address[SPACE_SHIFT:] < SPACE_STATE)),
            port.data_w.eq(self._data.r),
            port.read.eq((self._address.re | again) & ~core.busy),
            self._data.w.eq(port.data_r),
            access.eq(self._data.re | self._data.we),
            word.eq(address[:SPACE_SHIFT] + Mux(in_weights & last_slice, gap, 1)),
            self._address.we.eq(access),
            self._address.dat_w.eq(Cat(word, address[SPACE_SHIFT:])),
        ]
        self.sync += again.eq(self._data.we)

        # Errors: seen by a read that follows right after the write.
        # ----------------------------------------------------------
        errors = self._errors.fields
        flags  = {
            "full":    core.event_full,
            "unknown": core.event_unknown | folded,
            "push":    dropped,
            "memory":  access & core.busy,
        }
        for name, condition in flags.items():
            sticky = Signal(name=f"error_{name}")
            self.comb += getattr(errors, name).eq(sticky | condition)
            self.sync += [
                If(control.clear_errors, sticky.eq(0)),
                If(condition, sticky.eq(1)),
            ]

        # Counters.
        # ---------
        pulses = dict(core.pulses, overflows=flags["full"] | flags["unknown"] | dropped)
        for name, counter in counters.items():
            self.sync += [
                If(pulses[name] != 0, counter.status.eq(counter.status + pulses[name])),
                If(control.clear_counters, counter.status.eq(0)),
            ]
        self.sync += self._clock.status.eq(self._clock.status + 1)

        # Interrupts.
        # -----------
        self.comb += [
            self.ev.output.trigger.eq(spikes.source.valid),
            self.ev.step.trigger.eq(core.pulses["steps"]),
            self.ev.error.trigger.eq(self._errors.status != 0),
        ]
