#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Exchange networks with other frameworks through NIR (Neuromorphic Intermediate Representation).

examples:
  python -m host.nir export net.npz net.nir             the closest graph, with the whole network in its metadata
  python -m host.nir import net.nir again.npz           the same integers again
  python -m host.nir import snntorch.nir net.npz --reset subtract-late --calibrate some.npz --events others.npz
"""

import argparse
import dataclasses
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # This folder must not shadow others' modules: nir itself has the name of this file.
    if not __package__:
        sys.path[0] = str(Path(__file__).resolve().parent.parent)

from rich.console import Console

from accel.config import LIMITS, QCLIFConfig
from accel.errors import QCLIFError, guarded
from host.cli.options import check_outputs, share
from host.cli.reading_options import add_reading_args, reading_from_args
from host.common.console import progress_bars, table_console, write_json
from host.events.encoder import ENCODERS, Encoder
from host.events.formats import SUFFIXES, read_files
from host.events.sample import Sample
from host.exchange.compare import compare, random_inputs
from host.exchange.export import from_graph, inexpressible, to_graph
from host.exchange.graph_file import read_graph, write_graph
from host.exchange.graph_lif import DT, lif_network
from host.exchange.leak import coincident_leak
from host.exchange.lif import RESETS, SUBTRACT_LATE, V_RESET, LIFNetwork
from host.exchange.quantize import quantize
from host.exchange.report import import_measures, print_import
from host.network.network import Network

WIDTHS = ("weight_bits", "state_bits", "current_bits")


def export(args: argparse.Namespace, console: Console) -> int:
    """Write a network as a graph and say what the graph lacks."""
    network = Network.load(args.network)
    lost    = inexpressible(network)
    if args.strict:
        raise QCLIFError(f"--strict: NIR cannot express {'; '.join(line.split(':')[0] for line in lost)}: without "
            "--strict the closest graph is written, and the network in its metadata")
    write_graph(args.graph, to_graph(network, args.dt))
    console.print(f"{args.graph}: a step is written as {args.dt:g} s. The metadata hold the whole network. What the "
        "graph cannot express:", markup=False)
    for line in lost:
        console.print(f"- {line}", markup=False)
    if args.json:
        write_json({"dt": args.dt, "inexpressible": lost}, args.json)
    return 0


def import_graph(args: argparse.Namespace, console: Console) -> int:
    """Write a graph as a network and say what was lost."""
    graph   = read_graph(args.graph)
    network = None if args.ignore_metadata else from_graph(graph)
    if network is not None:
        network.save(args.network)
        console.print(f"{args.network}: the network of the graph's metadata, integer for integer; other options do not "
            "count", markup=False)
        if args.json:
            write_json({"restored": True}, args.json)
        return 0

    lif = lif_network(graph, args.dt)
    if lif.gather("synapse_decay").any() and not args.drop_synapse:
        layer = next(each for each in lif.layers if each.synapse_decay.any())
        raise QCLIFError(f"node {layer.name!r} ({layer.kind}): its synaptic current (tau_syn) does not exist in the "
            "contract: give --drop-synapse to let its charge come in one step")
    encoder     = choose_encoder(lif, args)
    quantized   = quantize(lif, encoder, args.weight_bits, args.state_bits, args.current_bits, args.reset, args.clip,
        args.classes)
    network     = quantized.network
    calibration = _encoded(args.calibrate, encoder, args)
    recordings  = _encoded(args.events, encoder, args)
    with progress_bars() as progress:
        if calibration:
            network.leak_soma = coincident_leak(lif, network, [each.steps for each in calibration], args.reset,
                progress)
        network.save(args.network)
        inputs = [each.steps for each in recordings] or random_inputs(lif.inputs, args.random_rate, args.seed)
        labels = [each.label for each in recordings] or [-1]*len(inputs)
        agreement = compare(lif, network, inputs, labels, args.reset, progress)
    measures = import_measures(lif, quantized, args.reset, agreement, "recordings" if recordings else
        f"random inputs (rate {args.random_rate}, seed {args.seed})", bool(calibration))
    print_import(measures, console)
    if args.json:
        write_json(measures, args.json)
    return 0


def choose_encoder(lif: LIFNetwork, args: argparse.Namespace) -> Encoder:
    """The encoder of the network's I inputs.

    Parameters
    ----------
    lif : its input_shape sets the grid, unless it is plain: then the contract's encoders of as many inputs, or a row.
    args : sensor_size, grid, polarities, bin_us, count_threshold; None leaves them to the above.

    Raises
    ------
    QCLIFError : the options give another number of inputs, or a grid that contradicts the input's shape.
    """
    plain = len(lif.input_shape) == 1
    grid  = (lif.inputs, 1) if plain else lif.input_shape[:0:-1]
    known = next((each for each in ENCODERS.values() if each.inputs == lif.inputs
        and (plain or (each.polarities, each.grid) == (lif.input_shape[0], grid))), None)
    base  = known or Encoder(sensor_size=grid, grid=grid, polarities=1 if plain else lif.input_shape[0])
    given = {name: value for name in ("sensor_size", "grid", "polarities", "bin_us", "count_threshold")
        if (value := getattr(args, name)) is not None}
    if "grid" in given and known is None:
        given.setdefault("sensor_size", given["grid"])
    encoder = dataclasses.replace(base, **given)
    if encoder.inputs != lif.inputs:
        raise QCLIFError(f"the graph has {lif.inputs} inputs, the encoder {encoder.inputs} ({encoder.grid[0]}x"
            f"{encoder.grid[1]}x{encoder.polarities}): give --grid and --polarities that make {lif.inputs}")
    if not plain and (encoder.polarities, *encoder.grid[::-1]) != lif.input_shape:
        raise QCLIFError(f"the Input has shape {list(lif.input_shape)}, the encoder {encoder.polarities} polarities "
            f"and {encoder.grid[0]}x{encoder.grid[1]}: leave --grid and --polarities out")
    return encoder


def _encoded(paths: list[Path] | None, encoder: Encoder, args: argparse.Namespace) -> list[Sample]:
    # Recordings that are made for a graph are of its pixels.
    reading = reading_from_args(args, sensor_size=encoder.sensor_size)
    return [sample.encoded(encoder, 0) for sample in read_files(paths or [], reading)]


def seconds(text: str) -> float:
    """argparse type: a time above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m host.nir", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    out = commands.add_parser("export", help="write a network as a NIR graph",
        description="Write the NIR graph that is closest to a network, and the network in its metadata.")
    out.add_argument("network", type=Path, metavar="NET.npz")
    out.add_argument("graph", type=Path, metavar="GRAPH.nir")
    out.add_argument("--dt", type=seconds, default=DT, metavar="S",
        help="seconds of a step in the graph's time constants; snntorch reads 0.0001 (default: %(default)s)")
    out.add_argument("--strict", action="store_true",
        help="refuse what NIR cannot express: the contract's reset and saturation at least, so every network")
    out.set_defaults(work=export)

    back = commands.add_parser("import", help="quantise a NIR graph to a network",
        description="Quantise a NIR graph (Input -> Linear/Affine -> LIF, IF or CubaLIF, recurrent or not, more such "
            "layers -> Linear/Affine, LI -> Output) to a network, and report what was lost. A graph of `export` gives "
            "its network back.")
    back.add_argument("graph", type=Path, metavar="GRAPH.nir")
    back.add_argument("network", type=Path, metavar="NET.npz")
    model = back.add_argument_group("how the framework reads the graph")
    model.add_argument("--dt", type=seconds, metavar="S",
        help=f"seconds of a step (default: the graph's metadata dt, else {DT:g} as in snntorch)")
    model.add_argument("--reset", choices=RESETS, default=V_RESET,
        help=f"what a neuron does that fires; {SUBTRACT_LATE} is snntorch's default (default: %(default)s, NIR's)")
    model.add_argument("--drop-synapse", action="store_true",
        help="let the whole charge of CubaLIF's synaptic current come in one step, where it would be refused")
    model.add_argument("--ignore-metadata", action="store_true", help="quantise a graph of `export`, too")
    bits = back.add_argument_group("quantisation")
    for name in WIDTHS:
        low, high, text = LIMITS[name]
        bits.add_argument(f"--{name.replace('_', '-')}", type=int, choices=range(low, high + 1), metavar="N",
            default=getattr(QCLIFConfig, name), help=f"{text}; {low} to {high} (default: %(default)s)")
    bits.add_argument("--clip", type=share, default=0.0, metavar="SHARE",
        help="share of the weights that may be clipped, for finer steps of the others (default: %(default)s)")
    bits.add_argument("--calibrate", type=Path, nargs="+", metavar="FILE",
        help=f"recordings ({', '.join(SUFFIXES)}) on which the linear leak of each neuron is chosen (default: the leak "
            "that takes as much between rest and threshold)")
    use = back.add_argument_group("comparison with the graph in real numbers")
    use.add_argument("--events", type=Path, nargs="+", metavar="FILE", help="recordings (default: random inputs)")
    add_reading_args(use, sensor_size=False)
    use.add_argument("--random-rate", type=share, default=0.05, metavar="RATE",
        help="spikes an input and step of random inputs (default: %(default)s)")
    use.add_argument("--seed", type=int, default=0, help="of random inputs (default: %(default)s)")
    code = back.add_argument_group("encoder of events", "Default: the contract's for 512 and 578 inputs, else the "
        "shape of the Input, else a row of I pixels.")
    code.add_argument("--sensor-size", type=int, nargs=2, metavar=("W", "H"), help="pixels (default: the grid's)")
    code.add_argument("--grid", type=int, nargs=2, metavar=("GW", "GH"), help="pixels after downsampling")
    code.add_argument("--polarities", type=int, choices=(1, 2), help="2 keeps ON and OFF apart")
    code.add_argument("--bin-us", type=int, metavar="B", help="microseconds of a step")
    code.add_argument("--count-threshold", type=int, metavar="K", help="events that make a source fire in a step")
    code.add_argument("--classes", nargs="+", default=[], metavar="NAME", help="names of the outputs")
    back.set_defaults(work=import_graph)

    for command in (out, back):
        command.add_argument("--json", type=Path, metavar="FILE", help="write the report; - for standard output")
    args = parser.parse_args(argv)

    def work() -> int:
        check_outputs(args)
        return args.work(args, table_console(args.json))
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
