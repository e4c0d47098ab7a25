#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Exchange networks with other frameworks through NIR (Neuromorphic Intermediate Representation).

examples:
  python -m host.nir export net.npz net.nir             the closest graph, with the whole network in its metadata
  python -m host.nir import net.nir again.npz           the same integers again
  python -m host.nir import graph.nir net.npz --framework snntorch --calibrate some.npz --events others.npz
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

import numpy as np
from rich.console import Console

from accel.config import LIMITS, QCLIFConfig
from accel.errors import EXIT_SILENT, QCLIFError, guarded
from host.cli.options import check_outputs, share
from host.cli.reading_options import add_reading_args, reading_from_args
from host.common.atomic import write_each
from host.common.console import progress_bars, table_console, write_json
from host.events.encoder import Encoder
from host.events.formats import SUFFIXES, read_files
from host.events.sample import Sample
from host.exchange.compare import compare, random_inputs
from host.exchange.dialect import DECAYS, DT, FRAMEWORKS, IF_RS, Dialect
from host.exchange.export import exported_lif, from_graph, inexpressible, to_graph, typical_gates
from host.exchange.fit import fit_readout
from host.exchange.graph_file import read_graph, write_graph
from host.exchange.graph_lif import lif_network
from host.exchange.inputs import FRAMES, ORDERS, choose_encoder, in_encoder_order, step_remark
from host.exchange.leak import coincident_leak
from host.exchange.lif import RESETS, SUBTRACT_LATE, V_RESET
from host.exchange.quantize import quantize
from host.exchange.report import import_measures, print_comparison, print_import
from host.network.network import Network

ENCODER_FIELDS = ("sensor_size", "grid", "polarities", "bin_us", "count_threshold")
WIDTHS = ("weight_bits", "state_bits", "current_bits")


def export(args: argparse.Namespace, console: Console) -> int:
    """Write a network as a graph, and say what the graph still computes and what it lacks."""
    network = Network.load(args.network)
    lost    = inexpressible(network)
    if args.strict:
        raise QCLIFError(f"--strict: NIR cannot express {'; '.join(line.split(':')[0] for line in lost)}: without "
            "--strict the closest graph is written, and the network in its metadata")
    samples = _encoded(args.events, network.encoder, args, network.contexts)
    inputs  = [each.steps for each in samples] or random_inputs(network.inputs, args.random_rate, args.seed)
    labels  = [each.label for each in samples] or [-1]*len(inputs)
    graph   = to_graph(network, args.dt, typical_gates(network, inputs))
    write_graph(args.graph, graph)
    with progress_bars() as progress:
        agreement = compare(exported_lif(graph, network), network, inputs, labels, V_RESET, progress)
    console.print(f"{args.graph}: a step is written as {args.dt:g} s. The metadata hold the whole network. What the "
        "graph still computes without them:", markup=False)
    measures = {"dt": args.dt, "inputs": inputs_name(args), "spikes": dataclasses.asdict(agreement),
        "inexpressible": lost}
    print_comparison(measures["spikes"], measures["inputs"], "by the graph", console)
    console.print("What it cannot express:")
    for line in lost:
        console.print(f"- {line}", markup=False)
    if agreement.silence:
        console.print(f"warning: {agreement.silence} on {measures['inputs']}: nothing was compared; give --events",
            markup=False)
    if args.json:
        write_json(measures, args.json)
    return EXIT_SILENT if agreement.silence else 0


# What is not finite is looked for, and refused; numpy need not tell of it, too.
@np.errstate(all="ignore")
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

    dialect = chosen_dialect(args)
    lif     = lif_network(graph, dialect)
    if lif.synapse_decay.any() and not args.drop_synapse:
        layer = next(each for each in lif.populations if lif.synapse_decay[each.own].any())
        raise QCLIFError(f"node {layer.name!r} ({layer.kind}): its synaptic current (tau_syn) does not exist in the "
            "contract: give --drop-synapse to let its charge come in one step")
    encoder = choose_encoder(lif, {name: value for name in ENCODER_FIELDS
        if (value := getattr(args, name)) is not None})
    lif, *remarks = in_encoder_order(lif, encoder, args.input_order)
    if args.bin_us is None and (line := step_remark(lif, encoder)):
        remarks.append(line)
    quantized   = quantize(lif, encoder, args.weight_bits, args.state_bits, args.current_bits, dialect.reset, args.clip,
        args.classes)
    network     = quantized.network
    calibration = _encoded(args.calibrate, encoder, args)
    recordings  = _encoded(args.events, encoder, args)
    with progress_bars() as progress:
        if calibration:
            steps = [each.steps for each in calibration]
            network.leak_soma = coincident_leak(lif, network, steps, dialect.reset, progress)
            ridge = fit_readout(lif, network, steps, dialect.reset)
            if ridge is not None:
                remarks.append("readout: of all neurons, fitted to the logits in real numbers on the calibration's "
                    f"recordings (ridge {ridge:g})")
        inputs = [each.steps for each in recordings] or random_inputs(lif.inputs, args.random_rate, args.seed)
        labels = [each.label for each in recordings] or [-1]*len(inputs)
        agreement = compare(lif, network, inputs, labels, dialect.reset, progress)
    measures = import_measures(lif, quantized, dialect.reset, agreement, inputs_name(args), bool(calibration), remarks)
    print_import(measures, console)
    writes = [lambda: network.save(args.network)]
    if args.json:
        writes.append(lambda: write_json(measures, args.json))
    write_each(*writes)
    return EXIT_SILENT if agreement.silence else 0


