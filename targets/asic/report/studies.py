# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What a sweep is to show: the shipped ones by name, and a plain table for anyone's own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from targets.asic.report import paper, plots
from targets.asic.report.comparisons import compare_sheets, layout_sheets, macros_sheet
from targets.asic.report.record import QUANTITIES, Record, in_corner
from targets.asic.report.sheet import Bad, Sheet, errors, number, slack
from targets.asic.report.tables import name_of
from targets.asic.report.voltage import at_supplies, figures_at_supplies, voltage_sheets
from targets.asic.scaling.rule import Rule
from targets.asic.sta.path import summarised
from targets.asic.options import Options, varied

# Corners from the lowest supply to the highest.
VOLTAGE_ORDER = ("slow", "typ", "fast")


@dataclass(frozen=True)
class Study:
    """How a sweep is shown.

    Attributes
    ----------
    text : what it answers.
    x, group : option or quantity on the axis of its plots, and option that tells lines apart.
    panels : QUANTITIES that are plotted.
    columns : QUANTITIES of its table besides.
    log : the axis is logarithmic.
    paths : critical paths are drawn instead, a bar a run.
    marks : points of the paper, by panel.
    each_corner, each_supply : a run is a row in each corner, or at each supply.
    least : of QUANTITIES; the table tells which run has least of it.
    """
    text:    str
    x:       str | None
    group:   str | None
    panels:  tuple[str, ...]
    columns: tuple[str, ...] = ()
    log:     bool = False
    paths:   bool = False
    marks:   Mapping[str, tuple[float, float]] = field(default_factory=dict)
    least:   str = ""
    each_corner: bool = False
    each_supply: bool = False


STUDIES: Mapping[str, Study] = {
    "compare": Study("The paper's architecture and the event-driven core, 10 to 200 neurons, 8 and 4 bits", "neurons",
        "kind", ("area_mm2", "slack_ns", "power_mw", "neuron_update_pj"),
        marks={"area_mm2": (paper.NEURONS, paper.QUOTED["area_mm2"])}),
    "lanes": Study("Which number of lanes and which clock is best: energy, area and time", "lanes", "frequency",
        ("neuron_update_pj", "area_mm2", "clocks_per_step", "power_mw"),
        ("sop_pj", "slack_ns", "sram_mw", "leakage_mw"), log=True, least="neuron_update_pj"),
    "frequency": Study("Energy against the clock: what is slow leaks longer", "frequency", "design",
        ("neuron_update_pj", "real_time_nj", "power_mw", "slack_ns"), ("leakage_mw", "area_mm2"), log=True,
        least="neuron_update_pj"),
    "corners": Study("Voltage and corners: slack, leakage and energy", "corner", "design",
        ("slack_ns", "leakage_mw", "power_mw", "neuron_update_pj"), ("fmax_mhz", "sop_pj"), each_corner=True),
    "voltage": Study("Supply, typical process, 25 C: highest clock, leakage and energy", "voltage_v", "design",
        ("fmax_mhz", "leakage_mw", "neuron_update_pj", "fastest_update_pj"), each_supply=True),
    "sram": Study("SRAM macros of the flow scripts and by OpenRAM: area, leakage and energy", "frequency", "sram",
        ("neuron_update_pj", "area_sram_mm2", "leakage_mw", "sram_dynamic_mw"),
        ("area_mm2", "power_mw", "sram_mw", "sop_pj", "slack_ns", "slack_slow_ns"), log=True),
    "width": Study("Why 4 bits have more slack than 8: the critical path by stage", None, None, (),
        ("slack_ns", "fmax_mhz", "area_mm2"), paths=True),
    "activity": Study("Energy against activity: neurons that fire in a step", "spike_rate", "design",
        ("neuron_update_pj", "spike_pj", "sop_pj", "power_mw"), ("clocks_per_step", "step_pj")),
    "updates": Study("Neurons updated a clock: clocks a step, throughput, area and energy", "updates", "weight-bits",
        ("clocks_per_step", "gsops_per_mm2", "neuron_update_pj", "area_mm2"),
        ("sops_per_clock", "fmax_mhz", "area_logic_mm2", "synapse_um2", "sop_pj", "sop_logic_pj", "leakage_mw"),
        log=True, least="neuron_update_pj"),
    "layout": Study("Layouts of small designs, beside the netlists that they were made from", None, None, ()),
}

# Of a sweep that is not among them.
PLAIN = ("area_mm2", "slack_ns", "power_mw", "neuron_update_pj", "spike_pj", "sop_pj")


def study_of(name: str, runs: Sequence[Options]) -> Study:
    """How to show a sweep; of anyone's own, the first two options that vary are axis and group."""
    if name in STUDIES:
        return STUDIES[name]
    names   = varied(list(runs))
    values  = {each: {run[each] for run in runs if each in run} for each in names}
    numeric = [each for each in names if len(values[each]) > 1 and all(isinstance(value, int | float)
        for value in values[each])]
    group   = next((each for each in names if each not in numeric[:1]), None)
    return Study(f"Sweep {name}", numeric[0] if numeric else None, group, PLAIN[:4] if numeric else (), PLAIN)


