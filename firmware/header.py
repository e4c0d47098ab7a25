# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""C headers, from the same Python constants: `qclif_registers.h`, of the accelerator in any SoC, and those of our
firmware, `qclif_protocol.h` and `qclif_config.h`."""

import argparse
import struct
from pathlib import Path

from accel.config import (
    CORE_COUNTERS,
    LIMITS,
    READER_ERRORS,
    SENSOR_LIMIT,
    SHIFT_MAX,
    SPACE_APICAL,
    SPACE_PARAMETERS,
    SPACE_SOMA,
    SPACE_STATE,
    WRITER_ERRORS,
    QCLIFConfig,
    add_config_args,
    config_from_args,
)
from accel.dma.registers import DMA_EVENTS, dma_registers
from accel.registers import EVENTS, IDENTITY, REGISTER_LAYOUT, registers
from firmware import protocol
from firmware.sizes import STACK_BYTES, hello_at, notice_at, send_bytes, slot_bytes

_HEAD = "/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */\n" \
        "/* Generated: do not edit. */\n"


def _define(name: str, value: int | str) -> str:
    return f"#define {name.upper()} {value}"


def _enum(prefix: str, names: list[str], first: int = 0) -> list[str]:
    """One constant a name, counted from `first`, and how many there are."""
    return [_define(f"{prefix}_{name}", f"{first + index}u") for index, name in enumerate(names)] \
        + [_define(f"{prefix}_COUNT", f"{len(names)}u")]


def header_text(guard: str, lines: list[str]) -> str:
    """A generated header of these lines."""
    return "\n".join([_HEAD, f"#ifndef {guard}", f"#define {guard}", "", *lines, "", "#endif", ""])


def _registers_struct(names: list[tuple[str, bool]]) -> list[str]:
    """struct qclif of registers (name, whether it can be written), the counters as an array."""
    lines = ["struct qclif {"]
    for name, writable in names:
        counter = name.removeprefix("counter_")
        member  = f"counters[{len(CORE_COUNTERS)}]" if counter != name else name
        # Of the counters the first one stands for all.
        if counter == name or counter == next(iter(CORE_COUNTERS)):
            lines.append(f"\t{'' if writable else 'const '}volatile uint32_t {member};")
    return [*lines, "};"]


def registers_header() -> str:
    """Text of qclif_registers.h: the registers as a structure, masks and places of their fields. Of any build, with DMA
    and a camera's encoder or without."""
    table  = registers(QCLIFConfig(), streams=True, dma=True, camera=True)
    behind = dma_registers(QCLIFConfig(), camera=True)
    lines  = ["#include <stdint.h>", "",
        *_registers_struct([*((register.name, register.writable) for register in table),
            ("ev_status", False), ("ev_pending", True), ("ev_enable", True),
            *((register.name, register.writable) for register in behind)]), "",
        _define("QCLIF_VERSION", f"{IDENTITY << 16 | REGISTER_LAYOUT:#x}u"),
        _define("QCLIF_COUNTERS", f"{len(CORE_COUNTERS)}u")]
    for register in table + behind:
        for field in register.fields:
            name = f"QCLIF_{register.name}_{field.name}"
            lines += [_define(name, f"{field.mask:#x}u"), _define(f"{name}_AT", f"{field.offset}u")]
    lines += [_define(f"QCLIF_EV_{name}", f"{1 << bit:#x}u") for bit, name in enumerate(EVENTS | DMA_EVENTS)]
    for prefix, errors in {"READER": READER_ERRORS, "WRITER": WRITER_ERRORS}.items():
        lines += [_define(f"QCLIF_{prefix}_ERROR_{name}", f"{value}u") for name, value in errors.items()]
    lines += [_define(f"QCLIF_COUNTER_{name}", f"{index}u") for index, name in enumerate(CORE_COUNTERS)]
    lines += [_define(f"QCLIF_SPACE_{name}", f"{value}u") for name, value in {"SOMA": SPACE_SOMA,
        "APICAL": SPACE_APICAL, "PARAMETERS": SPACE_PARAMETERS, "STATE": SPACE_STATE}.items()]
    return header_text("QCLIF_REGISTERS_H", lines)


