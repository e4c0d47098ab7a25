# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What comes out of a layout: its wires, and its netlist timed, simulated and powered again."""

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accel.errors import QCLIFError
from targets.asic.design import AsicConfig
from targets.asic.power.power import power_of, read_spef, wires_of
from targets.asic.sta import timing as sta
from targets.asic.synth.recipes import RECIPES
from targets.asic.synth.synthesis import map_design
from targets.asic_freepdk45 import main
from targets.netlist.reader import parse_netlist
from targets.netlist.toggles import Activity
from tests.helpers.builds import fresh_builds
from tests.helpers.flow_scripts import needs_openroad, stand_in_for
from tests.helpers.needs import needs_asic
from tests.helpers.small_designs import opensta, pipeline, yosys

SPEF = r"""*SPEF "ieee 1481-1999"
*DESIGN_FLOW "NAME_SCOPE LOCAL" "PIN_CAP NONE"
*DIVIDER /
*C_UNIT 1 PF

*NAME_MAP
*1 a
*2 left\/store\[1\]
*3 q[0]

*PORTS
a I
*3 O

*D_NET *1 0.0025
*CONN
*P *1 I
*CAP
1 *1:0 0.0020
2 *1:0 *2:4 0.0005
*END

*D_NET *2 0.01
*END
*D_NET *3 1e-3
*END
"""

NETLIST = r"""module top (a, q);
  input a; output [1:0] q;
  wire \left/store[1] ;
  INV_X1 one (.A(a), .ZN(\left/store[1] ));
  INV_X1 two (.A(\left/store[1] ), .ZN(q[0]));
  assign q[1] = q[0];
endmodule
"""

# Wires -----------------------------------------------------------------------------------------------

@pytest.fixture
def spef(tmp_path):
    """Writes a file."""
    def write(text=SPEF):
        (tmp_path/"a.spef").write_text(text)
        return tmp_path/"a.spef"
    return write


def test_wires_of_a_netlist(spef):
    found = read_spef(spef())
    assert found == pytest.approx({"a": 2.5, "left/store[1]": 10.0, "q[0]": 1.0})
    assert read_spef(spef(SPEF.replace("1 PF", "1 FF"))) == pytest.approx({name: value/1e3
        for name, value in found.items()})
    module = parse_netlist(NETLIST, "top").modules["top"]
    wires  = dict(zip(map(module.name_of, range(len(module.nets))), wires_of(module, found, spef()), strict=True))
    # What is the same net has the same wire.
    assert wires == pytest.approx({"a": 2.5, "q[0]": 1.0, "q[1]": 1.0, "left/store[1]": 10.0})


@pytest.mark.parametrize("change, words", [
    (("PIN_CAP NONE", "PIN_CAP INPUT_OUTPUT"), "capacitances of pins"),
    (("0.0025", "much"),                       "no SPEF that can be read"),
    (("1 PF", "1 POUND"),                      "no SPEF that can be read"),
])
def test_a_spef_that_cannot_be(spef, change, words):
    with pytest.raises(QCLIFError, match=f"a.spef.*{words}") as error:
        read_spef(spef(SPEF.replace(*change)))
    assert "\n" not in str(error.value)


def test_wires_of_another_netlist(spef):
    module = parse_netlist(NETLIST, "top").modules["top"]
    with pytest.raises(QCLIFError, match=r"a.spef: 1 wires are of no net of top \(other is the first\)"):
        wires_of(module, {"a": 1.0, "other": 2.0}, spef())


def test_a_wire_is_charged(pdk):
    netlist = parse_netlist(NETLIST, "top")
    module  = netlist.modules["top"]
    toggles = np.array([5*(module.name_of(net) == "left/store[1]") for net in range(len(module.nets))])
    nets    = Activity(100, {(): toggles}, {(): np.full(len(toggles), 50.0)})
    # A clock that is in no cell: the netlist has no registers.
    netlist.modules["top"].ports["sys_clk"] = ("input", (0,))

    def switching(load):
        wires = {(): np.array([load*(module.name_of(net) == "left/store[1]") for net in range(len(module.nets))])}
        return power_of(netlist, pdk.corner("typ"), {}, nets, 10.0, wires).switching_mw

    # Five changes of 20 fF more in 1000 ns; 1 fJ/ns is 1e-3 mW.
    assert switching(30.0) - switching(10.0) == pytest.approx(5*0.5*20*1.1**2/1000*1e-3)


