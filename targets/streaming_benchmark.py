#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Streaming over a board's serial line: which of line, CPU and accelerator is the limit, and how far from real time."""

from pathlib import Path

from accel.config import QCLIFConfig
from host import synthetic
from host.encoder import Encoder
from host.errors import QCLIFError
from host.link import Link
from host.network import Network
from host.random_network import random_network
from host.recordings import read_files
from host.runner import Run, execute
from host.sample import Sample
from targets.progress import StageDisplay
from targets.sim_build import PINS, SimOptions
from targets.simulator import SimulatedSoC

# Of the board.
CLOCK_HZ = 60_000_000
BAUDRATE = 3_000_000

# Start bit, data, stop bit.
BYTE_BITS = 10

# What the firmware counts while it works; not the clocks in which it waits for the line or the accelerator.
CPU_CLOCKS = ("rx_clocks", "tx_clocks", "pump_clocks", "drain_clocks", "raw_clocks")

ENCODER = Encoder(bin_us=1000, count_threshold=1)


def busiest(files: list[Path] | None) -> Sample:
    """The recording with the most events, of files or of the synthetic gestures; encoded."""
    samples = read_files(files) if files else synthetic.recordings(len(synthetic.GESTURES))
    sample  = max(samples, key=lambda each: 0 if each.events is None else len(each.events))
    if sample.events is None:
        raise QCLIFError("the recordings hold no raw events: give others with --events")
    return sample.encoded(ENCODER, QCLIFConfig().contexts)


def line_options() -> SimOptions:
    """A board's SoC with serial pins, and as many clocks a bit as the board's: only their ratio counts."""
    clock = SimOptions().sys_clk_freq
    return SimOptions(registered=True, soc={"uart_name": PINS, "uart_baudrate": BAUDRATE*clock//CLOCK_HZ})


def bench_streaming(progress: StageDisplay, events: list[Path] | None = None) -> list[dict[str, object]]:
    """The busiest recording in steps of 1 ms, at 3 Mbaud and 60 MHz: clocks a byte, and times real time."""
    sample  = busiest(events)
    network = random_network(QCLIFConfig(), ENCODER, [sample.steps])
    runs: dict[tuple[bool, str], Run] = {}
    for with_line, options in ((False, SimOptions(registered=True)), (True, line_options())):
        with SimulatedSoC(options, progress=progress) as soc:
            for encode in ("host", "device"):
                progress(f"{sample.name} encoded on the {encode}, with{'' if with_line else 'out'} a serial line")
                runs[with_line, encode] = _stream(soc, network, sample, encode)
    return [row(sample, runs[False, encode], runs[True, encode]) for encode in ("host", "device")]


def _stream(soc: SimulatedSoC, network: Network, sample: Sample, encode: str) -> Run:
    with Link(soc.port) as link:
        run = execute(link, network, [sample], encode=encode)
    if run.mismatches:
        raise QCLIFError(f"{sample.name}, encoded on the {encode}, differs from the golden model: run targets.sim")
    return run


def row(sample: Sample, work: Run, real: Run) -> dict[str, object]:
    """One way to encode: clocks of each part for a byte of the line's busier direction, and times real time.

    Parameters
    ----------
    work : run in which the CPU never waits for bytes, so that what it counts is work.
    real : the same over the line.
    """
    count  = max(work.stats["rx_bytes"], work.stats["tx_bytes"])
    limits = {
        "line": BYTE_BITS*CLOCK_HZ/BAUDRATE,
        "cpu":  sum(work.stats[name] for name in CPU_CLOCKS)/count,
        "core": work.compared[0].run.counters["busy"]/count,
    }
    limit    = max(limits, key=limits.__getitem__)
    clocks   = real.compared[0].run.counters["soc_clocks"]/count
    duration = int(sample.events["t"][-1] - sample.events["t"][0])/1e6*CLOCK_HZ/count
    return {
        "encode": work.encode, "events": len(sample.events), "inputs": len(sample.steps.sources),
        "rx_bytes": work.stats["rx_bytes"], "tx_bytes": work.stats["tx_bytes"],
        **{name: round(value, 1) for name, value in limits.items()}, "measured": round(clocks, 1), "limit": limit,
        "real_time": round(duration/clocks, 2), "real_time_limit": round(duration/limits[limit], 2),
    }
