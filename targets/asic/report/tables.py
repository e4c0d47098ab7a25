# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The report of a run: tables for a terminal and for report.md."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from targets.asic.design import DESIGNS
from targets.asic.report import paper
from targets.asic.report.chip import chip_sheet
from targets.asic.report.comparisons import layout_sheets, macros_sheet
from targets.asic.report.record import COUNTED, ENERGIES, QUANTITIES, Record
from targets.asic.report.record import after_layout, area_of, at, energy_of, in_corner
from targets.asic.report.sheet import UNKNOWN, Bad, Sheet, mm2, number, slack
from targets.tools.builds import write_text

POWERS = {
    "leakage":   "leakage of cells",
    "internal":  "internal to cells",
    "switching": "switching of nets",
    "sram":      "SRAM macros",
    "total":     "all",
    "standby":   "of it leakage, of cells and macros",
}


# Energies that stand beside the paper's energy a spike.
_BESIDE = ("neuron_update", "spike", "sop")

# Bits that are not proven equal which a table names.
NAMED = 4

# QUANTITIES that are told for each corner.
_IN_CORNERS = ("fmax_mhz", "leakage_mw", "power_mw", "neuron_update_pj")


def name_of(record: Record) -> str:
    """Title of a run: its design and sizes."""
    config = record["config"]
    sizes  = f"{config['state_bits']}-bit states and {config['current_bits']}-bit currents"
    if record["design"] != "neuron":
        sizes = f"{config['neurons']} neurons, {config['weight_bits']}-bit weights, {sizes}"
    if record["design"] in ("core", "soc"):
        sizes += f", {config['inputs']} inputs, {config['lanes']} lanes"
    return f"{record['design']}: {sizes}"


def sheets(record: Record) -> Iterator[Sheet]:
    """All tables of a run; those of stages that did not run are left out."""
    yield _summary(record)
    macros = macros_sheet(record.get("macro_figures", {}), "SRAM macros")
    yield from (table for table in (_equivalence(record), _corners(record), _path(record), _modules(record),
        chip_sheet(record), macros, _power(record), _energy(record), _beside_paper(record)) if table.rows)
    yield from layout_sheets([record])
    yield _tools(record)


def write_report(tables: Sequence[Sheet], images: Sequence[Path], title: str, path: Path) -> None:
    """Write tables and images as a Markdown file.

    Parameters
    ----------
    images : beside the file.

    Raises
    ------
    QCLIFError : the file cannot be written.
    """
    parts = [f"# {title}\n\n\n", *(sheet.markdown() for sheet in tables),
        *(f"![{image.stem}]({image.name})\n\n" for image in images)]
    write_text(path, "".join(parts).rstrip("\n") + "\n")

# Tables of a run -----------------------------------------------------------------------------------

def _summary(record: Record) -> Sheet:
    corner = record["corner"]
    rows   = [
        ("design", DESIGNS[record["design"]]),
        ("clock", f"{number(record['frequency_mhz'])} MHz, corner {corner} ({record['conditions'][corner]})"),
    ]
    if "area_um2" in record:
        parts = f" (logic {number(record['area_logic_um2'])}, SRAM {number(record['area_sram_um2'])})" \
            if record.get("area_sram_um2") else ""
        rows.append(("area", f"{number(record['area_um2'])} um2{parts}"))
        rows.append(("cells", f"{number(record['cells'])}, {number(record['flops'])} flip-flops among them"))
    if record.get("macros"):
        rows.append(("macros", ", ".join(f"{count} {name}" for name, count in sorted(record["macros"].items()))))
    if "slack_ns" in record:
        rows.append(("slack", slack(record["slack_ns"])))
        rows.append(("highest clock", f"{number(record['fmax_mhz'])} MHz"))
    if (run := record.get("gatesim")) is not None:
        if "network" in run:
            rows.append(("network", run["network"]))
        spikes = f"{number(run['spikes'])}, {run['mismatches']} mismatches"
        rows.append(("netlist's spikes", Bad(spikes) if run["mismatches"] else spikes))
        rows.append(("simulated", f"{number(run['clocks'])} clocks, {number(run['steps'])} steps"))
        if "phases" in record:
            states = f"{number(run['states'])} states and {number(run['logits'])} logits"
            wrong  = run["state_mismatches"]
            rows.append(("beside them", Bad(f"{states}, {wrong} mismatches") if wrong else f"{states}, 0 mismatches"))
            total = sum(phase["clocks"] for phase in record["phases"].values())
            rows.append(("the whole of it", f"{number(total)} clocks, {number(run['clocks_per_second'])} a second"))
    if "power_mw" in record:
        rows.append(("power", f"{number(record['power_mw']['total'])} mW"))
    if "orfs" in record:
        rows.append(("flow scripts", ", ".join(f"{name}={value}" for name, value in record["orfs"].items())))
    return Sheet(name_of(record), ("", ""), rows, tuple(record.get("notes", ())))


