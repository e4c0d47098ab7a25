# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""How often the nets of a simulated netlist change, clock gates among them."""

import gzip

import numpy as np
import pytest

from accel.errors import QCLIFError
from targets.netlist.comparison import NetlistProgram
from targets.netlist.gates import build_netlist
from targets.netlist.reader import parse_netlist
from targets.netlist.steps import Steps, run_steps
from targets.netlist.toggles import Activity, clock_nets, probes, read_activity
from tests.helpers.gate_netlists import GATED
from tests.helpers.needs import needs_verilator

STEPS = Steps((), ("d", "en"), ("q", "held"))


def gated_model(inputs):
    """q and held before each clock's edge; and each net's level there, by name, for inputs (d, en)."""
    first = second = q = 0
    rows  = []
    for d, en in inputs:
        rows.append({"d": d, "en": en, "first": first, "second": second, "q": q, "held": second, "clock": en,
            "gated": en, "odd[name][1]": 1 - second, "odd[name][0]": 1, "sys_clk": 1})
        first, second, q = d, first if en else second, second
    return rows


@needs_verilator
def test_gated_clocks_are_no_race(pdk, tmp_path):
    """Against a model, with the activity of every net."""
    netlist = parse_netlist(GATED, "gated")
    library = pdk.corner("typ").library
    built   = build_netlist(STEPS, netlist, library, {}, probes(netlist))
    inputs  = np.random.default_rng(0).integers(0, 2, (500, 2))
    gates   = NetlistProgram(built, 3, tmp_path/"activity", netlist, library)
    found   = run_steps(built, (), inputs, gates.environment())
    rows = gated_model(inputs.tolist())
    # What registers start with has left them after two enabled clocks and another one.
    known = int(np.flatnonzero(np.cumsum(inputs[:, 1]) == 2)[0]) + 2
    # What is there after a clock is there before the next one's edge.
    assert found[known:-1].tolist() == [[row["q"], row["held"]] for row in rows[known + 1:]]

    activity = gates.activity()
    module   = netlist.modules["gated"]
    assert activity.clocks == len(inputs)
    start = {"first": 1, "second": known, "held": known, "q": known, "odd[name][1]": known}
    for net in range(len(module.nets)):
        name    = module.name_of(net)
        levels  = np.array([row[name] for row in rows])
        toggles = int((np.diff(levels) != 0).sum())
        ones    = float(levels.sum())
        if name in ("sys_clk", "gated", "clock"):
            # Pulses: up and down in each clock in which they are.
            toggles, ones = 2*int(ones), ones/2
        slack = start.get(name, 0)
        assert abs(int(activity.toggles[()][net]) - toggles) <= slack, name
        assert abs(activity.ones[()][net] - ones) <= slack, name
    activity.write(tmp_path/"activity.gz", netlist)
    lines = gzip.open(tmp_path/"activity.gz", "rt").read().splitlines()
    assert lines[:2] == ["500", "sys_clk 1000 250"] and "odd[name][0] 0 500" in lines and len(lines) == 12


@needs_verilator
def test_activity_of_another_netlist(pdk, tmp_path):
    netlist, library = parse_netlist(GATED, "gated"), pdk.corner("typ").library
    run_steps(build_netlist(STEPS, netlist, library, {}, probes(netlist)), (), np.zeros((1, 2)),
        {"QCLIF_ACTIVITY": str(tmp_path/"activity")})
    other = parse_netlist(GATED.replace(" DFF_X1 three", " wire w; INV_X1 four (.A(q), .ZN(w)); DFF_X1 three"), "gated")
    with pytest.raises(QCLIFError, match="gated has 10 nets, there 9"):
        read_activity(tmp_path/"activity", other, library)
    with pytest.raises(QCLIFError, match="nowhere: no activity"):
        read_activity(tmp_path/"nowhere", netlist, library)


def test_clock_through_logic_is_refused(pdk):
    netlist = parse_netlist(GATED.replace("CLKBUF_X1 buffer (.A(gated), .Z(clock))",
        "OR2_X1 buffer (.A1(gated), .A2(en), .ZN(clock))"), "gated")
    with pytest.raises(QCLIFError, match=r"the clock passes through buffer \(OR2_X1\)"):
        clock_nets(netlist, pdk.corner("typ").library)


@needs_verilator
def test_a_loop_is_refused(pdk):
    """It has no value that a simulation could be right about."""
    loop = "module loop (sys_clk, q); input sys_clk; output q; wire a; INV_X1 i (.A(a), .ZN(q)); " \
        "NAND2_X1 n (.A1(q), .A2(sys_clk), .ZN(a)); endmodule"
    with pytest.raises(QCLIFError, match="UNOPTFLAT"):
        build_netlist(Steps((), (), ("q",)), parse_netlist(loop, "loop"), pdk.corner("typ").library, {}, {})

# Files ---------------------------------------------------------------------------------------------

def test_an_activity_is_read_back_as_it_was(tmp_path):
    """Instances of any name, and modules without a net."""
    places   = [(), ("a/b",), ("a/b", "c[0]"), ("empty",)]
    activity = Activity(7, {place: np.arange(3*number) for number, place in enumerate(places)},
        {place: np.arange(3*number)/3 for number, place in enumerate(places)})
    activity.save(tmp_path/"activity.npz")
    again = Activity.load(tmp_path/"activity.npz")
    assert again.clocks == 7 and list(again.toggles) == list(again.ones) == places
    for mine, theirs in ((activity.toggles, again.toggles), (activity.ones, again.ones)):
        assert all(np.array_equal(mine[place], theirs[place]) for place in places)
    assert again.toggles[()].dtype == np.int64
    (tmp_path/"activity.npz").write_bytes((tmp_path/"activity.npz").read_bytes()[:-30])
    for name in ("activity.npz", "missing.npz"):
        with pytest.raises(QCLIFError, match=f"{name}: no activity .* run the stage gatesim again"):
            Activity.load(tmp_path/name)
