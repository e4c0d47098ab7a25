# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How cells change with their supply: waveforms, netlists, Liberty beside them, the rule, and ngspice itself."""

import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from accel.errors import QCLIFError
from targets.asic import voltage
from targets.asic.platform.openram import find_openram
from targets.asic.platform.pdk import Corner, Pdk
from targets.asic.scaling import characterise as module
from targets.asic.scaling.characterise import CDL, VOLTAGES, characterise, find_cdl
from targets.asic.scaling.circuits import ARCS, CELLS, Circuits, Condition, read_netlists
from targets.asic.scaling.corners import liberty_point
from targets.asic.scaling.ngspice import Waves, crossings, delays, mean_watts, slew, transient
from targets.asic.scaling.rule import BIT_CELL, Rule, mean
from targets.liberty.library import Library

needs_ngspice = pytest.mark.skipif(not shutil.which("ngspice"), reason="needs ngspice: sudo apt-get install ngspice")


def cdl_of_the_environment():
    """The cells' netlists where the environment names a PDK or flow scripts; None where they have none."""
    for name, below in (("FREEPDK45_HOME", ""), ("FLOW_HOME", "platforms/nangate45")):
        path = Path(os.environ.get(name, "/nowhere"), below, CDL)
        if path.is_file():
            return path
    return None

# Waveforms -----------------------------------------------------------------------------------------

SECONDS = np.array([0.0, 1.0, 2.0, 4.0, 5.0, 7.0, 8.0])
CAUSE   = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0])
EFFECT  = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0])


def test_crossings_lie_between_points():
    times, rises = crossings(SECONDS, CAUSE, 0.25)
    assert list(times) == [1.25, 4.75] and list(rises) == [True, False]


def test_delays_of_both_edges():
    # The cause at 1.5 and 4.5, the effect falls at 3 and rises at 6.
    assert delays(SECONDS, CAUSE, EFFECT, 0.5, 0.0) == (1.5, 1.5)
    rise, fall = delays(SECONDS, CAUSE, EFFECT, 0.5, 4.0)
    assert rise == 1.5 and math.isnan(fall)


def test_slew_is_from_30_to_70_percent():
    assert slew(SECONDS, EFFECT, 1.0) == pytest.approx(0.8)


def test_power_of_sources_over_a_part_of_the_time():
    waves = Waves(np.array([0.0, 1.0, 3.0]), {"v(a)": np.array([2.0, 2.0, 2.0]), "i(Va)": np.array([0.0, -1.0, -1.0])})
    assert mean_watts(waves, [("Va", "a")], 0.0, 3.0) == pytest.approx((1 + 4)/3)
    assert mean_watts(waves, [("Va", "a")], 1.5, 2.0) == pytest.approx(2.0)

# Netlists ------------------------------------------------------------------------------------------

NETLIST = """* cells
.SUBCKT INV_X1 A ZN VDD VSS
*.PININFO A:I ZN:O VDD:P VSS:G
M_i_0 ZN A VSS VSS NMOS_VTL W=0.415000U L=0.050000U
M_i_1 ZN A VDD VDD PMOS_VTL W=0.630000U L=0.050000U
.ENDS

.SUBCKT BUF_X1 A Z VDD VSS
.ENDS
"""


def test_netlists(tmp_path):
    path = tmp_path/"cells.cdl"
    path.write_text(NETLIST)
    cell = read_netlists(path, ["INV_X1"])["INV_X1"]
    assert cell.ports == ("A", "ZN", "VDD", "VSS") and cell.lines[-1] == ".ENDS"
    assert "NMOS_VTG" in "\n".join(cell.lines) and "VTL" not in "\n".join(cell.lines)
    assert cell.instance("7", {"A": "in", "ZN": "out", "VDD": "own"}) == "X7 in out own 0 INV_X1"
    with pytest.raises(QCLIFError, match=r"cells.cdl has no DFF_X1: "):
        read_netlists(path, ["INV_X1", "DFF_X1"])
    with pytest.raises(QCLIFError, match="cannot be read"):
        read_netlists(tmp_path/"nowhere.cdl")

# Liberty -------------------------------------------------------------------------------------------

LIBERTY = """library (cells) { time_unit : "1ns"; voltage_unit : "1V"; capacitive_load_unit (1, ff);
leakage_power_unit : "1nW"; nom_voltage : 1.1; nom_temperature : 25;
power_lut_template (power) { variable_1 : input_transition_time; variable_2 : total_output_net_capacitance; }
"""

TABLE = """(power) {{ index_1 ("0.0, 0.1"); index_2 ("0, 8"); values ("{0}, {0}", "{1}, {1}"); }} """


def liberty_cell(arc, when=""):
    """A cell with one way: delays of 20 and 10 ps at once and 120 and 110 with a slew of 100 ps; 2 and 1 fJ inside."""
    timing = "".join(f"cell_{edge} {TABLE.format(value, value + 0.1)}" for edge, value in (("rise", 0.02),
        ("fall", 0.01)))
    power  = "".join(f"{edge}_power {TABLE.format(value, value)}" for edge, value in (("rise", 2), ("fall", 1)))
    return f"""pin ({arc.output}) {{ direction : output;
        timing () {{ related_pin : "{arc.input}"; {when} {timing} }}
        internal_power () {{ related_pin : "{arc.input}"; {when} {power} }} }}"""


