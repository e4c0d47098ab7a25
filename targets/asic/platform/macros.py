# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What an SRAM macro is: its size, cost, files, and the names of its pins."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from accel.errors import QCLIFError
from targets.liberty.library import Units, library_of
from targets.liberty.text import Group, parse_liberty


@dataclass(frozen=True)
class MacroPorts:
    """Names of the pins of a single-port macro; reads and writes happen at the rising edge of `clock`.

    Attributes
    ----------
    mask : write mask, "" where there is none; one bit a data bit.
    active_low : `enable` and `write` are low when they ask for something.
    half_cycle : reading begins with the falling edge, and Liberty has half an access's energy for each edge.
    """
    clock:      str = "clk"
    enable:     str = "ce_in"
    write:      str = "we_in"
    address:    str = "addr_in"
    write_data: str = "wd_in"
    mask:       str = "w_mask_in"
    read_data:  str = "rd_out"
    active_low: bool = False
    half_cycle: bool = False


FAKERAM_PORTS = MacroPorts()

OPENRAM_PORTS = MacroPorts("clk0", "csb0", "web0", "addr0", "din0", "", "dout0", active_low=True, half_cycle=True)


@dataclass(frozen=True)
class Macro:
    """One single-port SRAM macro.

    Attributes
    ----------
    depth, width : words, a power of two, and bits of a word.
    area_um2, leakage_nw : as its Liberty has them.
    energy_pj : of an access, read or write: the models know no difference.
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


def read_macro(liberty: Path, lef: Path | None, gds: Path | None = None, ports: MacroPorts = FAKERAM_PORTS,
    remedy: str = "remove the file from the PDK folder, or fetch it again") -> Macro:
    """The macro of a Liberty file of its own.

    Parameters
    ----------
    ports : names of its pins.
    remedy : what to do about a file that has none.

    Raises
    ------
    QCLIFError : the file is no Liberty, or does not say what a macro is.
    """
    group   = parse_liberty(liberty)
    library = library_of(group)
    units   = library.units
    for cell in group.of("cell"):
        memory, known = next(cell.of("memory"), None), library.cells[cell.args[0]]
        pins = {each.args[0]: each for each in cell.groups if each.kind in ("pin", "bus") and each.args}
        if memory is None or not pins.keys() >= {ports.clock, ports.address, ports.read_data}:
            continue
        clock, read = pins[ports.clock], pins[ports.read_data]
        try:
            edges  = _values(clock.of("internal_power"), "rise_power", "fall_power")
            period = _period_ns(clock, units)
            arcs   = (timing for pin in (read, *read.of("pin")) for timing in pin.of("timing"))
            delay  = max(_values(arcs, "cell_rise", "cell_fall"), default=None)
            access = None if delay is None else delay*units.time_ns
            return Macro(
                name          = known.name,
                depth         = 2**int(memory.simple["address_width"]),
                width         = int(memory.simple["word_width"]),
                area_um2      = known.area,
                leakage_nw    = known.leakage_nw,
                energy_pj     = sum(edges)/len(edges)*units.energy_fj*1e-3*(2 if ports.half_cycle else 1),
                liberty       = liberty,
                lef           = lef,
                gds           = gds,
                mask          = ports.mask in pins,
                access_ns     = period/2 + access if ports.half_cycle else access,
                min_period_ns = period,
                ports         = ports)
        except (KeyError, ValueError, TypeError, ZeroDivisionError) as error:
            raise QCLIFError(f"{liberty}:{cell.line}: macro {known.name} has no sizes, or no energy of an access "
                f"({error}): {remedy}") from error
    raise QCLIFError(f"{liberty}: no macro with the pins {ports.clock}, {ports.address} and {ports.read_data} in it: "
        f"{remedy}")


def _period_ns(clock: Group, units: Units) -> float | None:
    """Shortest period of a clock, as an attribute or as a constraint."""
    constraints = (timing for timing in clock.of("timing") if timing.simple.get("timing_type") == "minimum_period")
    if "min_period" in clock.simple:
        return float(clock.simple["min_period"])*units.time_ns
    period = max(_values(constraints, "rise_constraint"), default=None)
    return None if period is None else period*units.time_ns


def _values(groups: Iterable[Group], *kinds: str) -> list[float]:
    """The greatest value of each table in these groups."""
    return [max(float(value) for row in table.complex["values"] for value in row.split(","))
        for group in groups for kind in kinds for table in group.of(kind)]
