# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourceLevel, EventSourcePulse

from litex.soc.integration.doc import AutoDoc, ModuleDoc

from accel.config import CORE_COUNTERS, FAULTS, WORD_BITS
from accel.core import QCLIFCore
from accel.csr import csr_of
from accel.dma.registers import DMA_EVENTS, dma_registers
from accel.dma.routes import Routes
from accel.layouts import spike_layout, spike_word
from accel.registers import EVENTS, registers
from accel.window import MemoryWindow

# QCLIF --------------------------------------------------------------------------------------------

class QCLIF(LiteXModule, AutoDoc):
    """The core behind CSRs, for a CSR bus of 32 bits.

    Parameters
    ----------
    config : QCLIFConfig.
    registered, single_port, protect : the core's.
    with_streams, with_dma, big_endian, with_camera : as the routes'.

    Attributes
    ----------
    sink, source : streams of events and spikes for other gateware, with `with_streams`.
    reader, writer : masters of the bus, with `with_dma`: each has a Wishbone interface `bus`.
    """
    def __init__(self, config, registered=False, single_port=False, protect="none", with_streams=False, with_dma=False,
        big_endian=False, with_camera=False):
        self.intro = ModuleDoc("""QCLIF

        Recurrent network of context-dependent neurons (qCLIF): event-driven accelerator.

        A time step is a number of writes to ``push``: one an event, the last one with ``last`` set
        (or a write of ``last`` alone, for a step without events). When ``status.ready`` is set a
        whole step may be pushed without a further check: the step before may still be computing.
        Its output is in ``pop``: a beat a spike, in ascending order of the neurons, until one with
        ``last``. Reading shows a beat, a write takes it. The spikes of a whole step find room
        there: a driver that waits until ``status.busy`` is clear before it takes them never waits
        for ever, and one that takes them meanwhile may push further.

        Weights, parameters and states are reached through ``address`` and ``data``, while no step
        is in work. Reading a register changes nothing, and nothing is lost silently: what could
        not be done sets a sticky flag in ``errors``, and dropped events are counted in
        ``counter_overflows``. ``control.reset`` ends whatever is going on.

        All registers are there for accesses in successive clocks, but that counters lag behind by
        two clocks and that ``errors.early`` can be set.
        """)
        self.config = config
        self.core   = core = QCLIFCore(config, registered, single_port, protect)

        # Registers.
        # ----------
        table = {register.name: register for register in registers(config, with_streams, with_dma,
            with_camera)}
        csrs  = {name: csr_of(register) for name, register in table.items()}
        for name, csr in csrs.items():
            setattr(self, f"_{name}", csr)

        # Interrupts.
        # -----------
        self.ev = EventManager()
        for name, text in (EVENTS | (DMA_EVENTS if with_dma else {})).items():
            kind = EventSourceLevel if name in ("output", "error") else EventSourcePulse
            setattr(self.ev, name, kind(name=name, description=text))
        self.ev.finalize()

        # Registers behind the interrupt's.
        # ---------------------------------
        behind = dma_registers(config, with_camera) if with_dma else ()
        table |= {register.name: register for register in behind}
        for register in behind:
            csrs[register.name] = csr_of(register)
            setattr(self, f"_{register.name}", csrs[register.name])

        # # #

        control, push, pop = self._control, self._push, self._pop

        # Routes.
        # -------
        resetting = Signal()
        busy      = Signal()
        ready     = Signal()
        emerging  = Signal()
        self.routes = routes = Routes(config, csrs, with_streams, with_dma, big_endian, with_camera)
        self.sink   = routes.sink
        self.source = routes.source
        self.reader = routes.reader
        self.writer = routes.writer
        self.comb += [
            routes.reset.eq(resetting),
            routes.fill.eq(core.fill),
            routes.events.connect(core.sink),
        ]

        # Reset: in the clock behind the write, in which nothing else can be done.
        # ------------------------------------------------------------------------
        self.sync += resetting.eq((control.re & control.bits("reset")) | (self._neurons.re & ~busy))
        self.comb += [
            core.reset_state.eq(resetting),
            busy.eq(core.busy | resetting | emerging),
            ready.eq(routes.push.ready),
        ]

        # Events: a write becomes a beat of the sink.
        # -------------------------------------------
        beyond  = Signal() # A source that the stream's narrower signal would fold back is dropped here.
        folded  = Signal()
        dropped = Signal()
        self.comb += [
            beyond.eq(push.bits("source") >= config.sources),
            routes.push.valid.eq(push.re),
            routes.push.source.eq(push.bits("source")),
            routes.push.event.eq(push.bits("event") & ~beyond),
            routes.push.last.eq(push.bits("last")),
        ]
        # In the clock in which the core tells of the same write: a write is counted once.
        self.sync += [
            folded.eq(push.re & ready & push.bits("event") & beyond),
            dropped.eq(push.re & ~ready),
        ]

        # Spikes.
        # -------
        self.spikes = spikes = ResetInserter()(stream.SyncFIFO(spike_layout(config), config.spike_fifo, buffered=True))
        output      = Signal()
        self.comb += [
            spikes.reset.eq(resetting),
            # Whoever sees that no step is in work sees the last beat, too.
            emerging.eq((spikes.level != 0) & ~spikes.source.valid),
            core.source.connect(spikes.sink),
            spikes.source.connect(routes.spikes),
            output.eq(routes.pop.valid),
            routes.pop.ready.eq(pop.re),
            If(output, pop.storage.eq(spike_word(routes.pop))),
        ]

        # Status.
        # -------
        self.comb += [
            self._status.fields.ready.eq(ready),
            self._status.fields.busy.eq(busy),
            self._status.fields.output.eq(output),
        ]

        # Settings: of values that the core cannot take, the nearest one.
        # ---------------------------------------------------------------
        neurons, shifts = self._neurons, self._shifts
        self.sync += [
            If(neurons.re & ~busy,
                neurons.storage.eq(neurons.written),
                If(neurons.written == 0, neurons.storage.eq(1)),
                If(neurons.written > config.neurons, neurons.storage.eq(config.neurons)),
            ),
            If(shifts.re & ~busy, shifts.storage.eq(shifts.written & ~Constant(table["shifts"].reserved, WORD_BITS))),
        ]
        self.comb += [
            core.neurons.eq(neurons.storage),
            core.apical_shift.eq(shifts.fields.apical),
            core.product_shift.eq(shifts.fields.product),
        ]

        # Memory.
        # -------
        self.window = window = MemoryWindow(config, core.memory, core.port_clocks)
        self.comb += [
            window.busy.eq(busy),
            window.reset.eq(resetting),
            window.neurons.eq(neurons.storage),
            window.seek.eq(self._address.re),
            window.target.eq(self._address.written),
            window.advance.eq(control.re & control.bits("next_word")),
            window.write.eq(self._data.re),
            window.data_w.eq(self._data.written),
            window.read.eq(self._data.we),
            self._address.storage.eq(window.address),
            self._data.storage.eq(window.data),
        ]

        # Errors: seen by a read right behind the access.
        # -----------------------------------------------
        def any_of(*conditions):
            return Reduce("OR", conditions)

        def meaningless(name):
            return (csrs[name].written & table[name].reserved) != 0

        locked = busy & any_of(neurons.re, shifts.re)
        always = [name for name in ("control", "streams", "reader_network", "reader_start", "writer_start")
            if name in table and table[name].writable]
        now    = dict(window.refused | routes.refused, # In the clock of the access.
            push      = push.re & ~ready,
            pop       = any_of(pop.re & ~output, routes.refused.get("fired", 0)),
            reader    = any_of(routes.refused.get("reader", 0), routes.refused.get("encoder", 0)),
            neurons   = neurons.re & ~busy & ((neurons.written == 0) | (neurons.written > config.neurons)),
            busy      = window.refused["busy"] | locked,
            reserved  = any_of(window.refused["reserved"],
                *[csrs[name].re & meaningless(name) for name in always],
                push.re & ready & meaningless("push"),
                shifts.re & ~busy & meaningless("shifts")),
            read_only = any_of(window.refused["read_only"],
                *[csrs[name].re for name, register in table.items() if not register.writable]),
        )
        later  = dict( # In the clock behind it.
            full    = core.event_full,
            unknown = core.event_unknown | folded,
            fault   = core.faults["uncorrected"] != 0, # A few clocks behind.
        )
        clear_errors = control.re & control.bits("clear_errors")
        for field in table["errors"].fields:
            flag = Signal(name=f"error_{field.name}")
            self.comb += getattr(self._errors.fields, field.name).eq(flag | later.get(field.name, 0))
            # What is told in the clock of a clear was before it; but no fault of a memory is cleared unseen.
            before = later.get(field.name, 0) if field.name != "fault" else 0
            self.sync += [
                If(before, flag.eq(1)),
                If(clear_errors, flag.eq(0)),
                If(now.get(field.name, 0) | (later["fault"] if field.name == "fault" else 0), flag.eq(1)),
            ]

        # Counters: cleared for two clocks, since the core tells of what it did in the clock before.
        # ------------------------------------------------------------------------------------------
        clear_counters = Signal()
        cleared        = Signal()
        self.comb += clear_counters.eq(control.re & control.bits("clear_counters"))
        self.sync += cleared.eq(clear_counters)
        pulses = dict(core.pulses, overflows=any_of(later["full"], later["unknown"], dropped))
        counts = {**{f"counter_{name}": pulses[name] for name in CORE_COUNTERS},
            **{f"faults_{name}": core.faults[name] for name in FAULTS}}
        for name, pulse in counts.items():
            counter = csrs[name].status
            self.sync += [
                If(pulse != 0, counter.eq(counter + pulse)),
                If(clear_counters | cleared, counter.eq(0)),
            ]
        self.sync += self._clock.status.eq(self._clock.status + 1)

        # Interrupts.
        # -----------
        self.comb += [
            self.ev.output.trigger.eq(output),
            self.ev.step.trigger.eq(core.pulses["steps"]),
            self.ev.error.trigger.eq(self._errors.status != 0),
        ]
        if with_dma:
            self.comb += [
                self.ev.reader.trigger.eq(routes.reader.ended),
                self.ev.writer.trigger.eq(routes.writer.ended),
            ]
