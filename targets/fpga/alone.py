#!/usr/bin/env python3
# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The accelerator alone on an ECP5 (LFE5U-85F, speed grade 6): its cells, and its highest clock after routing.

examples:
  python -m targets.fpga.alone                      the core and the FIFO of its spikes
  python -m targets.fpga.alone --protect secded     with check bits
  python -m targets.fpga.alone --registers          with its registers, on a CSR bus
  python -m targets.fpga.alone --with-camera        and its masters of the bus, and the encoder

Its ports are registers all around. Small memories are in look-up tables, as in boards' builds. Minutes a seed.
"""

import argparse
import sys
from pathlib import Path

from litex.gen import LiteXModule
from litex.gen.fhdl.verilog import convert
from litex.soc.interconnect import csr_bus, stream
from migen import Cat, ClockDomain, Signal

from accel.config import QCLIFConfig, add_config_args, add_protect_arg, config_from_args
from accel.core import QCLIFCore
from accel.errors import guarded
from accel.layouts import spike_layout
from accel.peripheral import QCLIF
from host.common.console import table_console, write_json
from host.common.folders import build_root
from host.common.tables import TextTable
from targets.boards.devices import IN_TABLES, uncontested
from targets.boards.report import read_report
from targets.tools.builds import digest
from targets.tools.eda import find_yosys, run_tool
from targets.tools.process import exit_on_sigterm, run_program
from targets.tools.progress import StageDisplay
from targets.tools.toolchain import find_toolchain, install

TOP    = "alone"
DEVICE = ("--85k", "--package", "CABGA381", "--speed", "6")

# What is asked of the router.
MHZ = 100

# Design -------------------------------------------------------------------------------------------

class Alone(LiteXModule):
    """A design between two shift registers, so that each of its ports begins or ends at a register.

    Attributes
    ----------
    i, o : into the first one, out of the second one.
    """
    def __init__(self, inputs: list[Signal], outputs: list[Signal]) -> None:
        self.i   = Signal()
        self.o   = Signal()
        self.into, self.out_of = (Signal(sum(map(len, each)), reset_less=True) for each in (inputs, outputs))

        # # #

        self.comb += [
            Cat(*inputs).eq(self.into),
            self.o.eq(self.out_of[-1]),
        ]
        self.sync += [
            self.into.eq(Cat(self.i, self.into)),
            self.out_of.eq(Cat(0, self.out_of)[:len(self.out_of)] ^ Cat(*outputs)),
        ]


def core_alone(config: QCLIFConfig, protect: str) -> Alone:
    """The core of boards, and the FIFO of its spikes."""
    core = QCLIFCore(config, registered=True, protect=protect)
    fifo = stream.SyncFIFO(spike_layout(config), config.spike_fifo, buffered=True)
    port = core.memory
    top  = Alone(
        [*core.sink.payload.flatten(), core.sink.valid, core.sink.last, core.neurons, core.apical_shift,
            core.product_shift, core.reset_state, fifo.source.ready, port.space, port.address, port.write, port.data_w,
            port.read],
        [fifo.source.valid, fifo.source.last, *fifo.source.payload.flatten(), core.ready, core.busy, port.data_r,
            core.event_full, core.event_unknown, *core.pulses.values(), *core.faults.values()])
    top.core, top.fifo = core, fifo
    top.comb += core.source.connect(fifo.sink)
    return top


def registers_alone(config: QCLIFConfig, protect: str, with_dma: bool, with_camera: bool) -> Alone:
    """The accelerator on a CSR bus."""
    accelerator = QCLIF(config, registered=True, protect=protect, with_dma=with_dma, with_camera=with_camera)
    bus         = csr_bus.Interface(data_width=32)
    inputs      = [bus.adr, bus.we, bus.re, bus.dat_w]
    outputs     = [bus.dat_r, accelerator.ev.irq]
    for master in (accelerator.reader, accelerator.writer) if with_dma else ():
        wires    = master.bus
        inputs  += [wires.ack, wires.err, wires.dat_r]
        outputs += [wires.adr, wires.cyc, wires.stb, wires.we, wires.sel, wires.dat_w]
    top = Alone(inputs, outputs)
    top.accelerator = accelerator
    top.bank        = csr_bus.CSRBank(accelerator.get_csrs(sort=True), bus=bus)
    return top

# Flow ---------------------------------------------------------------------------------------------

def build(top: Alone, seed: int, folder: Path, progress: StageDisplay) -> dict[str, object]:
    """Synthesise, place and route. Returns figures as read_report() does, with the cells of the design alone."""
    top.cd_sys = ClockDomain("sys")
    text   = str(convert(top, ios={top.i, top.o, top.cd_sys.clk, top.cd_sys.rst}, name=TOP))
    text   = text[text.index("`timescale"):] # Without the generator's dated header.
    tools  = find_toolchain(["nextpnr-ecp5"])
    yosys  = find_yosys()
    work   = folder/digest("\n".join([text, yosys.version]))[:24]
    netlist, report = work/"alone.json", work/f"report{seed}.json"
    work.mkdir(parents=True, exist_ok=True)
    (work/"alone.v").write_text(text)
    if not netlist.exists():
        run_tool(yosys, "\n".join(["read_verilog alone.v", f"hierarchy -top {TOP}", uncontested(TOP),
            f"setattr -set ram_style \"distributed\" {' '.join(f'{TOP}/m:{name}' for name in IN_TABLES)}",
            f"synth_ecp5 -top {TOP}", "delete t:$scopeinfo", "write_json unfinished.json", "stat", ""]), work,
            "synth.ys", progress=progress, stage=f"synth_ecp5 of Yosys {yosys.version}")
        (work/"unfinished.json").rename(netlist)
    if not report.exists():
        progress(f"placing and routing, seed {seed}")
        run_program(["nextpnr-ecp5", *DEVICE, "--json", netlist.name, "--freq", str(MHZ), "--timing-allow-fail",
            "--seed", str(seed), "--report", "unfinished.report", "--lpf-allow-unconstrained"], work,
            work/f"nextpnr{seed}.log", install(tools, work/"tools")).check("nextpnr-ecp5")
        (work/"unfinished.report").rename(report)
    return read_report(report, MHZ)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m targets.fpga.alone", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--registers",   action="store_true", help="with registers, on a CSR bus of 32 bits")
    parser.add_argument("--with-dma",    action="store_true", help="with registers and masters of the bus")
    parser.add_argument("--with-camera", action="store_true", help="with these and the encoder of raw events")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], metavar="N",
        help="of the placement; one row each (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows")
    add_protect_arg(parser)
    add_config_args(parser)
    args = parser.parse_args()
    exit_on_sigterm()

    def work() -> int:
        config   = config_from_args(args)
        with_dma = args.with_dma or args.with_camera
        rows     = []
        for seed in args.seeds:
            top = registers_alone(config, args.protect, with_dma, args.with_camera) \
                if args.registers or with_dma else core_alone(config, args.protect)
            with StageDisplay() as progress:
                found = build(top, seed, build_root()/"alone", progress)
            path = found["critical_path"]
            rows.append({"seed": seed, **{name: found[name] for name in ("lut", "ff", "bram", "dsp")},
                "MHz": round(found["fmax_mhz"], 1), "from": path["from"], "to": path["to"]})
        table_console(args.json).print(TextTable(rows[0], [map(str, row.values()) for row in rows], texts=(5, 6)))
        if args.json:
            write_json(rows, args.json)
        return 0
    return guarded(work)


if __name__ == "__main__":
    sys.exit(main())
