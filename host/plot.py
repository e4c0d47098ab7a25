# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Plot a run: its inputs, spikes, states, confusion matrix and event frames.

examples:
  python -m host.plot run.npz                                        rasters and confusion matrix
  python -m host.plot run.npz --network net.npz --neurons 3 17       V_a and V_s, too; time in ms
  python -m host.plot run.npz --network net.npz --sample 2 --events rec1.npz rec2.npz rec3.npz --gif
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from accel.errors import QCLIFError, guarded
from host.cli.options import SYNTHETIC, add_recording_args, check_outputs, make_output_dir, positive, read_samples
from host.common.console import write_json
from host.events.encoder import Encoder
from host.events.sample import Sample
from host.network.network import Network
from host.plots.frames import contact_sheet, save_gif
from host.plots.rasters import ORDERS
from host.plots.runplots import NEURONS, RunPlots
from host.plots.style import FORMATS, save
from host.runs.result import Result


def recording(args: argparse.Namespace) -> Sample:
    """The recording of the sample, among those that the options name."""
    samples = read_samples(argparse.Namespace(**vars(args), samples=args.sample + 1))
    if len(samples) <= args.sample:
        raise QCLIFError(f"--sample {args.sample}, there are {len(samples)} recordings: give all of the run, in its "
            f"order")
    return samples[args.sample]


def plots(args: argparse.Namespace) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Name of each plot's file without its folder and the run's name, and what writes it there."""
    # An encoder knows the limits of a time step.
    bin_us  = Encoder(bin_us=args.bin_us).bin_us if args.bin_us else None
    network = Network.load(args.network) if args.network else None
    result  = Result.load(args.run)
    run     = RunPlots(result, args.sample, network, bin_us, args.run.name)
    if args.events or args.dataset:
        sample    = recording(args)
        result.check_recording(args.sample, sample)
        window_us = args.window_ms*1000
        # First, because it can be refused when it is written.
        if args.gif:
            yield f"frames_{args.sample}.gif", partial(save_gif, events=sample.events, sensor_size=sample.size,
                window_us=window_us, slow=args.slow)
        sheet = contact_sheet(sample.events, sample.size, window_us, args.frames,
            f"{sample.name}: events of {args.window_ms} ms (ON red, OFF blue)")
        yield f"frames_{args.sample}.{args.format}", partial(save, sheet)
    figures = {f"inputs_{args.sample}": run.inputs(), f"spikes_{args.sample}": run.spikes(args.sort)}
    if network:
        figures[f"states_{args.sample}"] = run.states(args.neurons)
    if confusion := run.confusion():
        figures["confusion"] = confusion
    for name, figure in figures.items():
        yield f"{name}.{args.format}", partial(save, figure)


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m host.plot", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN.npz", help="a run, as --out of a stream or simulation writes it")
    parser.add_argument("--sample", type=int, default=0, metavar="K", help="which of the run (default: %(default)s)")

    network = parser.add_argument_group("network")
    network.add_argument("--network", type=Path, metavar="NET.npz",
        help="the run's network: recomputes V_a and V_s, names the classes, tells the length of a step")
    network.add_argument("--neurons", type=int, nargs="+", metavar="N",
        help=f"whose states to draw (default: the {NEURONS} most active)")
    network.add_argument("--sort", choices=list(ORDERS), default="number",
        help="order of the neurons in their raster; class: the one they prefer (default: %(default)s)")
    network.add_argument("--bin-us", type=positive, metavar="B",
        help="time step of the run in us (default: the network's; without one, time is in steps)")

    frames = parser.add_argument_group("event frames of the sample's recording")
    add_recording_args(frames, default=None)
    frames.add_argument("--window-ms", type=positive, default=40, metavar="MS",
        help="events of one frame (default: %(default)s)")
    frames.add_argument("--frames", type=positive, default=12, metavar="N",
        help="frames in the sheet (default: %(default)s)")
    frames.add_argument("--gif", action="store_true", help="an animation, too")
    frames.add_argument("--slow", type=float, default=1.0, metavar="FACTOR",
        help="slow motion of the animation (default: %(default)s, real time)")

    output = parser.add_argument_group("output")
    output.add_argument("--output-dir", type=Path, default=Path("build/plots"), metavar="DIR",
        help="folder of the plots, made if need be (default: %(default)s)")
    output.add_argument("--format", choices=[suffix[1:] for suffix in FORMATS], default="png",
        help="of all but the animation (default: %(default)s)")
    output.add_argument("--json", type=Path, metavar="FILE", help="write the list of files; - for standard output")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)

    def work() -> int:
        check_outputs(args)
        if args.gif and not (args.events or args.dataset):
            raise QCLIFError(f"--gif needs a recording: give --events FILE, or --dataset {SYNTHETIC}")
        if args.neurons and not args.network:
            raise QCLIFError("--neurons needs a network, whose states are drawn: give --network NET.npz")
        files = []
        with Console(stderr=True).status("making plots") as status:
            # All are made before the first is written.
            made = list(plots(args))
            make_output_dir(args)
            for name, write in made:
                files.append(args.output_dir/f"{args.run.stem}_{name}")
                status.update(f"writing {escape(files[-1].name)}")
                write(files[-1])
        to_stdout = str(args.json) == "-"
        print(*files, sep="\n", file=sys.stderr if to_stdout else sys.stdout)
        if args.json:
            write_json({"run": str(args.run), "sample": args.sample, "files": [str(file) for file in files]}, args.json)
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
