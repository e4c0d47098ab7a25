# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the firmware takes of each memory: its code, its buffers and tables, its stack."""

from accel.config import SENSOR_LIMIT, QCLIFConfig
from firmware.protocol import OVERHEAD_BYTES, size

# The firmware, which the CPU starts straight from reset.
ROM_BYTES = 32*1024

# SRAM that the linker keeps free for the stack.
STACK_BYTES = 4096

# Variables of the firmware that depend on no size.
STATE_BYTES = 512

# SRAM that is kept free: a table was there, and the boards and chips that were built since have it.
SPARE_BYTES = 1024

# SRAM where SDRAM holds the buffers: stack and small variables.
SRAM_BESIDE_SDRAM = 4*1024

# Payload of the longest notice.
NOTICE_BYTES = 2

# Stack, link state, and the x/y tables of the event encoder for sensors up to 2048 x 2048.
SRAM_BASE_BYTES = 24*1024


def sram_bytes(config: QCLIFConfig) -> int:
    """Bytes of integrated SRAM that the firmware needs for `config`, a power of two.

    It holds the readout with its logits, and a handful of words for each source and neuron.
    """
    readout = 4*config.outputs*(config.neurons + 1)
    lists   = 8*(config.sources + config.neurons + config.step_events)
    return _power_of_two(SRAM_BASE_BYTES + readout + lists)


def least_sram_bytes(config: QCLIFConfig) -> int:
    """Bytes of SRAM that the firmware needs without main RAM: its stack, tables and buffers, one by one.

    Unlike sram_bytes() it leaves next to nothing for later: block RAM is what FPGAs have least of.
    """
    tables  = 2*2*SENSOR_LIMIT                                          # x and y of the encoder
    readout = 4*config.outputs*(config.neurons + 1)
    lists   = 4*config.inputs + 2*config.step_events + 6*config.neurons
    return STACK_BYTES + STATE_BYTES + SPARE_BYTES + tables + 12*config.frame_window + readout + lists


# Memory of frames to send: a stored answer for each frame of the window, that to HELLO, a notice.

def slot_bytes(config: QCLIFConfig) -> int:
    """Bytes from one stored answer to the next one."""
    return _words(config.frame_bytes)


def hello_at(config: QCLIFConfig) -> int:
    """Where the answer to HELLO is."""
    return config.frame_window*slot_bytes(config)


def notice_at(config: QCLIFConfig) -> int:
    """Where a notice is."""
    return hello_at(config) + _words(size("HELLO") + OVERHEAD_BYTES)


def send_bytes(config: QCLIFConfig) -> int:
    """Bytes of the memory."""
    return notice_at(config) + _words(NOTICE_BYTES + OVERHEAD_BYTES)


def _words(count: int) -> int:
    """Bytes of as many whole words as `count` bytes need."""
    return (count + 3)//4*4


def main_ram_bytes(config: QCLIFConfig) -> int:
    """Bytes of main RAM that hold the CPU engine's copy of the largest network, a power of two."""
    synapses   = config.neurons*(config.soma_rows + config.apical_rows)
    parameters = 32*config.neurons
    return _power_of_two(synapses + parameters)


def _power_of_two(size: int) -> int:
    return 1 << (size - 1).bit_length()
