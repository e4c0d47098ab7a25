#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The runs of a sweep side by side; one that fails leaves the others alone."""

from collections.abc import Callable, Sequence

from joblib import delayed

from accel.config import ConfigError
from accel.errors import QCLIFError
from host.common.parallel import side_by_side
from targets.asic.options import Parser, make_parser
from targets.asic.report.result import Record
from targets.asic.run import run_one
from targets.asic.sweep import Options, arguments


def check_runs(parser: Parser, argv: Sequence[str], runs: Sequence[Options], name: str) -> None:
    """Raise a QCLIFError now for options that a run cannot have."""
    for number, options in enumerate(runs, 1):
        try:
            parser.parse_args([*argv, *arguments(options)])
        except QCLIFError as error:
            raise QCLIFError(f"--sweep {name}: run {number} of {len(runs)}: {error}") from error


def run_all(argv: Sequence[str], runs: Sequence[Options], jobs: int, progress: Callable[[str, int, int], None]
        ) -> list[Record]:
    """Records of runs, in their order; that of one that failed has the key "error" instead.

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
