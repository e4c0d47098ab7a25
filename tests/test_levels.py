# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The house: what may import what, no circles between the rooms of any floor, and no room that is crowded.

A module is named as it is imported (host.link.window), and an arrow leads from the one that imports to the one that is
imported, wherever in the module that is, also in a function. Of two modules, what matters is where their paths part:
host.link.window and host.network.golden are an arrow from host/link to host/network, two children of host/.
"""

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from host.common.folders import ROOT

# Levels, lowest first, and the levels that each may import beside itself.
BELOW = {
    "accel":    set(),
    "firmware": {"accel"},
    "soc":      {"accel", "firmware"},
    "host":     {"accel", "firmware"},
    "targets":  {"accel", "firmware", "soc", "host"},
}

# Most files of source side by side, beside __init__.py.
MOST_FILES = 20

SOURCE_SUFFIXES = {".py", ".c", ".h", ".cpp", ".v", ".vlt", ".ld"}

Arrow = tuple[str, str]

# Reading ------------------------------------------------------------------------------------------

def read_modules(root: Path) -> dict[str, Path]:
    """Files of all modules by name; a package is its __init__.py."""
    modules = {}
    for level in BELOW:
        for path in sorted((root/level).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def imported(tree: ast.AST, package: str) -> set[str]:
    """Dotted names that the imports of a module are of; `package` is where its relative ones begin."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[:len(package.split(".")) - node.level + 1] if node.level else []
            base  = ".".join([*start, *([node.module] if node.module else [])])
            # Each name may be a module of its own.
            names |= {f"{base}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant) \
                and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("import_module", "__import__"):
            names.add(str(node.args[0].value))
    return names


def arrows(root: Path) -> list[Arrow]:
    """(importing, imported) for all modules below the root, of each other."""
    modules, found = read_modules(root), []
    for name, path in modules.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        targets = set()
        for target in imported(ast.parse(path.read_text()), package):
            # A name of a module is an import of the module.
            while target and target not in modules:
                target = target.rpartition(".")[0]
            targets.add(target)
        found += [(name, target) for target in sorted(targets - {"", name})]
    return found

# Rules --------------------------------------------------------------------------------------------

def upward(found: list[Arrow]) -> list[str]:
    """Arrows to a level that is not below."""
    wrong = []
    for source, target in found:
        level, other = source.split(".")[0], target.split(".")[0]
        if other != level and other not in BELOW[level]:
            wrong.append(f"{source} imports {target}: {level} stands on {', '.join(sorted(BELOW[level])) or 'nothing'}")
    return wrong


def place(name: str, modules: Mapping[str, Path]) -> tuple[str, ...]:
    """Path of a module in the tree; a package's own is a child of its folder."""
    return (*name.split("."), "__init__") if modules[name].name == "__init__.py" else tuple(name.split("."))


def circles(found: list[Arrow], modules: Mapping[str, Path]) -> list[str]:
    """Circles between the children of each folder: their folder, and an arrow of each two children in them."""
    floors = defaultdict(lambda: defaultdict(list))
    for source, target in found:
        a, b  = place(source, modules), place(target, modules)
        depth = next(n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
        floors["/".join(a[:depth]) or "."][a[depth], b[depth]].append(f"{source} -> {target}")
    told = []
    for folder, edges in sorted(floors.items()):
        nodes   = {node for edge in edges for node in edge}
        reaches = {node: reachable(node, edges) for node in nodes}
        for circle in sorted({tuple(sorted(n for n in nodes if n in reaches[node] and node in reaches[n]))
                for node in nodes if node in reaches[node]}):
            parts = [texts[0] for (a, b), texts in sorted(edges.items()) if a in circle and b in circle]
            told.append(f"{folder}: {', '.join(circle)} run in a circle: {'; '.join(parts)}")
    return told


def reachable(start: str, edges: Mapping[Arrow, object]) -> set[str]:
    """What can be reached from a child by one arrow or more."""
    seen, todo = set(), [start]
    while todo:
        here  = todo.pop()
        fresh = {b for a, b in edges if a == here} - seen
        seen |= fresh
        todo += fresh
    return seen


def crowded(root: Path) -> list[str]:
    """Folders with more files of source side by side than anyone finds their way in."""
    counts = defaultdict(int)
    for level in BELOW:
        for path in (root/level).rglob("*"):
            if path.suffix in SOURCE_SUFFIXES and path.name != "__init__.py":
                counts[str(path.parent.relative_to(root))] += 1
    return [f"{folder}: {count} files" for folder, count in sorted(counts.items()) if count > MOST_FILES]

# This repository ----------------------------------------------------------------------------------

def test_no_arrow_runs_up():
    found = arrows(ROOT)
    assert len(found) > 500
    assert not upward(found), "\n".join(upward(found))


def test_nothing_runs_in_a_circle():
    told = circles(arrows(ROOT), read_modules(ROOT))
    assert not told, "\n".join(told)


def test_no_folder_is_crowded():
    assert not crowded(ROOT)

# This test ----------------------------------------------------------------------------------------

@pytest.fixture
def house(tmp_path):
    """Makes files of a tree, from their names and texts."""
    def make(**texts):
        for name, text in texts.items():
            path = tmp_path/(name.replace("__init", "@").replace("_", "/").replace("@", "__init__") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path
    return make


@pytest.mark.parametrize("text, target", [
    ("import soc.uart", "soc.uart"),
    ("from soc import uart", "soc.uart"),
    ("from soc import *", "soc"),
    ("from soc.uart import UART", "soc.uart"),
    ("def late():\n    import soc.uart as u", "soc.uart"),
    ("import importlib\nimportlib.import_module('soc.uart')", "soc.uart"),
])
def test_arrows_that_run_up_are_found(house, text, target):
    root = house(soc___init="", soc_uart="UART = 1", host_link_port=text, targets_sim=text)
    assert upward(arrows(root)) == [f"host.link.port imports {target}: host stands on accel, firmware"]


def test_relative_arrows_are_found(house):
    root = house(host___init="", host_link___init="from . import port", host_link_port="from ..network.golden import x",
        host_network_golden="from ..link import port\nimport numpy")
    assert arrows(root) == [("host.link", "host.link.port"), ("host.link.port", "host.network.golden"),
        ("host.network.golden", "host.link.port")]


def test_circles_are_found(house):
    root = house(host_a_one="import host.b.one", host_b_one="import host.b.two", host_b_two="import host.c.one",
        host_c_one="from host.a import two", host_a_two="import host.d", host_d="", accel_x="import accel.y",
        accel_y="def f():\n    import accel.x", targets_z="import host.d")
    assert circles(arrows(root), read_modules(root)) == [
        "accel: x, y run in a circle: accel.x -> accel.y; accel.y -> accel.x",
        "host: a, b, c run in a circle: host.a.one -> host.b.one; host.b.two -> host.c.one; host.c.one -> host.a.two",
    ]


def test_crowds_are_found(house):
    root = house(**{f"host_many_m{n}": "" for n in range(21)}, **{f"host_few_m{n}": "" for n in range(20)})
    assert crowded(root) == ["host/many: 21 files"]
