# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.layouts import event_layout, index_bits
from accel.memory import SlicedMemory

# Source Counters ----------------------------------------------------------------------------------

COUNT_BITS = 16

class SourceCounters(LiteXModule):
    """Counts the events of each source in a step, an event a clock: the one that reaches the threshold goes on.

    A counter stands beside the number of the step that it is of: in a new step, all of them are 0 at once. Before
    the numbers come again, they are cleared one by one.

    Parameters
    ----------
    config : QCLIFConfig.
    step_bits : bits of a step's number, 4 up. With 16 bits of a counter, the default is a word of 36 bits.

    Attributes
    ----------
    sink : beats {source, event, count}, with `event`, `count` or `last`: `event` goes on as it is, `count` is counted.
        `last` ends the step.
    source : sources that fire, `last` ends the step; four clocks after the beat of the sink.
    threshold : 1 up; to be kept but for a `clear`.
    clear : pulse, at any time: whatever is in work is dropped, and the counters are cleared, one a clock.
    idle : nothing is in work.
    """
    def __init__(self, config, step_bits=20):
        self.sink      = sink   = stream.Endpoint([*event_layout(config), ("count", 1)], name="sink")
        self.source    = source = stream.Endpoint(event_layout(config))
        self.threshold = Signal(COUNT_BITS)
        self.clear     = Signal()
        self.idle      = Signal()

        # # #

        self.counters = counters = SlicedMemory([COUNT_BITS + step_bits], config.inputs, "counters")

        # Steps: the numbers end with some to spare for those that are in work.
        # ---------------------------------------------------------------------
        number   = Signal(step_bits)
        ending   = Signal()
        draining = Signal()
        clearing = Signal(reset=1)
        cleared  = Signal(index_bits(config.inputs))
        advance  = Signal()
        self.comb += [
            ending.eq(number[3:] == 2**(step_bits - 3) - 1),
            advance.eq(~source.valid | source.ready),
            sink.ready.eq(advance & ~draining & ~clearing),
        ]
        self.sync += [
            If(sink.valid & sink.ready & sink.last & ending, draining.eq(1)),
            If(draining & self.idle,
                draining.eq(0),
                clearing.eq(1),
            ),
            If(clearing,
                number.eq(1),
                cleared.eq(cleared + 1),
                If(cleared == config.inputs - 1,
                    cleared.eq(0),
                    clearing.eq(0),
                )
            ),
            If(self.clear,
                draining.eq(0),
                clearing.eq(1),
                cleared.eq(0),
            )
        ]

        # Pipeline: a beat asks for its counter, has it, counts.
        # ------------------------------------------------------
        marks  = ("event", "count", "last")
        layout = [("source", len(sink.source)), *[(mark, 1) for mark in marks]]
        ask    = Record(layout, name="ask")
        have   = Record(layout, name="have")
        add    = Record(layout, name="add")
        in_work = [getattr(stage, mark) for stage in (ask, have, add) for mark in marks] + [source.valid]
        self.sync += If(advance,
            ask.source.eq(sink.source),
            *[getattr(ask, mark).eq(sink.valid & sink.ready & getattr(sink, mark)) for mark in marks],
            have.eq(ask),
            add.eq(have),
        )
        self.comb += self.idle.eq(Cat(*in_work) == 0)

        # Count. What was written in this clock and in the one before is not yet in the memory's answer.
        # ---------------------------------------------------------------------------------------------
        seen    = Signal(COUNT_BITS)
        of_step = Signal(step_bits)
        passed  = Signal(COUNT_BITS)
        newer   = Signal()           # `passed` is newer than the memory's, and of this step.
        before  = Signal(COUNT_BITS)
        after   = Signal(COUNT_BITS)
        fires   = Signal()
        write   = Signal()
        written = Record([("valid", 1), ("source", len(sink.source)), ("count", COUNT_BITS)], name="written")
        answer  = counters.read_data
        self.comb += [
            counters.read_adr.eq(ask.source),
            counters.read_en.eq(advance),
            If(newer,
                before.eq(passed),
            ).Elif(of_step == number,
                before.eq(seen),
            ),
            after.eq(Mux(before == self.threshold, before, before + 1)),
            fires.eq(add.count & (before == self.threshold - 1)),
            # The last one's counter is not needed any more.
            write.eq(add.count & ~add.last),
            counters.write_adr.eq(Mux(clearing, cleared, add.source)),
            counters.write_data.eq(Mux(clearing, 0, Cat(after, number))),
            counters.write_en.eq(clearing | (write & advance)),
        ]
        self.sync += If(advance,
            written.valid.eq(write),
            written.source.eq(add.source),
            written.count.eq(after),
            Cat(seen, of_step).eq(answer),
            newer.eq(0),
            passed.eq(written.count),
            If(write & (add.source == have.source),
                newer.eq(1),
                passed.eq(after),
            ).Elif(written.valid & ~add.last & (written.source == have.source),
                newer.eq(1),
            ),
            If(add.last, number.eq(number + 1)),
        )

        # Output.
        # -------
        self.sync += [
            If(advance,
                source.valid.eq(add.event | fires | add.last),
                source.source.eq(add.source),
                source.event.eq(add.event | fires),
                source.last.eq(add.last),
            ),
            If(self.clear, *[signal.eq(0) for signal in (*in_work, written.valid)]),
        ]
