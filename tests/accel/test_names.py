# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Signals in Verilog and waveforms bear the names that they have in the source."""

import ast
from pathlib import Path

import pytest

import accel
import soc

SOURCES = sorted(path for package in (accel, soc) for path in Path(package.__file__).parent.rglob("*.py"))


def captured(function):
    """Names of a function that functions and comprehensions inside of it use, too."""
    inner = [node for node in ast.walk(function) if node is not function and isinstance(node,
        (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp))]
    return {name.id for node in inner for name in ast.walk(node) if isinstance(name, ast.Name)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_signals_have_the_names_of_their_variables(path):
    """Migen reads a name from the bytecode that stores it, and takes another one for several targets at once and for
    variables that an inner function or a comprehension sees: such signals are told their name."""
    wrong = []
    for function in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)):
        inner = captured(function)
        for node in (node for node in ast.walk(function) if isinstance(node, ast.Assign)):
            made = [call for call in ast.walk(node.value) if isinstance(call, ast.Call)
                and ast.unparse(call.func).split(".")[-1] in ("Signal", "Record", "Endpoint", "like")
                and not any(keyword.arg == "name" for keyword in call.keywords)]
            if made and (isinstance(node.value, (ast.Tuple, ast.ListComp)) or len(made) > 1
                    or any(isinstance(target, ast.Name) and target.id in inner for target in node.targets)):
                wrong.append(f"line {node.lineno}: {ast.unparse(node)}")
    assert not wrong, f"give name= to the signals of {path}: {wrong}"
