# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a simulated SoC is built from."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.protocol import DEFAULT_BAUDRATE

# Memory file below gateware/ that the ROM is read from when the simulator starts.
ROM_INIT = "sim_rom.init"

# UARTs of a simulated SoC by LiteX's names: byte streams, which have no baud rate, or the pins of a PHY that has one.
STREAM, PINS = "sim", "serial"

# Fewest clocks of a bit. LiteX's PHY samples the stop bit up to 3 clocks late, and with 10 clocks a bit that is still
# in time where the other end is 2 % faster; the simulated other end only needs some in each half of a bit.
PHY_BIT_CLOCKS, LINE_BIT_CLOCKS = 10, 4

# So much faster or slower the other end may be, whatever the clocks of a bit are.
LINE_TOLERANCE = 0.02


@dataclass(frozen=True)
class SimOptions:
    """Everything that a simulator is built from.

    Parameters
    ----------
    config           : sizes of the accelerator and the link.
    sys_clk_freq     : Hz; half a period must be a whole number of picoseconds.
    with_accelerator : False leaves the accelerator out of the SoC.
    registered       : the registers around the accelerator's memories that boards have.
    protect          : of PROTECTIONS, check bits of the accelerator's memories.
    soc              : LiteX's SoCCore options that differ from our defaults (cpu_type, cpu_variant, uart_name ...).
    threads          : Verilator's simulation threads.
    opt_level        : of the C++ compiler ("O3").
    trace            : "" (none), "vcd" or "fst".
    """
    config:           QCLIFConfig = field(default_factory=QCLIFConfig)
    sys_clk_freq:     int  = 50_000_000
    with_accelerator: bool = True
    registered:       bool = False
    protect:          str  = "none"
    soc:              dict = field(default_factory=dict)
    threads:          int  = 1
    opt_level:        str  = "O3"
    trace:            str  = ""

    def __post_init__(self) -> None:
        if self.sys_clk_freq < 1 or 10**12 % (2*self.sys_clk_freq):
            raise QCLIFError(f"--sys-clk-freq is {self.sys_clk_freq}: half a period must be a whole number of "
                "picoseconds, use 50e6 or 100e6")
        if self.uart not in (STREAM, PINS):
            raise QCLIFError(f"--uart-name is {self.uart}: the simulated SoC has {STREAM} (bytes at the CPU's speed) "
                f"or {PINS} (bit by bit)")
        if self.uart == STREAM and "uart_baudrate" in self.soc:
            raise QCLIFError(f"--uart-baudrate has no effect on the UART {STREAM}: add --uart-name {PINS}, or leave it "
                "out")
        if self.uart == PINS:
            self._check_baudrate("--uart-baudrate", self.baudrate, PHY_BIT_CLOCKS)

    def _check_baudrate(self, option: str, baudrate: int, bit_clocks: int) -> None:
        most = self.sys_clk_freq//bit_clocks
        if not 1 <= baudrate <= most:
            raise QCLIFError(f"{option} is {baudrate}: 1 to {most} are possible at --sys-clk-freq {self.sys_clk_freq}, "
                f"which is {bit_clocks} clocks a bit")

    def check_line(self, baudrate: int) -> None:
        """Raise a QCLIFError where nothing with this baud rate can be at the SoC's UART."""
        if self.uart == STREAM:
            raise QCLIFError(f"--line-baudrate is {baudrate}, but the UART {STREAM} has no baud rate: add "
                f"--uart-name {PINS}")
        self._check_baudrate("--line-baudrate", baudrate, LINE_BIT_CLOCKS)

    @property
    def uart(self) -> str:
        """STREAM or PINS."""
        return self.soc.get("uart_name", STREAM)

    @property
    def baudrate(self) -> int | None:
        """Bits a second of the SoC's pins, None where it has a byte stream."""
        return self.soc.get("uart_baudrate", DEFAULT_BAUDRATE) if self.uart == PINS else None

    @property
    def name(self) -> str:
        """Name of the build's directory: the main sizes for people, a hash of everything for certainty."""
        c    = self.config
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return (f"n{c.neurons}_i{c.inputs}_c{c.contexts}_p{c.lanes}_q{c.updates}_w{c.weight_bits}_s{c.state_bits}_"
            f"{'' if self.with_accelerator else 'cpu_'}{hashlib.sha256(text.encode()).hexdigest()[:8]}")
