# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Verilog and a harness in C++ as a program, by Verilator; it reads words and writes words."""

import functools
import importlib.util
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from host.common.folders import build_root
from targets.tools.builds import digest, folder_digest, made_once
from targets.tools.process import pipe_through, run_program, version_of

# Python packages that decide the Verilog of a SoC, and what they are imported as.
GENERATORS = {"litex": "litex", "migen": "migen", "pythondata-cpu-vexriscv": "pythondata_cpu_vexriscv"}

# Name of each program in its folder.
PROGRAM = "program"


def gateware_versions() -> list[str]:
    """What simulated gateware depends on beside its source: Verilator, and the Python packages that generate it."""
    return [version_of("verilator", "--version"), *generator_versions()]


# Files of C++ that are compiled by themselves.
LARGE_BYTES = 4_000_000

# Verilator's header, which all that it writes includes. Compiled once for each level of optimisation that its makefiles
# have, it takes each file that includes it a tenth of a second instead of one. GCC takes the one that suits its options
# and none where none does.
HEADER, COMPILED_HEADER = "verilated.h", "verilated.h.gch"
HEADERS = f"""include Vempty.mk
headers:
\tmkdir {COMPILED_HEADER}
""" + "".join(f"\t$(CXX) $(CXXFLAGS) $(CPPFLAGS) $(OPT_{kind}) -MF /dev/null -x c++-header "
    f"$(VERILATOR_ROOT)/include/{HEADER} -o {COMPILED_HEADER}/{kind}\n" for kind in ("FAST", "SLOW"))

# More, as Verilator's own -Os, takes longer than it saves: a third more of a netlist's compilation.
OPTIMISATION = "OPT_FAST=-O1"


@functools.cache
def generator_versions() -> list[str]:
    """Python packages that decide the Verilog of a SoC, with their versions; with a digest of its source in the place
    of one that is imported from elsewhere than it was installed to, as a checkout is."""
    versions = []
    for name, module in GENERATORS.items():
        installed = metadata.distribution(name)
        folder    = Path(next(iter(importlib.util.find_spec(module).submodule_search_locations)))
        is_it     = folder == Path(installed.locate_file(module))
        versions.append(f"{name} {installed.version if is_it else folder_digest(folder)}")
    return versions


def verilate(folder: Path, top: str, sources: Sequence[Path], options: Sequence[str] = ()) -> None:
    """Compile a design and its harness to the program folder/PROGRAM, as one makes what made_once() keeps.

    Parameters
    ----------
    folder : is there; the log stays in it, too.
    top : name of the design, for what is told.
    sources : files of Verilog and C++, and the headers that they include, each of another name.
    options : further ones of Verilator; -O3 is set.

    Raises
    ------
    QCLIFError : Verilator is missing, or it or the compiler fails.
    """
    library = runtime()
    objects = _compile(folder, top, sources, options, library, library[0].with_name(COMPILED_HEADER))
    (objects/PROGRAM).rename(folder/PROGRAM)
    shutil.rmtree(objects)


def _compile(folder: Path, top: str, sources: Sequence[Path], options: Sequence[str], library: Sequence[Path],
        headers: Path | None = None) -> Path:
    """Let Verilator write C++ and a makefile, and run that; returns their folder."""
    objects = folder/"objects"
    objects.mkdir()
    # Side by side under their plain names: make takes no blanks, which the names of their folders may have.
    for source in sources:
        (objects/source.name).symlink_to(source.resolve())
    names = [source.name for source in sources if source.suffix != ".h"]
    run_program(["verilator", "--cc", "--exe", "-O3", *options, "--Mdir", ".", "-o", PROGRAM, *names], objects,
        folder/"verilator.log").check(f"Verilator on {top}")
    # Newer than the makefile, they are not compiled again.
    for path in library:
        shutil.copy(path, objects)
    flags = []
    # A compiler's cache (OBJCACHE) does not keep what is compiled with it.
    if headers is not None and headers.exists() and not os.environ.get("OBJCACHE"):
        (objects/COMPILED_HEADER).symlink_to(headers)
        flags = [f"USER_CPPFLAGS=-include {HEADER}"]
    classes, = objects.glob("*_classes.mk")
    prefix   = classes.name.removesuffix("_classes.mk")
    run_program(["make", "-f", f"{prefix}.mk", PROGRAM, OPTIMISATION, *flags, *_joined(objects, prefix)], objects,
        folder/"make.log").check(f"compiling what Verilator made of {top}")
    return objects


def _joined(objects: Path, prefix: str) -> list[str]:
    """Join what Verilator wrote to two files, of what runs often and of what does not; returns make's variables for it.

    There are ten and more of them, each with headers that take longer to compile than all else in a small design.
    Those of a large one stay as they are: the compiler would take more than the sum of their times, on one core.
    """
    names = sorted(path.name for path in objects.glob(f"{prefix}*.cpp"))
    slow  = [name for name in names if name.endswith(("__Slow.cpp", "__Syms.cpp"))]
    alone = [name for name in names if (objects/name).stat().st_size > LARGE_BYTES]
    made  = []
    for kind, parts in (("FAST", [name for name in names if name not in slow]), ("SLOW", slow)):
        joined = f"{prefix}__{kind}.cpp"
        (objects/joined).write_text("".join(f'#include "{name}"\n' for name in parts if name not in alone))
        objects_of = [f"{Path(name).stem}.o" for name in (joined, *(name for name in parts if name in alone))]
        made.append(f"VK_{kind}_OBJS={' '.join(objects_of)}")
    return ["VM_PARALLEL_BUILDS=1", f"-j{os.cpu_count()}", *made]


def runtime(options: Sequence[str] = ()) -> list[Path]:
    """Objects of Verilator's own C++, which is in each program: compiled once, as it takes longer than most designs.

    Parameters
    ----------
    options : those of Verilator's that say what is in it, as "--trace".
    """
    def compile_empty(folder: Path) -> None:
        design, harness = folder/"empty.v", folder/"main.cpp"
        # What tells of a function in C++ brings all that such functions need.
        design.write_text('module empty; import "DPI-C" function int unused(); endmodule\n')
        harness.write_text("int main() { return 0; }\n")
        objects = _compile(folder, "an empty design", [design, harness], options, [])
        if not options:
            (objects/"headers.mk").write_text(HEADERS)
            run_program(["make", "-f", "headers.mk", "headers", OPTIMISATION], objects, folder/"headers.log").check(
                "compiling Verilator's header")

    key    = digest("\n".join([version_of("verilator", "--version"), HEADERS, *options]))
    folder = made_once(build_root()/"verilator"/key, compile_empty)
    return sorted((folder/"objects").glob("verilated*.o"))


def execute(program: Path, words: np.ndarray, *arguments: object,
        environment: Mapping[str, str | None] | None = None) -> np.ndarray:
    """Words (int64, 0 to 2**32 - 1) that a program makes of words, of negative ones the low 32 bits.

    Raises
    ------
    QCLIFError : the program ends with an error.
    """
    stream = (np.asarray(words) & 0xffffffff).astype("<u4").tobytes()
    return np.frombuffer(pipe_through([program, *arguments], stream, environment), "<u4").astype(np.int64)
