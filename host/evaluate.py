# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Evaluate a trained network: how often it is right, how soon, and what that costs - on the golden model or a SoC.

examples:
  python -m host.evaluate --network gestures.npz                          all 550 synthetic test gestures
  python -m host.evaluate --network digits.npz --dataset nmnist --data DIR --download
  python -m host.evaluate --network own.npz --dataset files --data DIR    your own recordings
  python -m host.evaluate --network gestures.npz --samples 22 --engine sim            builds and boots the SoC
  python -m host.evaluate --network gestures.npz --samples 110 --engine /dev/ttyUSB0 --baudrate 1000000
  python -m host.evaluate --network context.npz --task context --clips 3 --cue misleading --json -

With sim or a port the device's answers are measured, and every spike, logit and state has to equal the golden model's:
else the exit code is 1. The confusion matrix and the accuracy against elapsed time are plotted.
"""

import argparse
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from accel.config import LIMITS, QCLIFConfig, add_config_args, config_from_args
from accel.errors import EXIT_MISMATCH, QCLIFError, guarded
from firmware.protocol import DEFAULT_BAUDRATE
from host.cli.network_choice import preferred_sizes
from host.cli.options import add_dataset_args, check_outputs, make_output_dir, positive
from host.cli.reading_options import reading_from_args
from host.common.atomic import write_each
from host.common.console import progress_bars, table_console, write_json
from host.data.datasets import SENSOR_SIZES, load
from host.evaluation.report import evaluation_measures, print_evaluation
from host.evaluation.trials import Answers, Trials, device_spikes, golden_spikes, make_task
from host.events.spike_train import SpikeTrain
from host.link.link import Link
from host.link.port import PORTS
from host.link.simulated import simulated_port
from host.network.network import Network
from host.plots.confusion import confusion_matrix
from host.plots.curves import accuracy_over_time
from host.plots.style import save
from host.runs.run import Run
from host.training.settings import TASKS, Settings
from host.training.tasks import CONTEXT_CLASSES, MODES, RELEVANCE

GOLDEN, SIM = "golden", "sim"

CONTEXT_OPTIONS = ("mode", "clips", "relevance", "cue", "sequences")

# Arguments ----------------------------------------------------------------------------------------

def parse(argv: list[str] | None) -> argparse.Namespace:
    """Arguments of the command."""
    parser = argparse.ArgumentParser(prog="python -m host.evaluate", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", type=Path, required=True, metavar="NET.npz",
        help="trained network, as python -m host.train writes it")

    add_dataset_args(parser.add_argument_group("recordings"), "test")

    task = parser.add_argument_group("task")
    task.add_argument("--task", choices=TASKS, default=TASKS[0],
        help="class of a recording, or CLIF's context task: yes or no to each clip (default: %(default)s)")
    task.add_argument("--mode", choices=MODES,
        help=f"context: yes for the clip asked for, or from it on (default: {Settings.mode})")
    task.add_argument("--clips", type=positive, metavar="K",
        help=f"context: clips in a row, 1 to {CONTEXT_CLASSES - 1} (default: {Settings.clips})")
    cue = task.add_mutually_exclusive_group()
    cue.add_argument("--relevance", type=float, metavar="P",
        help=f"context: probability that the cue names the class asked for (default: {Settings.relevance})")
    cue.add_argument("--cue", choices=RELEVANCE, help="context: that probability by its name: "
        + ", ".join(f"{name} {value:g}" for name, value in RELEVANCE.items()))
    task.add_argument("--sequences", type=positive, metavar="K",
        help=f"context: how many to draw (default: {Settings.sequences})")

    engine = parser.add_argument_group("engine")
    engine.add_argument("--engine", default=GOLDEN, metavar=f"{GOLDEN}|{SIM}|PORT",
        help="the golden model; the SoC under Verilator, which is built when needed; or a SoC at a port: "
            f"{PORTS} (default: %(default)s)")
    engine.add_argument("--baudrate", type=int, default=DEFAULT_BAUDRATE, help="of a port (default: %(default)s)")

    output = parser.add_argument_group("output")
    output.add_argument("--output-dir", type=Path, default=Path("build/plots"), metavar="DIR",
        help="folder of the plots, made if need be (default: %(default)s)")
    output.add_argument("--json", type=Path, metavar="FILE", help="write all measures; - for standard output")
    add_config_args(parser)
    return parser.parse_args(argv)


def check_options(args: argparse.Namespace) -> None:
    """Raise a QCLIFError now where an option has no effect, or a result could not be written at the end."""
    check_outputs(args)
    if args.seed < 0:
        raise QCLIFError(f"--seed {args.seed}, at least 0 is needed: choose another")
    for names, needed, there in ((CONTEXT_OPTIONS, "--task context", args.task == "context"),
            (LIMITS, f"--engine {SIM}", args.engine == SIM)):
        given = [name for name in names if getattr(args, name) is not None]
        if given and not there:
            raise QCLIFError(f"--{given[0].replace('_', '-')} has no effect without {needed}: add that, or leave it "
                f"out")
    make_output_dir(args)

# Evaluation ---------------------------------------------------------------------------------------

def load_network(args: argparse.Namespace) -> Network:
    """The network of --network; raises QCLIFError where it cannot name classes, see --dataset or fit the build."""
    network = Network.load(args.network)
    if args.dataset in SENSOR_SIZES:
        check_sensor(args, network, SENSOR_SIZES[args.dataset])
    if not network.outputs:
        raise QCLIFError(f"network {args.network} has no readout, so that it names no class: add one, or look at its "
            f"spikes with host/stream.py --out and python -m host.plot")
    if args.engine == SIM:
        network.check_fits(build_config(args, network))
    return network


def check_sensor(args: argparse.Namespace, network: Network, recorded: tuple[int, int]) -> None:
    """Raise QCLIFError where recordings of this size (W, H) are not of the network's sensor."""
    expected = network.encoder.sensor_size
    if recorded != expected:
        raise QCLIFError("{} is recorded with {}x{} pixels, network {} is for {}x{}: choose another --dataset or "
            "--network".format(args.dataset, *recorded, args.network, *expected))


