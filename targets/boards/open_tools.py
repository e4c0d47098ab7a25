# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""LiteX's toolchains of Yosys and nextpnr, as all versions of these tools take them and our SoC is best mapped."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from litex.build.generic_platform import GenericPlatform
from litex.build.gowin.apicula import GowinApiculaToolchain
from litex.build.lattice.icestorm import LatticeIceStormToolchain
from litex.build.yosys_nextpnr_toolchain import YosysNextPNRToolchain
from litex.build.yosys_wrapper import YosysWrapper
from litex.soc.integration.builder import Builder

from targets.boards.devices import IN_TABLES, TABLES_BITS, Device, Shape, uncontested


class IceStormToolchain(LatticeIceStormToolchain):
    """LiteX's, for a nextpnr without Python, as PyPI's is: clocks are constraints among those of the pins."""

    def build_timing_constraints(self, vns):
        self.named_pc += [f"set_frequency {vns.get_name(clk)} {1e3/period}" for clk, (period, _) in self.clocks.items()]
        return ("", "")

    def finalize(self):
        _, self._architecture, self._package = self.parse_device()
        self._packer_opts += f" {self._build_name}.asc {self._build_name}.bin"
        YosysNextPNRToolchain.finalize(self)


def prepare(builder: Builder, name: str, report: str, device: Device | None, large: Iterable[Shape]) -> None:
    """Set the options of the toolchain of a builder's finalized SoC, where that is of Yosys and nextpnr.

    Parameters
    ----------
    name : of the top module and of all files.
    report : file for nextpnr's report.
    device : the FPGA, None where nothing is known of it.
    large : memories that go into large RAMs.
    """
    soc       = builder.soc
    toolchain = soc.platform.toolchain
    if not isinstance(toolchain, YosysNextPNRToolchain):
        return
    toolchain._yosys_template = [*_template(soc.platform, Path(builder.gateware_dir))]
    toolchain._yosys_cmds += [f"hierarchy -top {name}", uncontested(name)]
    # Yosys uses large RAMs only where it is told to; of small memories it makes block RAMs, of which FPGAs have least.
    if large:
        toolchain._yosys_cmds += _ram_style(name, "huge", [f"{name}/m:{shape.name}" for shape in large])
    elif device is not None and device.family in TABLES_BITS:
        registers = ["VexRiscv/m:RegFilePlugin_regFile"] if soc.cpu_type == "vexriscv" else []
        toolchain._yosys_cmds += _ram_style(name, "distributed", [*(f"{name}/m:{each}" for each in IN_TABLES),
            *registers])
    if toolchain.pnr_fmt != "report":
        toolchain._pnr_opts += f"--report {report} "
    if isinstance(toolchain, GowinApiculaToolchain):
        # It hands over no clock constraints.
        toolchain._pnr_opts += f"--freq {soc.sys_clk_freq/1e6:g} "


def _template(platform: GenericPlatform, folder: Path) -> Iterator[str]:
    """LiteX's template of a Yosys script, with sources relative to the folder where it runs: PyPI's Yosys has a /tmp
    of its own."""
    include = "".join(f" -I{os.path.relpath(path, folder)}" for path in platform.verilog_include_paths)
    for line in YosysWrapper._default_template:
        if line == "{read_files}":
            for name, language, *_ in platform.sources:
                if language is not None:
                    reader = "verilog -sv" if language == "systemverilog" else language
                    yield f"read_{reader}{include} {os.path.relpath(name, folder)}"
            yield f"read_verilog{include} {{build_name}}.v"
        else:
            if line.startswith("write_"):
                # Older versions of nextpnr do not read these notes on the hierarchy.
                yield "delete t:$scopeinfo"
            yield line


def _ram_style(top: str, style: str, memories: list[str]) -> list[str]:
    return [f"hierarchy -top {top}", f'setattr -set ram_style "{style}" {" ".join(memories)}']
