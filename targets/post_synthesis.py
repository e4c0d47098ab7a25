#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The core after Yosys's synthesis for an FPGA, cell by cell under Verilator, against the golden model.

examples:
  python -m targets.post_synthesis                                         a synthetic gesture, the shipped network
  python -m targets.post_synthesis --events recording.npz --network net.npz
  python -m targets.post_synthesis --neurons 64 --lanes 4 --network random --mutants 20
  python -m targets.post_synthesis --family gowin                          the cells of a Tang Nano 20K, not an ECP5's
  python -m targets.post_synthesis --family ice40 --neurons 64 --lanes 4   of an iCEBreaker, with weights in large RAMs

Spikes and states are compared. Look-up tables, carry chains, flip-flops and distributed RAM are the models that come
with Yosys; block RAMs and multipliers, where it has none, are ours. Mutants are netlists with one look-up table
inverted: how many of them the comparison notices says what it is worth.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from accel.config import QCLIFConfig, add_config_args, config_from_args
from accel.errors import EXIT_MISMATCH, QCLIFError, guarded
from host.cli.options import add_input_args, check_outputs, encode_samples, read_samples
from host.common.console import table_console, write_json
from host.common.tables import TextTable, facts
from targets.fpga.families import FAMILIES
from targets.tools.process import exit_on_sigterm
from targets.tools.progress import StageDisplay

# Check --------------------------------------------------------------------------------------------

def caught(gates, config: QCLIFConfig, count: int, network, samples: Sequence) -> list[bool]:
    """For each of `count` mutants that the program holds, whether it differs from the golden model."""
    from targets.netlist.comparison import run_core

    def differs(mutant: int, inputs) -> bool:
        try:
            result = run_core(replace(gates, mutant=mutant), config, network, [inputs])
            return result.mismatches + result.state_mismatches > 0
        except QCLIFError:
            # It does not answer.
            return True

    return [any(differs(mutant, inputs) for inputs in samples) for mutant in range(count)]


def run(args: argparse.Namespace) -> int:
    """Synthesise, simulate, compare, print. Returns the exit code."""
    # These import torch, which takes seconds that --help and errors in the options need not wait for.
    from host.cli.network_choice import choose_network, given_network, preferred_sizes
    from targets.fpga.netlist import build, luts, synthesise
    from targets.netlist.comparison import NetlistProgram, run_core
    check_outputs(args)
    samples = read_samples(args)
    config  = config_from_args(args, **preferred_sizes(given_network(args), samples))
    network, name = choose_network(args, samples, config)
    samples = encode_samples(samples, network.encoder, network.contexts, args)
    with StageDisplay() as progress:
        netlist = synthesise(config, progress=progress, family=FAMILIES[args.family])
        mutants = luts(netlist, args.mutants, args.seed)
        progress(f"compiling the netlist of {sum(netlist.cells.values())} cells with Verilator")
        # For Verilator, 0 is another one each time.
        gates   = NetlistProgram(build(netlist, mutants), args.seed + 1)
        results = []
        for sample in samples:
            progress(f"{sample.name}: {len(sample.steps)} steps")
            results.append(run_core(gates, config, network, [sample.steps]))
        if mutants:
            progress(f"{len(mutants)} mutants")
        found = caught(gates, config, len(mutants), network, [sample.steps for sample in samples])
    measures = {
        "family": netlist.family.title, "yosys": f"{netlist.yosys.kind} {netlist.yosys.version}",
        "cells": netlist.cells, "config": config.to_dict(), "network": name,
        "samples": [{"sample": sample.name, "steps": result.steps, "inputs": len(sample.steps.sources),
            "spikes": result.spikes, "mismatches": result.mismatches, "states": result.states,
            "state_mismatches": result.state_mismatches} for sample, result in zip(samples, results, strict=True)],
        **({"mutants": len(found), "mutants_caught": sum(found)} if found else {}),
    }
    show(measures, table_console(args.json))
    if args.json:
        write_json(measures, args.json)
    return EXIT_MISMATCH if any(each.mismatches + each.state_mismatches for each in results) else 0

# Report -------------------------------------------------------------------------------------------

def show(measures: dict, console: Console) -> None:
    """Print what run() found."""
    rows = []
    for each in measures["samples"]:
        wrong = each["mismatches"] + each["state_mismatches"]
        rows.append((escape(each["sample"]), *(str(each[name]) for name in ("steps", "inputs", "spikes", "mismatches",
            "states", "state_mismatches")), f"[red]{wrong} differ[/]" if wrong else "[green]exact[/]"))
    console.print(TextTable(("sample", "steps", "inputs", "spikes", "differ", "V_a, V_s", "differ", "match"), rows,
        f"netlist of {measures['family']} cells against golden model", whole=(7,)))
    summary = [("network", escape(measures["network"])),
        ("cells", ", ".join(f"{count} {cell}" for cell, count in measures["cells"].items())),
        ("Yosys", measures["yosys"])]
    if "mutants" in measures:
        summary.append(("mutants", f"{measures['mutants_caught']} of {measures['mutants']} noticed"))
    console.print(facts(summary))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m targets.post_synthesis", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add_config_args(parser)
    add_input_args(parser, samples=1)
    parser.add_argument("--family", choices=tuple(FAMILIES), default="ecp5",
        help="FPGAs whose cells are used (default: %(default)s)")
    parser.add_argument("--mutants", type=int, default=0, metavar="K",
        help="also run K netlists with one look-up table inverted (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers; - for standard output")
    args = parser.parse_args(argv)
    exit_on_sigterm()
    return guarded(lambda: run(args))


if __name__ == "__main__":
    sys.exit(main())
