#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""FreePDK45: from Migen to gates, timing, power and layout, with the paper's numbers beside ours.

examples:
  python -m targets.asic_freepdk45                                    the chip: area and timing
  python -m targets.asic_freepdk45 --design core                      the accelerator: area, timing, power, energy
  python -m targets.asic_freepdk45 --design neuron                    the neuron alone, as the paper counts it
  python -m targets.asic_freepdk45 --design spatial --neurons 10      the paper's architecture
  python -m targets.asic_freepdk45 --design core --network NET.npz --events FILE      power for your recording
  python -m targets.asic_freepdk45 --design core --until synth --lanes 16             area only
  python -m targets.asic_freepdk45 --design core --until synth --equivalence          and proven equal to the Verilog
  python -m targets.asic_freepdk45 --design core --until layout --view  to GDS, where OpenROAD's flow scripts are
  python -m targets.asic_freepdk45 --sweep compare                    the paper's table: 10 to 200 neurons, 8 and 4 bits
  python -m targets.asic_freepdk45 --sweep layout --jobs 1            neuron, spatial and a core with macros to GDS
  python -m targets.asic_freepdk45 --sweep my.json --jobs 4           your own: [{"design": "core", "lanes": [4, 8]}]

Cells and macros come from --pdk, else FREEPDK45_HOME, else FLOW_HOME; --download-pdk fetches them. Each stage runs
once for all that it depends on: build/asic/ keeps what came out.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from accel.errors import EXIT_ERROR, EXIT_MISMATCH, QCLIFError, guarded
from host.cli.options import check_outputs
from host.common.console import table_console, write_json
from host.plots.style import save
from targets.asic.layout.results import draw
from targets.asic.options import make_parser, read_sweep
from targets.asic.report import plots
from targets.asic.report.floor import draw_modules
from targets.asic.report.record import Record, at
from targets.asic.report.sheet import Sheet
from targets.asic.report.studies import json_rows, study_figures, study_of, study_sheets
from targets.asic.report.tables import name_of, sheets, write_report
from targets.asic.view import view
from targets.tools.builds import writing
from targets.tools.process import exit_on_sigterm
from targets.tools.progress import StageDisplay

TITLE = "qCLIF in FreePDK45"

# Run ----------------------------------------------------------------------------------------------

def single(args: argparse.Namespace) -> int:
    """One run: record, tables and plots. Returns the exit code."""
    # Imports torch, which takes seconds that --help and errors in the options need not wait for.
    from targets.asic.run import run_one
    with StageDisplay() as progress:
        record = run_one(args, progress, args.output_dir)
        images = layout_images(record, args.output_dir/"layout.png")
    write_all(args, record, list(sheets(record)), run_figures(record), name_of(record), images)
    if args.view:
        view(record, args.pdk)
    return exit_code([record], args.strict)


def layout_images(record: Record, path: Path) -> list[Path]:
    """Draw the layout, if there is one, and its modules; what keeps them from being drawn is noted in the record."""
    layout, images = record.get("layout", {}), []
    try:
        if "gds" in layout:
            images.append(draw(Path(layout["gds"]), path, layout.get("macros", {}).values()))
        if "layout_def" in layout:
            images.append(draw_modules(record, f"Modules of {name_of(record)}", path.with_stem(f"{path.stem}-modules")))
    except QCLIFError as error:
        record["notes"].append(str(error))
    return images


def run_figures(record: Record) -> Iterator[tuple[str, object]]:
    """(name, figure) of each plot of a run."""
    if record.get("modules"):
        yield "modules", plots.modules(record, name_of(record))
    named = {corner: timing["stages"] for corner, timing in record.get("timing", {}).items()}
    if named:
        yield "path", plots.paths(named, f"Critical path, {name_of(record)}", 1000/record["frequency_mhz"])


def swept(args: argparse.Namespace) -> int:
    """A sweep: records, tables and plots. Returns the exit code."""
    from targets.asic.run import parse_runs, run_all
    if args.view:
        raise QCLIFError("--view shows one layout: leave out --sweep, or --view")
    runs    = read_sweep(args.sweep)
    parsed  = parse_runs(args, runs, args.sweep)
    console = Console(stderr=True)
    records = []
    for record, options in zip(run_all(parsed, args.jobs), runs, strict=True):
        records.append(record)
        what = " ".join(f"{key} {value}" for key, value in options.items())
        console.print(f"{len(records)}/{len(runs)} {what}", highlight=False, soft_wrap=True)
    name    = Path(args.sweep).stem
    study   = study_of(args.sweep, runs)
    tables  = list(study_sheets(args.sweep, study, runs, records))
    figures = ((f"{name}{number or ''}", figure) for number, figure in enumerate(study_figures(study, runs, records)))
    rows    = json_rows(study, runs, records)
    images  = [image for number, record in enumerate(records, 1)
        for image in layout_images(record, args.output_dir/f"layout{number}.png")]
    write_all(args, {"sweep": args.sweep, "runs": rows}, tables, figures, study.text, images)
    if any("error" in record for record in records):
        return EXIT_ERROR
    return exit_code(records, args.strict)


# Outputs ------------------------------------------------------------------------------------------

def write_all(args: argparse.Namespace, content: Record, tables: Sequence[Sheet], figures, title: str,
        images: Sequence[Path] = ()) -> None:
    """Print tables; write report.json, report.md and plots, and show `images` with them."""
    console, folder, images = table_console(args.json), args.output_dir, list(images)
    for table in tables:
        table.show(console)
    for name, figure in figures:
        images.append(folder/f"{name}.png")
        save(figure, images[-1])
    write_json(content, folder/"report.json")
    write_report(tables, images, f"{TITLE}: {title}", folder/"report.md")
    names = [*(image.name for image in images), *content.get("files", ())]
    console.print(f"{folder/'report.md'}, report.json" + "".join(f", {name}" for name in names),
        highlight=False, soft_wrap=True)
    if args.json:
        write_json(content, args.json)


def exit_code(records: Sequence[Record], strict: bool) -> int:
    """1 where a netlist's spikes are wrong or it is not proven equal, or with --strict where slack is negative."""
    wrong = any(at(*path, "gatesim", name)(record) for record in records for path in ((), ("layout",))
        for name in ("mismatches", "state_mismatches"))
    wrong = wrong or any(proof["unproven"] for record in records for proof in record.get("equivalence", ()))
    late  = any((find(record) or 0) < 0 for record in records for find in (at("slack_ns"), at("layout", "slack_ns")))
    return EXIT_MISMATCH if wrong or (strict and late) else 0


def main(argv: list[str] | None = None) -> int:
    def work() -> int:
        args = make_parser(__doc__).parse_args(argv)
        check_outputs(args)
        # Now, not where the reports are written at the end.
        with writing(args.output_dir):
            args.output_dir.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=args.output_dir).close()
        return swept(args) if args.sweep else single(args)

    exit_on_sigterm()
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
