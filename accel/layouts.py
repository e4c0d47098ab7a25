# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What passes between the modules of the core, from the events to the spikes: one layout an interface."""

from migen import *

from accel.config import RAW_WIDE_BYTES, SPACE_SHIFT, WORD_BITS

def index_bits(items):
    """Bits of a signal that tells `items` things apart, one bit at least."""
    return bits_for(max(2, items) - 1)

# Encoder ------------------------------------------------------------------------------------------

# Kinds of beats of a camera.
CAMERA_TIME, CAMERA_EVENT, CAMERA_CONTEXT = range(3)

# Bits of a coordinate or of a context's number: a raw word has no more.
COORDINATE_BITS = 8*RAW_WIDE_BYTES - 2

camera_layout = [
    # Stream of a camera, `last` ends a recording.
    ("kind", 2),  # CAMERA_TIME: nothing but the time, CAMERA_EVENT: of a pixel, CAMERA_CONTEXT: of a context source.
    ("x",    COORDINATE_BITS), # Column of the pixel, or number of the context source.
    ("y",    COORDINATE_BITS), # Row of the pixel.
    ("p",    1),  # Polarity.
    ("t",    32), # us, modulo 2**32; less than 2**31 after the beat before.
]

# Core ---------------------------------------------------------------------------------------------

def event_layout(config):
    """Stream of source events: `event` = 0 makes a beat that only carries `last` (end of the step)."""
    return [("source", bits_for(config.sources - 1)), ("event", 1)]

def spike_layout(config):
    """Stream of output spikes: `spike` = 0 makes a beat that only carries `last` (end of the step)."""
    return [("neuron", bits_for(config.neurons - 1)), ("spike", 1)]

def spike_word(beat):
    """The 32-bit word of a beat of output spikes, as the register `pop` shows it and as it is written to memory."""
    return _beat_word(beat.neuron, beat.spike, beat.last)

def event_word(beat):
    """The 32-bit word of a beat of source events, as the register `fired` shows it."""
    return _beat_word(beat.source, beat.event, beat.last)

def _beat_word(number, present, last):
    return Cat(number, Constant(0, 16 - len(number)), present, last, Constant(1, 1))

memory_port_layout = [
    ("space",   2), # SPACE_*: somatic weights, apical weights, parameters, states (read only).
    ("address", SPACE_SHIFT),
    ("write",   1), # While idle: one word; a read of a later clock shows it. Never together with a read.
    ("data_w",  WORD_BITS),
    ("read",    1), # While idle: data_r as many clocks later as the core's `port_clocks`, until the next.
    ("data_r",  WORD_BITS),
]

# Lists of a step, to the walker -------------------------------------------------------------------

def event_list_layout(config):
    """List of the events of a step: `apical` tells a context (row of the apical memory) from a sensory source (row of
    the somatic one)."""
    entries = config.step_events
    return [
        ("valid",   1,                   DIR_M_TO_S), # There is a list, whose entries stand.
        ("count",   bits_for(entries),   DIR_M_TO_S), # Its entries.
        ("index",   index_bits(entries), DIR_S_TO_M), # The entry that is asked for,
        ("read",    1,                   DIR_S_TO_M), # in this clock,
        ("apical",  1,                   DIR_M_TO_S), # and is there from the next one on, until another one is.
        ("row",     index_bits(max(config.inputs, config.contexts)), DIR_M_TO_S),
        ("release", 1,                   DIR_S_TO_M), # Pulse: the list is not needed any more.
    ]

def spike_list_layout(config):
    """List of the neurons that fired in the step before; they are asked for in order, once for each group."""
    return [
        ("valid",   1,                              DIR_M_TO_S), # There is a list, and its next entry, if any.
        ("empty",   1,                              DIR_M_TO_S), # It has no entries.
        ("end",     1,                              DIR_M_TO_S), # The next entry is its last one.
        ("index",   index_bits(config.neurons),     DIR_S_TO_M), # Number of the next entry,
        ("after",   index_bits(config.neurons) + 1, DIR_S_TO_M), # and that plus one.
        ("read",    1,                              DIR_S_TO_M), # It is asked for in this clock,
        ("neuron",  index_bits(config.neurons),     DIR_M_TO_S), # and is there from the next one on, until another is.
        ("release", 1,                              DIR_S_TO_M), # Pulse: the list is not needed any more.
    ]

def updates_layout(config):
    """A word of Q neurons in their pipelines: whether it is the step's last, its number, and, where Q is more than one,
    how many of its neurons there are."""
    return [
        ("last", 1),
        ("word", index_bits(config.neuron_words)),
        *([("count", bits_for(config.updates))] if config.updates > 1 else []),
    ]

# Rows and sums of a group -------------------------------------------------------------------------

def walk_layout(config):
    """Stream of a group's rows, of which `first` and `last` are marked: a beat a row, or one for a group without rows.

    Whether a somatic and an apical word are read in this clock, and which ones; the last group of its step; the
    neurons of the group.
    """
    return [
        ("soma",      1), ("soma_adr",   index_bits(config.soma_words)),
        ("apical",    1), ("apical_adr", index_bits(config.apical_words)),
        ("step_last", 1),
        ("lanes",     bits_for(config.lanes)),
    ]

def sums_layout(config):
    """Stream of the groups' sums, the last one of a step marked: I_s and I_a of each lane that has a neuron, without
    biases; the neurons of the group."""
    lanes = [(f"lane{n}", (config.accumulator_bits, True)) for n in range(config.word_lanes)]
    return [("soma", lanes), ("apical", lanes), ("lanes", bits_for(config.lanes))]
