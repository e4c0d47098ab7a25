#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Train a network in the contract's own integers: what training reports is what the accelerator gives.

examples:
  python -m host.train --out gestures.npz                                 synthetic gestures, made here
  python -m host.train --dataset nmnist --data DIR --weight-bits 4 --out digits.npz
  python -m host.train --dataset dvsgesture --data DIR --download --max-steps 300 --out dvs.npz
  python -m host.train --dataset files --data DIR --out own.npz           your own recordings: DIR/CLASS/FILE
  python -m host.train --weight-bits 4 --init gestures.npz --out small.npz   from 8 bits to 4
  python -m host.train --task context --neuron lif --json lif.json        CLIF's context task, with LIF neurons
  torchrun --nproc-per-node 2 -m host.train --out gestures.npz            two processes (GPUs, or CPU cores)

Beside NET.npz come NET.csv and NET.png, the curves. While it trains, NET.ckpt keeps the epochs that are done: after an
interruption (Ctrl-C, a reboot) the same command with --resume goes on, and gives the network that it would have given.
python -m host.evaluate tells more about a trained network.
"""

import argparse
import signal
import sys
from pathlib import Path

import torch

from accel.errors import EXIT_ERROR, EXIT_INTERRUPTED, QCLIFError, guarded
from host.cli.options import check_outputs
from host.cli.reading_options import add_reading_args, reading_from_args
from host.common.atomic import write_each
from host.common.console import table_console, write_json
from host.data.datasets import DATA_HELP
from host.network.network import Network
from host.training.architecture import NEURONS
from host.training.distributed import choose_device, processes, rank
from host.training.experiment import Data, train
from host.training.objective import Score
from host.training.results import TrainingDisplay, print_training, print_written, training_measures, write_results
from host.training.settings import Settings, add_settings_args, settings_from_args
from host.training.trainer import Trainer, checkpoint_path


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Arguments of the command."""
    parser = argparse.ArgumentParser(prog="python -m host.train", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add_settings_args(parser)
    files = parser.add_argument_group("files and device")
    files.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help=DATA_HELP)
    files.add_argument("--download", action="store_true", help="let tonic download a data set that is missing")
    add_reading_args(files)
    files.add_argument("--device", default="auto", metavar="NAME",
        help="auto, cpu, cuda or cuda:N; auto: a GPU where there is one (default: %(default)s)")
    files.add_argument("--out", type=Path, metavar="NET.npz",
        help="network to write; without it nothing is kept but the --json (default: none)")
    files.add_argument("--init", type=Path, metavar="OTHER.npz",
        help="trained network of the same sizes to start from, of any widths (default: random values)")
    files.add_argument("--json", type=Path, metavar="FILE", help="write settings and scores; - for standard output")
    again = files.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true",
        help="go on after an interruption, from NET.ckpt; without one, begin")
    again.add_argument("--restart", action="store_true", help="begin anew even where there is a NET.ckpt")
    return parser.parse_args(argv)


def check(args: argparse.Namespace, settings: Settings) -> Path | None:
    """The checkpoint to keep; raises QCLIFError where the arguments cannot lead to an end."""
    check_outputs(args)
    kind = NEURONS[settings.neuron]
    if args.init and not kind.on_accelerator:
        raise QCLIFError(f"--init {args.init}: {settings.neuron} neurons ({kind.text}) cannot start from the "
            f"contract's integers; leave --init out")
    if args.out is None:
        if args.resume or args.restart:
            raise QCLIFError("--resume and --restart are about NET.ckpt: say which with --out NET.npz")
        return None
    if args.out.suffix != ".npz":
        raise QCLIFError(f"--out {args.out}: a network file ends with .npz")
    contexts = settings.task == "context" and settings.cued
    if not kind.on_accelerator or (contexts and not kind.gated):
        which = " with a cue" if kind.on_accelerator else ""
        raise QCLIFError(f"--out {args.out}: {settings.neuron} neurons{which} ({kind.text}) have no network file; "
            f"leave --out out, and keep the scores with --json")
    checkpoint = checkpoint_path(args.out)
    if checkpoint.exists() and not (args.resume or args.restart):
        raise QCLIFError(f"{checkpoint}: a training of {args.out} was interrupted; --resume goes on, --restart begins "
            f"anew")
    return checkpoint


def run(args: argparse.Namespace) -> int:
    """Train, print and write. Returns the exit code."""
    speaks = rank() == 0
    try:
        settings   = settings_from_args(args)
        checkpoint = check(args, settings)
        data       = Data(args.data, args.download, reading=reading_from_args(args))
        start      = Network.load(args.init) if args.init else None
        device     = choose_device(args.device)
        if args.resume and not checkpoint.exists() and speaks:
            print(f"{checkpoint} is not there: nothing to resume, training begins", file=sys.stderr)
        with processes(device):
            with TrainingDisplay(settings, speaks) as display:
                trained = train(settings, data, str(device), checkpoint, args.resume, start,
                    display, display.epoch_done)
            if speaks:
                finish(args, *trained, checkpoint)
    except QCLIFError:
        if speaks:
            raise
        # Every process finds the same: the first one says it.
        return EXIT_ERROR
    except KeyboardInterrupt:
        if speaks:
            print(f"interrupted: {how_to_go_on(args)}", file=sys.stderr)
        return EXIT_INTERRUPTED
    except (MemoryError, torch.OutOfMemoryError) as error:
        reason = str(error).partition("\n")[0] or "an array does not fit"
        raise QCLIFError(f"the memory is too small ({reason}): choose a lower --batch-size (now {args.batch_size}), "
            f"--neurons or --max-steps") from error
    return 0


def how_to_go_on(args: argparse.Namespace) -> str:
    """What is left of an interrupted training, for its user."""
    if args.out is None:
        return "nothing is kept without --out"
    checkpoint = checkpoint_path(args.out)
    if not checkpoint.exists():
        return f"{checkpoint} is not there, there is nothing to resume"
    return f"the epochs that were done are in {checkpoint}; the same command with --resume goes on"


def finish(args: argparse.Namespace, trainer: Trainer, test: Score | None, checkpoint: Path | None) -> None:
    """Print what came out, and write it; then the checkpoint has done its work."""
    measures, console = training_measures(trainer, test), table_console(args.json)
    print_training(measures, console)
    writes = []
    if args.out:
        writes.append(lambda: print_written(write_results(trainer, args.out), console))
    if args.json:
        writes.append(lambda: write_json(measures, args.json))
    write_each(*writes)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    # What schedulers send is an interruption, too: what was begun is cleaned up, and the user told how to go on.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return guarded(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
