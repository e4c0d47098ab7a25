# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A run as a table for people and as measures for programs."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from host.network.readout import predicted

# Their module needs torch, which takes seconds to load and is not needed to write measures.
if TYPE_CHECKING:
    from host.runs.comparison import Compared
    from host.runs.run import Run


def _ratio(value: float, by: float, digits: int = 3) -> float | None:
    """value/by, None where nothing was counted."""
    return round(value/by, digits) if by else None


def run_measures(run: "Run") -> dict[str, object]:
    """What a run measured, as JSON takes it; what was not measured is null."""
    totals = {name: sum(each.run.counters[name] for each in run.compared)
        for name in ("steps", "events", "rows", "sops", "spikes", "stalls", "overflows", "soc_clocks")}
    stats, link = run.stats, run.link.stats
    core_clocks = sum(each.run.counters["busy"] for each in run.compared)
    bound       = sum(each.bound_clocks for each in run.compared)
    labelled    = [each for each in run.compared if each.sample.label >= 0 and len(each.run.logits)]
    return {
        "samples":                 len(run.compared),
        **totals,
        "raw_events":              sum(len(each.sample.events) for each in run.compared
            if each.sample.events is not None),
        "mismatches":              sum(each.mismatches for each in run.compared),
        "state_mismatches":        sum(each.state_mismatches for each in run.compared),
        "states_compared":         sum(each.states for each in run.compared),
        "first_difference":        next((str(each.divergence) for each in run.compared if each.divergence), None),
        "engine":                  run.engine,
        "encode":                  run.encode,
        "core_clocks":             core_clocks,
        "bound_clocks":            bound,
        # The bound is the accelerator's.
        "core_clocks_over_bound":  _ratio(core_clocks, bound) if run.engine == "accel" else None,
        "cpu_clocks_per_byte_rx":  _ratio(stats["rx_clocks"], stats["rx_bytes"], 1),
        "cpu_clocks_per_byte_tx":  _ratio(stats["tx_clocks"], stats["tx_bytes"], 1),
        "cpu_clocks_per_event":    _ratio(stats["pump_clocks"], stats["pump_events"], 1),
        "cpu_clocks_per_raw_event": _ratio(stats["raw_clocks"], stats["raw_events"], 1),
        "line_bytes_per_event":    _ratio(stats["rx_bytes"], totals["events"], 2),
        "seconds":                 round(run.seconds, 3),
        "sim_clocks_per_second":   round(totals["soc_clocks"]/run.seconds) if run.seconds else None,
        "steps_per_second":        round(totals["steps"]/run.seconds, 1) if run.seconds else None,
        "accuracy":                _ratio(sum(predicted(each.run.logits) == each.sample.label for each in labelled),
            len(labelled)),
        "link": asdict(link) | {"resets": run.resets},
        "device": stats,
        "config": run.link.info.config.to_dict(),
        "network": {name: getattr(run.network, name) for name in ("neurons", "inputs", "contexts", "outputs",
            "weight_bits", "state_bits", "current_bits")} | {"encoder": run.network.encoder.to_dict()},
    }


def _class_name(run: "Run", index: int) -> str:
    if index < 0:
        return "-"
    return run.network.classes[index] if index < len(run.network.classes) else str(index)


def _match(each: "Compared") -> str:
    wrong = each.mismatches + each.state_mismatches
    return f"[red]{wrong} differ[/]" if wrong else "[green]exact[/]"


def print_run(run: "Run", network: str, console: Console) -> None:
    """Print a line a recording and what the run came to; `network` is how to call the run's."""
    table = Table(title=f"{run.engine} engine, encoded on the {run.encode}: SoC against golden model")
    for name, justify in (("sample", "left"), ("events", "right"), ("inputs", "right"), ("steps", "right"),
            ("spikes", "right"), ("class", "left"), ("label", "left"), ("match", "left")):
        table.add_column(name, justify=justify, no_wrap=True)
    for each in run.compared:
        table.add_row(escape(each.sample.name), "-" if each.sample.events is None else str(len(each.sample.events)),
            str(len(each.run.inputs.sources)), str(len(each.run.spikes)), str(len(each.run.spikes.sources)),
            escape(_class_name(run, predicted(each.run.logits))), escape(_class_name(run, each.sample.label)),
            _match(each))
    console.print(table)
    m, link = run_measures(run), run.link.stats
    summary = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    summary.add_row("network", escape(network))
    summary.add_row("spikes and logits", f"{m['spikes']} spikes in {m['steps']} steps, {m['mismatches']} mismatches")
    summary.add_row("states V_a, V_s", f"{m['states_compared']} compared, {m['state_mismatches']} mismatches")
    if run.engine == "accel":
        summary.add_row("core clocks", f"{m['core_clocks']}, bound {m['bound_clocks']} "
            f"(x {m['core_clocks_over_bound']}), {_ratio(m['core_clocks'], m['steps'], 0):.0f} a step")
        summary.add_row("synaptic operations", f"{m['sops']}, {_ratio(m['sops'], m['core_clocks'], 1)} a core clock")
    else:
        summary.add_row("CPU clocks", f"{m['core_clocks']}, {_ratio(m['core_clocks'], m['steps'], 0):.0f} a step")
    summary.add_row("CPU clocks a byte", f"{m['cpu_clocks_per_byte_rx']} received, {m['cpu_clocks_per_byte_tx']} sent; "
        f"{m['cpu_clocks_per_raw_event'] or m['cpu_clocks_per_event']} an event")
    summary.add_row("link", f"{link.frames} frames, {link.retries} retries, {link.crc_errors} CRC errors, "
        f"{run.resets} resets, {link.bytes_tx} bytes out, {link.bytes_rx} in, {m['line_bytes_per_event']} an input")
    summary.add_row("speed", f"{m['seconds']} s, {m['steps_per_second']} steps a second, "
        f"{(m['sim_clocks_per_second'] or 0)/1e6:.2f} M clocks a second")
    console.print(summary)
    for each in run.compared:
        if each.divergence:
            console.print(f"[red]{escape(str(each.divergence))}[/]")
