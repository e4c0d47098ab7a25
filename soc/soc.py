# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The SoC of any target: a CPU that runs our firmware from ROM, the accelerator and the link's frames over a UART."""

from migen import *

from litex.gen import *

from litex.build.generic_platform import GenericPlatform, Pins, Subsignal

from litex.soc.cores.uart import RS232PHYModel, UARTPHY
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCCore

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.sizes import ROM_BYTES, least_sram_bytes, send_bytes, sram_bytes
from soc.flash import RAM_BYTES, FlashRAM
from soc.frames.common import QUEUE
from soc.frames.peripheral import Frames
from soc.litex_compat import with_bridge_register

# Platform -----------------------------------------------------------------------------------------

class Platform(GenericPlatform):
    """A platform without a board: the pins of a UART are all that it has.

    Parameters
    ----------
    device : what the design is for, as LiteX's tools name it.
    """
    def __init__(self, device=""):
        serial = ("serial", 0, Subsignal("tx", Pins(1)), Subsignal("rx", Pins(1)))
        GenericPlatform.__init__(self, device, [serial], name="qclif_soc")

# Accelerator --------------------------------------------------------------------------------------

def add_qclif(soc: SoCCore, config: QCLIFConfig, name: str = "qclif", registered: bool = False,
    single_port: bool = False, protect: str = "none", with_streams: bool = False, with_dma: bool = False,
    with_camera: bool = False) -> None:
    """Add the accelerator to any LiteX SoC.

    It becomes `soc.<name>` with its CSRs, an interrupt where the SoC has them, and the sizes of the build as
    `config_<name>_*` constants in the generated headers, csr.json and csr.csv.

    Parameters
    ----------
    soc         : SoC with a CSR bus, not yet finalized.
    config      : sizes of the accelerator.
    name        : name of the peripheral; our firmware expects "qclif".
    registered  : registers around the accelerator's memories: a higher clock on FPGAs, for two clocks more a step.
    single_port : its weight memories have one port.
    protect     : of PROTECTIONS, check bits of its memories.
    with_streams : `soc.<name>.sink` takes events from other gateware and `soc.<name>.source` gives it spikes, as LiteX
                  streams of the layouts of accel/layouts.py, where the register `streams` says so.
    with_dma    : two bus masters fetch events from memory and write spikes to it, by the registers `reader_*` and
                  `writer_*`.
    with_camera : the one for events encodes raw events of a camera, too, by the registers `camera_*`; needs with_dma.

    Raises
    ------
    QCLIFError : the CSR bus has not words of 32 bits, there is no such protection, or a camera's encoder without DMA.
    """
    from accel.csr import check_width
    from accel.peripheral import QCLIF
    check_width(soc.csr.data_width)
    if with_camera and not with_dma:
        raise QCLIFError("with_camera is set without with_dma, and raw events come from memory: set with_dma, too")
    soc.check_if_exists(name)
    soc.add_module(name=name, module=QCLIF(config, registered, single_port, protect, with_streams, with_dma,
        big_endian=soc.cpu.endianness == "big", with_camera=with_camera))
    if with_dma:
        for master in ("reader", "writer"):
            soc.bus.add_master(name=f"{name}_{master}", master=getattr(getattr(soc, name), master).bus)
    if soc.irq.enabled:
        soc.irq.add(name, use_loc_if_exists=True)
    for field, value in config.to_dict().items():
        soc.add_config(f"{name}_{field}", value)

# QCLIFSoC -----------------------------------------------------------------------------------------

