#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""The SoC of any target: a CPU that runs our firmware from ROM, the accelerator and a UART that keeps up."""

from migen import *

from litex.gen import *

from litex.soc.cores.uart import RS232PHYModel, UARTPHY
from litex.soc.integration.soc import SoCRegion
from litex.soc.integration.soc_core import SoCCore

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware.header import STACK_BYTES
from firmware.protocol import SENSOR_LIMIT
from soc.flash import RAM_BYTES, FlashRAM
from soc.uart import DeepUART

# Memory sizes -------------------------------------------------------------------------------------

# The firmware, which the CPU starts straight from reset.
ROM_BYTES = 32*1024

# Variables of the firmware that depend on no size.
STATE_BYTES = 512

# SRAM where SDRAM holds the buffers: stack, small variables, and the CRC's table, which each byte needs.
SRAM_BESIDE_SDRAM = 4*1024

# Stack, link state, and the x/y tables of the event encoder for sensors up to 2048 x 2048.
SRAM_BASE_BYTES = 24*1024


def sram_bytes(config: QCLIFConfig) -> int:
    """Bytes of integrated SRAM that the firmware needs for `config`, a power of two.

    It holds a stored answer for each frame of the window and a few working frames, the readout with its
    logits, and a handful of words for each source and neuron.
    """
    frames  = config.frame_bytes*(config.frame_window + 4)
    readout = 4*config.outputs*(config.neurons + 1)
    lists   = 8*(config.sources + config.neurons + config.step_events)
    return _power_of_two(SRAM_BASE_BYTES + frames + readout + lists)


def least_sram_bytes(config: QCLIFConfig) -> int:
    """Bytes of SRAM that the firmware needs without main RAM: its stack, tables and buffers, one by one.

    Unlike sram_bytes() it leaves nothing for later: block RAM is what FPGAs have least of.
    """
    tables  = 4*256 + 2*2*SENSOR_LIMIT                                  # CRC; x and y of the encoder
    frames  = (config.frame_bytes + 4)*config.frame_window + config.frame_bytes + 2
    readout = 4*config.outputs*(config.neurons + 1)
    lists   = 4*config.inputs + 2*config.step_events + 6*config.neurons
    return STACK_BYTES + STATE_BYTES + tables + frames + readout + lists


def main_ram_bytes(config: QCLIFConfig) -> int:
    """Bytes of main RAM that hold the CPU engine's copy of the largest network, a power of two."""
    synapses   = config.neurons*(config.soma_rows + config.apical_rows)
    parameters = 32*config.neurons
    return _power_of_two(synapses + parameters)


def _power_of_two(size: int) -> int:
    return 1 << (size - 1).bit_length()

# Accelerator --------------------------------------------------------------------------------------

def add_qclif(soc: SoCCore, config: QCLIFConfig, name: str = "qclif", registered: bool = False,
    single_port: bool = False) -> None:
    """Add the accelerator to any LiteX SoC.

    It becomes `soc.<name>` with its CSRs, an interrupt where the SoC has them, and the sizes of the build as
    `config_<name>_*` constants in the generated headers, csr.json and csr.csv.

    Parameters
    ----------
    soc         : SoC with a CSR bus, not yet finalized.
    config      : sizes of the accelerator.
    name        : name of the peripheral; our firmware expects "qclif".
    registered  : registers behind the accelerator's memories: a higher clock on FPGAs, for one clock more a step.
                  The bridge to the CSR bus has to be a registered one.
    single_port : its weight memories have one port.
    """
    from accel.peripheral import QCLIF
    soc.check_if_exists(name)
    soc.add_module(name=name, module=QCLIF(config, registered, single_port))
    if soc.irq.enabled:
        soc.irq.add(name, use_loc_if_exists=True)
    for field, value in config.to_dict().items():
        soc.add_config(f"{name}_{field}", value)

# QCLIFSoC -----------------------------------------------------------------------------------------