def test_liberty_of_the_same_cells(tmp_path):
    path  = tmp_path/"cells.lib"
    cells = {name: "".join(liberty_cell(arc) for arc in ARCS if arc.cell == name) for name in CELLS}
    path.write_text(LIBERTY + "".join(f"cell ({name}) {{ cell_leakage_power : {5 + place}; {text} }}\n"
        for place, (name, text) in enumerate(cells.items())) + "}")
    found = liberty_point(path, Condition("nom", 1.1, 25.0), {arc.name: 50.0 for arc in ARCS}, 4.0)
    assert found.delay_ps["INV_X1, A to ZN"] == pytest.approx((70, 60))
    assert found.energy_fj["INV_X1, A to ZN"] == pytest.approx(3 + 4*1.1**2)
    assert found.leakage_nw == {name: 5 + place for place, name in enumerate(CELLS)}
    # What holds for another level of the other inputs is not taken.
    xor, wrong = next(arc for arc in ARCS if arc.cell == "XOR2_X1"), 'when : "B";'
    path.write_text(path.read_text().replace(cells["XOR2_X1"], liberty_cell(xor, wrong)))
    with pytest.raises(QCLIFError, match="XOR2_X1 has no delay from A to Z where"):
        liberty_point(path, Condition("nom", 1.1, 25.0), {arc.name: 50.0 for arc in ARCS}, 4.0)

# The rule ------------------------------------------------------------------------------------------

def test_the_mean_is_that_of_ratios():
    assert mean([0.5, 2.0]) == pytest.approx(1.0)


def test_the_rule_of_the_repository():
    """Ten supplies; the higher, the faster, and the more is spent; all relative to 1.1 V."""
    rule = Rule.load()
    assert rule.voltages == list(VOLTAGES) and set(rule.nominal.delay_ps) == {arc.name for arc in ARCS}
    assert set(rule.nominal.leakage_nw) == {*CELLS, BIT_CELL}
    found = [rule.at(voltage) for voltage in rule.voltages]
    for name, falls in (("delay", True), ("energy", False), ("leakage", False), ("bit_leakage", False)):
        values = [getattr(each, name) for each in found]
        assert values == sorted(values, reverse=falls) and getattr(rule.at(1.1), name) == 1.0
    # What charges a net is a square; what is within a cell, short circuits among it, grows faster.
    assert all((voltage/1.1)**2 == pytest.approx(each.energy, rel=0.05) for voltage, each in zip(rule.voltages, found,
        strict=True))
    # The corner of 1.1 V is one of the supplies.
    assert rule.corners["typ"] == rule.nominal
    # OpenRAM's bit cell, as its own test has it.
    assert rule.nominal.leakage_nw[BIT_CELL] == pytest.approx(8.27, rel=1e-3)


def test_the_rule_is_off_as_the_page_tells():
    rule = Rule.load()
    off  = {(corner, name): getattr(rule.simulated(corner), name)/getattr(rule.given(corner), name) - 1
        for corner in ("slow", "fast") for name in ("delay", "energy", "leakage")}
    assert off == pytest.approx({("slow", "delay"): -0.26, ("slow", "energy"): 0.0, ("slow", "leakage"): 0.54,
        ("fast", "delay"): 0.21, ("fast", "energy"): 0.0, ("fast", "leakage"): 0.37}, abs=0.01)
    # Edges that NMOS transistors drive alone.
    for corner in ("typ", "slow", "fast"):
        for name in ("INV_X1, A to ZN", "NAND2_X1, A1 to ZN", "NOR2_X1, A1 to ZN"):
            assert rule.corners[corner].delay_ps[name][1] == pytest.approx(rule.liberty[corner].delay_ps[name][1],
                rel=0.08)


def test_delays_as_the_corners_have_them():
    rule  = Rule.load()
    given = {"slow": rule.simulated("slow").delay**2, "fast": rule.simulated("fast").delay}
    assert rule.corner_delay(0.8, given) == pytest.approx(rule.at(0.8).delay**2)
    assert rule.corner_delay(1.25, given) == pytest.approx(rule.at(1.25).delay)
    assert rule.corner_delay(1.1, given) == 1.0


def test_supplies_that_are_not_simulated():
    with pytest.raises(QCLIFError, match=r"none of 0.7 V: choose one of 0.8, 0.85, "):
        Rule.load().at(0.7)