def test_a_buffer_that_is_only_a_load_has_its_energy(pdk):
    """Clock trees have some, for balance: as much as one that drives nothing but a wire without a capacitance."""
    def internal(pins, wires):
        netlist = parse_netlist(f"module top (sys_clk);\n  input sys_clk; wire z;\n  CLKBUF_X1 load ({pins});\n"
            "endmodule\n", "top")
        toggles = np.array([200, 200][:len(netlist.modules["top"].nets)])
        nets    = Activity(100, {(): toggles}, {(): toggles/4.0})
        return power_of(netlist, pdk.corner("typ"), {}, nets, 10.0, {(): np.array(wires)}).internal_mw
    assert internal(".A(sys_clk)", [1.0, 0.0]) == internal(".A(sys_clk), .Z(z)", [1.0, 0.0]) > 0


# A shift register whose second flip-flop has its clock through a buffer.
SHIFT = """module top (sys_clk, d, q);
  input sys_clk, d; output q; wire s, c;
  DFF_X1 first (.CK(sys_clk), .D(d), .Q(s));
  CLKBUF_X1 tree (.A(sys_clk), .Z(c));
  DFF_X1 second (.CK(c), .D(s), .Q(q));
endmodule
"""

WIRE = """*D_NET {name} {load}
*CONN
*P {name} O
*I {pin} O
*CAP
1 {pin} {load}
*END
"""


def test_wires_and_clock_tree_are_timed(pdk, tmp_path):
    opensta()
    mapped = map_design(AsicConfig("neuron"), pipeline(tmp_path/"rtl"), pdk, tmp_path, yosys(), RECIPES[0])
    (tmp_path/"shift.v").write_text(SHIFT)
    design = replace(mapped, netlist=tmp_path/"shift.v", top="top", excerpt=None, loads={}, macros={})

    def timed(load=None):
        path = tmp_path/"wires.spef"
        path.write_text('*SPEF "ieee 1481-1999"\n*DESIGN "x"\n*DATE "x"\n*VENDOR "x"\n*PROGRAM "x"\n*VERSION "x"\n'
            '*DESIGN_FLOW "PIN_CAP NONE"\n*DIVIDER /\n*DELIMITER :\n*BUS_DELIMITER []\n*T_UNIT 1 NS\n*C_UNIT 1 FF\n'
            f"*R_UNIT 1 OHM\n*L_UNIT 1 HENRY\n\n{WIRE.format(name='q', pin='second:Q', load=load)}")
        return sta.time(AsicConfig("neuron"), design, pdk, tmp_path, "typ", spef=None if load is None else path)

    ideal, bare, loaded = timed(), timed(0.0), timed(50.0)
    # The buffer delays the second flip-flop: what leaves it comes later, and has less time to hold before.
    assert bare.hold_slack_ns < ideal.hold_slack_ns - 0.02
    assert loaded.slack_ns < bare.slack_ns - 0.05 and loaded.hold_slack_ns == bare.hold_slack_ns


# The flow after a layout -----------------------------------------------------------------------------

HEADER = SPEF.partition("*NAME_MAP")[0]


@pytest.fixture
def laid_out(pdk, tmp_path, monkeypatch, capsys):
    """Runs the neuron through a stand-in whose layout is the netlist with an edit by sed; exit code and record."""
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(fresh_builds(tmp_path/"build")))
    home = stand_in_for(tmp_path/"flow", monkeypatch)

    def call(edit="p", *options):
        (home/"routed.sh").write_text(f"sed -n '{edit}' $1/1_2_yosys.v > $1/6_final.v\n"
            f"cat > $1/6_final.spef << END\n{HEADER}END\n")
        code = main(["--design", "neuron", "--until", "layout", "--output-dir", str(tmp_path/"out"), "--json",
            str(tmp_path/"run.json"), *options])
        call.shown = capsys.readouterr()
        return code, json.loads((tmp_path/"run.json").read_text()) if code != 2 else None
    return call


