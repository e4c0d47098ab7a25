# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from soc.soc import Platform, QCLIFSoC
from targets.asic.rtl import memories
from targets.asic.rtl.hierarchy import split

# CPU without caches: what is left of its memory is the register file, 1024 bits.
CPU_VARIANT = "minimal"

# As a board's, see the README.
BAUDRATE = 1_000_000

# ASICSoC ------------------------------------------------------------------------------------------

class ASICSoC(QCLIFSoC):
    """The SoC with clock, synchronous reset and the UART's pins as ports.

    Its ROM is of SRAM macros: neither the PDK nor the SRAM compiler has a ROM. Such a chip would load it
    through a test port; area and energy are an upper bound of those of a mask ROM.

    Parameters
    ----------
    config : sizes of the accelerator and of the link.
    sys_clk_freq : Hz.
    """
    def __init__(self, config, sys_clk_freq):
        self.cd_sys = ClockDomain()
        QCLIFSoC.__init__(self, Platform("FreePDK45"), sys_clk_freq, config,
            cpu_variant   = CPU_VARIANT,
            uart_baudrate = BAUDRATE,
            ident         = "",
            # The CPU is faster than the serial line.
            with_dma      = False,
        )

        # # #

        # The bus' memories are read where they are asked, not in every clock.
        # ----------------------------------------------------------------------
        for ram in (self.rom, self.sram):
            bus, port = ram.bus, ram.mem.ports[0]
            port.re   = Signal()
            self.comb += port.re.eq(bus.cyc & bus.stb & ~bus.we)

# Verilog ------------------------------------------------------------------------------------------

# Submodule: its Verilog module, and what it is.
MODULES = {
    "qclif":      ("qclif_peripheral", "registers' side of the core"),
    "qclif.core": ("qclif_core",       "memory port and counters"),
    "frames":     ("qclif_frames",     "link's frames"),
    "uart_phy":   ("qclif_uart_phy",   "UART's line"),
    "timer0":     ("qclif_timer",      "timer"),
}

MEMORIES = {
    "qclif_rom":            "program",
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
        soc.rom.mem:                files.ram("qclif_rom",  soc.rom.mem),
        soc.sram.mem:               files.ram("qclif_sram", soc.sram.mem),
        memory_of(received):        files.ram("qclif_received", memory_of(received)),
        memory_of(to_send):         files.ram("qclif_to_send",  memory_of(to_send)),
        storage(received.queue):    files.fifo("qclif_received_queue", storage(received.queue)),
        storage(to_send.queue):     files.fifo("qclif_send_queue",     storage(to_send.queue)),
        storage(soc.qclif.spikes):  files.fifo("qclif_spike_fifo", storage(soc.qclif.spikes)),
    }
    parts  = {path: name for path, (name, _) in MODULES.items()}
    parts |= {f"qclif.core.{path}": part for path, part in memories.core_parts(soc.qclif.core, files).items()}
    return split(soc, "qclif_soc", soc.platform.constraint_manager.get_io_signals(), parts, storages.get)
