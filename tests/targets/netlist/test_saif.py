# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Activity as SAIF: its form, as OpenSTA's grammar has it, and every net and driver with what it did."""

import gzip
import re

import numpy as np

from targets.netlist.reader import parse_netlist
from targets.netlist.saif import write_saif
from targets.netlist.toggles import Activity

NETLIST = r"""
module top (sys_clk, d, q);
  input sys_clk, d;
  output [1:0] q;
  wire \a.b[3] ;
  DFF_X1 \r[3]_reg (.CK(sys_clk), .D(d), .Q(\a.b[3] ), .QN());
  below one (.i(\a.b[3] ), .o(q));
endmodule
module below (i, o);
  input i;
  output [1:0] o;
  RAM ram (.clk(i), .rd_out(o));
endmodule
"""

OUTPUTS = {"DFF_X1": ["Q", "QN"], "RAM": ["rd_out"]}

# What OpenSTA's scanner takes for a name.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$\[\]\\.]*")


def read_saif(text: str) -> list:
    """Nested lists of words."""
    stack = [[]]
    for token in re.findall(r'[()]|"[^"]*"|[^\s()]+', text):
        if token == "(":
            stack.append([])
        elif token == ")":
            stack[-2].append(stack.pop())
        else:
            stack[-1].append(token)
    (content,), = stack
    return content


def nets_of(instance: list, path: str = "") -> dict[str, dict[str, int]]:
    """T0, T1, TX, TC and IG of what is called a net, by its path."""
    found = {}
    for part in instance[2:]:
        if part[0] == "NET":
            for name, *values in part[1:]:
                assert NAME.fullmatch(name)
                found[f"{path}{name}"] = {key: int(value) for key, value in values}
        else:
            assert part[0] == "INSTANCE" and NAME.fullmatch(part[1])
            found |= nets_of(part, f"{path}{part[1]}/")
    return found


def test_every_net_and_every_driver(tmp_path):
    netlist  = parse_netlist(NETLIST, "top")
    activity = Activity(100, {(): np.array([200, 7, 3, 5, 11]), ("one",): np.array([11, 3, 5])},
        {(): np.array([50.0, 10.0, 20.0, 30.0, 40.0]), ("one",): np.array([40.0, 20.0, 30.0])})
    write_saif(tmp_path/"a.saif.gz", activity, netlist, OUTPUTS, 2.5)
    name, *header, instance = read_saif(gzip.open(tmp_path/"a.saif.gz", "rt").read())
    assert name == "SAIFILE" and instance[:2] == ["INSTANCE", "top"]
    assert {key: values for key, *values in header} == {"SAIFVERSION": ['"2.0"'], "DIRECTION": ['"backward"'],
        "DESIGN": ['"top"'], "DIVIDER": ["/"], "TIMESCALE": ["1", "ps"], "DURATION": ["250000"]}
    nets = nets_of(instance)
    for values in nets.values():
        assert values["T0"] + values["T1"] == 250_000 and values["TX"] == values["IG"] == 0
    assert {name: (values["TC"], values["T1"]//2500) for name, values in nets.items()} == {
        "sys_clk": (200, 50), "d": (7, 10), r"q\[0\]": (3, 20), r"q\[1\]": (5, 30), r"a.b\[3\]": (11, 40),
        r"r\[3\]_reg/Q": (11, 40),
        "one/i": (11, 40), r"one/o\[0\]": (3, 20), r"one/o\[1\]": (5, 30),
        r"one/ram/rd_out\[0\]": (3, 20), r"one/ram/rd_out\[1\]": (5, 30),
    }
    first = (tmp_path/"a.saif.gz").read_bytes()
    write_saif(tmp_path/"a.saif.gz", activity, netlist, OUTPUTS, 2.5)
    assert (tmp_path/"a.saif.gz").read_bytes() == first