@needs_asic
def test_the_routed_netlist_is_checked(laid_out):
    code, record = laid_out()
    layout = record["layout"]
    assert code == 0 and layout["drc_errors"] == 0, laid_out.shown.err
    # The same netlist does the same; it has no wires now.
    assert layout["gatesim"] == record["gatesim"] and layout["gatesim"]["spikes"] > 0
    assert layout["power_mw"]["leakage"] == pytest.approx(record["power_mw"]["leakage"])
    assert 0 < layout["power_mw"]["switching"] < record["power_mw"]["switching"]
    assert layout["energy_pj"]["step"] == pytest.approx(layout["power_mw"]["total"]*10*record["gatesim"]["clocks"]
        /record["gatesim"]["steps"])
    assert set(layout["timing"]) == {"typ", "slow", "fast"} and layout["slack_ns"] > record["slack_ns"]
    assert {f"routed-{name}" for name in ("sta-typ", "gatesim", "power-typ")} <= record["stages"].keys()
    again = laid_out()[1]
    assert again["layout"] == layout and all(each["cached"] for each in again["stages"].values())
    # What has been cleared is made again.
    shutil.rmtree(Path(layout["netlist"]).parents[5])
    anew = laid_out()[1]
    assert anew["layout"] == layout and not anew["stages"]["layout"]["cached"] and Path(layout["netlist"]).is_file()
    # Flow scripts that were changed where they are give another layout; one that spoils a cell is found out.
    code, spoilt = laid_out("s/NAND2_X1/NOR2_X1/;p")
    assert code == 1 and spoilt["gatesim"]["mismatches"] == spoilt["gatesim"]["state_mismatches"] == 0
    assert spoilt["layout"]["gatesim"]["mismatches"] + spoilt["layout"]["gatesim"]["state_mismatches"] > 0


@needs_openroad
@needs_asic
def test_the_neuron_to_gds(pdk, tmp_path, capsys):
    """By a real OpenROAD: minutes the first time."""
    assert main(["--design", "neuron", "--until", "layout", "--output-dir", str(tmp_path), "--json",
        str(tmp_path/"run.json")]) == 0, capsys.readouterr().err
    record = json.loads((tmp_path/"run.json").read_text())
    layout = record["layout"]
    assert layout["drc_errors"] == 0 and layout["slack_ns"] > 0 and layout["hold_slack_ns"] > 0
    assert layout["gatesim"] == record["gatesim"] and layout["gatesim"]["mismatches"] == 0
    # OpenROAD's own timing, from the same constraints.
    logs = Path(layout["gds"].replace("/results/", "/logs/")).parent
    told = json.loads((logs/"6_report.json").read_text())
    assert told["finish__timing__setup__ws"] == pytest.approx(layout["slack_ns"], abs=2e-3)
    assert told["finish__timing__hold__ws"] == pytest.approx(layout["hold_slack_ns"], abs=2e-3)
    # As much as before, and a little more.
    for name in ("area_um2", "cells"):
        assert record[name] <= layout[name] < 1.3*record[name]
    assert layout["power_mw"]["total"] == pytest.approx(record["power_mw"]["total"], rel=0.2)
    assert layout["utilisation"] == pytest.approx(layout["area_um2"]/layout["core_um2"], rel=1e-3)
    assert (tmp_path/"layout.png").stat().st_size < 300_000

# Interruption ----------------------------------------------------------------------------------------

@needs_asic
def test_an_interrupted_layout_leaves_nothing_running(pdk, tmp_path, monkeypatch):
    home = stand_in_for(tmp_path/"flow", monkeypatch)
    # A process below a process, as make has them.
    (home/"routed.sh").write_text(f"sh -c 'echo $$ > {tmp_path}/pid; sleep 1000 & sleep 1000'\n")
    process = subprocess.Popen([sys.executable, "-m", "targets.asic_freepdk45", "--design", "neuron", "--until",
        "layout", "--output-dir", str(tmp_path/"out")], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        start_new_session=True)
    for _ in range(3000):
        if ((tmp_path/"pid").exists() and (tmp_path/"pid").read_text().strip()) or process.poll() is not None:
            break
        time.sleep(0.1)
    group = int(Path(f"/proc/{(tmp_path/'pid').read_text().strip()}/stat").read_text().rpartition(")")[2].split()[2])
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode in (130, -signal.SIGINT) and "Traceback" not in errors
    alive = [path for path in Path("/proc").glob("[0-9]*/stat") if _group(path) == group]
    assert not alive


def _group(stat: Path) -> int | None:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[2])
