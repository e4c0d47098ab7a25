# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The registers of the accelerator as data: their order, fields and what each does.

Gateware, the firmware's header, the register document and the tests' model are all made of it. A register is a 32-bit
word, the n-th one at 4*n from the peripheral's base; behind them are the three of LiteX's event manager, and behind
those, where a build has them, the ones of accel/dma/registers.py. Free of Migen.
"""

import dataclasses
from dataclasses import dataclass

from accel.config import (
    CORE_COUNTERS,
    FAULTS,
    LIMITS,
    SHIFT_BITS,
    SPACE_APICAL,
    SPACE_PARAMETERS,
    SPACE_SHIFT,
    SPACE_SOMA,
    SPACE_STATE,
    WORD_BITS,
    QCLIFConfig,
)

# Upper half of `version`: a driver at a wrong address finds something else.
IDENTITY = 0x7143

# Lower half: counts the layouts that software could not tell apart otherwise.
REGISTER_LAYOUT = 4

# Fields of QCLIFConfig that the gateware has; the others are the link's.
SIZES = ("neurons", "inputs", "contexts", "lanes", "weight_bits", "state_bits", "current_bits", "step_events",
    "spike_fifo", "updates")

# Sources of the interrupt, lowest bit first.
EVENTS = {
    "output": "``pop`` has a beat.",
    "step":   "A time step is computed.",
    "error":  "A flag in ``errors`` is set.",
}


@dataclass(frozen=True)
class Field:
    """Bits of a register. `pulse`: writing 1 has its effect once; `values` are LiteX's pairs of value and meaning."""
    name:        str
    description: str
    bits:        int  = 1
    offset:      int  = 0
    reset:       int  = 0
    pulse:       bool = False
    values:      tuple[tuple[str, str], ...] = ()

    @property
    def mask(self) -> int:
        """The field's bits in the register."""
        return ((1 << self.bits) - 1) << self.offset


@dataclass(frozen=True)
class Register:
    """A 32-bit register; without fields it is one number."""
    name:        str
    description: str
    fields:      tuple[Field, ...] = ()
    writable:    bool = False
    reset:       int  = 0

    @property
    def reserved(self) -> int:
        """Bits that no field has; none where there are no fields."""
        return ~sum(field.mask for field in self.fields) & (2**WORD_BITS - 1) if self.fields else 0


def placed(*fields: Field) -> tuple[Field, ...]:
    """Fields that name no offset follow right behind the one before."""
    done, end = [], 0
    for field in fields:
        done.append(dataclasses.replace(field, offset=max(field.offset, end)))
        end = done[-1].offset + field.bits
    return tuple(done)


def registers(config: QCLIFConfig, streams: bool = False, dma: bool = False,
        camera: bool = False) -> tuple[Register, ...]:
    """Registers before the event manager's, in the order of their addresses. Their places and fields are those of every
    build; descriptions, and what can be written, depend on it."""
    return (*_operation(config), *_memory(config), *_information(config, streams, dma, camera))


def _operation(config: QCLIFConfig) -> list[Register]:
    return [
        Register("version", "What is at this address.", placed(
            Field("layout", "Layout of the registers.", 16, reset=REGISTER_LAYOUT),
            Field("identity", f"{IDENTITY:#x}: a qCLIF accelerator.", 16, reset=IDENTITY))),
        Register("control", "Commands. Reads as 0.", placed(
            Field("reset", "At any time: V_a = V_s = z = 0, the steps in work, a step that is half pushed and all "
                "spikes in ``pop`` are dropped. Two clocks after the write ``status`` tells that it is idle. Memories, "
                "settings, ``errors`` and counters stay.", pulse=True),
            Field("clear_errors", "Clear ``errors``.", pulse=True),
            Field("clear_counters", "Clear the counters.", pulse=True),
            Field("next_word", "``address`` goes on to the next word, as a write of ``data`` lets it.", pulse=True)),
            writable=True),
        Register("status", "State of the accelerator.", placed(
            Field("ready", "A whole step may be pushed."),
            Field("busy", "A step is received completely and not yet computed."),
            Field("output", "``pop`` has a beat."))),
        Register("errors", "Sticky flags: an access that was refused, or changed on its way. ``control.clear_errors`` "
            "clears them, ``control.reset`` does not.", placed(
            Field("full", f"An event was dropped: more than {config.step_events} in a step."),
            Field("unknown", f"An event was dropped: its source is not below {config.sources}."),
            Field("push", "A write to ``push`` was dropped: ``status.ready`` was not set."),
            Field("busy", "Refused, because a step was in work: a write of ``address``, ``data``, ``neurons``, "
                "``shifts`` or ``control.next_word``; or a state was read of ``data``, which showed 0."),
            Field("pop", "A write to ``pop`` or ``fired`` found no beat to take."),
            Field("address", "``address`` would be outside of the memories, or was when ``data`` was written or "
                "``control.next_word`` set. Nothing was changed."),
            Field("read_only", "A write to a register, or through ``data`` to a state, that can only be read."),
            Field("neurons", f"``neurons`` was written with 0 or more than {config.neurons}; it is 1 or "
                f"{config.neurons} now."),
            Field("reserved", "Bits without a meaning were written: in ``data`` those for which the word has no "
                "memory. They are ignored, the others have their effect."),
            Field("reader", "A write of ``reader_start`` was ignored, for ``reader_status.busy`` or ``streams.sink`` "
                "was set, or one of ``camera_*``, for ``reader_status.busy`` was; or the memory refused an access of "
                "the reader."),
            Field("writer", "A write of ``writer_start`` was ignored, for ``writer_status.busy`` or ``streams.source`` "
                "was set; or the memory refused an access of the writer."),
            Field("early", "``data`` was read before its word was there, and showed 0. Only a bus that is faster than "
                "LiteX's bridges, with accesses in successive clocks, can be too early."),
            Field("fault", "A word of a memory was read that had changed since it was written: spikes and states are "
                "wrong from here on. Write the memories anew, and set ``control.reset``. Only with ``protect``."))),
        Register("push", "Event push: every write is one beat. Reads as 0.", placed(
            Field("source", f"Source of the event: sensory source j is j, context k is {config.inputs} + k.", 16),
            Field("event", "The write carries an event."),
            Field("last", "The write ends the time step.")), writable=True),
        Register("pop", "Spike output. Reading shows the oldest beat and changes nothing; a write of any value takes "
            "it.", placed(
            Field("neuron", "Neuron that fired.", 16),
            Field("spike", "The beat carries a spike."),
            Field("last", "End of this time step's output."),
            Field("valid", "There is a beat. All is 0 without one.")), writable=True),
    ]


