# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Power by hand from Liberty's numbers, and beside OpenSTA's where both count the same."""

import os
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from accel.errors import QCLIFError
from targets.asic.gatesim.simulate import simulate
from targets.asic.power.cell_energy import CellEnergy, likelihood, sensitivity
from targets.asic.power.power import INPUTS, estimate, loads_of, power_of
from targets.liberty.expression import parse_expression
from targets.liberty.power import Table, WireLoad, read_power
from targets.netlist.reader import parse_netlist, read_netlist
from targets.netlist.saif import write_saif
from tests.helpers.gate_netlists import NEURON, activity, synthesised
from tests.helpers.needs import needs_verilator

CLOCKS, PERIOD = 1000, 10.0

# fJ in all the time to mW.
MILLIWATT = 1e-3/(CLOCKS*PERIOD)

WIRES = {1: 1.7460*0.1774, 2: 3.9394*0.1774}


def powered(pdk, text, nets, others=(0, 0.0), corner="typ", period=PERIOD):
    """Power of a module `top` whose nets have such activity."""
    netlist = parse_netlist(text, "top")
    return power_of(netlist, pdk.corner(corner), pdk.macros, activity(netlist, CLOCKS, nets, others), period)


def clocked(text, ports="", inputs=""):
    """Module `top` with a clock."""
    return f"module top (sys_clk{ports}); input sys_clk; {inputs} {text} endmodule"


CLOCK = {"sys_clk": (2*CLOCKS, CLOCKS/2)}

# Tables --------------------------------------------------------------------------------------------

def test_tables_are_linear_within_and_beyond():
    points = Table(np.array([1.0, 2.0, 4.0]), np.array([10.0, 20.0]), np.array([[1.0, 2], [3, 4], [7, 8]]))
    slew, load = np.meshgrid([0.0, 1.0, 1.5, 3.0, 6.0], [5.0, 10.0, 15.0, 40.0])
    # It is a plane: 2 slew + load/10 - 2.
    assert points(slew.ravel(), load.ravel()) == pytest.approx((2*slew + load/10 - 2).ravel())
    assert Table(np.zeros(1), np.array([0.0, 1.0]), np.array([[3.0, 5.0]]))(np.ones(1), np.full(1, 2.0)) == [7.0]
    assert Table(np.zeros(1), np.zeros(1), np.array([[3.0]]))(np.ones(2), np.ones(2)).tolist() == [3.0, 3.0]


def test_wires_follow_the_fanout():
    wires = WireLoad((1, 2, 4), (1.0, 3.0, 5.0), 2.0, 0.5)
    assert wires(np.array([0, 1, 2, 3, 4, 6])).tolist() == [0.0, 0.5, 1.5, 2.0, 2.5, 4.5]


def test_likelihoods():
    level = {"A": np.array([0.25]), "B": np.array([0.5]), "Q": np.array([0.125])}.get
    assert likelihood(parse_expression("A & !B"), level) == [0.125]
    assert likelihood(parse_expression("A | !A"), level) == [1.0]
    # What is the inverse of another pin is no pin of its own.
    inverse = {"QN": parse_expression("!Q")}
    assert likelihood(parse_expression("!Q & QN").replaced(inverse), level) == [0.875]
    assert likelihood(parse_expression("Q & QN").replaced(inverse), level) == [0.0]
    assert sensitivity(parse_expression("!(A & B)"), "A", level) == [0.5]
    assert sensitivity(parse_expression("A ^ B"), "A", level) == [1.0]


def test_what_is_read_of_a_cell(pdk):
    tables = read_power(pdk.corner("typ").liberty, {"NAND2_X1", "DFF_X1"})
    assert tables.wire_load(np.array([1, 2])) == pytest.approx([WIRES[1], WIRES[2]])
    nand, flipflop = tables.cells["NAND2_X1"], tables.cells["DFF_X1"]
    assert nand.capacitance_ff == {"A1": (1.599032, 1.529196), "A2": (1.664199, 1.502278)}
    assert [(each.pin, each.related) for each in nand.energies] == [("ZN", "A1"), ("ZN", "A2")]
    assert flipflop.inverse == {"IQN": "IQ"} and len(flipflop.leakage) == 8
    assert {(each.pin, each.related) for each in flipflop.energies} == {("D", ""), ("CK", ""), ("Q", "CK"),
        ("QN", "CK")}

