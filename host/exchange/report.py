# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What an import from NIR lost, as tables for people and as JSON for programs."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.markup import escape

from host.common.tables import TextTable, facts
from host.exchange.compare import Agreement
from host.exchange.lif import SUBTRACT, SUBTRACT_LATE, V_RESET, LIFNetwork
from host.exchange.quantize import Quantized

RESET_NOTES = {
    V_RESET:       "a neuron that fires is set to v_reset; here the threshold, V_max, is subtracted, which leaves 0",
    SUBTRACT:      "a neuron that fires is lowered by its threshold, as here",
    SUBTRACT_LATE: "a neuron that fires is lowered by its threshold a step later, after the leak; here at once",
}


def notes(lif: LIFNetwork, quantized: Quantized, reset: str, remarks: Sequence[str] = ()) -> list[str]:
    """What the contract does otherwise than the graph, and how the graph was read, a line each."""
    network, gate = quantized.network, quantized.gate
    lines = [*lif.remarks, *remarks]
    saturated = max(each.saturated for each in quantized.roundings)
    if saturated:
        lines.append(f"up to {saturated:.2%} of an array's values are cut at the widest weight (--clip; fewer "
            "--state-bits hold larger ones)")
    if gate.rise_steps > 1:
        lines.append(f"V_a reaches V_max after {gate.rise_steps} steps: before, currents count for less (fewer "
            "--state-bits make it quicker)")
    lines += [
        "potentials below rest do not exist: V_s is clamped at 0, inhibition is forgotten there",
        "thresholds are exact, each neuron's weights are scaled to its own",
        f"reset: {RESET_NOTES[reset]} (--reset)",
        "the contract fires at the threshold, NIR above it; (i_s*V_a) >> product_shift rounds down",
    ]
    if lif.reset.any():
        reset_to = lif.reset/lif.threshold
        lines.append(f"v_reset lies {reset_to.min():.3g} to {reset_to.max():.3g} thresholds above rest: V_s restarts "
            "at rest, or at what was above the threshold")
    if lif.synapse_decay.any():
        decay = lif.synapse_decay
        lines.append(f"synaptic current (tau_syn, {decay.min():.3g} to {decay.max():.3g} is left after a step): its "
            "whole charge comes in one step")
    if lif.depth:
        lines.append(f"{len(lif.populations)} layers are one pool: the last one's spikes come {lif.depth} steps later, "
            "and those of the last steps not at all")
    if lif.readout is None:
        lines.append(f"no readout: {lif.populations[-1].neurons} neurons before the Output are too many for classes")
    if lif.readout_bias.any():
        lines.append(f"readout: its bias (up to {np.abs(lif.readout_bias).max():.3g} a step) is left out")
    if (lif.readout_decay < 1).any():
        lines.append("readout: LI became a sum over all steps")
    if network.leak_soma.max() == 0 and (quantized.exact_leak > 0).any():
        lines.append("all leaks are rounded to 0: more --state-bits keep them")
    return lines


def warnings(lif: LIFNetwork, agreement: Agreement, inputs: str) -> list[str]:
    """What makes the import doubtful, a line each."""
    lines = list(lif.warnings)
    if agreement.silence:
        lines.append(f"{agreement.silence} on {inputs}: nothing was compared; give recordings (--events) that make it "
            "fire, or more of them (--random-rate, --count-threshold)" + ("" if agreement.float_spikes else
            ", or check --dt, --decay, --if-r and --framework"))
    elif agreement.class_agreement is None and agreement.float_accuracy is not None:
        lines.append(f"no spike reaches an output on {inputs}: accuracies are those of the first class")
    return lines