def _memory(config: QCLIFConfig) -> list[Register]:
    state, weight = config.state_bits, config.weight_bits
    return [
        Register("address", "Address of ``data``. A write of an address that no word has is refused. After the last "
            "word of a memory it is one that no word has.", placed(
            Field("word", f"Somatic weights: (group*{config.soma_rows} + row) << {config.slice_bits} | slice, sensory "
                f"source j is row j, neuron m row {config.inputs} + m, for {config.groups} groups. Apical weights: "
                f"(group*{config.apical_rows} + row) << {config.slice_bits} | slice, context k is row k, neuron m row "
                f"{config.contexts} + m. A group is {config.lanes} neurons; a word is cut into {config.slices} slices. "
                "Parameters: neuron << 1 | half. States: neuron.", SPACE_SHIFT),
            Field("space", "Memory.", WORD_BITS - SPACE_SHIFT, values=(
                (f"``{SPACE_SOMA}``", "Somatic weights."), (f"``{SPACE_APICAL}``", "Apical weights."),
                (f"``{SPACE_PARAMETERS}``", "Parameters."), (f"``{SPACE_STATE}``", "States, read only.")))),
            writable=True),
        Register("data", "The word at ``address``. Reading shows it and changes nothing. A write stores it, and "
            "``address`` goes on to the next word, which skips addresses without a slice: what is read after a write "
            "is the word that follows. Shown are 0 where ``address`` is outside of the memories, 0 for the state of a "
            "neuron at or above ``neurons``, and 0 for a state while a step is in work, which sets ``errors.busy``. "
            f"Weights: a slice has {config.slice_lanes} neurons' weights of {weight} bits, signed, lowest lane first. "
            f"Parameters, half 0: threshold in bits {state - 1}:0, leak_soma in bits {2*state - 1}:{state}; half 1: "
            f"leak_apical in bits {state - 1}:0, bias_soma in bits {state + weight - 1}:{state}, bias_apical in bits "
            f"{state + 2*weight - 1}:{state + weight}. States: V_a in bits 15:0, V_s in bits 31:16.", writable=True),
        Register("neurons", f"Neurons of the loaded network, 1 to {config.neurons}; written while idle. A write does "
            "what ``control.reset`` does, too: states of another network mean nothing.", writable=True,
            reset=config.neurons),
        Register("shifts", "Run-time shifts; written while idle.", placed(
            Field("apical", "apical_shift: I_a >> apical_shift.", SHIFT_BITS),
            Field("product", "product_shift: (i_s * V_a) >> product_shift.", SHIFT_BITS, offset=8, reset=6)),
            writable=True),
    ]


def _information(config: QCLIFConfig, streams: bool, dma: bool, camera: bool) -> list[Register]:
    return [
        Register("features", "What this build has.", placed(
            Field("streams", "Streams for other gateware, which ``streams`` lets pass.", reset=int(streams)),
            Field("dma", "A reader of events and a writer of spikes, with registers behind the interrupt's.",
                reset=int(dma)),
            Field("camera", "An encoder of raw events behind the reader, with registers behind the writer's.",
                reset=int(camera)))),
        Register("streams", "What passes by the registers, to be changed between steps. Read only where "
            "``features.streams`` is 0.", placed(
            Field("sink", "Events come from the stream ``sink`` of other gateware. A write of ``push`` is refused "
                "then, and ``status.ready`` is 0. While it is clear, the stream waits."),
            Field("source", "Spikes go to the stream ``source``. ``pop`` shows none then. While it is clear, the "
                "stream has none.")), writable=streams),
        Register("clock", "Free-running clock counter, for software to time itself."),
        *(Register(f"counter_{name}", f"Counter: {text}.") for name, text in CORE_COUNTERS.items()),
        *(Register(f"size_{name}", f"Of this build: {LIMITS[name][2]}.", reset=getattr(config, name))
            for name in SIZES),
        *(Register(f"faults_{name}", f"Counter: {text}. 0 without ``protect``.") for name, text in FAULTS.items()),
    ]
