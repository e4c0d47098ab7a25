# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A run as a table for people and as measures for programs."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from host.common.tables import TextTable, facts
from host.network.network import predicted

# Their module needs torch, which takes seconds to load and is not needed to write measures.
if TYPE_CHECKING:
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


def print_run(run: "Run", network: str, console: Console) -> None:
    """Print a line a recording and what the run came to; `network` is how to call the run's."""
    console.print(TextTable(("sample", "events", "inputs", "steps", "spikes", "class", "label", "match"), ((
        escape(each.sample.name), "-" if each.sample.events is None else str(len(each.sample.events)),
        str(len(each.run.inputs.sources)), str(len(each.run.spikes)), str(len(each.run.spikes.sources)),
        escape(_class_name(run, predicted(each.run.logits))), escape(_class_name(run, each.sample.label)),
        f"[red]{wrong} differ[/]" if (wrong := each.mismatches + each.state_mismatches) else "[green]exact[/]")
        for each in run.compared), f"{run.engine} engine, encoded on the {run.encode}: SoC against golden model",
        texts=(0, 5, 6), whole=(7,)))
    m, link = run_measures(run), run.link.stats
    rows = [("network", escape(network)),
        ("spikes and logits", f"{m['spikes']} spikes in {m['steps']} steps, {m['mismatches']} mismatches"),
        ("states V_a, V_s", f"{m['states_compared']} compared, {m['state_mismatches']} mismatches")]
    clocks, a_step = m["core_clocks"], f"{_ratio(m['core_clocks'], m['steps'], 0):.0f} a step"
    if run.engine == "accel":
        rows += [
            ("core clocks", f"{clocks}, bound {m['bound_clocks']} (x {m['core_clocks_over_bound']}), {a_step}"),
            ("synaptic operations", f"{m['sops']}, {_ratio(m['sops'], clocks, 1)} a core clock")]
    else:
        rows.append(("CPU clocks", f"{clocks}, {a_step}"))
    console.print(facts([*rows,
        ("CPU clocks a byte", f"{m['cpu_clocks_per_byte_rx']} received, {m['cpu_clocks_per_byte_tx']} sent; "
            f"{m['cpu_clocks_per_raw_event'] or m['cpu_clocks_per_event']} an event"),
        ("link", f"{link.frames} frames, {link.retries} retries, {link.crc_errors} CRC errors, {run.resets} resets, "
            f"{link.bytes_tx} bytes out, {link.bytes_rx} in, {m['line_bytes_per_event']} an input"),
        ("speed", f"{m['seconds']} s, {m['steps_per_second']} steps a second, "
            f"{(m['sim_clocks_per_second'] or 0)/1e6:.2f} M clocks a second")]))
    for each in run.compared:
        if each.divergence:
            console.print(f"[red]{escape(str(each.divergence))}[/]")