# By hand -------------------------------------------------------------------------------------------

def test_leakage_by_state(pdk):
    """Liberty's own mean where all states are as likely; one state's where the pins hold still."""
    text = clocked("wire a, b, y; LOGIC1_X1 one (.Z(a)); LOGIC0_X1 two (.Z(b)); NAND2_X1 n (.A1(a), .A2(b), .ZN(y));")
    ties = powered(pdk, clocked("wire a, b; LOGIC1_X1 one (.Z(a)); LOGIC0_X1 two (.Z(b));"), {})
    half = powered(pdk, text, {}, others=(0, CLOCKS/2))
    assert half.leakage_mw - ties.leakage_mw == pytest.approx(17.393360e-6, rel=1e-6)
    still = powered(pdk, text, {"a": (0, CLOCKS), "b": (0, 0.0)})
    assert still.leakage_mw - ties.leakage_mw == pytest.approx(4.085038e-6, rel=1e-6)
    assert still.internal_mw == still.switching_mw == still.sram_mw == 0
    assert still.standby_mw == still.total_mw == still.leakage_mw
    # Of a flip-flop: state 1, data 1, half the time with the clock.
    flop = powered(pdk, clocked("wire d, q; DFF_X1 f (.CK(sys_clk), .D(d), .Q(q));"), CLOCK, others=(0, CLOCKS))
    states = dict(read_states(pdk, "DFF_X1"))
    assert flop.leakage_mw == pytest.approx((states["!CK & D & Q & !QN"] + states["CK & D & Q & !QN"])/2*1e-6, rel=1e-6)


def read_states(pdk, cell):
    """(condition, nW) of a cell, from the file's text."""
    body = pdk.corner("typ").liberty.read_text().split(f"\n  cell ({cell}) ")[1].split("\n  }\n")[0]
    return [(when, float(value)) for when, value
        in re.findall(r'leakage_power \(\) \{\s*when\s*: "([^"]*)";\s*value\s*: ([\d.]+);', body)]


def rows(pdk, cell, pin, kind, number=0):
    """Table of a cell's internal power from the file's text, [rows, columns]."""
    text  = pdk.corner("typ").liberty.read_text().split(f"\n  cell ({cell}) ")[1]
    text  = text.split(f"pin ({pin})")[1].split(f"{kind}(")[1 + number].split("values (")[1].split(");")[0]
    lines = re.findall(r'"([^"]*)"', text)
    return np.array([[float(value) for value in line.split(",")] for line in lines])


def test_switching_of_a_net(pdk):
    """1/2 C V^2 a change; nets from outside are told apart, the clock's among them."""
    text  = clocked("wire n; INV_X1 u (.A(a), .ZN(n)); INV_X2 v (.A(n), .ZN());", ", a", "input a;")
    power = powered(pdk, text, CLOCK | {"n": (300, 500.0), "a": (300, 500.0)})
    inner = 0.5*(3.250891 + WIRES[1])*1.1**2*300
    outer = 0.5*(1.700230 + WIRES[1])*1.1**2*300
    assert power.switching_mw == pytest.approx((inner + outer)*MILLIWATT, rel=1e-6)
    assert power.modules[INPUTS] == pytest.approx(outer*MILLIWATT, rel=1e-6)
    assert sum(power.modules.values()) == pytest.approx(power.total_mw)
    faster = powered(pdk, text, CLOCK | {"n": (300, 500.0), "a": (300, 500.0)}, period=PERIOD/4)
    assert faster.switching_mw == pytest.approx(4*power.switching_mw) and faster.leakage_mw == power.leakage_mw
    flop  = powered(pdk, clocked("DFF_X1 f (.CK(sys_clk));"), CLOCK)
    assert flop.modules[INPUTS] == pytest.approx(0.5*(0.949653 + WIRES[1])*1.1**2*2*CLOCKS*MILLIWATT, rel=1e-6)


