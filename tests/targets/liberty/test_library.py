# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Liberty files: what is read from them, and what a broken one says."""

import gzip
import re

import pytest

from accel.errors import QCLIFError
from targets.liberty.library import Library, Pin, Register, StateTable, Units, read_liberty
from targets.liberty.text import parse_liberty

TEXT = r'''/* A comment with { and "
   two lines */
library ("small") {
  time_unit : "1ps";
  leakage_power_unit : "10pW" ;
  capacitive_load_unit (0.1, pf);   // to the end of the line {
  voltage_unit : "1mV";
  default_cell_leakage_power : 7;
  nom_voltage : 1.2; nom_temperature : 20.0
  default_operating_conditions : worst
  operating_conditions (best)  { voltage : 1.3; temperature : 0; }
  operating_conditions (worst) { voltage : 0.95; temperature : 125; }
  library_features (report_delay_calculation, report_power_calculation);
  lu_table_template (t) { variable_1 : "a"; index_1 ("1, 2"); }
  type (bus8) { base_type : array; bit_width : 8; bit_from : 7; bit_to : 0; }
  cell (GATE_X1) {
    area : 1.5;
    cell_leakage_power : 12.5;
    pg_pin (VDD) { pg_type : primary_power; }
    pin (A, B) { direction : input; capacitance : 0.02; }
    pin ("Z") {
      direction : "output";
      function : "!(A & \
                   B)";
      three_state : "!A";
      timing () { related_pin : "A"; cell_rise (t) { values ("1, 2", \
                                                             "3, }4"); } }
    }
  }
  cell (STATE_X1) {
    ff (IQ, IQN) { clocked_on : "CK"; next_state : "D"; clear : "!RN"; preset : "S"; clear_preset_var1 : L;
                   clear_preset_var2 : H; }
    leakage_power () { when : "D"; value : 2; }
    leakage_power () { value : 4; }
    pin (CK) { direction : input; clock : true; }
  }
  cell (LATCH_X1) { area : 2; dont_use : true; latch ("IQ","IQN") { enable : "G"; data_in : "D"; } }
  cell (CLOCK_X1) {
    statetable ("CK E", "IQ") {
      table : "L L : - : L , \
               H - : - : N";
    }
    clock_gating_integrated_cell : latch_posedge;
    pin (IQ)  { direction : internal; internal_node : "IQ"; }
    pin (CK)  { clock_gate_clock_pin : true; direction : input; }
    pin (E)   { clock_gate_enable_pin : true; direction : input; }
    pin (GCK) { clock_gate_out_pin : true; direction : output; state_function : "CK & IQ"; }
  }
  cell (ram) { memory () { type : ram; } bus (d) { bus_type : bus8; direction : output; } }
}
'''


def written(folder, text, name="small.lib"):
    path = folder/name
    path.write_text(text)
    return path


@pytest.fixture
def small(tmp_path) -> Library:
    return read_liberty(written(tmp_path, TEXT))


def test_library(small):
    assert (small.name, small.voltage, small.temperature) == ("small", 0.95, 125)
    assert small.units == Units(time_ns=pytest.approx(1e-3), capacitance_ff=pytest.approx(100),
        leakage_nw=pytest.approx(0.01), voltage_v=pytest.approx(1e-3))
    assert small.units.energy_fj == pytest.approx(1e-4)
    assert list(small.cells) == ["GATE_X1", "STATE_X1", "LATCH_X1", "CLOCK_X1", "ram"]


def test_gate(small):
    cell = small.cells["GATE_X1"]
    assert (cell.area, cell.leakage_nw) == (1.5, pytest.approx(0.125))
    assert not (cell.is_sequential or cell.is_macro or cell.dont_use)
    assert list(cell.pins) == ["A", "B", "Z"] and list(cell.outputs) == ["Z"]
    assert cell.pins["B"] == Pin("B", "input", pytest.approx(2.0))
    assert cell.pins["Z"].function == "!(A & B)"
    assert cell.pins["Z"].three_state == "!A" and cell.pins["Z"].capacitance_ff is None


def test_states(small):
    flop = small.cells["STATE_X1"]
    assert flop.flipflops == (Register("IQ", "IQN", "CK", "D", "!RN", "S", "L", "H"),) and flop.is_sequential
    # Of its states; else the library's.
    assert flop.leakage_nw == pytest.approx(0.03) and small.cells["LATCH_X1"].leakage_nw == pytest.approx(0.07)
    assert flop.pins["CK"].clock
    assert small.cells["LATCH_X1"].latches == (Register("IQ", "IQN", "G", "D"),) and small.cells["LATCH_X1"].dont_use
    gate = small.cells["CLOCK_X1"]
    assert gate.clock_gate == "latch_posedge" and gate.is_sequential
    assert gate.statetable == StateTable(("CK", "E"), ("IQ",), (((("L", "L"), ("-",), ("L",))),
        (("H", "-"), ("-",), ("N",))))
    assert {name: pin.gate for name, pin in gate.pins.items()} == {"IQ": "", "CK": "clock", "E": "enable", "GCK": "out"}
    assert gate.pins["GCK"].function == "CK & IQ" and list(gate.outputs) == ["GCK"]
    assert small.cells["ram"].is_macro and small.cells["ram"].pins["d"].bits == (7, 0)


