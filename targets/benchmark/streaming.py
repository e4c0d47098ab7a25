# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Streaming over a board's serial line: which of line, CPU and accelerator is the limit, and how far from real time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from host.data import synthetic
from host.events.encoder import Encoder
from host.events.formats import read_files
from host.events.reading import Reading
from host.events.sample import Sample
from host.link.link import Link
from host.network.network import Network
from host.network.random_network import random_network
from host.runs.run import Run, execute
from targets.boards.board import ROM_BYTES
from targets.icebreaker import BOARD as ICEBREAKER
from targets.sim.options import PINS, SimOptions
from targets.sim.simulator import SimulatedSoC
from targets.tools.progress import StageDisplay

# Start bit, data, stop bit.
BYTE_BITS = 10

# What the firmware counts while it works; not the clocks in which it waits for the line or the accelerator.
CPU_CLOCKS = ("rx_clocks", "tx_clocks", "pump_clocks", "drain_clocks", "raw_clocks")

ENCODER = Encoder(bin_us=1000, count_threshold=1)


@dataclass(frozen=True)
class Line:
    """A board's serial line and what is at its ends: sizes of its accelerator, encoder of the network, where recordings
    are encoded, and LiteX's options of its SoC."""
    clock_hz: int
    baudrate: int
    config:   QCLIFConfig = field(default_factory=QCLIFConfig)
    encoder:  Encoder = ENCODER
    encode:   tuple[str, ...] = ("host", "device")
    soc:      Mapping[str, object] = field(default_factory=dict)


# Lines of boards by name, the default first.
LINES = {
    "ulx3s":      Line(60_000_000, 3_000_000),
    # SERV is too slow to encode there.
    "icebreaker": Line(int(ICEBREAKER.default("sys_clk_freq")), ICEBREAKER.uart_baudrate,
        QCLIFConfig(neurons=64, lanes=2, **ICEBREAKER.sizes), Encoder(), ("host",),
        {**ICEBREAKER.soc_options, "integrated_rom_size": ROM_BYTES, "flash_offset": ICEBREAKER.flash_offset}),
}


def busiest(files: list[Path] | None, line: Line, reading: Reading | None = None) -> Sample:
    """The recording with the most events, of files or of the synthetic gestures; encoded."""
    samples = read_files(files, reading) if files else synthetic.recordings(len(synthetic.GESTURES))
    sample  = max(samples, key=lambda each: 0 if each.events is None else len(each.events))
    if sample.events is None:
        raise QCLIFError("the recordings hold no raw events: give others with --events")
    return sample.encoded(line.encoder, line.config.contexts)


def soc_options(line: Line, with_line: bool) -> SimOptions:
    """A board's SoC; with serial pins it has as many clocks a bit as the board's: only their ratio counts."""
    pins = {"uart_name": PINS, "uart_baudrate": round(line.baudrate*SimOptions().sys_clk_freq/line.clock_hz)}
    return SimOptions(line.config, registered=True, soc={**line.soc, **(pins if with_line else {})})


def bench_streaming(progress: StageDisplay, events: list[Path] | None = None, board: str = "ulx3s",
        reading: Reading | None = None) -> list[dict[str, object]]:
    """The busiest recording over a board's serial line: clocks a byte, and times real time."""
    line    = LINES[board]
    sample  = busiest(events, line, reading)
    network = random_network(line.config, line.encoder, [sample.steps])
    runs: dict[tuple[bool, str], Run] = {}
    for with_line in (False, True):
        with SimulatedSoC(soc_options(line, with_line), progress=progress) as soc:
            for encode in line.encode:
                progress(f"{sample.name} encoded on the {encode}, with{'' if with_line else 'out'} a serial line")
                runs[with_line, encode] = exact_run(soc, network, [sample], encode=encode)
    return [row(line, sample, runs[False, encode], runs[True, encode]) for encode in line.encode]


def exact_run(soc: SimulatedSoC, network: Network, samples: list[Sample], engine: str = "accel",
        encode: str = "host") -> Run:
    """A run of samples on a SoC.

    Raises
    ------
    QCLIFError : it differs from the golden model's.
    """
    with Link(soc.port) as link:
        run = execute(link, network, samples, engine, encode)
    if run.mismatches:
        raise QCLIFError(f"engine {engine}, encoded on the {encode}, differs from the golden model: run targets.sim")
    return run


def row(line: Line, sample: Sample, work: Run, real: Run) -> dict[str, object]:
    """One way to encode: clocks of each part for a byte of the line's busier direction, and times real time.

    Parameters
    ----------
    work : run in which the CPU never waits for bytes, so that what it counts is work.
    real : the same over the line.
    """
    count  = max(work.stats["rx_bytes"], work.stats["tx_bytes"])
    limits = {
        "line": BYTE_BITS*line.clock_hz/line.baudrate,
        "cpu":  sum(work.stats[name] for name in CPU_CLOCKS)/count,
        "core": work.compared[0].run.counters["busy"]/count,
    }
    limit    = max(limits, key=limits.__getitem__)
    clocks   = real.compared[0].run.counters["soc_clocks"]/count
    duration = int(sample.events["t"][-1] - sample.events["t"][0])/1e6*line.clock_hz/count
    return {
        "encode": work.encode, "events": len(sample.events), "inputs": len(sample.steps.sources),
        "rx_bytes": work.stats["rx_bytes"], "tx_bytes": work.stats["tx_bytes"],
        **{name: round(value, 1) for name, value in limits.items()}, "measured": round(clocks, 1), "limit": limit,
        "real_time": round(duration/clocks, 2), "real_time_limit": round(duration/limits[limit], 2),
    }