def test_internal_energy_of_a_gate(pdk):
    """Mean of a rise and a fall, at the load, for an input with no slew; by the input that made the output change."""
    text   = clocked("wire n; NAND2_X1 u (.A1(a), .A2(b), .ZN(n)); NAND2_X1 v (.A1(n), .ZN());", ", a, b",
        "input a, b;")
    load   = 1.599032 + WIRES[1]
    slews  = np.array([0.00117378, 0.00472397])
    loads  = np.array([1.854900, 3.709790])

    def at_no_slew(table):
        column = table[:2, 1] + (table[:2, 2] - table[:2, 1])*(load - loads[0])/(loads[1] - loads[0])
        return column[0] - (column[1] - column[0])*slews[0]/(slews[1] - slews[0])

    for number, pin in enumerate(("a", "b")):
        energy = (at_no_slew(rows(pdk, "NAND2_X1", "ZN", "rise_power", number))
            + at_no_slew(rows(pdk, "NAND2_X1", "ZN", "fall_power", number)))/2
        other  = "b" if pin == "a" else "a"
        power  = powered(pdk, text, {pin: (400, 500.0), other: (0, 1000.0), "n": (400, 500.0)})
        # Of the load's output, which is at no net, no changes are known.
        assert power.internal_mw == pytest.approx(energy*400*MILLIWATT, rel=1e-6)


def test_clock_of_a_flip_flop(pdk):
    """A fall and a rise each clock, whatever the data does; the two outputs are one state."""
    text = clocked("wire d, q, n; DFF_X1 f (.CK(sys_clk), .D(d), .Q(q), .QN(n));")
    def at_no_slew(kind, number):
        table = rows(pdk, "DFF_X1", "CK", kind, number)
        if table.shape[1] == 1:
            return 0.0
        slews = np.array([0.00117378, 0.00472397])
        return table[0, 0] - (table[0, 1] - table[0, 0])*slews[0]/(slews[1] - slews[0])
    one  = powered(pdk, text, CLOCK | {"d": (0, 1000.0), "q": (0, 1000.0), "n": (0, 0.0)})
    high = at_no_slew("fall_power", 3) + at_no_slew("rise_power", 3)
    assert one.internal_mw == pytest.approx(high*CLOCKS*MILLIWATT, rel=1e-3)
    zero = powered(pdk, text, CLOCK | {"n": (0, 1000.0)})
    low  = at_no_slew("fall_power", 0) + at_no_slew("rise_power", 0)
    assert zero.internal_mw == pytest.approx(low*CLOCKS*MILLIWATT, rel=1e-3)
    half = powered(pdk, text, CLOCK | {"d": (0, 500.0), "q": (0, 500.0), "n": (0, 500.0)})
    mean = sum(at_no_slew(kind, number) for kind in ("rise_power", "fall_power") for number in range(4))/4
    assert half.internal_mw == pytest.approx(mean*CLOCKS*MILLIWATT, rel=1e-3)
    # Without a net at an output it is the same flip-flop.
    single = powered(pdk, text.replace(", .QN(n)", ""), CLOCK | {"d": (0, 500.0), "q": (0, 500.0)})
    assert single.internal_mw == pytest.approx(half.internal_mw)


