# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Netlists are proven equal to their Verilog, and mistakes in them are named."""

import json
import re
from dataclasses import replace

import pytest

from accel.config import QCLIFConfig
from accel.errors import EXIT_MISMATCH
from targets.asic import flow
from targets.asic.design import AsicConfig
from targets.asic.flow import run_flow
from targets.asic.request import Request
from targets.asic.synth.equivalence import prove
from targets.asic_freepdk45 import main
from tests.helpers.needs import needs_asic

pytestmark = needs_asic

# Small, for its time; with macros, and with memories of flip-flops.
SIZES = QCLIFConfig(neurons=16, inputs=32, contexts=2, lanes=2, weight_bits=4, state_bits=4, current_bits=4)


@pytest.fixture(scope="module")
def core(pdk):
    """Verilog and netlist."""
    return run_flow(Request(AsicConfig(sizes=SIZES), pdk, "synth"))


def netlist_with(result, folder, module, old, new):
    """The netlist with a change in a module."""
    text  = result.synthesis.netlist.read_text()
    begin = text.index(f"module {module}(")
    end   = text.index("endmodule", begin)
    found = re.search(old, text[begin:end])
    assert found, f"{module} has no {old}"
    path = folder/"changed.v"
    path.write_text(text[:begin] + text[begin:end][:found.start()] + found.expand(new)
        + text[begin:end][found.end():] + text[end:])
    return path


def test_a_core_with_macros_is_equal(core, pdk, tmp_path):
    proofs = prove(core.rtl, core.synthesis.netlist, pdk, tmp_path)
    assert {proof.module for proof in proofs} == {module.name for module in core.synthesis.modules}
    assert not any(proof.unproven for proof in proofs)
    # Of each register at least what it is and what it will be.
    compared = {proof.module: proof.proven for proof in proofs}
    assert all(compared[module.name] >= max(2*module.flops, 1) for module in core.synthesis.modules)


@pytest.mark.parametrize("module, old, new, wrong", [
    # A gate of another kind; pins of a macro and of a module at other nets.
    ("qclif_walker", r"NAND2_X1 (_\d+_)", r"NOR2_X1 \1", ""),
    ("qclif_weights_soma", r"\.we_in\(\w+\)", ".we_in(read_en)", "we_in"),
    ("qclif_core", r"\.sink_first\(\w+\)", ".sink_first(busy)", "sink_first"),
])
def test_a_mistake_is_named(core, pdk, tmp_path, module, old, new, wrong):
    netlist = netlist_with(core, tmp_path, module, old, new)
    proofs  = {proof.module: proof for proof in prove(core.rtl, netlist, pdk, tmp_path/"proof", modules=[module])}
    assert list(proofs) == [module] and proofs[module].unproven
    assert any(wrong in name for name in proofs[module].unproven)


def test_the_command(pdk, tmp_path, monkeypatch, capsys):
    options = ["--design", "neuron", "--weight-bits", "4", "--state-bits", "4", "--current-bits", "4", "--until",
        "synth", "--equivalence", "--output-dir", str(tmp_path)]
    assert main(options) == 0
    proof, = json.loads((tmp_path/"report.json").read_text())["equivalence"]
    # V_a, V_s and the spike, now and after a clock.
    assert proof["module"] == "qclif_neuron" and proof["proven"] >= 2*9 and not proof["unproven"]
    assert "proven equal" in capsys.readouterr().out

    def wrong(*arguments):
        return (replace(prove(*arguments)[0], unproven=("spike",)),)
    wrong.__annotations__ = prove.__annotations__
    monkeypatch.setattr(flow, "prove", wrong)
    assert main([*options, "--frequency", "99"]) == EXIT_MISMATCH
