#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.memory import SlicedMemory

# Streams ------------------------------------------------------------------------------------------

def event_layout(config):
    """Layout of a source event: `event` = 0 makes a beat that only carries `last` (end of the step)."""
    return [("source", bits_for(config.sources - 1)), ("event", 1)]

# Event List ---------------------------------------------------------------------------------------

class EventList(LiteXModule):
    """List of active rows, double-buffered: a step is received while the one before computes.

    Each event of the `sink` becomes an entry {apical, row}; `last` closes the list. A closed list is
    offered with `valid` and `count`, is read through `index` (entry one clock later, under `ce`) and
    is given back with `release`.

    Attributes
    ----------
    sink : source events in, `last` ends the step. Not ready while both lists are closed.
    valid, count, release : the oldest closed list, its entries, and the pulse that frees it.
    index, ce, apical, row : read port; `apical` tells a context (row of the apical memory) from a
        sensory source (row of the somatic one).
    lists : memory of both lists; the highest bit of an address is the list's.
    accepted, full, unknown : pulses; event stored, dropped for a full list, dropped as no source.
    """
    def __init__(self, config):
        self.sink     = sink = stream.Endpoint(event_layout(config))
        self.valid    = Signal()
        self.count    = Signal(max=config.step_events + 1)
        self.release  = Signal()
        self.index    = Signal(max=max(2, config.step_events))
        self.ce       = Signal()
        self.apical   = Signal()
        self.row      = Signal(max=max(2, config.inputs, config.contexts))
        self.accepted = Signal()
        self.full     = Signal()
        self.unknown  = Signal()

        # # #

        index_bits = len(self.index)

        write_list = Signal()
        read_list  = Signal()
        closed     = Array(Signal(name=f"closed{n}") for n in range(2))
        counts     = Array(Signal(len(self.count), name=f"count{n}") for n in range(2))
        fill       = Signal(len(self.count))

        # Memory.
        # -------
        self.lists = lists = SlicedMemory([1 + len(self.row)], 2**(index_bits + 1), "event_list")

        # Write.
        # ------
        offer   = Signal()
        context = Signal()
        known   = Signal()
        row     = Signal(len(self.row))
        entries = Signal(len(self.count))
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
            lists.write_adr.eq(Cat(fill[:index_bits], write_list)),
            lists.write_data.eq(Cat(row, context)),
            lists.write_en.eq(self.accepted),
            entries.eq(fill + self.accepted),
        ]
        self.sync += [
            fill.eq(entries),
            If(sink.valid & sink.ready & sink.last,
                fill.eq(0),
                counts[write_list].eq(entries),
                closed[write_list].eq(1),
                write_list.eq(~write_list),
            ),
        ]

        # Read.
        # -----
        self.comb += [
            self.valid.eq(closed[read_list]),
            self.count.eq(counts[read_list]),
            lists.read_adr.eq(Cat(self.index, read_list)),
            lists.read_en.eq(self.ce),
            Cat(self.row, self.apical).eq(lists.read_data),
        ]
        self.sync += If(self.release,
            closed[read_list].eq(0),
            read_list.eq(~read_list),
        )
