# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Benchmarks: clocks a step against their bound, latency, speed-up over the CPU, bytes an event on a serial line,
streaming over it, simulator, golden model and training speed, and the live run."""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape

from accel.camera.encoder import ENCODER_LATENCY
from accel.config import QCLIFConfig
from accel.errors import QCLIFError, guarded
from host.cli.options import check_outputs, positive
from host.cli.reading_options import add_reading_args, check_unused, reading_from_args
from host.common.console import table_console, write_json
from host.common.tables import TextTable
from host.data import synthetic
from host.events.encoder import Encoder
from host.events.sample import Sample
from host.events.spike_train import SpikeTrain
from host.network.golden import GoldenModel
from host.network.network import Network
from host.network.random_network import random_network
from host.runs.synaptic_operations import bound_clocks, rows_per_step, step_bounds
from targets.benchmark.line_bytes import bench_bytes
from targets.benchmark.live import bench_live, bench_soak
from targets.benchmark.streaming import LINES, bench_streaming, exact_run
from targets.benchmark.training import bench_training
from targets.sim.options import SimOptions
from targets.sim.core import CoreSimulator
from targets.sim.simulator import SimulatedSoC
from targets.tools.process import exit_on_sigterm
from targets.tools.progress import StageDisplay

# Lanes P and neurons updated a clock, Q.
BUILDS   = ((1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (32, 1), (64, 1), (32, 4), (64, 8), (208, 16), (256, 256))
ACTIVITY = (0.0, 0.01, 0.05, 0.2, 1.0)
STEPS    = 50
REPEATS  = 3

# The clock is the ULX3S'.
LATENCY_BUILDS = ((8, 1), (16, 1), (32, 1), (64, 8))
LATENCY_MHZ   = LINES["ulx3s"].clock_hz/1e6

Rows = list[dict[str, object]]


def default_samples(count: int) -> list[Sample]:
    """Encoded synthetic gestures."""
    return [sample.encoded(Encoder(), QCLIFConfig().contexts) for sample in synthetic.recordings(count)]


def default_network(config: QCLIFConfig, samples: list[Sample]) -> Network:
    """The network of targets.sim --network random for these samples."""
    return random_network(config, Encoder(), [sample.steps for sample in samples], classes=synthetic.GESTURES)


def bench_clocks(progress: StageDisplay) -> Rows:
    """Clocks a step of the core alone, for lanes P, neurons updated a clock Q, and activity (share of the inputs that
    fire in a step). Bound: G*max(rows, P/Q)."""
    rows, rng = [], np.random.default_rng(0)
    network = default_network(QCLIFConfig(), default_samples(3))
    for lanes, updates in BUILDS:
        progress(f"core with P = {lanes}, Q = {updates}")
        config = QCLIFConfig(lanes=lanes, updates=updates)
        core   = CoreSimulator(config)
        for activity in ACTIVITY:
            steps  = SpikeTrain.from_dense(rng.random((STEPS, config.inputs)) < activity)
            run    = core.run(network, steps)
            golden = GoldenModel(network).run([steps])[0].spikes
            if run.spikes != golden:
                raise QCLIFError(f"the core with P = {lanes}, Q = {updates} differs from the golden model: report this")
            bound  = bound_clocks(steps, golden, network.neurons, config)
            rows.append({"lanes": lanes, "updates": updates, "activity": activity,
                "rows_per_step": run.counters["rows"]/STEPS,
                "clocks_per_step": run.counters["busy"]/STEPS, "bound_per_step": bound/STEPS,
                "ratio": round(run.counters["busy"]/bound, 3),
                "sops_per_clock": round(run.counters["sops"]/run.counters["busy"], 2)})
    return rows


def bench_latency(progress: StageDisplay) -> Rows:
    """From the last event of a step in, behind it the end of the step, to its first spike and to the end of its output:
    most clocks, through the encoder of raw events and the core, which is idle before. Bound: G*max(rows, P/Q)."""
    rows, rng = [], np.random.default_rng(0)
    network = default_network(QCLIFConfig(), default_samples(3))
    for lanes, updates in LATENCY_BUILDS:
        progress(f"core with P = {lanes}, Q = {updates}")
        config = QCLIFConfig(lanes=lanes, updates=updates)
        core   = CoreSimulator(config)
        for activity in ACTIVITY:
            steps   = SpikeTrain.from_dense(rng.random((STEPS, config.inputs)) < activity)
            # Read in between, states keep each step alone.
            run     = core.run(network, steps, states=True)
            # The end of the step enters a clock behind its last event.
            latency = run.latency + 1 + ENCODER_LATENCY
            walked  = rows_per_step(steps, run.spikes)
            fired   = np.diff(run.spikes.offsets) > 0
            first   = int(latency[fired, 0].max()) if fired.any() else None
            most    = int(latency[:, 1].max())
            rows.append({"lanes": lanes, "updates": updates, "activity": activity, "most_rows": int(walked.max()),
                "first_spike": first, "end": most, "bound": int(step_bounds(walked, network.neurons, config).max()),
                "first_spike_us": first and round(first/LATENCY_MHZ, 2), "end_us": round(most/LATENCY_MHZ, 2)})
    return rows


def bench_engines(progress: StageDisplay) -> Rows:
    """Clocks of the same recordings on the accelerator and on the CPU alone, in the same simulated SoC."""
    samples = default_samples(2)
    network = default_network(QCLIFConfig(), samples)
    rows: Rows = []
    with SimulatedSoC(QCLIFConfig(), progress=progress) as soc:
        for engine in ("cpu", "accel"):
            progress(f"engine {engine}")
            run    = exact_run(soc, network, samples, engine)
            clocks = sum(each.run.counters["busy"] for each in run.compared)
            rows.append({"engine": engine, "steps": sum(len(s.steps) for s in samples), "clocks": clocks,
                "clocks_per_step": round(clocks/sum(len(s.steps) for s in samples), 1)})
    for row in rows:
        row["speed_up"] = round(rows[0]["clocks"]/row["clocks"], 1)
    return rows


def bench_simulator(progress: StageDisplay) -> Rows:
    """Simulated clocks a second with the accelerator and without it, in turn, on the same work (engine cpu)."""
    samples = default_samples(1)
    network = default_network(QCLIFConfig(), samples)
    speeds: dict[bool, list[float]] = {True: [], False: []}
    for repeat in range(REPEATS):
        for with_accelerator in speeds:
            with SimulatedSoC(SimOptions(QCLIFConfig(), with_accelerator=with_accelerator), progress=progress) as soc:
                progress(f"simulator {'with' if with_accelerator else 'without'} accelerator, {repeat + 1}/{REPEATS}")
                clocks, start = soc.clocks, time.monotonic()
                exact_run(soc, network, samples, "cpu")
                speeds[with_accelerator].append((soc.clocks - clocks)/(time.monotonic() - start))
    best = {key: max(values) for key, values in speeds.items()}
    return [{"accelerator": key, "clocks_per_second": round(value), "ratio": round(value/best[False], 3)}
        for key, value in best.items()]


def bench_golden(progress: StageDisplay) -> Rows:
    """Steps a second of the golden model, for one recording and for many side by side."""
    rows, samples = [], default_samples(11)
    network = default_network(QCLIFConfig(), samples)
    model   = GoldenModel(network)
    for batch in (1, 11, 66):
        progress(f"golden model, batch {batch}")
        steps, seconds = [sample.steps for sample in (samples*6)[:batch]], []
        for _ in range(REPEATS):
            start = time.monotonic()
            model.run(steps)
            seconds.append(time.monotonic() - start)
        rows.append({"batch": batch, "steps_per_second": round(sum(map(len, steps))/statistics.median(seconds))})
    return rows


BENCHMARKS = {"clocks": bench_clocks, "latency": bench_latency, "engines": bench_engines, "bytes": bench_bytes,
    "streaming": bench_streaming, "simulator": bench_simulator, "golden": bench_golden, "training": bench_training,
    "live": bench_live, "soak": bench_soak}

# Takes an hour: only where it is named.
LONG = "soak"


def show(title: str, rows: Rows, console: Console) -> None:
    """Print rows as a table."""
    console.print(TextTable(rows[0], [map(str, row.values()) for row in rows], escape(title), texts=()))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m targets.benchmark", description=__doc__)
    parser.add_argument("benchmarks", nargs="*", metavar="NAME",
        help=f"any of {', '.join(BENCHMARKS)} (default: all but {LONG})")
    parser.add_argument("--events", type=Path, nargs="+", metavar="FILE",
        help="bytes, streaming: recordings, of which streaming takes the busiest (default: synthetic gestures)")
    add_reading_args(parser)
    parser.add_argument("--board", choices=list(LINES), default=next(iter(LINES)),
        help="streaming: whose clock, line and CPU (default: %(default)s)")
    parser.add_argument("--minutes", type=positive, metavar="M",
        help="live, soak: how long they run (default: 1 and 60)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows")
    args = parser.parse_args()
    if unknown := set(args.benchmarks) - set(BENCHMARKS):
        parser.error(f"{', '.join(sorted(unknown))}: known are {', '.join(BENCHMARKS)}")
    exit_on_sigterm()

    def work() -> int:
        check_outputs(args)
        reading, results = reading_from_args(args), {}
        if not args.events:
            check_unused(reading, "the synthetic gestures")
        options = {"bytes": {"events": args.events, "reading": reading},
            "streaming": {"events": args.events, "board": args.board, "reading": reading}}
        if args.minutes:
            options |= {name: {"minutes": args.minutes} for name in ("live", LONG)}
        for name in args.benchmarks or [name for name in BENCHMARKS if name != LONG]:
            with StageDisplay() as progress:
                results[name] = BENCHMARKS[name](progress, **options.get(name, {}))
            show(BENCHMARKS[name].__doc__, results[name], table_console(args.json))
        if args.json:
            write_json(results, args.json)
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