def _some(names: Sequence[str]) -> str:
    """Names, not too many of them."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _equivalence(record: Record) -> Sheet:
    rows = [(proof["module"], number(proof["proven"]),
        Bad(_some(proof["unproven"])) if proof["unproven"] else "0", number(proof["seconds"]))
        for proof in record.get("equivalence", [])]
    return Sheet("The netlist and its Verilog: bits of registers and outputs, formally", ("module", "proven equal",
        "not proven", "s"), rows)


def _corners(record: Record) -> Sheet:
    rows = []
    for name, timing in record.get("timing", {}).items():
        seen = in_corner(record, name)
        rows.append((name, record["conditions"][name], slack(timing["slack_ns"]), slack(timing.get("hold_slack_ns")),
            *(number(QUANTITIES[name].of(seen)) for name in _IN_CORNERS)))
    notes = ("SRAM macros have one Liberty file, of the typical corner: delays, leakage and energy are its in all "
        "corners.",) if record.get("macros") else ()
    return Sheet(f"Corners, at {number(record['frequency_mhz'])} MHz", ("corner", "at", "slack, ns", "hold slack, ns",
        *(QUANTITIES[name].text for name in _IN_CORNERS)), rows, notes, (0, 1)).without_empty()


def _path(record: Record) -> Sheet:
    stages = at("timing", record["corner"], "stages")(record) or []
    rows   = [(name, f"{delay:.3f}", f"{end:.3f}") for (name, delay), end in zip(stages,
        accumulate(delay for _, delay in stages), strict=True)]
    return Sheet(f"Critical path, corner {record['corner']}", ("stretch", "ns", "ends at, ns"), rows)


def _modules(record: Record) -> Sheet:
    modules = record.get("modules", [])
    total   = sum(module["area_um2"] for module in modules)
    power   = any("power_mw" in module for module in modules)
    rows    = [(module["text"], module["name"], number(module["instances"]), number(module["cells"]),
        number(module["area_um2"]), f"{100*module['area_um2']/total:.1f} %",
        *([number(module.get("power_mw"))] if power else ()))
        for module in sorted(modules, key=lambda module: -module["area_um2"])]
    return Sheet("Modules", ("what", "module", "instances", "cells", "area, um2", "of all",
        *(["power, mW"] if power else ())), rows,
        ("Of all instances of a module, without the modules below it.",), (0, 1))


def _power(record: Record) -> Sheet:
    power = record.get("power_mw", {})
    rows  = [(text, number(power[name])) for name, text in POWERS.items() if name in power]
    return Sheet("Power", ("part", "mW"), rows, (
        "From the switching of the simulated netlist. The simulation has no delays: glitches are not in it.",))


def _energy(record: Record) -> Sheet:
    columns = {"all, pJ": "energy_pj", "without the SRAM macros, pJ": "energy_logic_pj",
        "without the weights' memory, pJ": "energy_without_weights_pj",
        "with latches for the weights, pJ": "energy_with_weights_pj"}
    shown   = {name: record[key] for name, key in columns.items() if key in record}
    told    = [energy for energy in ENERGIES if energy in record.get("energy_pj", {})]
    rows    = [(energy.replace("_", " "), *(number(values.get(energy)) for values in shown.values()))
        for energy in told]
    notes   = tuple(f"{energy.replace('_', ' ')}: {ENERGIES[energy]}." for energy in told) + (COUNTED,)
    if (real := record.get("real_time")) is not None:
        notes += (f"In real time, a step every {number(real['step_us'])} us, the design computes {real['busy']:.2%} "
            f"of the time; kept powered with its clock stopped it leaks in between: {number(real['step_pj'])} pJ a "
            f"step.",)
    return Sheet("Energy", ("of", *shown), rows, notes)


def _beside_paper(record: Record) -> Sheet:
    """The paper's numbers beside those of this run, and of its layout where there is one."""
    quoted = {name: number(value) for name, value in paper.QUOTED.items()}
    rows   = [("area of a neuron, um2", quoted["neuron_um2"], lambda ours: number(ours["area_um2"]))]
    if record["design"] != "neuron":
        rows = [
            ("neurons", number(paper.NEURONS), lambda ours: number(ours["config"]["neurons"])),
            ("synapses", quoted["synapses"], lambda ours: number(ours.get("synapses"))),
            ("area without the weights' memory, mm2", quoted["area_mm2"], lambda ours: mm2(area_of(ours, False))),
            ("area with it, mm2", UNKNOWN, lambda ours: mm2(area_of(ours, True))),
        ]
    rows += [
        ("slack at 100 MHz, ns", UNKNOWN, lambda ours: slack(ours.get("slack_ns") if ours["frequency_mhz"] == 100 else
            None)),
        ("power, mW", UNKNOWN, lambda ours: number(QUANTITIES["power_mw"].of(ours))),
        *((f"energy a {energy.replace('_', ' ')}, pJ", f"{quoted['spike_pj']} ?", lambda ours, energy=energy:
            number(energy_of(ours, energy, True) or energy_of(ours, energy, False)))
            for energy in _BESIDE if energy in record.get("energy_pj", {})),
    ]
    runs = [record, *([routed] if (routed := after_layout(record)) else [])]
    return Sheet(f"Beside the paper ({paper.CITATION})", ("", "paper", "this run", "routed")[:len(runs) + 2],
        [(text, theirs, *map(ours, runs)) for text, theirs, ours in rows if "area_um2" in record], paper.NOTES[:2])


def _tools(record: Record) -> Sheet:
    rows = [(name, version) for name, version in record.get("tools", {}).items()]
    rows += [(f"stage {name}", f"{each['seconds']:.1f} s{', as cached' if each['cached'] else ''}")
        for name, each in record.get("stages", {}).items()]
    return Sheet("Tools and time", ("", ""), rows)