class QCLIFSoC(SoCCore):
    """CPU, ROM with our firmware, SRAM, deep UART, timer and accelerator.

    The target adds its clock and reset generator, and main RAM of its own where it has some.

    Parameters
    ----------
    platform         : LiteX platform.
    sys_clk_freq     : Hz.
    config           : sizes of the accelerator and of the link.
    with_accelerator : False leaves the accelerator out; the CPU engine remains.
    registered       : registers in the bridge to the CSR bus and behind the accelerator's memories: a higher clock
                       on FPGAs, for one clock more a step and an access of the CPU to a register.
    flash            : pads of the SPI flash, where the firmware is in it at `flash_offset`: it is then copied to large
                       single-port RAMs, which take the place of ROM and SRAM, and hold the weights, too, without
                       registers behind them.
    uart_phy         : PHY of the UART; without it LiteX's `uart_name` ("serial", "sim", "jtag_uart" or a pad
                       name of the platform) and `uart_baudrate` choose one.
    kwargs           : LiteX's SoCCore options: cpu_type, cpu_variant, integrated_main_ram_size ...
    """
    def __init__(self, platform, sys_clk_freq, config, with_accelerator=True, registered=False, flash=None,
        flash_offset=0, uart_phy=None, uart_name="serial", uart_baudrate=115200, **kwargs):
        defaults = dict(
            integrated_rom_size  = ROM_BYTES,
            integrated_sram_size = sram_bytes(config),
            ident                = "qCLIF SoC",
        )
        rom_bytes       = {**defaults, **kwargs}["integrated_rom_size"]
        self.registered = registered
        if flash is not None:
            kwargs.update(integrated_rom_size=0, integrated_sram_size=0)
        SoCCore.__init__(self, platform, int(sys_clk_freq), **{**defaults, **kwargs, "with_uart": False})
        if flash is not None:
            self.add_flash_ram(flash, flash_offset, rom_bytes, least_sram_bytes(config))
        self.add_deep_uart(config, uart_phy or self.get_uart_phy(uart_name, uart_baudrate))
        if with_accelerator:
            add_qclif(self, config, registered=registered and flash is None, single_port=flash is not None)

    def add_flash_ram(self, pads, offset: int, rom_bytes: int, needed: int) -> None:
        """Add RAM that starts with a copy of the flash: the firmware's ROM, followed by its SRAM of `needed` bytes or
        more."""
        origin, sram_bytes = self.mem_map["rom"], RAM_BYTES - rom_bytes
        if needed > sram_bytes:
            raise QCLIFError(f"the firmware needs {needed} bytes of SRAM for these sizes, {max(0, sram_bytes)} are "
                "there: lower --frame-window, --frame-bytes or --outputs")
        self.ram = FlashRAM(pads, offset, rom_bytes)
        self.bus.add_slave("ram", self.ram.bus, SoCRegion(origin=origin, size=RAM_BYTES))
        self.bus.add_region("rom", SoCRegion(origin=origin, size=rom_bytes, linker=True))
        self.bus.add_region("sram", SoCRegion(origin=origin + rom_bytes, size=sram_bytes, linker=True))

    def check_bios_requirements(self):
        """LiteX's, whose BIOS wants a timer; our firmware does with the accelerator's clock."""
        if not hasattr(self, "qclif"):
            SoCCore.check_bios_requirements(self)

    def add_csr_bridge(self, name="csr", origin=None, register=False):
        """LiteX's, which it calls when the SoC is complete."""
        SoCCore.add_csr_bridge(self, name, origin, register or self.registered)

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

    def add_deep_uart(self, config: QCLIFConfig, phy, name: str = "uart") -> None:
        """Add the DeepUART that our firmware talks through, under the name of LiteX's own."""
        self.check_if_exists(name)
        self.add_module(name=f"{name}_phy", module=phy)
        self.add_module(name=name, module=DeepUART(phy, fifo_depth=config.uart_fifo))
        if self.irq.enabled:
            self.irq.add(name, use_loc_if_exists=True)
        else:
            self.add_constant("UART_POLLING")
