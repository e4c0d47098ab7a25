# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A PDK that never was, as a platform of the flow scripts: a dozen cells, none of whose names is known to the flow."""

import re
from collections.abc import Mapping
from pathlib import Path

CONFIG = """\
export PLATFORM_NAME       = mini
export LIB_FILES           = $(PLATFORM_DIR)/lib/$(PLATFORM_NAME)_typ.lib \\
                             $(ADDITIONAL_LIBS)
export TECH_LEF            = $(PLATFORM_DIR)/lef/mini.tlef
export SC_LEF              = $(wildcard $(PLATFORM_DIR)/lef/mini_cell*.lef)
export DONT_USE_CELLS      = mini_xnor* mini_gate_*
export TIEHI_CELL_AND_PORT = mini_tie HI
export TIELO_CELL_AND_PORT = mini_tie LO
export ABC_DRIVER_CELL     = mini_buf_2
ifeq ($(ABC_LOAD_IN_FF),)
export ABC_LOAD_IN_FF      = 5
endif
export PLACE_SITE          = unit
export IO_PLACER_H         = M3
export IO_PLACER_V         = M2
"""

# Functions of outputs by cell, where inputs are the other names in them; its area.
LOGIC = {
    "mini_inv":   ({"OUT": "!IN"}, 1.0),
    "mini_buf_1": ({"OUT": "IN"}, 1.5),
    "mini_buf_2": ({"OUT": "IN"}, 2.0),
    "mini_buf_6": ({"OUT": "IN"}, 4.0),
    "mini_buf_9": ({"OUT": "IN"}, 6.0),
    "mini_nand":  ({"OUT": "!(IN1 & IN2)"}, 1.5),
    "mini_nor":   ({"OUT": "!(IN1 | IN2)"}, 1.5),
    "mini_xor":   ({"OUT": "IN1 ^ IN2"}, 3.0),
    "mini_xnor":  ({"OUT": "!(IN1 ^ IN2)"}, 0.5),
    "mini_tie":   ({"HI": "1", "LO": "0"}, 0.5),
    "mini_plus2": ({"SUM": "P ^ Q", "OVER": "P & Q"}, 3.5),
    "mini_plus3": ({"SUM": "P ^ Q ^ R", "OVER": "(P & Q) | (R & (P | Q))"}, 6.0),
}

HEAD = """library (mini_typ) {
  delay_model : table_lookup;
  time_unit : "1ns"; voltage_unit : "1V"; current_unit : "1mA"; leakage_power_unit : "1nW";
  pulling_resistance_unit : "1kohm"; capacitive_load_unit (1, ff);
  nom_process : 1; nom_voltage : 1.5; nom_temperature : 27;
  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 20; slew_lower_threshold_pct_fall : 20;
  slew_upper_threshold_pct_rise : 80; slew_upper_threshold_pct_fall : 80;
  lu_table_template (delay) { variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("0.01, 1"); index_2 ("1, 100"); }
  lu_table_template (limit) { variable_1 : related_pin_transition; variable_2 : constrained_pin_transition;
    index_1 ("0.01, 1"); index_2 ("0.01, 1"); }
"""

DELAYS = " ".join(f'{kind} (delay) {{ values ("0.05, 0.15", "0.1, 0.2"); }}' for kind in ("cell_rise", "cell_fall",
    "rise_transition", "fall_transition"))

LIMITS = " ".join(f'{kind}_constraint (limit) {{ values ("0.04, 0.05", "0.04, 0.05"); }}' for kind in ("rise", "fall"))

REGISTER = f"""  cell (mini_reg) {{ area : 8; cell_leakage_power : 4;
    ff (S, SN) {{ clocked_on : "TICK"; next_state : "IN"; }}
    pin (IN) {{ direction : input; capacitance : 2;
      timing () {{ related_pin : "TICK"; timing_type : setup_rising; {LIMITS} }}
      timing () {{ related_pin : "TICK"; timing_type : hold_rising; {LIMITS} }} }}
    pin (TICK) {{ direction : input; clock : true; capacitance : 2; }}
    pin (OUT) {{ direction : output; function : "S"; max_capacitance : 120;
      timing () {{ related_pin : "TICK"; timing_type : rising_edge; {DELAYS} }} }} }}
"""

GATE = f"""
    pin (S) {{ direction : internal; internal_node : "S"; }}
    pin (TICK) {{ direction : input; clock : true; clock_gate_clock_pin : true; capacitance : 2; }}
    pin (EN) {{ direction : input; clock_gate_enable_pin : true; capacitance : 2; }}
    pin (GATED) {{ direction : output; clock_gate_out_pin : true; state_function : "TICK & S"; max_capacitance : 120;
      timing () {{ related_pin : "TICK"; timing_sense : positive_unate; {DELAYS} }} }} }}
"""

# The one with a test pin is smaller.
GATES = """  cell (mini_gate_1) { area : 7; cell_leakage_power : 3; clock_gating_integrated_cell : "latch_posedge";
    statetable ("TICK EN", "S") { table : "L L : - : L, L H : - : H, H - : - : N"; }""" + GATE + """\
  cell (mini_gate_2) { area : 6; cell_leakage_power : 3; clock_gating_integrated_cell : "latch_posedge_precontrol";
    statetable ("TICK EN TEST", "S") { table : "L L L : - : L, L H - : - : H, L - H : - : H, H - - : - : N"; }
    pin (TEST) { direction : input; clock_gate_test_pin : true; capacitance : 2; }""" + GATE


def mini_pdk(folder: Path, logic: Mapping[str, tuple[dict[str, str], float]] = LOGIC, gates: str = GATES) -> Path:
    """Write the PDK with these cells, and return its folder."""
    cells = "".join(_cell(name, *what) for name, what in logic.items())
    for name, text in {
        "config.mk":          CONFIG,
        "lib/mini_typ.lib":   HEAD + cells + REGISTER + gates + "}\n",
        "lef/mini.tlef":      "SITE other\n  SIZE 1 BY 1 ;\nEND other\nSITE unit\n  SIZE 0.5 BY 2 ;\nEND unit\n",
        "lef/mini_cells.lef": "",
    }.items():
        (folder/name).parent.mkdir(parents=True, exist_ok=True)
        (folder/name).write_text(text)
    return folder


def _cell(name: str, outputs: dict[str, str], area: float) -> str:
    """A cell of gates; a buffer drives as much as its number says."""
    inputs = sorted({pin for text in outputs.values() for pin in re.findall(r"[A-Z]\w*", text)})
    load   = 50*int(name[-1]) if "buf" in name else 50
    arcs   = " ".join(f'timing () {{ related_pin : "{pin}"; timing_sense : non_unate; {DELAYS} }}' for pin in inputs)
    pins   = [f"    pin ({pin}) {{ direction : input; capacitance : 2; }}" for pin in inputs]
    pins  += [f'    pin ({pin}) {{ direction : output; function : "{text}"; max_capacitance : {load};\n      {arcs} }}'
        for pin, text in outputs.items()]
    return "\n".join([f"  cell ({name}) {{ area : {area}; cell_leakage_power : 2;", *pins, "  }", ""])
