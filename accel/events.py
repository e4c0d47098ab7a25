# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.layouts import event_layout, event_list_layout
from accel.memory import word_memory

# Event List ---------------------------------------------------------------------------------------

class EventList(LiteXModule):
    """List of active rows, double-buffered: a step is received while the one before computes.

    Each event of the `sink` becomes an entry; `last` closes the list, which is then offered to the walker.

    Parameters
    ----------
    config : QCLIFConfig.
    protect : of PROTECTIONS, check bits of the lists.
    registered : a register behind the memory, which is read one entry ahead: a higher clock on FPGAs for no clock more.

    Attributes
    ----------
    sink : source events in, `last` ends the step. Not ready while both lists are closed.
    list : the oldest closed list.
    lists : memory of both lists; the highest bit of an address is the list's.
    fill : events of the step that is not ended.
    accepted, full, unknown : pulses; event stored, dropped for a full list, dropped as no source.
    """
    def __init__(self, config, protect="none", registered=False):
        self.sink     = sink = stream.Endpoint(event_layout(config))
        self.list     = Record(event_list_layout(config))
        self.fill     = fill = Signal(len(self.list.count))
        self.accepted = Signal()
        self.full     = Signal()
        self.unknown  = Signal()

        # # #

        write_list = Signal()
        read_list  = Signal()
        closed     = Array(Signal(name=f"closed{n}") for n in range(2))
        waiting    = Signal(len(self.list.count)) # Entries of the closed list that is not walked yet.

        # Memory.
        # -------
        self.lists = lists = word_memory([1 + len(self.list.row)], 2*2**len(self.list.index), "event_list",
            protect=protect)

        # Write.
        # ------
        offer   = Signal()
        context = Signal()
        known   = Signal()
        row     = Signal(len(self.list.row))
        entries = Signal(len(self.list.count))
        self.comb += [
            sink.ready.eq(~closed[write_list]),
            offer.eq(sink.valid & sink.ready & sink.event),
            context.eq(sink.source >= config.inputs if config.contexts else 0),
            known.eq(sink.source < config.sources if config.sources < 2**len(sink.source) else 1),
            self.full.eq(offer & known & (fill == config.step_events)),
            self.unknown.eq(offer & ~known),
            self.accepted.eq(offer & known & ~self.full),
            row.eq(sink.source),
            If(context, row.eq(sink.source - config.inputs)),
            lists.write_adr.eq(Cat(fill[:len(self.list.index)], write_list)),
            lists.write_data.eq(Cat(row, context)),
            lists.write_en.eq(self.accepted),
            entries.eq(fill + self.accepted),
        ]
        self.sync += [
            fill.eq(entries),
            If(sink.valid & sink.ready & sink.last,
                fill.eq(0),
                closed[write_list].eq(1),
                write_list.eq(~write_list),
            ),
        ]

        # Read.
        # -----
        closing = sink.valid & sink.ready & sink.last
        self.comb += self.list.valid.eq(closed[read_list])
        self.sync += [
            If(closing, waiting.eq(entries)),
            # A register: the walk's end follows from it.
            If(~self.list.valid | self.list.release, self.list.count.eq(Mux(closing, entries, waiting))),
            If(self.list.release,
                closed[read_list].eq(0),
                read_list.eq(~read_list),
            ),
        ]
        entry = Cat(self.list.row, self.list.apical)
        if not registered:
            self.comb += [
                lists.read_adr.eq(Cat(self.list.index, read_list)),
                lists.read_en.eq(self.list.read),
                entry.eq(lists.read_data),
            ]
            return

        # Read ahead: entries are asked for in order, group after group, and the memory shows the one that is next.
        # ---------------------------------------------------------------------------------------------------------
        ahead = Signal() # It does; a list that has entries is not asked for one in its first clock.
        index = Signal.like(self.list.index)
        fetch = Signal()
        self.comb += [
            fetch.eq(self.list.read | (self.list.valid & ~ahead & (self.list.count != 0))),
            lists.read_adr.eq(Cat(index, read_list)),
            lists.read_en.eq(fetch),
        ]
        self.sync += [
            If(fetch,
                ahead.eq(1),
                index.eq(Mux(index + 1 == self.list.count, 0, index + 1)),
            ),
            If(self.list.read, entry.eq(lists.read_data)),
            If(self.list.release,
                ahead.eq(0),
                index.eq(0),
            ),
        ]