def test_compressed(small, tmp_path):
    path = tmp_path/"packed.lib.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    assert read_liberty(path) == small


def test_tables_are_kept_where_they_are_asked_for(tmp_path):
    group = parse_liberty(written(tmp_path, TEXT))
    gate  = next(group.of("cell"))
    pin   = next(each for each in gate.of("pin") if each.args == ("Z",))
    table = pin.groups[0].groups[0]
    assert (table.kind, table.args, table.complex["values"]) == ("cell_rise", ("t",), ("1, 2", "3, }4"))
    assert table.line == TEXT[:TEXT.index("cell_rise")].count("\n") + 1


@pytest.mark.parametrize("text, line, words", [
    ("", 1, "not Liberty, the file ends"),
    ("cell (A) { }", 1, "a group library () is expected"),
    (TEXT + "}", TEXT.count("\n") + 1, "nothing is expected after the library at '}'"),
    (TEXT.rstrip().removesuffix("}"), TEXT.count("\n"), "the file ends within library (small) of line 3"),
    (TEXT[:TEXT.index("three_state")], 25, "the file ends within pin (Z) of line 21"),
    (TEXT[:TEXT.index("values")], 26, "this group is not closed at 'timing () {"),
    (TEXT.replace("area : 1.5;", "area = 1.5;"), 17, "no statement at 'area = 1.5;'"),
    (TEXT.replace("area : 1.5;", "area : wide;"), 16, "area of cell (GATE_X1) is 'wide', not a number"),
    (TEXT.replace('"10pW"', '"10 elves"'), 3, "unit '10 elves' is not known"),
    (TEXT.replace("H - : - : N", "H - : N"), 39, "the statetable does not fit its 2 inputs and 1 states"),
])
def test_broken_files_name_the_line(tmp_path, text, line, words):
    path = written(tmp_path, text)
    with pytest.raises(QCLIFError) as error:
        read_liberty(path)
    message = str(error.value)
    assert message.startswith(f"{path}:{line}: ") and words in message and message.endswith(": fetch the file again")
    assert "\n" not in message


@pytest.mark.parametrize("content, words", [
    (gzip.compress(TEXT.encode())[:-20], "Compressed file ended"),
    (gzip.compress(TEXT.encode())[:200] + b"\0"*200, "cannot be read"),
    (None, "No such file or directory"),
])
def test_unreadable_files(tmp_path, content, words):
    path = tmp_path/"broken.lib.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(QCLIFError) as error:
        read_liberty(path)
    assert str(error.value).startswith(f"{path}: cannot be read (") and words in str(error.value)

# The library itself --------------------------------------------------------------------------------

def test_nangate45(pdk):
    libraries = {name: read_liberty(corner.liberty) for name, corner in pdk.corners.items()}
    conditions = {"typ": (1.1, 25), "slow": (0.95, 125), "fast": (1.25, 0)}
    assert {name: (library.voltage, library.temperature) for name, library in libraries.items()} == {
        name: conditions[name] for name in libraries}
    # Independent of the parser: each cell's header is followed by its area.
    text  = pdk.corner("typ").liberty.read_text()
    areas = dict(re.findall(r"^\s*cell \((\w+)\) \{.*?^\s*area\s*: ([\d.]+)", text, re.DOTALL | re.MULTILINE))
    assert {name: cell.area for name, cell in libraries["typ"].cells.items()} == {
        name: float(area) for name, area in areas.items()} and len(areas) > 130
    # Corners differ in numbers, not in what cells do.
    for library in libraries.values():
        for name, cell in library.cells.items():
            typical = libraries["typ"].cells[name]
            assert cell.flipflops == typical.flipflops and cell.latches == typical.latches
            assert cell.statetable == typical.statetable and cell.area == typical.area
            assert {pin.name: pin.function for pin in cell.pins.values()} == {
                pin.name: pin.function for pin in typical.pins.values()}
    cells = libraries["typ"].cells
    assert cells["NAND2_X1"].pins["ZN"].function == "!(A1 & A2)"
    assert cells["DFFR_X1"].flipflops[0].clear == "!RN" and cells["TBUF_X1"].pins["Z"].three_state == "EN"
    assert cells["CLKGATE_X1"].clock_gate == "latch_posedge" and cells["DLL_X1"].latches[0].control == "!GN"
    assert all(cell.leakage_nw > 0 for cell in cells.values() if not cell.dont_use)
    leakage = [library.cells["INV_X1"].leakage_nw for library in libraries.values()]
    assert len(set(leakage)) == len(leakage)
