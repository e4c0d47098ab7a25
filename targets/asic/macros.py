#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What an SRAM macro is: its size, cost, files, and the names of its pins."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class MacroPorts:
    """Names of the pins of a single-port macro; reads and writes happen at the rising edge of `clock`.

    Attributes
    ----------
    mask : write mask, "" where there is none; one bit a data bit.
    active_low : `enable` and `write` are low when they ask for something.
    """
    clock:      str = "clk"
    enable:     str = "ce_in"
    write:      str = "we_in"
    address:    str = "addr_in"
    write_data: str = "wd_in"
    mask:       str = "w_mask_in"
    read_data:  str = "rd_out"
    active_low: bool = False


FAKERAM_PORTS = MacroPorts()

OPENRAM_PORTS = MacroPorts("clk0", "csb0", "web0", "addr0", "din0", "", "dout0", active_low=True)


@dataclass(frozen=True)
class Macro:
    """One single-port SRAM macro.

    Attributes
    ----------
    depth, width : words, a power of two, and bits of a word.
    area_um2, leakage_nw : as its Liberty has them.
    energy_pj : of an access, as its Liberty has it for an edge of the clock. Power analysis charges it for the
        rising and for the falling edge.
    access_ns, min_period_ns : clock to read data, and shortest clock period; None where its Liberty has none.
    liberty, lef, gds : its files; gds is None where it has no layout.
    mask : whether single bits of a word can be written.
    """
    name:          str
    depth:         int
    width:         int
    area_um2:      float
    leakage_nw:    float
    energy_pj:     float
    liberty:       Path
    lef:           Path
    gds:           Path | None = None
    mask:          bool = True
    access_ns:     float | None = None
    min_period_ns: float | None = None
    ports:         MacroPorts = field(default=FAKERAM_PORTS)

    @property
    def address_bits(self) -> int:
        return (self.depth - 1).bit_length()
