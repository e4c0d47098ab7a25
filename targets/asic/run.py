# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Runs of the flow, from their options to their records: one, or those of a sweep side by side."""

import argparse
import os
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
from joblib import delayed

from accel.config import ConfigError, QCLIFConfig, config_from_args
from accel.errors import QCLIFError
from host.cli.network_choice import choose_network, given_network, preferred_sizes
from host.cli.options import RANDOM, encode_samples, read_samples
from host.common.parallel import side_by_side
from host.events.sample import Sample
from host.network.random_network import RATE
from targets.asic.design import AsicConfig
from targets.asic.export import export
from targets.asic.flow import run_flow
from targets.asic.gatesim.simulate import Inputs
from targets.asic.layout.drc import rule_tools
from targets.asic.layout.tools import missing_tool
from targets.asic.layout.variables import check_known
from targets.asic.options import DEFAULT_UNTIL, Options, arguments, chip_from_args, make_parser
from targets.asic.platform.pdk import find_pdk
from targets.asic.report.make_record import record_of
from targets.asic.report.record import Record
from targets.asic.request import Request
from targets.asic.stages import STAGES
from targets.tools.progress import StageProgress, no_stage

# Options that only a layout has.
FOR_LAYOUT = ("orfs", "orfs-docker", "drc", "view")

# Currents of the paper's neuron.
NEURON_CURRENT_BITS = 8


def run_one(args: argparse.Namespace, progress: StageProgress = no_stage, folder: Path | None = None) -> Record:
    """The record of the run that the options ask for.

    Parameters
    ----------
    folder : for what other tools need of it; None: that is not written.

    Raises
    ------
    QCLIFError : an option, a file or the PDK is wrong, or a stage failed.
    """
    result = run_flow(make_request(args), progress)
    record = record_of(result)
    if folder is not None:
        record["files"] = export(result, folder)
    return record


def make_request(args: argparse.Namespace) -> Request:
    """What the options ask for; what is wrong with them shall not take a stage to find out."""
    until = args.until or DEFAULT_UNTIL[args.design]
    given = [option for option in FOR_LAYOUT if getattr(args, option.replace("-", "_"))]
    if given and until != "layout":
        raise QCLIFError(f"--{given[0]} is for the layout, but the flow ends with {until}: add --until layout, or "
            f"leave it out")
    pdk = find_pdk(args.pdk, args.download_pdk)
    pdk.corner(args.corner)
    if args.orfs and not args.orfs_docker and missing_tool() is None:
        check_known(dict(args.orfs), Path(os.environ["FLOW_HOME"]), pdk.name)
    neuron  = args.design == "neuron"
    samples = [] if neuron else read_samples(args)
    wanted  = {"current_bits": NEURON_CURRENT_BITS} if neuron else preferred_sizes(given_network(args), samples)
    config  = AsicConfig(args.design, config_from_args(args, **wanted), args.frequency, args.corner, args.sram,
        args.sram_objective, args.protect, args.frugal, chip=chip_from_args(args))
    inputs  = None
    if args.design == "spatial" or (not neuron and list(STAGES).index(until) >= list(STAGES).index("gatesim")):
        inputs = _inputs(args, samples, config.sizes)
        # The spatial design has the network's shifts wired in.
        config = replace(config, apical_shift=inputs.network.apical_shift, product_shift=inputs.network.product_shift)
    if args.drc:
        # Before the hours of a layout.
        rule_tools(pdk.name)
    return Request(config, pdk, until, inputs, args.until is not None, args.equivalence, dict(args.orfs),
        args.orfs_docker, args.drc)


def _inputs(args: argparse.Namespace, samples: list[Sample], sizes: QCLIFConfig) -> Inputs:
    """The network and the recordings that the options ask for."""
    if args.rate is not None and args.network not in (None, RANDOM):
        raise QCLIFError(f"--rate is {args.rate:g}, but --network is {args.network}: leave out one of the two")
    choice  = choose_network(args, samples, sizes, RATE if args.rate == 0 else args.rate)
    network = choice.network
    if args.rate == 0:
        # Without a neuron that could fire: recurrent weights are of no interest, but they are there.
        network = replace(network, w_sensory=np.zeros_like(network.w_sensory),
            bias_soma=np.minimum(network.bias_soma, 0))
    encoded = encode_samples(samples, network.encoder, network.contexts, args)
    cut     = tuple(sample.steps.slice(0, args.steps or len(sample.steps)) for sample in encoded)
    return Inputs(network, choice.name, tuple(sample.name for sample in encoded), cut)

# Sweeps --------------------------------------------------------------------------------------------

def parse_runs(args: argparse.Namespace, runs: Sequence[Options], name: str) -> list[argparse.Namespace]:
    """Options of each run of a sweep: its own, and the command's for all others.

    Raises
    ------
    QCLIFError : a run has an option that it cannot have.
    """
    parser, parsed = make_parser(""), []
    for number, options in enumerate(runs, 1):
        try:
            parsed.append(parser.parse_args(arguments(options), copy(args)))
        except QCLIFError as error:
            raise QCLIFError(f"--sweep {name}: run {number} of {len(runs)}: {error}") from error
    return parsed


def run_all(parsed: Sequence[argparse.Namespace], jobs: int) -> Iterator[Record]:
    """Records of runs, in their order; one that fails leaves the others alone: its record has only the key "error"."""
    return side_by_side(map(delayed(_run), parsed), jobs)


def _run(args: argparse.Namespace) -> Record:
    try:
        return run_one(args)
    except (QCLIFError, ConfigError) as error:
        return {"error": str(error)}