def chosen_dialect(args: argparse.Namespace) -> Dialect:
    """How the graph is read: as the --framework does, and as single options say."""
    given = {name: value for name in ("dt", "reset", "decay", "if_r") if (value := getattr(args, name)) is not None}
    return dataclasses.replace(FRAMEWORKS[args.framework] if args.framework else Dialect(), **given)


def inputs_name(args: argparse.Namespace) -> str:
    """What networks are compared on, for reports."""
    return "recordings" if args.events else f"random inputs (rate {args.random_rate}, seed {args.seed})"


def _encoded(paths: list[Path] | None, encoder: Encoder, args: argparse.Namespace, contexts: int = 0) -> list[Sample]:
    # Recordings that are made for a graph are of its pixels.
    reading = reading_from_args(args, sensor_size=encoder.sensor_size)
    return [sample.encoded(encoder, contexts) for sample in read_files(paths or [], reading)]


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
    out.set_defaults(work=export, sensor_size=None)

    back = commands.add_parser("import", help="quantise a NIR graph to a network",
        description="Quantise a NIR graph (LIF, IF or CubaLIF, any Linear, Affine, Scale, Flatten, Conv2d and pooling "
            "between them, forward and back, LI before the Output) to a network, and report what was lost. A graph of "
            f"`export` gives its network back. The exit code is {EXIT_SILENT} where nothing fired.")
    back.add_argument("graph", type=Path, metavar="GRAPH.nir")
    back.add_argument("network", type=Path, metavar="NET.npz")
    model = back.add_argument_group("how the framework reads the graph")
    model.add_argument("--framework", choices=FRAMEWORKS,
        help="take --dt, --reset, --decay and --if-r from the framework that wrote the graph")
    model.add_argument("--dt", type=seconds, metavar="S",
        help=f"seconds of a step (default: the graph's metadata dt, else {DT:g} as in snntorch)")
    model.add_argument("--reset", choices=RESETS,
        help=f"what a neuron does that fires; {SUBTRACT_LATE} is snntorch's default (default: {V_RESET}, NIR's)")
    model.add_argument("--decay", choices=DECAYS, help="how a step leaks: 1 - dt/tau is left (default), exp(-dt/tau) "
        "as sinabs has it, or that with currents that come at once, as in rockpool")
    model.add_argument("--if-r", choices=IF_RS,
        help="what r of IF is: the rise in a step, or in a second (default: recognised where it is 1 or 1/dt)")
    model.add_argument("--input-order", choices=ORDERS, help="how a flat Input counts polarities, rows and columns, "
        f"the slowest first (default: {FRAMES}, as frameworks flatten frames)")
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
        help=f"recordings ({', '.join(SUFFIXES)}) on which the linear leak of each neuron is chosen, and the readout "
            "fitted to what the real numbers give (default: the leak that takes as much between rest and threshold)")
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
        use = command.add_argument_group("comparison with the graph in real numbers")
        use.add_argument("--events", type=Path, nargs="+", metavar="FILE", help="recordings (default: random inputs)")
        add_reading_args(use, sensor_size=False)
        use.add_argument("--random-rate", type=share, default=0.05, metavar="RATE",
            help="spikes an input and step of random inputs (default: %(default)s)")
        use.add_argument("--seed", type=int, default=0, help="of random inputs (default: %(default)s)")
        command.add_argument("--json", type=Path, metavar="FILE", help="write the report; - for standard output")
    args = parser.parse_args(argv)

    def work() -> int:
        check_outputs(args)
        return args.work(args, table_console(args.json))
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
