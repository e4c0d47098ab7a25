# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Programs of Verilog and C++: what they compute, and what is compiled once for all of them."""


import numpy as np
import pytest

from accel.errors import QCLIFError
from targets.tools.verilator import PROGRAM, execute, verilate
from tests.helpers.needs import needs_verilator

pytestmark = needs_verilator

DESIGN = "module plus(input [31:0] a, output [31:0] y); assign y = a + 32'd{amount}; endmodule\n"

HARNESS = """
#include <cstdint>
#include <cstdio>
#include "Vplus.h"
int main() {
    Vplus design;
    uint32_t word;
    while (fread(&word, sizeof word, 1, stdin) == 1) {
        design.a = word;
        design.eval();
        word = design.y;
        fwrite(&word, sizeof word, 1, stdout);
    }
}
"""


@pytest.fixture
def program(tmp_path):
    """Builds a program that adds a number; returns its folder."""
    def build(amount):
        folder = tmp_path/str(amount)
        folder.mkdir()
        for name, text in (("plus.v", DESIGN.format(amount=amount)), ("main.cpp", HARNESS)):
            (folder/name).write_text(text)
        verilate(folder, "plus", [folder/"plus.v", folder/"main.cpp"], [])
        return folder
    return build


def test_verilators_own_code_is_compiled_once(program, tmp_path, monkeypatch):
    """Its header, too, which a compiler's cache would not keep."""
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path/"build"))
    for amount, cache in ((3, ""), (4, "env")):
        monkeypatch.setenv("OBJCACHE", cache)
        folder = program(amount)
        assert execute(folder/PROGRAM, np.array([0, 1, -1])).tolist() == [amount, amount + 1, amount - 1]
        log = (folder/"make.log").read_text()
        assert "main.cpp" in log and "verilated.cpp" not in log
        assert ("-include verilated.h" in log) == (not cache)
    kept, = (path for path in (tmp_path/"build"/"verilator").iterdir() if path.is_dir())
    assert "verilated.cpp" in (kept/"make.log").read_text()
    # Those of Verilator's two levels of optimisation, as GCC knows them.
    compiled = list((kept/"objects"/"verilated.h.gch").iterdir())
    assert len(compiled) == 2 and all(path.read_bytes().startswith(b"gpch") for path in compiled)


def test_verilog_that_is_wrong(tmp_path):
    (tmp_path/"plus.v").write_text("module plus; nothing; endmodule\n")
    with pytest.raises(QCLIFError, match=r"^Verilator on plus failed: %Error: plus\.v:1:21: syntax error"):
        verilate(tmp_path, "plus", [tmp_path/"plus.v"], [])