def protocol_header() -> str:
    """Text of qclif_protocol.h: types, layouts (offsets), counters, errors."""
    lines = [
        _define("QCLIF_CRC_BYTES", f"{protocol.CRC.size}u"),
        _define("QCLIF_SENSOR_LIMIT", f"{SENSOR_LIMIT}u"),
        *(_define(f"QCLIF_{name}", f"{getattr(protocol, name)}u") for name in ("PROTOCOL_VERSION", "FIRMWARE_VERSION",
            "OVERHEAD_BYTES", "RESPONSE", "BUSY_CLOCKS", "DECAY_MAX", "WATCH_MAX", "BITMAP", "RAW_NARROW_BYTES",
            "RAW_WIDE_BYTES", "OK")),
    ]
    for prefix, table in {
        "REQUEST": protocol.REQUESTS, "NOTICE": protocol.NOTICES, "NAK": protocol.NAK_REASONS,
        "SESSION": protocol.SESSION_STATES, "FRAME": protocol.FRAME_RESULTS,
        "SPACE": protocol.SPACES, "ENGINE": protocol.ENGINES,
    }.items():
        lines += [_define(f"QCLIF_{prefix}_{name}", f"{value}u") for name, value in table.items()]
    for name, fields in protocol.LAYOUTS.items():
        kinds = "<" + "".join(kind for _, kind in fields)
        lines += [_define(f"QCLIF_{name}_{field}_AT", f"{struct.calcsize(kinds[:1 + index])}u")
            for index, (field, _) in enumerate(fields)]
        lines.append(_define(f"QCLIF_{name}_BYTES", f"{protocol.size(name)}u"))
    lines += [
        _define("QCLIF_HELLO_SIZES", "{" + ", ".join(f"QCLIF_{name.upper()}" for name in protocol.HELLO_SIZES) + "}"),
        _define("QCLIF_HELLO_SIZES_AT", f"QCLIF_HELLO_{protocol.HELLO_SIZES[0].upper()}_AT"),
    ]
    lines += _enum("QCLIF_COUNTER", list(protocol.COUNTERS))
    lines += _enum("QCLIF_STAT", list(protocol.STATS))
    lines += _enum("QCLIF_ERROR", list(protocol.ERRORS), first=1)
    return header_text("QCLIF_PROTOCOL_H", lines)


def config_header(config: QCLIFConfig) -> str:
    """Text of qclif_config.h: the build's fields and what follows from them."""
    lines = [_define(f"QCLIF_{name}", f"{getattr(config, name)}u") for name in LIMITS]
    lines += [_define(f"QCLIF_{name}", f"{value}u") for name, value in {
        "sources":           config.sources,
        "state_max":         config.state_max,
        "slice_bits":        config.slice_bits,
        "slices":            config.slices,
        "soma_words":        config.soma_words,
        "apical_words":      config.apical_words,
        "shift_max":         SHIFT_MAX,
        "parameter_words":   2*config.neurons,
        "slot_bytes":        slot_bytes(config),
        "hello_at":          hello_at(config),
        "notice_at":         notice_at(config),
        "send_bytes":        send_bytes(config),
        "bitmap_from":       protocol.bitmap_from(config),
        "step_answer_bytes": protocol.step_answer_bytes(config),
        "stack_bytes":       STACK_BYTES,
    }.items()]
    return header_text("QCLIF_CONFIG_H", lines)


def write_headers(config: QCLIFConfig, directory: str | Path) -> None:
    """Write all headers into `directory`, touching only files whose text changes (for make)."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in {"qclif_registers.h": registers_header(), "qclif_protocol.h": protocol_header(),
            "qclif_config.h": config_header(config)}.items():
        path = directory / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the C headers of the firmware.")
    parser.add_argument("directory", help="where to write qclif_registers.h, qclif_protocol.h and qclif_config.h")
    add_config_args(parser)
    args = parser.parse_args()
    write_headers(config_from_args(args), args.directory)


if __name__ == "__main__":
    main()
