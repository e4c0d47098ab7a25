# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A step's spikes on the line, from their definition in firmware/README.md, byte by byte; and steps to try it with."""

from hypothesis import strategies as st

# Of builds: least and most, around a bitmap's bytes, and where differences of two bytes make lists longer.
SIZES = (1, 7, 8, 9, 200, 1024)


def varint(value):
    """A number below 16384."""
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


def list_bytes(fired):
    """Neurons that fired, ascending, as a list."""
    return varint(len(fired)) + b"".join(varint(b - a) for a, b in zip([0, *fired], fired, strict=False))


def bitmap_bytes(fired, neurons):
    """Neurons that fired as a bitmap of a build of so many."""
    return b"\xff" + sum(1 << neuron for neuron in fired).to_bytes((neurons + 7)//8, "little")


def spikes_bytes(fired, neurons):
    """The list where it is shorter whichever as many of the neurons fire, else the bitmap."""
    longest = 1 + len(fired) + (neurons - 1)//128
    return list_bytes(fired) if longest < len(bitmap_bytes(fired, neurons)) else bitmap_bytes(fired, neurons)


@st.composite
def fired_neurons(draw, neurons):
    """Neurons of so many that fired: none, few and far apart, all, as many as are sent as a bitmap, some
    more or less."""
    around = (neurons + 7)//8 - (neurons - 1)//128
    count  = draw(st.sampled_from([0, 1, around//4, around - 2, around - 1, around, around + 1, neurons])
        | st.integers(0, neurons))
    count  = min(max(count, 0), neurons)
    if draw(st.booleans()):
        # As far apart as they can be.
        return [(index + 1)*neurons//count - 1 for index in range(count)]
    return sorted(draw(st.randoms(use_true_random=False)).sample(range(neurons), count))
