#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The boards that have a target of their own, and how any other is found."""

from targets.boards.board import Board
from targets.boards.generic import describe

BOARDS = {board.name: board for board in (
    Board(
        name            = "ulx3s",
        title           = "Radiona ULX3S",
        module          = "radiona_ulx3s",
        devices         = ("LFE5U-85F", "LFE5U-45F", "LFE5U-25F", "LFE5U-12F"),
        device_argument = "device",
        sys_clk_freq    = 50e6,
        loader          = {"": "ulx3s"},
        sdram           = ("MT48LC16M16", "GENSDRPHY"),
    ),
    Board(
        name            = "arty",
        title           = "Digilent Arty A7",
        module          = "digilent_arty",
        devices         = ("a7-35", "a7-100"),
        device_argument = "variant",
        toolchain       = "vivado",
        sys_clk_freq    = 100e6,
        uart_limit      = 12_000_000,
        port            = "/dev/ttyUSB1",
        crg             = {"with_dram": False},
        loader          = {"a7-35": "arty_a7_35t", "a7-100": "arty_a7_100t"},
    ),
    Board(
        name            = "tang_nano_20k",
        title           = "Sipeed Tang Nano 20K",
        module          = "sipeed_tang_nano_20k",
        devices         = ("GW2AR-18",),
        toolchain       = "apicula",
        sys_clk_freq    = 48e6,
        leds            = "led_n",
        active_low      = True,
    ),
    Board(
        name            = "icebreaker",
        title           = "1BitSquared iCEBreaker",
        module          = "icebreaker",
        devices         = ("iCE40-UP5K",),
        toolchain       = "icestorm",
        sys_clk_freq    = 24e6,
        port            = "/dev/ttyUSB1",
        leds            = "user_led_n",
        active_low      = True,
        loader          = {"": "ice40_generic"},
        # A bitstream of the UP5K has 104,090 bytes.
        flash_offset    = 0x20000,
        # Shorter frames than others have leave block RAM for weights.
        sizes           = {"frame_bytes": 512, "uart_fifo": 1024},
        # The smallest CPU; its firmware needs no timer, and nothing of LiteX's controller.
        soc             = {"cpu_type": "serv", "with_timer": False, "with_ctrl": False, "ident": ""},
    ),
)}


def find_board(name: str) -> Board:
    """A board by its name: of a target of ours, or of litex-boards.

    Raises
    ------
    QCLIFError : there is none of this name, or it cannot have our SoC.
    """
    for board in BOARDS.values():
        if name in (board.name, board.module):
            return board
    return describe(name)
