# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The LiteX peripheral in Migen's simulator, accessed through its registers over the CSR bus."""

from dataclasses import dataclass

from litex.soc.interconnect import csr_bus
from migen import Module

from accel.config import SPACE_SHIFT, QCLIFConfig
from accel.dma.registers import dma_registers
from accel.image import image
from accel.peripheral import QCLIF
from accel.registers import registers
from tests.helpers.simulation import run_simulation

# Bits by register and field, as BITS["pop"]["valid"]: those of every build.
BITS   = {register.name: {field.name: field.mask for field in register.fields}
    for register in (*registers(QCLIFConfig()), *dma_registers(QCLIFConfig(), camera=True))}
ERRORS = BITS["errors"]

# Clocks between two accesses of LiteX's bridge to the CSR bus, as it is and with registers.
BRIDGE, REGISTERED_BRIDGE = 2, 3


def error_names(value):
    """Names of the flags in a value of `errors`."""
    return {name for name, mask in ERRORS.items() if value & mask}


@dataclass
class Access:
    """A write of a value, or a read where there is none, and the clocks until the next access."""
    name:  str
    value: int | None = None
    gap:   int = BRIDGE


class Registers(Module):
    """The peripheral on a 32-bit CSR bus, accessed by register name every `gap` clocks."""
    def __init__(self, config, registered=False, single_port=False, gap=BRIDGE, **kwargs):
        self.gap              = gap
        self.submodules.qclif = QCLIF(config, registered, single_port, **kwargs)
        csrs = self.qclif.get_csrs(sort=True)
        self.submodules.bank = csr_bus.CSRBank(csrs, bus=csr_bus.Interface(data_width=32))
        # A storage of one word is called name0.
        self.addresses = {csr.name.removesuffix("0"): n for n, csr in enumerate(self.bank.simple_csrs)}

    def clocks(self, count):
        for _ in range(count):
            yield

    def write(self, name, value=0):
        yield from self.bank.bus.write(self.addresses[name], int(value))
        yield from self.clocks(self.gap - 1)

    def read(self, name):
        assert self.gap > 1, "with accesses in successive clocks, what is read comes behind the next one: see play()"
        yield from self.bank.bus.read(self.addresses[name])
        yield
        value = yield self.bank.bus.dat_r
        yield from self.clocks(self.gap - 2)
        return value

    def play(self, accesses, watch=()):
        """Do all accesses, each so many clocks before the next; return what was read (None for a write), and the values
        that the signals of `watch` had in the clock of each access."""
        bus, read, seen, late = self.bank.bus, [], [], False
        for access in accesses:
            yield bus.adr.eq(self.addresses[access.name])
            yield bus.dat_w.eq(access.value or 0)
            yield bus.we.eq(access.value is not None)
            yield bus.re.eq(access.value is None)
            yield
            if late:
                read[-1] = yield bus.dat_r
            values = []
            for signal in watch:
                values.append((yield signal))
            seen.append(values)
            read.append(None)
            late = access.value is None
            yield bus.we.eq(0)
            yield bus.re.eq(0)
            for _ in range(access.gap - 1):
                yield
                if late:
                    read[-1], late = (yield bus.dat_r), False
        yield
        if late:
            read[-1] = yield bus.dat_r
        return read, seen

    def errors(self):
        """Names of the flags that are set."""
        return error_names((yield from self.read("errors")))

    def upload(self, network, config):
        for space, address, words in image(network, config):
            yield from self.write("address", space << SPACE_SHIFT | address)
            for word in words:
                yield from self.write("data", word)
        yield from self.write("shifts", network.apical_shift | network.product_shift << 8)
        yield from self.write("neurons", network.neurons)

    def words(self, space, address, count):
        """Read so many words from an address on."""
        words = []
        yield from self.write("address", space << SPACE_SHIFT | address)
        for _ in range(count):
            words.append((yield from self.read("data")))
            yield from self.write("control", BITS["control"]["next_word"])
        return words

    def push(self, sources):
        """Push a step, when there is room."""
        while not (yield from self.read("status")) & BITS["status"]["ready"]:
            pass
        for source in sources:
            yield from self.write("push", source | BITS["push"]["event"])
        yield from self.write("push", BITS["push"]["last"])

    def output(self):
        """Wait for the spikes of the oldest step and take them."""
        pop, spikes = BITS["pop"], []
        while True:
            beat = yield from self.read("pop")
            if beat & pop["valid"]:
                yield from self.write("pop")
                if beat & pop["spike"]:
                    spikes.append(beat & pop["neuron"])
                if beat & pop["last"]:
                    return spikes

    def step(self, sources):
        """Push a step, return its spikes."""
        yield from self.push(sources)
        return (yield from self.output())

    def idle(self):
        """Wait until no step is in work."""
        while (yield from self.read("status")) & BITS["status"]["busy"]:
            pass


def drive(config, generator, registered=False, single_port=False, gap=BRIDGE):
    """Run generator(registers) and return what it returned."""
    dut, result = Registers(config, registered, single_port, gap), []

    def run():
        result.append((yield from generator(dut)))
    run_simulation(dut, run())
    return result[0]


def build_source(source, network, config):
    """Source of the build that a source of the network is: contexts follow the build's inputs."""
    return source if source < network.inputs else config.inputs + source - network.inputs
