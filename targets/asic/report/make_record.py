# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Makes the record of a run from what its stages gave."""

from pathlib import Path

from targets.asic.gatesim.chip_run import ChipRun
from targets.asic.platform.cells import latch
from targets.asic.report.comparisons import macro_values
from targets.asic.report.record import WEIGHT_MODULES, Record, add_energies, describe, synapses
from targets.asic.request import FlowResult
from targets.asic.sta.path import path_stages
from targets.asic.sta.timing import Timing
from targets.asic.stages import STAGES


def record_of(result: FlowResult) -> Record:
    """The record of a run: what a stage did not compute is absent."""
    config = result.request.config
    record = describe(config)
    record["tools"]  = dict(result.tools)
    record["pdk"]    = result.request.pdk.identity
    record["conditions"] = {name: corner.conditions for name, corner in result.request.pdk.corners.items()}
    record["stages"] = {name: {"seconds": round(done.seconds, 2), "cached": done.cached}
        for name, done in result.done.items()}
    record["notes"]  = [f"{name} did not run, which brings {STAGES[name][1]}: {why}"
        for name, why in result.missing.items()]
    if variables := result.request.variables:
        record["orfs"] = {name: str(value) for name, value in variables.items()}
    for add in (_add_synthesis, _add_equivalence, _add_timing, _add_gatesim, _add_power, _add_weights, _add_layout):
        add(record, result)
    add_energies(record)
    if result.layout_command:
        record["notes"].append(f"all is ready for the layout: {result.layout_command}")
    return record


def _add_synthesis(record: Record, result: FlowResult) -> None:
    synthesis = result.synthesis
    if synthesis is None:
        return
    record |= {name: getattr(synthesis, name) for name in ("area_um2", "area_logic_um2", "area_sram_um2", "cells",
        "flops")}
    record["macros"]  = dict(synthesis.macros)
    if macros := {name: macro_values(result.macros[name]) for name in synthesis.macros if name in result.macros}:
        record["macro_figures"] = macros
    record["modules"] = [{"name": module.name, "text": module.what or module.name, "instances": module.instances,
        **{key: getattr(module, key)*module.instances for key in ("cells", "flops", "macros", "area_um2")}}
        for module in synthesis.modules]


def _add_equivalence(record: Record, result: FlowResult) -> None:
    if result.proofs:
        record["equivalence"] = [vars(proof) for proof in result.proofs]


def _add_timing(record: Record, result: FlowResult) -> None:
    if not result.timings:
        return
    modules = {module["text"] for module in record["modules"]}
    record["timing"] = {}
    for corner, timing in result.timings.items():
        points = [(point.stage, point.pin, point.arrival_ns) for point in timing.path]
        record["timing"][corner] = _slacks(timing) | {"stages": path_stages(points, modules), "path": points}
    record |= {name: record["timing"][record["corner"]][name] for name in ("slack_ns", "fmax_mhz")}


def _slacks(timing: Timing) -> dict[str, float]:
    values = {name: getattr(timing, name) for name in ("slack_ns", "hold_slack_ns", "fmax_mhz")}
    return {name: value for name, value in values.items() if value is not None}


def _add_gatesim(record: Record, result: FlowResult) -> None:
    run, inputs = result.gatesim, result.request.inputs
    if run is None:
        return
    record["gatesim"] = {name: value for name in ("spikes", "mismatches", "states", "state_mismatches", "clocks",
        "steps", "neuron_updates", "sops") if (value := getattr(run, name)) is not None}
    if isinstance(run, ChipRun):
        record["gatesim"] |= {"logits": run.logits, "clocks_per_second": round(run.clocks_per_second)}
        record["phases"] = {name: {"clocks": clocks} for name, clocks in run.phases.items()}
    if inputs is not None:
        record["gatesim"] |= {"inferences": len(inputs.samples), "network": inputs.name,
            "recordings": list(inputs.recordings), "step_us": inputs.network.encoder.bin_us}


def _add_power(record: Record, result: FlowResult) -> None:
    if not result.powers:
        return
    record["powers_mw"] = {corner: {name: getattr(power, f"{name}_mw") for name in ("leakage", "internal", "switching",
        "sram", "sram_leakage", "standby", "total")} for corner, power in result.powers.items()}
    record["power_mw"]  = record["powers_mw"][record["corner"]]
    for phase, power in result.phases.items():
        record["phases"][phase] |= {"total": power.total_mw, "modules": power.modules}
    modules = result.powers[record["corner"]].modules
    for module in record.get("modules", ()):
        if module["name"] in modules:
            module["power_mw"] = modules[module["name"]]


def _add_weights(record: Record, result: FlowResult) -> None:
    """Memory of the weights: that of the core; of the spatial design, which has none, what it would need."""
    config, modules = result.request.config, {module["name"]: module for module in record.get("modules", [])}
    bits   = (synapses(config.sizes, config.design) or 0)*config.sizes.weight_bits
    inside = [modules[name] for name in WEIGHT_MODULES if name in modules]
    if config.design == "spatial":
        record["weights"] = {"in_design": False, "bits": bits}
        # All are read at once: each would have to be in the smallest cell that holds a bit.
        if cell := latch(result.request.pdk.corner(config.corner).library.cells.values()):
            record["weights"]["area_um2"] = bits*cell.area
            if cell.leakage_nw is not None:
                record["weights"]["power_mw"] = bits*cell.leakage_nw*1e-6
    elif inside:
        record["weights"] = {"in_design": True, "bits": bits,
            **{key: sum(module[key] for module in inside) for key in ("area_um2", "power_mw") if key in inside[0]}}


def _add_layout(record: Record, result: FlowResult) -> None:
    layout = result.layout
    if layout is not None:
        record["layout"] = {name: str(value) if isinstance(value, Path) else value for name, value in
            vars(layout).items() if value not in (None, {}, ())} | {"lefs": [*map(str, layout.lefs)]}
        if result.routed is not None:
            record["layout"] |= _routed(result.routed)
        if result.rules is not None:
            record["layout"] |= {"rule_errors": sum(result.rules.errors.values()), "rules": vars(result.rules)}
        if layout.gds is None:
            record["notes"].append("the layout has no GDS, which KLayout writes: sudo apt-get install klayout")
    elif result.layout_command:
        record["layout"] = {"command": result.layout_command}


def _routed(result: FlowResult) -> Record:
    """What was found of the layout's netlist: the same as of the one before it."""
    record = describe(result.request.config)
    known  = set(record)
    if result.timings:
        record["timing"] = {corner: _slacks(timing) for corner, timing in result.timings.items()}
        record |= record["timing"][record["corner"]]
    _add_gatesim(record, result)
    _add_power(record, result)
    add_energies(record)
    return {name: value for name, value in record.items() if name not in known}