def test_accesses_of_an_sram(pdk):
    """An access a pulse of the macro's clock, its energy once; each other pin for itself; leakage apart."""
    macro = pdk.macros["fakeram45_512x64"]
    pins  = "".join(f".{pin}({net}), " for pin, net in (("addr_in", "{8'd0, a}"), ("ce_in", "1'b1"), ("we_in", "w")))
    text  = clocked(f"wire gck, a, w; CLKGATE_X1 g (.CK(sys_clk), .E(e), .GCK(gck)); {macro.name} m ({pins}.clk(gck));",
        ", e", "input e;")
    still = powered(pdk, text, CLOCK)
    used  = powered(pdk, text, CLOCK | {"gck": (2*250, 125.0)})
    assert still.sram_mw == still.sram_leakage_mw == pytest.approx(0.823237)
    assert used.sram_mw - still.sram_mw == pytest.approx(250*5300.43*MILLIWATT, rel=1e-6)
    assert macro.energy_pj == pytest.approx(5.30043)
    moved = powered(pdk, text, CLOCK | {"a": (40, 500.0), "w": (2, 500.0)})
    assert moved.sram_mw - still.sram_mw == pytest.approx(42*53.004*MILLIWATT, rel=1e-6)
    assert used.leakage_mw + used.internal_mw + used.switching_mw == pytest.approx(used.total_mw - used.sram_mw)
    assert used.standby_mw == used.leakage_mw + used.sram_leakage_mw


def test_corners_and_missing_cells(pdk):
    text    = clocked("wire n; INV_X1 u (.A(a), .ZN(n)); INV_X1 v (.A(n), .ZN());", ", a", "input a;")
    nets    = CLOCK | {"n": (300, 500.0), "a": (300, 500.0)}
    slow, typ, fast = (powered(pdk, text, nets, corner=corner) for corner in ("slow", "typ", "fast"))
    assert slow.switching_mw < typ.switching_mw < fast.switching_mw and typ.leakage_mw < fast.leakage_mw
    with pytest.raises(QCLIFError, match="has no cell INV_X9"):
        powered(pdk, text.replace("INV_X1 u", "INV_X9 u"), nets)
    with pytest.raises(QCLIFError, match=r"corner hot \(not known\)"):
        powered(pdk, text, nets, corner="hot")

# Beside OpenSTA ------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def neuron(pdk, tmp_path_factory):
    """Netlist of the neuron, its file and parsed."""
    path = synthesised(NEURON, pdk, tmp_path_factory.mktemp("neuron"))
    return path, read_netlist(path, "qclif_neuron")


def sta_version():
    """Major version of OpenSTA and minor one."""
    if not shutil.which("sta"):
        pytest.skip("needs OpenSTA: apt-get install opensta")
    shown = subprocess.run(["sta", "-version"], capture_output=True, text=True).stdout
    return tuple(map(int, re.search(r"(\d+)\.(\d+)", shown).groups()))


def opensta(pdk, path, netlist, lines, folder, program=("sta",), lefs=()):
    """Internal, switching and leakage power, mW, of all cells of each kind."""
    script = folder/"power.tcl"
    script.write_text("\n".join([*(f"read_lef {lef}" for lef in lefs),
        f"read_liberty {pdk.corner('typ').liberty}", f"read_verilog {path}",
        "link_design qclif_neuron", "create_clock -name clock -period 10 [get_ports sys_clk]",
        "set_input_delay 0 -clock clock [all_inputs]", "set_wire_load_model -name 5K_hvratio_1_1", *lines,
        "foreach cell [get_cells *] {",
        '    puts "power [get_full_name $cell] [sta::instance_power $cell [sta::cmd_corner]]"',
        "}"]))
    done  = subprocess.run([*program, "-no_splash", "-exit", script], capture_output=True, text=True)
    kinds = {each.name: each.cell for each in netlist.modules[netlist.top].instances}
    found = {}
    for name, *values in re.findall(r"^power (\S+) (\S+) (\S+) (\S+) \S+$", done.stdout, re.MULTILINE):
        found[kinds[name]] = found.get(kinds[name], 0) + 1e3*np.array([float(value) for value in values])
    assert found, done.stdout + done.stderr
    return found


def by_kind(pdk, netlist, nets):
    """The same of ours."""
    loaded = loads_of(netlist, pdk.corner("typ"), pdk.macros)
    flat, cells, signals = loaded.flat, loaded.cells, loaded.signals(nets)
    scale = 1e-3/(nets.clocks*PERIOD)
    found = {}
    for kind, each in flat.cells.items():
        energy      = CellEnergy(each, cells[kind], signals)
        found[kind] = np.array([energy.internal_fj().sum()*scale, energy.switching_fj().sum()*scale,
            energy.leakage_nw().sum()*1e-6])
    return found


