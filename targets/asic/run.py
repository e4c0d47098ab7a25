#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Runs of the flow, from their options to their records: one, or those of a sweep side by side."""

import argparse
from collections.abc import Callable, Sequence

from joblib import delayed

from accel.config import ConfigError, config_from_args
from accel.errors import QCLIFError
from host.cli.network_choice import given_network, preferred_sizes
from host.cli.options import read_samples
from host.common.parallel import side_by_side
from targets.asic.design import AsicConfig
from targets.asic.flow import Request, run_flow
from targets.asic.gatesim.inputs import make_inputs
from targets.asic.options import DEFAULT_UNTIL, Parser, make_parser
from targets.asic.platform.pdk import find_pdk
from targets.asic.report.make_record import record_of
from targets.asic.report.record import Record
from targets.asic.stages import STAGES
from targets.asic.sweep import Options, arguments
from targets.tools.progress import StageProgress, no_stage

# Currents of the paper's neuron.
NEURON_CURRENT_BITS = 8


def run_one(args: argparse.Namespace, progress: StageProgress = no_stage) -> Record:
    """The record of the run that the options ask for.

    Raises
    ------
    QCLIFError : an option, a file or the PDK is wrong, or a stage failed.
    """
    return record_of(run_flow(make_request(args), progress))


def make_request(args: argparse.Namespace) -> Request:
    """What the options ask for; what is wrong with them shall not take a stage to find out."""
    pdk = find_pdk(args.pdk, args.download_pdk)
    pdk.corner(args.corner)
    until  = args.until or DEFAULT_UNTIL
    common = {"design": args.design, "frequency_mhz": args.frequency, "corner": args.corner, "sram": args.sram,
        "sram_objective": args.sram_objective}
    if args.design == "neuron":
        sizes = config_from_args(args, current_bits=NEURON_CURRENT_BITS)
        return Request(AsicConfig(sizes=sizes, **common), pdk, until, strict_tools=args.until is not None)
    samples = read_samples(args)
    sizes   = config_from_args(args, **preferred_sizes(given_network(args), samples))
    config  = AsicConfig(sizes=sizes, **common)
    # The spatial design has the network's shifts wired in.
    if args.design != "spatial" and list(STAGES).index(until) < list(STAGES).index("gatesim"):
        return Request(config, pdk, until, strict_tools=args.until is not None)
    inputs = make_inputs(args, samples, sizes)
    config = AsicConfig(sizes=sizes, apical_shift=inputs.network.apical_shift,
        product_shift=inputs.network.product_shift, **common)
    return Request(config, pdk, until, inputs, strict_tools=args.until is not None)

# Sweeps --------------------------------------------------------------------------------------------

def check_runs(parser: Parser, argv: Sequence[str], runs: Sequence[Options], name: str) -> None:
    """Raise a QCLIFError now for options that a run cannot have."""
    for number, options in enumerate(runs, 1):
        try:
            parser.parse_args([*argv, *arguments(options)])
        except QCLIFError as error:
            raise QCLIFError(f"--sweep {name}: run {number} of {len(runs)}: {error}") from error


def run_all(argv: Sequence[str], runs: Sequence[Options], jobs: int, progress: Callable[[str, int, int], None]
        ) -> list[Record]:
    """Records of runs, in their order; one that fails leaves the others alone: its record has only the key "error".

    Parameters
    ----------
    argv : options of all runs.
    progress : called with the run that has ended, how many have, and of how many.
    """
    records = []
    for record in side_by_side((delayed(_run)([*argv, *arguments(options)]) for options in runs), jobs):
        records.append(record)
        options = runs[len(records) - 1]
        progress(" ".join(f"{key} {value}" for key, value in options.items()), len(records), len(runs))
    return records


def _run(argv: Sequence[str]) -> Record:
    try:
        return run_one(make_parser("").parse_args(argv))
    except (QCLIFError, ConfigError) as error:
        return {"error": str(error)}