def in_corners(study: Study, runs: Sequence[Options], records: Sequence[Record]
        ) -> tuple[list[Options], list[Record]]:
    """Runs and records as the study shows them."""
    if study.each_supply:
        rule  = Rule.load()
        pairs = [(options, seen) for options, record in zip(runs, records, strict=True)
            for seen in at_supplies(record, rule)]
        return [options for options, _ in pairs], [seen for _, seen in pairs]
    if not study.each_corner:
        return list(runs), list(records)
    pairs = [(options | {"corner": corner}, in_corner(record, corner)) for options, record in zip(runs, records,
        strict=True) for corner in sorted(record.get("timing", {}), key=VOLTAGE_ORDER.index)]
    return [options for options, _ in pairs], [record for _, record in pairs]


def json_rows(study: Study, runs: Sequence[Options], records: Sequence[Record]) -> list[Record]:
    """Options and record of each run, with its figures at all supplies where the study is of these."""
    rows = [{"options": options, **record} for options, record in zip(runs, records, strict=True)]
    if study.each_supply:
        rule = Rule.load()
        rows = [row | {"supplies": figures_at_supplies(record, rule)} for row, record in zip(rows, records,
            strict=True)]
    return rows


def rows_of(runs: Sequence[Options], records: Sequence[Record]) -> list[dict[str, object]]:
    """Options and quantities of each run by name; quantities that it has not are None."""
    rows = []
    for options, record in zip(runs, records, strict=True):
        if "error" not in record:
            inputs = f", I = {record['config']['inputs']}" if record["design"] == "core" else ""
            rows.append({**options, "kind": f"{record['design']}{inputs}, {record['config']['weight_bits']} bits",
                **{name: each.of(record) for name, each in QUANTITIES.items()}})
    return rows


def study_sheets(name: str, study: Study, runs: Sequence[Options], records: Sequence[Record]) -> Iterator[Sheet]:
    """Tables of a sweep."""
    good = [record for record in records if "error" not in record]
    if name == "compare" and good:
        yield from compare_sheets(good)
    elif name == "layout" and good:
        yield from layout_sheets(good)
    elif study.each_supply and good:
        yield from voltage_sheets(good, Rule.load())
    else:
        yield _table(study, *in_corners(study, runs, records))
    if name == "sram" and (macros := {key: value for record in good for key, value in
            record.get("macro_figures", {}).items()}):
        yield macros_sheet(macros, "The macros that these runs are made of")
    if any("gatesim" in record for record in good):
        yield _against_golden(records)
    failed = [(str(number), Bad(str(record["error"]))) for number, record in enumerate(records, 1) if "error" in record]
    if failed:
        yield Sheet("Runs that failed", ("run", "why"), failed, texts=(0, 1), prose=(1,))


def _table(study: Study, runs: Sequence[Options], records: Sequence[Record]) -> Sheet:
    options = varied(list(runs))
    values  = [{name: each.of(record) for name, each in QUANTITIES.items()} if "error" not in record else {}
        for record in records]
    shown   = [name for name in dict.fromkeys((*study.panels, *study.columns))
        if any(each.get(name) is not None for each in values)]
    rows    = [(*(str(each.get(name, "")) for name in options),
        *((slack if name.startswith("slack") else number)(found[name]) for name in shown))
        for each, found in zip(runs, values, strict=True) if found]
    return Sheet(study.text, (*options, *(QUANTITIES[name].text for name in shown)), rows, _least(study, runs, records))


def _against_golden(records: Sequence[Record]) -> Sheet:
    """Spikes and states of all runs that were simulated; the wrong ones by their number."""
    runs  = {place: record["gatesim"] for place, record in enumerate(records, 1) if "gatesim" in record}
    wrong = [str(place) for place, run in runs.items() if run["mismatches"] or run["state_mismatches"]]
    rows  = [(what, number(sum(run[key] for run in runs.values())), errors(sum(run[bad] for run in runs.values())))
        for what, key, bad in (("spikes", "spikes", "mismatches"), ("states", "states", "state_mismatches"))]
    return Sheet(f"Netlists of {len(runs)} runs against the golden model", ("", "compared", "mismatches"), rows,
        (f"Runs with mismatches: {', '.join(wrong)}.",) if wrong else ())


def _least(study: Study, runs: Sequence[Options], records: Sequence[Record]) -> tuple[str, ...]:
    """The run with least of a quantity in each group, of those that meet their clock."""
    best: dict[object, tuple[float, Options]] = {}
    for options, record in zip(runs, records, strict=True):
        value = QUANTITIES[study.least].of(record) if study.least and "error" not in record else None
        if value is not None and (record.get("slack_ns") or 0) >= 0:
            group = options.get(study.group)
            best[group] = min(best.get(group, (value, options)), (value, options), key=lambda each: each[0])
    return tuple(f"Least {QUANTITIES[study.least].text}, of runs that meet their clock: {number(value)}, with "
        f"{', '.join(f'{name} {value}' for name, value in options.items())}." for value, options in best.values())


def study_figures(study: Study, runs: Sequence[Options], records: Sequence[Record]) -> Iterator[Figure]:
    """Plots of a sweep."""
    if study.paths:
        named = {name_of(record): summarised(record["timing"][record["corner"]]["stages"]) for record in records
            if record.get("timing")}
        if named:
            yield plots.paths(named, study.text)
    rows   = rows_of(*in_corners(study, runs, records))
    panels = [name for name in study.panels if any(row[name] is not None for row in rows)]
    if study.x is not None and panels and any(row.get(study.x) is not None for row in rows):
        yield plots.against(rows, study.x, study.group, panels, study.text, log=study.log,
            marks=study.marks, marked=f"paper, {paper.BITS} bits")
