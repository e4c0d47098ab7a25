# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *
from migen.genlib.cdc import MultiReg

from litex.gen import *

from litex.build.generic_platform import Pins, Subsignal

from litex.soc.cores.uart import RS232PHY, UARTBone
from litex.soc.integration.soc import SoCRegion

from firmware.sizes import least_sram_bytes
from soc.boot import BootLoader, BootRAM, UARTSwitch
from soc.soc import Platform, QCLIFSoC
from targets.asic.rtl import memories
from targets.asic.rtl.hierarchy import split

# CPU without caches: what is left of its memory is the register file, 1024 bits.
CPU_VARIANT = "minimal"

# SRAM is given out in steps of this, bytes.
SRAM_STEP = 1024

# Pads beside those of the clock and of the UART.
_io = [
    ("rst_n", 0, Pins(1)),
    ("test",  0, Pins(1)),
    ("busy",  0, Pins(1)),
    ("spiflash", 0,
        Subsignal("cs_n", Pins(1)),
        Subsignal("clk",  Pins(1)),
        Subsignal("mosi", Pins(1)),
        Subsignal("miso", Pins(1)),
    ),
]

class ChipPlatform(Platform):
    """A platform with the pads of the chip."""
    def __init__(self):
        Platform.__init__(self, "FreePDK45")
        self.add_extension(_io)

    def build(self, *args, **kwargs):
        """Nothing: LiteX's builder is asked for the firmware alone, Verilog is made by soc_verilog()."""

# ASICSoC ------------------------------------------------------------------------------------------

class ASICSoC(QCLIFSoC):
    """The SoC as a chip: its pads are ports, and it loads its program by itself.

    Pads: `sys_clk`; `rst_n`, at any time; the UART's; those of an SPI flash with the image of the firmware, which the
    UART takes where the flash has none; `test`, which gives the UART to LiteX's bridge to the bus, so that all memories
    and registers can be read and written, and rests while the chip runs; `busy`, high while the core computes, for
    whoever measures the chip's current.

    Parameters
    ----------
    config : sizes of the accelerator and of the link.
    sys_clk_freq : Hz.
    chip : targets.asic.design.Chip.
    """
    def __init__(self, config, sys_clk_freq, chip):
        platform = ChipPlatform()

        # Reset: registers are reset by the clock, so that it is enough to end the reset with it.
        # ---------------------------------------------------------------------------------------
        self.cd_sys   = ClockDomain()
        self.specials += MultiReg(~platform.request("rst_n"), self.cd_sys.rst)

        # UART: the firmware's frames, the loader, the bridge.
        # -----------------------------------------------------
        self.phy  = RS232PHY(platform.request("serial"), sys_clk_freq, chip.uart_baudrate)
        self.uart = UARTSwitch(self.phy, 3)
        frames, loader, bridge = self.uart.users

        # SoC: as little as the firmware needs.
        # -------------------------------------
        program_bytes = chip.program_bytes
        sram_bytes    = chip.sram_bytes or -(-least_sram_bytes(config)//SRAM_STEP)*SRAM_STEP
        QCLIFSoC.__init__(self, platform, sys_clk_freq, config,
            cpu_variant          = CPU_VARIANT,
            integrated_rom_size  = 0,
            integrated_sram_size = sram_bytes,
            uart_phy             = frames,
            ident                = "",
            with_timer           = False,
            with_ctrl            = False,
            # The CPU is faster than the serial line.
            with_dma             = False,
        )

        # # #

        # Program.
        # --------
        self.loader  = BootLoader(platform.request("spiflash"), program_bytes, sys_clk_freq)
        self.program = BootRAM(self.loader, program_bytes)
        self.bus.add_slave("rom", self.program.bus,
            SoCRegion(origin=self.mem_map["rom"], size=program_bytes, linker=True))
        self.comb += [
            self.cpu.reset.eq(~self.loader.done),
            loader.source.connect(self.loader.sink),
            self.loader.source.connect(loader.sink, keep={"valid", "ready", "data"}),
        ]

        # Test access.
        # ------------
        test = Signal()
        self.specials += MultiReg(platform.request("test"), test)
        self.bridge = UARTBone(bridge, sys_clk_freq)
        self.bus.add_master("bridge", self.bridge.wishbone)
        done = self.loader.done
        self.comb += Cat(*self.uart.chosen).eq(Cat(~test & done, ~test & ~done, test))
        self.comb += platform.request("busy").eq(self.qclif.core.busy)

        # Data of the CPU: the memory is read where it is asked, not in every clock.
        # --------------------------------------------------------------------------
        bus, port = self.sram.bus, self.sram.mem.ports[0]
        port.re   = Signal()
        self.comb += port.re.eq(bus.cyc & bus.stb & ~bus.we)

# Verilog ------------------------------------------------------------------------------------------

# Submodule: its Verilog module, and what it is.
MODULES = {
    "qclif":      ("qclif_peripheral", "registers' side of the core"),
    "qclif.core": ("qclif_core",       "memory port and counters"),
    "frames":     ("qclif_frames",     "link's frames"),
    "phy":        ("qclif_uart_phy",   "UART's line"),
    "loader":     ("qclif_loader",     "loader of the program"),
    "bridge":     ("qclif_bridge",     "bridge for tests"),
}

MEMORIES = {
    "qclif_program":        "program",
    "qclif_sram":           "data of the CPU",
    "qclif_received":       "received frames",
    "qclif_to_send":        "frames to send",
    "qclif_received_queue": "queue of received frames",
    "qclif_send_queue":     "queue of frames to send",
    "qclif_spike_fifo":     "FIFO of the spikes",
}

DESCRIPTIONS = memories.DESCRIPTIONS | dict(MODULES.values()) | MEMORIES | {
    "qclif_soc": "bus and registers", "VexRiscv": "CPU", "StreamFifoLowLatency": "CPU's fetch buffer"}

def soc_verilog(soc, files):
    """Texts of the SoC's modules by name, the top first; `files` takes those of its memories."""
    def memory_of(module):
        memory, = [special for special in module._fragment.specials if isinstance(special, Memory)]
        return memory

    def storage(fifo):
        """Memory of a buffered stream FIFO."""
        return memory_of(fifo.fifo.fifo)

    received, to_send = soc.frames.receiver, soc.frames.sender
    storages = {
        memory_of(soc.program):     files.ram("qclif_program", memory_of(soc.program)),
        soc.sram.mem:               files.ram("qclif_sram",    soc.sram.mem),
        memory_of(received):        files.ram("qclif_received", memory_of(received)),
        memory_of(to_send):         files.ram("qclif_to_send",  memory_of(to_send)),
        storage(received.queue):    files.fifo("qclif_received_queue", storage(received.queue)),
        storage(to_send.queue):     files.fifo("qclif_send_queue",     storage(to_send.queue)),
        storage(soc.qclif.spikes):  files.fifo("qclif_spike_fifo", storage(soc.qclif.spikes)),
    }
    parts  = {path: name for path, (name, _) in MODULES.items()}
    parts |= {f"qclif.core.{path}": part for path, part in memories.core_parts(soc.qclif.core, files).items()}
    return split(soc, "qclif_soc", soc.platform.constraint_manager.get_io_signals(), parts, storages.get)
