#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What an evaluation measures, for people."""

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

SPREAD = ("mean", "median", "p90", "most")

# Key of the measures, and what a row of the table calls it.
COSTS = {
    "latency_steps":       "steps until the answer is stable",
    "latency_ms":          "ms until then",
    "steps_per_inference": "steps an inference",
    "events_per_step":     "events a step",
    "spikes_per_step":     "spikes a step",
    "rows_per_step":       "rows a step",
    "sops_per_inference":  "synaptic operations an inference",
}

PARTS = {"sensory": "sensory sources", "context": "context sources", "neurons": "neurons"}


def percent(share: float | None, digits: int = 1) -> str:
    """A share in percent, - for none."""
    return "-" if share is None else f"{100*share:.{digits}f} %"


def print_evaluation(measures: dict[str, object], console: Console) -> None:
    """Print evaluation_measures(), and `options` of host.evaluate among them."""
    for table in (_answers(measures), _costs(measures), _sparsity(measures), _worst(measures)):
        if table.row_count:
            console.print(table)
    if measures["first_difference"]:
        console.print(f"[red]{escape(measures['first_difference'])}[/]")


def _plain() -> Table:
    return Table(show_header=False, box=None, padding=(0, 2, 0, 0))


def _answers(measures: dict[str, object]) -> Table:
    table     = _plain()
    table.add_row("network", escape(f"{measures['options']['network']}, engine {measures['options']['engine']}"))
    table.add_row("samples", escape(f"{measures['samples']} of {measures['recordings']}: {measures['task']}"))
    names = (measures["network_classes"], measures["classes"])
    if names[0] and [*map(str.casefold, names[0])] != [*map(str.casefold, names[1])]:
        table.add_row("[yellow]classes[/]", escape(f"compared by their numbers: the network calls them "
            f"{', '.join(names[0])}"))
    low, high = measures["accuracy_interval"]
    table.add_row("accuracy", f"{percent(measures['accuracy'])} of {measures['clips']} (95 %: {percent(low)} to "
        f"{percent(high)}); always the most frequent class: {percent(measures['majority'])}")
    if "precision" in measures:
        table.add_row("yes", f"precision {percent(measures['precision'])}, recall {percent(measures['recall'])}")
    for name, text in _device(measures):
        table.add_row(name, text)
    return table


def _device(measures: dict[str, object]) -> Iterator[tuple[str, str]]:
    """Rows (name, text) that only a device gives."""
    if measures["device"] is None:
        return
    wrong = measures["mismatches"] + measures["state_mismatches"]
    yield "device", (f"[{'red' if wrong else 'green'}]{measures['mismatches']} spikes and logits and "
        f"{measures['state_mismatches']} states differ from the golden model[/]")
    yield "core clocks", (f"{measures['core_clocks_per_inference']:.0f} an inference, bound "
        f"{measures['bound_clocks_per_inference']:.0f} (x {measures['core_clocks_over_bound']})")


def _costs(measures: dict[str, object]) -> Table:
    table = Table()
    table.add_column("over all inferences")
    for name in ("mean", "median", "90 %", "most"):
        table.add_column(name, justify="right")
    for key, name in COSTS.items():
        table.add_row(name, *(f"{measures[key][each]:.1f}".removesuffix(".0") for each in SPREAD))
    return table


def _sparsity(measures: dict[str, object]) -> Table:
    table = _plain()
    for key, name in PARTS.items():
        if measures["active"][key] is not None:
            silent = f", {percent(measures['silent_neurons'])} never" if key == "neurons" else ""
            table.add_row(name, f"{percent(measures['active'][key], 2)} active in a step{silent}")
    weights = [f"{percent(share)} of {name}" for name, share in measures["zero_weights"].items() if share is not None]
    table.add_row("zero weights", ", ".join(weights))
    return table


def _worst(measures: dict[str, object]) -> Table:
    table = Table()
    for name, justify in (("label", "left"), ("taken for", "left"), ("clips", "right"), ("of the label's", "right")):
        table.add_column(name, justify=justify)
    for pair in measures["worst_pairs"]:
        table.add_row(escape(pair["label"]), escape(pair["taken_for"]), str(pair["clips"]), percent(pair["share"]))
    return table
