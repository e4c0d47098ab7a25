# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Records of runs that never were, for the tests of what is told of them."""

from accel.config import QCLIFConfig
from targets.asic.design import AsicConfig
from targets.asic.platform.pdk import CORNERS
from targets.asic.report.record import add_energies, describe


def stages(scale=1.0):
    """A critical path of three stretches."""
    return [("v_apical", 0.1*scale), ("to product", 1.6*scale), ("to v_soma", 0.8*scale)]


def synthesised(design="core", **sizes):
    """The record of a run --until synth: area 600,000 um2, half of it SRAM in the core."""
    config = AsicConfig(design, QCLIFConfig(**sizes))
    sram   = 300_000.0 if design == "core" else 0.0
    names  = ("qclif_weights_soma", "qclif_synapses") if design == "core" else (f"qclif_{design}",)
    return describe(config) | {"area_um2": 600_000.0, "area_logic_um2": 600_000.0 - sram, "area_sram_um2": sram,
        "cells": 12_345, "flops": 678, "macros": {"fakeram45_512x64": 4} if sram else {},
        **({"macro_figures": {"fakeram45_512x64": {"words": 512, "bits": 64, "area_um2": 17_400.0, "leakage_nw": 823e3,
            "access_pj": 5.3}}} if sram else {}), "modules": [{"name": name,
        "text": name.removeprefix("qclif_"), "instances": 1, "cells": 100*place, "area_um2": 600_000.0/len(names)}
        for place, name in enumerate(names, 1)], "tools": {"yosys": "0.23"}, "notes": [],
        "conditions": dict(CORNERS),
        "stages": {"synth": {"seconds": 1.5, "cached": False}}}


def complete(design="core", slack=6.5, **sizes):
    """The record of a run --until power: 10 mW over 1000 clocks of 10 ns are 100,000 pJ."""
    record = synthesised(design, **sizes)
    record |= {"slack_ns": slack, "fmax_mhz": 1000/(10 - slack), "timing": {name: {"slack_ns": slack - late,
        "hold_slack_ns": 0.05, "fmax_mhz": 1000/(10 - slack + late), "stages": stages(1 + late), "path": []}
        for name, late in (("typ", 0.0), ("slow", 3.0), ("fast", -0.5))}}
    record["gatesim"] = {"spikes": 50, "mismatches": 0, "states": 8000, "state_mismatches": 0, "clocks": 1000,
        "steps": 20, "neuron_updates": 4000, "sops": 20_000, "inferences": 2, "network": "random",
        "recordings": ["a", "b"], "step_us": 100}
    if design == "neuron":
        for name in ("sops", "inferences", "network", "recordings", "step_us"):
            del record["gatesim"][name]
    sram = 4.0*(design == "core")
    record["power_mw"] = {"leakage": 1.0, "internal": 7.0 - sram, "switching": 2.0, "sram": sram, "sram_leakage": 1.0,
        "standby": 2.0, "total": 10.0}
    record["powers_mw"] = {name: {key: value*scale for key, value in record["power_mw"].items()}
        for name, scale in (("typ", 1.0), ("slow", 0.5), ("fast", 2.0))}
    record["modules"][0]["power_mw"] = 3.0
    if design == "core":
        record["weights"] = {"in_design": True, "bits": 8, "area_um2": 250_000.0, "power_mw": 3.0}
    if design == "spatial":
        record["weights"] = {"in_design": False, "bits": 8, "area_um2": 100_000.0, "power_mw": 1.0}
    add_energies(record)
    return record


def routed(design="core", slack=6.5, **sizes):
    """The record of a run --until layout: 900,000 um2, 12 mW, and a slack that is 2.5 ns less."""
    record = complete(design, slack, **sizes)
    names  = ("slack_ns", "hold_slack_ns", "fmax_mhz")
    timing = {corner: {name: each[name] - 2.5*(name == "slack_ns") for name in names}
        for corner, each in record["timing"].items()}
    power  = record["power_mw"] | {"switching": 4.0, "total": 12.0}
    record["layout"] = {"area_um2": 900_000.0, "cells": 13_000, "core_um2": 1_000_000.0, "utilisation": 0.9,
        "wire_um": 5e5, "drc_errors": 0, "gds": "a.gds", "default_power_mw": {"total": 20.0}, "timing": timing,
        "gatesim": dict(record["gatesim"]), "power_mw": power, **timing["typ"]}
    return record
