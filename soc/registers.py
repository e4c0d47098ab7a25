# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Markdown documentation of a SoC's registers, from the gateware: `python -m soc.registers [sizes] > FILE`."""

import argparse
import contextlib
import logging
import sys
from collections.abc import Iterable, Iterator

from litex.soc.doc.csr import DocumentedCSRRegion
from litex.soc.doc.module import gather_submodules
from migen import ClockDomain

from accel.config import QCLIFConfig, add_config_args, config_from_args
from accel.errors import guarded
from firmware.sizes import main_ram_bytes
from soc.soc import Platform, QCLIFSoC


def registers_markdown(soc, names: tuple[str, ...] | None = None) -> str:
    """Markdown text: the memory map, then every register with its fields.

    Parameters
    ----------
    soc   : finalized SoC.
    names : peripherals to describe, None: all of them.
    """
    regions = sorted(soc.bus.regions.items(), key=lambda item: item[1].origin)
    blocks  = ["# Registers", "Generated from the gateware by `python -m soc.registers`.",
        _table("region | address | bytes", [f"{name} | `0x{region.origin:08x}` | {region.size}"
            for name, region in regions])]
    for name, region in soc.csr.regions.items():
        if names is None or name in names:
            blocks += _peripheral(soc, name, region)
    return "\n\n".join(blocks) + "\n"


def _peripheral(soc, name: str, region) -> Iterator[str]:
    module     = getattr(soc, name, None)
    documented = DocumentedCSRRegion(name, region, module=module, csr_data_width=soc.csr.data_width)
    yield f"## {name} (`0x{region.origin:08x}`)"
    if name in soc.irq.locs:
        documented.document_interrupt(soc, gather_submodules(module), soc.irq.locs[name])
        yield f"Interrupt {soc.irq.locs[name]}."
    for section in documented.sections:
        yield section.body().strip().replace("``", "`")
    for register in documented.csrs:
        yield f"### {register.name.lower()} (`0x{register.address:08x}`)"
        if register.description:
            yield _one_line(register.description)
        if register.fields:
            yield _table("bits | field | reset | description", map(_field, register.fields))


def _table(head: str, rows: Iterable[str]) -> str:
    return "\n".join(f"| {row} |" for row in (head, " | ".join("---" for _ in head.split("|")), *rows))


def _field(field) -> str:
    last = field.offset + field.size - 1
    bits = f"{last}:{field.offset}" if field.size > 1 else f"{field.offset}"
    text = [_one_line(field.description)] if field.description else []
    for value, *meaning in field.values or []:
        text.append(f"{value.replace('``', '`')}: {_one_line(' '.join(meaning))}")
    if field.pulse:
        text.append("Writing 1 has its effect once.")
    return f"{bits} | {field.name} | {field.reset_value} | {' '.join(text)}"


def _one_line(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())


def documented_soc(config: QCLIFConfig) -> QCLIFSoC:
    """The SoC without a board, finalized, with main RAM for the CPU engine: every target has its peripherals."""
    soc = QCLIFSoC(Platform(), 50e6, config, integrated_main_ram_size=main_ram_bytes(config))
    soc.cd_sys = ClockDomain()
    soc.finalize()
    return soc


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m soc.registers", description=__doc__)
    parser.add_argument("--all", action="store_true", help="LiteX's own peripherals as well")
    add_config_args(parser)
    args = parser.parse_args()
    # LiteX reports on standard output, which is the document's.
    logging.disable()

    def work() -> int:
        with contextlib.redirect_stdout(sys.stderr):
            soc = documented_soc(config_from_args(args))
            text = registers_markdown(soc, None if args.all else ("qclif", "frames"))
        print(text, flush=True)
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
