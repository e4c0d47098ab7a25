# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The parts of a chip: what each takes of its area, and of its power in each phase of a run."""

from collections.abc import Mapping

from targets.asic.chip.phases import PHASES
from targets.asic.power.power import INPUTS
from targets.asic.report.record import Record
from targets.asic.report.sheet import Sheet, number

# Verilog modules of each part; all others are OTHERS'.
PARTS = {
    "CPU":                    ("VexRiscv", "StreamFifoLowLatency"),
    "program RAM":            ("qclif_program",),
    "RAM of the CPU's data":  ("qclif_sram",),
    "UART and frames":        ("qclif_uart_phy", "qclif_frames", "qclif_received", "qclif_to_send",
        "qclif_received_queue", "qclif_received_queue_halves", "qclif_send_queue", "qclif_send_queue_halves"),
    "loader and bridge":      ("qclif_loader", "qclif_bridge"),
    "core":                   ("qclif_peripheral", "qclif_core", "qclif_events", "qclif_walker", "qclif_synapses",
        "qclif_population", "qclif_pipeline"),
    "SRAM of the core":       ("qclif_weights_soma", "qclif_weights_apical", "qclif_parameters", "qclif_states",
        "qclif_spike_list", "qclif_event_list", "qclif_spike_fifo", "qclif_spike_fifo_halves"),
    "clock and pads":         (INPUTS,),
}
OTHERS = "bus and registers"


def by_part(values: Mapping[str, float]) -> dict[str, float]:
    """Sums of a chip's parts, of values of its modules by name."""
    part_of = {module: part for part, modules in PARTS.items() for module in modules}
    sums    = dict.fromkeys([*PARTS, OTHERS], 0.0)
    for module, value in values.items():
        sums[part_of.get(module, OTHERS)] += value
    return sums


def chip_sheet(record: Record) -> Sheet:
    """Area and power of the parts of a chip; no rows of other designs."""
    areas  = {module["name"]: module["area_um2"] for module in record.get("modules", [])}
    if record["design"] != "soc" or not areas:
        return Sheet("Parts", (), ())
    area   = by_part(areas)
    phases = {name: record["phases"][name] for name in PHASES if "modules" in record.get("phases", {}).get(name, {})}
    powers = {name: by_part(phase["modules"]) for name, phase in phases.items()}
    rows   = [(part, number(area[part]), f"{100*area[part]/sum(area.values()):.1f} %",
        *(number(power[part]) for power in powers.values())) for part in area]
    rows  += [("all", number(sum(area.values())), "100 %", *(number(sum(power.values())) for power in powers.values()))]
    if phases:
        rows.append(("clocks", "", "", *(number(phase["clocks"]) for phase in phases.values())))
    notes = [f"{name}: {PHASES[name]}." for name in phases]
    if phases:
        notes.append("Of the clock, its net and its wires; what it costs within flip-flops, macros and clock gates is "
            "theirs.")
    return Sheet("Parts", ("part", "area, um2", "of all", *(f"{name}, mW" for name in phases)), rows, tuple(notes))