def build_config(args: argparse.Namespace, network: Network) -> QCLIFConfig:
    """Sizes of a simulated SoC: those of the options, else what the network asks for."""
    return config_from_args(args, **preferred_sizes(network, []))


def compute(args: argparse.Namespace, network: Network) -> tuple[Trials, list[SpikeTrain], Run | None]:
    """Trials, the spikes that the engine gives, and the run of a device."""
    with ExitStack() as stack:
        link = None
        # A port that is not there shall be told at once, a SoC is built only for recordings that are there.
        if args.engine not in (GOLDEN, SIM):
            link = stack.enter_context(Link(args.engine, args.baudrate))
            network.check_fits(link.info.config)
        with progress_bars() as progress:
            eventset = load(args.dataset, args.data, args.split, download=args.download, samples=args.samples,
                seed=args.seed, progress=progress, reading=reading_from_args(args))
            check_sensor(args, network, eventset.sensor_size)
            trials = Trials.of(eventset.name, make_task(args, network, eventset), args.seed, progress)
        if args.engine == SIM:
            port = stack.enter_context(simulated_port(build_config(args, network)))
            link = stack.enter_context(Link(port))
        with progress_bars() as progress:
            if link is None:
                return trials, golden_spikes(network, trials, progress), None
            return trials, *device_spikes(link, network, trials, progress)


def plots(args: argparse.Namespace, trials: Trials, answers: Answers, measures: dict[str, object],
        bin_us: int) -> dict[Path, Figure]:
    """The plots, by the files that they are to be."""
    title = f"{args.network.stem}, {trials.name}"
    made  = {
        "confusion": confusion_matrix(answers.labels, answers.predictions, trials.classes, title),
        "elapsed":   accuracy_over_time(answers.accuracy_over_time(), measures["majority"],
            measures["latency_steps"]["median"], bin_us, title),
    }
    return {args.output_dir/f"{args.network.stem}_{name}.png": figure for name, figure in made.items()}


def evaluate(args: argparse.Namespace) -> int:
    """Evaluate as the options say, print and write what came out. Returns the exit code."""
    check_options(args)
    network  = load_network(args)
    trials, spikes, run = compute(args, network)
    answers  = Answers.of(spikes, trials.bounds, trials.labels, network.readout)
    options  = {name: str(value) if isinstance(value, Path) else value for name, value in vars(args).items()}
    measures = {"options": options} | evaluation_measures(network, trials, answers, spikes, run)
    figures  = plots(args, trials, answers, measures, network.encoder.bin_us)
    console  = table_console(args.json)
    print_evaluation(measures, console)

    def write(file: Path, figure: Figure) -> None:
        save(figure, file)
        console.print(str(file), markup=False, soft_wrap=True)

    writes = [partial(write, *each) for each in figures.items()]
    if args.json:
        writes.append(lambda: write_json(measures | {"files": [str(file) for file in figures]}, args.json))
    write_each(*writes)
    return EXIT_MISMATCH if run is not None and run.mismatches else 0


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    return guarded(lambda: evaluate(args))


if __name__ == "__main__":
    sys.exit(main())
