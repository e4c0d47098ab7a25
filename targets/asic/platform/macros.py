#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What an SRAM macro is: its size, cost, files, and the names of its pins."""

from dataclasses import dataclass, field
from pathlib import Path

from accel.errors import QCLIFError
from targets.liberty.library import Library, library_of
from targets.liberty.text import Group, parse_liberty


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
    energy_pj : of an access, read or write: the models know no difference. Liberty of fakeram45 has all of it for
        each edge of the clock, that of OpenRAM has half.
    access_ns, min_period_ns : clock to read data, and shortest clock period; None where its Liberty has none.
    liberty, lef, gds : its files; lef is None where it cannot be placed, gds where it has no layout.
    mask : whether single bits of a word can be written.
    """
    name:          str
    depth:         int
    width:         int
    area_um2:      float
    leakage_nw:    float
    energy_pj:     float
    liberty:       Path
    lef:           Path | None
    gds:           Path | None = None
    mask:          bool = True
    access_ns:     float | None = None
    min_period_ns: float | None = None
    ports:         MacroPorts = field(default=FAKERAM_PORTS)

    @property
    def address_bits(self) -> int:
        """Bits of an address."""
        return (self.depth - 1).bit_length()


def read_macro(liberty: Path, lef: Path | None, gds: Path | None = None) -> Macro:
    """The macro of a Liberty file of its own, with the pins of FAKERAM_PORTS.

    Raises
    ------
    QCLIFError : the file is no Liberty, or does not say what a macro is.
    """
    group   = parse_liberty(liberty)
    library = library_of(group)
    ports   = FAKERAM_PORTS
    for cell in group.of("cell"):
        memory, known = next(cell.of("memory"), None), library.cells[cell.args[0]]
        pins = {each.args[0]: each for each in cell.groups if each.kind in ("pin", "bus") and each.args}
        if memory is None or not pins.keys() >= {ports.clock, ports.address, ports.read_data}:
            continue
        try:
            return Macro(
                name          = known.name,
                depth         = 2**int(memory.simple["address_width"]),
                width         = int(memory.simple["word_width"]),
                area_um2      = known.area,
                leakage_nw    = known.leakage_nw,
                energy_pj     = _edge_energy_pj(pins[ports.clock], library),
                liberty       = liberty,
                lef           = lef,
                gds           = gds,
                mask          = ports.mask in pins,
                access_ns     = _access_ns(pins[ports.read_data], library),
                min_period_ns = _scaled(pins[ports.clock].simple.get("min_period"), library))
        except (KeyError, ValueError, ZeroDivisionError) as error:
            raise QCLIFError(f"{liberty}:{cell.line}: macro {known.name} has no sizes, or no energy of an access "
                f"({error}): fetch the file again") from error
    raise QCLIFError(f"{liberty}: no macro with the pins {ports.clock}, {ports.address} and {ports.read_data} in it: "
        f"remove the file from the PDK folder, or fetch it again")


def _edge_energy_pj(clock: Group, library: Library) -> float:
    """Mean of the clock's edges."""
    values = [_value(table) for power in clock.of("internal_power") for kind in ("rise_power", "fall_power")
        for table in power.of(kind)]
    return sum(values)/len(values)*library.units.energy_fj*1e-3


def _access_ns(output: Group, library: Library) -> float | None:
    """The slower edge."""
    values = [_value(table) for timing in output.of("timing") for kind in ("cell_rise", "cell_fall")
        for table in timing.of(kind)]
    return max(values)*library.units.time_ns if values else None


def _value(table: Group) -> float:
    """Of a table with one value, or the greatest."""
    return max(float(value) for row in table.complex["values"] for value in row.split(","))


def _scaled(text: str | None, library: Library) -> float | None:
    return None if text is None else float(text)*library.units.time_ns
