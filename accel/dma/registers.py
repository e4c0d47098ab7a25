# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The registers of a build with DMA and of the camera's encoder behind it, as data: more of accel/registers.py."""

from accel.config import SENSOR_LIMIT, QCLIFConfig
from accel.registers import Field, Register, placed

# Sources of the interrupt, behind those of every build.
DMA_EVENTS = {
    "reader": "A transfer of the reader is done.",
    "writer": "A transfer of the writer is done.",
}


def dma_registers(config: QCLIFConfig, camera: bool = False) -> tuple[Register, ...]:
    """Registers behind the event manager's, in the order of their addresses; with a camera's encoder or without."""
    return (*_reader(config, camera), *_writer(), *(_camera(config) if camera else ()))


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
            placed(
            Field("inputs", f"Sensory sources of the network; those from here on and below {config.inputs} end the "
                "transfer.", 16, reset=config.inputs),
            Field("contexts", f"Contexts of the network; sources from {config.inputs} + contexts on end the transfer, "
                f"and so do those from {config.sources} on.", 16, reset=config.contexts)), writable=True),
        Register("reader_start", "A write starts a transfer: steps of events, from memory to the core, as fast as both "
            "let it. Until it is done ``push`` is refused and ``status.ready`` is 0. ``control.reset`` ends it. Reads "
            "as 0.", placed(
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
        Register("reader_status", "State of the reader.", placed(
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
            "the buffer, a word each, as ``pop`` would show them. ``control.reset`` ends it. Reads as 0.", placed(
            Field("steps", "Steps, after whose last beat the transfer is done.", 16)), writable=True),
        Register("writer_status", "State of the writer.", placed(
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
            "waits where too many are not taken. ``control.reset`` drops all.", placed(
            Field("source", "Source of the event.", 16),
            Field("event", "The beat carries an event."),
            Field("last", "The step ended."),
            Field("valid", "There is a beat. All is 0 without one.")), writable=True),
        Register("camera_sensor", "Pixels of the sensor. A write of this register, or of one of the next three, "
            "begins a recording anew; it is refused while a transfer of the reader is under way.", placed(
            Field("width", f"Columns, 1 to {SENSOR_LIMIT}.", 16, reset=128),
            Field("height", f"Rows, 1 to {SENSOR_LIMIT}.", 16, reset=128)), writable=True),
        Register("camera_grid", f"Grid that the pixels are downsampled to; with the polarities it has {config.inputs} "
            "sources at most.", placed(
            Field("width", "Columns, 1 up.", 16, reset=16),
            Field("height", "Rows, 1 up.", 16, reset=16)), writable=True),
        Register("camera_bin_us", "Length of a time step in us, 1 to 2**31 - 1.", writable=True, reset=5000),
        Register("camera_counts", "What is counted.", placed(
            Field("count_threshold", "Events of a source in a step with which it fires, 1 up.", 16, reset=3),
            Field("polarities", "1, or 2 for a source each.", 8, reset=2),
            Field("contexts", f"Contexts of the network, up to {config.contexts}.", 8)), writable=True),
    ]
