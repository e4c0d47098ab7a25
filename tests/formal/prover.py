# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Yosys and ABC as PyPI's pyosys has them: from Verilog with assertions to a proof, or to a clock that breaks one.

Yosys makes and-inverter graphs (AIGER). ABC proves sequential ones by property-directed reachability (`pdr`), which
finds an inductive invariant: it holds in every state that can be reached, after any number of clocks. Combinational
ones it proves equal by SAT sweeping (`&cec`), for all inputs.
"""

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from accel.errors import QCLIFError
from targets.tools.eda import find_yosys, run_tool
from targets.tools.process import run_program

# Wall time that is given to one proof, seconds: it takes less than a minute of CPU, on machines that others load, too.
LIMIT = 3600


def find_abc() -> Path | None:
    """ABC's program in pyosys, None where that is not installed."""
    spec = importlib.util.find_spec("pyosys")
    path = Path(spec.submodule_search_locations[0])/"yosys-abc" if spec else None
    return path if path and path.exists() else None


@dataclass(frozen=True)
class Model:
    """A design whose properties ABC looks at.

    Attributes
    ----------
    file : and-inverter graph.
    names : labels of its assertions, in the order of its outputs.
    """
    file:  Path
    names: Sequence[str] = ()

# Yosys --------------------------------------------------------------------------------------------

def run_yosys(script: str, folder: Path, name: str) -> str:
    """Run a script with pyosys's Yosys in a folder; returns what it prints."""
    return run_tool(find_yosys(with_path=False), script, folder, f"{name}.ys")


def assertions_model(source: Path, top: str, commands: str = "") -> Model:
    """Model of a module with assertions and assumptions.

    Parameters
    ----------
    commands : for Yosys, before assertions and memories become logic.
    """
    folder, name = source.parent, source.stem
    run_yosys(f"""
read_verilog -formal -sv {source.name}
prep -top {top}
{commands}
delete -output
async2sync
chformal -lower
opt -full
memory_map -formal
formalff -clk2ff -ff2anyinit
opt -full
techmap
dffunmap
setundef -undriven -anyseq
aigmap
opt_clean
tee -o {name}.asserts select -list t:$assert
write_aiger -I -B -zinit -no-startoffset {name}.aig
""", folder, name)
    names = [line.partition("/")[2] for line in (folder/f"{name}.asserts").read_text().split()]
    return Model(source.with_suffix(".aig"), names)

# ABC ----------------------------------------------------------------------------------------------

def run_abc(commands: str, model: Model) -> str:
    """Run commands on a model; returns what ABC prints.

    Raises
    ------
    QCLIFError : it failed.
    """
    folder   = model.file.parent
    finished = run_program([str(find_abc()), "-q", f"read_aiger {model.file.name}; {commands}"], folder,
        model.file.with_suffix(".abc.log"))
    if finished.status:
        raise QCLIFError(f"ABC ended with status {finished.status}; its log is {model.file.with_suffix('.abc.log')}")
    return finished.text


def proves(model: Model) -> bool:
    """Whether all assertions hold in every state that can be reached; False where one does not.

    Raises
    ------
    QCLIFError : neither was found within the limit.
    """
    text = run_abc(f"fold; scorr; pdr -T {LIMIT}", model)
    if "Property proved" in text:
        return True
    if "was asserted in frame" in text:
        return False
    raise QCLIFError(f"{model.file}: neither proved nor disproved within {LIMIT} s")


def breaks(model: Model, name: str, clocks: int) -> int | None:
    """First clock, of so many, in which an assertion can be broken; None where it cannot."""
    text  = run_abc(f"fold; cone -O {model.names.index(name)}; scorr; bmc3 -F {clocks} -T {LIMIT}", model)
    match = re.search(r"asserted in frame (\d+)", text)
    if not match and not re.search(rf"No output asserted in {clocks} frames", text):
        raise QCLIFError(f"{model.file}: {clocks} clocks of {name} were not all looked at within {LIMIT} s")
    return int(match[1]) if match else None


def always_low(model: Model, clocks: int) -> bool:
    """Whether the only output is low in the last of so many clocks, from every state and for all inputs."""
    text = run_abc(f"frames -F {clocks}; comb; cone -O {clocks - 1}; strash; &get; &cec -m -T {LIMIT}", model)
    if "Networks are equivalent" in text:
        return True
    if "NOT EQUIVALENT" in text:
        return False
    raise QCLIFError(f"{model.file}: neither proved nor disproved within {LIMIT} s")
