# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from litex.soc.interconnect import stream

from accel.config import READER_ERRORS, WORD_BYTES
from accel.dma.fetcher import ByteFetcher
from accel.layouts import event_layout

# Event Reader -------------------------------------------------------------------------------------

class EventReader(LiteXModule):
    """Fetches the events of whole steps from memory, checks them and hands them to the core.

    Formats of what is in memory, at any byte address:

    words   : 32 bits an event as the register `push` takes them: source, event, last; the bits above are 0. The steps
              are as many as have `last`.
    varints : so many `steps`, each a varint n and n varints: its sources, ascending, each as the difference to the one
              before, the first to 0. A varint below 128 is one byte, else two: the low 7 bits with bit 7 set, then the
              others. With `open` the last step is not ended: the next transfer goes on with it. This is the payload of
              the link (firmware/README.md), which our firmware hands over.
    raw     : raw event words of the link, for a build with a camera's encoder: its events go to the core. The next
              transfer goes on with the recording, and with its step.

    What is wrong ends the transfer, and nothing from there on is handed over. What the core has by then of a step stays
    there.

    Parameters
    ----------
    config     : QCLIFConfig.
    big_endian : byte 0 of a word is its highest one, as the CPU of the SoC has it.
    camera     : RawEvents, or None: there is no format raw.

    Attributes
    ----------
    bus      : Wishbone master. An access that has begun is always completed.
    source   : events, for the sink of the core.
    fill     : events that the core has of the step that is not ended. Nobody else adds any while `busy`.
    start    : pulse: a transfer begins, unless one is `busy`. What follows is taken with it.
    base, length : byte address and bytes.
    inputs, contexts : of the network. Of the sources of the build, those beyond them are refused.
    steps, varints, open : as above; without `varints` the format is words, and the other two mean nothing.
    raw      : the format is raw, whatever the three are.
    abort    : pulse: what is under way ends, without a sign of it but that it is not `busy` any more.
    busy     : a transfer is under way, or the access that it had begun.
    done     : the last transfer came to its end or to an error.
    ended    : pulse; `done` is set.
    error    : READER_ERRORS: what ended the last transfer.
    value    : the source that is unknown, the events that a step has beyond `step_events`, or what the camera tells.
    position : bytes that were read; at an error, to the end of what is wrong.
    """
    def __init__(self, config, big_endian=False, camera=None):
        self.source   = source = stream.Endpoint(event_layout(config))
        self.fill     = Signal(max=config.step_events + 1)
        self.start    = Signal()
        self.base     = Signal(32)
        self.length   = Signal(32)
        self.inputs   = Signal(16)
        self.contexts = Signal(16)
        self.steps    = Signal(16)
        self.varints  = Signal()
        self.open     = Signal()
        self.raw      = Signal()
        self.abort    = Signal()
        self.busy     = Signal()
        self.done     = Signal()
        self.ended    = Signal()
        self.error    = Signal(max=len(READER_ERRORS))
        self.value    = Signal(32)
        self.position = Signal(32)

        self.fetcher = fetcher = ByteFetcher(big_endian)
        self.bus     = fetcher.bus

        # # #

        start   = Signal()
        run     = Signal()
        length  = Signal(32)
        steps   = Signal(16)
        varints = Signal()
        open    = Signal()
        raw     = Signal()
        inputs  = Signal(16)
        limit   = Signal(17)
        self.comb += [
            start.eq(self.start & ~self.busy & ~self.abort),
            fetcher.start.eq(start),
            fetcher.base.eq(self.base),
            fetcher.length.eq(self.length),
            fetcher.stop.eq(~run),
            self.busy.eq(run | ~fetcher.idle),
        ]

        # Items: a varint or a word, whose last byte is taken now.
        # --------------------------------------------------------
        position = self.position
        held     = Signal(24) # The bytes before.
        count    = Signal(2)  # Of them, those of the item.
        byte     = fetcher.source.byte
        take     = Signal()
        item     = Signal()
        over     = Signal()   # All bytes are taken,
        through  = Signal()   # all steps are.
        word     = Cat(byte, held[16:24], held[8:16], held[:8]) if big_endian else Cat(held, byte)
        varint   = Mux(count == 0, byte, Cat(held[16:23], byte))
        self.comb += [
            over.eq(position == length),
            through.eq(varints & (steps == 0)),
            fetcher.source.ready.eq(take),
            item.eq(take & ~raw & Mux(varints, (count == 1) | ~byte[7], count == WORD_BYTES - 1)),
        ]
        self.sync += [
            If(take,
                position.eq(position + 1),
                held.eq(Cat(held[8:], byte)),
                count.eq(Mux(item | raw, 0, count + 1)),
            ),
        ]

        # Steps, with varints.
        # --------------------
        number = Signal(reset=1)     # The next varint is a number of events,
        first  = Signal()            # of the first step;
        left   = Signal(15)          # else so many sources are to come.
        ends   = Signal()
        self.comb += ends.eq(Mux(number, varint == 0, left == 1))
        self.sync += If(item & varints,
            left.eq(Mux(number, varint, left - 1)),
            number.eq(ends),
            If(ends,
                steps.eq(steps - 1),
                first.eq(0),
            ),
        )

        # Values: number of a step's events or source of an event, checked in the clock after the item.
        # ---------------------------------------------------------------------------------------------
        valid     = Signal()
        value     = Signal(16)
        is_number = Signal()
        is_event  = Signal()
        is_last   = Signal()
        surplus   = Signal() # Bits of a word that mean nothing.
        before    = Signal(16)
        self.comb += [
            If(number,
                If(first, before.eq(self.fill)),
            ).Elif(~is_number,
                before.eq(value),
            )
        ]
        self.sync += If(item,
            If(varints,
                value.eq(before + varint),
                is_number.eq(number),
                is_event.eq(~number),
                is_last.eq(ends & ~(open & (steps == 1))),
                surplus.eq(0),
            ).Else(
                value.eq(word[:16]),
                is_number.eq(0),
                is_event.eq(word[16]),
                is_last.eq(word[17]),
                surplus.eq(word[18:] != 0),
            ),
        )

        # Checks.
        # -------
        unknown = Signal()
        crowded = Signal()
        wrong   = Signal(len(self.error))
        at_end  = Signal()
        settled = Signal(reset=1) # Nothing is in work behind the bytes,
        stopped = Signal(len(self.error)) # or that is what is wrong there.
        partial = Signal()
        self.comb += [
            unknown.eq(is_event & (((value >= inputs) & (value < config.inputs)) | (value >= limit)
                | (value >= config.sources))),
            crowded.eq((is_number & (value > config.step_events))
                | (is_event & ~varints & (self.fill == config.step_events))),
            If(valid,
                If(surplus,
                    wrong.eq(READER_ERRORS["form"]),
                ).Elif(unknown,
                    wrong.eq(READER_ERRORS["source"]),
                ).Elif(crowded,
                    wrong.eq(READER_ERRORS["events"]),
                )
            ).Elif(stopped != READER_ERRORS["none"],
                wrong.eq(stopped),
            ).Elif(fetcher.failed & ~fetcher.source.valid,
                wrong.eq(READER_ERRORS["bus"]),
            ).Elif((over | through) & settled,
                at_end.eq(1),
                If(~over | (count != 0) | partial | (varints & ~through), wrong.eq(READER_ERRORS["form"])),
            ),
        ]

        # Events.
        # -------
        passed = Signal()
        ready  = Signal() # For a byte.
        self.comb += [
            ready.eq(~valid | passed),
            source.valid.eq(run & valid & (wrong == READER_ERRORS["none"]) & (is_event | is_last)),
            source.source.eq(value),
            source.event.eq(is_event),
            source.last.eq(is_last),
            passed.eq(valid & (wrong == READER_ERRORS["none"]) & (source.ready | ~(is_event | is_last))),
            take.eq(run & fetcher.source.valid & ~over & ~through & ready),
        ]
        self.sync += [
            If(passed, valid.eq(0)),
            If(item, valid.eq(1)),
        ]

        # Raw words: the camera has its bytes, and makes the events.
        # ----------------------------------------------------------
        if camera is not None:
            failed = Signal()
            self.comb += [
                camera.fill.eq(self.fill),
                camera.sink.data.eq(byte),
                camera.reset.eq(self.abort),
                camera.restart.eq(failed),
                If(raw,
                    ready.eq(camera.sink.ready),
                    camera.sink.valid.eq(run & fetcher.source.valid & ~over),
                    camera.source.connect(source, omit={"valid", "ready"}),
                    source.valid.eq(run & camera.source.valid),
                    camera.source.ready.eq(run & source.ready),
                    stopped.eq(camera.error),
                    settled.eq(camera.idle),
                    partial.eq(camera.partial),
                )
            ]
            self.sync += failed.eq(run & raw & (wrong != READER_ERRORS["none"]))

        # Transfers: they are over when the bus is free again.
        # ----------------------------------------------------
        over_with = Signal() # What the bus has begun may still go on.
        error     = Signal(len(self.error))
        was_busy  = Signal()
        self.comb += [
            self.done.eq(over_with & ~self.busy),
            self.ended.eq(self.done & was_busy),
            If(self.done, self.error.eq(error)),
        ]
        self.sync += [
            was_busy.eq(self.busy),
            If(run & ((wrong != READER_ERRORS["none"]) | at_end),
                run.eq(0),
                over_with.eq(1),
                error.eq(wrong),
                self.value.eq(value),
                *([] if camera is None else [If(raw, self.value.eq(camera.value))]),
                # Not a number of events: the event that is one too many.
                If((wrong == READER_ERRORS["events"]) & is_event, self.value.eq(config.step_events + 1)),
            ),
            If(start,
                run.eq(1),
                over_with.eq(0),
                valid.eq(0),
                position.eq(0),
                count.eq(0),
                number.eq(self.varints & ~self.raw),
                first.eq(1),
                length.eq(self.length),
                steps.eq(self.steps),
                varints.eq(self.varints & ~self.raw),
                raw.eq(self.raw),
                open.eq(self.open),
                inputs.eq(self.inputs),
                limit.eq(self.contexts + config.inputs),
            ),
            If(self.abort,
                run.eq(0),
                over_with.eq(0),
            ),
        ]
