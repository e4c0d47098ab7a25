# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Design rules of a layout: KLayout's program goes through the GDS with the deck of a platform of the flow scripts.

The router has checked its wires by the LEF; the deck has all layers, those inside the cells, too. SRAM macros of
fakeram45 have no layout: nothing of theirs is checked.
"""

import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from accel.errors import QCLIFError
from targets.tools.process import run_program, version_of
from targets.tools.progress import StageProgress, no_stage

REPORT, LOG = "drc.lyrdb", "drc.log"


@dataclass(frozen=True)
class RuleCheck:
    """What breaks a deck's rules, the name of each with how often.

    Attributes
    ----------
    errors : of the design: where cells and wires meet.
    in_cells : within cells of the library, once for each kind of cell: "RULE in CELL".
    """
    errors:   dict[str, int] = field(default_factory=dict)
    in_cells: dict[str, int] = field(default_factory=dict)


def rule_tools(platform: str) -> tuple[str, Path]:
    """KLayout's program and the deck of a platform.

    Raises
    ------
    QCLIFError : one of them is missing.
    """
    klayout = shutil.which(os.environ.get("KLAYOUT_CMD") or "klayout")
    if klayout is None:
        raise QCLIFError("--drc: klayout not found: sudo apt-get install klayout")
    folder = Path(os.environ.get("FLOW_HOME", ""))/"platforms"/platform/"drc"
    deck   = next(iter(sorted(folder.glob("*.lydrc"))), None)
    if deck is None:
        raise QCLIFError(f"--drc: no rules for KLayout, {folder}/*.lydrc: FLOW_HOME must name flow scripts whose "
            f"platform {platform} has them")
    return klayout, deck


def rule_versions(klayout: str) -> dict[str, str]:
    """Version of the program, by the name that reports have."""
    return {"klayout": version_of(klayout, "-v").removeprefix("KLayout ")}


def check_rules(gds: Path, top: str, klayout: str, deck: Path, folder: Path, progress: StageProgress = no_stage
        ) -> RuleCheck:
    """Check a layout; its report, for KLayout's browser of errors, is REPORT in the folder.

    Parameters
    ----------
    top : name of the cell that is the design.
    klayout, deck : of rule_tools().

    Raises
    ------
    QCLIFError : KLayout fails, or its report cannot be read.
    """
    report = folder/REPORT
    progress(f"the rules of {deck.name}, by KLayout")
    run_program([klayout, "-zz", "-rd", f"in_gds={gds}", "-rd", f"report_file={report}", "-r", deck],
        log=folder/LOG).check("design rules")
    try:
        errors: Counter[str] = Counter()
        in_cells: Counter[str] = Counter()
        for item in ElementTree.parse(report).getroot().iterfind("items/item"):
            rule, cell = (item.findtext(name, "").strip().strip("'") for name in ("category", "cell"))
            count = int(item.findtext("multiplicity", "1"))
            # Variants of a cell have a number behind its name.
            cell, _, _ = cell.partition(":")
            if cell == top:
                errors[rule] += count
            else:
                in_cells[f"{rule} in {cell}"] += count
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise QCLIFError(f"{report}: no report of KLayout ({error}): see {folder/LOG}") from error
    return RuleCheck(dict(errors), dict(in_cells))
