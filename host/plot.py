#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Plot a run: its inputs, spikes, states, confusion matrix and event frames.

examples:
  python -m host.plot run.npz                                        rasters and confusion matrix
  python -m host.plot run.npz --network net.npz --neurons 3 17       V_a and V_s, too; time in ms
  python -m host.plot run.npz --network net.npz --sample 2 --events rec1.npz rec2.npz rec3.npz --gif
"""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.markup import escape

from host.encoder import Encoder
from host.errors import QCLIFError
from host.network import Network
from host.options import SYNTHETIC, add_recording_args, check_outputs, positive, read_samples
from host.outcome import guarded
from host.plots.confusion import confusion_matrix
from host.plots.frames import contact_sheet, save_gif
from host.plots.ordering import Order, by_class, by_number, by_rate
from host.plots.rasters import input_raster, spike_raster
from host.plots.states import state_traces
from host.plots.style import FORMATS, save
from host.readout import predicted
from host.report import write_json
from host.result import Result
from host.sample import UNKNOWN, Sample
from host.steps import Steps

if TYPE_CHECKING:
    from host.golden import GoldenResult

# Neurons whose states are drawn unless --neurons names others.
NEURONS = 4

# Most states V_a of a sample: they have to fit the memory.
STATES_MAX = 2**27

# Name of a file without its folder, and what writes it there.
Plot = tuple[str, Callable[[Path], None]]


class RunPlots:
    """The plots of one sample of a run, and those of the run as a whole.

    Parameters
    ----------
    result : the run.
    args : options of the command.
    network : the run's; without it nothing is recomputed, time is in steps and classes are numbers.

    Raises
    ------
    QCLIFError : there is no such sample, or the network cannot be the run's.
    """

    def __init__(self, result: Result, args: argparse.Namespace, network: Network | None) -> None:
        samples = len(result.label)
        if not samples:
            raise QCLIFError(f"{args.run}: a run of no samples: there is nothing to plot")
        if not 0 <= args.sample < samples:
            raise QCLIFError(f"--sample {args.sample}, the run has 0 to {samples - 1}: choose another")
        self._result, self._args, self._network = result, args, network
        self._inputs, self._spikes = result.sample_steps(args.sample)
        if not len(self._inputs):
            raise QCLIFError(f"{args.run}: sample {args.sample} has neither inputs nor spikes: choose another --sample")
        self._names   = network.classes if network else []
        self._classes = np.array([predicted(logits) for logits in result.logits])
        if network:
            self._check_sizes()
        # The options may name another time step than the network's; an encoder knows the limits of both.
        encoder = Encoder(bin_us=args.bin_us) if args.bin_us else network.encoder if network else None
        self._bin_us  = encoder.bin_us if encoder else None
        self._neurons = network.neurons if network else int(result.neuron.max(initial=0)) + 1
        keys          = result.sample.astype(np.int64)*self._neurons + result.neuron
        self._counts  = np.bincount(keys, minlength=samples*self._neurons).reshape(samples, self._neurons)
        self._title   = f"{args.run.name}, sample {args.sample}{self._verdict()}"

    def _check_sizes(self) -> None:
        """Raise QCLIFError where the network is too small for the run, or has other classes."""
        network, result = self._network, self._result
        for what, highest, size in (("neuron", result.neuron.max(initial=-1), network.neurons),
                ("input", result.in_source.max(initial=-1), network.inputs + network.contexts)):
            if highest >= size:
                raise QCLIFError(f"{self._args.network}: the run has {what} {highest}, the network 0 to {size - 1}: "
                    f"give the network of this run")
        if result.logits.shape[1] != network.outputs:
            raise QCLIFError(f"{self._args.network}: the run has {result.logits.shape[1]} logits, the network "
                f"{network.outputs}: give the network of this run")

    def _verdict(self) -> str:
        """Label and class of the sample, as far as they are known."""
        name  = lambda index: self._names[index] if index < len(self._names) else f"class {index}"  # noqa: E731
        label, found = int(self._result.label[self._args.sample]), int(self._classes[self._args.sample])
        return ((f": {name(label)}" if label != UNKNOWN else "")
            + (f", classified as {name(found)}" if found != UNKNOWN else ""))

    def _order(self) -> Order:
        if self._args.sort == "rate":
            return by_rate(self._counts)
        if self._args.sort == "class":
            return by_class(self._counts, self._result.label, self._names)
        return by_number(self._neurons)

    def plots(self) -> Iterator[Plot]:
        """Everything that the run and the network give."""
        sample, suffix = self._args.sample, self._args.format
        sensory, contexts = (self._network.inputs, self._network.contexts) if self._network else (None, 0)
        yield f"inputs_{sample}.{suffix}", partial(save, input_raster(self._inputs, sensory, contexts, self._bin_us,
            self._title))
        yield f"spikes_{sample}.{suffix}", partial(save, spike_raster(self._spikes, self._order(), self._bin_us,
            self._title))
        if self._network:
            yield f"states_{sample}.{suffix}", partial(save, self._states())
        if ((self._result.label != UNKNOWN) & (self._classes != UNKNOWN)).any():
            yield f"confusion.{suffix}", partial(save, confusion_matrix(self._result.label, self._classes, self._names,
                self._args.run.name))

    def _states(self) -> Figure:
        # Most active first; argsort keeps the order of equal ones.
        active = np.argsort(-self._counts[self._args.sample], kind="stable")[:NEURONS]
        golden = recompute(self._network, self._inputs, self._spikes, self._result.logits[self._args.sample],
            str(self._args.network))
        return state_traces(golden.v_a, golden.v_s, golden.spikes, self._network.threshold, self._network.state_max,
            list(dict.fromkeys(self._args.neurons or active.tolist())), self._bin_us, self._title)


def recompute(network: Network, inputs: Steps, spikes: Steps, logits: np.ndarray, name: str) -> "GoldenResult":
    """What the network gives, with states, for the inputs of a run's sample.

    Raises
    ------
    QCLIFError : it gives other spikes or logits [O] than the run: it is another network, called `name`.
    """
    if len(inputs)*network.neurons > STATES_MAX:
        raise QCLIFError(f"{len(inputs)} steps of {network.neurons} neurons are too many states to draw, the limit is "
            f"{STATES_MAX}: cut the recording, or leave out --network")
    # torch takes seconds to load, and only states need it.
    from host.golden import GoldenModel
    golden, = GoldenModel(network).run([inputs], states=True)
    differs = np.setxor1d(*(each.indices().astype(np.int64)*network.neurons + each.sources
        for each in (golden.spikes, spikes)))
    if len(differs):
        step, neuron = divmod(int(differs[0]), network.neurons)
        fires = neuron in spikes.step(step)
        raise QCLIFError(f"{name}: another network than the run's: at step {step} neuron {neuron} "
            f"{'fires' if fires else 'is silent'} in the run and {'is silent' if fires else 'fires'} here; give the "
            f"network of this run")
    wrong = np.flatnonzero(golden.logits != logits)
    if len(wrong):
        raise QCLIFError(f"{name}: another readout than the run's: logit {wrong[0]} is {logits[wrong[0]]} in the run, "
            f"{golden.logits[wrong[0]]} here; give the network of this run")
    return golden


def recording(args: argparse.Namespace) -> Sample:
    """The recording of the sample, among those that the options name."""
    args    = argparse.Namespace(**vars(args), samples=args.sample + 1)
    samples = read_samples(args)
    if len(samples) <= args.sample:
        raise QCLIFError(f"--sample {args.sample}, there are {len(samples)} recordings: give all of the run, in its "
            f"order")
    return samples[args.sample]


def frame_plots(sample: Sample, args: argparse.Namespace) -> Iterator[Plot]:
    """Event frames of a recording."""
    window_us = args.window_ms*1000
    # First, because it can be refused when it is written.
    if args.gif:
        yield f"frames_{args.sample}.gif", partial(save_gif, events=sample.events, sensor_size=sample.size,
            window_us=window_us, slow=args.slow)
    sheet = contact_sheet(sample.events, sample.size, window_us, args.frames,
        f"{sample.name}: events of {args.window_ms} ms (ON red, OFF blue)")
    yield f"frames_{args.sample}.{args.format}", partial(save, sheet)


def make(args: argparse.Namespace, progress: Callable[[str], None]) -> list[Path]:
    """Make all plots, then write them, telling `progress` of each. Returns their files."""
    run   = RunPlots(Result.load(args.run), args, Network.load(args.network) if args.network else None)
    plots = [*(frame_plots(recording(args), args) if args.events or args.dataset else ()), *run.plots()]
    try:
        args.output_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise QCLIFError(f"--output-dir {args.output_dir}: {error.strerror}: choose another folder") from error
    files = []
    for name, write in plots:
        files.append(args.output_dir/f"{args.run.stem}_{name}")
        progress(f"writing {escape(files[-1].name)}")
        write(files[-1])
    return files


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
    network.add_argument("--sort", choices=["number", "rate", "class"], default="number",
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
        with Console(stderr=True).status("making plots") as status:
            files = make(args, status.update)
        to_stdout = str(args.json) == "-"
        print(*files, sep="\n", file=sys.stderr if to_stdout else sys.stdout)
        if args.json:
            write_json({"run": str(args.run), "sample": args.sample, "files": [str(file) for file in files]}, args.json)
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
