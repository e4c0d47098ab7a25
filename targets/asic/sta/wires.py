# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What nets have beside the pins at them, for OpenSTA: the library's estimate of wires, and loads of our own."""

from targets.asic.platform.pdk import Corner
from targets.liberty.power import read_power

LOADS = """library (loads) {{
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1mA";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, ff);
  slew_lower_threshold_pct_rise : 30;
  slew_upper_threshold_pct_rise : 70;
  slew_lower_threshold_pct_fall : 30;
  slew_upper_threshold_pct_fall : 70;
  input_threshold_pct_rise : 50;
  input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50;
{cells}}}
"""

LOAD = """  cell ({name}) {{
    area : 0;
    pin (A) {{
      direction : input;
      capacitance : {load};
    }}
  }}
"""


def wire_load(corner: Corner) -> list[str]:
    """Tcl that gives nets the wire-load model that the library has as its default.

    OpenSTA of 2019 does so by itself, current versions do not; a model that is named counts in all of them.
    """
    name = read_power(corner.liberty, set()).wire_load.name
    return [f"set_wire_load_model -name {name} -library {corner.library.name}"] if name else []


def loads_liberty(loads: dict[str, float]) -> str:
    """Liberty of cells that are nothing but a load at pin A, fF by name."""
    return LOADS.format(cells="".join(LOAD.format(name=name, load=load) for name, load in loads.items()))