def test_opensta_of_2019_counts_the_same_loads(pdk, neuron, tmp_path):
    """All nets change as often: it can be told no more. Energies within cells are counted twice there."""
    path, netlist = neuron
    if sta_version() >= (2, 1):
        pytest.skip("needs the OpenSTA of 2019: sudo apt-get install opensta")
    theirs = opensta(pdk, path, netlist, ["set_power_activity -global -activity 0.4 -duty 0.5"], tmp_path)
    mine   = by_kind(pdk, netlist, activity(netlist, CLOCKS, CLOCK, (400, CLOCKS/2)))
    assert theirs.keys() == mine.keys() and len(mine) > 15
    for kind in mine:
        assert mine[kind][1:] == pytest.approx(theirs[kind][1:], rel=2e-4), kind
    for kind in ("INV_X1", "NAND2_X1", "NOR2_X1"):
        # Slews are taken of the other edge there, for cells that invert.
        assert 2*mine[kind][0] == pytest.approx(theirs[kind][0], rel=0.03), kind


def current_opensta(pdk):
    """A program that reads SAIF: OpenSTA, or OpenROAD, which has it inside and needs the cells' LEF."""
    if shutil.which("sta") and sta_version() >= (2, 5):
        return {}
    if openroad := os.environ.get("OPENROAD_EXE"):
        return {"program": (openroad,), "lefs": (pdk.tech_lef, pdk.cell_lef)}
    return pytest.skip("needs a newer OpenSTA than Debian's: put one before it on the PATH, or name OpenROAD with "
        "OPENROAD_EXE")


@needs_verilator
def test_current_opensta_counts_the_same(pdk, neuron, tmp_path):
    """With the activity that is written for it; flip-flops but for their outputs, which are independent there."""
    path, netlist = neuron
    program = current_opensta(pdk)
    nets    = simulate(NEURON, path, pdk, None, (), tmp_path, cases=2000).activity
    outputs = {name: cell.outputs for name, cell in pdk.corner("typ").library.cells.items()}
    write_saif(tmp_path/"a.saif.gz", nets, netlist, outputs, 10.0)
    lines   = [f"read_saif -scope qclif_neuron {tmp_path/'a.saif.gz'}"]
    theirs  = opensta(pdk, path, netlist, lines, tmp_path, **program)
    mine    = by_kind(pdk, netlist, nets)
    for kind in mine:
        assert mine[kind][1] == pytest.approx(theirs[kind][1], rel=1e-5), kind
        assert mine[kind][2] == pytest.approx(theirs[kind][2], rel=1e-5 if kind != "DFF_X1" else 0.02), kind
    for kind in ("INV_X1", "NAND2_X1", "NOR2_X1", "NAND3_X1", "AND2_X1"):
        assert mine[kind][0] == pytest.approx(theirs[kind][0], rel=5e-3), kind


@needs_verilator
def test_power_of_a_simulated_design(pdk, neuron, tmp_path):
    path, _ = neuron
    run     = simulate(NEURON, path, pdk, None, (), tmp_path, cases=2000)
    power   = estimate(NEURON, path, "typ", run.activity, pdk)
    assert set(power.modules) == {"qclif_neuron", INPUTS} and power.sram_mw == power.sram_leakage_mw == 0
    assert sum(power.modules.values()) == pytest.approx(power.total_mw)
    # Random extremes at its inputs: more than any network asks for, and less than 2 pJ a clock.
    assert 0.02 < power.total_mw < 0.2 and power.leakage_mw < power.internal_mw
    slower = estimate(replace(NEURON, frequency_mhz=10.0), path, "typ", run.activity, pdk)
    assert slower.internal_mw == pytest.approx(power.internal_mw/10) and slower.leakage_mw == power.leakage_mw
