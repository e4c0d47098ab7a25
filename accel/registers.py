# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The registers of the accelerator as data: their order, fields and what each does.

Gateware, the firmware's header, the register document and the tests' model are all made of it. A register is a 32-bit
word, the n-th one at 4*n from the peripheral's base; behind them are the three of LiteX's event manager, and behind
those the ones of DMA and of the camera's encoder, where a build has them. Free of Migen.
"""

import dataclasses
from dataclasses import dataclass

from accel.config import (
    CORE_COUNTERS,
    FAULTS,
    LIMITS,
    SENSOR_LIMIT,
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

# Behind them, with DMA.
DMA_EVENTS = {
    "reader": "A transfer of the reader is done.",
    "writer": "A transfer of the writer is done.",
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
    """A 32-bit register; without fields it is one number.

    """
    name:        str
    description: str
    fields:      tuple[Field, ...] = ()
    writable:    bool = False
    reset:       int  = 0

    @property
    def reserved(self) -> int:
        """Bits that no field has; none where there are no fields."""
        return ~sum(field.mask for field in self.fields) & (2**WORD_BITS - 1) if self.fields else 0


def _fields(*fields: Field) -> tuple[Field, ...]:
    """Fields that name no offset follow right behind the one before."""
    placed, end = [], 0
    for field in fields:
        placed.append(dataclasses.replace(field, offset=max(field.offset, end)))
        end = placed[-1].offset + field.bits
    return tuple(placed)


def registers(config: QCLIFConfig, streams: bool = False, dma: bool = False,
        camera: bool = False) -> tuple[Register, ...]:
    """Registers before the event manager's, in the order of their addresses. Their places and fields are those of every
    build; descriptions, and what can be written, depend on it."""
    return (*_operation(config), *_memory(config), *_information(config, streams, dma, camera))


def dma_registers(config: QCLIFConfig, camera: bool = False) -> tuple[Register, ...]:
    """Registers of a build with DMA behind the event manager's, in the order of their addresses; with a camera's
    encoder or without."""
    return (*_reader(config, camera), *_writer(), *(_camera(config) if camera else ()))


def _operation(config: QCLIFConfig) -> list[Register]:
    return [
        Register("version", "What is at this address.", _fields(
            Field("layout", "Layout of the registers.", 16, reset=REGISTER_LAYOUT),
            Field("identity", f"{IDENTITY:#x}: a qCLIF accelerator.", 16, reset=IDENTITY))),
        Register("control", "Commands. Reads as 0.", _fields(
            Field("reset", "At any time: V_a = V_s = z = 0, the steps in work, a step that is half pushed and all "
                "spikes in ``pop`` are dropped. Two clocks after the write ``status`` tells that it is idle. Memories, "
                "settings, ``errors`` and counters stay.", pulse=True),
            Field("clear_errors", "Clear ``errors``.", pulse=True),
            Field("clear_counters", "Clear the counters.", pulse=True),
            Field("next_word", "``address`` goes on to the next word, as a write of ``data`` lets it.", pulse=True)),
            writable=True),
        Register("status", "State of the accelerator.", _fields(
            Field("ready", "A whole step may be pushed."),
            Field("busy", "A step is received completely and not yet computed."),
            Field("output", "``pop`` has a beat."))),
        Register("errors", "Sticky flags: an access that was refused, or changed on its way. ``control.clear_errors`` "
            "clears them, ``control.reset`` does not.", _fields(
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
        Register("push", "Event push: every write is one beat. Reads as 0.", _fields(
            Field("source", f"Source of the event: sensory source j is j, context k is {config.inputs} + k.", 16),
            Field("event", "The write carries an event."),
            Field("last", "The write ends the time step.")), writable=True),
        Register("pop", "Spike output. Reading shows the oldest beat and changes nothing; a write of any value takes "
            "it.", _fields(
            Field("neuron", "Neuron that fired.", 16),
            Field("spike", "The beat carries a spike."),
            Field("last", "End of this time step's output."),
            Field("valid", "There is a beat. All is 0 without one.")), writable=True),
    ]


def _memory(config: QCLIFConfig) -> list[Register]:
    state, weight = config.state_bits, config.weight_bits
    return [
        Register("address", "Address of ``data``. A write of an address that no word has is refused. After the last "
            "word of a memory it is one that no word has.", _fields(
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
        Register("shifts", "Run-time shifts; written while idle.", _fields(
            Field("apical", "apical_shift: I_a >> apical_shift.", SHIFT_BITS),
            Field("product", "product_shift: (i_s * V_a) >> product_shift.", SHIFT_BITS, offset=8, reset=6)),
            writable=True),
    ]


def _information(config: QCLIFConfig, streams: bool, dma: bool, camera: bool) -> list[Register]:
    return [
        Register("features", "What this build has.", _fields(
            Field("streams", "Streams for other gateware, which ``streams`` lets pass.", reset=int(streams)),
            Field("dma", "A reader of events and a writer of spikes, with registers behind the interrupt's.",
                reset=int(dma)),
            Field("camera", "An encoder of raw events behind the reader, with registers behind the writer's.",
                reset=int(camera)))),
        Register("streams", "What passes by the registers, to be changed between steps. Read only where "
            "``features.streams`` is 0.", _fields(
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


def _reader(config: QCLIFConfig, camera: bool) -> list[Register]:
    raw = Field("raw", "The bytes are raw event words of the link (firmware/README.md, \"Raw events\"), which the "
        "encoder makes events of; ``steps``, ``varints`` and ``open`` mean nothing. Steps end as time passes: the last "
        "one stays open, and the next transfer goes on with it and with the recording, which begins with "
        "``control.reset``, a write of ``camera_*``, or behind an error.")
    return [
        Register("reader_base", "Byte address of the events in memory, on the bus of the SoC, of any alignment. What a "
            "transfer works with is taken at its start: it may be written for the next one meanwhile, as "
            "``reader_length`` and ``reader_network`` may.", writable=True),
        Register("reader_length", "Bytes of the events in memory.", writable=True),
        Register("reader_network", "Sources that events may have: those of the network, numbered as the build's.",
            _fields(
            Field("inputs", f"Sensory sources of the network; those from here on and below {config.inputs} end the "
                "transfer.", 16, reset=config.inputs),
            Field("contexts", f"Contexts of the network; sources from {config.inputs} + contexts on end the transfer, "
                f"and so do those from {config.sources} on.", 16, reset=config.contexts)), writable=True),
        Register("reader_start", "A write starts a transfer: steps of events, from memory to the core, as fast as both "
            "let it. Until it is done ``push`` is refused and ``status.ready`` is 0. ``control.reset`` ends it. Reads "
            "as 0.", _fields(
            Field("steps", "Steps that the bytes hold, with ``varints``.", 16),
            Field("varints", "Format of the bytes.", values=(
                ("``0b0``", "Words of 32 bits as ``push`` takes them, bits 31:18 zero, in the order of bytes that the "
                    "CPU has. The steps are as many as have ``last``."),
                ("``0b1``", "Varints: for each step the number of its events, then their sources, ascending, each as "
                    "the difference to the one before, the first to 0. A varint is one byte below 128, else two: the "
                    "low 7 bits with bit 7 set, then the others."))),
            Field("open", "With ``varints``: the last step is not ended; the next events, wherever they come from, go "
                "on with it."),
            *([raw] if camera else [])), writable=True),
        Register("reader_status", "State of the reader.", _fields(
            Field("busy", "A transfer is under way."),
            Field("done", "The last transfer came to its end or to an error."),
            Field("error", "What ended the last transfer before its end. Nothing from there on was handed to the core; "
                "a step that was begun is still open, until ``control.reset``.", 3, offset=4, values=(
                ("``0``", "Nothing."),
                ("``1``", "``reader_value`` is a source that the network does not have."),
                ("``2``", f"A step has ``reader_value`` events or more, and {config.step_events} are the most."),
                ("``3``", "The bytes end within a step or a word, there are more of them than the steps have, or a "
                    "word has bits set above ``last``."),
                ("``4``", "The memory refused an access, or ends before the bytes do."),
                *([
                    ("``5``", "A raw event has x = ``reader_value``, and the sensor not so many columns."),
                    ("``6``", "A raw event has y = ``reader_value``, and the sensor not so many rows."),
                    ("``7``", "Settings of the encoder are wrong: bits of ``reader_value`` for width, height, grid's "
                        "width, grid's height, polarities, bin_us, count_threshold, contexts."),
                ] if camera else []))))),
        Register("reader_value", "What ``reader_status.error`` is about."),
        Register("reader_position", "Bytes that were read; at an error, to the end of what is wrong"
            + (", and with ``raw`` a few words further." if camera else ".")),
    ]


def _writer() -> list[Register]:
    return [
        Register("writer_base", "Byte address of a buffer, on the bus of the SoC, a multiple of 4. What a transfer "
            "works with is taken at its start: it may be written for the next one meanwhile, as ``writer_length`` may.",
            writable=True),
        Register("writer_length", "Bytes of the buffer, of which whole words are used.", writable=True),
        Register("writer_start", "A write starts a transfer: the beats of ``pop``, which shows none meanwhile, go to "
            "the buffer, a word each, as ``pop`` would show them. ``control.reset`` ends it. Reads as 0.", _fields(
            Field("steps", "Steps, after whose last beat the transfer is done.", 16)), writable=True),
        Register("writer_status", "State of the writer.", _fields(
            Field("busy", "A transfer is under way."),
            Field("done", "The last transfer came to its end or to an error."),
            Field("error", "What ended the last transfer before its end.", 2, offset=4, values=(
                ("``0``", "Nothing."),
                ("``1``", "The buffer is full, and ``writer_left`` steps are not through. Their spikes wait: start "
                    "again with another buffer, for that many steps."),
                ("``2``", "The memory refused an access, and a beat was lost, or it ends before the buffer does."),
                ("``3``", "``writer_base`` is no multiple of 4. Nothing was written."))))),
        Register("writer_count", "Words that the last transfer has written."),
        Register("writer_left", "Steps of the last transfer whose last beat is not written."),
    ]


def _camera(config: QCLIFConfig) -> list[Register]:
    return [
        Register("fired", "The beats that the encoder of raw events gave to the core, for software that wants to know "
            "its inputs. Reading shows the oldest one and changes nothing; a write of any value takes it. The encoder "
            "waits where too many are not taken. ``control.reset`` drops all.", _fields(
            Field("source", "Source of the event.", 16),
            Field("event", "The beat carries an event."),
            Field("last", "The step ended."),
            Field("valid", "There is a beat. All is 0 without one.")), writable=True),
        Register("camera_sensor", "Pixels of the sensor. A write of this register, or of one of the next three, "
            "begins a recording anew; it is refused while a transfer of the reader is under way.", _fields(
            Field("width", f"Columns, 1 to {SENSOR_LIMIT}.", 16, reset=128),
            Field("height", f"Rows, 1 to {SENSOR_LIMIT}.", 16, reset=128)), writable=True),
        Register("camera_grid", f"Grid that the pixels are downsampled to; with the polarities it has {config.inputs} "
            "sources at most.", _fields(
            Field("width", "Columns, 1 up.", 16, reset=16),
            Field("height", "Rows, 1 up.", 16, reset=16)), writable=True),
        Register("camera_bin_us", "Length of a time step in us, 1 to 2**31 - 1.", writable=True, reset=5000),
        Register("camera_counts", "What is counted.", _fields(
            Field("count_threshold", "Events of a source in a step with which it fires, 1 up.", 16, reset=3),
            Field("polarities", "1, or 2 for a source each.", 8, reset=2),
            Field("contexts", f"Contexts of the network, up to {config.contexts}.", 8)), writable=True),
    ]