def import_measures(lif: LIFNetwork, quantized: Quantized, reset: str, agreement: Agreement, inputs: str,
        calibrated: bool, remarks: Sequence[str] = ()) -> dict[str, object]:
    """What an import kept and lost, as JSON takes it.

    Parameters
    ----------
    agreement, inputs : how the spikes compare, and on what.
    calibrated : whether the leak was chosen on recordings.
    remarks : more of how the graph was read, a line each.
    """
    network = quantized.network
    return {
        "dt":      lif.dt,
        "reset":   reset,
        "network": {name: getattr(network, name) for name in ("neurons", "inputs", "outputs", "weight_bits",
            "state_bits", "current_bits", "product_shift")} | {"threshold": int(network.threshold[0]),
            "rise_steps": quantized.gate.rise_steps, "encoder": network.encoder.to_dict()},
        "layers":  [{
            "name":          each.name,
            "type":          each.kind,
            "neurons":       each.neurons,
            "recurrent":     bool(lif.recurrent[each.own, each.own].any()),
            "decay":         _ends(lif.decay[each.own]),
            "v_threshold":   _ends(lif.threshold[each.own]),
            "leak":          [int(network.leak_soma[each.own].min()), int(network.leak_soma[each.own].max())],
            "leak_rounding": None if calibrated else
                float(np.abs(network.leak_soma - quantized.exact_leak)[each.own].max()),
        } for each in lif.populations],
        "leak_calibrated": calibrated,
        "arrays":   [dataclasses.asdict(each) for each in quantized.roundings],
        "notes":    notes(lif, quantized, reset, remarks),
        "warnings": warnings(lif, agreement, inputs),
        "inputs":   inputs,
        "spikes":   dataclasses.asdict(agreement),
    }


def print_comparison(spikes: dict[str, object], inputs: str, other: str, console: Console) -> None:
    """Print the fields of an Agreement; `other` says what the integers are compared with."""
    rows = [
        ("compared on", f"{spikes['samples']} x {escape(inputs)}, {spikes['steps']} steps"),
        ("spikes", f"{spikes['integer_spikes']}, {spikes['float_spikes']} {other}"
            + (f" (x {spikes['count_ratio']:.3f})" if spikes["count_ratio"] is not None else "")),
        ("equal (step, neuron)", "nothing to compare" if spikes["equal_share"] is None else
            f"{spikes['equal_share']:.1%} of those at which either fires"),
    ]
    if spikes["class_agreement"] is not None:
        rows.append(("same class", f"{spikes['class_agreement']:.1%}"))
    if spikes["integer_accuracy"] is not None:
        rows.append(("accuracy", f"{spikes['integer_accuracy']:.1%}, {spikes['float_accuracy']:.1%} {other}"))
    rows.append(("potentials below rest", f"{spikes['below_rest']:.1%} {other}"))
    rows.append(("currents saturated", f"{spikes['saturated_currents']:.2%}"))
    console.print(facts(rows))


def print_import(measures: dict[str, object], console: Console) -> None:
    """Print import_measures()."""
    network = measures["network"]
    console.print(TextTable(("array", "scale", "rms error", "of its rms", "largest", "saturated", "to 0"), (
        (escape(each["name"]), _range(each["scale"]), f"{each['rms_error']:.3f}", f"{each['rms_relative']:.2%}",
            f"{each['max_error']:.3f}", f"{each['saturated']:.2%}", f"{each['zeroed']:.2%}")
        for each in measures["arrays"]),
        title=f"{network['neurons']} neurons, {network['inputs']} inputs, {network['outputs']} outputs: "
            f"{network['weight_bits']}/{network['state_bits']}/{network['current_bits']} bits, product_shift "
            f"{network['product_shift']}, threshold {network['threshold']}"))
    console.print(TextTable(("layer", "type", "neurons", "left after a step", "linear leak", "v_threshold"), (
        (escape(each["name"]), each["type"] + (", recurrent" if each["recurrent"] else ""), str(each["neurons"]),
            _range(each["decay"]), _range(each["leak"]), _range(each["v_threshold"])) for each in measures["layers"]),
        texts=(0, 1)))
    print_comparison(measures["spikes"], measures["inputs"], "in real numbers", console)
    for line in measures["notes"]:
        console.print(f"- {escape(line)}")
    for line in measures["warnings"]:
        console.print(f"warning: {escape(line)}")


def _ends(values: np.ndarray) -> list[float]:
    return [float(values.min()), float(values.max())]


def _range(values: list[float]) -> str:
    low, high = (f"{value:.4g}" for value in values)
    return low if low == high else f"{low} to {high}"