class QCLIFSoC(SoCCore):
    """CPU, ROM with our firmware, SRAM, the link's frames, timer and accelerator.

    The target adds its clock and reset generator, and main RAM of its own where it has some.

    Parameters
    ----------
    platform         : LiteX platform.
    sys_clk_freq     : Hz.
    config           : sizes of the accelerator and of the link.
    with_accelerator : False leaves the accelerator out; the CPU engine remains.
    registered       : registers in the bridge to the CSR bus and around the accelerator's memories: a higher clock
                       on FPGAs, for two clocks more a step and one more an access of the CPU to a register.
    flash            : pads of the SPI flash, where the firmware is in it at `flash_offset`: it is then copied to large
                       single-port RAMs, which take the place of ROM and SRAM, and hold the weights, too, without
                       registers behind them.
    with_dma         : the accelerator fetches the events of a request from memory by itself. None: unless block RAM is
                       scarce, which logic then is, too (`flash`).
    with_camera      : and encodes raw events by itself. None: where it is with_dma.
    uart_phy         : PHY of the UART; without it LiteX's `uart_name` ("serial", "sim", "jtag_uart" or a pad
                       name of the platform) and `uart_baudrate` choose one.
    protect          : of PROTECTIONS, check bits of the accelerator's memories.
    kwargs           : LiteX's SoCCore options: cpu_type, cpu_variant, integrated_main_ram_size ...
    """
    def __init__(self, platform, sys_clk_freq, config, with_accelerator=True, registered=False, flash=None,
        flash_offset=0, with_dma=None, with_camera=None, uart_phy=None, uart_name="serial", uart_baudrate=115200,
        protect="none", **kwargs):
        kwargs = {"integrated_rom_size": ROM_BYTES, "integrated_sram_size": sram_bytes(config), "ident": "qCLIF SoC",
            **kwargs, "with_uart": False}
        rom_bytes       = kwargs["integrated_rom_size"]
        self.registered = registered
        if flash is not None:
            kwargs.update(integrated_rom_size=0, integrated_sram_size=0)
        SoCCore.__init__(self, platform, int(sys_clk_freq), **kwargs)
        if flash is not None:
            self.add_flash_ram(flash, flash_offset, rom_bytes, least_sram_bytes(config))
        self.add_frames(config, uart_phy or self.get_uart_phy(uart_name, uart_baudrate))
        if with_accelerator:
            with_dma = flash is None if with_dma is None else with_dma
            add_qclif(self, config, registered=registered and flash is None, single_port=flash is not None,
                protect=protect, with_dma=with_dma, with_camera=with_dma if with_camera is None else with_camera)

    def add_flash_ram(self, pads, offset: int, rom_bytes: int, needed: int) -> None:
        """Add RAM that starts with a copy of the flash: the firmware's ROM, followed by its SRAM of `needed` bytes or
        more."""
        origin, sram_bytes = self.mem_map["rom"], RAM_BYTES - rom_bytes
        if needed > sram_bytes:
            raise QCLIFError(f"the firmware needs {needed} bytes of SRAM for these sizes, {max(0, sram_bytes)} are "
                "there: lower --outputs, --neurons or --step-events")
        self.ram = FlashRAM(pads, offset, rom_bytes)
        self.bus.add_slave("ram", self.ram.bus, SoCRegion(origin=origin, size=RAM_BYTES))
        self.bus.add_region("rom", SoCRegion(origin=origin, size=rom_bytes, linker=True))
        self.bus.add_region("sram", SoCRegion(origin=origin + rom_bytes, size=sram_bytes, linker=True))

    def add_csr_bridge(self, name="csr", origin=None, **kwargs):
        """LiteX's, which it calls when the SoC is complete."""
        SoCCore.add_csr_bridge(self, name, origin, **with_bridge_register(kwargs, self.registered))

    def get_uart_phy(self, uart_name: str, baudrate: int):
        """PHY of the UART that LiteX's `uart_name` stands for on this platform."""
        if uart_name == "jtag_uart":
            from litex.soc.cores.jtag import JTAGPHY
            return JTAGPHY(device=self.platform.device, platform=self.platform)
        pads = self.platform.request("serial" if uart_name == "sim" else uart_name, loose=True)
        if pads is None:
            raise QCLIFError(f"UART {uart_name!r} is not on this platform: use --uart-name with jtag_uart "
                "or the name of serial pads of the board")
        if uart_name == "sim":
            return RS232PHYModel(pads)
        return UARTPHY(pads, int(self.sys_clk_freq), baudrate)

    def add_frames(self, config: QCLIFConfig, phy) -> None:
        """Add the frames that our firmware talks through, over the bytes of a UART's PHY."""
        self.uart_phy = phy
        self.frames   = frames = Frames(phy, config.uart_fifo, send_bytes(config), config.frame_bytes,
            big_endian=self.cpu.endianness == "big")
        for name, bus, size in (
            ("frames_received", frames.receiver.bus, 2*config.uart_fifo),
            ("frames_to_send",  frames.sender.bus,   send_bytes(config)),
        ):
            self.bus.add_slave(name, bus, SoCRegion(size=size, cached=False))
        self.add_config("frames_queue", QUEUE)
        if self.irq.enabled:
            self.irq.add("frames", use_loc_if_exists=True)