@pytest.mark.parametrize("text", [None, "{}", "[", '{"tools": {}, "load_ff": "4"}'])
def test_a_rule_that_cannot_be_read(tmp_path, capsys, text):
    path = tmp_path/"rule.json"
    if text is not None:
        path.write_text(text)
    assert voltage.main(["--rule", str(path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and "--characterise writes it" in told and told.count("\n") == 1


def test_command_tells_the_rule(tmp_path, capsys):
    assert voltage.main(["--json", str(tmp_path/"rule.json")]) == 0
    told = capsys.readouterr().out
    assert "0.80" in told and "-26 %" in told and "slow, 0.95 V, 125 C" in told
    content = json.loads((tmp_path/"rule.json").read_text())
    assert content["factors"]["0.80"]["delay"] == pytest.approx(Rule.load().at(0.8).delay)

# What is missing -----------------------------------------------------------------------------------

def pdk_of(folder, typ=1.1):
    """A PDK whose corners have voltages only."""
    corners = {name: Corner(folder/f"{name}.lib", Library(name, {}, volts, degrees)) for name, volts, degrees in
        (("typ", typ, 25.0), ("slow", 0.95, 125.0), ("fast", 1.25, 0.0))}
    return Pdk(folder, corners, {}, None, None, None, "none", {"ABC_LOAD_IN_FF": "4"})


def test_what_is_missing_is_told_with_its_remedy(tmp_path, monkeypatch):
    def wrong(match):
        with pytest.raises(QCLIFError, match=match) as raised:
            characterise(pdk_of(tmp_path), tmp_path/"rule.json", lambda stage: None)
        assert "\n" not in str(raised.value)

    monkeypatch.delenv("FLOW_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    wrong("^ngspice not found: sudo apt-get install ngspice$")
    (tmp_path/"ngspice").write_text("#!/bin/sh\n")
    (tmp_path/"ngspice").chmod(0o755)
    monkeypatch.setattr(module, "find_openram", lambda: None)
    wrong("OpenRAM is missing, .*: python -m targets.asic.openram --install$")
    monkeypatch.setattr(module, "find_openram", lambda: tmp_path/"sram_compiler.py")
    wrong("no transistor netlists of the cells: .*--characterise --download-pdk$")
    monkeypatch.setenv("FLOW_HOME", str(tmp_path/"flow"))
    path = tmp_path/"flow"/"platforms"/"nangate45"/CDL
    path.parent.mkdir(parents=True)
    path.write_text(NETLIST)
    assert find_cdl(pdk_of(tmp_path)) == path
    wrong("has no NAND2_X1")
    assert not (tmp_path/"rule.json").exists()


def test_a_rule_that_cannot_be_written_is_not_made(tmp_path):
    with pytest.raises(QCLIFError, match=r"nowhere/rule.json: cannot be written \(No such file"):
        characterise(pdk_of(tmp_path), tmp_path/"nowhere"/"rule.json", lambda stage: None)

# ngspice -------------------------------------------------------------------------------------------

@needs_ngspice
def test_a_capacitor_is_charged_through_a_resistor():
    """1 kOhm and 10 fF: half of the voltage after RC ln 2, and C V2 of the source for each charge."""
    waves = transient(["Va a 0 pulse(0 1 100p 1f 1f 400p 1n)", "R1 a b 1k", "C1 b 0 10f"], ["v(a)", "v(b)", "i(Va)"],
        1.0, 5)
    rise, fall = delays(waves.seconds, waves.values["v(a)"], waves.values["v(b)"], 0.5, 0.0)
    assert rise == pytest.approx(10e-12*math.log(2), rel=0.01) and fall == pytest.approx(rise, rel=0.01)
    assert mean_watts(waves, [("Va", "a")], 0.0, 1e-9)*1e-9 == pytest.approx(10e-15, rel=0.01)


@needs_ngspice
def test_a_circuit_that_cannot_be_simulated():
    with pytest.raises(QCLIFError, match="ngspice gave no waveforms: ") as raised:
        transient(["Va a 0 1", "X1 a 0 NOWHERE"], ["v(a)"], 1.0, 5)
    assert "\n" not in str(raised.value)


@needs_ngspice
@pytest.mark.skipif(find_openram() is None, reason="needs OpenRAM: python -m targets.asic.openram --install")
@pytest.mark.skipif(cdl_of_the_environment() is None, reason="needs the cells' netlists: FLOW_HOME of the flow "
    "scripts, or python -m targets.asic.voltage --characterise --download-pdk")
def test_an_inverter_is_as_the_rule_has_it():
    """One cell at one supply, and the bit cell, are what --characterise found."""
    rule       = Rule.load()
    technology = find_openram().parent/"technology"/"freepdk45"
    circuits   = Circuits(technology, read_netlists(cdl_of_the_environment()), Condition("nom", 0.8, 25.0),
        rule.load_ff)
    known   = rule.supplies[0]
    leakage = circuits.leakage_nw("INV_X1")
    edges, input_slew, energy = circuits.arc(ARCS[0], leakage)
    assert leakage == pytest.approx(known.leakage_nw["INV_X1"], rel=1e-3)
    assert edges == pytest.approx(known.delay_ps["INV_X1, A to ZN"], rel=5e-3)
    assert energy == pytest.approx(known.energy_fj["INV_X1, A to ZN"], rel=5e-3)
    assert 5 < input_slew < 15
    assert circuits.bit_cell_nw() == pytest.approx(known.leakage_nw[BIT_CELL], rel=1e-3)
