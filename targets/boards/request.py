# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a bitstream is built from."""

import dataclasses
from dataclasses import dataclass, field

from accel.config import LIMITS, QCLIFConfig
from firmware.sizes import SRAM_BESIDE_SDRAM, least_sram_bytes

# The firmware has 12.5 to 13.5 KB without the CPU engine: this spares half the block RAM of the simulator's ROM.
ROM_BYTES = 14*1024

# Block RAM is given out in steps of this.
SRAM_STEP = 2*1024

def board_config(sizes: dict[str, int]) -> QCLIFConfig:
    """The configuration of sizes that were named, with UART FIFOs of two frames: one block RAM each on most FPGAs."""
    largest = QCLIFConfig(**{"uart_fifo": LIMITS["uart_fifo"][1], **sizes})
    return QCLIFConfig(**{"uart_fifo": 1 << (2*largest.frame_bytes - 1).bit_length(), **sizes})


@dataclass(frozen=True)
class BoardOptions:
    """Everything that a bitstream is built from, but for sources and tools.

    Attributes
    ----------
    board : name of a Board.
    device : one of its devices.
    toolchain : LiteX's name.
    sys_clk_freq : Hz.
    uart_baudrate : bits a second.
    config : sizes.
    soc : options of the SoC, LiteX's and its target's, that differ from our defaults.
    flow : LiteX's options of the toolchain.
    flash_offset : as the board's.
    """
    board:         str
    device:        str
    toolchain:     str
    sys_clk_freq:  int
    uart_baudrate: int
    config:        QCLIFConfig = field(default_factory=QCLIFConfig)
    soc:           dict = field(default_factory=dict)
    flow:          dict = field(default_factory=dict)
    flash_offset:  int = 0

    @property
    def with_sdram(self) -> bool:
        """Whether SDRAM holds the firmware's variables."""
        return self.soc.get("with_sdram", False)

    @property
    def cpu(self) -> str:
        """CPU and variant: "vexriscv standard"."""
        return f"{self.soc.get('cpu_type') or 'vexriscv'} {self.soc.get('cpu_variant') or 'standard'}"

    @property
    def rom_bytes(self) -> int:
        return self.soc.get("integrated_rom_size") or ROM_BYTES

    @property
    def sram_bytes(self) -> int:
        needed = SRAM_BESIDE_SDRAM if self.with_sdram else least_sram_bytes(self.config)
        return self.soc.get("integrated_sram_size") or -(-needed//SRAM_STEP)*SRAM_STEP

    @property
    def name(self) -> str:
        """Name of the build's folder."""
        c = self.config
        return (f"{self.board}-{self.device.lower()}-n{c.neurons}-i{c.inputs}-p{c.lanes}-w{c.weight_bits}-"
            f"{round(self.sys_clk_freq/1e6)}mhz")

    def to_json(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: dict) -> "BoardOptions":
        return cls(**{**content, "config": QCLIFConfig(**content["config"])})
